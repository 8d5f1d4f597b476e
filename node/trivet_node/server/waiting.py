"""Serving the clients that wait for keys, once the outermost command is over.

Whatever changes a key that somebody waits for puts it on `keyspace.ready`. When the command is done, and its effects
are propagated, the clients that wait for each such key are offered it, the one that waits longest first. What serving
one causes is a unit of the stream of its own, and it may make other keys ready in turn.

In a cluster nobody waits for keys that this node serves no longer: redirect_waiting() sends such clients away.
(Redis: blocked.c handleClientsBlockedOnKeys; cluster.c clusterRedirectBlockedClientIfNeeded.)
"""

from mypy_extensions import i64

from trivet_node.blocking import KeyWait
from trivet_node.client import CLOSE_AFTER_REPLY, Client
from trivet_node.cluster.redirect import redirection
from trivet_node.cluster.state import ClusterState
from trivet_node.command import WRITE
from trivet_node.server.metering import note_served
from trivet_node.server.state import Server
from trivet_node.server.timekeeping import wait_ended
from trivet_wire import errors


def may_block(server: Server) -> bool:
    """Say whether the command that runs now may let its client wait: not inside EXEC."""
    return server.call_depth == 1


def serve_ready_keys(server: Server) -> None:
    """Offer every key that has changed to those who wait for it."""
    keyspace = server.keyspace
    while keyspace.ready:
        ready = keyspace.ready
        keyspace.ready = []
        for database, key in ready:
            waits = server.blocking.waits_for(database.index, key)
            if waits:
                # From here on a change makes the key ready once more.
                database.await_key(key)
            for wait in waits:
                if not wait.client.is_closing():
                    _offer(server, wait, key)
            server.collect_expired()
            server.propagate()


def _offer(server: Server, wait: KeyWait, key: bytes) -> None:
    client = wait.client
    size: i64 = len(client.reply)
    errors_before = client.reply.errors
    stopwatch = server.stopwatch
    stopwatch.start()
    begin_us = stopwatch.mark_us
    server.call_depth += 1
    served = _serve(server, wait, key, size)
    server.call_depth -= 1
    if served:
        failed = client.reply.errors != errors_before
        if failed:
            server.stats.count_error(client.reply.last_error)
        wait_ended(server, wait, stopwatch.lap(begin_us), failed)
    server.collect_expired()
    if server.propagation.has_substitute():
        server.propagation.add_substitute(wait.database.index)
    if server.propagate():
        client.write_offset = server.replication.history.offset
    if served:
        server.blocking.release(wait, size)
        note_served(server, key, len(client.reply) - size)


def _serve(server: Server, wait: KeyWait, key: bytes, size: i64) -> bool:
    """Let a wait look at its key and say whether that ended it. A fault is that client's alone: it is closed.

    `size` is how many bytes stand in the client's buffer before the reply.
    """
    value = wait.database.find_raw(key)
    # Nobody waits for strings, so nobody looks whether one has expired.
    if wait.ends_with_key or not isinstance(value, (bytes, int, bytearray)):
        value = wait.database.find(key)
    try:
        return wait.serve(server, key, value)
    except Exception:
        server.host.log_exception(f"Serving client {wait.client.id}, which waits for a key, failed; closing it")
        # What stands there of a reply half written would be no reply.
        wait.client.reply.truncate(size)
        wait.client.reply.error(b"ERR internal error, see the log of the server")
        server.close_client(wait.client, CLOSE_AFTER_REPLY)
        return True


def redirect_waiting(server: Server) -> None:
    """Answer an error to the clients that wait for keys of a slot that is not served here, and let them go on."""
    machine = server.cluster
    if machine is None:
        return
    for wait in server.blocking.waits():
        if isinstance(wait, KeyWait):
            refused = _refusal(machine.state, wait.client, wait.keys)
            if refused is not None:
                size: i64 = len(wait.client.reply)
                wait.client.reply.error(refused)
                server.stats.count_error(refused)
                server.blocking.release(wait, size)


def _refusal(state: ClusterState, client: Client, keys: list[bytes]) -> bytes | None:
    """Return the error for a client that waits; while the cluster is down nobody can write what a reader waits for."""
    if not state.healthy:
        return errors.CLUSTER_DOWN
    command = client.last_command
    return redirection(state, client, keys, command is not None and command.flags & WRITE != 0)
