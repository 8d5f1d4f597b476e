"""The two sides of a comparison: an engine in this process, and any server behind a socket."""

import contextlib
import random
import select
import socket
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from tests.differential.difference import Difference
from tests.differential.replies import Reply, ReplyReader
from tests.processes import ServerProcess, start_redis_server
from trivet_node.client import Client
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import NOT_WRITTEN, Exchange, Host
from trivet_node.server.state import Server
from trivet_wire.connection import encode_request

Arguments = tuple[bytes, ...]
_TIMEOUT_S: Final = 20.0
_BACKLOG_BYTES: Final = 64 * 1024 * 1024
# How long a reply may take before anybody asks whether its client is blocked.
_PATIENCE_S: Final = 0.001
_MARK: Final = b"the-last-one"


class Peer(Protocol):
    """Something that answers several clients."""

    def connect(self, count: int) -> None:
        """Drop all clients and make `count` new ones."""

    def run(self, client: int, requests: list[Arguments]) -> list[Reply]:
        """Send requests of one client at once and return as many replies; one fewer where the last one blocks."""

    def late(self, observer: int, clients: list[int]) -> dict[int, Reply]:
        """Return the replies to those of some blocked clients that have been served by now."""

    def pushed(self, client: int) -> list[Reply]:
        """Return what a subscriber was sent since it subscribed or since the last call."""


class StrictHost(Host):
    """A world in which nothing happens; a fault of the engine is a difference."""

    def __init__(self) -> None:
        self.has_seen_fault = False

    def log(self, level: str, message: str) -> None:
        pass

    def save(self) -> bool:
        return True

    def settings_changed(self, attributes: list[str]) -> str:
        return ""

    def process_facts(self) -> dict[str, int]:
        return {}

    def exchange(self, host: str, port: int, requests: bytes, answers: int, timeout_ms: int) -> Exchange:
        return Exchange(NOT_WRITTEN, [])

    def log_exception(self, message: str) -> None:
        self.has_seen_fault = True
        raise Difference(f"{message}:\n{traceback.format_exc()}")


