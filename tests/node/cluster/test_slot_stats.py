"""CLUSTER SLOT-STATS, in the numbers that Valkey's own tests expect (its tests/unit/cluster/slot-stats.tcl)."""

from typing import Any

import pytest

from tests.node.cluster.test_commands import SLOT_OF_A, ClusterNodeUnderTest
from tests.node.engines import Node
from tests.node.test_times import MovingClock
from trivet_node.client import PRIMARY
from trivet_node.cluster.slots import ALL_SLOTS, range_of_slots
from trivet_node.config import Config
from trivet_node.replication.replicas import ONLINE
from trivet_wire.connection import encode_request

SLOT_OF_B = 3300
STEP_US = 7


@pytest.fixture
def node() -> ClusterNodeUnderTest:
    # Nobody else looks at the clock.
    node = ClusterNodeUnderTest(Config(cluster_databases=2, latency_tracking=False, slowlog_log_slower_than=-1))
    node.server.stopwatch.clock = MovingClock(STEP_US)
    node.serve(ALL_SLOTS, 0)
    assert node.asks("CONFIG SET cluster-slot-stats-enabled yes") == b"OK"
    return node


def stats(node: ClusterNodeUnderTest, slot: int) -> dict[bytes, int]:
    ((found, flat),) = node.ask("CLUSTER", "SLOT-STATS", "SLOTSRANGE", slot, slot, client=node.client())
    assert found == slot
    return dict(zip(flat[::2], flat[1::2], strict=True))


def numbers(node: ClusterNodeUnderTest, slot: int) -> list[int]:
    return list(stats(node, slot).values())


def test_commands_are_counted_for_their_slot(node: ClusterNodeUnderTest) -> None:
    node.ask("SET", "a", "v")
    # `*3 $3 SET $1 a $1 v` and `+OK`, line breaks included.
    assert stats(node, SLOT_OF_A) == {
        b"key-count": 1,
        b"cpu-usec": STEP_US,
        b"network-bytes-in": 27,
        b"network-bytes-out": 5,
    }
    node.ask("GET", "a")
    node.ask("PING")
    node.ask("GET", "a", "x")
    assert numbers(node, SLOT_OF_A) == [1, 2 * STEP_US, 47, 12]
    assert numbers(node, SLOT_OF_B) == [0, 0, 0, 0]
    assert node.asks("CONFIG RESETSTAT") == b"OK"
    assert numbers(node, SLOT_OF_A) == [1, 0, 0, 0]


def test_keys_of_all_databases_are_counted(node: ClusterNodeUnderTest) -> None:
    node.asks("SET a v")
    node.asks("SELECT 1")
    node.asks("MSET a v {a}b v")
    assert stats(node, SLOT_OF_A)[b"key-count"] == 3


def test_a_transaction_counts_once(node: ClusterNodeUnderTest) -> None:
    node.ask("MULTI")
    node.ask("SET", "a", "v")
    assert numbers(node, SLOT_OF_A) == [0, 0, 27, 9]
    node.ask("EXEC")
    # MULTI's 15 bytes are counted with EXEC's 14; `*1 +OK` is its reply.
    assert numbers(node, SLOT_OF_A)[2:] == [15 + 27 + 14, 9 + 9]
    node.asks("CONFIG RESETSTAT")
    node.ask("MULTI")
    node.ask("PING")
    node.ask("EXEC")
    assert numbers(node, SLOT_OF_A) == [1, 0, 0, 0]


def test_a_script_counts_once(node: ClusterNodeUnderTest) -> None:
    request = encode_request(["EVAL", "return redis.call('SET', KEYS[1], 'v')", "1", "a"])
    assert node.send(node.first, request) == b"+OK\r\n"
    assert numbers(node, SLOT_OF_A)[2:] == [len(request), 5]


def test_a_reply_that_was_waited_for_counts(node: ClusterNodeUnderTest) -> None:
    waiting = node.client()
    assert node.send(waiting, encode_request(["BLPOP", "a", "0"])) == b""
    node.ask("RPUSH", "a", "value")
    # `*2 $1 a $5 value` for the one, `:1` for the other; `*3 $5 BLPOP $1 a $1 0` and `*3 $5 RPUSH $1 a $5 value`.
    assert numbers(node, SLOT_OF_A)[2:] == [29 + 33, 22 + 4]


def test_the_stream_to_replicas_counts(node: ClusterNodeUnderTest) -> None:
    node.keep_stream()
    for _ in range(2):
        replicas = node.server.replication.replicas
        replicas.add(replicas.of(node.client()), ONLINE)
    node.ask("SET", "a", "v")
    node.asks("CONFIG RESETSTAT")
    node.ask("SET", "a", "v")
    assert numbers(node, SLOT_OF_A)[2:] == [27, 5 + 2 * 27]


