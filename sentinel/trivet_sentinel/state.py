"""What a sentinel knows: the groups it watches, their nodes, the other sentinels, and the links to all of them.

    Sentinel          one process: identity, epoch, everything below; collects the effects of the step that is running
      Group           a primary and its replicas, monitored under one name by one quorum
        Node          a data server; its place in the group says whether it should be primary or replica
        Peer          another sentinel that watches the same group, and what it last said about it
        Failover      the failover of this group that this sentinel leads, if there is one
      Cluster         a cluster whose shards are groups; see clusters.py
      Link            one connection, shared by all who talk to the same address

These classes hold facts and the arithmetic on them. What follows from the facts is decided in detection.py,
election.py, failover.py, nodes.py and clusters.py. Times are monotonic milliseconds; None means that it never
happened.
"""

import enum
from collections import deque
from collections.abc import Callable
from random import Random

import attrs

from trivet_sentinel.events import Announce, Effect, LogLine, Reply, RunScript, SaveState

NEVER_DUE_MS = 2**62

OnReply = Callable[[Reply], None]


@attrs.frozen
class Address:
    """Where a server listens: an IP address or a hostname, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@attrs.frozen
class Credentials:
    """What to AUTH with; an empty password means that AUTH is not sent."""

    user: str = ""
    password: str = ""


@attrs.define(eq=False)
class Link:
    """One connection to one address.

    `waiting_since_ms` is the heart of failure detection: the moment since which the peer owes us a valid answer to
    PING. It starts with the first PING that is not answered or with the loss of the connection, whichever is earlier,
    and only a valid answer clears it.
    """

    id: int
    address: Address
    subscribes: bool
    credentials: Credentials
    waiting_since_ms: int | None
    last_pong_ms: int
    last_valid_pong_ms: int
    is_open: bool = False
    is_opening: bool = False
    retry_at_ms: int = -NEVER_DUE_MS
    opened_ms: int = 0
    activity_ms: int = 0
    ping_sent_ms: int | None = None
    ping_outstanding: bool = False
    local_host: str = ""
    users: int = 1
    pending: deque[OnReply] = attrs.field(factory=deque)


@attrs.define(eq=False)
class Instance:
    """A server of either kind, reached over `link`."""

    address: Address
    link: Link
    run_id: str = ""
    down_since_ms: int | None = None
    hello_sent_ms: int | None = None


class Reconfiguration(enum.Enum):
    """How far a replica has come in following the promoted one."""

    NOT_SENT = enum.auto()
    SENT = enum.auto()
    IN_PROGRESS = enum.auto()
    DONE = enum.auto()


@attrs.define(eq=False)
class Node(Instance):
    """A data server, with what its last INFO said. `role` is `master` or `slave`, as INFO spells them."""

    subscription: Link | None = None
    info_text: str = ""
    info_sent_ms: int | None = None
    info_received_ms: int | None = None
    role: str = ""
    role_since_ms: int = 0
    primary_host: str = ""
    primary_port: int = 0
    primary_address_since_ms: int = 0
    primary_link_up: bool = False
    primary_link_down_ms: int = 0
    priority: int = 100
    offset: int = 0
    is_announced: bool = True
    # True from the moment it lost the primary's place until it says itself that it is a replica.
    is_dethroned: bool = False
    reattached_ms: int | None = None
    script_kill_sent: bool = False
    reconfiguration: Reconfiguration = Reconfiguration.NOT_SENT
    reconfiguration_changed_ms: int = 0
    # The node's name in its cluster's gossip; empty outside a cluster.
    node_id: str = ""
    missing_polls: int = 0


@attrs.define(eq=False)
class Peer(Instance):
    """Another sentinel, with what it last said about the group."""

    says_down: bool = False
    said_ms: int | None = None
    asked_ms: int | None = None
    leader: str = ""
    leader_epoch: int = 0
    hello_received_ms: int = 0
    config_epoch: int = 0


@attrs.define
class Settings:
    """A group's options, named as `sentinel OPTION NAME VALUE` spells them (in the units of Redis' sentinel.conf)."""

    quorum: int
    down_after_ms: int = 30_000
    failover_timeout_ms: int = 180_000
    parallel_syncs: int = 1
    auth_user: str = ""
    auth_pass: str = ""
    notification_script: str = ""
    client_reconfig_script: str = ""
    renamed_commands: dict[str, str] = attrs.field(factory=dict)

    @property
    def credentials(self) -> Credentials:
        """Return what to AUTH with on the group's nodes."""
        return Credentials(self.auth_user, self.auth_pass)


