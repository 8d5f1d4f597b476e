"""INFO replication, field by field as Redis writes it: sentinels choose by it."""

from typing import Final

from trivet_node.replication.replicas import Replica
from trivet_node.replication.upstream import CONNECTED, TRANSFER, Upstream
from trivet_node.server.state import Server
from trivet_node.server.switches import count_good_replicas

_MS_PER_S: Final = 1000
_NEVER: Final = -1


def replication_info(server: Server) -> list[tuple[str, str]]:
    """Return the fields of the section in order."""
    replication = server.replication
    history = replication.history
    backlog = replication.backlog
    upstream = replication.upstream
    fields = [("role", "master" if upstream is None else "slave")]
    if upstream is not None:
        fields += _upstream_fields(server, upstream)
    fields.append(("connected_slaves", str(len(replication.replicas.following))))
    if server.config.min_replicas_to_write and server.config.min_replicas_max_lag:
        fields.append(("min_slaves_good_slaves", str(count_good_replicas(server))))
    for index, replica in enumerate(replication.replicas.following):
        fields.append((f"slave{index}", _replica_text(replica, int(server.keyspace.now_ms))))
    fields += [
        ("master_failover_state", replication.failover.state_name()),
        ("master_replid", history.id.decode()),
        ("master_replid2", history.previous_id.decode()),
        ("master_repl_offset", str(history.offset)),
        ("second_repl_offset", str(history.previous_end)),
        ("repl_backlog_active", "0" if backlog is None else "1"),
        ("repl_backlog_size", str(server.config.repl_backlog_size)),
        ("repl_backlog_first_byte_offset", "0" if backlog is None else str(backlog.first_offset())),
        ("repl_backlog_histlen", "0" if backlog is None else str(backlog.length)),
    ]
    return fields


def _upstream_fields(server: Server, upstream: Upstream) -> list[tuple[str, str]]:
    now_ms = int(server.keyspace.now_ms)
    client = upstream.client
    offset = str(server.replication.applied_offset())
    fields = [
        ("master_host", upstream.host),
        ("master_port", str(upstream.port)),
        ("master_link_status", "up" if upstream.state == CONNECTED else "down"),
        (
            "master_last_io_seconds_ago",
            str(_NEVER if client is None else (now_ms - client.last_active_ms) // _MS_PER_S),
        ),
        ("master_sync_in_progress", "1" if upstream.state == TRANSFER else "0"),
        ("slave_read_repl_offset", offset),
        ("slave_repl_offset", offset),
    ]
    if upstream.state == TRANSFER:
        fields += _transfer_fields(upstream, now_ms)
    if upstream.state != CONNECTED:
        down_s = (now_ms - upstream.down_since_ms) // _MS_PER_S if upstream.down_since_ms else _NEVER
        fields.append(("master_link_down_since_seconds", str(down_s)))
    fields += [
        ("slave_priority", str(server.config.replica_priority)),
        ("slave_read_only", "1" if server.config.replica_read_only else "0"),
        ("replica_announced", "1" if server.config.replica_announced else "0"),
    ]
    return fields


def _transfer_fields(upstream: Upstream, now_ms: int) -> list[tuple[str, str]]:
    total = upstream.transfer_bytes
    read = upstream.transferred_bytes
    return [
        ("master_sync_total_bytes", str(total)),
        ("master_sync_read_bytes", str(read)),
        ("master_sync_left_bytes", str(total - read)),
        ("master_sync_perc", f"{100 * read / total if total else 0:.2f}"),
        ("master_sync_last_io_seconds_ago", str((now_ms - upstream.last_io_ms) // _MS_PER_S)),
    ]


def _replica_text(replica: Replica, now_ms: int) -> str:
    lag_s = replica.lag_s(now_ms) if replica.acknowledged_ms else 0
    return (
        f"ip={replica.host()},port={replica.listening_port},state={replica.state_name()},"
        f"offset={replica.acknowledged},lag={lag_s}"
    )
