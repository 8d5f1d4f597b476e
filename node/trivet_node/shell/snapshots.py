"""Snapshots of the running node: SAVE, BGSAVE, and the full synchronization of replicas. One child of each kind at a
time.

A snapshot for replicas goes to a file without a name, which the children of nobody else can see and no crash leaves
behind; it is sent to each replica through the reactor, a piece whenever the last one has left.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import trio

from trivet_node.client import CLOSE_NOW
from trivet_node.persistence.facts import facts_to_write
from trivet_node.persistence.rdb_writer import RdbWriter, WriterOptions
from trivet_node.replication.replicas import Replica
from trivet_node.server.replicating import sync
from trivet_node.server.saving import background_save_ended
from trivet_node.server.state import Server
from trivet_node.shell.affinity import run_on
from trivet_node.shell.child import Child, ChildFailed, fork_child
from trivet_node.shell.oom_score import CHILD, OomScore
from trivet_node.shell.process import memory_facts
from trivet_node.shell.reactor import Reactor
from trivet_node.timing import events
from trivet_wire.process.clock import unix_ms
from trivet_wire.process.files import replace_file, temporary_path, write_all

_PIECE_BYTES: Final = 256 * 1024
# Of a snapshot, so that its end is no long wait for the disk. (Redis: REDIS_AUTOSYNC_BYTES.)
_SYNC_EVERY_BYTES: Final = 4 * 1024 * 1024
# What may wait in the reactor for one replica before the next piece is read.
_AHEAD_BYTES: Final = 512 * 1024
_PACE_S: Final = 0.001


class Snapshots:
    """Writes snapshots of a server's keyspace. Children are started only while run() runs, which waits for them."""

    def __init__(self, server: Server, reactor: Reactor, oom_score: OomScore) -> None:
        self.server = server
        self.oom_score = oom_score
        self.reactor = reactor
        self._save_child: Child | None = None
        self._replica_child: Child | None = None
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Wait for children for ever; those that are left when this is cancelled are killed."""
        async with trio.open_nursery() as self._nursery:
            await trio.sleep_forever()

    def path(self) -> Path:
        """Return where the snapshot of this node is kept."""
        return Path(self.server.config.dbfilename)

    def save(self) -> bool:
        """Write a snapshot while everything waits; say whether that worked."""
        try:
            replace_file(self.path(), self._writer().chunks(), sync_every_bytes=self._sync_every_bytes())
        except OSError as error:
            self._log("warning", f"Error trying to save the DB: {error.strerror}")
            return False
        self._log("notice", "DB saved on disk")
        return True

    def start_background_save(self) -> bool:
        """Start a child that writes a snapshot; say whether it did start."""
        if self._nursery is None or self._save_child is not None:
            return False
        path = self.path()
        writer = self._writer()

        def work(check: Any) -> None:
            replace_file(path, _checked(writer.chunks(), check), sync_every_bytes=self._sync_every_bytes())

        child = self._fork(work, writer)
        if child is None:
            return False
        self._save_child = child
        self._nursery.start_soon(self._finish_background_save, child, path)
        return True

    def stop_background_save(self) -> None:
        """End the child that writes a snapshot, if there is one; returns when it is gone."""
        if self._save_child is not None:
            self._log("warning", "There is a child saving an .rdb. Killing it!")
            self._save_child.end()

    def start_replica_snapshot(self) -> bool:
        """Start a child that writes a snapshot for the replicas that wait for one; say whether it did start."""
        if self._nursery is None or self._replica_child is not None:
            return False
        try:
            file = tempfile.TemporaryFile(dir=".", buffering=0)  # noqa: SIM115 (the task that sends it closes it)
        except OSError as error:
            self._log("warning", f"Can't write a snapshot for replicas: {error.strerror}")
            return False
        writer = self._writer()

        def work(check: Any) -> None:
            write_all(file.fileno(), _checked(writer.chunks(), check))

        child = self._fork(work, writer, (file.fileno(),))
        if child is None:
            file.close()
            return False
        self._replica_child = child
        sync.snapshot_began(self.server)
        self._nursery.start_soon(self._finish_replica_snapshot, child, file)
        return True

    def _writer(self) -> RdbWriter:
        server = self.server
        facts = facts_to_write(
            server.replication,
            server.propagation.selected,
            int(server.keyspace.now_ms),
            memory_facts()["used_memory"],
        )
        config = server.config
        keeps_access = config.maxmemory_policy.endswith(("-lru", "-lfu"))
        options = WriterOptions(config.rdbchecksum, config.rdbcompression, keeps_access)
        return RdbWriter(server.keyspace, facts, server.limits, options, server.programs.libraries.codes())

    def _sync_every_bytes(self) -> int:
        """Return after how many bytes what was written is brought to the disk, 0 where that waits for the end."""
        return _SYNC_EVERY_BYTES if self.server.config.rdb_save_incremental_fsync else 0

    def _fork(self, work: Any, writer: RdbWriter, keep: tuple[int, ...] = ()) -> Child | None:
        def settled_work(check: Any) -> None:
            run_on(self.server.config.bgsave_cpulist)
            self.oom_score.apply(CHILD)
            work(check)

        clock = self.server.stopwatch.clock
        begin_us = clock.now_us()
        try:
            child = fork_child(settled_work, lambda: writer.keys_written, keep)
        except OSError as error:
            self._log("warning", f"Can't save in background: fork: {error.strerror}")
            return None
        duration_us = max(0, clock.now_us() - begin_us)
        self.server.stats.count_fork(duration_us, memory_facts()["used_memory"])
        self.server.stopwatch.note(events.FORK, duration_us)
        self.server.snapshots.child.begin(self.server.keyspace.size())
        self._log("notice", f"Background saving started by pid {child.pid}")
        return child

    async def _finish_background_save(self, child: Child, path: Path) -> None:
        try:
            succeeded = await self._wait(child)
        finally:
            begin_us = self.server.stopwatch.clock.now_us()
            temporary_path(path, child.pid).unlink(missing_ok=True)
            self.server.stopwatch.note_since(events.UNLINK, begin_us)
        self._save_child = None
        background_save_ended(self.server, succeeded)
        self.reactor.flush_pending()

    async def _finish_replica_snapshot(self, child: Child, file: Any) -> None:
        with file:
            succeeded = await self._wait(child)
            self._replica_child = None
            replicas = sync.snapshot_ended(self.server, succeeded)
            # Some may have come that the last one could not serve.
            sync.start_snapshot_if_wanted(self.server)
            self.reactor.flush_pending()
            size = os.fstat(file.fileno()).st_size
            async with trio.open_nursery() as nursery:
                for replica in replicas:
                    nursery.start_soon(self._send, replica, file.fileno(), size)

    async def _wait(self, child: Child) -> bool:
        """Wait for the end of a child and say whether it did its work."""
        snapshots = self.server.snapshots
        try:
            await child.wait(lambda done, copied_bytes: snapshots.child.tell(done, copied_bytes, unix_ms()))
        except ChildFailed as error:
            if error.signal_number:
                self._log("warning", f"Background saving terminated by signal {error.signal_number}")
            else:
                self._log("warning", f"Background saving error: {error}")
            return False
        finally:
            if child is self._save_child:
                snapshots.last_copied_bytes = snapshots.child.copied_bytes
            snapshots.child.begin(0)
        self._log("notice", "Background saving terminated with success")
        return True

    async def _send(self, replica: Replica, fd: int, size: int) -> None:
        """Send a snapshot to one replica, as fast as it takes it."""
        client = replica.client
        client.reply.raw(b"$%d\r\n" % size)
        offset = 0
        progress_s = time.monotonic()
        waiting_bytes = 0
        while offset < size and not client.is_closing():
            waiting_before, waiting_bytes = waiting_bytes, self.reactor.unsent_bytes(client)
            if waiting_bytes < _AHEAD_BYTES:
                piece = os.pread(fd, _PIECE_BYTES, offset)
                offset += len(piece)
                client.reply.raw(piece)
                self.server.mark_pending(client)
                self.reactor.flush_pending()
                progress_s = time.monotonic()
                await trio.lowlevel.checkpoint()
                continue
            if waiting_bytes < waiting_before:
                progress_s = time.monotonic()
            elif time.monotonic() - progress_s > self.server.config.repl_timeout:
                self._log("warning", f"Disconnecting timedout replica (full sync): {replica.name()}")
                self.server.close_client(client, CLOSE_NOW)
            await trio.sleep(_PACE_S)
        if not client.is_closing():
            sync.snapshot_was_sent(self.server, replica)
        self.reactor.flush_pending()

    def _log(self, level: str, message: str) -> None:
        self.server.host.log(level, message)


def _checked(chunks: Iterator[bytes], check: Any) -> Iterator[bytes]:
    for chunk in chunks:
        check()
        yield chunk
