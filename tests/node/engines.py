"""An engine on a clock that the test moves, without sockets."""

import random
from typing import Any, Final

import hiredis

from trivet_node.client import Client
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import Host
from trivet_node.server.state import Server
from trivet_node.timing.clock import Clock
from trivet_wire.connection import encode_request

START_MS: Final = 1_700_000_000_000
_NOTHING: Final = object()


class QuietHost(Host):
    """A world in which nothing happens; a fault of the engine is raised instead of logged."""

    def settings_changed(self, attributes: list[str]) -> str:
        return ""

    def save(self) -> bool:
        return True

    def log(self, level: str, message: str) -> None:
        pass

    def log_exception(self, message: str) -> None:
        raise AssertionError(message)


class Node:
    """One engine; `ask` speaks as its first client unless told otherwise."""

    def __init__(self, config: Config | None = None, seed: int = 1) -> None:
        clock = Clock(START_MS * 1000)
        self.server = Server(config or Config(), QuietHost(), random.Random(seed), "a" * 40, START_MS, clock=clock)
        self.engine = Engine(self.server)
        self.keyspace = self.server.keyspace
        self.database = self.keyspace.database(0)
        self.first = self.client()

    def client(self) -> Client:
        return self.server.add_client("127.0.0.1:50000", "127.0.0.1:6379")

    def send(self, client: Client, data: bytes) -> bytes:
        """Feed bytes and return the bytes of the replies."""
        self.engine.feed(client, data)
        return client.reply.take()

    def ask(self, *arguments: bytes | str | int, client: Client | None = None) -> Any:
        """Send one request and return its one reply; errors are returned as their text."""
        replies = self.replies(self.send(client or self.first, encode_request(arguments)))
        assert len(replies) == 1, replies
        return replies[0]

    def asks(self, text: str, client: Client | None = None) -> Any:
        """Send one request given as words and return its reply."""
        return self.ask(*text.split(), client=client)

    @staticmethod
    def replies(data: bytes) -> list[Any]:
        reader = hiredis.Reader(notEnoughData=_NOTHING)
        reader.feed(data)
        found: list[Any] = []
        while (reply := reader.gets()) is not _NOTHING:
            found.append(str(reply) if isinstance(reply, hiredis.ReplyError) else reply)
        return found

    def wait(self, milliseconds: int) -> None:
        """Let time pass without a tick."""
        self.keyspace.now_ms += milliseconds

    def keep_stream(self) -> None:
        """Begin to keep what would be sent to replicas."""
        self.server.propagation.enabled = True
        self.keyspace.report_expired = True
        self.server.replication.no_replicas_since_ms = int(self.keyspace.now_ms)
        self._stream_offset = self.server.replication.create_backlog(1 << 24).first_offset()

    def stream(self) -> list[list[bytes]]:
        """Return the commands propagated since keep_stream() or the last call."""
        backlog = self.server.replication.backlog
        assert backlog is not None
        data = backlog.since(self._stream_offset)
        self._stream_offset = int(backlog.next_offset)
        return self.replies(data)
