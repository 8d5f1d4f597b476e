"""LOLWUT: computer art. Redis 7.0 draws only what older versions drew, when it is asked to. (Redis: lolwut.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import FAST, READONLY, Command
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.server.drawings import skyline, squares
from trivet_node.server.state import Server
from trivet_wire.version import REDIS_VERSION

# What LOLWUT VERSION 5 takes, and LOLWUT VERSION 6: (smallest, largest, default) of each argument.
_SQUARES: Final = ((1, 1000, 66), (1, 200, 8), (1, 200, 12))
_SKYLINE: Final = ((1, 1000, 80), (1, 1000, 20))


def lolwut(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LOLWUT [VERSION version [size ...]]."""
    version = 0
    sizes = arguments[1:]
    if len(arguments) >= 3 and option(arguments[1]) == b"VERSION":
        version = integer(arguments[2])
        sizes = arguments[3:]
    text = ""
    if version == 5:
        columns, across, down = _sizes(sizes, _SQUARES)
        text = squares(columns, across, down, server.random) + "\nSquares that lose their places one by one. "
    elif version == 6:
        columns, rows = _sizes(sizes, _SKYLINE)
        text = skyline(columns, rows, server.random) + "A town on three legs, at dusk.\nNo two of them are alike. "
    client.reply.verbatim(f"{text}Redis ver. {REDIS_VERSION}\n".encode())


def _sizes(words: list[bytes], bounds: tuple[tuple[int, int, int], ...]) -> list[int]:
    """Return the sizes given, within their bounds, and the defaults of the others."""
    sizes: list[int] = []
    for index, (smallest, largest, default) in enumerate(bounds):
        size = integer(words[index]) if index < len(words) else default
        sizes.append(min(max(size, smallest), largest))
    return sizes


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "lolwut",
        -1,
        lolwut,
        READONLY | FAST,
        group="server",
        since="5.0.0",
        summary="Display some computer art and the Redis version",
        complexity="",
        arguments="version:integer=VERSION?",
        difference="The art is Trivet's own.",
    ),
)
