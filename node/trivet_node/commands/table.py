"""All commands of a node."""

from typing import Final

from trivet_node.command import Command
from trivet_node.commands import (
    administration,
    blocking_lists,
    clients,
    cluster,
    configuration,
    connection,
    counters,
    databases,
    deadlines,
    info,
    introspection,
    keys,
    list_moves,
    lists,
    objects,
    pubsub,
    replication,
    scanning,
    strings,
    substrings,
    transactions,
)

COMMANDS: Final[list[Command]] = [
    *administration.COMMANDS,
    *blocking_lists.COMMANDS,
    *clients.COMMANDS,
    *cluster.COMMANDS,
    *configuration.COMMANDS,
    *connection.COMMANDS,
    *counters.COMMANDS,
    *databases.COMMANDS,
    *deadlines.COMMANDS,
    *info.COMMANDS,
    *introspection.COMMANDS,
    *keys.COMMANDS,
    *list_moves.COMMANDS,
    *lists.COMMANDS,
    *objects.COMMANDS,
    *pubsub.COMMANDS,
    *replication.COMMANDS,
    *scanning.COMMANDS,
    *strings.COMMANDS,
    *substrings.COMMANDS,
    *transactions.COMMANDS,
]
