"""Becoming a replica, becoming a primary.

    begin()            the node starts
    follow()           REPLICAOF host port, CLUSTER REPLICATE
    lead()             REPLICAOF NO ONE, a failover: this node is the primary from here
    resume()           the node has started from a snapshot that says which point in history it is
    upstream_is_up()   the shell has brought a link to the primary so far that the stream runs
    upstream_is_down() that link is gone

Each of them sets the switches that follow from the role (server/switches.py). An epoch that comes with a role change (a
cluster's, or a sentinel's) belongs into these calls.
(Redis: replicationSetMaster, replicationUnsetMaster.)
"""

from mypy_extensions import i64

from trivet_node.client import CLOSE_AFTER_REPLY, CLOSE_NOW, IN_TRANSACTION, PRIMARY, UNAUTHENTICATED, Client
from trivet_node.persistence.facts import HistoryPoint
from trivet_node.replication.history import new_replication_id
from trivet_node.replication.upstream import CONNECTED, Upstream
from trivet_node.server.state import Server
from trivet_node.server.switches import apply_role

_UNBLOCKED = b"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"


def begin(server: Server) -> None:
    """Take the role that the settings name, when the node starts."""
    if server.config.replicaof is not None:
        host, port = server.config.replicaof
        server.replication.upstream = Upstream(host, port)
    apply_role(server)


def follow(server: Server, host: str, port: int) -> None:
    """Become a replica of the primary at `host`:`port`, or change to that one."""
    replication = server.replication
    before = replication.upstream
    _leave_upstream(server)
    _release_blocked_clients(server)
    replication.upstream = Upstream(host, port)
    if before is not None:
        # The link to a primary is as old as the data: from where it comes makes no difference.
        replication.upstream.down_since_ms = before.down_since_ms
    else:
        # What this node has may be an earlier point of the new primary's history: it is worth asking.
        replication.create_backlog(server.config.repl_backlog_size)
        replication.may_continue = True
    apply_role(server)
    server.host.primary_changed()


def lead(server: Server) -> None:
    """Become a primary, with the data set as it is; nothing happens on a primary."""
    replication = server.replication
    if replication.upstream is None:
        return
    _leave_upstream(server)
    replication.upstream = None
    history = replication.history
    history.branch(new_replication_id(server.random))
    server.host.log(
        "warning",
        f"Setting secondary replication ID to {history.previous_id.decode()}, valid up to offset: "
        f"{history.previous_end}. New replication ID is {history.id.decode()}",
    )
    # Our replicas come back at once, learn the new id and continue where they are.
    disconnect_replicas(server)
    replication.no_replicas_since_ms = int(server.keyspace.now_ms)
    server.propagation.selected = -1
    apply_role(server)
    server.host.primary_changed()


def resume(server: Server, point: HistoryPoint) -> None:
    """Take up the history of the snapshot that was loaded at the start; a primary goes on with an id of its own."""
    replication = server.replication
    history = replication.history
    own_id = history.id
    history.restart(point.replication_id, point.offset)
    replication.stream_database = min(point.database, server.config.database_count() - 1)
    replication.create_backlog(server.config.repl_backlog_size)
    replication.no_replicas_since_ms = int(server.keyspace.now_ms)
    if replication.upstream is None:
        history.branch(own_id)
    else:
        replication.may_continue = True
    apply_role(server)


def upstream_is_up(server: Server, client: Client) -> None:
    """Let the stream run through `client`, the link to our primary; `history` says from which offset on."""
    replication = server.replication
    upstream = replication.upstream
    assert upstream is not None, "a primary has no upstream"
    client.flags = (client.flags | PRIMARY) & ~UNAUTHENTICATED
    client.parser.authenticated = True
    client.database = server.keyspace.database(replication.stream_database)
    replication.may_continue = True
    replication.create_backlog(server.config.repl_backlog_size)
    upstream.connected(client)
    apply_role(server)


def upstream_is_down(server: Server) -> None:
    """Note that the link to our primary is gone; the shell makes a new one."""
    upstream = server.replication.upstream
    if upstream is None or upstream.state != CONNECTED:
        return
    client = upstream.client
    server.replication.stream_database = server.replication.selected_database()
    upstream.lost(int(server.keyspace.now_ms))
    if client is not None and client.flags & IN_TRANSACTION != 0:
        client.flags &= ~IN_TRANSACTION
        client.queued = []
    server.host.log("warning", "Connection with master lost.")
    server.host.log("notice", "Caching the disconnected master state.")
    apply_role(server)


def disconnect_replicas(server: Server) -> None:
    """Close the links of all our replicas."""
    for replica in server.replication.replicas.following:
        server.close_client(replica.client, CLOSE_NOW)


def _leave_upstream(server: Server) -> None:
    upstream = server.replication.upstream
    if upstream is None or upstream.client is None:
        return
    client = upstream.client
    server.replication.stream_database = server.replication.selected_database()
    upstream.lost(int(server.keyspace.now_ms))
    server.close_client(client, CLOSE_NOW)


def _release_blocked_clients(server: Server) -> None:
    """Answer an error to the clients that wait, and close them. (Redis: disconnectAllBlockedClients.)"""
    for wait in server.blocking.waits():
        if wait.may_be_cut_short:
            size: i64 = len(wait.client.reply)
            wait.client.reply.error(_UNBLOCKED)
            server.stats.count_error(_UNBLOCKED)
            server.blocking.release(wait, size)
            wait.client.flags |= CLOSE_AFTER_REPLY
