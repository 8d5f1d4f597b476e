"""SCRIPT: the cache of scripts, and the end of one that runs too long. (Redis: group "scripting"; eval.c, script.c.)"""

from typing import Final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import ALLOW_BUSY, LOADING, NOSCRIPT, STALE, Command, CommandError, container
from trivet_node.commands.arguments import option
from trivet_node.scripting.faults import ScriptError
from trivet_node.server.scripts.running import gateway_of
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.help import reply_help

_HELP: Final = (
    "DEBUG (YES|SYNC|NO)",
    "    Set the debug mode for subsequent scripts executed.",
    "EXISTS <sha1> [<sha1> ...]",
    "    Return information about the existence of the scripts in the script cache.",
    "FLUSH [ASYNC|SYNC]",
    "    Flush the Lua scripts cache. Very dangerous on replicas.",
    "    When called without the optional mode argument, the behavior is determined by the",
    "    lazyfree-lazy-user-flush configuration directive. Valid modes are:",
    "    * ASYNC: Asynchronously flush the scripts cache.",
    "    * SYNC: Synchronously flush the scripts cache.",
    "KILL",
    "    Kill the currently executing Lua script.",
    "LOAD <script>",
    "    Load a script into the scripts cache without executing it.",
)
_NOT_BUSY: Final = b"NOTBUSY No scripts in execution right now."
_HAS_WRITTEN: Final = (
    b"UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script "
    b"termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."
)
_FROM_PRIMARY: Final = (
    b"UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed."
)


def load(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCRIPT LOAD script."""
    try:
        client.reply.bulk(server.programs.add(arguments[2], gateway_of(server)).sha)
    except ScriptError as error:
        raise CommandError(error.text) from None


def exists(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCRIPT EXISTS sha1 [sha1 ...]."""
    client.reply.array(len(arguments) - 2)
    for sha in arguments[2:]:
        client.reply.integer(1 if server.programs.find(sha) is not None else 0)


def flush(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCRIPT FLUSH [ASYNC | SYNC]: either way the scripts are gone at once."""
    if len(arguments) > 3 or (len(arguments) == 3 and option(arguments[2]) not in (b"ASYNC", b"SYNC")):
        raise CommandError(b"ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    server.programs.flush_scripts()
    client.reply.ok()


def kill(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCRIPT KILL."""
    kill_running(server, client, False)


def kill_running(server: Server, client: Client, function: bool) -> None:
    """End the script, or the function, that is running, at the next instruction that it comes to."""
    gateway = gateway_of(server)
    caller = gateway.caller
    if caller is None:
        raise CommandError(_NOT_BUSY)
    if caller.flags & PRIMARY != 0:
        raise CommandError(_FROM_PRIMARY)
    if gateway.has_written:
        raise CommandError(_HAS_WRITTEN)
    if server.programs.runs_function != function:
        raise CommandError(errors.busy(not function))
    gateway.is_killed = True
    client.reply.ok()


def debug(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCRIPT DEBUG YES | SYNC | NO: there is no debugger."""
    if len(client.reply) > 0:
        raise CommandError(b"ERR SCRIPT DEBUG must be called outside a pipeline")
    mode = option(arguments[2])
    if mode not in (b"YES", b"SYNC", b"NO"):
        raise CommandError(b"ERR Use SCRIPT DEBUG YES/SYNC/NO")
    if mode != b"NO":
        raise CommandError(b"ERR The debugger of scripts is not available")
    client.reply.ok()


def reply_script_help(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCRIPT HELP."""
    reply_help(client.reply, "SCRIPT", _HELP)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "script",
        -2,
        container,
        0,
        group="scripting",
        since="2.6.0",
        summary="A container for Lua scripts management commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "script|load",
                3,
                load,
                NOSCRIPT | STALE,
                group="scripting",
                categories="scripting",
                since="2.6.0",
                summary="Load the specified Lua script into the script cache.",
                complexity="O(N) with N being the length in bytes of the script body.",
                tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
                arguments="script:string",
            ),
            Command(
                "script|exists",
                -3,
                exists,
                NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="2.6.0",
                summary="Check existence of scripts in the script cache.",
                complexity="O(N) with N being the number of scripts to check (so checking a single script is an O(1) "
                "operation).",
                tips=("request_policy:all_shards", "response_policy:agg_logical_and"),
                arguments="sha1:string*",
            ),
            Command(
                "script|flush",
                -2,
                flush,
                NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="2.6.0",
                summary="Remove all the scripts from the script cache.",
                complexity="O(N) with N being the number of scripts in cache",
                tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
                history=(("6.2.0", "Added the `ASYNC` and `SYNC` flushing mode modifiers."),),
                arguments="async:oneof?@6.2.0(async:pure-token=ASYNC sync:pure-token=SYNC)",
            ),
            Command(
                "script|kill",
                2,
                kill,
                NOSCRIPT | ALLOW_BUSY,
                group="scripting",
                categories="scripting",
                since="2.6.0",
                summary="Kill the script currently in execution.",
                tips=("request_policy:all_shards", "response_policy:one_succeeded"),
            ),
            Command(
                "script|debug",
                3,
                debug,
                NOSCRIPT,
                group="scripting",
                categories="scripting",
                since="3.2.0",
                summary="Set the debug mode for executed scripts.",
                arguments="mode:oneof(yes:pure-token=YES sync:pure-token=SYNC no:pure-token=NO)",
                difference="There is no debugger: YES and SYNC are refused.",
            ),
            Command(
                "script|help",
                2,
                reply_script_help,
                LOADING | STALE,
                group="scripting",
                categories="scripting",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
            ),
        ),
    ),
)
