"""Clients that wait for keys: who is served, in which order, and what makes a key ready."""

from tests.node.engines import Node
from trivet_node.blocking import FOREVER, KeyWait
from trivet_node.client import BLOCKED, Client
from trivet_node.keyspace import Database
from trivet_node.server.state import Server


class TakeString(KeyWait):
    """Waits for a string, deletes it, and replies with it."""

    def serve(self, server: Server, key: bytes, value: object) -> bool:
        if not isinstance(value, bytes):
            return False
        self.database.delete(key)
        server.propagation.instead([[b"DEL", key]])
        self.client.reply.bulk(value)
        return True

    def time_out(self) -> None:
        self.client.reply.null()


class Broken(TakeString):
    """Fails when it is served."""

    def serve(self, server: Server, key: bytes, value: object) -> bool:
        self.client.reply.array(2)
        raise ZeroDivisionError


def wait(node: Node, *keys: bytes, deadline_ms: int = FOREVER, database: Database | None = None) -> Client:
    client = node.client()
    node.server.blocking.block_on_keys(TakeString(client, deadline_ms, database or node.database, list(keys)))
    return client


def said(client: Client) -> bytes:
    return client.reply.take()


def test_who_waits_longest_is_served_first() -> None:
    node = Node()
    first, second = wait(node, b"a", b"b"), wait(node, b"b")
    assert node.ask("SET", "b", "one") == b"OK"
    assert (said(first), said(second)) == (b"$3\r\none\r\n", b"")
    assert first.flags & BLOCKED == 0
    node.ask("SET", "b", "two")
    assert said(second) == b"$3\r\ntwo\r\n"
    node.ask("SET", "b", "three")
    assert node.ask("GET", "b") == b"three"
    assert not node.database.awaited


def test_a_transaction_is_over_before_anybody_is_served() -> None:
    node = Node()
    client = wait(node, b"a")
    node.ask("MULTI")
    node.ask("SET", "a", "one")
    node.ask("SET", "a", "two")
    assert node.ask("EXEC") == [b"OK", b"OK"]
    assert said(client) == b"$3\r\ntwo\r\n"


def test_serving_is_a_unit_of_the_stream() -> None:
    node = Node()
    node.keep_stream()
    wait(node, b"a")
    node.ask("MSET", "x", "1", "a", "one")
    stream = [command for command in node.stream() if command[0] != b"SELECT"]
    assert stream == [[b"MSET", b"x", b"1", b"a", b"one"], [b"DEL", b"a"]]


def test_other_databases_and_other_types_do_not_serve() -> None:
    node = Node()
    client = wait(node, b"a")
    node.ask("SET", "a", "17")
    node.ask("SELECT", "1")
    node.ask("SET", "a", "one")
    assert said(client) == b""
    node.ask("SWAPDB", "0", "1")
    assert said(client) == b"$3\r\none\r\n"


def test_who_is_gone_or_timed_out_waits_no_more() -> None:
    node = Node()
    gone = wait(node, b"a")
    late = wait(node, b"a", deadline_ms=int(node.keyspace.now_ms) + 10)
    node.server.remove_client(gone)
    node.engine.tick(int(node.keyspace.now_ms) + 10)
    assert said(late) == b"$-1\r\n"
    assert not node.database.awaited
    node.ask("SET", "a", "kept")
    assert node.ask("GET", "a") == b"kept"


def test_who_is_killed_meanwhile_takes_nothing() -> None:
    node = Node()
    client = wait(node, b"a")
    node.ask("CLIENT", "KILL", "ID", client.id)
    assert node.ask("CLIENT", "UNBLOCK", client.id) == 0
    node.ask("SET", "a", "kept")
    assert node.ask("GET", "a") == b"kept"


def test_who_wants_no_replies_is_served_without_one() -> None:
    node = Node()
    off, skipped, timed_out = node.client(), node.client(), node.client()
    node.send(off, b"CLIENT REPLY OFF\r\nBLPOP a 0\r\n")
    node.send(skipped, b"CLIENT REPLY SKIP\r\nBLPOP b 0\r\n")
    node.send(timed_out, b"CLIENT REPLY SKIP\r\nBLPOP c 0.01\r\n")
    assert (node.ask("RPUSH", "a", "1"), node.ask("RPUSH", "b", "1")) == (1, 1)
    node.engine.tick(int(node.keyspace.now_ms) + 100)
    assert (said(off), said(skipped), said(timed_out)) == (b"", b"", b"")
    assert node.ask("EXISTS", "a", "b") == 0
    assert node.send(skipped, b"PING\r\n") == b"+PONG\r\n"


def test_a_fault_while_serving_is_that_clients_alone() -> None:
    node = Node()
    faults: list[str] = []
    node.server.host.log_exception = faults.append  # type: ignore[method-assign]
    client = node.client()
    node.server.blocking.block_on_keys(Broken(client, FOREVER, node.database, [b"a"]))
    other = wait(node, b"b")
    assert node.ask("MSET", "a", "one", "b", "two") == b"OK"
    assert client.is_closing()
    assert said(client).startswith(b"-ERR internal error")
    assert faults
    assert said(other) == b"$3\r\ntwo\r\n"


def test_info_counts_those_who_wait_and_what_they_wait_for() -> None:
    node = Node()

    def counted() -> list[bytes]:
        lines = node.ask("INFO", "clients").splitlines()
        return [line for line in lines if line.startswith((b"blocked_clients", b"total_blocking_keys"))]

    first, _, _ = wait(node, b"a"), wait(node, b"a"), wait(node, b"b")
    assert counted() == [b"blocked_clients:3", b"total_blocking_keys:2"]
    node.server.remove_client(first)
    node.ask("MSET", "a", "x", "b", "y")
    assert counted() == [b"blocked_clients:0", b"total_blocking_keys:0"]
