"""CLUSTER and redirections as one client of one node sees them; errors word for word as redis-server says them."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import require_redis_server
from tests.node.engines import Node, QuietHost
from tests.processes import ServerProcess, call, start_redis_server, wait_until
from trivet_node.cluster.effects import Connect, Effect, Received, Send, Tick
from trivet_node.cluster.nodes import FAIL, PRIMARY, REPLICA, ClusterNode, is_id, new_id
from trivet_node.cluster.slots import ALL_SLOTS, range_of_slots
from trivet_node.config import Config
from trivet_node.server import cluster_member
from trivet_wire.connection import encode_request

OTHER = "b" * 40
REPLICA_ID = "c" * 40
# The slot of `a` is 15495, of `b` 3300.
SLOT_OF_A = 15495


class BusHost(QuietHost):
    """Remembers what the cluster machine wants done."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []

    def perform(self, effect: Effect) -> None:
        self.effects.append(effect)

    def primary_changed(self) -> None:
        pass

    def settings_changed(self, names: list[str]) -> str:
        return ""


class ClusterNodeUnderTest(Node):
    """A node in cluster mode; `other` is a primary that it has heard of."""

    def __init__(self, config: Config | None = None) -> None:
        config = config or Config()
        config.cluster_enabled = True
        super().__init__(config)
        self.host = BusHost()
        self.server.host = self.host
        cluster_member.join(self.server, "")
        cluster_member.happened(self.server, Tick(), 1000)
        self.state = self.server.cluster.state  # type: ignore[union-attr]
        self.other = self.know(OTHER, PRIMARY, 7002)

    def know(self, node_id: str, flags: int, port: int) -> ClusterNode:
        node = ClusterNode(node_id, flags)
        node.host = "10.0.0.2"
        node.port = port
        node.bus_port = port + 10000
        node.shard_id = node_id
        node.pong_received_ms = node.data_received_ms = 1000
        node.link_is_up = True
        self.state.nodes[node_id] = node
        return node

    def serve(self, mine: int, others: int) -> None:
        self.state.table.assign(mine, self.state.myself)
        self.state.table.assign(others, self.other)
        cluster_member.commit(self.server)


@pytest.fixture
def node() -> ClusterNodeUnderTest:
    return ClusterNodeUnderTest()


@pytest.fixture
def half(node: ClusterNodeUnderTest) -> ClusterNodeUnderTest:
    """A healthy node that owns the slots from 8192 on, `a` among them; the other primary owns the rest."""
    node.serve(range_of_slots(8192, 16383), range_of_slots(0, 8191))
    return node


def test_keys_of_others_are_moved(half: ClusterNodeUnderTest) -> None:
    assert half.asks("SET a 1") == b"OK"
    assert half.asks("GET a") == b"1"
    assert half.asks("SET b 1") == "MOVED 3300 10.0.0.2:7002"
    assert half.asks("GET b") == "MOVED 3300 10.0.0.2:7002"
    assert half.asks("MGET a {a}b") == [b"1", None]
    assert half.asks("MGET b {b}c") == "MOVED 3300 10.0.0.2:7002"
    assert half.asks("PING") == b"PONG"


def test_who_waits_for_a_key_is_moved_with_it(half: ClusterNodeUnderTest) -> None:
    waiting = half.client()
    half.send(waiting, encode_request(["BLPOP", "a", "0"]))
    half.engine.tick(int(half.keyspace.now_ms) + 100)
    assert waiting.reply.take() == b""
    half.serve(range_of_slots(8192, 8192), range_of_slots(8193, 16383))
    half.engine.tick(int(half.keyspace.now_ms) + 100)
    assert half.replies(waiting.reply.take()) == ["MOVED 15495 10.0.0.2:7002"]
    assert len(half.server.blocking) == 0


def test_sorting_by_other_keys_is_denied(half: ClusterNodeUnderTest) -> None:
    half.asks("RPUSH a 2 1")
    assert half.asks("SORT a BY w_*") == "ERR BY option of SORT denied in Cluster mode."
    assert half.asks("SORT a GET #") == "ERR GET option of SORT denied in Cluster mode."
    assert half.asks("SORT a BY nosort") == [b"2", b"1"]
    assert half.asks("SORT a STORE b") == "CROSSSLOT Keys in request don't hash to the same slot"


