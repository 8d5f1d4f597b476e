"""MONITOR. (Redis: replication.c monitorCommand.)"""

from typing import Final

from trivet_node.client import MONITOR, REPLICA, Client
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError
from trivet_node.server import monitoring
from trivet_node.server.state import Server
from trivet_node.server.waiting import may_block


def monitor(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MONITOR. A client that looks on already, and a replica, are not answered, as in Redis."""
    if not may_block(server):
        raise CommandError(b"ERR MONITOR isn't allowed for DENY BLOCKING client")
    if client.flags & (REPLICA | MONITOR) == 0:
        monitoring.start(server, client)
        client.reply.ok()


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "monitor",
        1,
        monitor,
        ADMIN | NOSCRIPT | LOADING | STALE,
        group="server",
        since="1.0.0",
        summary="Listen for all requests received by the server in real time",
        complexity="",
    ),
)
