"""Pauses: for how long clients do nothing, or nothing that writes, and what for. Pure; who waits is the server's.

Each purpose has a pause of its own: asked for again, it may become longer and stricter, but no less so. What counts is
the strictest of them, until the last moment that any of that kind lasts to.
(Redis: CLIENT PAUSE, networking.c pauseClients, updateClientPauseTypeAndEndTime.)
"""

from typing import Final, final

from mypy_extensions import i64

# How much is paused, the stricter the larger.
NOTHING: Final = 0
WRITES: Final = 1
EVERYTHING: Final = 2

# What for: CLIENT PAUSE, FAILOVER, and the end of the node.
BY_COMMAND: Final = 0
BY_FAILOVER: Final = 1
BY_SHUTDOWN: Final = 2

# Longer than any clock runs.
FOR_EVER_MS: Final = 2**63 - 1


@final
class Pauses:
    """All pauses, by purpose. Times are Unix milliseconds; in the millisecond of its end a pause still lasts."""

    def __init__(self) -> None:
        # How much is paused now, and until when.
        self.kind: i64 = NOTHING
        self.until_ms: int = 0
        self._pauses: dict[int, tuple[int, int]] = {}

    def begin(self, purpose: int, kind: int, until_ms: int, now_ms: int) -> None:
        """Pause for a purpose, or go on for longer."""
        present_kind, present_until_ms = self._pauses.get(purpose, (NOTHING, 0))
        self._pauses[purpose] = (max(present_kind, kind), max(present_until_ms, until_ms))
        self.pass_time(now_ms)

    def end(self, purpose: int, now_ms: int) -> None:
        """End the pause for a purpose, if there is one."""
        self._pauses.pop(purpose, None)
        self.pass_time(now_ms)

    def pass_time(self, now_ms: int) -> None:
        """Forget the pauses that are over, and find out what counts."""
        self._pauses = {purpose: pause for purpose, pause in self._pauses.items() if pause[1] >= now_ms}
        kind, until_ms = max(self._pauses.values(), default=(NOTHING, 0))
        self.kind = kind
        self.until_ms = until_ms
