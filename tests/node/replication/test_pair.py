"""Two or three nodes that replicate from each other, without any I/O."""

import random

import pytest

from tests.node.replication.pair import Link, Node, synchronized
from trivet_node.client import CLOSE_AFTER_REPLY, CLOSE_NOW, CLOSING
from trivet_node.replication.handshake import FULL
from trivet_node.replication.upstream import CONNECTED
from trivet_node.server.replicating import sync
from trivet_wire.replies import encode_command

WRITES: list[tuple[str, ...]] = [
    ("SET", "a", "1"),
    ("SET", "b", "2", "PX", "100000"),
    ("SELECT", "3"),
    ("SET", "c", "3"),
    ("MULTI",),
    ("SET", "d", "4"),
    ("SET", "e", "5", "EX", "100"),
    ("EXEC",),
    ("INCR", "c"),
    ("APPEND", "d", "more"),
    ("SELECT", "0"),
    ("DEL", "a"),
    ("GETEX", "b", "PERSIST"),
    ("SET", "a", "again"),
    ("INCRBYFLOAT", "f", "1.5"),
]


@pytest.mark.parametrize("step", [1, 2, 3, 11, 1 << 30])
def test_full_synchronization_and_the_stream_in_any_fragments(step: int) -> None:
    primary, replica = Node("p"), Node("r")
    replica.do("SET", "old", "data")
    for words in WRITES[:8]:
        primary.do(*words)
    link = Link(replica, primary, step)
    assert link.outcome == FULL
    # Written while the snapshot is on its way.
    for words in WRITES[8:12]:
        primary.do(*words)
    assert replica.do("GET", "old") == b"$4\r\ndata\r\n"
    primary.finish_snapshot()
    link.receive_snapshot()
    for words in WRITES[12:]:
        primary.do(*words)
    link.pump()
    assert replica.dump() == primary.dump()
    assert replica.field("slave_repl_offset") == primary.field("master_repl_offset")
    assert replica.field("master_replid") == primary.field("master_replid")
    assert replica.field("master_link_status") == "up"


def test_two_replicas_share_a_snapshot() -> None:
    primary, first, second = Node("p"), Node("r"), Node("s")
    primary.do("SET", "a", "1")
    one = Link(first, primary)
    primary.do("SET", "b", "2")
    two = Link(second, primary)
    primary.do("SET", "c", "3")
    primary.finish_snapshot()
    for link in (one, two):
        link.receive_snapshot()
        link.pump()
    assert first.dump() == second.dump() == primary.dump()
    assert int(primary.server.stats.full_syncs) == 2
    assert primary.field("connected_slaves") == "2"


def test_replicas_wait_while_no_snapshot_can_be_taken() -> None:
    primary, replica = Node("p"), Node("r")
    primary.host.can_fork = False
    far = primary.server.add_client("1.1.1.1:1", "1.1.1.1:2")
    primary.engine.feed(far, b"PSYNC ? -1\r\n")
    primary.do("SET", "a", "1")
    primary.tick(1100)
    # Only signs of life so far.
    assert far.reply.take() == b"\n"
    primary.host.can_fork = True
    primary.tick(100)
    assert far.reply.take().startswith(b"+FULLRESYNC " + primary.field("master_replid").encode())
    assert replica.dump() == {}


def test_a_failed_snapshot_closes_those_who_waited() -> None:
    primary, replica = Node("p"), Node("r")
    link = Link(replica, primary)
    assert sync.snapshot_ended(primary.server, succeeded=False) == []
    assert link.far.flags & CLOSING
    primary.reap()
    assert primary.field("connected_slaves") == "0"


