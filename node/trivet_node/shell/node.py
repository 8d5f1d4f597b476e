"""A node as a process: the engine, the reactor, and the trio tasks around them.

clients    waits for the epoll object and runs bursts
load       before anything else, the snapshot on disk
cron       `hz` times a second, less often while nothing waits for time: time passes for the engine, idle clients
           go, garbage is collected
signals    SIGTERM and SIGINT shut down
"""

import gc
import os
import random
import signal
import socket
import sys
import time
from typing import BinaryIO, Final

import trio

from trivet_node.client import CLOSE_NOW, Client
from trivet_node.cluster.effects import Effect
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import Exchange, Host
from trivet_node.persistence.facts import history_point
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.persistence.rdb_reader import KEEP_EXPIRED, RdbReader
from trivet_node.server import shutting_down
from trivet_node.server.replicating import roles
from trivet_node.server.scripts.loading import compiled
from trivet_node.server.state import CHECK_LOADING, Server
from trivet_node.shell.bus import Bus, join_cluster
from trivet_node.shell.clock import SystemClock
from trivet_node.shell.config_files import rewrite_config_file
from trivet_node.shell.disk import load_snapshot
from trivet_node.shell.instances import OtherInstances
from trivet_node.shell.invocation import Invocation
from trivet_node.shell.links import PrimaryLink
from trivet_node.shell.live_settings import apply_to_shell
from trivet_node.shell.oom_score import PRIMARY, REPLICA, OomScore
from trivet_node.shell.process import allocator_report, memory_facts, process_facts, release_memory
from trivet_node.shell.reactor import Reactor
from trivet_node.shell.snapshots import Snapshots
from trivet_node.shutdown import NONE
from trivet_wire.process import log
from trivet_wire.process.clock import unix_ms
from trivet_wire.process.supervision import notify_systemd

# Waking up is most of what an idle node costs.
_IDLE_CRON_S: Final = 0.25
# In seconds of a node whose time presses.
_COLLECT_MIDDLE_EVERY_S: Final = 60
_MS_PER_S: Final = 1000


