"""The subcommands of DEBUG about the cluster bus and the replication stream. (Redis: debug.c debugCommand.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.cluster import gossip
from trivet_node.cluster.effects import Disconnect
from trivet_node.cluster.membership import drop_link
from trivet_node.cluster.nodes import ClusterNode
from trivet_node.cluster.state import ClusterState
from trivet_node.command import CommandError
from trivet_node.commands.arguments import integer
from trivet_node.replication.history import new_replication_id
from trivet_node.server.cluster_member import catch_up, commit
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.replies import encode_command

# By Redis' numbers of the messages of its bus.
_KINDS: Final[dict[int, str]] = {
    0: gossip.PING,
    1: gossip.PONG,
    2: gossip.MEET,
    3: gossip.FAIL,
    4: gossip.PUBLISH,
    5: gossip.AUTH_REQUEST,
    6: gossip.AUTH_ACK,
    7: gossip.UPDATE,
    10: gossip.PUBLISH_SHARD,
}


def drop_packets(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG DROP-CLUSTER-PACKET-FILTER type: drop what comes in of that type; none for a number that is no type."""
    kind = _KINDS.get(integer(arguments[2]), "")
    if server.cluster is not None:
        server.cluster.state.dropped_kind = kind
    client.reply.ok()


def kill_link(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG CLUSTERLINK KILL to|from|all node: break the links to and from a node; they are made again."""
    if arguments[2].upper() != b"KILL":
        raise CommandError(errors.subcommand_syntax("debug", arguments[1]))
    if server.cluster is None:
        raise CommandError(b"ERR Debug option only available for cluster mode enabled setup!")
    state = server.cluster.state
    catch_up(server, state)
    node = state.nodes.get(arguments[4].decode("latin-1"))
    if node is None:
        raise CommandError(b"ERR Unknown node %s" % arguments[4])
    direction = arguments[3].lower()
    if direction not in (b"to", b"from", b"all"):
        raise CommandError(b"ERR Unknown direction %s" % arguments[3])
    if direction != b"from":
        drop_link(state, node)
    if direction != b"to":
        _drop_incoming(state, node)
    commit(server)
    client.reply.ok()


def _drop_incoming(state: ClusterState, node: ClusterNode) -> None:
    for link in list(state.links.values()):
        if link.number < 0 and link.node is node:
            state.effects.append(Disconnect(link.number))
            del state.links[link.number]


def change_replication_id(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG CHANGE-REPL-ID: begin a history that nobody has a part of."""
    server.host.log("notice", "Changing replication IDs after receiving DEBUG change-repl-id")
    server.replication.history.begin(new_replication_id(server.random))
    client.reply.ok()


def replicate(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG REPLICATE word [word ...]: send these words, as one command, to the replicas alone."""
    if server.propagation.enabled and server.replication.upstream is None:
        server.feed_stream(encode_command(arguments[2:]))
    client.reply.ok()
