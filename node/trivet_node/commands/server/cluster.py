"""The cluster. (Redis: group "cluster".)

Moving slots one by one (SETSLOT, ASKING) is not there yet.
"""

from typing import Final

from trivet_node.client import CLUSTER_READONLY, Client
from trivet_node.cluster import administration, description
from trivet_node.cluster.failure import valid_reports
from trivet_node.cluster.machine import ClusterMachine
from trivet_node.cluster.slots import range_of_slots
from trivet_node.cluster.state import SAVE, SAVE_DURABLY, ClusterState
from trivet_node.command import (
    ADMIN,
    FAST,
    LOADING,
    NO_ASYNC_LOADING,
    NOSCRIPT,
    STALE,
    Command,
    CommandError,
    container,
)
from trivet_node.commands.arguments import integer, slot_at
from trivet_node.commands.server.cluster_maps import reply_links, reply_shards, reply_slots
from trivet_node.commands.server.cluster_slot_stats import reply_slot_stats
from trivet_node.server.cluster_member import catch_up, commit
from trivet_node.server.state import Server
from trivet_node.values.strings import parse_integer
from trivet_wire import errors
from trivet_wire.addresses import BUS_PORT_OFFSET
from trivet_wire.help import reply_help
from trivet_wire.slots import SLOT_COUNT, key_slot

_DISABLED: Final = b"ERR This instance has cluster support disabled"
_MEET_ARGUMENTS_MAX: Final = 5
_EPOCH_ARGUMENT: Final = 4


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


# Who is in the cluster.


