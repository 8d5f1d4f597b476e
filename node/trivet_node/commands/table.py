"""All commands of a node."""

from typing import Final

from trivet_node.command import Command
from trivet_node.commands import (
    clients,
    cluster,
    connection,
    counters,
    databases,
    deadlines,
    introspection,
    keys,
    objects,
    pubsub,
    replication,
    scanning,
    strings,
    substrings,
    transactions,
)

COMMANDS: Final[list[Command]] = [
    *cluster.COMMANDS,
    *connection.COMMANDS,
    *introspection.COMMANDS,
    *clients.COMMANDS,
    *counters.COMMANDS,
    *databases.COMMANDS,
    *deadlines.COMMANDS,
    *keys.COMMANDS,
    *objects.COMMANDS,
    *pubsub.COMMANDS,
    *replication.COMMANDS,
    *scanning.COMMANDS,
    *strings.COMMANDS,
    *substrings.COMMANDS,
    *transactions.COMMANDS,
]
