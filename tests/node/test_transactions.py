"""MULTI, EXEC, WATCH: what spoils, breaks and ends a transaction."""

import pytest

from tests.node.engines import Node
from trivet_node.client import IN_TRANSACTION
from trivet_node.server.state import CHECK_READ_ONLY
from trivet_wire.connection import encode_request

ABORTED = "EXECABORT Transaction discarded because of previous errors."


def begin(node: Node, *watched: str) -> None:
    if watched:
        node.ask("WATCH", *watched)
    node.asks("MULTI")


def test_commands_run_together_at_exec() -> None:
    node = Node()
    other = node.client()
    begin(node)
    assert node.asks("INCR k") == b"QUEUED"
    assert node.asks("GET k", client=other) is None
    assert node.asks("GET k") == b"QUEUED"
    assert node.asks("EXEC") == [1, b"1"]
    assert node.asks("EXEC") == "ERR EXEC without MULTI"


def test_a_failing_command_does_not_stop_the_others() -> None:
    node = Node()
    node.asks("SET text x")
    rows = [node.server.table[b"exec"], node.server.table[b"incr"]]
    failed = [row.failed_calls for row in rows]
    begin(node)
    for request in ("SET a 1", "INCR text", "SET b 2"):
        node.asks(request)
    assert [str(reply) for reply in node.asks("EXEC")] == [
        "b'OK'",
        "ERR value is not an integer or out of range",
        "b'OK'",
    ]
    assert [row.failed_calls - before for row, before in zip(rows, failed, strict=True)] == [0, 1]
    assert node.server.stats.error_replies == 1


@pytest.mark.parametrize("wrong", ["NOSUCH", "GET", "OBJECT NOSUCH k", "SET k"])
def test_a_refused_command_spoils_the_transaction(wrong: str) -> None:
    node = Node()
    begin(node, "k")
    node.asks("SET k 1")
    assert str(node.asks(wrong)).startswith("ERR ")
    assert node.asks("EXEC") == ABORTED
    assert node.asks("EXISTS k") == 0
    assert not node.database.watches


@pytest.mark.parametrize("wrong", ["MULTI", "WATCH k"])
def test_what_is_wrong_inside_but_spoils_nothing(wrong: str) -> None:
    node = Node()
    begin(node)
    node.asks("SET k 1")
    assert str(node.asks(wrong)).startswith("ERR ")
    assert node.asks("EXEC") == [b"OK"]


def test_an_exec_that_is_refused_ends_the_transaction() -> None:
    node = Node()
    begin(node, "k")
    node.asks("SET k 1")
    assert node.asks("EXEC now") == (
        "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"
    )
    assert node.first.flags & IN_TRANSACTION == 0
    assert not node.database.watches
    assert node.asks("EXISTS k") == 0


def test_a_node_that_became_a_replica_refuses_queued_writes() -> None:
    node = Node()
    begin(node)
    node.asks("SET k 1")
    node.server.checks |= CHECK_READ_ONLY
    assert node.asks("EXEC") == (
        "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica."
    )
    begin(node)
    node.asks("GET k")
    assert node.asks("EXEC") == [None]


@pytest.mark.parametrize(
    "change",
    ["SET k 2", "DEL k", "EXPIRE k 100", "APPEND k x", "RENAME k other", "RENAME new k", "FLUSHALL", "MOVE k 1"],
)
def test_a_change_by_another_client_breaks_it(change: str) -> None:
    node = Node()
    node.asks("MSET k 1 new 1")
    begin(node, "k")
    node.asks("GET new")
    node.asks(change, client=node.client())
    assert node.asks("EXEC") is None
    begin(node)
    assert node.asks("EXEC") == [], "the next transaction starts afresh"


@pytest.mark.parametrize(
    "look", ["GET k", "SETNX k 2", "PERSIST k", "EXPIRE none 1", "DEL none", "SET k 2 NX", "TOUCH k"]
)
def test_what_changes_nothing_breaks_nothing(look: str) -> None:
    node = Node()
    node.asks("SET k 1")
    begin(node, "k", "none")
    node.asks("GET k")
    node.asks(look, client=node.client())
    assert node.asks("EXEC") == [b"1"]


