"""The cluster as commands reach it; out of cluster mode they are refused."""

from typing import Final

from trivet_node.cluster.machine import ClusterMachine
from trivet_node.cluster.state import ClusterState
from trivet_node.command import CommandError
from trivet_node.server.cluster_member import catch_up
from trivet_node.server.state import Server

_DISABLED: Final = b"ERR This instance has cluster support disabled"


def machine_of(server: Server) -> ClusterMachine:
    """Return the cluster machine; CommandError out of cluster mode."""
    if server.cluster is None:
        raise CommandError(_DISABLED)
    return server.cluster


def state_of(server: Server) -> ClusterState:
    """Return what this node knows of its cluster; CommandError out of cluster mode."""
    state = machine_of(server).state
    catch_up(server, state)
    return state


def text_of(argument: bytes) -> str:
    """Return the name or address that an argument gives."""
    return argument.decode(errors="replace")