def test_keys_of_two_slots_do_not_go_together(half: ClusterNodeUnderTest) -> None:
    message = "CROSSSLOT Keys in request don't hash to the same slot"
    assert half.asks("MGET a b") == message
    assert half.asks("MSET b 1 a 2") == message
    assert half.asks("DEL a c") == message


def test_transactions_are_checked_command_by_command(half: ClusterNodeUnderTest) -> None:
    assert half.asks("MULTI") == b"OK"
    assert half.asks("SET a 1") == b"QUEUED"
    assert half.asks("SET b 1") == "MOVED 3300 10.0.0.2:7002"
    assert half.asks("EXEC") == "EXECABORT Transaction discarded because of previous errors."
    assert half.asks("GET a") is None


def test_what_a_spoiled_transaction_would_run_has_no_keys(half: ClusterNodeUnderTest) -> None:
    half.asks("MULTI")
    assert str(half.asks("SET a")).startswith("ERR wrong number")
    assert half.asks("SET a 1") == b"QUEUED"
    assert half.asks("SET foo 1") == b"QUEUED"
    assert half.asks("EXEC") == "EXECABORT Transaction discarded because of previous errors."


def test_unpaired_keys_are_the_commands_business(half: ClusterNodeUnderTest) -> None:
    assert str(half.asks("XREAD STREAMS a b c")).startswith("ERR Unbalanced XREAD list of streams")
    assert str(half.asks("XREAD STREAMS a b c 0 0")).startswith("ERR Unbalanced XREAD list of streams")
    assert half.asks("XREAD STREAMS a c 0 0") == "CROSSSLOT Keys in request don't hash to the same slot"


def test_exec_is_checked_as_a_whole(half: ClusterNodeUnderTest) -> None:
    half.asks("MULTI")
    assert half.asks("SET a 1") == b"QUEUED"
    assert half.asks("SET foo 1") == b"QUEUED"
    assert half.asks("EXEC") == "CROSSSLOT Keys in request don't hash to the same slot"
    assert half.asks("PING") == b"PONG", "the transaction is over"
    half.asks("MULTI")
    half.asks("SET a 1")
    half.state.table.assign(range_of_slots(SLOT_OF_A, SLOT_OF_A), half.other)
    cluster_member.commit(half.server)
    assert half.asks("EXEC") == f"MOVED {SLOT_OF_A} 10.0.0.2:7002"
    assert half.asks("EXEC") == "ERR EXEC without MULTI"


def test_a_cluster_that_is_down_says_why(node: ClusterNodeUnderTest) -> None:
    assert node.asks("GET a") == "CLUSTERDOWN Hash slot not served"
    node.serve(range_of_slots(8192, 16383), 0)
    assert node.asks("GET a") == "CLUSTERDOWN The cluster is down"
    assert node.asks("GET b") == "CLUSTERDOWN Hash slot not served"
    assert node.asks("CONFIG SET cluster-allow-reads-when-down yes") == b"OK"
    assert node.asks("GET a") is None
    assert node.asks("SET a 1") == "CLUSTERDOWN The cluster is down and only accepts read commands"
    assert node.asks("CONFIG SET cluster-require-full-coverage no") == b"OK"
    assert node.asks("SET a 1") == b"OK"


def test_a_replica_moves_all_but_readonly_readers(half: ClusterNodeUnderTest) -> None:
    half.serve(0, ALL_SLOTS)
    assert half.asks(f"CLUSTER REPLICATE {OTHER}") == b"OK"
    moved = f"MOVED {SLOT_OF_A} 10.0.0.2:7002"
    assert half.asks("GET a") == moved
    reader = half.client()
    assert half.asks("READONLY", client=reader) == b"OK"
    assert half.asks("GET a", client=reader) is None
    assert half.asks("SET a 1", client=reader) == moved
    assert half.asks("GET a") == moved, "other clients are not concerned"
    assert half.asks("READWRITE", client=reader) == b"OK"
    assert half.asks("GET a", client=reader) == moved


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("cluster-preferred-endpoint-type hostname", "MOVED 3300 two.example:7002"),
        ("cluster-preferred-endpoint-type unknown-endpoint", "MOVED 3300 :7002"),
        ("cluster-preferred-endpoint-type ip", "MOVED 3300 10.0.0.2:7002"),
    ],
)
def test_the_endpoint_is_of_the_preferred_type(half: ClusterNodeUnderTest, settings: str, expected: str) -> None:
    half.other.hostname = "two.example"
    assert half.asks(f"CONFIG SET {settings}") == b"OK"
    assert half.asks("GET b") == expected


