"""cluster_state: whether this node may serve commands on keys at all.

It may while every slot is owned by a node that has not failed (with cluster-require-full-coverage) and a majority of
the primaries can be reached. A primary that was cut off from the majority waits a moment after it is back, and one
whose state comes from a file waits until it has heard the others: its slots may have been taken over meanwhile, and
it must not accept writes that are lost as soon as it hears so. (Redis: clusterUpdateState.)
"""

from typing import Final

from trivet_node.cluster.nodes import FAIL, NEVER, ClusterNode
from trivet_node.cluster.slots import ALL_SLOTS
from trivet_node.cluster.state import ClusterState

# A restarted node that does not hear from everybody serves after this time all the same.
RESTART_PATIENCE_MS: Final = 2000
_REJOIN_MIN_MS: Final = 500
_REJOIN_MAX_MS: Final = 5000


def update_health(state: ClusterState) -> None:
    """Decide anew whether this node may serve."""
    _watch_majority(state)
    healthy = not state.in_minority and _is_covered(state)
    if healthy and not state.healthy and state.now_ms < patience_ends_ms(state):
        return
    if healthy != state.healthy:
        state.healthy = healthy
        state.log("notice", f"Cluster state changed: {'ok' if healthy else 'fail'}")


def patience_ends_ms(state: ClusterState) -> int:
    """Return until when this node must not begin to serve; NEVER where it may at any time."""
    if not state.myself.is_voter():
        return NEVER
    ends_ms = NEVER
    if state.minority_ended_ms != NEVER:
        delay_ms = min(max(state.options.node_timeout_ms, _REJOIN_MIN_MS), _REJOIN_MAX_MS)
        ends_ms = state.minority_ended_ms + delay_ms
    if state.restored and not _has_heard_everybody(state):
        ends_ms = max(ends_ms, state.started_ms + RESTART_PATIENCE_MS)
    return ends_ms


def _watch_majority(state: ClusterState) -> None:
    voters = state.voters()
    reachable = len([node for node in voters if _is_reachable(state, node)])
    in_minority = reachable < len(voters) // 2 + 1
    # A node that has just started was cut off from nobody.
    if state.in_minority and not in_minority and (state.healthy or state.minority_ended_ms != NEVER):
        state.minority_ended_ms = state.now_ms
    if in_minority and state.healthy:
        state.minority_ended_ms = state.now_ms
    state.in_minority = in_minority


def _is_reachable(state: ClusterState, node: ClusterNode) -> bool:
    return not node.is_failing() and (not state.restored or _was_heard(state, node))


def _was_heard(state: ClusterState, node: ClusterNode) -> bool:
    return node is state.myself or node.last_heard_ms() != NEVER


def _has_heard_everybody(state: ClusterState) -> bool:
    return all(_was_heard(state, node) for node in state.voters() if not node.is_failing())


def _is_covered(state: ClusterState) -> bool:
    if not state.options.require_full_coverage:
        return True
    return state.table.assigned == ALL_SLOTS and not any(node.flags & FAIL != 0 for node in state.voters())
