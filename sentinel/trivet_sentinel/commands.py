"""The command table and the way of one request through it.

Each family of commands has a file of its own that ends in its rows; this one merges them and adds those that look at
the table itself or at the whole server.
"""

from typing import Final

from trivet_sentinel import connection_commands, pubsub_commands, reports, sentinel_commands
from trivet_sentinel.events import Effect
from trivet_sentinel.sessions import (
    Client,
    Command,
    Server,
    text,
)
from trivet_wire import errors
from trivet_wire.help import reply_help
from trivet_wire.replies import RESP2

_BEFORE_LOGIN: Final = ("auth", "hello", "quit", "reset")
_WHILE_SUBSCRIBED: Final = ("subscribe", "psubscribe", "unsubscribe", "punsubscribe", "ping", "quit", "reset")


def execute(server: Server, client: Client, request: list[bytes], now_ms: int) -> list[Effect]:
    """Run one request; the reply goes to `client.out`. The effects returned come before the reply is sent."""
    return server.machine.run(lambda: _dispatch(server, client, request), now_ms)


def _dispatch(server: Server, client: Client, request: list[bytes]) -> None:
    server.commands_processed += 1
    client.last_command_ms = server.sentinel.now_ms
    name = text(request[0]).lower()
    command = TABLE.get(name)
    if command is None:
        client.out.error(errors.unknown_command(request))
        return
    if command.subcommands and len(request) > 1:
        command = _find_subcommand(client, command, request)
        if command is None:
            return
    if not command.accepts(request):
        client.out.error(errors.wrong_arity(command.name))
    elif not client.is_authenticated and name not in _BEFORE_LOGIN:
        client.out.error(errors.NO_AUTH)
    elif client.subscriptions and client.out.protocol == RESP2 and name not in _WHILE_SUBSCRIBED:
        client.out.error(errors.not_while_subscribed(name))
    else:
        client.last_command = command.name
        command.handler(server, client, request)


def _find_subcommand(client: Client, command: Command, request: list[bytes]) -> Command | None:
    """Return the row of a container's subcommand; where there is none, reply the error or the help."""
    wanted = f"{command.name}|{text(request[1]).lower()}"
    for row in command.subcommands:
        if row.name == wanted:
            return row
    if request[1].lower() == b"help" and len(request) == 2:
        _reply_help(client, command)
    else:
        client.out.error(errors.unknown_subcommand(command.name, request[1]))
    return None


def _reply_help(client: Client, command: Command) -> None:
    lines: list[str] = []
    for row in command.subcommands:
        lines += [row.name.partition("|")[2].upper(), f"    {row.summary}"]
    reply_help(client.out, command.name.upper(), lines)


def _info(server: Server, client: Client, arguments: list[bytes]) -> None:
    client.out.verbatim(reports.info(server, [text(argument).lower() for argument in arguments[1:]]).encode())


def _role(server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.array(2)
    client.out.bulk(b"sentinel")
    client.out.bulk_array([name.encode() for name in server.sentinel.groups])


def _command(_server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.array(len(TABLE))
    for row in TABLE.values():
        _reply_row(client, row)


def _reply_row(client: Client, row: Command) -> None:
    """Append what COMMAND INFO tells about a command; none of a sentinel's commands has keys."""
    out = client.out
    out.array(10)
    out.bulk_text(row.name)
    out.integer(row.arity)
    out.set(len(row.flags))
    for flag in row.flags:
        out.simple(flag.encode())
    for _position in range(3):
        out.integer(0)
    out.set(0)
    out.array(0)
    out.array(0)
    out.array(len(row.subcommands))
    for subcommand in row.subcommands:
        _reply_row(client, subcommand)


def _command_count(_server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.integer(len(TABLE))


def _command_list(_server: Server, client: Client, _arguments: list[bytes]) -> None:
    names = [name for row in TABLE.values() for name in (row.name, *(sub.name for sub in row.subcommands))]
    client.out.bulk_array([name.encode() for name in names])


def _command_info(_server: Server, client: Client, arguments: list[bytes]) -> None:
    names = [text(argument).lower() for argument in arguments[2:]] or list(TABLE)
    client.out.array(len(names))
    for name in names:
        if name in TABLE:
            _reply_row(client, TABLE[name])
        else:
            client.out.null_array()


def _command_docs(_server: Server, client: Client, arguments: list[bytes]) -> None:
    names = [text(argument).lower() for argument in arguments[2:]] or list(TABLE)
    rows = [TABLE[name] for name in names if name in TABLE]
    client.out.map(len(rows))
    for row in rows:
        client.out.bulk_text(row.name)
        client.out.map(1)
        client.out.bulk(b"summary")
        client.out.bulk_text(row.summary)


_OWN_COMMANDS: Final = (
    Command("info", -1, _info, "Returns information about the sentinel.", ("loading", "stale")),
    Command("role", 1, _role, "Returns the server's role.", ("noscript", "loading", "stale", "fast")),
    Command(
        "command",
        -1,
        _command,
        "Returns information about all commands.",
        ("loading", "stale"),
        (
            Command("command|count", 2, _command_count, "Returns how many commands there are."),
            Command("command|docs", -2, _command_docs, "Returns documentation about commands."),
            Command("command|info", -2, _command_info, "Returns information about some commands."),
            Command("command|list", -2, _command_list, "Returns the names of all commands."),
        ),
    ),
)
TABLE: Final[dict[str, Command]] = {
    row.name: row
    for row in (
        *connection_commands.COMMANDS,
        *pubsub_commands.COMMANDS,
        *sentinel_commands.COMMANDS,
        *_OWN_COMMANDS,
    )
}
