"""The cluster machine: what happened goes in, what is to be done comes out.

    step(event, now_ms)   returns effects, to be carried out in their order
    next_deadline()       when step(Tick()) is due although nothing happens

CLUSTER subcommands change the state through administration.py and then call settle(), whose effects take() returns.
Times are monotonic milliseconds. A step ends with what follows from the change as a whole: the health of the cluster,
which slots are served here, whom to replicate from, what must be saved, and what the others must hear at once.
"""

from typing import Final, final

from trivet_node.cluster import election, gossip, messages
from trivet_node.cluster.effects import (
    BecomePrimary,
    Effect,
    Event,
    FollowPrimary,
    LinkDown,
    LinkUp,
    Received,
    ReviewChannels,
    SaveConfig,
)
from trivet_node.cluster.gossip import NodeRecord
from trivet_node.cluster.health import patience_ends_ms, update_health
from trivet_node.cluster.heartbeats import ROUTINE_PING_MS, node_due_ms, ping_routinely, tend_nodes
from trivet_node.cluster.nodes import NEVER, earliest
from trivet_node.cluster.ownership import avoid_chain
from trivet_node.cluster.receiving import link_down, link_up, receive
from trivet_node.cluster.slots import slot_ranges
from trivet_node.cluster.state import ANNOUNCE, SAVE, SAVE_DURABLY, SPREAD, ClusterState
from trivet_wire.slots import SLOT_COUNT

# What is learned within this time is passed on together; a large cluster collects for longer.
_SPREAD_DELAY_MS: Final = 10


@final
class ClusterMachine:
    """One node's part in the cluster. `state` may be read by anybody and is changed by this package alone."""

    def __init__(self, state: ClusterState) -> None:
        self.state: ClusterState = state
        self._next_routine_ms: int = NEVER
        # Before this time no node needs to be looked at; 0 where that is not known.
        self._due_ms: int = 0
        self._records: dict[bytes, NodeRecord] = {}
        # What the node was last told to replicate from; an empty host means that it is a primary.
        self._followed: tuple[str, int] = ("", 0)
        self._served_version: int = -1
        self._served_by: tuple[bool, bool] = (False, False)
        # Version of the slot table and the primary, when the channels of shards were last looked at.
        self._shard: tuple[int, str] = (-1, "")

    def step(self, event: Event, now_ms: int) -> list[Effect]:
        """Let `event` happen at `now_ms` and return what is to be done."""
        state = self.state
        state.now_ms = now_ms
        if state.started_ms == NEVER:
            state.started_ms = now_ms
            self._next_routine_ms = now_ms + ROUTINE_PING_MS
        if isinstance(event, Received):
            receive(state, event, self._records)
        elif isinstance(event, LinkUp):
            link_up(state, event.link)
        elif isinstance(event, LinkDown):
            link_down(state, event.link)
        if now_ms >= self._due_ms:
            tend_nodes(state)
            if now_ms >= self._next_routine_ms:
                self._next_routine_ms = now_ms + ROUTINE_PING_MS
                ping_routinely(state)
        election.tend(state)
        self.settle()
        return self.take()

    def settle(self) -> None:
        """Draw the conclusions from whatever was changed."""
        state = self.state
        avoid_chain(state)
        update_health(state)
        self._update_served_slots()
        self._update_shard()
        self._update_followed()
        self._announce()

    def take(self) -> list[Effect]:
        """Return the effects collected, what must be saved first, and forget them."""
        state = self.state
        effects = state.effects
        state.effects = []
        if state.todo & (SAVE | SAVE_DURABLY) != 0:
            effects.insert(0, SaveConfig(state.todo & SAVE_DURABLY != 0))
            state.todo &= ~(SAVE | SAVE_DURABLY)
        return effects

    def next_deadline(self) -> int:
        """Return when the next Tick is due, in monotonic milliseconds."""
        state = self.state
        self._due_ms = self._next_routine_ms
        for node in state.nodes.values():
            if node is not state.myself:
                self._due_ms = earliest(self._due_ms, node_due_ms(state, node))
        due_ms = earliest(self._due_ms, earliest(state.spread_at_ms, election.due_ms(state)))
        patience_ms = patience_ends_ms(state)
        return earliest(due_ms, patience_ms) if not state.healthy and patience_ms > state.now_ms else due_ms

    def publish(self, channel: bytes, message: bytes) -> None:
        """Tell all nodes what was published here; take() returns how."""
        messages.publish(self.state, gossip.PUBLISH, channel, message, self.state.others())

    def publish_to_shard(self, channel: bytes, message: bytes) -> None:
        """Tell the nodes that serve the same slots what was published here; take() returns how."""
        shard = self.state.shard_of(self.state.myself)
        messages.publish(self.state, gossip.PUBLISH_SHARD, channel, message, shard)

    def _update_served_slots(self) -> None:
        state = self.state
        by = (state.healthy, state.myself.is_primary())
        if self._served_version == state.table.version and self._served_by == by:
            return
        self._served_version = state.table.version
        self._served_by = by
        served = bytearray(SLOT_COUNT)
        if state.healthy:
            for first, last in slot_ranges(state.myself.slots):
                served[first : last + 1] = b"\x01" * (last + 1 - first)
        state.served_slots = bytes(served)

    def _update_shard(self) -> None:
        """Have the channels looked at again whose slots may have left this node's shard, or the node it."""
        state = self.state
        shard = (state.table.version, state.myself.primary_id)
        if shard != self._shard:
            self._shard = shard
            state.effects.append(ReviewChannels())

    def _update_followed(self) -> None:
        state = self.state
        primary = state.primary_of(state.myself)
        if state.myself.is_primary():
            wanted = ("", 0)
        elif primary is None or not primary.host:
            return
        else:
            wanted = (primary.host, primary.port)
        if wanted == self._followed:
            return
        self._followed = wanted
        state.effects.append(FollowPrimary(wanted[0], wanted[1]) if wanted[0] else BecomePrimary())

    def _announce(self) -> None:
        """Tell the others what changed: at once what this node says of itself, soon what it learned."""
        state = self.state
        if state.todo & SPREAD != 0 and state.spread_at_ms == NEVER:
            state.spread_at_ms = state.now_ms + _SPREAD_DELAY_MS + len(state.nodes)
        is_due = state.spread_at_ms != NEVER and state.now_ms >= state.spread_at_ms
        if state.todo & ANNOUNCE == 0 and not is_due:
            state.todo &= ~SPREAD
            return
        messages.send_to_all(state, gossip.PONG, messages.heartbeat(state, gossip.PONG, messages.some_nodes(state)))
        state.news.clear()
        state.spread_at_ms = NEVER
        state.todo &= ~(ANNOUNCE | SPREAD)
