"""FUNCTION: libraries of functions that stay with the data. (Redis: group "scripting"; functions.c.)"""

from typing import Final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import (
    ALLOW_BUSY,
    DENYOOM,
    LOADING,
    NOSCRIPT,
    STALE,
    WRITE,
    Command,
    CommandError,
    container,
)
from trivet_node.commands.arguments import option
from trivet_node.commands.scripting.scripts import kill_running
from trivet_node.persistence.dump import dump_libraries, is_intact, restore_libraries
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.scripting.faults import ScriptError
from trivet_node.scripting.libraries import Function, Library, LibraryLoader, LibrarySet
from trivet_node.scripting.shebang import FLAG_NAMES
from trivet_node.server.scripts.running import gateway_of
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.glob import glob_match
from trivet_wire.help import reply_help
from trivet_wire.replies import ReplyBuffer

_HELP: Final = (
    "LOAD [REPLACE] <FUNCTION CODE>",
    "    Create a new library with the given library name and code.",
    "DELETE <LIBRARY NAME>",
    "    Delete the given library.",
    "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
    "    Return general information on all the libraries:",
    "    * Library name",
    "    * The engine used to run the Library",
    "    * Library description",
    "    * Functions list",
    "    * Library code (if WITHCODE is given)",
    "    It also possible to get only function that matches a pattern using LIBRARYNAME argument.",
    "STATS",
    "    Return information about the current function running:",
    "    * Function name",
    "    * Command used to run the function",
    "    * Duration in MS that the function is running",
    "    If no function is running, return nil",
    "    In addition, returns a list of available engines.",
    "KILL",
    "    Kill the current running function.",
    "FLUSH [ASYNC|SYNC]",
    "    Delete all the libraries.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the libraries.",
    "    * SYNC: Synchronously flush the libraries.",
    "DUMP",
    "    Return a serialized payload representing the current libraries, can be restored using FUNCTION RESTORE "
    "command",
    "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
    "    Restore the libraries represented by the given payload, it is possible to give a restore policy to",
    "    control how to handle existing libraries (default APPEND):",
    "    * FLUSH: delete all existing libraries.",
    "    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.",
    "    * REPLACE: appends the restored libraries to the existing libraries, On collision, replace the old",
    "      libraries with the new libraries (notice that even on this option there is a chance of failure",
    "      in case of functions name collision with another library).",
)
_ALL_SHARDS: Final = ("request_policy:all_shards", "response_policy:all_succeeded")
_BAD_PAYLOAD: Final = b"ERR DUMP payload version or checksum are wrong"