class FailoverState(enum.Enum):
    """The steps of a failover, under Redis' names."""

    WAIT_START = "wait_start"
    SELECT_REPLICA = "select_slave"
    SEND_PROMOTION = "send_slaveof_noone"
    WAIT_PROMOTION = "wait_promotion"
    RECONFIGURE_REPLICAS = "reconf_slaves"
    UPDATE_CONFIG = "update_config"


@attrs.define(eq=False)
class Failover:
    """A failover that this sentinel runs. `timeline` collects (event, ms) for the summary in the log."""

    epoch: int
    started_ms: int
    state: FailoverState
    state_changed_ms: int
    is_forced: bool = False
    promoted: Node | None = None
    promotion_sent_ms: int | None = None
    timeline: list[tuple[str, int]] = attrs.field(factory=list)

    def is_promoted(self) -> bool:
        """Return whether the new primary has confirmed its role, so that the group's address is already the new one."""
        return self.state in (FailoverState.RECONFIGURE_REPLICAS, FailoverState.UPDATE_CONFIG)


@attrs.define(eq=False)
class Group:
    """A primary and its replicas under one name. `leader` is whom this sentinel voted for in `leader_epoch`."""

    name: str
    primary: Node
    settings: Settings
    config_epoch: int = 0
    leader: str = ""
    leader_epoch: int = 0
    replicas: dict[Address, Node] = attrs.field(factory=dict)
    peers: dict[str, Peer] = attrs.field(factory=dict)
    objectively_down_since_ms: int | None = None
    failover: Failover | None = None
    next_attempt_ms: int | None = None
    failed_attempts: int = 0
    no_good_replica_told: bool = False
    # The cluster and the stable shard id that this group stands for; empty for a plain primary.
    cluster: str = ""
    shard_id: str = ""

    def nodes(self) -> list[Node]:
        """Return the primary and the replicas."""
        return [self.primary, *self.replicas.values()]

    def current_primary(self) -> Node:
        """Return the node that clients should use: a promoted replica as soon as it has confirmed its role."""
        if self.failover is not None and self.failover.is_promoted() and self.failover.promoted is not None:
            return self.failover.promoted
        return self.primary

    def voters(self) -> int:
        """Return how many sentinels watch this group, ourselves included."""
        return len(self.peers) + 1

    def majority(self) -> int:
        """Return how many votes make a leader, quorum aside."""
        return self.voters() // 2 + 1


@attrs.define(eq=False)
class Cluster:
    """A cluster that is followed by its own account of its shards; `known` are the addresses that can give it."""

    name: str
    seed: Address
    settings: Settings
    known: list[Address] = attrs.field(factory=list)
    link: Link | None = None
    asked_ms: int | None = None
    answered_ms: int | None = None
    missing_polls: dict[str, int] = attrs.field(factory=dict)


@attrs.define
class Options:
    """What holds for the whole sentinel rather than for one group."""

    announce_ip: str = ""
    announce_port: int = 0
    resolve_hostnames: bool = True
    announce_hostnames: bool = False
    deny_scripts_reconfig: bool = True
    sentinel_user: str = ""
    sentinel_pass: str = ""
    requirepass: str = ""
    port: int = 26379
    # Clients that come in through this port are told external endpoints of nodes; 0 where there is none.
    external_port: int = 0

    @property
    def peer_credentials(self) -> Credentials:
        """Return what to AUTH with on other sentinels: sentinel-pass, or else our own requirepass, as Redis does."""
        return Credentials(self.sentinel_user, self.sentinel_pass or self.requirepass)


