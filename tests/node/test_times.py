"""What is measured of commands, on a clock that moves whenever somebody looks at it."""

import pytest

from tests.node.conversation import Connection, TestEngine
from trivet_node.timing.clock import Clock


class MovingClock(Clock):
    """Shows `step_us` more at each look."""

    def __init__(self, step_us: int) -> None:
        super().__init__(1_700_000_000_000_000)
        self.step_us = step_us
        self.looks = 0

    def now_us(self) -> int:
        self.looks += 1
        self.shown_us += self.step_us
        return self.shown_us


def measured(step_us: int) -> tuple[MovingClock, TestEngine, Connection]:
    clock = MovingClock(step_us)
    engine = TestEngine(clock=clock)
    client = engine.connect()
    # The rows of commands are there once in a process, and so are their counters.
    client.say("CONFIG RESETSTAT")
    return clock, engine, client


def statistics(client: Connection, name: str) -> str:
    text = str(client.say("INFO commandstats"))
    return next((line.partition(":")[2] for line in text.splitlines() if line.startswith(f"cmdstat_{name}:")), "")


def test_a_pipeline_costs_one_look_at_the_clock_for_each_command() -> None:
    clock, _, client = measured(7)
    client.say("PING")
    looks = clock.looks
    client.all("SET a 1\r\nSET a 2\r\nSET a 3\r\nGET a")
    assert clock.looks - looks == 5
    assert statistics(client, "set") == "calls=3,usec=21,usec_per_call=7.00,rejected_calls=0,failed_calls=0"


def test_the_clock_is_not_looked_at_where_nobody_asks() -> None:
    clock, _, client = measured(7)
    client.say("CONFIG SET latency-tracking no slowlog-log-slower-than -1")
    looks = clock.looks
    client.all("SET a 1\r\nGET a\r\nMULTI\r\nGET a\r\nEXEC")
    assert clock.looks == looks
    client.say("CONFIG SET latency-monitor-threshold 1")
    client.say("GET a")
    assert clock.looks > looks


def test_what_switches_measuring_on_is_not_measured() -> None:
    clock, _, client = measured(7)
    client.say("CONFIG SET latency-tracking no slowlog-log-slower-than -1")
    clock.shown_us += 10**9
    client.say("CONFIG RESETSTAT")
    client.all("CONFIG SET slowlog-log-slower-than 1000\r\nGET a")
    assert statistics(client, "config|set").startswith("calls=1,usec=0,")
    assert statistics(client, "get").startswith("calls=1,usec=7,")
    assert client.say("SLOWLOG LEN") == 0


def test_a_transaction_takes_what_its_commands_take_and_more() -> None:
    _, _, client = measured(10)
    client.all("MULTI\r\nSET a 1\r\nSET a 2\r\nEXEC")
    assert statistics(client, "set").startswith("calls=2,usec=20,")
    assert statistics(client, "exec").startswith("calls=1,usec=50,")


def test_a_clock_that_is_set_back_measures_nothing() -> None:
    clock, _, client = measured(0)
    clock.step_us = -1000
    client.say("SET a 1")
    assert statistics(client, "set") == "calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=0"


def test_only_slow_commands_are_logged() -> None:
    clock, _, client = measured(9_999)
    client.say("SET a 1")
    assert client.say("SLOWLOG LEN") == 0
    clock.step_us = 10_000
    client.say("SET a 2")
    clock.step_us = 0
    assert client.say("SLOWLOG LEN") == 1
    (entry,) = client.say("SLOWLOG GET")  # type: ignore[misc]
    assert entry[2:] == [10_000, ["SET", "a", "2"], "127.0.0.1:1000", ""]


@pytest.mark.parametrize(("line", "event"), [("GET a", "fast-command"), ("KEYS *", "command")])
def test_the_latency_monitor_tells_fast_commands_from_others(line: str, event: str) -> None:
    clock, _, client = measured(0)
    client.say("CONFIG SET latency-monitor-threshold 3 slowlog-log-slower-than -1")
    clock.step_us = 3_500
    client.say(line)
    clock.step_us = 0
    assert client.say("LATENCY LATEST") == [[event, clock.shown_us // 1_000_000, 3, 3]]


def test_what_a_wait_takes_is_what_it_takes_before_and_to_serve() -> None:
    clock, engine, client = measured(100)
    client.say("CONFIG SET slowlog-log-slower-than 0")
    waiting = engine.connect("127.0.0.1:2000")
    waiting.all("BLPOP k 0")
    clock.step_us = 0
    clock.shown_us += 5_000_000
    clock.step_us = 100
    client.say("RPUSH k a")
    entries = client.say("SLOWLOG GET")
    assert isinstance(entries, list)
    served = next(entry for entry in entries if entry[3][0] == "BLPOP")
    assert served[2:] == [200, ["BLPOP", "k", "0"], "127.0.0.1:2000", ""]
    assert statistics(client, "blpop").startswith("calls=1,usec=200,")
    assert client.say("LATENCY HISTOGRAM blpop") == ["blpop", ["calls", 1, "histogram_usec", [264, 1]]]


def test_a_wait_in_vain_is_counted_but_not_logged() -> None:
    _, engine, client = measured(100)
    client.say("CONFIG SET slowlog-log-slower-than 0")
    client.all("BLPOP k 0.01")
    engine.tick(1000)
    assert client.client.reply.take() == b"*-1\r\n"
    assert statistics(client, "blpop").startswith("calls=1,usec=100,")
    assert client.say("LATENCY HISTOGRAM blpop") == []


def test_what_the_slow_log_shows_of_settings_depends_on_their_names() -> None:
    _, _, client = measured(100)
    client.say("CONFIG SET slowlog-log-slower-than 0")
    client.say("CONFIG SET MASTERAUTH masteruser logfile requirepass masteruser secret hz")
    client.say("CONFIG SET proc-title-template masterauth hz 20 masterauth secret nonsense x")
    entries = client.say("SLOWLOG GET")
    assert isinstance(entries, list)
    shown = [entry[3][2:] for entry in entries if entry[3][:2] == ["CONFIG", "SET"]]
    assert ["proc-title-template", "masterauth", "hz", "20", "masterauth", "(redacted)", "nonsense", "x"] in shown
    assert ["MASTERAUTH", "(redacted)", "logfile", "requirepass", "masteruser", "(redacted)", "hz"] in shown


def test_cycles_of_expiry_are_events() -> None:
    clock, engine, client = measured(0)
    client.say("CONFIG SET latency-monitor-threshold 5")
    clock.step_us = 6_000
    engine.tick(100)
    clock.step_us = 0
    latest = client.say("LATENCY LATEST")
    assert isinstance(latest, list)
    assert [entry[0] for entry in latest] == ["expire-cycle"]
