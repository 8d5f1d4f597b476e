"""Measures commands one after the other: where one ends the next begins, so that each costs one look at the clock.

    start()         something is to be measured from now on
    lap(begin_us)   it is over: return how long it took, and begin the next

`runs` is off while nobody asks for times (latency-tracking no, slowlog-log-slower-than -1, no latency monitor): then
the clock is never looked at. (Redis: call() in server.c.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.timing.clock import Clock
from trivet_node.timing.events import LatencyEvents
from trivet_node.timing.slow_log import SlowLog

# Longer than anything takes.
NEVER_US: Final = 2**62
_US_PER_MS: Final = 1000
_US_PER_S: Final = 1_000_000


@final
class Stopwatch:
    """Measures commands by `clock` and keeps what took long."""

    def __init__(self, clock: Clock) -> None:
        self.clock: Clock = clock
        self.runs: bool = False
        # Whether every command counts its durations in its histogram.
        self.counts: bool = False
        # What takes this long is worth a closer look: one of the next two thresholds is reached.
        self.notable_us: i64 = NEVER_US
        self.slow_us: i64 = NEVER_US
        # When the last measured thing was over; 0 while the watch does not run.
        self.mark_us: i64 = 0
        self.slow_log: SlowLog = SlowLog()
        self.events: LatencyEvents = LatencyEvents()

    def follow(self, counts: bool, slow_us: int, threshold_ms: int) -> None:
        """Take over the settings; a negative `slow_us` and a `threshold_ms` of zero switch their part off."""
        self.counts = counts
        self.slow_us = slow_us if 0 <= slow_us < NEVER_US else NEVER_US
        self.events.threshold_ms = threshold_ms
        event_us = threshold_ms * _US_PER_MS if 0 < threshold_ms < NEVER_US // _US_PER_MS else NEVER_US
        self.notable_us = min(int(self.slow_us), event_us)
        self.runs = counts or self.notable_us != NEVER_US
        if not self.runs:
            self.mark_us = 0

    def start(self) -> None:
        """Let what is measured next begin now."""
        if self.runs:
            self.mark_us = self.clock.now_us()

    def lap(self, begin_us: i64) -> i64:
        """Return the microseconds since `begin_us`, none while it does not run; what is measured next begins now."""
        if not self.runs:
            return 0
        now_us = self.clock.now_us()
        self.mark_us = now_us
        # Whatever has switched the watch on began before it ran; and the time of day may be set back meanwhile.
        return now_us - begin_us if begin_us != 0 and now_us > begin_us else 0

    def note_since(self, event: str, begin_us: i64) -> None:
        """Note an event of the latency monitor that began at `begin_us` and is just over."""
        self.note(event, max(0, int(self.clock.now_us()) - int(begin_us)))

    def note(self, event: str, duration_us: i64) -> None:
        """Note an event of the latency monitor that is just over."""
        self.events.note(event, int(duration_us) // _US_PER_MS, int(self.clock.now_us()) // _US_PER_S)
