"""HOTKEYS as Redis 8.6 has it (its tests/unit/hotkeys.tcl), and Trivet's OPS."""

from typing import Any

import pytest

from tests.node.cluster.test_commands import SLOT_OF_A, BusHost, ClusterNodeUnderTest
from tests.node.engines import Node
from tests.node.test_times import MovingClock
from trivet_node.cluster.slots import range_of_slots
from trivet_node.config import Config
from trivet_node.server.state import CHECK_METERED
from trivet_wire.connection import encode_request

STEP_US = 6


class WorkingHost(BusHost):
    """The process uses more time whenever somebody looks."""

    def __init__(self) -> None:
        super().__init__()
        self.used_us = 0

    def process_facts(self) -> dict[str, int]:
        self.used_us += 5000
        return {"used_cpu_user_us": self.used_us, "used_cpu_sys_us": 2 * self.used_us}


def config() -> Config:
    """Return settings with which nobody else looks at the clock."""
    return Config(latency_tracking=False, slowlog_log_slower_than=-1)


@pytest.fixture
def node() -> Node:
    node = Node(config())
    node.server.host = WorkingHost()
    node.server.stopwatch.clock = MovingClock(STEP_US)
    return node


def result(node: Node) -> dict[bytes, Any]:
    (flat,) = node.asks("HOTKEYS GET")
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_a_session_from_start_to_reset(node: Node) -> None:
    assert node.asks("HOTKEYS GET") is None
    assert node.asks("HOTKEYS STOP") is None
    assert node.asks("HOTKEYS RESET") == b"OK"
    assert node.server.checks == 0
    assert node.asks("HOTKEYS START METRICS 3 CPU NET OPS") == b"OK"
    assert node.server.checks == CHECK_METERED
    assert node.asks("HOTKEYS START METRICS 1 CPU") == "ERR hotkey tracking session already in progress"
    assert node.asks("HOTKEYS RESET") == "ERR hotkey tracking session in progress, stop tracking first"
    node.asks("SET a value")
    node.asks("GET a")
    node.asks("MGET a b")
    node.asks("PING")
    node.wait(1500)
    assert node.asks("HOTKEYS STOP") == b"OK"
    assert node.server.checks == 0
    node.asks("SET a value")
    node.wait(1500)
    found = result(node)
    assert list(found) == [
        *(b"tracking-active", b"sample-ratio", b"selected-slots", b"all-commands-all-slots-us"),
        *(b"net-bytes-all-commands-all-slots", b"collection-start-time-unix-ms", b"collection-duration-ms"),
        *(b"total-cpu-time-user-ms", b"total-cpu-time-sys-ms", b"total-net-bytes", b"total-commands"),
        *(b"by-cpu-time-us", b"by-net-bytes", b"by-commands"),
    ]
    assert found[b"tracking-active"] == 0
    assert found[b"sample-ratio"] == 1
    assert found[b"selected-slots"] == [[0, 16383]]
    assert found[b"collection-duration-ms"] == 1500
    assert found[b"all-commands-all-slots-us"] == 3 * STEP_US
    assert found[b"total-cpu-time-sys-ms"] == 2 * found[b"total-cpu-time-user-ms"] > 0
    assert found[b"total-commands"] == 3
    # Requests of 31, 20 and 28 bytes, replies of 5, 11 and 20.
    assert found[b"total-net-bytes"] == found[b"net-bytes-all-commands-all-slots"] == 36 + 31 + 48
    assert found[b"by-commands"] == [b"a", 3, b"b", 1]
    assert found[b"by-cpu-time-us"] == [b"a", 2 * STEP_US + STEP_US // 2, b"b", STEP_US // 2]
    assert found[b"by-net-bytes"] == [b"a", 36 + 31 + 48 // 2, b"b", 48 // 2]
    assert node.asks("HOTKEYS RESET") == b"OK"
    assert node.asks("HOTKEYS GET") is None


def test_only_metrics_that_were_asked_for_are_told(node: Node) -> None:
    # Unknown metrics are passed over: a later version may know them.
    told = {"2 GPU CPU": b"by-cpu-time-us", "1 NET": b"by-net-bytes", "1 ops": b"by-commands"}
    for metrics, name in told.items():
        assert node.asks(f"HOTKEYS START METRICS {metrics} COUNT 2") == b"OK"
        for number in range(3):
            node.ask("SET", number, "v")
        assert node.asks("HOTKEYS STOP") == b"OK"
        found = result(node)
        assert [each for each in found if each.startswith(b"by-")] == [name]
        assert len(found[name]) == 4


def test_a_session_ends_when_its_time_is_over(node: Node) -> None:
    node.asks("HOTKEYS START METRICS 1 OPS DURATION 2")
    node.wait(1999)
    node.asks("SET a v")
    assert result(node)[b"tracking-active"] == 1
    node.wait(1)
    node.asks("SET a v")
    assert node.server.checks == 0
    node.wait(5000)
    found = result(node)
    assert (found[b"tracking-active"], found[b"collection-duration-ms"]) == (0, 2000)
    assert found[b"by-commands"] == [b"a", 1]
    assert node.asks("HOTKEYS START METRICS 1 OPS") == b"OK"
    assert result(node)[b"by-commands"] == []


def test_a_sample_is_drawn_and_everything_is_summed(node: Node) -> None:
    node.asks("HOTKEYS START METRICS 2 NET OPS SAMPLE 10")
    for _ in range(1000):
        node.ask("GET", "k")
    found = result(node)
    assert found[b"net-bytes-all-commands-all-slots"] == 1000 * 25
    ((key, sampled),) = zip(found[b"by-commands"][::2], found[b"by-commands"][1::2], strict=True)
    assert key == b"k"
    assert 60 < sampled < 140
    assert found[b"total-commands"] == sampled
    assert found[b"total-net-bytes"] == sampled * 25


def test_commands_of_a_transaction_count_each(node: Node) -> None:
    node.asks("HOTKEYS START METRICS 1 OPS")
    node.asks("MULTI")
    node.asks("SET a v")
    node.asks("SET b v")
    node.asks("GET a")
    assert node.asks("EXEC") == [b"OK", b"OK", b"v"]
    assert result(node)[b"by-commands"] == [b"a", 2, b"b", 1]


def test_a_script_counts_once_with_its_keys(node: Node) -> None:
    node.asks("HOTKEYS START METRICS 2 NET OPS")
    script = "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"
    request = encode_request(["EVAL", script, "1", "a", "value"])
    assert node.send(node.first, request) == b"$5\r\nvalue\r\n"
    found = result(node)
    assert found[b"by-commands"] == [b"a", 1]
    assert found[b"by-net-bytes"] == [b"a", len(request) + 11]
    assert found[b"total-commands"] == 1


@pytest.mark.parametrize(
    ("request_text", "error"),
    [
        ("", "ERR METRICS parameter is required"),
        ("METRICS", "ERR METRICS parameter is required"),
        ("COUNT 1", "ERR METRICS parameter is required"),
        ("METRICS 0", "ERR METRICS count must be > 0 and <= 3"),
        ("METRICS -1 CPU", "ERR METRICS count must be > 0 and <= 3"),
        ("METRICS x CPU", "ERR METRICS count must be > 0 and <= 3"),
        ("METRICS 2 CPU", "ERR METRICS count does not match number of metric types provided"),
        ("METRICS 1 CPU NET", "ERR syntax error"),
        ("METRICS 1 GPU", "ERR METRICS no valid metrics passed. Supported: CPU|NET|OPS"),
        ("METRICS 2 CPU cpu", "ERR METRICS CPU defined more than once!"),
        ("METRICS 1 CPU COUNT 0", "ERR COUNT must be between 1 and 64"),
        ("METRICS 1 CPU COUNT 65", "ERR COUNT must be between 1 and 64"),
        ("METRICS 1 CPU COUNT", "ERR syntax error"),
        ("METRICS 1 CPU DURATION 0", "ERR DURATION must be between 1 and 1000000"),
        ("METRICS 1 CPU DURATION 1000001", "ERR DURATION must be between 1 and 1000000"),
        ("METRICS 1 CPU SAMPLE 0", "ERR SAMPLE ratio must be positive"),
        ("METRICS 1 CPU SAMPLE 2147483648", "ERR SAMPLE ratio must be positive"),
        ("METRICS 1 CPU SLOTS 1 0", "ERR SLOTS parameter cannot be used in non-cluster mode"),
        ("METRICS 1 CPU NOSUCH 1", "ERR syntax error"),
    ],
)
def test_errors(node: Node, request_text: str, error: str) -> None:
    assert node.asks(f"HOTKEYS START {request_text}") == error
    assert node.asks("HOTKEYS GET") is None


@pytest.fixture
def half() -> ClusterNodeUnderTest:
    """A node that owns the slots from 8192 on, and slot 3300, that of `b`."""
    node = ClusterNodeUnderTest(config())
    node.server.host = WorkingHost()
    node.server.stopwatch.clock = MovingClock(STEP_US)
    node.serve(
        range_of_slots(8192, 16383) | range_of_slots(3300, 3300), range_of_slots(0, 3299) | range_of_slots(3301, 8191)
    )
    return node


def test_only_keys_of_the_selected_slots(half: ClusterNodeUnderTest) -> None:
    assert half.asks(f"HOTKEYS START METRICS 2 NET CPU SLOTS 2 {SLOT_OF_A} 3300") == b"OK"
    for key in ("a", "b", "{a}1", "d"):
        half.ask("SET", key, "v")
    found = result(half)
    assert found[b"selected-slots"] == [[3300], [SLOT_OF_A]]
    assert set(found[b"by-net-bytes"][::2]) == {b"a", b"b", b"{a}1"}
    assert found[b"all-commands-selected-slots-us"] == 3 * STEP_US
    assert found[b"all-commands-all-slots-us"] == 4 * STEP_US
    assert found[b"net-bytes-all-commands-selected-slots"] < found[b"net-bytes-all-commands-all-slots"]
    assert not any(name.startswith((b"sampled", b"net-bytes-sampled")) for name in found)
    half.asks("HOTKEYS STOP")
    half.asks(f"HOTKEYS START METRICS 2 NET CPU SAMPLE 5 SLOTS 1 {SLOT_OF_A}")
    assert {b"sampled-commands-selected-slots-us", b"net-bytes-sampled-commands-selected-slots"} <= set(result(half))
    half.asks("HOTKEYS STOP")
    half.asks("HOTKEYS START METRICS 1 CPU")
    assert result(half)[b"selected-slots"] == [[3300], [8192, 16383]]


@pytest.mark.parametrize(
    ("slots", "error"),
    [
        ("2 9000", "ERR not enough slot numbers provided"),
        ("0 9000", "ERR SLOTS count must be between 1 and 16384"),
        ("1 16384", "ERR Invalid or out of range slot"),
        ("1 -1", "ERR Invalid or out of range slot"),
        ("1 abc", "ERR Invalid or out of range slot"),
        ("1 0", "ERR slot 0 not handled by this node"),
        ("2 9000 9000", "ERR duplicate slot number"),
        ("1 9000 SLOTS 1 9001", "ERR SLOTS parameter already specified"),
    ],
)
def test_errors_of_slots(half: ClusterNodeUnderTest, slots: str, error: str) -> None:
    assert half.asks(f"HOTKEYS START METRICS 1 CPU SLOTS {slots}") == error


def test_help_and_resp3(node: Node) -> None:
    assert node.asks("HOTKEYS HELP")[0].startswith(b"HOTKEYS <subcommand>")
    assert node.asks("HOTKEYS") == "ERR wrong number of arguments for 'hotkeys' command"
    assert node.asks("HOTKEYS NOSUCH") == "ERR unknown subcommand 'NOSUCH'. Try HOTKEYS HELP."
    node.asks("HELLO 3")
    node.asks("HOTKEYS START METRICS 1 OPS")
    node.asks("SET a v")
    (found,) = node.asks("HOTKEYS GET")
    assert found[b"by-commands"] == [b"a", 1]
