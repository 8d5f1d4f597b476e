"""How the running node ends: by SHUTDOWN, by a signal, by DEBUG RESTART.

    begin()    pause whatever writes, and wait for the replicas; without any that lag behind, the node ends at once
    look()     have they caught up, or is the time over? looked at in every tick and after acknowledgements
    abort()    SHUTDOWN ABORT

The snapshot is written last: it is the point in history that the node starts from again, so a replica that has one
more byte of the stream than it says would need everything. Once it is written nothing runs any more, no client and no
tick, until the shell has ended the process. (Redis: server.c prepareForShutdown, finishShutdown, abortShutdown.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.blocking import FOREVER, Wait
from trivet_node.client import Client
from trivet_node.pauses import BY_SHUTDOWN, EVERYTHING, FOR_EVER_MS, WRITES
from trivet_node.replication.failover import is_synced
from trivet_node.replication.replicas import ONLINE, Replica
from trivet_node.server import pausing, saving
from trivet_node.server.replicating.waits import ask_for_acknowledgements
from trivet_node.server.state import CHECK_BUSY, CHECK_LOADING, Server
from trivet_node.shutdown import FORCE, NONE, NOW, OVER, WAITING, Shutdown

FAILED: Final = b"ERR Errors trying to SHUTDOWN. Check logs."
_MS_PER_S: Final = 1000


@final
class ShutdownWait(Wait):
    """Waits for the end of the node, or for hearing that it does not end."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, FOREVER)
        self.may_be_cut_short = False


def begin(server: Server, wishes: frozenset[str]) -> bool:
    """Begin a shutdown, unless one is under way; say whether the node ends now."""
    shutdown = server.shutdown
    if shutdown.state != NONE:
        return False
    shutdown.wishes = wishes
    server.host.log("warning", "User requested shutdown...")
    server.host.tell_supervisor("STOPPING=1")
    if not _must_wait(server):
        return _finish(server)
    shutdown.state = WAITING
    shutdown.deadline_ms = int(server.keyspace.now_ms) + server.config.shutdown_timeout * _MS_PER_S
    if server.replication.upstream is None:
        ask_for_acknowledgements(server)
    pausing.pause(server, BY_SHUTDOWN, WRITES, FOR_EVER_MS)
    server.host.log("notice", "Waiting for replicas before shutting down.")
    return False


def wait_for_end(server: Server, client: Client) -> None:
    """Let a client wait that has asked for the shutdown under way."""
    server.blocking.block(ShutdownWait(client))


def look(server: Server) -> None:
    """End the node if that is due."""
    shutdown = server.shutdown
    if shutdown.state == WAITING and (shutdown.deadline_ms <= server.keyspace.now_ms or not _lagging(server)):
        _finish(server)


def abort(server: Server) -> bool:
    """Give the shutdown under way up; say whether there was one."""
    if server.shutdown.state != WAITING:
        return False
    _cancel(server)
    server.host.log("notice", "Shutdown manually aborted.")
    return True


def _must_wait(server: Server) -> bool:
    """Say whether replicas are worth waiting for. While a script runs for too long, no time passes to wait in."""
    may_wait = NOW not in server.shutdown.wishes and server.config.shutdown_timeout > 0
    return may_wait and server.checks & CHECK_BUSY == 0 and len(_lagging(server)) > 0


def _lagging(server: Server) -> list[Replica]:
    """Return the replicas that were not heard to have everything, those that wait for a snapshot among them."""
    replication = server.replication
    offset = replication.history.offset
    return [replica for replica in replication.replicas.following if not is_synced(replica, offset)]


def _finish(server: Server) -> bool:
    """Save what is to be saved, and end the node; say whether it ends."""
    _tell_of_replicas(server)
    saving.stop_background_save(server)
    if not _is_saved(server):
        server.host.log("warning", "Errors trying to shut down the server. Check the logs for more information.")
        _cancel(server)
        return False
    server.shutdown.state = OVER
    # Clients whose requests arrived together with the one that ends the node have not begun.
    pausing.pause(server, BY_SHUTDOWN, EVERYTHING, FOR_EVER_MS)
    server.host.request_shutdown()
    return True


def _is_saved(server: Server) -> bool:
    """Write a snapshot where one is wished for; false where that was in vain and must not be."""
    shutdown = server.shutdown
    # What is in memory before the load has ended is less than what is on disk.
    if not shutdown.wants_save(bool(server.config.save)) or server.checks & CHECK_LOADING != 0:
        return True
    server.host.log("notice", "Saving the final RDB snapshot before exiting.")
    server.host.tell_supervisor("STATUS=Saving the final RDB snapshot")
    if saving.save(server):
        return True
    if FORCE in shutdown.wishes:
        server.host.log("warning", "Error trying to save the DB. Exit anyway.")
        return True
    server.host.log("warning", "Error trying to save the DB, can't exit.")
    server.host.tell_supervisor("STATUS=Error trying to save the DB, can't exit.")
    return False


def _cancel(server: Server) -> None:
    """Go on as before; those who wait for the end hear that there is none."""
    server.shutdown = Shutdown()
    for wait in server.blocking.waits():
        if isinstance(wait, ShutdownWait):
            size: i64 = len(wait.client.reply)
            wait.client.reply.error(FAILED)
            server.stats.count_error(FAILED)
            server.blocking.release(wait, size)
    pausing.unpause(server, BY_SHUTDOWN)


def _tell_of_replicas(server: Server) -> None:
    replicas = server.replication.replicas.following
    if not replicas:
        return
    lagging = _lagging(server)
    for replica in lagging:
        behind = server.replication.history.offset - replica.acknowledged
        lag_s = replica.lag_s(int(server.keyspace.now_ms)) if replica.state == ONLINE else 0
        server.host.log(
            "warning",
            f"Lagging replica {replica.name()} reported offset {behind} behind master, lag={lag_s}, "
            f"state={replica.state_name()}.",
        )
    in_sync = len(replicas) - len(lagging)
    server.host.log("notice", f"{in_sync} of {len(replicas)} replicas are in sync when shutting down.")