class Node(Host):
    """One running node, and the outside world for its engine."""

    def __init__(self, config: Config, invocation: Invocation, supervisor: str = "no") -> None:
        self.config = config
        self.invocation = invocation
        self.supervisor = supervisor
        # Where the process is to start again after run(): how long after.
        self.restart_delay_ms: int | None = None
        source = random.SystemRandom()
        run_id = f"{source.getrandbits(160):040x}"
        self.server = Server(
            config, self, random.Random(source.getrandbits(64)), run_id, unix_ms(), clock=SystemClock()
        )
        self.engine = Engine(self.server)
        self.reactor = Reactor(self.engine)
        self.link = PrimaryLink(self.engine, self.reactor)
        self.oom_score = OomScore(config)
        self.snapshots = Snapshots(self.server, self.reactor, self.oom_score)
        self.instances = OtherInstances()
        self._memory_at_start = memory_facts()["used_memory"]
        # Only in cluster mode.
        self.bus: Bus | None = None
        self._stop = trio.Event()
        self._time_presses = trio.Event()

    def join_cluster(self, listeners: list[socket.socket]) -> None:
        """Begin cluster mode with nodes.conf, on the sockets of the bus. Raises OSError or ConfigFileError."""
        join_cluster(self.server)
        self.bus = Bus(self.server, listeners, self.reactor.flush_pending)

    async def run(self, listeners: list[socket.socket]) -> int:
        """Serve until a shutdown is requested; return the exit status of the process."""
        gc.disable()
        for listener in listeners:
            self.reactor.listen(listener)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve_clients)
                nursery.start_soon(self._handle_signals)
                if not await self._load():
                    nursery.cancel_scope.cancel()
                    return 1
                nursery.start_soon(self._cron)
                nursery.start_soon(self.snapshots.run)
                nursery.start_soon(self.link.run)
                if self.bus is not None:
                    nursery.start_soon(self.bus.run)
                log.log("notice", "Ready to accept connections")
                self.tell_supervisor("STATUS=Ready to accept connections\nREADY=1")
                await self._stop.wait()
                nursery.cancel_scope.cancel()
        finally:
            # What replicas have not been sent yet is sent now, as far as the kernel takes it.
            self.reactor.flush_pending()
            self.reactor.close_all()
            self.instances.close_all()
        log.log("warning", "Trivet is now ready to exit, bye bye...")
        return 0

    def save(self) -> bool:
        """Write a snapshot while everything waits."""
        return self.snapshots.save()

    def start_background_save(self) -> bool:
        """Fork a child that writes a snapshot."""
        return self.snapshots.start_background_save()

    def stop_background_save(self) -> None:
        """End the child that writes a snapshot."""
        self.snapshots.stop_background_save()

    def start_replica_snapshot(self) -> bool:
        """Fork a child that writes a snapshot for replicas."""
        return self.snapshots.start_replica_snapshot()

    def primary_changed(self) -> None:
        """Follow the primary that the server has now, or none."""
        self._show_role()
        self._settle_oom_score()
        self.link.primary_changed()

    def primary_link_lost(self) -> None:
        """Connect to the primary again."""
        self.link.link_lost()

    def gather_packets(self, client: Client) -> None:
        """Send what is written to a client in few large packets."""
        self.reactor.gather_packets(client)

    def perform(self, effect: Effect) -> None:
        """Do what the cluster machine wants done with files and links."""
        if self.bus is not None:
            self.bus.perform(effect)

    def request_shutdown(self) -> None:
        """End the process after the present burst."""
        self._stop.set()

    def tell_supervisor(self, text: str) -> None:
        """Tell systemd, if it has started this process, what the node is about to do."""
        if self.supervisor == "systemd":
            notify_systemd(text)

    def restart_at_end(self, delay_ms: int) -> None:
        """Start the process again after its end."""
        self.restart_delay_ms = delay_ms

    def restart_now(self, delay_ms: int) -> None:
        """Start the process again without ending it in an orderly way."""
        self.invocation.repeat(delay_ms)

    def crash(self, signal_number: int, reason: str) -> None:
        """End the process at once, by a signal."""
        log.log("warning", reason)
        signal.raise_signal(signal_number)

    def open_snapshot(self) -> BinaryIO:
        """Open the snapshot on disk for reading."""
        return self.snapshots.path().open("rb")

    def print_text(self, text: bytes) -> None:
        """Write to the standard output."""
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()

    def sleep(self, seconds: float) -> None:
        """Stop the whole node for a while."""
        time.sleep(seconds)

    def process_facts(self) -> dict[str, int]:
        """Return what INFO says of the process."""
        return {
            **process_facts(),
            "used_memory_startup": self._memory_at_start,
            "migrate_cached_sockets": len(self.instances),
        }

    def allocator_report(self) -> str:
        """Return what the memory allocator tells of itself."""
        return allocator_report()

    def release_memory(self) -> None:
        """Give memory that is not used back to the system."""
        release_memory()

    def rewrite_config(self, every: bool = False) -> str:
        """Write the settings that count now to the configuration file."""
        return rewrite_config_file(self.config, every)

    def settings_changed(self, attributes: list[str]) -> str:
        """Follow settings that concern sockets, the log or the process."""
        if {"oom_score_adj", "oom_score_adj_values"} & set(attributes) and not self._settle_oom_score():
            return "Failed to apply new oom_score_adj configuration, check server logs."
        return apply_to_shell(self.config, self.reactor, attributes)

    def exchange(self, host: str, port: int, requests: bytes, answers: int, timeout_ms: int) -> Exchange:
        """Send requests to another instance and return its answers while everything waits."""
        return self.instances.exchange(host, port, requests, answers, timeout_ms)

    def serve_others(self, busy: Client) -> bool:
        """Serve other clients while a request of `busy` still runs; say whether the node goes on."""
        self.reactor.serve_others(busy)
        return not self._stop.is_set()

    def log(self, level: str, message: str) -> None:
        """Write a line to the log."""
        log.log(level, message)

    def log_exception(self, message: str) -> None:
        """Write a line and the traceback of the exception being handled to the log."""
        log.log_exception(message)

    async def _serve_clients(self) -> None:
        reactor = self.reactor
        while True:
            await trio.lowlevel.wait_readable(reactor.epoll)
            try:
                reactor.run()
                if self.engine.is_time_pressing():
                    self._time_presses.set()
            except Exception:
                log.log_exception("A burst failed; the clients it served may have lost replies")

    async def _rest(self) -> None:
        """Wait for the next tick; what comes to wait for time meanwhile cuts an idle rest short."""
        cron_s = 1 / self.config.hz
        if self.engine.is_time_pressing():
            await trio.sleep(cron_s)
            return
        self._time_presses = trio.Event()
        with trio.move_on_after(max(cron_s, _IDLE_CRON_S)):
            await self._time_presses.wait()

    async def _cron(self) -> None:
        ticks = 0
        while True:
            await self._rest()
            ticks += 1
            while self.engine.tick(unix_ms()):
                self.reactor.lingers = False
                self.reactor.flush_pending()
                await trio.lowlevel.checkpoint()
            self.reactor.lingers = True
            ticks_each_second = self.config.hz
            if ticks % ticks_each_second == 0 and not self.server.debug.cron_paused:
                self._review_clients()
            self.reactor.flush_pending()
            if ticks % (_COLLECT_MIDDLE_EVERY_S * ticks_each_second) == 0:
                gc.collect(1)
            elif ticks % ticks_each_second == 0:
                gc.collect(0)

    def _show_role(self) -> None:
        log.set_role("M" if self.server.replication.upstream is None else "S")

    def _settle_oom_score(self) -> bool:
        """Take on the oom score of this node's role; say whether that worked."""
        failure = self.oom_score.apply(PRIMARY if self.server.replication.upstream is None else REPLICA)
        if failure:
            log.log("warning", failure)
        return not failure

    def _note_load(self, reader: RdbReader, size_bytes: int) -> None:
        self.server.snapshots.load_began(reader, size_bytes, unix_ms())

    async def _load(self) -> bool:
        """Load the snapshot on disk, if there is one; say whether the node may go on."""
        server = self.server
        roles.begin(server)
        self._show_role()
        self._settle_oom_score()
        self.tell_supervisor("STATUS=Loading the data set...")
        server.checks |= CHECK_LOADING
        is_replica = server.replication.upstream is not None
        started_s = time.monotonic()
        path = self.snapshots.path()
        try:
            # A replica keeps expired keys until its primary deletes them.
            expired_before_ms = KEEP_EXPIRED if is_replica else unix_ms()
            reader = await load_snapshot(path, server, expired_before_ms, self._note_load)
            if reader is not None:
                server.programs.libraries = compiled(server, reader)
        except (RdbError, OSError) as error:
            log.log("warning", f"Fatal error loading the DB from {path}: {error}. Exiting; the file was not changed.")
            return False
        server.checks &= ~CHECK_LOADING
        server.snapshots.loaded(int(server.keyspace.dirty))
        # What is there now stays: no collection of garbage needs to look at it again.
        gc.freeze()
        if reader is not None:
            point = history_point(reader.facts)
            if point is not None:
                roles.resume(server, point)
            keys = f"keys loaded: {reader.keys_loaded}, keys expired: {reader.keys_expired}"
            if reader.empty_keys_skipped:
                keys += f", empty keys skipped: {reader.empty_keys_skipped}"
            log.log("notice", f"Done loading RDB, {keys}.")
            log.log("notice", f"DB loaded from disk: {time.monotonic() - started_s:.3f} seconds")
        return True

    def _review_clients(self) -> None:
        """Close connections that are idle too long, and clients that read too slowly or send an endless request."""
        self.instances.close_unused()
        server = self.server
        timeout_s = self.config.timeout
        idle_since_ms = unix_ms() - timeout_s * _MS_PER_S if timeout_s else 0
        for client in list(server.clients.values()):
            if client.last_active_ms < idle_since_ms and client.may_time_out():
                log.log("verbose", "Closing idle client")
                server.close_client(client, CLOSE_NOW)
            elif (client.unsent_bytes and server.exceeds_output_limit(client)) or server.exceeds_query_limit(client):
                server.close_client(client, CLOSE_NOW)

    async def _handle_signals(self) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async for number in received:
                if number == signal.SIGINT and self.server.shutdown.state != NONE:
                    log.log("warning", "You insist... exiting now.")
                    os._exit(1)
                log.log("warning", f"Received {signal.Signals(number).name} scheduling shutdown...")
                config = self.config
                wishes = config.shutdown_on_sigint if number == signal.SIGINT else config.shutdown_on_sigterm
                self.server.keyspace.now_ms = unix_ms()
                shutting_down.begin(self.server, frozenset(wishes))
                self.reactor.flush_pending()