@attrs.define(eq=False)
class Sentinel:
    """All that one sentinel knows, and the effects that the running step has asked for so far."""

    my_id: str
    random: Random
    options: Options = attrs.field(factory=Options)
    current_epoch: int = 0
    groups: dict[str, Group] = attrs.field(factory=dict)
    clusters: dict[str, Cluster] = attrs.field(factory=dict)
    links: dict[tuple[Address, bool, Credentials], Link] = attrs.field(factory=dict)
    links_by_id: dict[int, Link] = attrs.field(factory=dict)
    resolved: dict[str, str] = attrs.field(factory=dict)
    # What nodes of clusters tell of themselves: address inside -> address outside.
    external_endpoints: dict[Address, Address] = attrs.field(factory=dict)
    now_ms: int = 0
    tilt_since_ms: int | None = None
    tilt_until_ms: int = 0
    deadline_ms: int = NEVER_DUE_MS
    effects: list[Effect] = attrs.field(factory=list)
    # A dict serves as a set that keeps its order, so that equal seeds give equal runs.
    touched: dict[str, None] = attrs.field(factory=dict)
    topology_changed: bool = False
    next_link_id: int = 1

    @property
    def in_tilt(self) -> bool:
        """Return whether time stood still for this process so recently that it must not judge others."""
        return self.tilt_since_ms is not None

    def wake_at(self, moment_ms: int) -> None:
        """Ask for a Tick at `moment_ms` at the latest."""
        self.deadline_ms = min(self.deadline_ms, max(moment_ms, self.now_ms + 1))

    def touch(self, group: Group) -> None:
        """Ask for a review of `group` at the end of this step."""
        self.touched[group.name] = None

    def save(self) -> None:
        """Ask for the state to be saved before what is asked for next.

        Effects are carried out after the step, so the first save of a step already writes what the whole step decided.
        """
        if SaveState() not in self.effects:
            self.effects.append(SaveState())

    def announce(self, name: str, text: str, group: Group | None = None, warning: bool = True) -> None:
        """Tell an event; events that are warnings also go to the group's notification script."""
        self.effects.append(Announce(name, text, warning, group.name if group else ""))
        if warning and group is not None and group.settings.notification_script:
            self.effects.append(RunScript(group.settings.notification_script, (name, text)))
        if group is not None and group.failover is not None:
            group.failover.timeline.append((name, self.now_ms))

    def log(self, text: str) -> None:
        """Write a line to the log."""
        self.effects.append(LogLine(text))

    def ip(self, host: str) -> str:
        """Return the IP address that `host` was last seen to have, or `host` itself where none was seen."""
        return self.resolved.get(host, host)

    def shown_host(self, address: Address) -> str:
        """Return how the address's host is told to others (announce-hostnames)."""
        return address.host if self.options.announce_hostnames else self.ip(address.host)

    def same_address(self, one: Address, other: Address) -> bool:
        """Return whether two addresses mean one server, by name or by the IP address behind the name."""
        return one == other or (one.port == other.port and self.ip(one.host) == self.ip(other.host))

    def find_node(self, group: Group, address: Address) -> Node | None:
        """Return the node of `group` that listens at `address`."""
        for node in group.nodes():
            if self.same_address(node.address, address):
                return node
        return None

    def describe(self, group: Group, instance: Instance) -> str:
        """Return how events name an instance: `KIND NAME IP PORT`, with `@ GROUP IP PORT` behind all but primaries."""
        primary_host = self.shown_host(group.primary.address)
        place = f"{group.name} {primary_host} {group.primary.address.port}"
        if instance is group.primary:
            return f"master {place}"
        host, port = self.shown_host(instance.address), instance.address.port
        if isinstance(instance, Peer):
            return f"sentinel {instance.run_id} {host} {port} @ {place}"
        return f"slave {host}:{port} {host} {port} @ {place}"

    def announce_instance(self, name: str, group: Group, instance: Instance, extra: str = "") -> None:
        """Tell an event about one instance, `extra` behind its description."""
        quiet = name in _QUIET_EVENTS
        self.announce(name, self.describe(group, instance) + extra, group, warning=not quiet)


_QUIET_EVENTS = frozenset(
    {
        "+slave",
        "+sentinel",
        "+fix-slave-config",
        "+convert-to-slave",
        "+role-change",
        "-role-change",
        "+reboot",
        "+slave-reconf-sent",
        "+slave-reconf-inprog",
        "+slave-reconf-done",
        "+failover-state-send-slaveof-noone",
        "+failover-state-wait-promotion",
        "-dup-sentinel",
    }
)