def load(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION LOAD [REPLACE] function-code."""
    replaces = False
    for argument in arguments[2:-1]:
        if option(argument) != b"REPLACE":
            raise CommandError(b"ERR Unknown option given: " + errors.c_string(argument))
        replaces = True
    known = server.programs.libraries
    try:
        library = _loader(server, client).load(arguments[-1], known, replaces)
        known.add(library, replaces)
    except ScriptError as error:
        raise CommandError(error.text) from None
    server.keyspace.dirty += 1
    client.reply.bulk(library.name)


def _loader(server: Server, client: Client) -> LibraryLoader:
    """Return the loader of libraries; code that is not our primary's may run for a short time only."""
    gateway = gateway_of(server)
    gateway.limit_loading(client.flags & PRIMARY == 0)
    return server.programs.loader(gateway)


def delete(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION DELETE library-name."""
    if not server.programs.libraries.remove(arguments[2]):
        raise CommandError(b"ERR Library not found")
    server.keyspace.dirty += 1
    client.reply.ok()


def flush(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION FLUSH [ASYNC | SYNC]: either way the libraries are gone at once."""
    if len(arguments) > 3:
        raise CommandError(errors.subcommand_syntax("function", arguments[1]))
    if len(arguments) == 3 and option(arguments[2]) not in (b"ASYNC", b"SYNC"):
        raise CommandError(b"ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    server.programs.libraries = LibrarySet()
    server.keyspace.dirty += 1
    client.reply.ok()


def dump(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION DUMP."""
    client.reply.bulk(dump_libraries(server.programs.libraries.codes(), server.config.rdbcompression))


def restore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION RESTORE serialized-value [FLUSH | APPEND | REPLACE]."""
    if len(arguments) > 4:
        raise CommandError(errors.subcommand_syntax("function", arguments[1]))
    policy = option(arguments[3]) if len(arguments) == 4 else b"APPEND"
    if policy not in (b"FLUSH", b"APPEND", b"REPLACE"):
        raise CommandError(b"ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
    if not is_intact(arguments[2]):
        raise CommandError(_BAD_PAYLOAD)
    try:
        restored = _loader(server, client).load_all(restore_libraries(arguments[2]))
        if policy == b"FLUSH":
            server.programs.libraries = restored
        else:
            server.programs.libraries.join(restored, policy == b"REPLACE")
    except RdbError as broken:
        raise CommandError(f"ERR {broken.reason}".encode()) from None
    except ScriptError as refused:
        # A name of its own: compiled code gives a variable one type.
        raise CommandError(refused.text) from None
    server.keyspace.dirty += 1
    client.reply.ok()


def list_libraries(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]."""
    pattern: bytes | None = None
    shows_code = False
    position = 2
    while position < len(arguments):
        word = option(arguments[position])
        if word == b"WITHCODE" and not shows_code:
            shows_code = True
        elif word == b"LIBRARYNAME" and pattern is None:
            position += 1
            if position == len(arguments):
                raise CommandError(b"ERR library name argument was not given")
            pattern = arguments[position].lower()
        else:
            raise CommandError(b"ERR Unknown argument " + errors.c_string(arguments[position]))
        position += 1
    libraries = server.programs.libraries.libraries.values()
    found = [library for library in libraries if pattern is None or glob_match(pattern, library.name.lower())]
    client.reply.array(len(found))
    for library in found:
        _reply_library(client.reply, library, shows_code)


def _reply_library(reply: ReplyBuffer, library: Library, shows_code: bool) -> None:
    reply.map(4 if shows_code else 3)
    reply.bulk(b"library_name")
    reply.bulk(library.name)
    reply.bulk(b"engine")
    reply.bulk(b"LUA")
    reply.bulk(b"functions")
    reply.array(len(library.functions))
    for function in library.functions.values():
        _reply_function(reply, function)
    if shows_code:
        reply.bulk(b"library_code")
        reply.bulk(library.code)


def _reply_function(reply: ReplyBuffer, function: Function) -> None:
    reply.map(3)
    reply.bulk(b"name")
    reply.bulk(function.name)
    reply.bulk(b"description")
    if function.description is None:
        reply.null()
    else:
        reply.bulk(function.description)
    reply.bulk(b"flags")
    names = [name for name, flag in FLAG_NAMES.items() if function.flags & flag]
    reply.set(len(names))
    for name in names:
        reply.simple(name)


def stats(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION STATS."""
    programs = server.programs
    gateway = gateway_of(server)
    if gateway.caller is not None and not programs.runs_function:
        raise CommandError(errors.busy(False))
    reply = client.reply
    reply.map(2)
    reply.bulk(b"running_script")
    if gateway.caller is None:
        reply.null()
    else:
        reply.map(3)
        reply.bulk(b"name")
        reply.bulk(gateway.name)
        reply.bulk(b"command")
        reply.bulk_array(gateway.arguments)
        reply.bulk(b"duration_ms")
        reply.integer(gateway.running_ms())
    reply.bulk(b"engines")
    reply.map(1)
    reply.bulk(b"LUA")
    reply.map(2)
    reply.bulk(b"libraries_count")
    reply.integer(len(programs.libraries.libraries))
    reply.bulk(b"functions_count")
    reply.integer(programs.libraries.function_count())


def kill(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION KILL."""
    kill_running(server, client, True)


def reply_function_help(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FUNCTION HELP."""
    reply_help(client.reply, "FUNCTION", _HELP)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "function",
        -2,
        container,
        0,
        group="scripting",
        since="7.0.0",
        summary="A container for function commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "function|load",
                -3,
                load,
                WRITE | DENYOOM | NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Create a function with the given arguments (name, code, description)",
                complexity="O(1) (considering compilation time is redundant)",
                tips=_ALL_SHARDS,
                arguments="replace:pure-token=REPLACE? function-code:string",
            ),
            Command(
                "function|delete",
                3,
                delete,
                WRITE | NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Delete a function by name",
                tips=_ALL_SHARDS,
                arguments="library-name:string",
            ),
            Command(
                "function|flush",
                -2,
                flush,
                WRITE | NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Deleting all functions",
                complexity="O(N) where N is the number of functions deleted",
                tips=_ALL_SHARDS,
                arguments="async:oneof?(async:pure-token=ASYNC sync:pure-token=SYNC)",
            ),
            Command(
                "function|list",
                -2,
                list_libraries,
                NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="List information about all the functions",
                complexity="O(N) where N is the number of functions",
                tips=("nondeterministic_output_order",),
                arguments="library-name-pattern:string=LIBRARYNAME? withcode:pure-token=WITHCODE?",
            ),
            Command(
                "function|dump",
                2,
                dump,
                NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Dump all functions into a serialized binary payload",
                complexity="O(N) where N is the number of functions",
            ),
            Command(
                "function|restore",
                -3,
                restore,
                WRITE | DENYOOM | NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Restore all the functions on the given payload",
                complexity="O(N) where N is the number of functions on the payload",
                tips=_ALL_SHARDS,
                arguments="serialized-value:string policy:oneof?(flush:pure-token=FLUSH append:pure-token=APPEND "
                "replace:pure-token=REPLACE)",
            ),
            Command(
                "function|stats",
                2,
                stats,
                NOSCRIPT | ALLOW_BUSY,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Return information about the function currently running (name, description, duration)",
                tips=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
            ),
            Command(
                "function|kill",
                2,
                kill,
                NOSCRIPT | ALLOW_BUSY,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Kill the function currently in execution.",
                tips=("request_policy:all_shards", "response_policy:one_succeeded"),
            ),
            Command(
                "function|help",
                2,
                reply_function_help,
                LOADING | STALE,
                group="scripting",
                categories="scripting",
                since="7.0.0",
                summary="Show helpful text about the different subcommands",
            ),
        ),
    ),
)
