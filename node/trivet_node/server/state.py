"""The state of a node that command handlers work on: everything but parsing, dispatch and I/O."""

from random import Random
from typing import Final, final

from mypy_extensions import i64

from trivet_node import limits
from trivet_node.blocking import Blocking
from trivet_node.client import MONITOR, PENDING, PRIMARY, TRACKING, UNAUTHENTICATED, Client
from trivet_node.cluster.machine import ClusterMachine
from trivet_node.command import Command
from trivet_node.config import Config
from trivet_node.debugging import DebugSwitches
from trivet_node.host import Host
from trivet_node.keyspace import Keyspace
from trivet_node.metering.hot_keys import HotKeys
from trivet_node.metering.slot_stats import SlotStats
from trivet_node.pauses import Pauses
from trivet_node.persistence.schedule import SnapshotState
from trivet_node.propagation import Propagation
from trivet_node.pubsub import PubSub
from trivet_node.replication.history import new_replication_id
from trivet_node.replication.replicas import ONLINE, RECEIVES_SNAPSHOT, SNAPSHOT_UNDER_WAY
from trivet_node.replication.state import Replication
from trivet_node.scripting.programs import Programs
from trivet_node.shutdown import Shutdown
from trivet_node.stats import Stats
from trivet_node.timing.clock import Clock
from trivet_node.timing.stopwatch import Stopwatch
from trivet_node.tracking import NOBODY, TrackingTable
from trivet_node.values.packing import PackingLimits
from trivet_wire.slots import SLOT_COUNT

# Checks that every command must pass while they are on. None is on in a plain primary: see Engine.
CHECK_CLUSTER: Final = 1 << 0
CHECK_READ_ONLY: Final = 1 << 1
CHECK_STALE: Final = 1 << 2
CHECK_LOADING: Final = 1 << 3
CHECK_GOOD_REPLICAS: Final = 1 << 4
CHECK_DISK: Final = 1 << 5
# Refuses nothing: it leads commands to server/metered_call.py.
CHECK_METERED: Final = 1 << 6
# Refuses nothing either: it leads commands to server/observed_call.py, which shows them to monitors.
CHECK_MONITORED: Final = 1 << 7
# Clients are paused, or those that write are: server/pausing.py says which have to wait.
CHECK_PAUSED: Final = 1 << 8
# A script runs for longer than busy-reply-threshold: others may end it, and little else.
CHECK_BUSY: Final = 1 << 9