def meet(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER MEET ip port [bus-port]."""
    state = state_of(server)
    if len(arguments) > _MEET_ARGUMENTS_MAX:
        raise CommandError(errors.wrong_arity("cluster|meet"))
    port = parse_integer(arguments[3])
    if port is None:
        raise CommandError(b"ERR Invalid TCP base port specified: %s" % arguments[3])
    bus_port: int | None = port + BUS_PORT_OFFSET
    if len(arguments) == _MEET_ARGUMENTS_MAX:
        bus_port = parse_integer(arguments[4])
    if bus_port is None:
        raise CommandError(b"ERR Invalid TCP bus port specified: %s" % arguments[4])
    administration.meet(state, _text(arguments[2]), port, bus_port)
    commit(server)
    client.reply.ok()


def forget(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER FORGET node-id."""
    administration.forget_node(state_of(server), _text(arguments[2]))
    commit(server)
    client.reply.ok()


def reset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER RESET [HARD | SOFT]."""
    state = state_of(server)
    kind = arguments[2].lower() if len(arguments) == 3 else b"soft"
    if len(arguments) > 3 or kind not in (b"hard", b"soft"):
        raise CommandError(errors.SYNTAX)
    if state.myself.is_primary() and server.keyspace.size() != 0:
        raise CommandError(b"ERR CLUSTER RESET can't be called with master nodes containing keys")
    administration.reset(state, kind == b"hard")
    commit(server)
    client.reply.ok()


def replicate(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER REPLICATE node-id."""
    administration.replicate(state_of(server), _text(arguments[2]), server.keyspace.size() != 0)
    commit(server)
    client.reply.ok()


def failover(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER FAILOVER FORCE | TAKEOVER [epoch].

    The epoch is an extension: a sentinel that was elected in an epoch promotes with it, and is refused when it is late.
    """
    state = state_of(server)
    option = arguments[2].lower() if len(arguments) > 2 else b""
    epoch = _failover_epoch(arguments, option)
    administration.check_may_fail_over(state, needs_primary=not option)
    if option == b"takeover":
        administration.take_over_now(state, epoch)
    elif option == b"force":
        administration.stand_for_election(state)
    else:
        raise CommandError(b"ERR CLUSTER FAILOVER needs FORCE or TAKEOVER: this node cannot pause its primary yet")
    commit(server)
    client.reply.ok()


def _failover_epoch(arguments: list[bytes], option: bytes) -> int | None:
    """Return the epoch of a takeover, None where none is given; CommandError for arguments that do not fit."""
    if option not in (b"", b"force", b"takeover"):
        raise CommandError(errors.SYNTAX)
    if len(arguments) <= 3:
        return None
    if len(arguments) > _EPOCH_ARGUMENT or option != b"takeover":
        raise CommandError(errors.SYNTAX)
    epoch = parse_integer(arguments[3])
    if epoch is None or epoch <= 0:
        raise CommandError(b"ERR Invalid config epoch specified: %s" % arguments[3])
    return epoch


# Epochs and the configuration file.


def set_config_epoch(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER SET-CONFIG-EPOCH config-epoch."""
    administration.set_config_epoch(state_of(server), integer(arguments[2]))
    commit(server)
    client.reply.ok()


def bump_epoch(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER BUMPEPOCH."""
    state = state_of(server)
    word = b"BUMPED" if administration.bump(state) else b"STILL"
    commit(server)
    client.reply.simple(b"%s %d" % (word, state.myself.config_epoch))


def save_config(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER SAVECONFIG."""
    state_of(server).todo |= SAVE | SAVE_DURABLY
    commit(server)
    client.reply.ok()


# Slots.


def add_slots(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER ADDSLOTS slot [slot ...]."""
    administration.add_slots(state_of(server), _slot_list(arguments))
    commit(server)
    client.reply.ok()


def add_slots_range(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER ADDSLOTSRANGE start-slot end-slot [start-slot end-slot ...]."""
    administration.add_slots(state_of(server), _slot_ranges(arguments, "cluster|addslotsrange"))
    commit(server)
    client.reply.ok()


def delete_slots(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER DELSLOTS slot [slot ...]."""
    administration.delete_slots(state_of(server), _slot_list(arguments))
    commit(server)
    client.reply.ok()


def delete_slots_range(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER DELSLOTSRANGE start-slot end-slot [start-slot end-slot ...]."""
    administration.delete_slots(state_of(server), _slot_ranges(arguments, "cluster|delslotsrange"))
    commit(server)
    client.reply.ok()


def flush_slots(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER FLUSHSLOTS."""
    state = state_of(server)
    if server.keyspace.size() != 0:
        raise CommandError(b"ERR DB must be empty to perform CLUSTER FLUSHSLOTS.")
    administration.flush_slots(state)
    commit(server)
    client.reply.ok()


def key_slot_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER KEYSLOT key."""
    machine_of(server)
    client.reply.integer(int(key_slot(arguments[2])))


def count_keys_in_slot(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER COUNTKEYSINSLOT slot."""
    machine_of(server)
    slot = integer(arguments[2])
    if not 0 <= slot < SLOT_COUNT:
        raise CommandError(b"ERR Invalid slot")
    client.reply.integer(len(client.database.slots[slot]))


def get_keys_in_slot(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER GETKEYSINSLOT slot count."""
    machine_of(server)
    slot = integer(arguments[2])
    count = integer(arguments[3])
    if not 0 <= slot < SLOT_COUNT or count < 0:
        raise CommandError(b"ERR Invalid slot or number of keys")
    client.reply.bulk_array(list(client.database.slots[slot])[:count])


# Reports.


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
    primary = administration.known_node(state, _text(arguments[2]))
    if not primary.is_primary():
        raise CommandError(b"ERR The specified node is not a master")
    lines = [description.describe_node(state, node, client).encode() for node in state.replicas_of(primary)]
    client.reply.bulk_array(lines)


def count_failure_reports(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER COUNT-FAILURE-REPORTS node-id."""
    state = state_of(server)
    client.reply.integer(valid_reports(state, administration.known_node(state, _text(arguments[2]))))


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER HELP."""
    reply_help(client.reply, "CLUSTER", _HELP)


# The client's part.


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


# Arguments.


def _text(argument: bytes) -> str:
    return argument.decode(errors="replace")


def _slot_list(arguments: list[bytes]) -> int:
    return _union([range_of_slots(slot, slot) for slot in [slot_at(argument) for argument in arguments[2:]]])


def _slot_ranges(arguments: list[bytes], command: str) -> int:
    if len(arguments) % 2 == 1:
        raise CommandError(errors.wrong_arity(command))
    ranges: list[int] = []
    for index in range(2, len(arguments), 2):
        first = slot_at(arguments[index])
        last = slot_at(arguments[index + 1])
        if first > last:
            raise CommandError(b"ERR start slot number %d is greater than end slot number %d" % (first, last))
        ranges.append(range_of_slots(first, last))
    return _union(ranges)


def _union(sets: list[int]) -> int:
    union = 0
    for slots_ in sets:
        twice = union & slots_
        if twice:
            raise CommandError(b"ERR Slot %d specified multiple times" % ((twice & -twice).bit_length() - 1))
        union |= slots_
    return union


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
            Command(
                "cluster|addslots",
                -3,
                add_slots,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Assign new hash slots to receiving node",
                complexity="O(N) where N is the total number of hash slot arguments",
                arguments="slot:integer*",
            ),
            Command(
                "cluster|addslotsrange",
                -4,
                add_slots_range,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="7.0.0",
                summary="Assign new hash slots to receiving node",
                complexity="O(N) where N is the total number of the slots between the start slot and end slot "
                "arguments.",
                arguments="start-slot_end-slot:block*(start-slot:integer end-slot:integer)",
            ),
            Command(
                "cluster|bumpepoch",
                2,
                bump_epoch,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Advance the cluster config epoch",
                tips=("nondeterministic_output",),
            ),
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
                "cluster|countkeysinslot",
                3,
                count_keys_in_slot,
                STALE,
                group="cluster",
                since="3.0.0",
                summary="Return the number of local keys in the specified hash slot",
                arguments="slot:integer",
                difference="Of several databases (`cluster-databases`) it counts in the selected one, as in Valkey 9.",
            ),
            Command(
                "cluster|delslots",
                -3,
                delete_slots,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Set hash slots as unbound in receiving node",
                complexity="O(N) where N is the total number of hash slot arguments",
                arguments="slot:integer*",
            ),
            Command(
                "cluster|delslotsrange",
                -4,
                delete_slots_range,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="7.0.0",
                summary="Set hash slots as unbound in receiving node",
                complexity="O(N) where N is the total number of the slots between the start slot and end slot "
                "arguments.",
                arguments="start-slot_end-slot:block*(start-slot:integer end-slot:integer)",
            ),
            Command(
                "cluster|failover",
                -2,
                failover,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Forces a replica to perform a manual failover of its master.",
                arguments="options:oneof?(force:pure-token=FORCE takeover:pure-token=TAKEOVER) epoch:integer?",
                difference="TAKEOVER may name the epoch to take over with, which is how sentinels do it.",
            ),
            Command(
                "cluster|flushslots",
                2,
                flush_slots,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Delete a node's own slots information",
            ),
            Command(
                "cluster|forget",
                3,
                forget,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Remove a node from the nodes table",
                arguments="node-id:string",
            ),
            Command(
                "cluster|getkeysinslot",
                4,
                get_keys_in_slot,
                STALE,
                group="cluster",
                since="3.0.0",
                summary="Return local key names in the specified hash slot",
                complexity="O(log(N)) where N is the number of requested keys",
                tips=("nondeterministic_output",),
                arguments="slot:integer count:integer",
                difference="Of several databases (`cluster-databases`) it looks into the selected one, as in Valkey 9.",
            ),
            Command(
                "cluster|help",
                2,
                help_,
                LOADING | STALE,
                group="cluster",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
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
                "cluster|keyslot",
                3,
                key_slot_,
                STALE,
                group="cluster",
                since="3.0.0",
                summary="Returns the hash slot of the specified key",
                complexity="O(N) where N is the number of bytes in the key",
                arguments="key:string",
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
                "cluster|meet",
                -4,
                meet,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Force a node cluster to handshake with another node",
                arguments="ip:string port:integer cluster_bus_port:integer?@4.0.0",
                history=(("4.0.0", "Added the optional `cluster_bus_port` argument."),),
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
                "cluster|replicate",
                3,
                replicate,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Reconfigure a node as a replica of the specified master node",
                arguments="node-id:string",
            ),
            Command(
                "cluster|reset",
                -2,
                reset,
                ADMIN | NOSCRIPT | STALE,
                group="cluster",
                since="3.0.0",
                summary="Reset a Redis Cluster node",
                complexity="O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side "
                "effect.",
                arguments="hard_soft:oneof?(hard:pure-token=HARD soft:pure-token=SOFT)",
            ),
            Command(
                "cluster|saveconfig",
                2,
                save_config,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Forces the node to save cluster state on disk",
            ),
            Command(
                "cluster|set-config-epoch",
                3,
                set_config_epoch,
                ADMIN | NO_ASYNC_LOADING | STALE,
                group="cluster",
                since="3.0.0",
                summary="Set the configuration epoch in a new node",
                arguments="config-epoch:integer",
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
                complexity="O(N) where N is the total number of slots based on arguments. O(N*log(N)) with ORDERBY "
                "subcommand.",
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
