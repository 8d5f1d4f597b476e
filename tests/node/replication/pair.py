"""Nodes that replicate from each other without any I/O: every byte goes through the test's hands, in any fragments.

The harness does what the shell does (links.py, snapshots.py) with the same pure parts.
"""

import io
import random

from trivet_node.client import CLOSE_NOW, PENDING, Client
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import Host
from trivet_node.persistence.facts import facts_to_write, history_point
from trivet_node.persistence.rdb_reader import RdbReader
from trivet_node.persistence.rdb_writer import RdbWriter, WriterOptions
from trivet_node.replication.handshake import ASKS, FULL, Handshake, Introduction
from trivet_node.replication.payload import Payload
from trivet_node.server.replicating import joining, roles, sync
from trivet_node.server.replicating.cron import acknowledge
from trivet_node.server.replicating.info import replication_info
from trivet_node.server.state import Server
from trivet_wire.replies import encode_command

START_MS = 1_700_000_000_000


class SilentHost(Host):
    """A host whose snapshots are taken at once and finish when the test says so."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.snapshot = b""
        self.can_fork = True
        self.lines: list[str] = []
        # What save() has written, and whether the process is to end.
        self.saved = b""
        self.can_save = True
        self.has_ended = False

    def log(self, level: str, message: str) -> None:
        self.lines.append(message)

    def log_exception(self, message: str) -> None:
        raise AssertionError(message)

    def primary_changed(self) -> None:
        pass

    def primary_link_lost(self) -> None:
        assert self.node is not None
        roles.upstream_is_down(self.node.server)

    def start_replica_snapshot(self) -> bool:
        assert self.node is not None
        if not self.can_fork or self.snapshot:
            return False
        self.snapshot = _snapshot(self.node.server)
        sync.snapshot_began(self.node.server)
        return True

    def save(self) -> bool:
        assert self.node is not None
        if self.can_save:
            self.saved = _snapshot(self.node.server)
        return self.can_save

    def process_facts(self) -> dict[str, int]:
        return {}

    def tell_supervisor(self, text: str) -> None:
        pass

    def request_shutdown(self) -> None:
        self.has_ended = True


def _snapshot(server: Server) -> bytes:
    facts = facts_to_write(server.replication, server.propagation.selected, START_MS, 0)
    codes = server.programs.libraries.codes()
    return b"".join(RdbWriter(server.keyspace, facts, server.limits, WriterOptions(), codes).chunks())


class Node:
    """One node, with one client that gives it commands."""

    def __init__(self, name: str, **settings: int) -> None:
        config = Config()
        for setting, value in settings.items():
            setattr(config, setting, value)
        self.name = name
        self.host = SilentHost()
        self.host.node = self
        self.server = Server(config, self.host, random.Random(name), name * 40, START_MS)
        self.engine = Engine(self.server)
        self.client = self.server.add_client("127.0.0.1:1", "127.0.0.1:2")
        self.now_ms = START_MS

    def do(self, *words: str | bytes) -> bytes:
        """Run one command and return the reply's bytes."""
        arguments = [word if isinstance(word, bytes) else word.encode() for word in words]
        self.engine.feed(self.client, encode_command(arguments))
        return self.client.reply.take()

    def load(self, snapshot: bytes) -> None:
        """Start from a snapshot, as its file is loaded when a node starts."""
        reader = RdbReader(io.BytesIO(snapshot).read, self.server.keyspace, self.server.limits)
        while reader.step(10):
            pass
        point = history_point(reader.facts)
        assert point is not None
        roles.resume(self.server, point)

    def tick(self, ms: int) -> None:
        self.now_ms += ms
        self.engine.tick(self.now_ms)

    def finish_snapshot(self) -> None:
        """Let the child end, and send what it wrote to those who wait for it."""
        data, self.host.snapshot = self.host.snapshot, b""
        for replica in sync.snapshot_ended(self.server, succeeded=True):
            replica.client.reply.raw(b"$%d\r\n%s" % (len(data), data))
            sync.snapshot_was_sent(self.server, replica)

    def reap(self) -> None:
        """Do as the reactor does with the clients that are to be closed."""
        pending, self.server.pending = self.server.pending, []
        for client in pending:
            client.flags &= ~PENDING
            if client.flags & CLOSE_NOW:
                self.server.remove_client(client)

    def field(self, name: str) -> str:
        return dict(replication_info(self.server))[name]

    def dump(self) -> dict[tuple[int, bytes], tuple[object, int]]:
        return {
            (database.index, key): (bytes(value) if isinstance(value, bytearray) else value, database.deadline(key))
            for database in self.server.keyspace.used_databases()
            for slot in database.slots
            for key, value in slot.items()
        }


