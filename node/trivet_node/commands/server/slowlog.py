"""SLOWLOG: the last commands that were slow. What is logged is decided by server/timekeeping.py. (Redis: slowlog.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import ADMIN, LOADING, STALE, Command, CommandError, container
from trivet_node.commands.arguments import INTEGER_MAX, integer_in
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.help import reply_help

_ALL: Final = -1
_SHOWN: Final = 10
_BAD_COUNT: Final = b"ERR count should be greater than or equal to -1"
_HELP: Final = (
    "GET [<count>]",
    "    Return top <count> entries from the slowlog (default: 10, -1 mean all).",
    "    Entries are made of:",
    "    id, timestamp, time in microseconds, arguments array, client IP and port,",
    "    client name",
    "LEN",
    "    Return the length of the slowlog.",
    "RESET",
    "    Reset the slowlog.",
)


def get(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SLOWLOG GET [count]."""
    if len(arguments) > 3:
        raise CommandError(errors.subcommand_syntax("slowlog", arguments[1]))
    log = server.stopwatch.slow_log
    count = _SHOWN
    if len(arguments) > 2:
        count = integer_in(arguments[2], _ALL, INTEGER_MAX, _BAD_COUNT)
    entries = log.latest(len(log) if count == _ALL else count)
    reply = client.reply
    reply.array(len(entries))
    for entry in entries:
        reply.array(6)
        reply.integer(entry.number)
        reply.integer(entry.time_s)
        reply.integer(entry.duration_us)
        reply.bulk_array(entry.arguments)
        reply.bulk_text(entry.address)
        reply.bulk(entry.name)


def length(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SLOWLOG LEN."""
    client.reply.integer(len(server.stopwatch.slow_log))


def reset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SLOWLOG RESET."""
    server.stopwatch.slow_log.clear()
    client.reply.ok()


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SLOWLOG HELP."""
    reply_help(client.reply, "SLOWLOG", _HELP)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "slowlog",
        -2,
        container,
        0,
        group="server",
        since="2.2.12",
        summary="A container for slow log commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "slowlog|get",
                -2,
                get,
                ADMIN | LOADING | STALE,
                group="server",
                since="2.2.12",
                summary="Get the slow log's entries",
                complexity="O(N) where N is the number of entries returned",
                tips=("request_policy:all_nodes", "nondeterministic_output"),
                history=(("4.0.0", "Added client IP address, port and name to the reply."),),
                arguments="count:integer?",
            ),
            Command(
                "slowlog|help",
                2,
                help_,
                LOADING | STALE,
                group="server",
                since="6.2.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "slowlog|len",
                2,
                length,
                ADMIN | LOADING | STALE,
                group="server",
                since="2.2.12",
                summary="Get the slow log's length",
                tips=("request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"),
            ),
            Command(
                "slowlog|reset",
                2,
                reset,
                ADMIN | LOADING | STALE,
                group="server",
                since="2.2.12",
                summary="Clear all entries from the slow log",
                complexity="O(N) where N is the number of entries in the slowlog",
                tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
            ),
        ),
    ),
)
