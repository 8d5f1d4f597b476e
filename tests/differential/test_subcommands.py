"""Every subcommand with many numbers of arguments, in small and capital letters, beside redis-server 7.0.

What it says of a wrong number of arguments, of one that it does not know, or of a subcommand that does not exist.
"""

from typing import Final

import pytest

from tests.differential.conversations import converse
from tests.processes import ServerProcess
from trivet_node.commands.table import COMMANDS

Pair = tuple[ServerProcess, ServerProcess]

_ARGUMENTS: Final = (
    "",
    "a",
    "a b",
    "a b c",
    "a b c d",
    "a b c d e f g h",
    "'' ''",
    "-1",
    "-1 -1",
    "99999999999999999999",
)
# Containers and subcommands that redis-server 7.0 does not have.
_NEW: Final = {"hotkeys", "client|setinfo", "cluster|myshardid", "cluster|slot-stats"}
# What answers differently for each process, waits, or ends more than its own connection, where its arguments are right.
_SPEAKS_OF_ITSELF: Final = {
    *("client|id", "client|info", "client|list", "client|kill", "client|reply", "client|pause", "memory|stats"),
    *(
        "memory|malloc-stats",
        "command|count",
        "command|docs",
        "command|info",
        "command|list",
        "slowlog|get",
        "slowlog|len",
    ),
    *("config|get", "config|rewrite", "function|dump", "latency|histogram", "latency|doctor", "client|help"),
}
_SUBCOMMANDS: Final[dict[str, list[str]]] = {
    command.name: [name.decode() for name in command.subcommands] for command in COMMANDS if command.subcommands
}


@pytest.mark.parametrize("resp3", [False, True], ids=["resp2", "resp3"])
@pytest.mark.parametrize("container", sorted(set(_SUBCOMMANDS) - _NEW))
def test_wrong_arguments_are_refused_as_redis_does(pair: Pair, container: str, resp3: bool) -> None:
    names = [name for name in _SUBCOMMANDS[container] if f"{container}|{name}" not in _NEW]
    lines = [container, container.upper()]
    for name in [*names, "nonsense"]:
        given = [
            arguments
            for arguments in _ARGUMENTS
            if f"{container}|{name}" not in _SPEAKS_OF_ITSELF or arguments not in ("", "-1", "99999999999999999999")
        ]
        lines += [f"{container} {name} {arguments}" for arguments in given]
        lines += [f"{container} {name.upper()} {arguments}" for arguments in given[:4]]
    if container == "command":
        # That is the whole table.
        lines = lines[2:]
    ours, real = (converse(server, lines, resp3) for server in pair)
    for line, one, other in zip(lines, ours, real, strict=False):
        assert one == other, line
    assert len(ours) == len(real)
