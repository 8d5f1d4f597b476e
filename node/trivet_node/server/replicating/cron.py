"""What happens in replication as time passes, once a second: pings, acknowledgements, timeouts.

(Redis: replicationCron.)
"""

from typing import Final

from trivet_node.client import CLOSE_NOW
from trivet_node.replication.history import new_replication_id
from trivet_node.replication.replicas import ONLINE, SNAPSHOT_UNDER_WAY, WAITS_FOR_SNAPSHOT, Replica
from trivet_node.replication.upstream import Upstream
from trivet_node.server.replicating import failover
from trivet_node.server.replicating.sync import start_snapshot_if_wanted
from trivet_node.server.state import Server
from trivet_node.server.switches import apply_role
from trivet_wire.replies import encode_command

_PERIOD_MS: Final = 1000
_MS_PER_S: Final = 1000


def tick(server: Server) -> None:
    """Do what is due; called about ten times a second."""
    replication = server.replication
    now_ms = int(server.keyspace.now_ms)
    start_snapshot_if_wanted(server)
    failover.look(server)
    if now_ms < replication.next_cron_ms:
        return
    replication.next_cron_ms = now_ms + _PERIOD_MS
    if replication.upstream is not None:
        _watch_primary(server, replication.upstream, now_ms)
    elif replication.replicas.following:
        _ping_replicas(server, now_ms)
    _watch_replicas(server, now_ms)
    _free_backlog(server, now_ms)
    # Replicas become bad by silence alone.
    apply_role(server)


def acknowledge(server: Server, upstream: Upstream, offset: int) -> None:
    """Tell our primary how far we are. (Whatever else an acknowledgement is to carry, an epoch say, goes in here.)"""
    if upstream.client is not None:
        upstream.client.reply.raw(encode_command([b"REPLCONF", b"ACK", b"%d" % offset]))
        server.mark_pending(upstream.client)


def _watch_primary(server: Server, upstream: Upstream, now_ms: int) -> None:
    client = upstream.client
    if client is None:
        return
    if now_ms - client.last_active_ms > server.config.repl_timeout * _MS_PER_S:
        server.host.log("warning", "MASTER timeout: no data nor PING received...")
        server.close_client(client, CLOSE_NOW)
    else:
        acknowledge(server, upstream, server.replication.history.offset)


def _ping_replicas(server: Server, now_ms: int) -> None:
    replication = server.replication
    if now_ms >= replication.next_ping_ms and not failover.is_under_way(server):
        replication.next_ping_ms = now_ms + server.config.repl_ping_replica_period * _MS_PER_S
        server.feed_stream(encode_command([b"PING"]))


def _watch_replicas(server: Server, now_ms: int) -> None:
    limit = server.config.client_output_buffer_limit.replica.hard_bytes
    for replica in list(server.replication.replicas.following):
        if replica.state in (WAITS_FOR_SNAPSHOT, SNAPSHOT_UNDER_WAY):
            # An empty line before the snapshot says that we are alive.
            replica.client.reply.raw(b"\n")
            server.mark_pending(replica.client)
        elif _is_silent(server, replica, now_ms):
            server.host.log("warning", f"Disconnecting timedout replica (streaming sync): {replica.name()}")
            server.close_client(replica.client, CLOSE_NOW)
        if limit and replica.held_bytes > limit:
            server.host.log("warning", f"Replica {replica.name()} closed for overcoming of output buffer limits.")
            server.stats.output_buffer_limit_disconnections += 1
            server.close_client(replica.client, CLOSE_NOW)


def _is_silent(server: Server, replica: Replica, now_ms: int) -> bool:
    return replica.state == ONLINE and not replica.is_old and replica.lag_s(now_ms) > server.config.repl_timeout


def _free_backlog(server: Server, now_ms: int) -> None:
    """Forget the backlog of a primary that nobody has followed for repl-backlog-ttl seconds."""
    replication = server.replication
    ttl_s = server.config.repl_backlog_ttl
    if replication.upstream is not None or replication.backlog is None or replication.replicas.following or ttl_s == 0:
        return
    if now_ms - replication.no_replicas_since_ms <= ttl_s * _MS_PER_S:
        return
    # From here on writes are not counted, so nobody may continue with this history. (Redis: replicationCron.)
    replication.history.begin(new_replication_id(server.random))
    replication.drop_backlog()
    apply_role(server)
    server.host.log("notice", f"Replication backlog freed after {ttl_s} seconds without connected replicas.")