def test_own_changes_before_multi_count_as_well() -> None:
    node = Node()
    node.asks("WATCH k")
    node.asks("SET k 1")
    node.asks("MULTI")
    assert node.asks("EXEC") is None


@pytest.mark.parametrize("forget", ["UNWATCH", "DISCARD", "EXEC"])
def test_watches_end(forget: str) -> None:
    node = Node()
    begin(node, "k")
    if forget == "UNWATCH":
        node.asks("DISCARD")
        node.asks("WATCH k")
    node.asks(forget)
    assert not node.database.watches
    node.asks("SET k 1", client=node.client())
    begin(node)
    assert node.asks("EXEC") == []


def test_a_watched_key_that_expires_breaks_it() -> None:
    node = Node()
    node.asks("SET k 1 PX 10")
    begin(node, "k")
    node.asks("PING")
    node.wait(11)
    assert node.asks("EXEC") is None


def test_a_key_that_was_expired_when_watched_may_be_deleted() -> None:
    node = Node()
    node.asks("SET k 1 PX 10")
    node.wait(11)
    begin(node, "k")
    assert node.asks("GET k", client=node.client()) is None
    node.asks("PING")
    assert node.asks("EXEC") == [b"PONG"]


def test_a_watch_belongs_to_its_database() -> None:
    node = Node()
    other = node.client()
    node.asks("SELECT 1", client=other)
    begin(node, "k")
    node.asks("SET k 1", client=other)
    assert node.asks("EXEC") == []
    begin(node, "k")
    node.asks("SWAPDB 0 1", client=other)
    assert node.asks("EXEC") is None


def test_a_client_that_leaves_takes_its_watches_along() -> None:
    node = Node()
    client = node.client()
    node.asks("WATCH a b", client=client)
    node.server.remove_client(client)
    assert not node.database.watches


def test_select_inside_a_transaction() -> None:
    node = Node()
    begin(node)
    for request in ("SELECT 2", "SET k 1", "SELECT 0", "EXISTS k"):
        node.asks(request)
    assert node.asks("EXEC") == [b"OK", b"OK", b"OK", 0]
    assert node.keyspace.database(2).find(b"k") == 1


def test_a_watched_key_that_is_deleted_when_its_time_is_over_breaks_it() -> None:
    node = Node()
    node.asks("SET k 1 PX 10")
    node.asks("SET old 1 PX 1")
    node.wait(5)
    other = node.client()
    node.asks("WATCH old", client=other)
    begin(node, "k")
    node.engine.tick(int(node.keyspace.now_ms) + 11)
    assert node.keyspace.size() == 0
    assert node.asks("EXEC") is None
    node.asks("MULTI", client=other)
    assert node.asks("EXEC", client=other) == []


def test_a_client_that_dies_in_its_transaction_leaves_nothing() -> None:
    node = Node()
    client = node.client()
    for request in ("WATCH k", "MULTI", "SET k 1", "SUBSCRIBE c"):
        node.asks(request, client=client)
    node.server.remove_client(client)
    assert not node.database.watches
    assert node.asks("EXISTS k") == 0
    assert node.asks("PUBLISH c x") == 0


def test_a_client_that_is_killed_by_its_own_transaction_is_answered() -> None:
    node = Node()
    begin(node)
    for request in (f"CLIENT KILL ID {node.first.id} SKIPME no", "SET k 1"):
        node.asks(request)
    assert node.asks("EXEC") == [1, b"OK"]
    assert node.first.is_closing()


def test_exec_waits_for_nobody_and_is_over_before_others_are_served() -> None:
    node = Node()
    waiting = node.client()
    node.send(waiting, encode_request(["BLPOP", "l", "0"]))
    begin(node)
    for request in ("BLPOP none 0", "RPUSH l a", "LLEN l"):
        node.asks(request)
    assert node.asks("EXEC") == [None, 1, 1]
    assert node.replies(waiting.reply.take()) == [[b"l", b"a"]]
