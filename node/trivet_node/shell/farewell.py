"""The last moments of a primary: its replicas get every write that it has acknowledged to a client.

Clients go first, so that nothing new is written; then the stream drains until every replica says that it has all of it.
A replica that does not answer delays the end by shutdown-timeout at most. (Redis 7: prepareForShutdown.)
"""

import socket
from typing import Final

import trio

from trivet_node.client import CLOSE_AFTER_REPLY, REPLICA
from trivet_node.replication.replicas import ONLINE, Replica
from trivet_node.server.state import Server
from trivet_node.shell.reactor import Reactor

_LOOK_EVERY_S: Final = 0.01


async def let_replicas_catch_up(server: Server, reactor: Reactor) -> None:
    """Return when no replica lags behind any more, or after shutdown-timeout seconds; the reactor must be running."""
    if server.replication.upstream is not None or not _lagging(server):
        return
    server.host.log(
        "notice", f"{len(_lagging(server))} of {_online_count(server)} replicas are lagging when shutting down."
    )
    reactor.stop_listening(socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
    for client in list(server.clients.values()):
        if client.flags & REPLICA == 0:
            server.close_client(client, CLOSE_AFTER_REPLY)
    reactor.flush_pending()
    with trio.move_on_after(server.config.shutdown_timeout):
        while _lagging(server):  # noqa: ASYNC110 (acknowledgements come within a second, and then it is over)
            await trio.sleep(_LOOK_EVERY_S)
    for replica in _lagging(server):
        behind = server.replication.history.offset - replica.acknowledged
        server.host.log("warning", f"Lagging replica {replica.name()} reported offset {behind} behind master.")


def _lagging(server: Server) -> list[Replica]:
    """Return the replicas that were not heard to have everything."""
    offset = server.replication.history.offset
    return [replica for replica in server.replication.replicas.in_state(ONLINE) if replica.acknowledged < offset]


def _online_count(server: Server) -> int:
    return len(server.replication.replicas.in_state(ONLINE))
