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
    Deliver,
    DeliverToShard,
    Disconnect,
    Effect,
    Event,
    FollowPrimary,
    LinkDown,
    LinkUp,
    Log,
    Received,
    ReviewChannels,
    SaveConfig,
)
from trivet_node.cluster.epochs import observe_epoch, resolve_collision
from trivet_node.cluster.failure import forgive, mark_failed, suspect, suspicion_due_ms, take_report
from trivet_node.cluster.gossip import Message, MessageError, NodeRecord, decode_message
from trivet_node.cluster.health import patience_ends_ms, update_health
from trivet_node.cluster.membership import (
    complete_handshake,
    connect,
    drop_link,
    drop_node,
    follow_address_of_suspect,
    handshake_timeout_ms,
    is_forgotten,
    learn_details,
    learn_own_host,
    link_lost,
    lose_address,
    start_handshake,
    update_address,
)
from trivet_node.cluster.nodes import FAIL, MEET, NEVER, NO_ADDRESS, PFAIL, PRIMARY, REPLICA, ClusterNode
from trivet_node.cluster.ownership import accept_claim, avoid_chain, newer_owners
from trivet_node.cluster.slots import slot_ranges
from trivet_node.cluster.state import ANNOUNCE, SAVE, SAVE_DURABLY, SPREAD, ClusterState, Link
from trivet_wire.slots import SLOT_COUNT

