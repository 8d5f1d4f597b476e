"""Failure detection: suspicion, reports, agreement, forgiveness.

A node that leaves a ping unanswered for the node timeout, and sends nothing else either, is suspected (PFAIL, `fail?`).
Primaries tell by gossip whom they suspect; a node that suspects another itself and knows that a majority of the
primaries does, within the validity of their reports, declares it failed (FAIL) and tells everybody. A failed node that
is heard again is forgiven at once if it owns no slots; a primary that still owns its slots, which nobody took over,
only after twice the node timeout. (Redis Cluster specification, "Failure detection".)
"""

from typing import Final

from trivet_node.cluster import gossip
from trivet_node.cluster.messages import broadcast
from trivet_node.cluster.nodes import FAIL, NEVER, PFAIL, ClusterNode
from trivet_node.cluster.state import SAVE, SPREAD, ClusterState

REPORT_VALIDITY_FACTOR: Final = 2
FORGIVENESS_FACTOR: Final = 2


def suspicion_due_ms(state: ClusterState, node: ClusterNode) -> int:
    """Return when a node will be suspected if it stays silent; NEVER where it owes no answer, or is suspected."""
    if node.ping_sent_ms == NEVER or node.is_failing():
        return NEVER
    return max(node.ping_sent_ms, node.data_received_ms) + state.options.node_timeout_ms + 1


def suspect(state: ClusterState, node: ClusterNode) -> None:
    """Mark a node as suspected, and as failed if enough others suspect it too."""
    node.flags |= PFAIL
    state.log("debug", f"*** NODE {node.id} possibly failing")
    state.news[node.id] = node
    state.todo |= SPREAD
    declare_if_agreed(state, node)


def take_report(state: ClusterState, node: ClusterNode, reporter: ClusterNode, failing: bool) -> None:
    """Note what a primary says about a node."""
    if not failing:
        node.reports.pop(reporter.id, None)
        return
    if reporter.id not in node.reports:
        state.log("verbose", f"Node {reporter.id} reported node {node.id} as not reachable.")
    node.reports[reporter.id] = state.now_ms
    declare_if_agreed(state, node)


def valid_reports(state: ClusterState, node: ClusterNode) -> int:
    """Return how many primaries reported lately that a node does not answer; older reports are dropped."""
    oldest_ms = state.now_ms - state.options.node_timeout_ms * REPORT_VALIDITY_FACTOR
    for reporter in [reporter for reporter, time_ms in node.reports.items() if time_ms < oldest_ms]:
        del node.reports[reporter]
    return len(node.reports)


def declare_if_agreed(state: ClusterState, node: ClusterNode) -> None:
    """Declare a node that we suspect failed, and tell everybody, where a majority of the primaries suspects it."""
    if node.flags & PFAIL == 0 or node.flags & FAIL != 0:
        return
    own_vote = 1 if state.myself.is_primary() else 0
    if valid_reports(state, node) + own_vote < state.quorum():
        return
    state.log("notice", f"Marking node {node.id} as failing (quorum reached).")
    mark_failed(state, node)
    broadcast(state, gossip.FAIL, [node.id.encode()])


def mark_failed(state: ClusterState, node: ClusterNode) -> None:
    """Note that a node has failed."""
    node.flags = (node.flags & ~PFAIL) | FAIL
    node.failed_since_ms = state.now_ms
    state.todo |= SAVE


def forgive(state: ClusterState, node: ClusterNode) -> None:
    """Clear the suspicion, and if it is time the failure, of a node that was just heard."""
    if node.flags & PFAIL != 0:
        node.flags &= ~PFAIL
        state.todo |= SAVE
    elif node.flags & FAIL != 0:
        patience_ms = state.options.node_timeout_ms * FORGIVENESS_FACTOR
        if not node.is_voter() or state.now_ms - node.failed_since_ms > patience_ms:
            state.log("notice", f"Clear FAIL state for node {node.id}: it is reachable again.")
            node.flags &= ~FAIL
            state.todo |= SAVE
