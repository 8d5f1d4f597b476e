"""The clock of the machine, as cheap to read as possible: nearly every command costs a look at it."""

from typing import Final, final

from librt.time import time
from mypy_extensions import i64

from trivet_node.timing.clock import Clock

_US_PER_S: Final = 1e6


@final
class SystemClock(Clock):
    """Shows the time of day."""

    def now_us(self) -> i64:
        """Return the time of day in Unix microseconds."""
        return int(time() * _US_PER_S)
