"""Serving the clients that wait for keys, once the outermost command is over.

Whatever changes a key that somebody waits for puts it on `keyspace.ready`. When the command is done, and its effects
are propagated, the clients that wait for each such key are offered it, the one that waits longest first. What serving
one causes is a unit of the stream of its own, and it may make other keys ready in turn.
(Redis: blocked.c handleClientsBlockedOnKeys.)
"""

from trivet_node.blocking import KeyWait
from trivet_node.server.state import Server


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
                _offer(server, wait, key)
            server.collect_expired()
            server.propagate()


def _offer(server: Server, wait: KeyWait, key: bytes) -> None:
    client = wait.client
    server.call_depth += 1
    served = wait.serve(server, key, wait.database.find(key))
    server.call_depth -= 1
    server.collect_expired()
    if server.propagation.has_substitute():
        server.propagation.add_substitute(wait.database.index)
    if server.propagate():
        client.write_offset = server.replication.history.offset
    if served:
        server.blocking.release(client)