@pytest.mark.parametrize("lost", [0, 1, 5, 27, 28, 60, 100])
def test_partial_resynchronization_wherever_the_link_breaks(lost: int) -> None:
    primary, replica = Node("p"), Node("r")
    link = synchronized(replica, primary)
    for words in WRITES:
        primary.do(*words)
    link.pump(limit=lost)
    link.cut()
    assert replica.field("master_link_status") == "down"
    primary.do("SET", "while", "away")
    again = Link(replica, primary, step=3)
    assert again.outcome != FULL
    again.pump()
    assert replica.dump() == primary.dump()
    assert replica.field("slave_repl_offset") == primary.field("master_repl_offset")
    assert int(primary.server.stats.partial_syncs_accepted) == 1
    assert int(primary.server.stats.full_syncs) == 1


def test_too_long_away_is_a_full_synchronization() -> None:
    primary, replica = Node("p", repl_backlog_size=16384), Node("r")
    synchronized(replica, primary).cut()
    refused = int(primary.server.stats.partial_syncs_refused)
    primary.do("SET", "a", "x" * 20_000)
    assert Link(replica, primary).outcome == FULL
    assert int(primary.server.stats.partial_syncs_refused) == refused + 1


def test_a_transaction_cut_in_the_middle_comes_again_whole() -> None:
    primary, replica = Node("p"), Node("r")
    link = synchronized(replica, primary)
    for words in (("MULTI",), ("SET", "a", "1"), ("SET", "b", "2"), ("EXEC",)):
        primary.do(*words)
    stream = len(link.far.reply)
    link.pump(limit=stream - 5)
    assert replica.dump() == {}
    link.cut()
    again = Link(replica, primary)
    assert again.outcome != FULL
    again.pump()
    assert replica.dump() == primary.dump()
    assert len(replica.dump()) == 2


def test_the_other_replica_continues_with_the_promoted_one() -> None:
    primary, first, second = Node("p"), Node("r"), Node("s")
    links = [synchronized(first, primary), synchronized(second, primary)]
    primary.do("SET", "a", "1")
    for link in links:
        link.pump()
        link.cut()
    old_id = first.field("master_replid")
    assert first.do("REPLICAOF", "NO", "ONE") == b"+OK\r\n"
    assert first.field("role") == "master"
    assert first.field("master_replid2") == old_id
    assert first.field("master_replid") != old_id
    assert int(first.field("second_repl_offset")) == int(first.field("master_repl_offset")) + 1
    first.do("SET", "b", "2")
    again = Link(second, first)
    assert again.outcome != FULL
    again.pump()
    assert second.dump() == first.dump()
    assert second.field("master_replid") == first.field("master_replid")
    # The old primary wrote nothing that its replica did not have, so it continues as well.
    back = Link(primary, first)
    assert back.outcome != FULL
    back.pump()
    assert primary.dump() == first.dump()


def test_a_primary_that_led_for_a_moment_goes_back_to_where_it_came_from() -> None:
    primary, replica = Node("p"), Node("r")
    primary.do("SET", "a", "1")
    synchronized(replica, primary).cut()
    replica.do("REPLICAOF", "NO", "ONE")
    back = Link(replica, primary)
    assert back.outcome != FULL
    back.cut()
    replica.do("REPLICAOF", "NO", "ONE")
    replica.do("SET", "b", "2")
    assert Link(replica, primary).outcome == FULL


def test_the_database_that_the_stream_has_selected_is_never_forgotten() -> None:
    primary, middle, last = Node("p"), Node("m"), Node("z")
    upper, lower = synchronized(middle, primary), synchronized(last, middle)
    primary.do("SELECT", "5")

    def write(key: str) -> None:
        # The stream says its database once only.
        primary.do("SET", key, "1")
        for link in (upper, lower):
            link.pump()
        assert last.dump().keys() == {(5, name.encode()) for name in keys}

    keys = ["first"]
    write("first")
    for change in ("other primary", "back", "lead for a moment", "broken link"):
        keys.append(change)
        if change == "lead for a moment":
            last.do("REPLICAOF", "NO", "ONE")
        lower.cut()
        lower = Link(last, primary if change == "other primary" else middle)
        assert lower.outcome != FULL
        write(change)


