"""The primary's part in PSYNC: continue from the backlog, or a full synchronization.

A full synchronization goes from state to state (replicas.py), each step one function here:

    ask_for_stream()      the replica asks; it continues at once, or waits for a snapshot
    snapshot_began()      the shell has forked: the snapshot has the present offset, all who wait are told so
    snapshot_ended()      the shell has the bytes, or has failed: they may be sent, or the replicas must ask again
    snapshot_was_sent()   the last byte is in the reply buffer: what was held follows, the stream goes on directly

From snapshot_began() on the stream is held for the replica; a replica that comes while a snapshot is under way shares
it, with a copy of what was held. (Redis: syncCommand, masterTryPartialResync.)
"""

from trivet_node.client import CLOSE_NOW, REPLICA, Client
from trivet_node.replication.history import new_replication_id
from trivet_node.replication.replicas import (
    ONLINE,
    RECEIVES_SNAPSHOT,
    SNAPSHOT_UNDER_WAY,
    WAITS_FOR_SNAPSHOT,
    Replica,
)
from trivet_node.server.replicating.waits import serve_waits
from trivet_node.server.state import Server
from trivet_node.server.switches import apply_role


def ask_for_stream(server: Server, client: Client, replication_id: bytes, next_offset: int) -> None:
    """Serve PSYNC: the replica has a data set of that id and lacks what begins at `next_offset`."""
    replica = server.replication.replicas.of(client)
    server.host.log("notice", f"Replica {replica.name()} asks for synchronization")
    if server.config.repl_disable_tcp_nodelay:
        server.host.gather_packets(client)
    if _can_continue(server, replica, replication_id, next_offset):
        _continue(server, replica, next_offset)
    else:
        if replication_id != b"?":
            server.stats.partial_syncs_refused += 1
        _begin_full(server, replica)


def snapshot_began(server: Server) -> None:
    """Tell the replicas that wait which offset the snapshot has that began just now."""
    # The stream behind the snapshot must say its database: the replicas start without one.
    server.propagation.selected = -1
    for replica in server.replication.replicas.in_state(WAITS_FOR_SNAPSHOT):
        replica.held = []
        replica.held_bytes = 0
        _announce(server, replica, server.replication.history.offset)


def snapshot_ended(server: Server, succeeded: bool) -> list[Replica]:
    """Return the replicas that the snapshot is to be sent to; where it failed, they are closed and will ask again."""
    replicas = server.replication.replicas.in_state(SNAPSHOT_UNDER_WAY)
    for replica in replicas:
        if succeeded:
            replica.state = RECEIVES_SNAPSHOT
        else:
            server.host.log("warning", f"SYNC failed. BGSAVE child returned an error, closing {replica.name()}")
            server.close_client(replica.client, CLOSE_NOW)
    return replicas if succeeded else []


def snapshot_was_sent(server: Server, replica: Replica) -> None:
    """Let the stream follow the snapshot."""
    replica.state = ONLINE
    replica.acknowledged_ms = int(server.keyspace.now_ms)
    for part in replica.held:
        replica.client.reply.raw(part)
    replica.held = []
    replica.held_bytes = 0
    server.mark_pending(replica.client)
    server.host.log("notice", f"Synchronization with replica {replica.name()} succeeded")
    apply_role(server)


def acknowledged(server: Server, replica: Replica, offset: int) -> None:
    """Note that a replica has applied the stream up to `offset`, and serve those who waited for that."""
    replica.acknowledge(offset, int(server.keyspace.now_ms))
    apply_role(server)
    serve_waits(server)


def start_snapshot_if_wanted(server: Server) -> None:
    """Let the shell begin a snapshot if replicas wait for one and it can."""
    if server.replication.replicas.in_state(WAITS_FOR_SNAPSHOT):
        server.host.start_replica_snapshot()


def _can_continue(server: Server, replica: Replica, replication_id: bytes, next_offset: int) -> bool:
    replication = server.replication
    history = replication.history
    if replication_id == b"?" or next_offset < 0:
        return False
    if not history.includes(replication_id, next_offset):
        server.host.log(
            "notice",
            f"Partial resynchronization not accepted: Replication ID mismatch (Replica asked for "
            f"'{replication_id.decode(errors='replace')}' and {next_offset}, my replication IDs are "
            f"'{history.id.decode()}' and '{history.previous_id.decode()}' up to {history.previous_end})",
        )
        return False
    if replication.backlog is None or not replication.backlog.has(next_offset):
        server.host.log(
            "notice",
            f"Unable to partial resync with replica {replica.name()} for lack of backlog "
            f"(Replica request was: {next_offset}).",
        )
        return False
    return True


def _continue(server: Server, replica: Replica, next_offset: int) -> None:
    replication = server.replication
    assert replication.backlog is not None, "asked for before"
    missing = replication.backlog.since(next_offset)
    client = replica.client
    client.flags |= REPLICA
    replication.history.is_shared = True
    replica.acknowledged_ms = int(server.keyspace.now_ms)
    replication.replicas.add(replica, ONLINE)
    client.reply.raw(b"+CONTINUE %s\r\n" % replication.history.id if replica.understands_psync2 else b"+CONTINUE\r\n")
    client.reply.raw(missing)
    server.stats.partial_syncs_accepted += 1
    server.host.log(
        "notice",
        f"Partial resynchronization request from {replica.name()} accepted. Sending {len(missing)} bytes of backlog "
        f"starting from offset {next_offset}.",
    )
    apply_role(server)


def _begin_full(server: Server, replica: Replica) -> None:
    replication = server.replication
    server.stats.full_syncs += 1
    server.host.log("notice", f"Full resync requested by replica {replica.name()}")
    replica.client.flags |= REPLICA
    others = replication.replicas.in_state(SNAPSHOT_UNDER_WAY)
    replication.replicas.add(replica, WAITS_FOR_SNAPSHOT)
    if replication.backlog is None:
        # Nothing written before now was counted, so nobody may believe to be an earlier point of this history.
        replication.history.begin(new_replication_id(server.random))
        replication.create_backlog(server.config.repl_backlog_size)
        server.host.log(
            "notice",
            f"Replication backlog created, my new replication IDs are '{replication.history.id.decode()}' and "
            f"'{replication.history.previous_id.decode()}'",
        )
        apply_role(server)
    if others:
        replica.held = list(others[0].held)
        replica.held_bytes = others[0].held_bytes
        _announce(server, replica, others[0].snapshot_offset)
    else:
        start_snapshot_if_wanted(server)


def _announce(server: Server, replica: Replica, offset: int) -> None:
    replica.state = SNAPSHOT_UNDER_WAY
    replica.snapshot_offset = offset
    server.replication.history.is_shared = True
    if not replica.is_old:
        replica.client.reply.raw(b"+FULLRESYNC %s %d\r\n" % (server.replication.history.id, offset))
        server.mark_pending(replica.client)
