"""The end of a node: replicas get everything first, and nothing enters the stream behind the snapshot."""

import pytest

from tests.node.replication.pair import Link, Node, synchronized
from trivet_node.client import BLOCKED
from trivet_node.replication.handshake import FULL
from trivet_node.server import shutting_down
from trivet_wire.replies import encode_command

PING = encode_command([b"PING"])
FAILED = b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n"


def offset(node: Node) -> int:
    return int(node.field("master_repl_offset"))


def lagging(**settings: int) -> tuple[Node, Link]:
    """Return a primary and the link of a replica that lacks a key, which expires after half a second."""
    primary = Node("p", **settings)
    link = synchronized(Node("r"), primary)
    primary.do("SET", "a", "1", "PX", "500")
    return primary, link


def another(node: Node, *words: str) -> bytes:
    """Let a new client of a node send a request; return what is answered at once."""
    client = node.server.add_client("127.0.0.1:9", "127.0.0.1:2")
    node.engine.feed(client, encode_command([word.encode() for word in words]))
    return client.reply.take()


def test_nothing_enters_the_stream_behind_the_last_snapshot() -> None:
    primary, link = lagging(shutdown_timeout=60, repl_ping_replica_period=5)
    # The first ping comes at once, the next is due after the end.
    primary.tick(1000)
    link.pump()
    primary.do("SET", "b", "2", "PX", "500")
    assert primary.do("SHUTDOWN", "SAVE") == b""
    before = offset(primary)
    primary.tick(5000)
    # Replicas hear pings while the node waits, but no deadline deletes a key.
    assert offset(primary) == before + len(PING)
    assert (0, b"b") in primary.dump()
    assert not primary.host.saved
    link.pump()
    assert primary.host.has_ended
    end = offset(primary)
    # A ping, the deadline of a key, a write, and a client that was waiting: all of it would have been in the stream.
    assert another(primary, "SET", "c", "3") == b""
    assert another(primary, "GET", "b") == b""
    for _ in range(10):
        primary.tick(5000)
    assert offset(primary) == end

    again = Node("p")
    again.load(primary.host.saved)
    link.cut()
    assert Link(link.replica, again).outcome != FULL
    assert link.replica.dump() == again.dump()


def test_replicas_that_have_everything_are_not_waited_for() -> None:
    primary, link = lagging()
    link.pump()
    link.replica.tick(1000)
    link.pump()
    client = primary.client
    # Requests of the same burst that stand behind do not run any more.
    primary.engine.feed(client, encode_command([b"SHUTDOWN"]) + encode_command([b"SET", b"b", b"2"]))
    assert primary.host.has_ended
    assert another(primary, "SET", "c", "3") == b""
    assert (0, b"b") not in primary.dump()
    assert (0, b"c") not in primary.dump()


def test_an_acknowledgement_that_was_asked_for_ends_the_waiting() -> None:
    primary, link = lagging()
    primary.do("SHUTDOWN", "NOSAVE")
    assert not primary.host.has_ended
    link.pump()
    assert primary.host.has_ended
    assert not primary.host.saved
    assert link.replica.dump() == primary.dump()
    assert "1 of 1 replicas are in sync when shutting down." in primary.host.lines


@pytest.mark.parametrize("words", [["NOW"], ["NOSAVE", "NOW"]])
def test_who_wants_the_end_now_waits_for_no_replica(words: list[str]) -> None:
    primary, _ = lagging()
    primary.do("SHUTDOWN", *words)
    assert primary.host.has_ended


def test_a_timeout_of_zero_waits_for_no_replica() -> None:
    primary, _ = lagging(shutdown_timeout=0)
    primary.do("SHUTDOWN")
    assert primary.host.has_ended


def test_a_replica_that_never_answers_is_waited_for_in_vain() -> None:
    primary, _ = lagging(shutdown_timeout=3)
    primary.do("SHUTDOWN")
    primary.tick(2900)
    assert not primary.host.has_ended
    primary.tick(100)
    assert primary.host.has_ended
    assert primary.host.saved
    lines = [line for line in primary.host.lines if line.startswith("Lagging replica ")]
    assert len(lines) == 1
    assert lines[0].startswith("Lagging replica 10.0.0.114:7000 reported offset ")
    assert lines[0].endswith(" behind master, lag=3, state=online.")


def test_a_replica_that_gets_a_snapshot_is_waited_for() -> None:
    primary = Node("p")
    primary.do("SET", "a", "1")
    link = Link(Node("r"), primary)
    primary.do("SHUTDOWN")
    primary.finish_snapshot()
    link.receive_snapshot()
    assert not primary.host.has_ended
    link.pump()
    link.replica.tick(1000)
    link.pump()
    assert primary.host.has_ended
    assert link.replica.dump() == primary.dump()


def test_reads_go_on_and_writes_wait_until_the_shutdown_is_given_up() -> None:
    primary, link = lagging()
    assert primary.do("SHUTDOWN") == b""
    assert b"shutdown_in_milliseconds:10000\r\n" in another(primary, "INFO", "server")
    assert another(primary, "GET", "a") == b"$1\r\n1\r\n"
    assert another(primary, "CLIENT", "UNBLOCK", str(primary.client.id)) == b":0\r\n"
    writer = primary.server.add_client("127.0.0.1:8", "127.0.0.1:2")
    primary.engine.feed(writer, encode_command([b"SET", b"b", b"2"]))
    assert writer.reply.take() == b""
    second = primary.server.add_client("127.0.0.1:7", "127.0.0.1:2")
    primary.engine.feed(second, encode_command([b"SHUTDOWN", b"NOW"]))
    assert second.flags & BLOCKED
    assert another(primary, "SHUTDOWN", "ABORT") == b"+OK\r\n"
    assert primary.client.reply.take() == FAILED
    assert second.reply.take() == FAILED
    assert writer.reply.take() == b"+OK\r\n"
    assert another(primary, "SHUTDOWN", "ABORT") == b"-ERR No shutdown in progress.\r\n"
    assert b"shutdown_in_milliseconds" not in another(primary, "INFO", "server")
    link.pump()
    primary.tick(1000)
    assert link.replica.dump().keys() == {(0, b"a"), (0, b"b")}
    assert not primary.host.has_ended


def test_a_node_that_cannot_save_goes_on_after_it_has_waited() -> None:
    primary, link = lagging()
    primary.host.can_save = False
    primary.do("SHUTDOWN")
    link.pump()
    assert primary.client.reply.take() == FAILED
    assert not primary.host.has_ended
    assert another(primary, "SET", "b", "2") == b"+OK\r\n"
    assert primary.host.lines[-1] == "Errors trying to shut down the server. Check the logs for more information."


def test_a_replica_that_ends_waits_for_its_own_replicas() -> None:
    primary, middle, last = Node("p"), Node("m"), Node("z")
    upper, lower = synchronized(middle, primary), synchronized(last, middle)
    primary.do("SET", "a", "1")
    upper.pump()
    assert not shutting_down.begin(middle.server, frozenset())
    # What the primary still sends waits: the snapshot would not have it.
    primary.do("SET", "b", "2")
    upper.pump()
    lower.pump()
    last.tick(1000)
    lower.pump()
    assert middle.host.has_ended
    assert last.dump().keys() == {(0, b"a")}
    assert offset(last) == offset(middle)
