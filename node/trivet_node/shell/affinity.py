"""On which processors a process may run: server_cpulist and bgsave_cpulist. (Redis: setcpuaffinity.c.)"""

import os
import re
from typing import Final

from trivet_wire.process import log

_RANGE: Final = re.compile(r"\s*([0-9]+)(?:-([0-9]+)(?::([0-9]+))?)?\s*")
_PROCESSORS_MAX: Final = 4096


def processors(text: str) -> set[int]:
    """Return the processors of a list such as `0,2-7:2,9`; none where it is malformed."""
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            return set()
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if first > last or last >= _PROCESSORS_MAX or step == 0:
            return set()
        found.update(range(first, last + 1, step))
    return found


def run_on(text: str) -> None:
    """Let this process run on the processors of a list only; anywhere where it is empty."""
    if not text:
        return
    wanted = processors(text)
    try:
        os.sched_setaffinity(0, wanted)
    except OSError as error:
        log.log("warning", f"Can't run on the processors '{text}' only: {error.strerror}")
