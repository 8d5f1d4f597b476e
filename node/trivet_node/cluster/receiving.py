"""What comes from other nodes: links that are there or gone, and the messages that come over them.

(Redis: clusterProcessPacket.)
"""

from trivet_node.cluster import election, gossip, messages
from trivet_node.cluster.effects import Deliver, DeliverToShard, Disconnect, Log, Received
from trivet_node.cluster.epochs import observe_epoch, resolve_collision
from trivet_node.cluster.failure import forgive, mark_failed, take_report
from trivet_node.cluster.gossip import Message, MessageError, NodeRecord, decode_message
from trivet_node.cluster.membership import (
    complete_handshake,
    connect,
    follow_address_of_suspect,
    is_forgotten,
    learn_details,
    learn_own_host,
    link_lost,
    lose_address,
    start_handshake,
    update_address,
)
from trivet_node.cluster.nodes import FAIL, MEET, NEVER, NO_ADDRESS, PFAIL, PRIMARY, REPLICA, ClusterNode
from trivet_node.cluster.ownership import accept_claim, newer_owners
from trivet_node.cluster.state import SAVE, ClusterState, Link


def link_up(state: ClusterState, number: int) -> None:
    """Begin to talk over a link that this node has asked for."""
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


def link_down(state: ClusterState, number: int) -> None:
    """Take note that a link is gone."""
    link = state.links.pop(number, None)
    if link is not None and link.node is not None and link.node.link == number:
        link_lost(state, link.node)


def receive(state: ClusterState, event: Received, known_records: dict[bytes, NodeRecord]) -> None:
    """Take a message; `known_records` keeps what was decoded before."""
    try:
        message = decode_message(event.arguments, known_records)
    except MessageError as error:
        state.effects.append(Log("warning", f"Bad message on the cluster bus from {event.peer_host}: {error}"))
        state.effects.append(Disconnect(event.link))
        link_down(state, event.link)
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
    sender = _known_sender(state, message)
    if sender is not None:
        _hear(state, sender, message)
        if link.number < 0:
            link.node = sender
    if message.kind in gossip.HEARTBEATS:
        _take_heartbeat(state, link, sender, message, event)
    elif sender is not None:
        _take_news(state, link, sender, message)


def _known_sender(state: ClusterState, message: Message) -> ClusterNode | None:
    sender = state.nodes.get(message.sender.id)
    if sender is None or sender is state.myself or sender.is_handshaking():
        return None
    return sender


def _hear(state: ClusterState, sender: ClusterNode, message: Message) -> None:
    """Note what every message tells: its sender lives, and which epochs it knows."""
    sender.data_received_ms = state.now_ms
    sender.offset = message.sender.offset
    sender.is_synced = message.sender.is_synced
    observe_epoch(state, message.sender.current_epoch)
    if message.sender.flags & PRIMARY != 0 and message.sender.config_epoch > sender.config_epoch:
        sender.config_epoch = message.sender.config_epoch
        observe_epoch(state, sender.config_epoch)
        state.todo |= SAVE


def _take_heartbeat(
    state: ClusterState, link: Link, sender: ClusterNode | None, message: Message, event: Received
) -> None:
    record = message.sender
    if message.kind != gossip.PONG:
        _answer(state, link, sender, message, event)
    if link.number > 0 and not _recognize(state, link, message):
        return
    if sender is None:
        sender = _known_sender(state, message)
        if sender is None:
            return
        _hear(state, sender, message)
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
    _take_role(state, sender, record)
    _take_slots(state, link, sender, record)
    resolve_collision(state, sender)
    _take_gossip(state, sender, message)


def _answer(state: ClusterState, link: Link, sender: ClusterNode | None, message: Message, event: Received) -> None:
    """Answer a PING or MEET with a PONG; get to know whoever meets us."""
    if message.kind == gossip.MEET or not state.myself.host:
        learn_own_host(state, event.local_host)
    about = messages.some_nodes(state)
    if message.kind == gossip.MEET and sender is None and message.sender.id != state.myself.id:
        host = message.sender.host or event.peer_host
        start_handshake(state, host, message.sender.port, message.sender.bus_port, 0)
        for record in message.records:
            _meet_by_gossip(state, record)
        about = messages.everybody(state)
    messages.send(state, link.number, gossip.PONG, messages.heartbeat(state, gossip.PONG, about))


def _recognize(state: ClusterState, link: Link, message: Message) -> bool:
    """Say whether the one at the other end of our link is known to be whom we take it for."""
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


def _take_role(state: ClusterState, sender: ClusterNode, record: NodeRecord) -> None:
    if record.flags & PRIMARY != 0:
        if not sender.is_primary():
            state.make_primary(sender)
            state.news[sender.id] = sender
    elif record.flags & REPLICA != 0 and (not sender.is_replica() or sender.primary_id != record.primary_id):
        state.make_replica(sender, record.primary_id)


def _take_slots(state: ClusterState, link: Link, sender: ClusterNode, record: NodeRecord) -> None:
    """Take over what the sender claims, and correct it where others have newer claims."""
    if record.flags & PRIMARY != 0:
        accept_claim(state, sender, record.config_epoch, record.slots)
    claimant = state.claimant(sender)
    if claimant is None or not record.slots & ~claimant.slots:
        return
    for owner in newer_owners(state, claimant, record.config_epoch, record.slots):
        state.log("verbose", f"Node {sender.id} has old slots configuration, sending an UPDATE about {owner.id}")
        messages.send_message(state, link.number, gossip.UPDATE, [gossip.encode_claim(owner)])


def _take_gossip(state: ClusterState, sender: ClusterNode, message: Message) -> None:
    for record in message.records:
        node = state.nodes.get(record.id)
        if node is None:
            _meet_by_gossip(state, record)
        elif node is not state.myself and node is not sender:
            if sender.is_primary():
                take_report(state, node, sender, record.flags & (PFAIL | FAIL) != 0)
            follow_address_of_suspect(state, node, record)


def _meet_by_gossip(state: ClusterState, record: NodeRecord) -> None:
    if record.id in state.nodes or record.flags & NO_ADDRESS != 0 or is_forgotten(state, record.id):
        return
    if record.host and record.bus_port:
        start_handshake(state, record.host, record.port, record.bus_port, MEET)


def _take_news(state: ClusterState, link: Link, sender: ClusterNode, message: Message) -> None:
    if message.kind == gossip.FAIL:
        node = state.nodes.get(message.payload[0].decode("latin-1"))
        if node is not None and node is not state.myself and node.flags & FAIL == 0:
            state.log("notice", f"FAIL message received from {sender.id} about {node.id}")
            mark_failed(state, node)
    elif message.kind == gossip.UPDATE:
        for record in message.records:
            _take_update(state, record)
    elif message.kind == gossip.PUBLISH:
        state.effects.append(Deliver(message.payload[0], message.payload[1]))
    elif message.kind == gossip.PUBLISH_SHARD:
        state.effects.append(DeliverToShard(message.payload[0], message.payload[1]))
    elif message.kind == gossip.AUTH_REQUEST:
        election.consider_request(state, link, sender, message)
    elif message.kind == gossip.AUTH_ACK:
        election.count_vote(state, sender, message.sender.current_epoch)


def _take_update(state: ClusterState, record: NodeRecord) -> None:
    node = state.nodes.get(record.id)
    if node is None or node is state.myself or record.config_epoch <= node.config_epoch:
        return
    if node.is_replica():
        state.make_primary(node)
    node.config_epoch = record.config_epoch
    state.todo |= SAVE
    accept_claim(state, node, record.config_epoch, record.slots)
