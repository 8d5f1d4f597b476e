"""Who owns which slot: claims are compared by config epoch, and whoever lost all its slots follows the winner.

(Redis Cluster specification, "Hash slots configuration propagation"; Redis: clusterUpdateSlotsConfigWith.)
"""

from trivet_node.cluster.effects import DropSlots
from trivet_node.cluster.epochs import use_epoch
from trivet_node.cluster.nodes import ClusterNode
from trivet_node.cluster.state import ANNOUNCE, SAVE, ClusterState


def accept_claim(state: ClusterState, claimant: ClusterNode, epoch: int, claimed: int) -> None:
    """Give `claimant` those of the slots it claims that nobody owns, or whose owner's claim is older than `epoch`."""
    if claimant is state.myself or not claimed & ~claimant.slots:
        return
    primary = state.claimant(state.myself)
    won = claimed & ~state.table.assigned
    lost_by_us = 0
    for owner in state.voters():
        overlap = owner.slots & claimed
        if owner is claimant or not overlap or owner.config_epoch >= epoch:
            continue
        won |= overlap
        if owner is primary:
            lost_by_us = overlap
    if not won:
        return
    state.table.assign(won, claimant)
    state.todo |= SAVE
    if lost_by_us and primary is not None:
        _cede(state, primary, claimant, lost_by_us)


def _cede(state: ClusterState, primary: ClusterNode, winner: ClusterNode, lost: int) -> None:
    """Act on the loss of slots that we, or our primary, owned."""
    if primary.slots == 0:
        state.log("notice", f"Configuration change detected. Reconfiguring myself as a replica of {winner.id}")
        follow(state, winner)
    elif primary is state.myself:
        state.effects.append(DropSlots(lost))


def newer_owners(state: ClusterState, claimant: ClusterNode, epoch: int, claimed: int) -> list[ClusterNode]:
    """Return the owners of claimed slots whose own claim is newer than `epoch`."""
    return [
        owner
        for owner in state.voters()
        if owner is not claimant and owner.slots & claimed and owner.config_epoch > epoch
    ]


def follow(state: ClusterState, primary: ClusterNode) -> None:
    """Make this node a replica of `primary`, in whose shard it is from then on."""
    state.make_replica(state.myself, primary.id)
    # Our data is not this primary's until we have synchronized with it.
    state.myself.is_synced = False
    if primary.shard_id:
        state.myself.shard_id = primary.shard_id
    state.todo |= SAVE | ANNOUNCE


def take_over(state: ClusterState, epoch: int) -> None:
    """Make this replica the primary of its shard, the owner of all its slots since `epoch`."""
    primary = state.primary_of(state.myself)
    state.make_primary(state.myself)
    if primary is not None:
        state.table.assign(primary.slots, state.myself)
    use_epoch(state, epoch)


def avoid_chain(state: ClusterState) -> None:
    """Follow our primary's primary where our primary was made a replica: replicas of replicas serve nobody."""
    primary = state.primary_of(state.myself)
    grand_primary = state.primary_of(primary) if primary is not None else None
    if grand_primary is not None and grand_primary is not state.myself and grand_primary.is_primary():
        state.log("notice", f"I'm a sub-replica! Reconfiguring myself from {primary_id(primary)} to {grand_primary.id}")
        follow(state, grand_primary)


def primary_id(node: ClusterNode | None) -> str:
    """Return the id of a node, or a dash where there is none, as CLUSTER NODES prints it."""
    return node.id if node is not None else "-"
