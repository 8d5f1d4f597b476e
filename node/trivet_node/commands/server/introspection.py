"""COMMAND: what the server knows of its own commands. Everything comes from their rows. (Redis: group "server".)"""

from collections.abc import Sequence
from typing import Final

from trivet_node.client import Client
from trivet_node.command import FLAG_NAMES, LOADING, STALE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import option
from trivet_node.commands.server.documentation import reply_documentation, reply_words
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.glob import glob_match
from trivet_wire.help import reply_help
from trivet_wire.replies import ReplyBuffer

_NO_KEYS: Final = b"ERR The command has no key arguments"
# Commands that may well be about no key. (Redis: CMD_NO_MANDATORY_KEYS.)
_KEYS_OPTIONAL: Final = frozenset(["eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"])
_INVALID: Final = b"ERR Invalid arguments specified for command"
# How many arguments follow the words of BITFIELD that do not write.
_READING: Final = {b"GET": 2, b"OVERFLOW": 1}


def command(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND."""
    commands = server.commands()
    client.reply.array(len(commands))
    for found in commands:
        reply_info(client.reply, found)


def count(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND COUNT."""
    client.reply.integer(len(server.commands()))


def info(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND INFO [command-name ...]."""
    if len(arguments) == 2:
        command(server, client, arguments)
        return
    client.reply.array(len(arguments) - 2)
    for name in arguments[2:]:
        found = server.find_command(name)
        if found is None:
            client.reply.null()
        else:
            reply_info(client.reply, found)


def docs(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND DOCS [command-name ...]."""
    found = server.commands()
    if len(arguments) > 2:
        found = [command for name in arguments[2:] if (command := server.find_command(name)) is not None]
    client.reply.map(len(found))
    for command in found:
        reply_documentation(client.reply, command)


def list_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND LIST [FILTERBY MODULE name|ACLCAT category|PATTERN pattern]."""
    if len(arguments) == 2:
        names = [found.name for found in server.commands_with_subcommands()]
    elif len(arguments) == 5 and option(arguments[2]) == b"FILTERBY":
        names = _filtered(server, option(arguments[3]), arguments[4])
    else:
        raise CommandError(errors.SYNTAX)
    client.reply.bulk_array([name.encode() for name in names])


def getkeys(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND GETKEYS command [argument ...]."""
    pairs = _keys_of_request(server, arguments)
    client.reply.bulk_array([key for key, _ in pairs])


def getkeysandflags(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND GETKEYSANDFLAGS command [argument ...]."""
    pairs = _keys_of_request(server, arguments)
    client.reply.array(len(pairs))
    for key, flags in pairs:
        client.reply.array(2)
        client.reply.bulk(key)
        reply_words(client.reply, flags.split())


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COMMAND HELP."""
    reply_help(client.reply, "COMMAND", _HELP)


def reply_info(reply: ReplyBuffer, command: Command) -> None:
    """Append the ten fields of COMMAND INFO."""
    reply.array(10)
    reply.bulk_text(command.name)
    reply.integer(int(command.arity))
    reply_words(reply, [word for flag, word in FLAG_NAMES if command.flags & flag])
    for position in command.key_range():
        reply.integer(position)
    reply_words(reply, ["@" + category for category in command.categories])
    reply.set(len(command.tips))
    for tip in command.tips:
        reply.bulk_text(tip)
    reply.set(len(command.key_specs))
    for spec in command.key_specs:
        _reply_key_spec(reply, spec)
    _reply_subcommands(reply, command)


def _reply_subcommands(reply: ReplyBuffer, command: Command) -> None:
    if not command.subcommands:
        reply.set(0)
        return
    reply.array(len(command.subcommands))
    for subcommand in command.subcommands.values():
        reply_info(reply, subcommand)


def _reply_key_spec(reply: ReplyBuffer, spec: KeySpec) -> None:
    reply.map(4 if spec.notes else 3)
    if spec.notes:
        reply.bulk(b"notes")
        reply.bulk_text(spec.notes)
    reply.bulk(b"flags")
    reply_words(reply, spec.flags.split())
    _reply_begin_search(reply, spec)
    _reply_find_keys(reply, spec)


def _reply_begin_search(reply: ReplyBuffer, spec: KeySpec) -> None:
    if spec.is_unknown:
        _reply_search(reply, "begin_search", "unknown", [])
    elif spec.keyword:
        _reply_search(reply, "begin_search", "keyword", [("keyword", spec.keyword), ("startfrom", spec.begin)])
    else:
        _reply_search(reply, "begin_search", "index", [("index", spec.begin)])


def _reply_find_keys(reply: ReplyBuffer, spec: KeySpec) -> None:
    if spec.is_unknown:
        _reply_search(reply, "find_keys", "unknown", [])
    elif spec.keynum >= 0:
        values = [("keynumidx", spec.keynum), ("firstkey", spec.first), ("keystep", spec.step)]
        _reply_search(reply, "find_keys", "keynum", values)
    else:
        values = [("lastkey", spec.last), ("keystep", spec.step), ("limit", spec.limit)]
        _reply_search(reply, "find_keys", "range", values)


def _reply_search(reply: ReplyBuffer, field: str, kind: str, values: Sequence[tuple[str, int | str]]) -> None:
    reply.bulk_text(field)
    reply.map(2)
    reply.bulk(b"type")
    reply.bulk_text(kind)
    reply.bulk(b"spec")
    reply.map(len(values))
    for name, value in values:
        reply.bulk_text(name)
        if isinstance(value, int):
            reply.integer(value)
        else:
            reply.bulk_text(value)


def _filtered(server: Server, kind: bytes, value: bytes) -> list[str]:
    commands = server.commands_with_subcommands()
    if kind == b"MODULE":
        # There are no modules.
        return []
    if kind == b"ACLCAT":
        return [command.name for command in commands if value.decode(errors="replace").lower() in command.categories]
    if kind == b"PATTERN":
        return [command.name for command in commands if glob_match(value.lower(), command.name.encode())]
    raise CommandError(errors.SYNTAX)


def _keys_of_request(server: Server, arguments: list[bytes]) -> list[tuple[bytes, str]]:
    """Return the keys of the request behind COMMAND GETKEYS, with their flags; CommandError where it is no such one."""
    found, request = _full_command(server, arguments)
    pairs = _keys_with_flags(found, request)
    if not pairs and found.name not in _KEYS_OPTIONAL:
        raise CommandError(_INVALID)
    return pairs


def _full_command(server: Server, arguments: list[bytes]) -> tuple[Command, list[bytes]]:
    """Return the command behind COMMAND GETKEYS and its arguments; CommandError where it has no keys."""
    request = arguments[2:]
    found = server.table.get(request[0].lower())
    if found is not None and found.subcommands and len(request) > 1:
        found = found.subcommands.get(request[1].lower())
    if found is None:
        raise CommandError(b"ERR Invalid command specified")
    if not found.has_keys():
        raise CommandError(_NO_KEYS)
    if not found.accepts(len(request)):
        raise CommandError(b"ERR Invalid number of arguments specified for command")
    return found, request


def _keys_with_flags(command: Command, request: list[bytes]) -> list[tuple[bytes, str]]:
    if command.find_keys is not None:
        return _found_with_flags(command, command.find_keys(request))
    return [
        (request[index], _flags_of_request(command, spec.flags, request))
        for spec in command.key_specs
        for index in spec.positions(request)
    ]


def _found_with_flags(command: Command, keys: list[bytes]) -> list[tuple[bytes, str]]:
    """Return keys that were found by rules of their own: the first has the flags of the first specification."""
    first = command.key_specs[0].flags
    rest = command.key_specs[-1].flags.removesuffix(" incomplete")
    return [(key, rest if index else first) for index, key in enumerate(keys)]


def _flags_of_request(command: Command, flags: str, request: list[bytes]) -> str:
    """Return the flags of a key in this very request: SET reads its key only with GET, BITFIELD may only read it."""
    if command.name == "set":
        reads = any(option(argument) == b"GET" for argument in request[3:])
        return "RW access update" if reads else "OW update"
    if command.name == "bitfield":
        return "RO access" if _only_reads(request) else "RW access update"
    return flags


def _only_reads(request: list[bytes]) -> bool:
    """Say whether a BITFIELD has no part that writes, nor one that is broken. (Redis: bitfieldGetKeys.)"""
    position = 2
    while position < len(request):
        following = _READING.get(option(request[position]), len(request))
        if following > len(request) - position - 1:
            return False
        position += 1 + following
    return True


_HELP: Final = (
    "(no subcommand)",
    "    Return details about all Redis commands.",
    "COUNT",
    "    Return the total number of commands in this Redis server.",
    "LIST",
    "    Return a list of all commands in this Redis server.",
    "INFO [<command-name> ...]",
    "    Return details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "DOCS [<command-name> ...]",
    "    Return documentation details about multiple Redis commands.",
    "    If no command names are given, documentation details for all",
    "    commands are returned.",
    "GETKEYS <full-command>",
    "    Return the keys from a full Redis command.",
    "GETKEYSANDFLAGS <full-command>",
    "    Return the keys and the access flags from a full Redis command.",
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "command",
        -1,
        command,
        LOADING | STALE,
        group="server",
        categories="connection",
        since="2.8.13",
        summary="Get array of Redis command details",
        complexity="O(N) where N is the total number of Redis commands",
        tips=("nondeterministic_output_order",),
        subcommands=(
            Command(
                "command|count",
                2,
                count,
                LOADING | STALE,
                group="server",
                categories="connection",
                since="2.8.13",
                summary="Get total number of Redis commands",
            ),
            Command(
                "command|docs",
                -2,
                docs,
                LOADING | STALE,
                group="server",
                categories="connection",
                since="7.0.0",
                summary="Get array of specific Redis command documentation",
                complexity="O(N) where N is the number of commands to look up",
                tips=("nondeterministic_output_order",),
                arguments="command-name:string?*",
            ),
            Command(
                "command|getkeys",
                -4,
                getkeys,
                LOADING | STALE,
                group="server",
                categories="connection",
                since="2.8.13",
                summary="Extract keys given a full Redis command",
                complexity="O(N) where N is the number of arguments to the command",
            ),
            Command(
                "command|getkeysandflags",
                -4,
                getkeysandflags,
                LOADING | STALE,
                group="server",
                categories="connection",
                since="7.0.0",
                summary="Extract keys and access flags given a full Redis command",
                complexity="O(N) where N is the number of arguments to the command",
            ),
            Command(
                "command|help",
                2,
                help_,
                LOADING | STALE,
                group="server",
                categories="connection",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "command|info",
                -2,
                info,
                LOADING | STALE,
                group="server",
                categories="connection",
                since="2.8.13",
                summary="Get array of specific Redis command details, or all when no argument is given.",
                complexity="O(N) where N is the number of commands to look up",
                tips=("nondeterministic_output_order",),
                history=(("7.0.0", "Allowed to be called with no argument to get info on all commands."),),
                arguments="command-name:string?*",
            ),
            Command(
                "command|list",
                -2,
                list_,
                LOADING | STALE,
                group="server",
                categories="connection",
                since="7.0.0",
                summary="Get an array of Redis command names",
                complexity="O(N) where N is the total number of Redis commands",
                tips=("nondeterministic_output_order",),
                arguments="filterby:oneof=FILTERBY?(module-name:string=MODULE category:string=ACLCAT "
                "pattern:pattern=PATTERN)",
            ),
        ),
    ),
)