class EnginePeer:
    """An engine in this process, at the time of the real clock."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._host = StrictHost()
        self.server = Server(Config(enable_debug_command="yes"), self._host, random.Random(1), "a" * 40, _now_ms())
        self.engine = Engine(self.server)
        self._clients: list[Client] = []
        self._readers: list[ReplyReader] = []
        self._stream_offset = 0

    def connect(self, count: int) -> None:
        if self._host.has_seen_fault:
            # What it was doing then was not brought to an end.
            self._start()
        for client in self._clients:
            self.server.remove_client(client)
        self._clients = [self.server.add_client("127.0.0.1:1", "127.0.0.1:2") for _ in range(count)]
        self._readers = [ReplyReader() for _ in range(count)]

    def run(self, client: int, requests: list[Arguments]) -> list[Reply]:
        self.server.keyspace.now_ms = _now_ms()
        connection = self._clients[client]
        self.engine.feed(connection, b"".join(map(encode_request, requests)))
        return self._taken(client)

    def inline(self, client: int, line: bytes) -> list[Reply]:
        """Send an inline command and return what the client was sent at once."""
        self.server.keyspace.now_ms = _now_ms()
        self.engine.feed(self._clients[client], line + b"\r\n")
        return self._taken(client)

    def late(self, observer: int, clients: list[int]) -> dict[int, Reply]:
        replies = {client: self._taken(client) for client in clients}
        return {client: found[0] for client, found in replies.items() if found}

    def pushed(self, client: int) -> list[Reply]:
        return self._taken(client)

    def _taken(self, client: int) -> list[Reply]:
        self._readers[client].feed(self._clients[client].reply.take())
        return self._readers[client].replies()

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
        self._ids: list[bytes] = []

    def connect(self, count: int) -> None:
        self.close()
        self._ids = []
        for _ in range(count):
            connection = socket.create_connection(self.process.address, _TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append((connection, ReplyReader()))
        ids = [self.run(client, [(b"CLIENT", b"ID")])[0].value for client in range(count)]
        self._ids = [identity for identity in ids if isinstance(identity, bytes)]

    def run(self, client: int, requests: list[Arguments]) -> list[Reply]:
        connection = self._connections[client][0]
        connection.sendall(b"".join(map(encode_request, requests)))
        replies: list[Reply] = []
        while len(replies) < len(requests):
            # A command that blocks can only be the last one.
            waits = len(replies) + 1 == len(requests) and client < len(self._ids) - 2
            if waits and not _is_readable(connection, _PATIENCE_S) and self._is_blocked(client):
                # Its reply may have come between the two looks.
                return replies + self._received(client) if _is_readable(connection, 0) else replies
            replies += self._received(client)
        return replies

    def inline(self, client: int, line: bytes, is_answered: bool) -> None:
        """Send an inline command; where it is answered, wait until the answer begins to arrive."""
        connection = self._connections[client][0]
        connection.sendall(line + b"\r\n")
        if is_answered and not _is_readable(connection, _TIMEOUT_S):
            raise TimeoutError(f"no answer to {line!r}")

    def arrived(self, client: int) -> list[Reply]:
        """Return what has arrived at a client, without waiting."""
        return self._received(client) if _is_readable(self._connections[client][0], 0) else []

    def _is_blocked(self, client: int) -> bool:
        """Wait until one client has been answered or is blocked; the last but one asks."""
        while not _is_readable(self._connections[client][0], 0):
            line = self.run(len(self._connections) - 2, [(b"CLIENT", b"LIST", b"ID", self._ids[client])])[0].value
            assert isinstance(line, bytes), line
            if b"b" in line.partition(b" flags=")[2].partition(b" ")[0]:
                return True
        return False

    def late(self, observer: int, clients: list[int]) -> dict[int, Reply]:
        # Who is served by a command is written to when its own client is: before anything that comes later.
        self.run(observer, [(b"PING",)])
        waiting = [client for client in clients if _is_readable(self._connections[client][0], 0)]
        return {client: self._next(client) for client in waiting}

    def pushed(self, client: int) -> list[Reply]:
        self._connections[client][0].sendall(encode_request([b"PING", _MARK]))
        found: list[Reply] = []
        while not found or found[-1].words()[1:] != [_MARK]:
            found += self._received(client)
        return found[:-1]

    def _next(self, client: int) -> Reply:
        while not (found := self._received(client)):
            pass
        return found[0]

    def _received(self, client: int) -> list[Reply]:
        """Return the replies that have arrived, after waiting for at least a part of one."""
        connection, reader = self._connections[client]
        data = connection.recv(1 << 20)
        if not data:
            raise ConnectionError("closed by the server")
        reader.feed(data)
        return reader.replies()

    def close(self) -> None:
        for connection, _ in self._connections:
            connection.close()
        self._connections = []


@contextlib.contextmanager
def lazy_redis_server(directory: Path) -> Iterator[SocketPeer]:
    """Run a redis-server that deletes expired keys only when somebody looks at them, as engines without ticks do."""
    with start_redis_server(directory, "--enable-debug-command", "yes") as process:
        process.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        peer = SocketPeer(process)
        yield peer
        peer.close()


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
            # The link is kept alive by a PING now and then, which nobody has asked for.
            commands += [command for command in self._reader.replies() if command.words() != [b"ping"]]
            if commands and commands[-1].words() == list(mark):
                return commands[:-1]
            data = self._connection.recv(1 << 20)
            if not data:
                raise ConnectionError("the server has dropped its replica")
            self._reader.feed(data)

    def close(self) -> None:
        self._connection.close()


def _is_readable(connection: socket.socket, timeout_s: float) -> bool:
    return bool(select.select([connection], [], [], timeout_s)[0])


def _line(stream: socket.SocketIO) -> bytes:
    """Return a line that is not empty, without its end; empty ones keep the connection alive."""
    line = b""
    while not line.endswith(b"\n") or not line.strip():
        line = (b"" if line.endswith(b"\n") else line) + (stream.read(1) or b"")
    return line.strip()


def _now_ms() -> int:
    return int(time.time() * 1000)
