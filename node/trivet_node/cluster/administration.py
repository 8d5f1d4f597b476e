"""What CLUSTER subcommands change, and when they refuse. Each function raises CommandError before it changes anything.

Callers settle the machine afterwards (machine.py). (Redis: clusterCommand.)
"""

import re
from typing import Final

from trivet_node.cluster import election
from trivet_node.cluster.effects import EmptyData
from trivet_node.cluster.epochs import bump_epoch, greatest_epoch, use_epoch
from trivet_node.cluster.membership import drop_node, forget, start_handshake
from trivet_node.cluster.nodes import FAIL, MEET, MYSELF, NO_FAILOVER, PRIMARY, ClusterNode, new_id
from trivet_node.cluster.options import ClusterOptions
from trivet_node.cluster.ownership import follow, take_over
from trivet_node.cluster.slots import slots_in
from trivet_node.cluster.state import ANNOUNCE, SAVE, SAVE_DURABLY, ClusterState
from trivet_node.command import CommandError

_HOST: Final = re.compile(r"[0-9a-zA-Z.:_-]{1,255}\Z")
_PORT_MAX: Final = 65535


def apply_options(state: ClusterState, options: ClusterOptions) -> None:
    """Take over settings, at the start and when they change."""
    myself = state.myself
    before = (myself.host, myself.port, myself.bus_port, myself.hostname, int(myself.flags), myself.metadata)
    state.options = options
    myself.host = options.announce_host or myself.host
    myself.port = options.announce_port or options.port
    myself.bus_port = options.announce_bus_port or options.bus_port
    myself.hostname = options.announce_hostname
    myself.metadata = options.metadata
    myself.flags = (myself.flags & ~NO_FAILOVER) | (NO_FAILOVER if options.replica_no_failover else 0)
    if before != (myself.host, myself.port, myself.bus_port, myself.hostname, int(myself.flags), myself.metadata):
        state.todo |= SAVE | ANNOUNCE


def meet(state: ClusterState, host: str, port: int, bus_port: int) -> None:
    """CLUSTER MEET: get to know the node at an address, and let it know us."""
    if not _HOST.match(host) or not 0 < port <= _PORT_MAX or not 0 < bus_port <= _PORT_MAX:
        raise CommandError(f"ERR Invalid node address specified: {host}:{port}".encode())
    start_handshake(state, host, port, bus_port, MEET)


def add_slots(state: ClusterState, slots: int) -> None:
    """CLUSTER ADDSLOTS: take slots that nobody owns."""
    busy = slots & state.table.assigned
    if busy:
        raise CommandError(b"ERR Slot %d is already busy" % slots_in(busy)[0])
    state.table.assign(slots, state.myself)
    state.todo |= SAVE | ANNOUNCE


def delete_slots(state: ClusterState, slots: int) -> None:
    """CLUSTER DELSLOTS: forget who owns slots."""
    free = slots & ~state.table.assigned
    if free:
        raise CommandError(b"ERR Slot %d is already unassigned" % slots_in(free)[0])
    state.table.release(slots)
    state.todo |= SAVE | ANNOUNCE


def flush_slots(state: ClusterState) -> None:
    """CLUSTER FLUSHSLOTS: give up all our slots."""
    state.table.release(state.myself.slots)
    state.todo |= SAVE | ANNOUNCE


def known_node(state: ClusterState, node_id: str) -> ClusterNode:
    """Return the node with an id."""
    node = state.nodes.get(node_id.lower())
    if node is None:
        raise CommandError(f"ERR Unknown node {node_id}".encode())
    return node


def replicate(state: ClusterState, node_id: str, has_keys: bool) -> None:
    """CLUSTER REPLICATE: follow a primary."""
    primary = known_node(state, node_id)
    if primary is state.myself:
        raise CommandError(b"ERR Can't replicate myself")
    if not primary.is_primary():
        raise CommandError(b"ERR I can only replicate a master, not a replica.")
    if state.myself.is_primary() and (state.myself.slots or has_keys):
        raise CommandError(b"ERR To set a master the node must be empty and without assigned slots.")
    follow(state, primary)


