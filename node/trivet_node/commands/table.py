"""All commands of a node."""

from typing import Final

from trivet_node.command import Command
from trivet_node.commands import connection, pubsub, replication, strings

COMMANDS: Final[list[Command]] = [
    *connection.COMMANDS,
    *pubsub.COMMANDS,
    *replication.COMMANDS,
    *strings.COMMANDS,
]
