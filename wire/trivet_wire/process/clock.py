"""The two clocks, in milliseconds. Only shells read them: everything else is told the time."""

import time
from typing import Final

_MS_PER_S: Final = 1000
_NS_PER_MS: Final = 1_000_000


def unix_ms() -> int:
    """Return the time of day in Unix milliseconds."""
    return int(time.time() * _MS_PER_S)


def monotonic_ms() -> int:
    """Return the time of a clock that nobody sets, in milliseconds."""
    return time.monotonic_ns() // _NS_PER_MS