@final
class Server:
    """One node. `random` and the clock (`keyspace.now_ms`, Unix milliseconds) come from outside.

    `clock` measures how long commands take; without one nothing takes any time.
    """

    def __init__(
        self, config: Config, host: Host, random: Random, run_id: str, now_ms: int, *, clock: Clock | None = None
    ) -> None:
        self.config: Config = config
        self.host: Host = host
        self.random: Random = random
        self.run_id: str = run_id
        self.started_ms: int = now_ms
        self.keyspace: Keyspace = Keyspace(config.database_count())
        self.keyspace.now_ms = now_ms
        self.keyspace.access.random = random
        # Up to which sizes collections are kept packed: the settings of that name.
        self.limits: PackingLimits = PackingLimits()
        # Which classes of keyspace events are published, as server/events.py numbers them; 0: none.
        self.event_classes: i64 = 0
        self.programs: Programs = Programs()
        self.table: dict[bytes, Command] = {}
        self.clients: dict[int, Client] = {}
        self.pending: list[Client] = []
        self.pubsub: PubSub = PubSub()
        self.stats: Stats = Stats()
        self.debug: DebugSwitches = DebugSwitches()
        self.stopwatch: Stopwatch = Stopwatch(clock or Clock())
        self.snapshots: SnapshotState = SnapshotState(config.save, now_ms)
        self.propagation: Propagation = Propagation()
        self.replication: Replication = Replication(new_replication_id(random))
        self.blocking: Blocking = Blocking()
        self.pauses: Pauses = Pauses()
        self.shutdown: Shutdown = Shutdown()
        # The clients that said MONITOR, by id, the oldest first.
        self.monitors: dict[int, Client] = {}
        self.tracking: TrackingTable = TrackingTable()
        # The client whose request runs now; not noted for those that nothing sets apart.
        self.caller: Client | None = None
        # Clients that track, and the keys (None: all) of which they hear when the caller's answer is complete.
        self.own_invalidations: list[tuple[Client, bytes | None]] = []
        # In cluster mode the cluster machine, and for every slot a 1 where its commands may simply run here.
        self.cluster: ClusterMachine | None = None
        self.served_slots: bytes = bytes(SLOT_COUNT)
        self.checks: i64 = 0
        # What commands cost, while somebody wants to know: see server/metering.py.
        self.slot_stats: SlotStats | None = None
        self.meters_slots: bool = False
        self.hot_keys: HotKeys | None = None
        # 0 outside commands, 1 inside one, more inside EXEC: only the outermost command propagates.
        self.call_depth: i64 = 0
        self._last_client_id: int = 0

    def commands(self) -> list[Command]:
        """Return every command once, without subcommands."""
        return [command for name, command in self.table.items() if name == command.name.encode()]

    def commands_with_subcommands(self) -> list[Command]:
        """Return every command and every subcommand once."""
        return [each for command in self.commands() for each in command.with_subcommands()]

    def find_command(self, name: bytes) -> Command | None:
        """Return the command that `name` or `container|name` stands for, in letters of any case."""
        first, _, second = name.lower().partition(b"|")
        found = self.table.get(first)
        return found.subcommands.get(second) if found is not None and second else found

    def connection_refusal(self, host: str) -> bytes:
        """Return the error for a new connection from `host` that is not to be served, or nothing."""
        refusal = limits.connection_refusal(self.config, len(self.clients), host)
        if refusal:
            self.stats.connections_rejected += 1
        return refusal

    def exceeds_output_limit(self, client: Client) -> bool:
        """Say whether a client has left more replies unread than client-output-buffer-limit allows."""
        waiting_bytes = int(client.unsent_bytes) + len(client.reply)
        exceeds = limits.exceeds_output_limit(self.config, client, waiting_bytes, int(self.keyspace.now_ms))
        if exceeds:
            self.stats.output_buffer_limit_disconnections += 1
            self.host.log("warning", f"Client {client.id} at {client.address} is too slow for its replies: closed.")
        return exceeds

    def exceeds_query_limit(self, client: Client) -> bool:
        """Say whether a client has sent more of an unfinished request than client-query-buffer-limit allows."""
        exceeds = limits.exceeds_query_limit(self.config, client)
        if exceeds:
            self.stats.query_buffer_limit_disconnections += 1
            self.host.log("warning", f"Client {client.id} at {client.address} reached max query buffer length: closed.")
        return exceeds

    def add_client(self, address: str, local_address: str) -> Client:
        """Return a new client for a connection just made."""
        self._last_client_id += 1
        keyspace = self.keyspace
        client = Client(self._last_client_id, keyspace.database(0), address, local_address, int(keyspace.now_ms))
        client.parser.bulk_max = self.config.proto_max_bulk_len
        self.demand_password(client)
        self.clients[client.id] = client
        self.stats.connections_received += 1
        return client

    def demand_password(self, client: Client) -> None:
        """Take back what a client has authenticated as, where there is a password."""
        if self.config.requirepass:
            client.flags |= UNAUTHENTICATED
            client.parser.authenticated = False
        else:
            client.flags &= ~UNAUTHENTICATED
            client.parser.authenticated = True

    def remove_client(self, client: Client) -> None:
        """Forget a client whose connection is gone."""
        self.pubsub.forget(client)
        self.unwatch_all(client)
        self.blocking.forget(client)
        self.stop_tracking(client)
        self.stop_monitoring(client)
        self.clients.pop(client.id, None)
        self._forget_link(client)

    def mark_pending(self, client: Client) -> None:
        """Let the shell look at `client` after this burst: bytes wait in its reply buffer, or it is to be closed."""
        if client.flags & PENDING == 0:
            client.flags |= PENDING
            self.pending.append(client)

    def close_client(self, client: Client, closing: i64) -> None:
        """Close a connection: `closing` is CLOSE_AFTER_REPLY or CLOSE_NOW."""
        client.flags |= closing
        self.blocking.forget(client)
        self.mark_pending(client)

    def unwatch_all(self, client: Client) -> None:
        """Drop every WATCH of a client."""
        watch = client.watch
        for index, key in watch.keys:
            self.keyspace.database(index).unwatch(key, watch)
        watch.keys.clear()
        watch.broken = False

    def stop_tracking(self, client: Client) -> None:
        """Let a client track no keys any longer; nothing happens where it does not. (CLIENT TRACKING OFF)"""
        if client.tracking is None:
            return
        for prefix in client.tracking.prefixes:
            self.tracking.leave(prefix, client.id)
        client.tracking = None
        client.flags &= ~TRACKING
        self.tracking.clients -= 1
        self.follow_no_more()

    def stop_monitoring(self, client: Client) -> None:
        """Show requests to a client no longer; nothing happens where that is so. (MONITOR)"""
        client.flags &= ~MONITOR
        self.monitors.pop(client.id, None)
        if not self.monitors:
            self.checks &= ~CHECK_MONITORED

    def follow_no_more(self) -> None:
        """Let no change of a key be noted where nobody tracks keys and none is remembered."""
        if self.tracking.is_empty():
            self.keyspace.follow(None)

    def caller_id(self) -> int:
        """Return the id of the client whose request runs now, NOBODY where it is not noted."""
        return NOBODY if self.caller is None else self.caller.id

    def collect_expired(self) -> None:
        """Collect the deletions of keys and fields that were found expired, to be propagated."""
        keyspace = self.keyspace
        if keyspace.expired:
            for index, key, fields in keyspace.expired:
                self.propagation.add_deletion(index, key, fields)
            keyspace.expired.clear()

    def propagate(self) -> bool:
        """Hand what the outermost command caused to those who follow this node; say whether there was anything."""
        data = self.propagation.take()
        if data:
            self.feed_stream(data)
        return len(data) != 0

    def feed_stream(self, data: bytes) -> None:
        """Append bytes to the replication stream."""
        self.replication.append(data)
        for replica in self.replication.replicas.following:
            if replica.state == ONLINE:
                replica.client.reply.raw(data)
                self.mark_pending(replica.client)
            elif replica.state in (SNAPSHOT_UNDER_WAY, RECEIVES_SNAPSHOT):
                replica.hold(data)

    def _forget_link(self, client: Client) -> None:
        """Drop what replication knows of a connection that is gone."""
        replication = self.replication
        replica = replication.replicas.forget(client)
        if replica is not None:
            self.host.log("warning", f"Connection with replica {replica.name()} lost.")
            if not replication.replicas.following:
                replication.no_replicas_since_ms = int(self.keyspace.now_ms)
        if client.flags & PRIMARY != 0 and replication.upstream is not None and replication.upstream.client is client:
            self.host.primary_link_lost()
