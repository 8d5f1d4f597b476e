"""How nodes come to know each other, where they are, and how they are forgotten.

A node joins by MEET: whoever receives one learns the sender's address, connects to it and asks who it is (a handshake),
and so does everybody who hears of a new node by gossip from a node it knows. Only the answer over a link that we made
ourselves tells the name of a node. (Redis Cluster specification, "Node handshake"; Redis: clusterStartHandshake,
nodeUpdateAddressIfNeeded.)
"""

from typing import Final

from trivet_node.cluster.effects import Connect, Disconnect
from trivet_node.cluster.gossip import NodeRecord
from trivet_node.cluster.nodes import (
    FAIL,
    HANDSHAKE,
    MEET,
    NEVER,
    NO_ADDRESS,
    NO_FAILOVER,
    PFAIL,
    PRIMARY,
    REPLICA,
    ClusterNode,
    new_id,
)
from trivet_node.cluster.state import ANNOUNCE, SAVE, SPREAD, ClusterState, Link

HANDSHAKE_TIMEOUT_MIN_MS: Final = 1000
FORGET_MS: Final = 60_000
_RECONNECT_FIRST_MS: Final = 50
_RECONNECT_LAST_MS: Final = 1000
_CLAIMED_FLAGS: Final = PRIMARY | REPLICA | NO_FAILOVER


def start_handshake(state: ClusterState, host: str, port: int, bus_port: int, greeting: int) -> None:
    """Connect to an address to learn who is there; `greeting` is MEET where the other side must add us, else 0."""
    for node in state.nodes.values():
        if node.is_handshaking() and node.host == host and node.bus_port == bus_port:
            return
    node = ClusterNode(new_id(state.random), HANDSHAKE | greeting)
    node.host = host
    node.port = port
    node.bus_port = bus_port
    node.created_ms = state.now_ms
    state.nodes[node.id] = node
    connect(state, node)


def handshake_timeout_ms(state: ClusterState) -> int:
    """Return for how long a handshake may take."""
    return max(state.options.node_timeout_ms, HANDSHAKE_TIMEOUT_MIN_MS)


def complete_handshake(state: ClusterState, node: ClusterNode, sender: NodeRecord) -> None:
    """Give the node that answered its name; drop it where it was known already, or is this node itself."""
    known = state.nodes.get(sender.id)
    if known is not None:
        if known is not state.myself:
            update_address(state, known, node.host, sender)
        drop_node(state, node)
        return
    del state.nodes[node.id]
    node.id = sender.id
    node.flags &= ~(HANDSHAKE | MEET)
    node.created_ms = state.now_ms
    node.flags |= sender.flags & _CLAIMED_FLAGS
    node.primary_id = sender.primary_id
    state.nodes[node.id] = node
    state.forgotten.pop(node.id, None)
    state.news[node.id] = node
    state.todo |= SAVE | SPREAD
    learn_details(state, node, sender)


def learn_details(state: ClusterState, node: ClusterNode, record: NodeRecord) -> None:
    """Take over what a node says of itself besides its role and slots."""
    if (node.hostname, node.shard_id, node.metadata) != (record.hostname, record.shard_id, record.metadata):
        node.hostname = record.hostname
        node.shard_id = record.shard_id
        node.metadata = record.metadata
        state.todo |= SAVE
    flags = (node.flags & ~NO_FAILOVER) | (record.flags & NO_FAILOVER)
    if flags != node.flags:
        node.flags = flags
        state.todo |= SAVE


def update_address(state: ClusterState, node: ClusterNode, seen_host: str, sender: NodeRecord) -> None:
    """Take over a node's new address; `seen_host` is where its message came from."""
    host = sender.host or seen_host
    if not host or (node.host, node.port, node.bus_port) == (host, sender.port, sender.bus_port):
        return
    state.log("notice", f"Address updated for node {node.id}, now {host}:{sender.port}")
    node.host = host
    node.port = sender.port
    node.bus_port = sender.bus_port
    node.flags &= ~NO_ADDRESS
    drop_link(state, node)
    connect(state, node)
    state.todo |= SAVE


def lose_address(state: ClusterState, node: ClusterNode) -> None:
    """Note that somebody else lives at a node's address now."""
    drop_link(state, node)
    node.flags |= NO_ADDRESS
    node.host = ""
    node.port = 0
    node.bus_port = 0
    state.todo |= SAVE


def learn_own_host(state: ClusterState, local_host: str) -> None:
    """Take the address at which another node reached us for ours, unless one is announced."""
    myself = state.myself
    if state.options.announce_host or not local_host or myself.host == local_host:
        return
    state.log("warning", f"IP address for this node updated to {local_host}")
    myself.host = local_host
    state.todo |= SAVE | ANNOUNCE


def connect(state: ClusterState, node: ClusterNode) -> None:
    """Make the link to a node."""
    number = state.next_link
    state.next_link += 1
    node.link = number
    node.link_is_up = False
    state.links[number] = Link(number, node, state.now_ms)
    if node.ping_sent_ms == NEVER:
        # From now on it owes us a sign of life.
        node.ping_sent_ms = state.now_ms
    state.effects.append(Connect(number, node.host, node.bus_port))


def drop_link(state: ClusterState, node: ClusterNode) -> None:
    """Close the link to a node, if there is one."""
    if node.link:
        state.effects.append(Disconnect(node.link))
        link_lost(state, node)


def link_lost(state: ClusterState, node: ClusterNode) -> None:
    """Note that the link to a node is gone; it is tried again soon, less and less eagerly while nobody is there."""
    was_up = node.link_is_up
    state.links.pop(node.link, None)
    node.link = 0
    node.link_is_up = False
    node.failed_connections = 0 if was_up else node.failed_connections + 1
    delay_ms = min(_RECONNECT_LAST_MS, _RECONNECT_FIRST_MS << min(node.failed_connections, 10))
    node.reconnect_at_ms = state.now_ms + delay_ms
    if node.ping_sent_ms == NEVER:
        node.ping_sent_ms = state.now_ms


def drop_node(state: ClusterState, node: ClusterNode) -> None:
    """Forget a node and close the links from and to it."""
    drop_link(state, node)
    for link in [link for link in state.links.values() if link.node is node]:
        link.node = None
    state.remove(node)
    state.todo |= SAVE


def forget(state: ClusterState, node: ClusterNode) -> None:
    """Forget a node for good: gossip does not bring it back within FORGET_MS."""
    state.forgotten[node.id] = state.now_ms + FORGET_MS
    drop_node(state, node)


def is_forgotten(state: ClusterState, node_id: str) -> bool:
    """Say whether gossip must not bring a node back."""
    until_ms = state.forgotten.get(node_id)
    if until_ms is None:
        return False
    if state.now_ms < until_ms:
        return True
    del state.forgotten[node_id]
    return False


def follow_address_of_suspect(state: ClusterState, node: ClusterNode, record: NodeRecord) -> None:
    """Take over the address that somebody else knows of a node that we cannot reach, where that one reaches it."""
    if node.is_failing() and record.flags & (PFAIL | FAIL | NO_ADDRESS) == 0 and record.host:
        update_address(state, node, record.host, record)
