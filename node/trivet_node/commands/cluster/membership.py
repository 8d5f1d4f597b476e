"""CLUSTER MEET, FORGET, REPLICATE, FAILOVER, epochs: who is in the cluster, and as what. (Redis: group "cluster".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.cluster import administration
from trivet_node.cluster.state import SAVE, SAVE_DURABLY
from trivet_node.command import ADMIN, NO_ASYNC_LOADING, NOSCRIPT, STALE, Command, CommandError
from trivet_node.commands.arguments import integer
from trivet_node.commands.cluster.access import state_of, text_of
from trivet_node.server.cluster_member import commit
from trivet_node.server.state import Server
from trivet_node.values.strings import parse_integer
from trivet_wire import errors
from trivet_wire.addresses import BUS_PORT_OFFSET

_MEET_ARGUMENTS_MAX: Final = 5
_EPOCH_ARGUMENT: Final = 4


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
    administration.meet(state, text_of(arguments[2]), port, bus_port)
    commit(server)
    client.reply.ok()


def forget(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER FORGET node-id."""
    administration.forget_node(state_of(server), text_of(arguments[2]))
    commit(server)
    client.reply.ok()


def reset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER RESET [HARD | SOFT]."""
    state = state_of(server)
    kind = arguments[2].lower() if len(arguments) == 3 else b"soft"
    if len(arguments) > 3:
        raise CommandError(errors.subcommand_syntax("cluster", arguments[1]))
    if kind not in (b"hard", b"soft"):
        raise CommandError(errors.SYNTAX)
    if state.myself.is_primary() and server.keyspace.size() != 0:
        raise CommandError(b"ERR CLUSTER RESET can't be called with master nodes containing keys")
    administration.reset(state, kind == b"hard")
    commit(server)
    client.reply.ok()


def replicate(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER REPLICATE node-id."""
    administration.replicate(state_of(server), text_of(arguments[2]), server.keyspace.size() != 0)
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
    if len(arguments) > (_EPOCH_ARGUMENT if option == b"takeover" else 3):
        raise CommandError(errors.subcommand_syntax("cluster", arguments[1]))
    if len(arguments) > 2 and option not in (b"force", b"takeover"):
        raise CommandError(errors.SYNTAX)
    if len(arguments) <= 3:
        return None
    epoch = parse_integer(arguments[3])
    if epoch is None or epoch <= 0:
        raise CommandError(b"ERR Invalid config epoch specified: %s" % arguments[3])
    return epoch


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


SUBCOMMANDS: Final[tuple[Command, ...]] = (
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
        "cluster|meet",
        -4,
        meet,
        ADMIN | NO_ASYNC_LOADING | STALE,
        group="cluster",
        since="3.0.0",
        summary="Force a node cluster to handshake with another node",
        arguments="ip:string port:integer cluster_bus_port:integer?@4.0.0",
        history=(("4.0.0", "Added the optional `cluster_bus_port` argument."),),
        difference="The node may be named by its host name, too.",
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
        complexity="O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.",
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
)
