"""The reactor on real sockets of this process: replies in order, slow readers, closing, limits."""

import random
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import Host
from trivet_node.server.state import Server
from trivet_node.shell.reactor import Reactor
from trivet_wire.process.listeners import open_tcp
from trivet_wire.replies import encode_command

LARGE = b"x" * 3_000_000


class QuietHost(Host):
    def log(self, level: str, message: str) -> None:
        pass


class Node:
    """An engine with its reactor on a port of its own; bursts are run by hand."""

    def __init__(self) -> None:
        self.config = Config()
        self.server = Server(self.config, QuietHost(), random.Random(1), "a" * 40, 1000)
        self.reactor = Reactor(Engine(self.server))
        (listener,) = open_tcp(["127.0.0.1"], _any_port(), 128)
        self.port = listener.getsockname()[1]
        self.reactor.listen(listener)

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port))
        sock.setblocking(False)
        return sock

    def serve_until_received(self, sock: socket.socket, size: int) -> bytes:
        """Run bursts until `size` bytes have come; a node that stops answering fails by the test's time limit."""
        received = b""
        while len(received) < size:
            self.reactor.burst(0.01)
            received += _receive(sock)
        return received


def _any_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except BlockingIOError:
        return b""


def _is_closed(node: Node, sock: socket.socket) -> bool:
    """Run bursts until the node has closed the connection."""
    while True:
        node.reactor.burst(0.01)
        try:
            if not sock.recv(65536):
                return True
        except BlockingIOError:
            continue
        except ConnectionError:
            return True


@pytest.fixture
def node() -> Iterator[Node]:
    node = Node()
    yield node
    node.reactor.close_all()


def test_pipelined_requests_are_answered_in_order(node: Node) -> None:
    with closing(node.connect()) as sock:
        sock.sendall(b"".join(encode_command([b"ECHO", b"%d" % number]) for number in range(1000)))
        expected = b"".join(b"$%d\r\n%d\r\n" % (len(str(number)), number) for number in range(1000))
        assert node.serve_until_received(sock, len(expected)) == expected


def test_a_slow_reader_gets_everything_in_order_and_stops_nobody(node: Node) -> None:
    with closing(node.connect()) as slow, closing(node.connect()) as other:
        node.server.keyspace.database(0).put(b"large", LARGE)
        slow.sendall(encode_command([b"GET", b"large"]) * 5 + encode_command([b"PING"]))
        other.sendall(encode_command([b"PING"]))
        assert node.serve_until_received(other, 7) == b"+PONG\r\n"
        expected = b"$%d\r\n%s\r\n" % (len(LARGE), LARGE) * 5 + b"+PONG\r\n"
        assert node.serve_until_received(slow, len(expected)) == expected


def test_protocol_errors_are_answered_before_the_connection_closes(node: Node) -> None:
    with closing(node.connect()) as sock:
        sock.sendall(b"*1\r\n:3\r\n")
        expected = b"-ERR Protocol error: expected '$', got ':'\r\n"
        assert node.serve_until_received(sock, len(expected)) == expected
        assert _is_closed(node, sock)


def test_a_client_that_goes_away_is_forgotten(node: Node) -> None:
    sock = node.connect()
    sock.sendall(encode_command([b"PING"]))
    node.serve_until_received(sock, 7)
    assert len(node.server.clients) == 1
    sock.close()
    while node.server.clients:
        node.reactor.burst(0.01)


def test_maxclients_refuses_the_next_connection(node: Node) -> None:
    node.config.maxclients = 1
    with closing(node.connect()) as first, closing(node.connect()) as second:
        first.sendall(encode_command([b"PING"]))
        assert node.serve_until_received(first, 7) == b"+PONG\r\n"
        expected = b"-ERR max number of clients reached\r\n"
        assert node.serve_until_received(second, len(expected)) == expected
        assert _is_closed(node, second)
        assert node.server.stats.connections_rejected == 1


def test_a_hundred_clients_at_once(node: Node) -> None:
    sockets = [node.connect() for _ in range(100)]
    for number, sock in enumerate(sockets):
        sock.sendall(encode_command([b"SET", b"key:%d" % number, b"v"]))
    for sock in sockets:
        assert node.serve_until_received(sock, 5) == b"+OK\r\n"
        sock.close()
    assert node.server.keyspace.size() == 100
