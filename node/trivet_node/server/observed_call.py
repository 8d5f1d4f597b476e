"""Run one command that was admitted, for a client that something sets apart or while somebody looks on.

What depends on the caller, or is shown to others, follows the command. A plain client's commands do not come this way.
"""

from trivet_node.client import TRACKING, Client
from trivet_node.command import READONLY, SKIP_MONITOR, Command
from trivet_node.server import invalidation, metered_call, monitoring
from trivet_node.server.state import CHECK_MONITORED, Server


def run_observed(server: Server, client: Client, command: Command, arguments: list[bytes]) -> None:
    """Run `command`; see call(). The engine calls this for requests, and EXEC for what was queued."""
    if server.checks & CHECK_MONITORED != 0 and command.flags & SKIP_MONITOR != 0:
        # A script is shown before the commands that it runs.
        monitoring.show(server, client, monitoring.source_of(client), command, arguments)
    metered_call.run(server, client, command, arguments)
    if server.checks & CHECK_MONITORED != 0:
        monitoring.show_call(server, client, monitoring.source_of(client), command, arguments)
    if client.flags & TRACKING != 0 and command.flags & READONLY != 0:
        invalidation.remember(server, client, command, arguments)
