"""Heartbeats: which nodes are to be pinged, connected to or suspected, and when.

(Redis: clusterCron.)
"""

from typing import Final

from trivet_node.cluster import messages
from trivet_node.cluster.failure import suspect, suspicion_due_ms
from trivet_node.cluster.membership import connect, drop_link, drop_node, handshake_timeout_ms
from trivet_node.cluster.nodes import NEVER, NO_ADDRESS, ClusterNode, earliest
from trivet_node.cluster.state import ClusterState

# Each second one node is pinged although nothing asks for it: the one heard longest ago of a few random ones.
ROUTINE_PING_MS: Final = 1000
_ROUTINE_SAMPLE: Final = 5
# Shares of the node timeout: by how much the second of two nodes that would ping each other waits longer, and how much
# earlier than necessary a ping may go out.
_SECOND_ASKER_SHARE: Final = 10
_EARLY_PING_SHARE: Final = 16


def node_due_ms(state: ClusterState, node: ClusterNode) -> int:
    """Return when there is something to do about a node although nothing happens, NEVER where there is not."""
    if node.is_handshaking():
        timeout_ms = node.created_ms + handshake_timeout_ms(state)
        return timeout_ms if node.link else min(timeout_ms, node.reconnect_at_ms)
    suspicion_ms = suspicion_due_ms(state, node)
    if node.flags & NO_ADDRESS != 0:
        return suspicion_ms
    if not node.link:
        return earliest(suspicion_ms, node.reconnect_at_ms)
    return earliest(suspicion_ms, _ping_due_ms(state, node))


def _ping_due_ms(state: ClusterState, node: ClusterNode) -> int:
    """Return when a node must be pinged, or its link renewed because nothing comes over it."""
    timeout_ms = state.options.node_timeout_ms
    created_ms = state.links[node.link].created_ms
    if not node.link_is_up:
        return created_ms + timeout_ms
    if node.ping_sent_ms == NEVER:
        # Both sides hear each other at the same time; one of them asks first, and saves the other its ping.
        patience_ms = timeout_ms // 2 + (timeout_ms // _SECOND_ASKER_SHARE if node.id < state.myself.id else 0)
        return max(node.last_heard_ms(), created_ms) + patience_ms
    return max(created_ms + timeout_ms, max(node.ping_sent_ms, node.last_heard_ms()) + timeout_ms // 2)


def tend_nodes(state: ClusterState) -> None:
    """Do what is due about every node: ping it, connect to it, suspect it, give it up."""
    for node in list(state.nodes.values()):
        if node is state.myself or state.nodes.get(node.id) is not node:
            continue
        if node.is_handshaking():
            _tend_handshake(state, node)
        elif node.flags & NO_ADDRESS == 0:
            _tend_link(state, node)
        suspicion_ms = suspicion_due_ms(state, node)
        if suspicion_ms != NEVER and suspicion_ms <= state.now_ms and not node.is_handshaking():
            suspect(state, node)


def _tend_handshake(state: ClusterState, node: ClusterNode) -> None:
    if state.now_ms >= node.created_ms + handshake_timeout_ms(state):
        drop_node(state, node)
    elif not node.link and state.now_ms >= node.reconnect_at_ms:
        connect(state, node)


def _tend_link(state: ClusterState, node: ClusterNode) -> None:
    if not node.link:
        if state.now_ms >= node.reconnect_at_ms:
            connect(state, node)
        return
    due_ms = _ping_due_ms(state, node)
    if node.link_is_up and node.ping_sent_ms == NEVER:
        # One that is due soon goes out with the others: an idle node wakes up once for all of them.
        if due_ms <= state.now_ms + state.options.node_timeout_ms // _EARLY_PING_SHARE:
            messages.ping(state, node)
    elif due_ms <= state.now_ms:
        # The link may be broken without our knowing: a new one shows.
        drop_link(state, node)
        connect(state, node)


def ping_routinely(state: ClusterState) -> None:
    """Ping one node although nothing asks for it."""
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


def _heard_ms(node: ClusterNode) -> int:
    return node.pong_received_ms
