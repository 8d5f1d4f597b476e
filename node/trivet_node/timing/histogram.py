"""How often a command took how long, with the resolution that Redis reports it in.

Redis counts nanoseconds up to a second in an HDR histogram of two digits: values of the same power of two fall into
128 buckets, and a bucket is shown by the largest value in it. Here durations come in whole microseconds, so the short
ones are counted exactly, each by itself, and only what is reported goes through the buckets. Counting must cost next
to nothing: below two microseconds, where most commands lie, it is an addition to an attribute.
(Redis: hdr_histogram.c; LATENCY HISTOGRAM; INFO latencystats.)
"""

from typing import Final, final

from mypy_extensions import i64

# Durations below this many microseconds have a counter each, made when the first one is needed.
_EXACT_US: Final = 1024
_NS_PER_US: Final = 1000
# What takes no whole microsecond counts as the smallest value, what takes longer than a second as a second.
_SMALLEST_NS: Final = 1
_LARGEST_US: Final = 1_000_000
# A bucket's value has this many significant bits.
_BITS: Final = 8
# The shortest line of LATENCY HISTOGRAM; each further one is twice as long, up to the largest value of the last bucket.
_FIRST_LEVEL_NS: Final = 1024
_LAST_LEVEL_END_NS: Final = 2**30 - 1


@final
class Histogram:
    """Counts durations."""

    def __init__(self) -> None:
        self._none: i64 = 0
        self._one: i64 = 0
        self._exact: list[int] = []
        # The longer ones: by the largest nanosecond of their bucket.
        self._long: dict[int, int] = {}

    def record(self, duration_us: i64) -> None:
        """Count one duration in microseconds, which is not negative."""
        if duration_us == 0:
            self._none += 1
        elif duration_us == 1:
            self._one += 1
        elif duration_us < _EXACT_US:
            if not self._exact:
                self._exact = [0] * _EXACT_US
            self._exact[duration_us] += 1
        else:
            bucket = bucket_end_ns(min(int(duration_us), _LARGEST_US) * _NS_PER_US)
            self._long[bucket] = self._long.get(bucket, 0) + 1

    def clear(self) -> None:
        """Forget everything."""
        self._none = 0
        self._one = 0
        self._exact = []
        self._long = {}

    def total(self) -> int:
        """Return how many durations were counted."""
        return int(self._none) + int(self._one) + sum(self._exact) + sum(self._long.values())

    def percentile_ns(self, percent: float) -> int:
        """Return what so many percent of the durations did not exceed, in nanoseconds; something was counted."""
        wanted = max(1, int(percent / 100 * self.total() + 0.5))
        seen = 0
        reached_ns = 0
        for end_ns, count in self._buckets():
            seen += count
            reached_ns = end_ns
            if seen >= wanted:
                break
        return reached_ns

    def cumulative_us(self) -> list[tuple[int, int]]:
        """Return (microseconds, how many durations did not exceed them) for each power of two that adds any."""
        lines: list[tuple[int, int]] = []
        level_ns = _FIRST_LEVEL_NS
        seen = 0
        reported = 0
        for end_ns, count in self._buckets():
            while end_ns > bucket_end_ns(level_ns):
                if seen > reported:
                    lines.append((_level_us(level_ns), seen))
                    reported = seen
                level_ns *= 2
            seen += count
        if seen > reported:
            lines.append((_level_us(level_ns), seen))
        return lines

    def _buckets(self) -> list[tuple[int, int]]:
        """Return (largest nanosecond, count) for every bucket in use, the shortest first."""
        counts: dict[int, int] = dict(self._long)
        short = [(_SMALLEST_NS, int(self._none)), (bucket_end_ns(_NS_PER_US), int(self._one))]
        short += [(bucket_end_ns(us * _NS_PER_US), count) for us, count in enumerate(self._exact)]
        for end_ns, count in short:
            if count:
                counts[end_ns] = counts.get(end_ns, 0) + count
        return sorted(counts.items())


def _level_us(level_ns: int) -> int:
    """Return how LATENCY HISTOGRAM names a line: by the end of the bucket that its level falls into."""
    return min(bucket_end_ns(level_ns), _LAST_LEVEL_END_NS) // _NS_PER_US


def bucket_end_ns(value_ns: int) -> int:
    """Return the largest value in the bucket of `value_ns`."""
    shift = max(0, value_ns.bit_length() - _BITS)
    return ((value_ns >> shift) + 1 << shift) - 1
