"""FAILOVER. (Redis: replication.c failoverCommand.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import ADMIN, NOSCRIPT, STALE, Command, CommandError
from trivet_node.commands.arguments import integer, option
from trivet_node.replication.failover import Failover, is_at
from trivet_node.replication.replicas import ONLINE
from trivet_node.server.replicating.failover import abort, is_under_way, start
from trivet_node.server.state import Server
from trivet_wire import errors


def failover(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]."""
    if server.config.cluster_enabled:
        raise CommandError(b"ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.")
    if len(arguments) == 2 and option(arguments[1]) == b"ABORT":
        if not is_under_way(server):
            raise CommandError(b"ERR No failover in progress.")
        abort(server, "Failover manually aborted")
    else:
        wanted = _read(arguments, int(server.keyspace.now_ms))
        _check(server, wanted)
        start(server, wanted)
    client.reply.ok()


def _read(arguments: list[bytes], now_ms: int) -> Failover:
    """Return the failover that the options ask for."""
    wanted = Failover()
    position = 1
    while position < len(arguments):
        word = option(arguments[position])
        left = len(arguments) - 1 - position
        if word == b"TIMEOUT" and left >= 1 and wanted.until_ms == 0:
            timeout_ms = integer(arguments[position + 1])
            if timeout_ms <= 0:
                raise CommandError(b"ERR FAILOVER timeout must be greater than 0")
            wanted.until_ms = now_ms + timeout_ms
            position += 1
        elif word == b"TO" and left >= 2 and wanted.host is None:
            wanted.port = integer(arguments[position + 2])
            wanted.host = arguments[position + 1].decode(errors="surrogateescape")
            position += 2
        elif word == b"FORCE" and not wanted.is_forced:
            wanted.is_forced = True
        else:
            raise CommandError(errors.SYNTAX)
        position += 1
    return wanted


def _check(server: Server, wanted: Failover) -> None:
    """Raise CommandError for a failover that cannot be."""
    following = server.replication.replicas.following
    if is_under_way(server):
        raise CommandError(b"ERR FAILOVER already in progress.")
    if server.replication.upstream is not None:
        raise CommandError(b"ERR FAILOVER is not valid when server is a replica.")
    if not following:
        raise CommandError(b"ERR FAILOVER requires connected replicas.")
    if wanted.is_forced and (wanted.until_ms == 0 or wanted.host is None):
        raise CommandError(b"ERR FAILOVER with force option requires both a timeout and target HOST and IP.")
    if wanted.host is not None:
        targets = [replica for replica in following if is_at(replica, wanted.host, wanted.port)]
        if not targets:
            raise CommandError(b"ERR FAILOVER target HOST and PORT is not a replica.")
        if targets[0].state != ONLINE:
            raise CommandError(b"ERR FAILOVER target replica is not online.")


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "failover",
        -1,
        failover,
        ADMIN | NOSCRIPT | STALE,
        group="server",
        since="6.2.0",
        summary="Start a coordinated failover between this server and one of its replicas.",
        arguments="target:block=TO?(host:string port:integer force:pure-token=FORCE?) abort:pure-token=ABORT? "
        "milliseconds:integer=TIMEOUT?",
    ),
)
