"""The two sides of a comparison: an engine in this process, and any server behind a socket."""

import random
import socket
import time
from typing import Final, Protocol

from tests.differential.replies import Reply, ReplyReader
from tests.processes import ServerProcess
from trivet_node.client import Client
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import Host
from trivet_node.server.state import Server
from trivet_wire.connection import encode_request

Arguments = tuple[bytes, ...]
_TIMEOUT_S: Final = 20.0
_BACKLOG_BYTES: Final = 64 * 1024 * 1024


class Peer(Protocol):
    """Something that answers several clients."""

    def connect(self, count: int) -> None:
        """Drop all clients and make `count` new ones."""

    def run(self, client: int, requests: list[Arguments]) -> list[Reply]:
        """Send requests of one client at once and return as many replies."""


class EnginePeer:
    """An engine in this process, at the time of the real clock."""

    def __init__(self) -> None:
        self.server = Server(Config(), Host(), random.Random(1), "a" * 40, _now_ms())
        self.engine = Engine(self.server)
        self._clients: list[Client] = []
        self._stream_offset = 0

    def connect(self, count: int) -> None:
        for client in self._clients:
            self.server.remove_client(client)
        self._clients = [self.server.add_client("127.0.0.1:1", "127.0.0.1:2") for _ in range(count)]

    def run(self, client: int, requests: list[Arguments]) -> list[Reply]:
        self.server.keyspace.now_ms = _now_ms()
        connection = self._clients[client]
        self.engine.feed(connection, b"".join(map(encode_request, requests)))
        reader = ReplyReader()
        reader.feed(connection.reply.take())
        return reader.replies()

    def keep_stream(self) -> None:
        """From now on keep what would be sent to replicas."""
        self.server.propagation.enabled = True
        self.server.keyspace.report_expired = True
        self._stream_offset = self.server.replication.create_backlog(_BACKLOG_BYTES).first_offset()

    def take_stream(self) -> list[Reply]:
        """Return what was propagated since keep_stream() or the last call."""
        backlog = self.server.replication.backlog
        assert backlog is not None
        reader = ReplyReader()
        reader.feed(backlog.since(self._stream_offset))
        self._stream_offset = int(backlog.next_offset)
        return reader.replies()


class SocketPeer:
    """A server in a process of its own."""

    def __init__(self, process: ServerProcess) -> None:
        self.process = process
        self._connections: list[tuple[socket.socket, ReplyReader]] = []

    def connect(self, count: int) -> None:
        self.close()
        for _ in range(count):
            connection = socket.create_connection(self.process.address, _TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append((connection, ReplyReader()))

    def run(self, client: int, requests: list[Arguments]) -> list[Reply]:
        connection, reader = self._connections[client]
        connection.sendall(b"".join(map(encode_request, requests)))
        replies: list[Reply] = []
        while len(replies) < len(requests):
            data = connection.recv(1 << 20)
            if not data:
                raise ConnectionError(f"closed after {len(replies)} of {len(requests)} replies")
            reader.feed(data)
            replies += reader.replies()
        return replies

    def close(self) -> None:
        for connection, _ in self._connections:
            connection.close()
        self._connections = []


class RealReplica:
    """A connection that a real server feeds as a replica: it shows what that server propagates."""

    def __init__(self, process: ServerProcess) -> None:
        self._connection = socket.create_connection(process.address, _TIMEOUT_S)
        self._reader = ReplyReader()
        self._connection.sendall(encode_request([b"PSYNC", b"?", b"-1"]))
        self._skip_snapshot(self._connection.makefile("rb", buffering=0))

    def _skip_snapshot(self, stream: socket.SocketIO) -> None:
        assert _line(stream).startswith(b"+FULLRESYNC ")
        left = int(_line(stream)[1:])
        while left > 0:
            left -= len(stream.read(left) or b"")

    def until(self, mark: Arguments) -> list[Reply]:
        """Return what arrives before the command `mark`."""
        commands: list[Reply] = []
        while True:
            commands += self._reader.replies()
            if commands and commands[-1].words() == list(mark):
                return commands[:-1]
            data = self._connection.recv(1 << 20)
            if not data:
                raise ConnectionError("the server has dropped its replica")
            self._reader.feed(data)

    def close(self) -> None:
        self._connection.close()


def _line(stream: socket.SocketIO) -> bytes:
    """Return a line that is not empty, without its end; empty ones keep the connection alive."""
    line = b""
    while not line.endswith(b"\n") or not line.strip():
        line = (b"" if line.endswith(b"\n") else line) + (stream.read(1) or b"")
    return line.strip()


def _now_ms() -> int:
    return int(time.time() * 1000)
