"""EVAL, EVALSHA and their forms that only read. (Redis: group "scripting"; eval.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import (
    MAY_REPLICATE,
    NO_MANDATORY_KEYS,
    NOSCRIPT,
    READONLY,
    SKIP_MONITOR,
    STALE,
    Command,
    CommandError,
    KeySpec,
)
from trivet_node.commands.arguments import integer
from trivet_node.scripting.faults import ScriptError
from trivet_node.server.scripts.running import Invocation, gateway_of, run_script
from trivet_node.server.state import Server

_SHA_LENGTH: Final = 40
# Those of every command that runs what a user has written in Lua.
FLAGS: Final = NOSCRIPT | STALE | SKIP_MONITOR | NO_MANDATORY_KEYS
_NO_SCRIPT: Final = b"NOSCRIPT No matching script. Please use EVAL."
_WRITES_NOTE: Final = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE"
_READS_NOTE: Final = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS"
_COMPLEXITY: Final = "Depends on the script that is executed."
_SCRIPT_ARGUMENTS: Final = "script:string numkeys:integer key:key#0?* arg:string?*"
_SHA_ARGUMENTS: Final = "sha1:string numkeys:integer key:key#0?* arg:string?*"


def evaluate(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EVAL script numkeys [key [key ...]] [arg [arg ...]]."""
    _evaluate(server, client, arguments, False)


def evaluate_ro(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EVAL_RO script numkeys [key [key ...]] [arg [arg ...]]."""
    _evaluate(server, client, arguments, True)


def evaluate_sha(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EVALSHA sha1 numkeys [key [key ...]] [arg [arg ...]]."""
    _evaluate_sha(server, client, arguments, False)


def evaluate_sha_ro(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EVALSHA_RO sha1 numkeys [key [key ...]] [arg [arg ...]]."""
    _evaluate_sha(server, client, arguments, True)


def _evaluate(server: Server, client: Client, arguments: list[bytes], is_read_only: bool) -> None:
    key_count = _read_key_count(arguments)
    try:
        script = server.programs.add(arguments[1], gateway_of(server))
    except ScriptError as error:
        raise CommandError(error.text) from None
    run_script(server, Invocation(client, arguments, key_count, is_read_only), script)


def _evaluate_sha(server: Server, client: Client, arguments: list[bytes], is_read_only: bool) -> None:
    if len(arguments[1]) != _SHA_LENGTH:
        raise CommandError(_NO_SCRIPT)
    key_count = _read_key_count(arguments)
    script = server.programs.find(arguments[1])
    if script is None:
        raise CommandError(_NO_SCRIPT)
    run_script(server, Invocation(client, arguments, key_count, is_read_only), script)


def _read_key_count(arguments: list[bytes]) -> int:
    count = integer(arguments[2])
    check_key_count(count, arguments)
    return count


def check_key_count(count: int, arguments: list[bytes]) -> None:
    """Raise CommandError unless a request has room for so many keys."""
    if count > len(arguments) - 3:
        raise CommandError(b"ERR Number of keys can't be greater than number of args")
    if count < 0:
        raise CommandError(b"ERR Number of keys can't be negative")


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "eval",
        -3,
        evaluate,
        FLAGS | MAY_REPLICATE,
        group="scripting",
        categories="scripting",
        since="2.6.0",
        summary="Execute a Lua script server side",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RW access update", begin=2, keynum=0, first=1, notes=_WRITES_NOTE),),
        arguments=_SCRIPT_ARGUMENTS,
        difference="A negative zero loses its sign on the way to a command or into `struct`. An error in a function "
        "of Lua whose call a script returns at once (`return next(1)`) is said to be on the script's last line.",
    ),
    Command(
        "evalsha",
        -3,
        evaluate_sha,
        FLAGS | MAY_REPLICATE,
        group="scripting",
        categories="scripting",
        since="2.6.0",
        summary="Execute a Lua script server side",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RW access update", begin=2, keynum=0, first=1),),
        arguments=_SHA_ARGUMENTS,
    ),
    Command(
        "eval_ro",
        -3,
        evaluate_ro,
        FLAGS | READONLY,
        group="scripting",
        categories="scripting",
        since="7.0.0",
        summary="Execute a read-only Lua script server side",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RO access", begin=2, keynum=0, first=1, notes=_READS_NOTE),),
        arguments=_SCRIPT_ARGUMENTS,
    ),
    Command(
        "evalsha_ro",
        -3,
        evaluate_sha_ro,
        FLAGS | READONLY,
        group="scripting",
        categories="scripting",
        since="7.0.0",
        summary="Execute a read-only Lua script server side",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RO access", begin=2, keynum=0, first=1),),
        arguments=_SHA_ARGUMENTS,
    ),
)
