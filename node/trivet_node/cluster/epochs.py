"""Epochs: which of two claims is newer.

`current_epoch` is the greatest epoch anybody was heard of; every takeover or election uses a new one. A primary's
`config_epoch` is the epoch in which it got its slots: of two claims on a slot the greater config epoch wins, so no two
primaries may share one. Where they do (two takeovers at once, or nodes that never had one), the one with the smaller id
takes a new epoch for itself. (Redis Cluster specification, "Configuration epochs", "conflicts resolution algorithm".)
"""

from trivet_node.cluster.nodes import ClusterNode
from trivet_node.cluster.state import ANNOUNCE, SAVE, SAVE_DURABLY, ClusterState


def observe_epoch(state: ClusterState, epoch: int) -> None:
    """Note that somebody uses `epoch`."""
    if epoch > state.current_epoch:
        state.current_epoch = epoch
        state.todo |= SAVE


def greatest_epoch(state: ClusterState) -> int:
    """Return the greatest epoch that this node knows of."""
    return max([state.current_epoch, *[node.config_epoch for node in state.nodes.values()]])


def use_epoch(state: ClusterState, epoch: int) -> None:
    """Claim what this node owns, from here on, in `epoch`, which is durable before anybody hears of it."""
    state.current_epoch = max(state.current_epoch, epoch)
    state.myself.config_epoch = epoch
    state.todo |= SAVE | SAVE_DURABLY | ANNOUNCE


def bump_epoch(state: ClusterState) -> bool:
    """Make this node's config epoch the greatest of all without asking anybody; say whether it was not already.

    (Redis: clusterBumpConfigEpochWithoutConsensus.)
    """
    greatest = greatest_epoch(state)
    if state.myself.config_epoch != 0 and state.myself.config_epoch == greatest:
        return False
    use_epoch(state, greatest + 1)
    return True


def resolve_collision(state: ClusterState, other: ClusterNode) -> None:
    """Take a new epoch where another primary has ours and the greater id."""
    myself = state.myself
    if not (myself.is_primary() and other.is_primary()):
        return
    if other.config_epoch != myself.config_epoch or other.id <= myself.id:
        return
    use_epoch(state, state.current_epoch + 1)
    state.log(
        "verbose", f"WARNING: configEpoch collision with node {other.id}. Updating my epoch to {myself.config_epoch}"
    )