def test_how_long_the_link_is_down_outlives_a_change_of_primary() -> None:
    primary, replica = Node("p"), Node("r")
    replica.do("REPLICAOF", "nobody", "1")
    assert replica.field("master_link_down_since_seconds") == "-1"
    synchronized(replica, primary)
    replica.do("REPLICAOF", "nobody", "1")
    replica.tick(3000)
    replica.do("REPLICAOF", "nobody", "2")
    replica.tick(2000)
    assert replica.field("master_link_down_since_seconds") == "5"


def test_an_old_primary_with_writes_of_its_own_gives_them_up() -> None:
    primary, replica = Node("p"), Node("r")
    synchronized(replica, primary).cut()
    primary.do("SET", "never", "replicated")
    replica.do("REPLICAOF", "NO", "ONE")
    replica.do("SET", "new", "history")
    back = synchronized(primary, replica)
    assert back.outcome == FULL
    assert primary.dump() == replica.dump()
    assert primary.do("GET", "never") == b"$-1\r\n"


@pytest.mark.parametrize("step", [1, 5, 1 << 30])
def test_a_chain_passes_the_stream_on_byte_for_byte(step: int) -> None:
    primary, middle, last = Node("p"), Node("m"), Node("z")
    upper = synchronized(middle, primary, step)
    lower = synchronized(last, middle, step)
    for words in WRITES:
        primary.do(*words)
        upper.pump()
        lower.pump()
    assert last.dump() == middle.dump() == primary.dump()
    assert last.field("master_repl_offset") == primary.field("master_repl_offset")
    backlogs = [node.server.replication.backlog for node in (primary, middle, last)]
    streams = [backlog.since(backlog.first_offset()) for backlog in backlogs if backlog is not None]
    assert streams[0].endswith(streams[1])
    assert streams[1].endswith(streams[2])
    # The middle one may go: the last one continues with the primary itself.
    lower.cut()
    primary.do("SET", "z", "z")
    direct = Link(last, primary)
    assert direct.outcome != FULL
    direct.pump()
    assert last.dump() == primary.dump()


def test_a_replica_refuses_to_serve_until_it_is_served() -> None:
    replica, other = Node("r"), Node("o")
    replica.do("REPLICAOF", "p", "6379")
    assert replica.do("PSYNC", "?", "-1").startswith(b"-NOMASTERLINK")
    assert other.do("PSYNC", "?", "abc") == b"-ERR value is not an integer or out of range\r\n"


def test_wait_is_served_by_acknowledgements() -> None:
    primary, replica = Node("p"), Node("r")
    assert primary.do("WAIT", "0", "0") == b":0\r\n"
    link = synchronized(replica, primary)
    primary.do("SET", "a", "1")
    assert primary.do("WAIT", "1", "0") == b""
    # Requests behind WAIT wait with it.
    primary.engine.feed(primary.client, encode_command([b"GET", b"a"]))
    assert primary.client.reply.take() == b""
    link.pump()
    assert primary.client.reply.take() == b":1\r\n$1\r\n1\r\n"
    # What is acknowledged already is answered at once.
    assert primary.do("WAIT", "1", "0") == b":1\r\n"


def test_wait_gives_up_in_time() -> None:
    primary, replica = Node("p"), Node("r")
    link = synchronized(replica, primary)
    primary.do("SET", "a", "1")
    assert primary.do("WAIT", "2", "250") == b""
    link.pump()
    primary.tick(200)
    assert primary.client.reply.take() == b""
    primary.tick(100)
    assert primary.client.reply.take() == b":1\r\n"
    assert primary.do("GET", "a") == b"$1\r\n1\r\n"


def test_wait_ends_when_the_primary_becomes_a_replica() -> None:
    primary, replica = Node("p"), Node("r")
    synchronized(replica, primary)
    primary.do("SET", "a", "1")
    assert primary.do("WAIT", "2", "0") == b""
    other = primary.server.add_client("127.0.0.1:9", "127.0.0.1:2")
    primary.engine.feed(other, encode_command([b"REPLICAOF", b"x", b"1"]))
    assert primary.client.reply.take().startswith(b"-UNBLOCKED ")
    assert primary.client.flags & CLOSE_AFTER_REPLY
    primary.engine.feed(other, encode_command([b"WAIT", b"0", b"0"]))
    assert b"-ERR WAIT cannot be used with replica instances." in other.reply.take()


