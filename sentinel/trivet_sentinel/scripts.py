"""Notification and reconfiguration scripts: at most 16 at once, each at most a minute; exit code 1 asks for another
try.

(sentinel.conf of Redis 7.0, "SCRIPTS EXECUTION".)
"""

import subprocess
from collections.abc import Callable
from typing import Final

import trio

from trivet_sentinel.events import RunScript

RUNNING_MAX: Final = 16
RUNTIME_MAX_S: Final = 60
ATTEMPTS_MAX: Final = 10
RETRY_DELAY_S: Final = 30


class Scripts:
    """Runs scripts; `tell` takes lines for the log."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._limiter = trio.CapacityLimiter(RUNNING_MAX)

    async def run(self, script: RunScript) -> None:
        """Run one script until it ends with anything but a request for another try."""
        delay_s = RETRY_DELAY_S
        for _attempt in range(ATTEMPTS_MAX):
            code = await self._run_once(script)
            if code is not None and code not in (1, -15, -9):
                break
            await trio.sleep(delay_s)
            delay_s *= 2
        else:
            self._tell(f"-script-error {script.path} gave up after {ATTEMPTS_MAX} attempts")
            return
        if code:
            self._tell(f"-script-error {script.path} exit code {code}")

    async def _run_once(self, script: RunScript) -> int | None:
        """Return the script's exit code, or None where it could not run or ran too long."""
        async with self._limiter:
            with trio.move_on_after(RUNTIME_MAX_S):
                try:
                    command = [script.path, *script.arguments]
                    result = await trio.run_process(command, check=False, stdin=subprocess.DEVNULL)
                except OSError as error:
                    self._tell(f"-script-error {script.path}: {error}")
                    return None
                return int(result.returncode)
        self._tell(f"-script-timeout {script.path}")
        return None
