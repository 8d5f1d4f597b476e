"""All commands of a node."""

from typing import Final

from trivet_node.command import Command
from trivet_node.commands import connection, replication, strings

COMMANDS: Final[list[Command]] = [
    *connection.COMMANDS,
    *replication.COMMANDS,
    *strings.COMMANDS,
]
