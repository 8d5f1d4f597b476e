"""All that a node knows of its cluster, and the small questions that every part of the machine asks about it."""

from random import Random
from typing import Final, final

from mypy_extensions import i64

from trivet_node.cluster.effects import Effect, Log
from trivet_node.cluster.nodes import MYSELF, NEVER, PRIMARY, REPLICA, ClusterNode
from trivet_node.cluster.options import ClusterOptions
from trivet_node.cluster.slots import SlotTable
from trivet_wire.slots import SLOT_COUNT

# What is left to do at the end of a step.
SAVE: Final = 1 << 0
SAVE_DURABLY: Final = 1 << 1
# What this node says of itself has changed: everybody hears it at once.
ANNOUNCE: Final = 1 << 2
# Something was learned about others: it is passed on soon, together with what else is learned meanwhile.
SPREAD: Final = 1 << 3


@final
class Link:
    """A bus link. `node` is whom it leads to; None for one that somebody made to us, until its sender is known."""

    def __init__(self, number: int, node: ClusterNode | None, created_ms: int) -> None:
        self.number: int = number
        self.node: ClusterNode | None = node
        self.created_ms: int = created_ms
        # What the socket did not take yet: kept true by the shell.
        self.unsent_bytes: int = 0


@final
class Traffic:
    """How many messages of each kind were sent and received, by the names of CLUSTER INFO."""

    def __init__(self) -> None:
        self.sent: dict[str, int] = {}
        self.received: dict[str, int] = {}


@final
class Candidacy:
    """A replica's attempt to be elected by the primaries; see election.py."""

    def __init__(self) -> None:
        # When votes are asked for; NEVER where no election is under way.
        self.ask_at_ms: int = NEVER
        # When it is given up, once votes were asked for.
        self.ends_ms: int = NEVER
        # An operator wants it, whether or not the primary has failed.
        self.forced: bool = False
        self.epoch: int = 0
        self.votes: set[str] = set()


@final
class ClusterState:
    """State of one node's cluster machine; `now_ms` is monotonic milliseconds."""

    def __init__(self, options: ClusterOptions, random: Random, myself: ClusterNode) -> None:
        self.options: ClusterOptions = options
        self.random: Random = random
        self.now_ms: int = 0
        # Added to `now_ms` this makes Unix time, for people to read.
        self.unix_offset_ms: int = 0
        self.myself: ClusterNode = myself
        self.nodes: dict[str, ClusterNode] = {myself.id: myself}
        self.table: SlotTable = SlotTable()
        self.current_epoch: int = 0
        self.last_vote_epoch: int = 0
        self.healthy: bool = False
        # 1 for every slot whose commands run here without further thought: what the engine's fast path looks at.
        self.served_slots: bytes = bytes(SLOT_COUNT)
        # The state was read from a file: the others may have moved on since this node was last up.
        self.restored: bool = False
        self.started_ms: int = NEVER
        self.in_minority: bool = False
        self.minority_ended_ms: int = NEVER
        # Nodes that must not be added again by gossip, and until when.
        self.forgotten: dict[str, int] = {}
        # Nodes that others should hear of soon.
        self.news: dict[str, ClusterNode] = {}
        self.spread_at_ms: int = NEVER
        self.candidacy: Candidacy = Candidacy()
        # For how long this replica has had no link to its primary; 0 while there is one. The shell keeps it true.
        self.primary_link_down_ms: int = 0
        self.links: dict[int, Link] = {}
        self.next_link: int = 1
        self.traffic: Traffic = Traffic()
        # Messages of this kind are dropped when they come in. (DEBUG DROP-CLUSTER-PACKET-FILTER)
        self.dropped_kind: str = ""
        self.todo: i64 = 0
        self.effects: list[Effect] = []

    def others(self) -> list[ClusterNode]:
        """Return the nodes that are known by name, without this one."""
        return [node for node in self.nodes.values() if node is not self.myself and not node.is_handshaking()]

    def primary_of(self, node: ClusterNode) -> ClusterNode | None:
        """Return the node that `node` replicates; None for a primary, or where that node is not known."""
        return self.nodes.get(node.primary_id) if node.primary_id else None

    def replicas_of(self, primary: ClusterNode) -> list[ClusterNode]:
        """Return the replicas of a primary, by id."""
        return [self.nodes[name] for name in sorted(self.nodes) if self.nodes[name].primary_id == primary.id]

    def claimant(self, node: ClusterNode) -> ClusterNode | None:
        """Return whose slots and epoch `node` speaks for: a primary for itself, a replica for its primary."""
        return node if node.is_primary() else self.primary_of(node)

    def shard_slots(self) -> int:
        """Return the slots that this node, or the primary that it follows, owns."""
        primary = self.claimant(self.myself)
        return 0 if primary is None else primary.slots

    def shard_of(self, node: ClusterNode) -> list[ClusterNode]:
        """Return the nodes that serve the same slots as `node`, without itself."""
        primary = self.claimant(node)
        if primary is None:
            return []
        return [
            other
            for other in self.nodes.values()
            if other is not node and (other is primary or other.primary_id == primary.id)
        ]

    def voters(self) -> list[ClusterNode]:
        """Return the primaries that own slots."""
        return [node for node in self.nodes.values() if node.is_voter()]

    def quorum(self) -> int:
        """Return how many primaries are a majority."""
        return len(self.voters()) // 2 + 1

    def make_primary(self, node: ClusterNode) -> None:
        """Note that a node is a primary now."""
        node.flags = (node.flags & ~REPLICA) | PRIMARY
        node.primary_id = ""
        self.todo |= SAVE

    def make_replica(self, node: ClusterNode, primary_id: str) -> None:
        """Note that a node follows a primary now; it owns no slots from here on."""
        if node.slots:
            self.table.release(node.slots)
        node.flags = (node.flags & ~PRIMARY) | REPLICA
        node.primary_id = primary_id
        self.todo |= SAVE

    def remove(self, node: ClusterNode) -> None:
        """Forget a node, its slots and what it reported. Its links must be closed before."""
        self.table.release(node.slots)
        del self.nodes[node.id]
        self.news.pop(node.id, None)
        for other in self.nodes.values():
            other.reports.pop(node.id, None)

    def log(self, level: str, text: str) -> None:
        """Have a line written to the log."""
        self.effects.append(Log(level, text))


def new_state(options: ClusterOptions, random: Random, node_id: str, shard_id: str) -> ClusterState:
    """Return the state of a node that belongs to no cluster yet: a primary without slots."""
    myself = ClusterNode(node_id, MYSELF | PRIMARY)
    myself.shard_id = shard_id
    return ClusterState(options, random, myself)
