from trivet_node.timing.clock import Clock
from trivet_node.timing.doctor import report
from trivet_node.timing.events import LatencyEvents, Series
from trivet_node.timing.graph import graph
from trivet_node.timing.stopwatch import Stopwatch


def series(*samples: tuple[int, int]) -> Series:
    made = Series()
    for time_s, duration_ms in samples:
        made.add(time_s, duration_ms)
    return made


def test_the_worst_of_a_second_is_kept() -> None:
    made = series((10, 5), (10, 9), (10, 7), (11, 1))
    assert made.samples == [(10, 9), (11, 1)]
    assert made.worst_ms == 9


def test_the_last_160_samples_are_kept() -> None:
    made = series(*[(second, second) for second in range(1, 301)])
    assert len(made.samples) == 160
    assert made.samples[0] == (141, 141)


def test_only_what_reaches_the_threshold_is_noted() -> None:
    events = LatencyEvents()
    events.note("command", 1000, 1)
    events.threshold_ms = 100
    events.note("command", 99, 1)
    events.note("fork", 100, 1)
    events.note("command", 150, 2)
    assert list(events.series) == ["fork", "command"]
    assert events.reset(["FORK".lower(), "other"]) == 1
    assert events.reset([]) == 1
    assert events.series == {}


def test_analysis() -> None:
    found = series((100, 10), (110, 20), (130, 60)).analysis(160)
    assert (found.samples, found.average_ms, found.deviation_ms, found.period_s) == (3, 30, 20, 60)
    assert series((100, 10)).analysis(100).period_s == 1


def test_graph_as_redis_draws_it() -> None:
    drawn = graph("command", series((1000, 10), (1010, 110), (1040, 60), (1045, 11)), 4605)
    assert drawn.splitlines() == [
        "command - high 110 ms, low 10 ms (all time high 110 ms)",
        "-" * 80,
        " #  ",
        " |_ ",
        " || ",
        "_||_",
        "    ",
        "1555",
        "h999",
        " mmm",
    ]


def test_a_long_graph_goes_on_below() -> None:
    drawn = graph("fork", series(*[(second, 1) for second in range(1, 101)]), 100).splitlines()
    assert drawn[2:7] == [" " * 80] * 3 + ["_" * 80, " " * 80]
    assert "" in drawn
    assert drawn[drawn.index("") + 4] == "_" * 20


def stopwatch(slow_us: int, threshold_ms: int, **seen: tuple[int, int]) -> Stopwatch:
    made = Stopwatch(Clock(100_000_000))
    made.follow(True, slow_us, threshold_ms)
    for name, sample in seen.items():
        made.events.series[name.replace("_", "-")] = series(sample)
    return made


def test_doctor_says_that_nothing_is_watched_or_seen() -> None:
    assert "Latency monitoring is disabled" in report(stopwatch(1, 0), 0.0)
    assert "no latency spike was observed" in report(stopwatch(1, 10), 0.0)


def test_doctor_gives_advice_for_what_was_seen() -> None:
    text = report(stopwatch(-1, 10, command=(90, 50), fork=(95, 20)), 9.0)
    assert "1. command: 1 latency spikes (average 50ms, mean deviation 0ms, period 10.00 sec). Worst all time" in text
    assert "Fork rate is 9.00 GB/sec (terrible)." in text
    assert "'CONFIG SET slowlog-log-slower-than 10000' enables it" in text
    assert "Forks are slow here" in text
    text = report(stopwatch(20_000, 10, command=(90, 50), fork=(95, 20)), 200.0)
    assert "(excellent)" in text
    assert "makes it log all of them" in text
    assert "Forks are slow here" not in text
    assert "SLOWLOG GET shows" in report(stopwatch(5, 10, command=(90, 50)), 0.0)
    text = report(stopwatch(5, 10, expire_cycle=(90, 50), rdb_unlink_temp_file=(90, 10)), 0.0)
    assert "--intrinsic-latency" in text
    assert "The disk is slow" in text
    assert "not able to suggest" in report(stopwatch(5, 10, command_unblocking=(90, 50)), 0.0)
