import pytest

from trivet_node.timing.histogram import Histogram, bucket_end_ns


def histogram(*durations_us: int) -> Histogram:
    counted = Histogram()
    for duration_us in durations_us:
        counted.record(duration_us)
    return counted


# What redis-server 7.0.15 shows of single calls of so many microseconds.
@pytest.mark.parametrize(
    ("duration_us", "percentile_ns", "line_us"),
    [(0, 1, 1), (1, 1003, 1), (2, 2007, 2), (23, 23039, 33), (1024, 1028095, 1056), (2_000_000, 1002438655, 1073741)],
)
def test_shows_what_redis_does(duration_us: int, percentile_ns: int, line_us: int) -> None:
    counted = histogram(duration_us)
    assert counted.percentile_ns(50) == percentile_ns
    assert counted.cumulative_us() == [(line_us, 1)]


def test_lines_add_up() -> None:
    counted = histogram(0, 1, 1, 2, 3, 100, 1023, 1024, 5000, 5000, 10**9)
    assert counted.total() == 11
    lines = counted.cumulative_us()
    assert lines == [(1, 3), (2, 4), (4, 5), (132, 6), (1056, 8), (8454, 10), (1073741, 11)]


def test_percentiles_are_reached_by_so_many() -> None:
    counted = histogram(*range(1, 101))
    assert counted.percentile_ns(0) == 1003
    assert counted.percentile_ns(50) == bucket_end_ns(50_000)
    assert counted.percentile_ns(99) == bucket_end_ns(99_000)
    assert counted.percentile_ns(100) == bucket_end_ns(100_000)


def test_cleared() -> None:
    counted = histogram(0, 1, 5, 100_000)
    counted.clear()
    assert counted.total() == 0
    assert counted.cumulative_us() == []


def test_buckets_have_two_digits() -> None:
    for value_ns in (1, 200, 255, 256, 257, 1000, 123_456, 10**9):
        end_ns = bucket_end_ns(value_ns)
        assert value_ns <= end_ns <= value_ns * 1.01
        assert bucket_end_ns(end_ns) == end_ns
        assert bucket_end_ns(end_ns + 1) > end_ns