def forget_node(state: ClusterState, node_id: str) -> None:
    """CLUSTER FORGET: forget a node, so that gossip does not bring it back for a minute."""
    node = known_node(state, node_id)
    if node is state.myself:
        raise CommandError(b"ERR I tried hard but I can't forget myself...")
    if state.primary_of(state.myself) is node:
        raise CommandError(b"ERR Can't forget my master!")
    forget(state, node)


def set_config_epoch(state: ClusterState, epoch: int) -> None:
    """CLUSTER SET-CONFIG-EPOCH: give a fresh node an epoch of its own, so that no collision must be resolved."""
    if epoch < 0:
        raise CommandError(b"ERR Invalid config epoch specified: %d" % epoch)
    if len(state.nodes) > 1:
        raise CommandError(b"ERR The user can assign a config epoch only when the node does not know any other node.")
    if state.myself.config_epoch != 0:
        raise CommandError(b"ERR Node config epoch is already non-zero")
    use_epoch(state, epoch)


def bump(state: ClusterState) -> bool:
    """CLUSTER BUMPEPOCH: make our epoch the greatest; say whether it was not yet."""
    return bump_epoch(state)


def check_may_fail_over(state: ClusterState, needs_primary: bool) -> None:
    """Refuse CLUSTER FAILOVER on a primary, and where `needs_primary`, without a primary that answers."""
    if state.myself.is_primary():
        raise CommandError(b"ERR You should send CLUSTER FAILOVER to a replica")
    primary = state.primary_of(state.myself)
    if primary is None:
        raise CommandError(b"ERR I'm a replica but my master is unknown to me")
    if needs_primary and (primary.flags & FAIL != 0 or not primary.link_is_up):
        raise CommandError(b"ERR Master is down or failed, please use CLUSTER FAILOVER FORCE")


def take_over_now(state: ClusterState, epoch: int | None) -> None:
    """CLUSTER FAILOVER TAKEOVER [epoch]: become the primary without asking anybody.

    Whoever gives an epoch was elected in it; one that is not newer than all that this node knows is refused.
    """
    greatest = greatest_epoch(state)
    if epoch is not None and epoch <= greatest:
        raise CommandError(b"ERR stale epoch, current is %d" % greatest)
    state.log("warning", "Taking over the master (user request).")
    take_over(state, greatest + 1 if epoch is None else epoch)


def stand_for_election(state: ClusterState) -> None:
    """CLUSTER FAILOVER FORCE: ask the primaries for votes although our primary may be alive."""
    state.log("warning", "Forced failover user request accepted.")
    election.stand(state)


def reset(state: ClusterState, hard: bool) -> None:
    """CLUSTER RESET: leave the cluster; a hard one also forgets the name and all epochs."""
    myself = state.myself
    if myself.is_replica():
        state.effects.append(EmptyData())
        state.make_primary(myself)
        myself.shard_id = new_id(state.random)
    state.table.release(state.table.assigned)
    for node in list(state.nodes.values()):
        if node is not myself:
            drop_node(state, node)
    if hard:
        _rename(state)
    state.todo |= SAVE | SAVE_DURABLY


def _rename(state: ClusterState) -> None:
    myself = state.myself
    del state.nodes[myself.id]
    old_id = myself.id
    myself.id = new_id(state.random)
    myself.shard_id = new_id(state.random)
    myself.flags = (myself.flags & NO_FAILOVER) | MYSELF | PRIMARY
    myself.config_epoch = 0
    state.nodes[myself.id] = myself
    state.current_epoch = 0
    state.last_vote_epoch = 0
    state.log("notice", f"Node hard reset, now I'm {myself.id}, before {old_id}")
