"""FCALL and its form that only reads: they call functions of libraries. (Redis: group "scripting"; functions.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import MAY_REPLICATE, READONLY, Command, CommandError, KeySpec
from trivet_node.commands.scripting.eval import FLAGS, check_key_count
from trivet_node.server.scripts.running import Invocation, run_function
from trivet_node.server.state import Server
from trivet_node.values.strings import parse_integer

_ARGUMENTS: Final = "function:string numkeys:integer key:key#0?* arg:string?*"
_COMPLEXITY: Final = "Depends on the function that is executed."


def fcall(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FCALL function numkeys [key [key ...]] [arg [arg ...]]."""
    _call(server, client, arguments, False)


def fcall_ro(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FCALL_RO function numkeys [key [key ...]] [arg [arg ...]]."""
    _call(server, client, arguments, True)


def _call(server: Server, client: Client, arguments: list[bytes], is_read_only: bool) -> None:
    function = server.programs.libraries.function(arguments[1])
    if function is None:
        raise CommandError(b"ERR Function not found")
    key_count = parse_integer(arguments[2])
    if key_count is None:
        raise CommandError(b"ERR Bad number of keys provided")
    check_key_count(key_count, arguments)
    run_function(server, Invocation(client, arguments, key_count, is_read_only), function)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "fcall",
        -3,
        fcall,
        FLAGS | MAY_REPLICATE,
        group="scripting",
        categories="scripting",
        since="7.0.0",
        summary="Invoke a function",
        complexity=_COMPLEXITY,
        keys=(
            KeySpec(
                "RW access update",
                begin=2,
                keynum=0,
                first=1,
                notes="We cannot tell how the keys will be used so we assume the worst, RW and UPDATE",
            ),
        ),
        arguments=_ARGUMENTS,
    ),
    Command(
        "fcall_ro",
        -3,
        fcall_ro,
        FLAGS | READONLY,
        group="scripting",
        categories="scripting",
        since="7.0.0",
        summary="Invoke a read-only function",
        complexity=_COMPLEXITY,
        keys=(
            KeySpec(
                "RO access",
                begin=2,
                keynum=0,
                first=1,
                notes="We cannot tell how the keys will be used so we assume the worst, RO and ACCESS",
            ),
        ),
        arguments=_ARGUMENTS,
    ),
)