def test_settings_reach_the_machine_at_once(half: ClusterNodeUnderTest) -> None:
    half.other.link = 9
    half.host.effects.clear()
    half.asks("CONFIG SET cluster-announce-hostname one.example cluster-announce-port 7777")
    assert (half.state.myself.hostname, half.state.myself.port) == ("one.example", 7777)
    [sent] = [effect for effect in half.host.effects if isinstance(effect, Send)]
    assert b"hostname=one.example" in sent.data, "the others hear of it"
    half.host.effects.clear()
    half.asks("CONFIG SET external-endpoint out.example:7001")
    [sent] = [effect for effect in half.host.effects if isinstance(effect, Send)]
    assert b"x-external-endpoint=out.example:7001" in sent.data


def test_slots_lists_ranges_with_primaries_and_replicas_that_are_up(half: ClusterNodeUnderTest) -> None:
    replica = half.know(REPLICA_ID, REPLICA, 7003)
    replica.primary_id = OTHER
    me = half.state.myself.id.encode()
    other = [b"10.0.0.2", 7002, OTHER.encode(), []]
    assert half.asks("CLUSTER SLOTS") == [[0, 8191, other], [8192, 16383, [b"", 6379, me, []]]]
    replica.is_synced = True
    replica.hostname = "three.example"
    names = [b"hostname", b"three.example"]
    assert half.asks("CLUSTER SLOTS")[0] == [0, 8191, other, [b"10.0.0.2", 7003, REPLICA_ID.encode(), names]]