def test_wait_in_a_transaction_does_not_block() -> None:
    primary = Node("p")
    primary.do("MULTI")
    primary.do("WAIT", "1", "0")
    assert primary.do("EXEC") == b"*1\r\n:0\r\n"


def test_writes_need_good_replicas() -> None:
    primary = Node("p", min_replicas_to_write=1, min_replicas_max_lag=10)
    replica = Node("r")
    primary.tick(100)
    assert primary.do("SET", "a", "1").startswith(b"-NOREPLICAS")
    link = synchronized(replica, primary)
    assert primary.do("SET", "a", "1") == b"+OK\r\n"
    assert primary.field("min_slaves_good_slaves") == "1"
    primary.tick(12_000)
    assert primary.do("SET", "a", "1").startswith(b"-NOREPLICAS")
    link.pump()
    replica.tick(2000)
    link.pump()
    assert primary.do("SET", "a", "1") == b"+OK\r\n"
    link.cut()
    primary.tick(1100)
    assert primary.do("SET", "a", "1").startswith(b"-NOREPLICAS")


def test_stale_data_may_be_refused() -> None:
    replica = Node("r", replica_serve_stale_data=False)
    replica.do("REPLICAOF", "p", "1")
    assert replica.do("GET", "a").startswith(b"-MASTERDOWN")
    assert replica.do("REPLICAOF", "NO", "ONE") == b"+OK\r\n"
    assert replica.do("GET", "a") == b"$-1\r\n"


def test_a_replica_hides_expired_keys_until_its_primary_deletes_them() -> None:
    primary, replica = Node("p"), Node("r")
    link = synchronized(replica, primary)
    primary.do("SET", "a", "1", "PX", "50")
    link.pump()
    replica.tick(100)
    assert replica.do("GET", "a") == b"$-1\r\n"
    assert len(replica.dump()) == 1
    primary.tick(100)
    link.pump()
    assert replica.dump() == primary.dump() == {}


def test_silence_ends_a_link_on_both_sides() -> None:
    primary, replica = Node("p", repl_timeout=10), Node("r", repl_timeout=10)
    link = synchronized(replica, primary)
    primary.tick(12_000)
    assert link.far.flags & CLOSE_NOW
    replica.tick(12_000)
    assert link.near is not None
    assert link.near.flags & CLOSE_NOW


def test_pings_and_acknowledgements_keep_a_link_alive() -> None:
    primary, replica = Node("p", repl_timeout=10), Node("r", repl_timeout=10)
    link = synchronized(replica, primary)
    for _ in range(60):
        primary.tick(1000)
        replica.tick(1000)
        link.pump()
    assert replica.field("master_link_status") == "up"
    assert primary.field("slave0").endswith(",lag=0")
    assert primary.field("slave0").startswith("ip=10.0.0.114,port=7000,state=online,offset=")


def test_the_backlog_is_freed_when_nobody_comes_back() -> None:
    primary, replica = Node("p", repl_backlog_ttl=5), Node("r")
    synchronized(replica, primary).cut()
    old_id = primary.field("master_replid")
    primary.tick(4000)
    assert primary.field("repl_backlog_active") == "1"
    primary.tick(2000)
    assert primary.field("repl_backlog_active") == "0"
    # Writes are no longer counted, so the old id must not be continued.
    assert primary.field("master_replid") != old_id
    assert Link(replica, primary).outcome == FULL