def test_what_a_primary_sends_does_not_count(node: ClusterNodeUnderTest) -> None:
    node.first.flags |= PRIMARY
    node.engine._execute(node.first, [b"SET", b"a", b"v"])
    node.first.flags &= ~PRIMARY
    node.first.reply.take()
    assert numbers(node, SLOT_OF_A) == [1, 0, 0, 0]


def test_slots_that_go_away_are_forgotten(node: ClusterNodeUnderTest) -> None:
    node.asks("SET a v")
    node.asks("SET b v")
    node.serve(0, range_of_slots(SLOT_OF_A, SLOT_OF_A))
    assert len(node.asks("CLUSTER SLOT-STATS SLOTSRANGE 0 16383")) == 16383
    assert node.ask("CLUSTER", "SLOT-STATS", "SLOTSRANGE", SLOT_OF_A, SLOT_OF_A) == []
    node.serve(range_of_slots(SLOT_OF_A, SLOT_OF_A), 0)
    assert numbers(node, SLOT_OF_A)[1:] == [0, 0, 0]
    assert numbers(node, SLOT_OF_B)[1:] != [0, 0, 0]


def test_while_the_setting_is_off_there_are_only_keys(node: ClusterNodeUnderTest) -> None:
    checks = node.server.checks
    assert node.asks("CONFIG SET cluster-slot-stats-enabled no") == b"OK"
    assert node.server.checks != checks
    node.asks("SET a v")
    assert stats(node, SLOT_OF_A) == {b"key-count": 1}
    assert node.asks("CLUSTER SLOT-STATS ORDERBY cpu-usec") == "ERR Unrecognized sort metric for ORDERBY."
    assert node.asks("CONFIG SET cluster-slot-stats-enabled yes") == b"OK"
    assert numbers(node, SLOT_OF_A) == [1, 0, 0, 0]


def slots_of(reply: Any) -> list[int]:
    return [slot for slot, _ in reply]


def test_slots_by_a_metric(node: ClusterNodeUnderTest) -> None:
    node.asks("MSET b 1 {b}2 1")
    node.asks("SET a 1")
    assert slots_of(node.asks("CLUSTER SLOT-STATS ORDERBY key-count LIMIT 3")) == [SLOT_OF_B, SLOT_OF_A, 0]
    assert slots_of(node.asks("cluster slot-stats orderby KEY-COUNT desc limit 1")) == [SLOT_OF_B]
    ascending = slots_of(node.asks("CLUSTER SLOT-STATS ORDERBY key-count ASC"))
    assert ascending[:3] == [0, 1, 2]
    assert ascending[-2:] == [SLOT_OF_A, SLOT_OF_B]
    assert slots_of(node.asks("CLUSTER SLOT-STATS ORDERBY network-bytes-in LIMIT 1")) == [SLOT_OF_B]


@pytest.mark.parametrize(
    ("request_text", "error"),
    [
        ("SLOTSRANGE 1 x", "ERR Invalid or out of range slot"),
        ("SLOTSRANGE 0 16384", "ERR Invalid or out of range slot"),
        ("SLOTSRANGE 3 2", "ERR Start slot number 3 is greater than end slot number 2"),
        ("SLOTSRANGE 3", "ERR unknown subcommand or wrong number of arguments for 'SLOT-STATS'. Try CLUSTER HELP."),
        ("SLOTS 3 4", "ERR unknown subcommand or wrong number of arguments for 'SLOT-STATS'. Try CLUSTER HELP."),
        ("ORDERBY memory", "ERR Unrecognized sort metric for ORDERBY."),
        ("ORDERBY key-count LIMIT 0", "ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."),
        ("ORDERBY key-count LIMIT x", "ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."),
        ("ORDERBY key-count LIMIT", "ERR syntax error"),
        ("ORDERBY key-count ASC DESC", "ERR Multiple filters of the same type are disallowed."),
        ("ORDERBY key-count LIMIT 1 LIMIT 2", "ERR Multiple filters of the same type are disallowed."),
        ("ORDERBY", "ERR wrong number of arguments for 'cluster|slot-stats' command"),
    ],
)
def test_errors(node: ClusterNodeUnderTest, request_text: str, error: str) -> None:
    assert node.asks(f"CLUSTER SLOT-STATS {request_text}") == error


def test_out_of_cluster_mode_there_are_no_slots() -> None:
    node = Node(Config(cluster_slot_stats_enabled=True))
    assert node.server.checks == 0
    assert node.asks("CLUSTER SLOT-STATS SLOTSRANGE 0 1") == "ERR This instance has cluster support disabled"