def as_map(flat: list[Any]) -> dict[bytes, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_shards_keep_their_id_and_name_their_nodes(half: ClusterNodeUnderTest) -> None:
    replica = half.know(REPLICA_ID, REPLICA, 7003)
    replica.primary_id = OTHER
    replica.shard_id = half.other.shard_id
    half.other.offset = 77
    first, second = [as_map(shard) for shard in half.asks("CLUSTER SHARDS")]
    assert list(first) == [b"slots", b"nodes", b"id"]
    assert (first[b"slots"], first[b"id"]) == ([0, 8191], OTHER.encode())
    primary, follower = [as_map(each) for each in first[b"nodes"]]
    assert primary == {
        b"id": OTHER.encode(),
        b"port": 7002,
        b"ip": b"10.0.0.2",
        b"endpoint": b"10.0.0.2",
        b"role": b"master",
        b"replication-offset": 77,
        b"health": b"online",
    }
    assert (follower[b"role"], follower[b"health"]) == (b"replica", b"loading")
    assert second[b"slots"] == [8192, 16383]
    assert second[b"id"] == half.asks("CLUSTER MYSHARDID")
    replica.is_synced = True
    half.other.flags |= FAIL
    first = as_map(half.asks("CLUSTER SHARDS")[0])
    assert [as_map(each)[b"health"] for each in first[b"nodes"]] == [b"fail", b"online"]


def test_nodes_and_replicas_are_lines(half: ClusterNodeUnderTest) -> None:
    replica = half.know(REPLICA_ID, REPLICA, 7003)
    replica.primary_id = OTHER
    half.other.config_epoch = 5
    me = half.state.myself.id
    lines = half.asks("CLUSTER NODES").decode().splitlines()
    pong = 1000 + half.state.unix_offset_ms
    assert lines == [
        f"{me} :6379@16379 myself,master - 0 0 0 connected 8192-16383",
        f"{OTHER} 10.0.0.2:7002@17002 master - 0 {pong} 5 connected 0-8191",
        f"{REPLICA_ID} 10.0.0.2:7003@17003 slave {OTHER} 0 {pong} 5 connected",
    ]
    assert half.asks(f"CLUSTER REPLICAS {OTHER}") == [lines[2].encode()]
    assert half.asks(f"CLUSTER SLAVES {me}") == []


def test_keys_are_counted_and_listed_by_slot(half: ClusterNodeUnderTest) -> None:
    half.asks("SET a 1")
    half.asks("SET {a}b 1")
    assert half.asks("CLUSTER KEYSLOT {a}b") == SLOT_OF_A
    assert half.asks(f"CLUSTER COUNTKEYSINSLOT {SLOT_OF_A}") == 2
    assert sorted(half.asks(f"CLUSTER GETKEYSINSLOT {SLOT_OF_A} 10")) == [b"a", b"{a}b"]
    assert len(half.asks(f"CLUSTER GETKEYSINSLOT {SLOT_OF_A} 1")) == 1


def test_keys_of_slots_lost_are_deleted(half: ClusterNodeUnderTest) -> None:
    half.asks("SET a 1")
    half.asks("SET foo 1")
    message = [b"PONG", f"id={OTHER} flags=master port=7002 bus=17002 epoch=9 current=9 slots={SLOT_OF_A}".encode()]
    cluster_member.happened(half.server, Received(-1, message, "10.0.0.2", "10.0.0.1"), 1001)
    assert half.asks("GET a") == f"MOVED {SLOT_OF_A} 10.0.0.2:7002"
    assert half.server.keyspace.size() == 1


def test_meet_connects_to_the_bus_port(node: ClusterNodeUnderTest) -> None:
    assert node.asks("CLUSTER MEET 10.0.0.3 7003") == b"OK"
    assert node.asks("CLUSTER MEET 10.0.0.4 7004 9000") == b"OK"
    connects = [(effect.host, effect.port) for effect in node.host.effects if isinstance(effect, Connect)]
    assert connects == [("10.0.0.3", 17003), ("10.0.0.4", 9000)]


def test_out_of_cluster_mode_there_is_no_cluster() -> None:
    plain = Node()
    for line in ("CLUSTER INFO", "CLUSTER KEYSLOT a", "CLUSTER MEET 1.2.3.4 5", "READONLY", "READWRITE"):
        assert plain.asks(line) == "ERR This instance has cluster support disabled"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real primary with all slots and a node that has just met it."""
    require_redis_server()
    with start_redis_server(tmp_path_factory.mktemp("redis"), "--cluster-enabled", "yes") as server:
        server.call("CLUSTER", "ADDSLOTSRANGE", 0, 99)
        yield server


def ours() -> ClusterNodeUnderTest:
    node = ClusterNodeUnderTest()
    del node.state.nodes[OTHER]
    node.serve(range_of_slots(0, 99), 0)
    return node


@pytest.mark.parametrize(
    "line",
    [
        "CLUSTER",
        "CLUSTER NONSENSE",
        "CLUSTER MEET",
        "CLUSTER MEET 127.0.0.1 x",
        "CLUSTER MEET 127.0.0.1 7000 x",
        "CLUSTER MEET 127.0.0.1 0",
        "CLUSTER MEET 127.0.0.1 70000",
        "CLUSTER MEET no/where 7000",
        "CLUSTER ADDSLOTS",
        "CLUSTER ADDSLOTS 5",
        "CLUSTER ADDSLOTS 16384",
        "CLUSTER ADDSLOTS x",
        "CLUSTER ADDSLOTS 200 200",
        "CLUSTER ADDSLOTSRANGE 5 1",
        "CLUSTER ADDSLOTSRANGE 1 2 3",
        "CLUSTER ADDSLOTSRANGE 90 110",
        "CLUSTER DELSLOTS 100",
        "CLUSTER DELSLOTS -1",
        "CLUSTER DELSLOTS 1 1",
        "CLUSTER DELSLOTSRANGE 90 110",
        "CLUSTER DELSLOTSRANGE 9 1",
        "CLUSTER COUNTKEYSINSLOT 16384",
        "CLUSTER COUNTKEYSINSLOT x",
        "CLUSTER COUNTKEYSINSLOT 5",
        "CLUSTER GETKEYSINSLOT 5 -1",
        "CLUSTER GETKEYSINSLOT 5 3",
        "CLUSTER GETKEYSINSLOT -5 1",
        "CLUSTER KEYSLOT {a}b",
        "CLUSTER KEYSLOT",
        f"CLUSTER FORGET {OTHER}",
        f"CLUSTER REPLICATE {OTHER}",
        f"CLUSTER REPLICAS {OTHER}",
        f"CLUSTER COUNT-FAILURE-REPORTS {OTHER}",
        "CLUSTER FAILOVER",
        "CLUSTER FAILOVER NOW",
        "CLUSTER FAILOVER FORCE",
        "CLUSTER FAILOVER TAKEOVER",
        "CLUSTER FAILOVER FORCE 1",
        "CLUSTER FAILOVER NOW 1",
        "CLUSTER FAILOVER TAKEOVER 1 2",
        "CLUSTER SET-CONFIG-EPOCH x",
        "CLUSTER SET-CONFIG-EPOCH -1",
        "CLUSTER RESET SOMEHOW",
        "CLUSTER RESET HARD SOFT",
        "CLUSTER SLOTS 1",
        "CLUSTER SAVECONFIG",
        "CLUSTER LINKS",
        "SELECT 1",
        "SELECT 0",
        "READONLY x",
        "REPLICAOF 127.0.0.1 1",
    ],
)
def test_replies_are_those_of_redis(redis: ServerProcess, line: str) -> None:
    expected = redis.call(*line.split())
    assert ours().asks(line) == (str(expected) if isinstance(expected, Exception) else expected)


def test_epochs_are_bumped_as_redis_does(redis: ServerProcess) -> None:
    node = ours()
    for line in ("CLUSTER BUMPEPOCH", "CLUSTER BUMPEPOCH", "CLUSTER SET-CONFIG-EPOCH 5"):
        expected = redis.call(*line.split())
        assert node.asks(line) == (str(expected) if isinstance(expected, Exception) else expected)


def test_help_is_that_of_redis_but_for_our_own(redis: ServerProcess) -> None:
    theirs = redis.call("CLUSTER", "HELP")
    mine = ours().asks("CLUSTER HELP")
    changed = {b"FAILOVER [FORCE|TAKEOVER]"}
    setslot = [line for line in theirs if line.startswith((b"SETSLOT", b"    Set slot state"))]
    assert [line for line in theirs if line not in mine] == [*changed, *setslot]


def test_info_has_the_fields_of_redis(redis: ServerProcess) -> None:
    theirs = redis.call("CLUSTER", "INFO").decode()
    mine = ours().asks("CLUSTER INFO").decode()
    assert [line.partition(":")[0] for line in mine.splitlines()] == [
        line.partition(":")[0] for line in theirs.splitlines()
    ]


def test_random_names_differ() -> None:
    source = random.Random(7)
    names = {new_id(source) for _ in range(100)}
    assert len(names) == 100
    assert all(is_id(name) for name in names)


def test_two_real_nodes_describe_a_failure_as_we_do(tmp_path: Path) -> None:
    """CLUSTER SHARDS of redis-server 7.0 says `fail`, whatever its documentation says."""
    require_redis_server()
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "300"]
    servers = [start_redis_server(tmp_path, *options) for _ in range(3)]
    try:
        for number, server in enumerate(servers):
            server.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            server.call("CLUSTER", "ADDSLOTSRANGE", number * 5000, number * 5000 + 4999)
        for server in servers[1:]:
            server.call("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
        wait_until(lambda: len(servers[0].call("CLUSTER", "SLOTS")) == 3, 10, "the nodes to meet")
        wait_until(
            lambda: all(b"cluster_size:3" in each.call("CLUSTER", "INFO") for each in servers), 10, "all to know"
        )
        servers[2].kill()

        def healths() -> set[bytes]:
            shards = [as_map(shard) for shard in call(servers[0].port, "CLUSTER", "SHARDS")]
            return {as_map(each)[b"health"] for shard in shards for each in shard[b"nodes"]}

        assert wait_until(lambda: healths() - {b"online"}, 10, "the failure to be seen") == {b"fail"}
    finally:
        for server in servers:
            server.kill()
