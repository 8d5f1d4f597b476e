"""CLUSTER INFO, NODES, SHARDS, SLOTS and their kin: what this node knows of its cluster. (Redis: group "cluster".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.cluster import administration, description
from trivet_node.cluster.failure import valid_reports
from trivet_node.command import ADMIN, LOADING, STALE, Command, CommandError
from trivet_node.commands.cluster.access import state_of, text_of
from trivet_node.commands.cluster.maps import reply_links, reply_shards, reply_slots
from trivet_node.commands.cluster.slot_stats import reply_slot_stats
from trivet_node.server.state import Server


def my_id(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER MYID."""
    client.reply.bulk_text(state_of(server).myself.id)


def my_shard_id(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER MYSHARDID."""
    client.reply.bulk_text(state_of(server).myself.shard_id)


def info(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER INFO."""
    client.reply.verbatim(description.describe_cluster(state_of(server)).encode())


def nodes(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER NODES."""
    client.reply.verbatim(description.describe_nodes(state_of(server), client).encode())


def slots(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER SLOTS."""
    reply_slots(state_of(server), client)


def shards(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER SHARDS."""
    reply_shards(state_of(server), client)


def links(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER LINKS."""
    reply_links(state_of(server), client)


def slot_stats(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER SLOT-STATS SLOTSRANGE start-slot end-slot | ORDERBY metric [LIMIT limit] [ASC | DESC]."""
    reply_slot_stats(server, client, state_of(server), arguments)


def replicas(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER REPLICAS node-id."""
    state = state_of(server)
    primary = administration.known_node(state, text_of(arguments[2]))
    if not primary.is_primary():
        raise CommandError(b"ERR The specified node is not a master")
    lines = [description.describe_node(state, node, client).encode() for node in state.replicas_of(primary)]
    client.reply.bulk_array(lines)


def count_failure_reports(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER COUNT-FAILURE-REPORTS node-id."""
    state = state_of(server)
    client.reply.integer(valid_reports(state, administration.known_node(state, text_of(arguments[2]))))


SUBCOMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "cluster|count-failure-reports",
        3,
        count_failure_reports,
        ADMIN | STALE,
        group="cluster",
        since="3.0.0",
        summary="Return the number of failure reports active for a given node",
        complexity="O(N) where N is the number of failure reports",
        tips=("nondeterministic_output",),
        arguments="node-id:string",
    ),
    Command(
        "cluster|info",
        2,
        info,
        STALE,
        group="cluster",
        since="3.0.0",
        summary="Provides info about Redis Cluster node state",
        tips=("nondeterministic_output",),
    ),
    Command(
        "cluster|links",
        2,
        links,
        STALE,
        group="cluster",
        since="7.0.0",
        summary="Returns a list of all TCP links to and from peer nodes in cluster",
        complexity="O(N) where N is the total number of Cluster nodes",
        tips=("nondeterministic_output",),
    ),
    Command(
        "cluster|myid",
        2,
        my_id,
        STALE,
        group="cluster",
        since="3.0.0",
        summary="Return the node id",
    ),
    Command(
        "cluster|myshardid",
        2,
        my_shard_id,
        STALE,
        group="cluster",
        since="7.2.0",
        summary="Return the id of the shard that the node belongs to",
        tips=("nondeterministic_output",),
        difference="From Redis 7.2: clients of today send it.",
    ),
    Command(
        "cluster|nodes",
        2,
        nodes,
        STALE,
        group="cluster",
        since="3.0.0",
        summary="Get Cluster config for the node",
        complexity="O(N) where N is the total number of Cluster nodes",
        tips=("nondeterministic_output",),
    ),
    Command(
        "cluster|replicas",
        3,
        replicas,
        ADMIN | STALE,
        group="cluster",
        since="5.0.0",
        summary="List replica nodes of the specified master node",
        tips=("nondeterministic_output",),
        arguments="node-id:string",
    ),
    Command(
        "cluster|shards",
        2,
        shards,
        STALE,
        group="cluster",
        since="7.0.0",
        summary="Get array of cluster slots to node mappings",
        complexity="O(N) where N is the total number of cluster nodes",
        tips=("nondeterministic_output",),
    ),
    Command(
        "cluster|slaves",
        3,
        replicas,
        ADMIN | STALE,
        group="cluster",
        since="3.0.0",
        summary="List replica nodes of the specified master node",
        tips=("nondeterministic_output",),
        arguments="node-id:string",
        doc_flags=("deprecated",),
        deprecated_since="5.0.0",
        replaced_by="`CLUSTER REPLICAS`",
    ),
    Command(
        "cluster|slot-stats",
        -4,
        slot_stats,
        STALE | LOADING,
        group="cluster",
        since="8.2.0",
        summary="Return an array of slot usage statistics for slots assigned to the current node",
        complexity="O(N) where N is the total number of slots based on arguments. O(N*log(N)) with ORDERBY subcommand.",
        tips=("nondeterministic_output", "request_policy:all_shards"),
        arguments="filter:oneof(slotsrange:block=SLOTSRANGE(start-slot:integer end-slot:integer) "
        "orderby:block=ORDERBY(metric:string limit:integer=LIMIT? "
        "order:oneof?(asc:pure-token=ASC desc:pure-token=DESC)))",
        difference="Of Redis 8.2 and Valkey 8; all but `key-count` is there while "
        "`cluster-slot-stats-enabled` is on. Inline requests count as if sent as arrays, messages of sharded "
        "channels not at all.",
    ),
    Command(
        "cluster|slots",
        2,
        slots,
        STALE,
        group="cluster",
        since="3.0.0",
        summary="Get array of Cluster slot to node mappings",
        complexity="O(N) where N is the total number of Cluster nodes",
        tips=("nondeterministic_output",),
        doc_flags=("deprecated",),
        history=(
            ("4.0.0", "Added node IDs."),
            ("7.0.0", "Added additional networking metadata field."),
        ),
        deprecated_since="7.0.0",
        replaced_by="`CLUSTER SHARDS`",
    ),
)