def test_only_the_link_to_the_primary_writes_on_a_replica() -> None:
    primary, replica = Node("p"), Node("r")
    link = synchronized(replica, primary)
    assert replica.do("SET", "a", "1").startswith(b"-READONLY")
    primary.do("SET", "a", "2")
    link.pump()
    assert replica.do("GET", "a") == b"$1\r\n2\r\n"
    upstream = replica.server.replication.upstream
    assert upstream is not None
    assert upstream.state == CONNECTED


def test_role() -> None:
    primary, replica = Node("p"), Node("r")
    assert primary.do("ROLE") == b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
    replica.do("REPLICAOF", "p", "6379")
    assert replica.do("ROLE") == b"*5\r\n$5\r\nslave\r\n$1\r\np\r\n:6379\r\n$7\r\nconnect\r\n:-1\r\n"
    synchronized(replica, primary).pump()
    assert replica.do("ROLE") == b"*5\r\n$5\r\nslave\r\n$1\r\np\r\n:6379\r\n$9\r\nconnected\r\n:0\r\n"


@pytest.mark.parametrize("seed", range(15))
def test_random_writes_and_broken_links_end_equal(seed: int) -> None:
    choice = random.Random(seed)
    nodes = [Node(name, repl_backlog_size=16384) for name in "pqr"]
    primary = nodes[0]
    links = [synchronized(node, primary, choice.choice((1, 7, 1 << 30))) for node in nodes[1:]]
    for _ in range(300):
        action = choice.random()
        key = f"k{choice.randrange(30)}"
        if action < 0.6:
            primary.do("SET", key, "v" * choice.choice((1, 10, 1000)), "PX", str(choice.randint(1, 5000)))
        elif action < 0.75:
            primary.do(
                *choice.choice([("INCR", "n"), ("DEL", key), ("SELECT", str(choice.randrange(4))), ("GET", key)])
            )
        elif action < 0.9:
            choice.choice(links).pump(choice.choice((None, 3, 50, 500)))
            for node in nodes:
                node.tick(choice.randrange(200))
        else:
            index = choice.randrange(len(links))
            replica = links[index].replica
            links[index].cut()
            links[index] = synchronized(replica, primary)
    for link in links:
        if link.replica.field("master_link_status") == "up" and link.far.id in primary.server.clients:
            link.cut()
        synchronized(link.replica, primary)
    assert all(node.dump() == primary.dump() for node in nodes)
    assert len({node.field("master_repl_offset") for node in nodes}) == 1


@pytest.mark.parametrize("kind", ["WRITE", "ALL"])
@pytest.mark.parametrize("step", [1, 7, 1 << 30])
def test_a_replica_that_is_paused_applies_the_stream_afterwards(step: int, kind: str) -> None:
    primary, replica = Node("p"), Node("r")
    link = synchronized(replica, primary, step)
    for words in WRITES[:6]:
        primary.do(*words)
    link.pump()
    before = replica.dump()
    replica.do("CLIENT", "PAUSE", "1000", kind)
    for words in WRITES[6:]:
        primary.do(*words)
    link.pump()
    assert replica.dump() == before
    replica.tick(1001)
    assert replica.dump() == primary.dump()
    link.pump()
    assert replica.field("slave_repl_offset") == primary.field("master_repl_offset")
    primary.do("SET", "x", "1")
    link.pump()
    assert replica.dump() == primary.dump()


@pytest.mark.parametrize("wrap", [(), ("MULTI", "EXEC")])
def test_what_flushall_saves_belongs_to_its_place_in_the_stream(wrap: tuple[str, ...]) -> None:
    primary, replica = Node("p"), Node("r")
    link = synchronized(replica, primary)
    primary.do("SET", "a", "1")
    for words in (
        ([wrap[0]], ["SET", "b", "1"], ["FLUSHALL"], ["SET", "c", "1"], [wrap[1]]) if wrap else (["FLUSHALL"],)
    ):
        primary.do(*words)
    link.pump()
    for node in (primary, replica):
        again = Node("again")
        again.load(node.host.saved)
        assert again.dump() == node.dump()
        assert again.server.replication.history.offset == int(primary.field("master_repl_offset"))
