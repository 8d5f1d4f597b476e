"""CLUSTER, and READONLY and READWRITE of clients of replicas. (Redis: group "cluster".)"""

from typing import Final

from trivet_node.client import CLUSTER_READONLY, Client
from trivet_node.command import FAST, LOADING, STALE, Command, container
from trivet_node.commands.cluster import descriptions, membership, slots
from trivet_node.commands.cluster.access import machine_of
from trivet_node.server.state import Server
from trivet_wire.help import reply_help


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER HELP."""
    machine_of(server)
    reply_help(client.reply, "CLUSTER", _HELP)


def readonly(server: Server, client: Client, arguments: list[bytes]) -> None:
    """READONLY: let this client read from a replica."""
    machine_of(server)
    client.flags |= CLUSTER_READONLY
    client.reply.ok()


def readwrite(server: Server, client: Client, arguments: list[bytes]) -> None:
    """READWRITE: undo READONLY."""
    machine_of(server)
    client.flags &= ~CLUSTER_READONLY
    client.reply.ok()


_HELP: Final = (
    "ADDSLOTS <slot> [<slot> ...]",
    "    Assign slots to current node.",
    "ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Assign slots which are between <start-slot> and <end-slot> to current node.",
    "BUMPEPOCH",
    "    Advance the cluster config epoch.",
    "COUNT-FAILURE-REPORTS <node-id>",
    "    Return number of failure reports for <node-id>.",
    "COUNTKEYSINSLOT <slot>",
    "    Return the number of keys in <slot>.",
    "DELSLOTS <slot> [<slot> ...]",
    "    Delete slots information from current node.",
    "DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Delete slots information which are between <start-slot> and <end-slot> from current node.",
    "FAILOVER [FORCE|TAKEOVER [<epoch>]]",
    "    Promote current replica node to being a master.",
    "FORGET <node-id>",
    "    Remove a node from the cluster.",
    "GETKEYSINSLOT <slot> <count>",
    "    Return key names stored by current node in a slot.",
    "FLUSHSLOTS",
    "    Delete current node own slots information.",
    "INFO",
    "    Return information about the cluster.",
    "KEYSLOT <key>",
    "    Return the hash slot for <key>.",
    "MEET <ip> <port> [<bus-port>]",
    "    Connect nodes into a working cluster.",
    "MYID",
    "    Return the node id.",
    "MYSHARDID",
    "    Return the id of the shard that the node belongs to.",
    "NODES",
    "    Return cluster configuration seen by node. Output format:",
    "    <id> <ip:port> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
    "REPLICATE <node-id>",
    "    Configure current node as replica to <node-id>.",
    "RESET [HARD|SOFT]",
    "    Reset current node (default: soft).",
    "SET-CONFIG-EPOCH <epoch>",
    "    Set config epoch of current node.",
    "REPLICAS <node-id>",
    "    Return <node-id> replicas.",
    "SAVECONFIG",
    "    Force saving cluster configuration on disk.",
    "SLOT-STATS",
    "    Return an array of slot usage statistics for slots assigned to the current node.",
    "SLOTS",
    "    Return information about slots range mappings. Each range is made of:",
    "    start, end, master and replicas IP addresses, ports and ids",
    "SHARDS",
    "    Return information about slot range mappings and the nodes associated with them.",
    "LINKS",
    "    Return information about all network links between this node and its peers.",
    "    Output format is an array where each array element is a map containing attributes of a link",
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "cluster",
        -2,
        container,
        0,
        group="cluster",
        since="3.0.0",
        summary="A container for cluster commands",
        complexity="Depends on subcommand.",
        subcommands=(
            *membership.SUBCOMMANDS,
            *slots.SUBCOMMANDS,
            *descriptions.SUBCOMMANDS,
            Command(
                "cluster|help",
                2,
                help_,
                LOADING | STALE,
                group="cluster",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
            ),
        ),
    ),
    Command(
        "readonly",
        1,
        readonly,
        FAST | LOADING | STALE,
        group="cluster",
        since="3.0.0",
        summary="Enables read queries for a connection to a cluster replica node",
        categories="connection",
    ),
    Command(
        "readwrite",
        1,
        readwrite,
        FAST | LOADING | STALE,
        group="cluster",
        since="3.0.0",
        summary="Disables read queries for a connection to a cluster replica node",
        categories="connection",
    ),
)
