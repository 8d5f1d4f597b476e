"""Pauses of the node, by what caused them: what the latency monitor remembers.

Every kind of event has its last samples, one a second at most, the worst of that second, and the worst ever.
(Redis: latency.c, "Redis latency monitoring".)
"""

from typing import Final, final

_SAMPLES_MAX: Final = 160

# The kinds of events that happen here.
COMMAND: Final = "command"
FAST_COMMAND: Final = "fast-command"
UNBLOCKING: Final = "command-unblocking"
EXPIRE_CYCLE: Final = "expire-cycle"
FORK: Final = "fork"
UNLINK: Final = "rdb-unlink-temp-file"


@final
class Analysis:
    """What the samples of one event say: milliseconds on average and how far they lie from that, and how often."""

    def __init__(self, samples: int, average_ms: int, deviation_ms: int, period_s: int) -> None:
        self.samples: int = samples
        self.average_ms: int = average_ms
        self.deviation_ms: int = deviation_ms
        # Since when there are samples, a second at least.
        self.period_s: int = period_s


@final
class Series:
    """The samples of one event: (Unix seconds, milliseconds), the oldest first."""

    def __init__(self) -> None:
        self.samples: list[tuple[int, int]] = []
        self.worst_ms: int = 0

    def add(self, time_s: int, duration_ms: int) -> None:
        """Note a sample."""
        self.worst_ms = max(self.worst_ms, duration_ms)
        if self.samples and self.samples[-1][0] == time_s:
            self.samples[-1] = (time_s, max(self.samples[-1][1], duration_ms))
            return
        self.samples.append((time_s, duration_ms))
        del self.samples[:-_SAMPLES_MAX]

    def analysis(self, now_s: int) -> Analysis:
        """Return what the samples say; there is one at least."""
        durations = [duration_ms for _, duration_ms in self.samples]
        average_ms = sum(durations) // len(durations)
        deviation_ms = sum([abs(average_ms - duration_ms) for duration_ms in durations]) // len(durations)
        return Analysis(len(durations), average_ms, deviation_ms, max(1, now_s - self.samples[0][0]))


@final
class LatencyEvents:
    """All events that took `threshold_ms` or longer; nothing is noted while that is zero."""

    def __init__(self) -> None:
        self.threshold_ms: int = 0
        self.series: dict[str, Series] = {}

    def note(self, event: str, duration_ms: int, now_s: int) -> None:
        """Note how long an event took, if that is to be noted."""
        if self.threshold_ms == 0 or duration_ms < self.threshold_ms:
            return
        series = self.series.get(event)
        if series is None:
            series = Series()
            self.series[event] = series
        series.add(now_s, duration_ms)

    def reset(self, names: list[str]) -> int:
        """Forget the events of these names (in lower case), all where there are none; return how many there were."""
        found = [event for event in self.series if not names or event in names]
        for event in found:
            del self.series[event]
        return len(found)
