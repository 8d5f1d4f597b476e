"""Replication. (Redis: REPLICAOF, PSYNC, REPLCONF, ROLE, WAIT.)"""

from typing import Final

from trivet_node.blocking import FOREVER
from trivet_node.client import IN_TRANSACTION, PRIMARY, REPLICA, Client
from trivet_node.command import (
    ADMIN,
    ALLOW_BUSY,
    FAST,
    LOADING,
    NO_ASYNC_LOADING,
    NO_MULTI,
    NOSCRIPT,
    STALE,
    Command,
    CommandError,
)
from trivet_node.replication.replicas import ONLINE
from trivet_node.replication.upstream import CONNECTED
from trivet_node.server import shutting_down
from trivet_node.server.replicating import failover, roles, sync
from trivet_node.server.replicating.waits import ReplicaWait, ask_for_acknowledgements
from trivet_node.server.state import Server
from trivet_node.values.strings import parse_integer
from trivet_wire import errors

_PORT_MAX: Final = 65535
_HOST_NAME_MAX: Final = 255


def replicaof(server: Server, client: Client, arguments: list[bytes]) -> None:
    """REPLICAOF host port | NO ONE."""
    if server.config.cluster_enabled:
        raise CommandError(b"ERR REPLICAOF not allowed in cluster mode.")
    if failover.is_under_way(server):
        raise CommandError(b"ERR REPLICAOF not allowed while failing over.")
    if arguments[1].lower() == b"no" and arguments[2].lower() == b"one":
        _stop_following(server, client)
    elif client.flags & REPLICA != 0:
        raise CommandError(b"ERR Command is not valid when client is a replica.")
    else:
        _follow(server, client, arguments)


def _stop_following(server: Server, client: Client) -> None:
    if server.replication.upstream is not None:
        server.host.log("notice", f"MASTER MODE enabled (user request from '{_describe(client)}')")
        roles.lead(server)
        server.config.replicaof = None
    client.reply.ok()


def _follow(server: Server, client: Client, arguments: list[bytes]) -> None:
    port = parse_integer(arguments[2])
    if port is None or not 0 <= port <= _PORT_MAX:
        raise CommandError(b"ERR Invalid master port")
    host = arguments[1].decode(errors="surrogateescape")
    upstream = server.replication.upstream
    if upstream is not None and upstream.host.lower() == host.lower() and upstream.port == port:
        client.reply.simple(b"OK Already connected to specified master")
        return
    roles.follow(server, host, port)
    server.config.replicaof = (host, port)
    server.host.log("notice", f"REPLICAOF {host}:{port} enabled (user request from '{_describe(client)}')")
    client.reply.ok()


