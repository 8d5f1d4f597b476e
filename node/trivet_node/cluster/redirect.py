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
    if owner is None:
        return errors.CLUSTER_DOWN_UNBOUND
    if any(key_slot(key) != slot for key in keys):
        return errors.CROSS_SLOT
    if not state.healthy and (writes or not state.options.allow_reads_when_down):
        return errors.CLUSTER_DOWN_READ_ONLY if state.options.allow_reads_when_down else errors.CLUSTER_DOWN
    if owner is state.myself or (not writes and _may_read(state, client, owner)):
        return None
    return moved(state, client, slot, owner)


def _may_read(state: ClusterState, client: Client, owner: ClusterNode) -> bool:
    return client.flags & CLUSTER_READONLY != 0 and state.myself.primary_id == owner.id


def moved(state: ClusterState, client: Client, slot: i64, owner: ClusterNode) -> bytes:
    """Return the redirection to the owner of a slot."""
    endpoint = client_endpoint(owner, client, state.options)
    return errors.moved(int(slot), endpoint.host or "", endpoint.port)
