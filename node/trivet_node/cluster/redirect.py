"""May this node run a command on these keys, and if not, what does the client hear?

(Redis: getNodeByQuery, clusterRedirectClient. Redis Cluster specification, "MOVED Redirection".)
"""

from mypy_extensions import i64

from trivet_node.client import CLUSTER_READONLY, Client
from trivet_node.cluster.endpoint import client_endpoint
from trivet_node.cluster.nodes import ClusterNode
from trivet_node.cluster.state import ClusterState
from trivet_wire import errors
from trivet_wire.slots import key_slot


def redirection(state: ClusterState, client: Client, keys: list[bytes], writes: bool) -> bytes | None:
    """Return the error for a command (or a transaction) on `keys`, or None where it may run here."""
    if not keys:
        return None
    slot = key_slot(keys[0])
    owner = state.table.owners[slot]
    unserved = _unserved(owner, slot, keys)
    if owner is None or unserved is not None:
        return unserved
    if not state.healthy and (writes or not state.options.allow_reads_when_down):
        return errors.CLUSTER_DOWN_READ_ONLY if state.options.allow_reads_when_down else errors.CLUSTER_DOWN
    if owner is state.myself or (not writes and _may_read(state, client, owner)):
        return None
    return moved(state, client, slot, owner)


def channel_redirection(state: ClusterState, client: Client, channels: list[bytes]) -> bytes | None:
    """Return the error for a command on channels of a shard, or None where it may run here.

    All nodes that serve the slot serve its channels: replicas, too.
    """
    if not channels:
        return None
    slot = key_slot(channels[0])
    owner = state.table.owners[slot]
    unserved = _unserved(owner, slot, channels)
    if owner is None or unserved is not None:
        return unserved
    if not state.healthy and not state.options.allow_pubsubshard_when_down:
        return errors.CLUSTER_DOWN
    return None if serves_channels_of(state, slot) else moved(state, client, slot, owner)


def serves_channels_of(state: ClusterState, slot: i64) -> bool:
    """Say whether this node or its primary owns a slot."""
    owner = state.table.owners[slot]
    return owner is not None and owner is state.claimant(state.myself)


def _unserved(owner: ClusterNode | None, slot: i64, names: list[bytes]) -> bytes | None:
    """Return the error for names that no node of the cluster could serve together: `owner` is that of the first one."""
    if owner is None:
        return errors.CLUSTER_DOWN_UNBOUND
    return errors.CROSS_SLOT if any(key_slot(name) != slot for name in names) else None


def _may_read(state: ClusterState, client: Client, owner: ClusterNode) -> bool:
    return client.flags & CLUSTER_READONLY != 0 and state.myself.primary_id == owner.id


def moved(state: ClusterState, client: Client, slot: i64, owner: ClusterNode) -> bytes:
    """Return the redirection to the owner of a slot."""
    endpoint = client_endpoint(owner, client, state.options)
    return errors.moved(int(slot), endpoint.host or "", endpoint.port)