def psync(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PSYNC replicationid offset [FAILOVER]."""
    if len(arguments) > 3 and arguments[3].lower() == b"failover":
        _take_over(server, client, arguments[1])
    if _may_ask_for_stream(server, client):
        next_offset = parse_integer(arguments[2])
        if next_offset is None:
            raise CommandError(errors.NOT_AN_INTEGER)
        sync.ask_for_stream(server, client, arguments[1], next_offset)


def _take_over(server: Server, client: Client, replication_id: bytes) -> None:
    """Become the primary in place of our own, which asks for that."""
    if client.flags & REPLICA != 0:
        return
    server.host.log("warning", f"Failover request received for replid {replication_id.decode(errors='replace')}.")
    if server.replication.upstream is None:
        raise CommandError(b"ERR PSYNC FAILOVER can't be sent to a master.")
    if replication_id.lower() != server.replication.history.id:
        raise CommandError(b"ERR PSYNC FAILOVER replid must match my replid.")
    roles.lead(server)
    server.config.replicaof = None
    server.host.log("notice", f"MASTER MODE enabled (failover request from '{_describe(client)}')")


def sync_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SYNC."""
    if _may_ask_for_stream(server, client):
        server.replication.replicas.of(client).is_old = True
        sync.ask_for_stream(server, client, b"?", -1)


def _may_ask_for_stream(server: Server, client: Client) -> bool:
    if client.flags & REPLICA != 0:
        return False
    if failover.is_under_way(server):
        raise CommandError(b"NOMASTERLINK Can't SYNC while failing over")
    upstream = server.replication.upstream
    if upstream is not None and upstream.state != CONNECTED:
        raise CommandError(b"NOMASTERLINK Can't SYNC while not connected with my master")
    return True


def replconf(server: Server, client: Client, arguments: list[bytes]) -> None:
    """REPLCONF option value ...: a replica introduces itself, acknowledges, or is asked to."""
    if len(arguments) % 2 == 0:
        raise CommandError(errors.SYNTAX)
    for index in range(1, len(arguments), 2):
        option = arguments[index].lower()
        value = arguments[index + 1]
        if option == b"ack":
            _take_acknowledgement(server, client, value)
            return
        if option == b"getack":
            _give_acknowledgement(server, client)
            return
        _introduce(server, client, option, value)
    client.reply.ok()


def _introduce(server: Server, client: Client, option: bytes, value: bytes) -> None:
    """Note what a replica says of itself."""
    replica = server.replication.replicas.of(client)
    if option == b"listening-port":
        port = parse_integer(value)
        if port is None or not 0 <= port <= _PORT_MAX:
            raise CommandError(errors.NOT_AN_INTEGER)
        replica.listening_port = port
    elif option == b"ip-address":
        if len(value) > _HOST_NAME_MAX:
            raise CommandError(
                b"ERR REPLCONF ip-address provided by replica instance is too long: %d bytes" % len(value)
            )
        replica.announced_host = value.decode(errors="surrogateescape")
    elif option == b"capa":
        # Whatever we do not know of the replica's capabilities, we do not use.
        if value.lower() == b"psync2":
            replica.understands_psync2 = True
    elif option not in (b"rdb-only", b"rdb-filter-only"):
        raise CommandError(b"ERR Unrecognized REPLCONF option: %s" % option)


def _take_acknowledgement(server: Server, client: Client, value: bytes) -> None:
    replica = server.replication.replicas.find(client)
    offset = parse_integer(value)
    if client.flags & REPLICA != 0 and replica is not None and offset is not None:
        sync.acknowledged(server, replica, offset)
        failover.look(server)
        shutting_down.look(server)


def _give_acknowledgement(server: Server, client: Client) -> None:
    upstream = server.replication.upstream
    if client.flags & PRIMARY != 0 and upstream is not None:
        upstream.acknowledgement_due = True


def role(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ROLE."""
    reply = client.reply
    upstream = server.replication.upstream
    if upstream is not None:
        reply.array(5)
        reply.bulk(b"slave")
        reply.bulk_text(upstream.host)
        reply.integer(upstream.port)
        reply.bulk_text(upstream.state_name())
        reply.integer(server.replication.applied_offset() if upstream.state == CONNECTED else -1)
        return
    online = server.replication.replicas.in_state(ONLINE)
    reply.array(3)
    reply.bulk(b"master")
    reply.integer(server.replication.history.offset)
    reply.array(len(online))
    for replica in online:
        reply.bulk_array([replica.host().encode(), b"%d" % replica.listening_port, b"%d" % replica.acknowledged])


def wait(server: Server, client: Client, arguments: list[bytes]) -> None:
    """WAIT numreplicas timeout-ms."""
    if server.replication.upstream is not None:
        raise CommandError(
            b"ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is "
            b"configured to be writable (which is not the default) writes to replicas are just local and are not "
            b"propagated."
        )
    wanted = parse_integer(arguments[1])
    timeout_ms = parse_integer(arguments[2])
    if wanted is None:
        raise CommandError(errors.NOT_AN_INTEGER)
    if timeout_ms is None:
        raise CommandError(errors.TIMEOUT_NOT_AN_INTEGER)
    if timeout_ms < 0:
        raise CommandError(errors.TIMEOUT_NEGATIVE)
    _wait(server, client, wanted, timeout_ms)


def _wait(server: Server, client: Client, wanted: int, timeout_ms: int) -> None:
    replicas = server.replication.replicas
    deadline_ms = int(server.keyspace.now_ms) + timeout_ms if timeout_ms else FOREVER
    waiting = ReplicaWait(client, deadline_ms, replicas, client.write_offset, wanted)
    count = waiting.count()
    if count >= wanted or client.flags & IN_TRANSACTION != 0 or server.call_depth > 1:
        client.reply.integer(count)
        return
    server.blocking.block(waiting)
    ask_for_acknowledgements(server)


def _describe(client: Client) -> str:
    name = client.name.decode(errors="replace")
    return f"id={client.id} addr={client.address} laddr={client.local_address} fd={client.fd} name={name}"


_REPLICAOF_ARGUMENTS: Final = (
    "args:oneof(host-port:block(host:string port:integer) no-one:block(no:pure-token=NO one:pure-token=ONE))"
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "replicaof",
        3,
        replicaof,
        ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING,
        group="server",
        since="5.0.0",
        summary="Make the server a replica of another instance, or promote it as master.",
        arguments=_REPLICAOF_ARGUMENTS,
    ),
    Command(
        "slaveof",
        3,
        replicaof,
        ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING,
        group="server",
        since="1.0.0",
        summary="Make the server a replica of another instance, or promote it as master.",
        arguments=_REPLICAOF_ARGUMENTS,
        doc_flags=("deprecated",),
        deprecated_since="5.0.0",
        replaced_by="`REPLICAOF`",
    ),
    Command(
        "psync",
        -3,
        psync,
        ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        group="server",
        since="2.8.0",
        summary="Internal command used for replication",
        complexity="",
        arguments="replicationid:string offset:integer",
    ),
    Command(
        "sync",
        1,
        sync_,
        ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        group="server",
        since="1.0.0",
        summary="Internal command used for replication",
        complexity="",
    ),
    Command(
        "replconf",
        -1,
        replconf,
        ADMIN | NOSCRIPT | LOADING | STALE | ALLOW_BUSY,
        group="server",
        since="3.0.0",
        summary="An internal command for configuring the replication stream",
        doc_flags=("syscmd",),
    ),
    Command(
        "role",
        1,
        role,
        NOSCRIPT | LOADING | STALE | FAST,
        group="server",
        categories="admin dangerous",
        since="2.8.12",
        summary="Return the role of the instance in the context of replication",
    ),
    Command(
        "wait",
        3,
        wait,
        NOSCRIPT,
        group="generic",
        categories="connection",
        since="3.0.0",
        summary="Wait for the synchronous replication of all the write commands sent in the context of the current "
        "connection",
        tips=("request_policy:all_shards", "response_policy:agg_min"),
        arguments="numreplicas:integer timeout:integer",
    ),
)
