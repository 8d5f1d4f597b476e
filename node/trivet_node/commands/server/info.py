"""INFO. What its sections show stands in information/. (Redis: group "server".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import LOADING, STALE, Command
from trivet_node.server.information.sections import info_text
from trivet_node.server.state import Server


def info(server: Server, client: Client, arguments: list[bytes]) -> None:
    """INFO [section [section ...]]."""
    names = [argument.decode(errors="replace").lower() for argument in arguments[1:]]
    client.reply.verbatim(info_text(server, names).encode())


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "info",
        -1,
        info,
        LOADING | STALE,
        group="server",
        categories="dangerous",
        since="1.0.0",
        summary="Get information and statistics about the server",
        tips=(
            "nondeterministic_output",
            "request_policy:all_shards",
            "response_policy:special",
        ),
        history=(("7.0.0", "Added support for taking multiple section arguments."),),
        arguments="section:string?*",
        difference="Without fields of jemalloc, defragmentation, threads for I/O, modules and the C build.",
    ),
)
