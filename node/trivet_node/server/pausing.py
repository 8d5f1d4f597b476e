"""Clients that are paused: who has to wait, and who may go on when it is over.

A request that must not run now goes back to its client's parser, and the client waits like any other that blocks; when
less is paused than before, all who wait read their requests again, in the order in which they came to wait. As long as
anything is paused the data set stays as it is: nothing expires, passed deadlines only hide their keys. Neither replicas
nor monitors ever wait, but the link to our primary does.
(Redis: server.c processCommand, blocked.c BLOCKED_POSTPONE, db.c expireIfNeeded.)
"""

from typing import final

from mypy_extensions import i64

from trivet_node.blocking import FOREVER, Wait
from trivet_node.client import MONITOR, REPLICA, Client
from trivet_node.command import MAY_REPLICATE, WRITE, Command
from trivet_node.pauses import EVERYTHING, NOTHING, WRITES
from trivet_node.server.admission import effective_flags
from trivet_node.server.state import CHECK_PAUSED, Server
from trivet_node.server.switches import apply_role


@final
class PausedWait(Wait):
    """Waits for the end of a pause; the request will be read again."""

    def __init__(self, client: Client, arguments: list[bytes]) -> None:
        super().__init__(client, FOREVER)
        self.arguments = arguments
        self.may_be_cut_short = False


def pause(server: Server, purpose: int, kind: int, until_ms: int) -> None:
    """Pause clients for a purpose, until a Unix time in milliseconds."""
    before = server.pauses.kind
    server.pauses.begin(purpose, kind, until_ms, int(server.keyspace.now_ms))
    _follow(server, before)


def unpause(server: Server, purpose: int) -> None:
    """End the pause for a purpose."""
    before = server.pauses.kind
    server.pauses.end(purpose, int(server.keyspace.now_ms))
    _follow(server, before)


def pass_time(server: Server) -> None:
    """End the pauses whose time is over."""
    if server.pauses.until_ms < server.keyspace.now_ms:
        before = server.pauses.kind
        server.pauses.pass_time(int(server.keyspace.now_ms))
        _follow(server, before)


def must_wait(server: Server, client: Client, command: Command, arguments: list[bytes]) -> bool:
    """Say whether a command may not run now, or not be queued for EXEC."""
    pass_time(server)
    if client.flags & (REPLICA | MONITOR) != 0:
        return False
    kind = server.pauses.kind
    if kind != WRITES:
        return kind == EVERYTHING
    return effective_flags(server, client, command, arguments) & (WRITE | MAY_REPLICATE) != 0


def postpone(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Let a client wait that has just sent what must not run now."""
    client.parser.unread()
    server.blocking.block(PausedWait(client, arguments))


def _follow(server: Server, before: i64) -> None:
    """Adapt the server to a change of what is paused."""
    kind = server.pauses.kind
    if kind == before:
        return
    server.checks = server.checks & ~CHECK_PAUSED if kind == NOTHING else server.checks | CHECK_PAUSED
    apply_role(server)
    if kind < before:
        for wait in server.blocking.waits():
            if isinstance(wait, PausedWait):
                server.blocking.release(wait, len(wait.client.reply))
