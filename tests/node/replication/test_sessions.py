"""What clients of a replica notice of its primary: broken watches, refused transactions, published messages."""

import pytest

from tests.node.replication.pair import Node, synchronized
from trivet_wire.replies import encode_command

BROKEN = b"*-1\r\n"
READ_ONLY = b"-EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.\r\n"
NO_PRIMARY = (
    b"-EXECABORT Transaction discarded because of: MASTERDOWN Link with MASTER is down and replica-serve-stale-data is "
    b"set to 'no'.\r\n"
)


def execute(node: Node, *request: str) -> bytes:
    """Run a transaction of one request, PING if none is given, and return the reply to EXEC."""
    node.do("MULTI")
    node.do(*(request or ("PING",)))
    return node.do("EXEC")


def test_what_the_primary_changes_breaks_watches_on_its_replica() -> None:
    replica, primary = Node("R"), Node("P")
    primary.do("SET", "k", "1")
    link = synchronized(replica, primary)
    replica.do("WATCH", "k", "none")
    primary.do("SET", "other", "1")
    link.pump()
    assert execute(replica) == b"*1\r\n+PONG\r\n"
    for change in (("SET", "k", "2"), ("DEL", "k"), ("FLUSHALL",), ("SET", "none", "1")):
        primary.do("SETNX", "k", "1")
        link.pump()
        replica.do("WATCH", "k", "none")
        primary.do(*change)
        link.pump()
        assert execute(replica) == BROKEN, change


def test_a_watched_key_that_the_primary_deletes_because_its_time_is_over() -> None:
    replica, primary = Node("R"), Node("P")
    link = synchronized(replica, primary)
    primary.do("SET", "k", "1", "PX", "50")
    link.pump()
    replica.do("WATCH", "k")
    for node in (replica, primary):
        node.server.keyspace.now_ms += 51
    assert execute(replica) == BROKEN, "it has expired before anybody deletes it"
    replica.do("WATCH", "k")
    primary.do("GET", "k")
    link.pump()
    assert not replica.dump()
    assert execute(replica) == b"*1\r\n+PONG\r\n", "it was missing before"


@pytest.mark.parametrize("key", ["k", "new", "none"])
def test_a_full_synchronization_breaks_the_watches_on_keys_that_are_or_were_there(key: str) -> None:
    replica, primary = Node("R"), Node("P")
    replica.do("SET", "k", "1")
    primary.do("SET", "new", "1")
    replica.do("WATCH", key)
    synchronized(replica, primary)
    assert execute(replica) == (b"*1\r\n+PONG\r\n" if key == "none" else BROKEN)


def test_a_transaction_that_was_begun_before_the_node_became_a_replica() -> None:
    node = Node("P")
    for request in (("MULTI",), ("SET", "k", "1")):
        node.do(*request)
    other = node.server.add_client("127.0.0.1:3", "127.0.0.1:2")
    node.engine.feed(other, encode_command([b"REPLICAOF", b"P", b"6379"]))
    assert node.do("EXEC") == READ_ONLY
    assert node.do("EXEC") == b"-ERR EXEC without MULTI\r\n"
    assert execute(node, "GET", "k") == b"*1\r\n$-1\r\n"


def test_a_transaction_that_needs_data_is_refused_where_stale_data_is() -> None:
    node = Node("R")
    node.do("MULTI")
    node.do("GET", "k")
    other = node.server.add_client("127.0.0.1:3", "127.0.0.1:2")
    node.server.config.replica_serve_stale_data = False
    node.engine.feed(other, encode_command([b"REPLICAOF", b"P", b"6379"]))
    assert node.do("EXEC") == NO_PRIMARY
    assert execute(node, "PUBLISH", "a", "x") == b"*1\r\n:0\r\n"
    assert execute(node, "GET", "k") == b"-EXECABORT Transaction discarded because of previous errors.\r\n"


def test_those_who_listen_at_a_replica_hear_what_is_published_at_its_primary() -> None:
    replica, primary = Node("R"), Node("P")
    link = synchronized(replica, primary)
    replica.do("SUBSCRIBE", "a")
    replica.do("SSUBSCRIBE", "s")
    primary.do("PUBLISH", "a", "1")
    primary.do("SPUBLISH", "s", "2")
    primary.do("MULTI")
    primary.do("PUBLISH", "a", "3")
    primary.do("EXEC")
    link.pump()
    heard = [(b"message", b"a", b"1"), (b"smessage", b"s", b"2"), (b"message", b"a", b"3")]
    assert replica.client.reply.take() == b"".join(encode_command(list(message)) for message in heard)


def test_what_is_published_at_a_replica_stays_there() -> None:
    replica, primary = Node("R"), Node("P")
    link = synchronized(replica, primary)
    primary.do("SUBSCRIBE", "a")
    assert replica.do("PUBLISH", "a", "x") == b":0\r\n"
    link.pump()
    assert primary.client.reply.take() == b""
    assert replica.server.replication.history.offset == primary.server.replication.history.offset
