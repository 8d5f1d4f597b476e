"""CLIENT PAUSE and UNPAUSE. (Redis: networking.c.)"""

from typing import Final

from trivet_node.blocking import FOREVER
from trivet_node.client import Client
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError
from trivet_node.commands.arguments import option, timeout_deadline_ms
from trivet_node.pauses import BY_COMMAND, EVERYTHING, WRITES
from trivet_node.server import pausing
from trivet_node.server.state import Server
from trivet_wire import errors

_KINDS: Final = {b"WRITE": WRITES, b"ALL": EVERYTHING}


def pause(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT PAUSE timeout-ms [WRITE|ALL]."""
    if len(arguments) > 4:
        raise CommandError(errors.subcommand_syntax("client", arguments[1]))
    kind = _KINDS.get(option(arguments[3]) if len(arguments) == 4 else b"ALL")
    if kind is None:
        raise CommandError(b"ERR CLIENT PAUSE mode must be WRITE or ALL")
    until_ms = timeout_deadline_ms(server, arguments[2])
    if until_ms != FOREVER:
        pausing.pause(server, BY_COMMAND, kind, until_ms)
    client.reply.ok()


def unpause(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT UNPAUSE."""
    pausing.unpause(server, BY_COMMAND)
    client.reply.ok()


SUBCOMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "client|pause",
        -3,
        pause,
        ADMIN | NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="2.9.50",
        summary="Stop processing commands from clients for some time",
        history=(("6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option."),),
        arguments="timeout:integer mode:oneof?@6.2.0(write:pure-token=WRITE all:pure-token=ALL)",
    ),
    Command(
        "client|unpause",
        2,
        unpause,
        ADMIN | NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="6.2.0",
        summary="Resume processing of clients that were paused",
        complexity="O(N) Where N is the number of paused clients",
    ),
)