# Each second one node is pinged although nothing asks for it: the one heard longest ago of a few random ones.
ROUTINE_PING_MS: Final = 1000
_ROUTINE_SAMPLE: Final = 5
# Shares of the node timeout: by how much the second of two nodes that would ping each other waits longer, and how much
# earlier than necessary a ping may go out.
_SECOND_ASKER_SHARE: Final = 10
_EARLY_PING_SHARE: Final = 16
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
            self._receive(event)
        elif isinstance(event, LinkUp):
            self._link_up(event.link)
        elif isinstance(event, LinkDown):
            self._link_down(event.link)
        if now_ms >= self._due_ms:
            self._tend_nodes()
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
                self._due_ms = _earliest(self._due_ms, self._node_due_ms(node))
        due_ms = _earliest(self._due_ms, _earliest(state.spread_at_ms, election.due_ms(state)))
        patience_ms = patience_ends_ms(state)
        return _earliest(due_ms, patience_ms) if not state.healthy and patience_ms > state.now_ms else due_ms

    def publish(self, channel: bytes, message: bytes) -> None:
        """Tell all nodes what was published here; take() returns how."""
        messages.publish(self.state, gossip.PUBLISH, channel, message, self.state.others())

    def publish_to_shard(self, channel: bytes, message: bytes) -> None:
        """Tell the nodes that serve the same slots what was published here; take() returns how."""
        shard = self.state.shard_of(self.state.myself)
        messages.publish(self.state, gossip.PUBLISH_SHARD, channel, message, shard)

    # What falls due.

    def _node_due_ms(self, node: ClusterNode) -> int:
        state = self.state
        if node.is_handshaking():
            timeout_ms = node.created_ms + handshake_timeout_ms(state)
            return timeout_ms if node.link else min(timeout_ms, node.reconnect_at_ms)
        suspicion_ms = suspicion_due_ms(state, node)
        if node.flags & NO_ADDRESS != 0:
            return suspicion_ms
        if not node.link:
            return _earliest(suspicion_ms, node.reconnect_at_ms)
        return _earliest(suspicion_ms, self._ping_due_ms(node))

    def _ping_due_ms(self, node: ClusterNode) -> int:
        """Return when a node must be pinged, or its link renewed because nothing comes over it."""
        timeout_ms = self.state.options.node_timeout_ms
        created_ms = self.state.links[node.link].created_ms
        if not node.link_is_up:
            return created_ms + timeout_ms
        if node.ping_sent_ms == NEVER:
            # Both sides hear each other at the same time; one of them asks first, and saves the other its ping.
            patience_ms = timeout_ms // 2 + (timeout_ms // _SECOND_ASKER_SHARE if node.id < self.state.myself.id else 0)
            return max(node.last_heard_ms(), created_ms) + patience_ms
        return max(created_ms + timeout_ms, max(node.ping_sent_ms, node.last_heard_ms()) + timeout_ms // 2)

    def _tend_nodes(self) -> None:
        state = self.state
        for node in list(state.nodes.values()):
            if node is state.myself or state.nodes.get(node.id) is not node:
                continue
            if node.is_handshaking():
                self._tend_handshake(node)
            elif node.flags & NO_ADDRESS == 0:
                self._tend_link(node)
            suspicion_ms = suspicion_due_ms(state, node)
            if suspicion_ms != NEVER and suspicion_ms <= state.now_ms and not node.is_handshaking():
                suspect(state, node)
        if state.now_ms >= self._next_routine_ms:
            self._next_routine_ms = state.now_ms + ROUTINE_PING_MS
            self._ping_routinely()

    def _tend_handshake(self, node: ClusterNode) -> None:
        state = self.state
        if state.now_ms >= node.created_ms + handshake_timeout_ms(state):
            drop_node(state, node)
        elif not node.link and state.now_ms >= node.reconnect_at_ms:
            connect(state, node)

    def _tend_link(self, node: ClusterNode) -> None:
        state = self.state
        if not node.link:
            if state.now_ms >= node.reconnect_at_ms:
                connect(state, node)
            return
        due_ms = self._ping_due_ms(node)
        if node.link_is_up and node.ping_sent_ms == NEVER:
            # One that is due soon goes out with the others: an idle node wakes up once for all of them.
            if due_ms <= state.now_ms + state.options.node_timeout_ms // _EARLY_PING_SHARE:
                messages.ping(state, node)
        elif due_ms <= state.now_ms:
            # The link may be broken without our knowing: a new one shows.
            drop_link(state, node)
            connect(state, node)

    def _ping_routinely(self) -> None:
        state = self.state
        latest_ms = state.now_ms - ROUTINE_PING_MS
        candidates = [
            node
            for node in state.others()
            if node.link_is_up and node.ping_sent_ms == NEVER and node.pong_received_ms <= latest_ms
        ]
        if len(candidates) > _ROUTINE_SAMPLE:
            candidates = state.random.sample(candidates, _ROUTINE_SAMPLE)
        if candidates:
            messages.ping(state, min(candidates, key=_heard_ms))

    # Links.

    def _link_up(self, number: int) -> None:
        state = self.state
        link = state.links.get(number)
        node = link.node if link is not None else None
        if node is None:
            return
        node.link_is_up = True
        node.failed_connections = 0
        kind = gossip.MEET if node.flags & MEET != 0 else gossip.PING
        about = messages.everybody(state) if kind == gossip.MEET else messages.some_nodes(state)
        node.flags &= ~MEET
        messages.send(state, number, kind, messages.heartbeat(state, kind, about))
        if node.ping_sent_ms == NEVER:
            node.ping_sent_ms = state.now_ms

    def _link_down(self, number: int) -> None:
        link = self.state.links.pop(number, None)
        if link is not None and link.node is not None and link.node.link == number:
            link_lost(self.state, link.node)

    # Messages.

    def _receive(self, event: Received) -> None:
        state = self.state
        try:
            message = decode_message(event.arguments, self._records)
        except MessageError as error:
            state.effects.append(Log("warning", f"Bad message on the cluster bus from {event.peer_host}: {error}"))
            state.effects.append(Disconnect(event.link))
            self._link_down(event.link)
            return
        link = state.links.get(event.link)
        if link is None:
            if event.link > 0:
                return
            link = Link(event.link, None, state.now_ms)
            state.links[event.link] = link
        received = state.traffic.received
        received[message.kind] = received.get(message.kind, 0) + 1
        if message.kind == state.dropped_kind:
            state.log("warning", "Packet that matches debug drop filter received")
            return
        sender = self._known_sender(message)
        if sender is not None:
            self._hear(sender, message)
            if link.number < 0:
                link.node = sender
        if message.kind in gossip.HEARTBEATS:
            self._take_heartbeat(link, sender, message, event)
        elif sender is not None:
            self._take_news(link, sender, message)

    def _known_sender(self, message: Message) -> ClusterNode | None:
        sender = self.state.nodes.get(message.sender.id)
        if sender is None or sender is self.state.myself or sender.is_handshaking():
            return None
        return sender

    def _hear(self, sender: ClusterNode, message: Message) -> None:
        """Note what every message tells: its sender lives, and which epochs it knows."""
        state = self.state
        sender.data_received_ms = state.now_ms
        sender.offset = message.sender.offset
        sender.is_synced = message.sender.is_synced
        observe_epoch(state, message.sender.current_epoch)
        if message.sender.flags & PRIMARY != 0 and message.sender.config_epoch > sender.config_epoch:
            sender.config_epoch = message.sender.config_epoch
            observe_epoch(state, sender.config_epoch)
            state.todo |= SAVE

    def _take_heartbeat(self, link: Link, sender: ClusterNode | None, message: Message, event: Received) -> None:
        state = self.state
        record = message.sender
        if message.kind != gossip.PONG:
            self._answer(link, sender, message, event)
        if link.number > 0 and not self._recognize(link, message):
            return
        if sender is None:
            sender = self._known_sender(message)
            if sender is None:
                return
            self._hear(sender, message)
        if message.kind == gossip.PING and link.number < 0:
            update_address(state, sender, event.peer_host, record)
        if link.number > 0 and message.kind == gossip.PONG:
            sender.pong_received_ms = state.now_ms
            sender.ping_sent_ms = NEVER
        elif not sender.link and sender.flags & NO_ADDRESS == 0:
            # It is there: no need to wait until the next attempt is due.
            connect(state, sender)
        forgive(state, sender)
        learn_details(state, sender, record)
        self._take_role(sender, record)
        self._take_slots(link, sender, record)
        resolve_collision(state, sender)
        self._take_gossip(sender, message)

    def _answer(self, link: Link, sender: ClusterNode | None, message: Message, event: Received) -> None:
        """Answer a PING or MEET with a PONG; get to know whoever meets us."""
        state = self.state
        if message.kind == gossip.MEET or not state.myself.host:
            learn_own_host(state, event.local_host)
        about = messages.some_nodes(state)
        if message.kind == gossip.MEET and sender is None and message.sender.id != state.myself.id:
            host = message.sender.host or event.peer_host
            start_handshake(state, host, message.sender.port, message.sender.bus_port, 0)
            for record in message.records:
                self._meet_by_gossip(record)
            about = messages.everybody(state)
        messages.send(state, link.number, gossip.PONG, messages.heartbeat(state, gossip.PONG, about))

    def _recognize(self, link: Link, message: Message) -> bool:
        """Say whether the one at the other end of our link is known to be whom we take it for."""
        state = self.state
        node = link.node
        if node is None:
            return False
        if node.is_handshaking():
            node.ping_sent_ms = NEVER
            complete_handshake(state, node, message.sender)
            if state.nodes.get(message.sender.id) is not node:
                return False
        elif node.id != message.sender.id:
            state.log("debug", f"PONG contains mismatching sender ID: expected {node.id}, got {message.sender.id}")
            lose_address(state, node)
            return False
        return True

    def _take_role(self, sender: ClusterNode, record: NodeRecord) -> None:
        state = self.state
        if record.flags & PRIMARY != 0:
            if not sender.is_primary():
                state.make_primary(sender)
                state.news[sender.id] = sender
        elif record.flags & REPLICA != 0 and (not sender.is_replica() or sender.primary_id != record.primary_id):
            state.make_replica(sender, record.primary_id)

    def _take_slots(self, link: Link, sender: ClusterNode, record: NodeRecord) -> None:
        """Take over what the sender claims, and correct it where others have newer claims."""
        state = self.state
        if record.flags & PRIMARY != 0:
            accept_claim(state, sender, record.config_epoch, record.slots)
        claimant = state.claimant(sender)
        if claimant is None or not record.slots & ~claimant.slots:
            return
        for owner in newer_owners(state, claimant, record.config_epoch, record.slots):
            state.log("verbose", f"Node {sender.id} has old slots configuration, sending an UPDATE about {owner.id}")
            messages.send_message(state, link.number, gossip.UPDATE, [gossip.encode_claim(owner)])

    def _take_gossip(self, sender: ClusterNode, message: Message) -> None:
        state = self.state
        for record in message.records:
            node = state.nodes.get(record.id)
            if node is None:
                self._meet_by_gossip(record)
            elif node is not state.myself and node is not sender:
                if sender.is_primary():
                    take_report(state, node, sender, record.flags & (PFAIL | FAIL) != 0)
                follow_address_of_suspect(state, node, record)

    def _meet_by_gossip(self, record: NodeRecord) -> None:
        state = self.state
        if record.id in state.nodes or record.flags & NO_ADDRESS != 0 or is_forgotten(state, record.id):
            return
        if record.host and record.bus_port:
            start_handshake(state, record.host, record.port, record.bus_port, MEET)

    def _take_news(self, link: Link, sender: ClusterNode, message: Message) -> None:
        state = self.state
        if message.kind == gossip.FAIL:
            node = state.nodes.get(message.payload[0].decode("latin-1"))
            if node is not None and node is not state.myself and node.flags & FAIL == 0:
                state.log("notice", f"FAIL message received from {sender.id} about {node.id}")
                mark_failed(state, node)
        elif message.kind == gossip.UPDATE:
            for record in message.records:
                self._take_update(record)
        elif message.kind == gossip.PUBLISH:
            state.effects.append(Deliver(message.payload[0], message.payload[1]))
        elif message.kind == gossip.PUBLISH_SHARD:
            state.effects.append(DeliverToShard(message.payload[0], message.payload[1]))
        elif message.kind == gossip.AUTH_REQUEST:
            election.consider_request(state, link, sender, message)
        elif message.kind == gossip.AUTH_ACK:
            election.count_vote(state, sender, message.sender.current_epoch)

    def _take_update(self, record: NodeRecord) -> None:
        state = self.state
        node = state.nodes.get(record.id)
        if node is None or node is state.myself or record.config_epoch <= node.config_epoch:
            return
        if node.is_replica():
            state.make_primary(node)
        node.config_epoch = record.config_epoch
        state.todo |= SAVE
        accept_claim(state, node, record.config_epoch, record.slots)

    # Conclusions.

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


def _earliest(first_ms: int, second_ms: int) -> int:
    """Return the earlier of two times, of which either may be NEVER."""
    if min(first_ms, second_ms) == NEVER:
        return max(first_ms, second_ms)
    return min(first_ms, second_ms)


def _heard_ms(node: ClusterNode) -> int:
    return node.pong_received_ms
