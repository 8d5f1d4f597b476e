"""Several databases in cluster mode, as Valkey 9 has them (its tests/unit/cluster/multidb.tcl)."""

import pytest

from tests.node.cluster.test_commands import SLOT_OF_A, ClusterNodeUnderTest
from trivet_node.cluster.ownership import accept_claim
from trivet_node.cluster.slots import ALL_SLOTS, range_of_slots
from trivet_node.config import Config
from trivet_node.server import cluster_member


@pytest.fixture
def node() -> ClusterNodeUnderTest:
    node = ClusterNodeUnderTest(Config(cluster_databases=4))
    node.serve(ALL_SLOTS, 0)
    return node


def fill(node: ClusterNodeUnderTest) -> None:
    """Store a key of one slot in every database, as many as its index and one."""
    for index in range(4):
        node.ask("SELECT", index)
        for number in range(index + 1):
            node.ask("SET", f"{{a}}{number}", f"{index}")


def test_one_database_is_exactly_that_of_redis() -> None:
    node = ClusterNodeUnderTest()
    node.serve(ALL_SLOTS, 0)
    # Asked of redis-server 7.0 in cluster mode.
    for request, error in (
        ("SELECT 1", "ERR SELECT is not allowed in cluster mode"),
        ("SELECT 99", "ERR SELECT is not allowed in cluster mode"),
        ("SELECT x", "ERR value is not an integer or out of range"),
        ("MOVE k x", "ERR MOVE is not allowed in cluster mode"),
        ("COPY k{a} l{a} DB 1", "ERR Copying to another database is not allowed in cluster mode"),
        ("COPY k{a} l{a} DB 99", "ERR DB index is out of range"),
        ("COPY k{a} l{a} DB x", "ERR value is not an integer or out of range"),
    ):
        assert node.asks(request) == error
    assert node.asks("CONFIG GET databases") == [b"databases", b"16"]


def test_databases_below_the_setting_may_be_selected(node: ClusterNodeUnderTest) -> None:
    fill(node)
    assert node.asks("SELECT 4") == "ERR DB index is out of range"
    assert node.asks("SWAPDB 0 1") == "ERR SWAPDB is not allowed in cluster mode"
    assert node.asks("DBSIZE") == 4
    assert b"db1:keys=2,expires=0,avg_ttl=0\r\n" in node.asks("INFO keyspace")
    assert node.asks("FLUSHDB") == b"OK"
    assert [database.size for database in node.keyspace.used_databases()] == [1, 2, 3, 0]
    assert node.asks("CLUSTER FLUSHSLOTS") == "ERR DB must be empty to perform CLUSTER FLUSHSLOTS."
    assert node.asks("CLUSTER RESET") == "ERR CLUSTER RESET can't be called with master nodes containing keys"
    assert node.asks("FLUSHALL") == b"OK"
    assert node.keyspace.size() == 0


def test_keys_go_from_one_database_to_another(node: ClusterNodeUnderTest) -> None:
    node.asks("SET {a}k v")
    assert node.asks("COPY {a}k {a}copy DB 3") == 1
    assert node.asks("COPY {a}k {b}copy DB 3") == "CROSSSLOT Keys in request don't hash to the same slot"
    assert node.asks("COPY {a}k {a}copy DB 4") == "ERR DB index is out of range"
    assert node.asks("MOVE {a}k 3") == 1
    node.asks("SELECT 3")
    assert node.asks("MGET {a}k {a}copy") == [b"v", b"v"]
    node.serve(0, ALL_SLOTS)
    assert node.asks("MOVE {a}k 1") == "MOVED 15495 10.0.0.2:7002"


def test_keys_of_a_slot_are_those_of_the_selected_database(node: ClusterNodeUnderTest) -> None:
    fill(node)
    for index in range(4):
        node.ask("SELECT", index)
        assert node.ask("CLUSTER", "COUNTKEYSINSLOT", SLOT_OF_A) == index + 1
        assert len(node.ask("CLUSTER", "GETKEYSINSLOT", SLOT_OF_A, 10)) == index + 1


def test_watches_and_waits_are_of_one_database(node: ClusterNodeUnderTest) -> None:
    other = node.client()
    node.ask("SELECT", 2, client=other)
    node.asks("WATCH a")
    node.asks("MULTI")
    node.asks("SET a v")
    node.asks("SET a of-two", client=other)
    assert node.asks("EXEC") == [b"OK"]
    waiting = node.client()
    assert node.send(waiting, b"SELECT 2\r\nBLPOP l 0\r\n") == b"+OK\r\n"
    node.asks("RPUSH l in-zero")
    assert waiting.reply.take() == b""
    node.asks("RPUSH l in-two", client=other)
    assert node.replies(waiting.reply.take()) == [[b"l", b"in-two"]]


def test_the_stream_selects_and_slots_are_lost_in_all_databases(node: ClusterNodeUnderTest) -> None:
    node.keep_stream()
    node.asks("SELECT 2")
    node.asks("SET a v")
    assert node.stream() == [[b"SELECT", b"2"], [b"SET", b"a", b"v"]]
    node.asks("SET b v")
    node.asks("SELECT 1")
    node.asks("SET a v")
    node.stream()
    accept_claim(node.state, node.other, 9, range_of_slots(SLOT_OF_A, SLOT_OF_A))
    cluster_member.commit(node.server)
    unit = [[b"MULTI"], [b"DEL", b"a"], [b"SELECT", b"2"], [b"DEL", b"a"], [b"EXEC"]]
    assert node.stream() == unit
    assert [database.size for database in node.keyspace.used_databases()] == [0, 0, 1]
