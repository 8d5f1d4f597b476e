"""Sending: which message goes to whom, over which link, and which nodes its gossip tells about."""

from typing import Final

from trivet_node.cluster import gossip
from trivet_node.cluster.effects import Send
from trivet_node.cluster.nodes import NEVER, NO_ADDRESS, PFAIL, ClusterNode
from trivet_node.cluster.state import ClusterState

# Every heartbeat tells about at least so many nodes, and about a tenth of a large cluster. (Redis: clusterSendPing.)
_GOSSIP_MIN: Final = 3
_GOSSIP_SHARE: Final = 10


def heartbeat(state: ClusterState, kind: str, about: list[ClusterNode]) -> bytes:
    """Return a PING, PONG or MEET that tells about the given nodes."""
    return gossip.encode_message(kind, _header(state), [gossip.encode_gossip(node) for node in about])


def everybody(state: ClusterState) -> list[ClusterNode]:
    """Return all nodes that can be told about: known by name and address, and heard from at least once."""
    return [node for node in state.others() if node.flags & NO_ADDRESS == 0 and node.last_heard_ms() != NEVER]


def some_nodes(state: ClusterState) -> list[ClusterNode]:
    """Return whom a routine heartbeat tells about: everybody suspected, what is new, and a random few."""
    candidates = everybody(state)
    count = max(_GOSSIP_MIN, len(candidates) // _GOSSIP_SHARE)
    if count >= len(candidates):
        return candidates
    chosen = {node.id: node for node in state.random.sample(candidates, count)}
    for node in candidates:
        if node.flags & PFAIL != 0 or node.id in state.news:
            chosen[node.id] = node
    return list(chosen.values())


def send(state: ClusterState, link: int, kind: str, data: bytes) -> None:
    """Send an encoded message over a link."""
    state.traffic.sent[kind] = state.traffic.sent.get(kind, 0) + 1
    state.effects.append(Send(link, data))


def broadcast(state: ClusterState, kind: str, parts: list[bytes]) -> None:
    """Send a message other than a heartbeat to all nodes that can be reached."""
    send_to_all(state, kind, gossip.encode_message(kind, _header(state), parts))


def send_to_all(state: ClusterState, kind: str, data: bytes) -> None:
    """Send an encoded message to all nodes that can be reached."""
    for node in state.others():
        if node.link_is_up:
            send(state, node.link, kind, data)


def send_message(state: ClusterState, link: int, kind: str, parts: list[bytes]) -> None:
    """Send a message other than a heartbeat over one link."""
    send(state, link, kind, gossip.encode_message(kind, _header(state), parts))


def publish(state: ClusterState, kind: str, channel: bytes, message: bytes, receivers: list[ClusterNode]) -> None:
    """Send what a client published to those of some nodes that can be reached."""
    header = gossip.encode_short_header(
        state.myself, state.options.announce_host, state.claimant(state.myself) or state.myself, state.current_epoch
    )
    data = gossip.encode_message(kind, header, [channel, message])
    for node in receivers:
        if node.link_is_up:
            send(state, node.link, kind, data)


def ping(state: ClusterState, node: ClusterNode, data: bytes = b"") -> None:
    """Send a PING and start to wait for its answer; `data` is one that is encoded already."""
    send(state, node.link, gossip.PING, data or heartbeat(state, gossip.PING, some_nodes(state)))
    if node.ping_sent_ms == NEVER:
        node.ping_sent_ms = state.now_ms


def _header(state: ClusterState) -> bytes:
    claimant = state.claimant(state.myself)
    return gossip.encode_header(
        state.myself, state.options.announce_host, claimant or state.myself, state.current_epoch
    )