class Link:
    """The connection of `replica` to `primary`; pump() moves `step` bytes at a time."""

    def __init__(self, replica: Node, primary: Node, step: int = 1 << 30) -> None:
        self.replica = replica
        self.primary = primary
        self.step = step
        self.far: Client = primary.server.add_client(f"10.0.0.{ord(replica.name)}:1", "10.0.0.1:1")
        self.near: Client | None = None
        self.outcome = ASKS
        self._rest = b""
        self._on_its_way = b""
        upstream = replica.server.replication.upstream
        if upstream is None or upstream.host != primary.name:
            replica.do("REPLICAOF", primary.name, "6379")
        self.handshake()

    def handshake(self) -> None:
        replication_id, next_offset = self.replica.server.replication.resume_point()
        talk = Handshake(Introduction("", "", 7000, ""), replication_id, next_offset)
        while talk.outcome == ASKS:
            self.primary.engine.feed(self.far, talk.next_request())
            line, _, self._rest = self.far.reply.take().lstrip(b"\n").partition(b"\r\n")
            talk.answered(line)
        self.outcome = talk.outcome
        self.answer = talk
        if talk.outcome != FULL:
            joining.go_on(self.replica.server, talk.replication_id)
            self._connect(self._rest)

    def receive_snapshot(self) -> None:
        payload = Payload()
        data = payload.feed(self._rest + self.far.reply.take())
        assert payload.is_complete
        keyspace = self.replica.server.keyspace.beside()
        reader = RdbReader(io.BytesIO(data).read, keyspace, self.replica.server.limits)
        while reader.step(10):
            pass
        joining.exchange(self.replica.server, keyspace, reader, self.answer.replication_id, self.answer.offset)
        self._connect(payload.rest)

    def _connect(self, rest: bytes) -> None:
        server = self.replica.server
        self.near = server.add_client("10.0.0.1:1", "10.0.0.2:1")
        roles.upstream_is_up(server, self.near)
        upstream = server.replication.upstream
        assert upstream is not None
        acknowledge(server, upstream, server.replication.history.offset)
        self._feed(rest)

    def _feed(self, data: bytes) -> None:
        assert self.near is not None
        for position in range(0, len(data), self.step):
            self.replica.engine.feed(self.near, data[position : position + self.step])

    def pump(self, limit: int | None = None) -> None:
        """Let everything arrive, of the stream no more than `limit` bytes."""
        assert self.near is not None
        data = self._on_its_way + self.far.reply.take()
        self._on_its_way = b"" if limit is None else data[limit:]
        self._feed(data if limit is None else data[:limit])
        self.primary.engine.feed(self.far, self.near.reply.take())
        if limit is None and len(self.far.reply):
            self.pump()

    def cut(self) -> None:
        """Break the connection; what was under way is lost."""
        for node, client in ((self.primary, self.far), (self.replica, self.near)):
            if client is not None and client.id in node.server.clients:
                node.server.close_client(client, CLOSE_NOW)
                node.reap()


def synchronized(replica: Node, primary: Node, step: int = 1 << 30) -> Link:
    link = Link(replica, primary, step)
    if link.outcome == FULL:
        if primary.host.snapshot:
            primary.finish_snapshot()
        link.receive_snapshot()
    link.pump()
    return link
