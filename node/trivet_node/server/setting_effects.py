"""What a changed setting does to the running engine; what it does to the shell is Host.settings_changed()'s.

A setting that is looked at whenever it matters needs no row here.
"""

from collections.abc import Callable
from typing import Final

from trivet_node import access
from trivet_node.client import UNAUTHENTICATED
from trivet_node.server import cluster_member, events, metering
from trivet_node.server.saving import update_disk_check
from trivet_node.server.state import Server
from trivet_node.server.switches import apply_role

_SLOWEST_HZ: Final = 1
_FASTEST_HZ: Final = 500
_SMALLEST_BACKLOG_BYTES: Final = 16 * 1024


def apply_settings(server: Server, attributes: list[str]) -> None:
    """Let the engine follow the new values of these attributes of its Config."""
    for effect in {_EFFECTS[attribute] for attribute in attributes if attribute in _EFFECTS}:
        effect(server)


def apply_at_start(server: Server) -> None:
    """Let a new engine follow the settings that it starts with."""
    _bound_hz(server)
    _track_accesses(server)
    _limit_packing(server)
    _measure_commands(server)
    events.follow_setting(server)


def _limit_bulk_length(server: Server) -> None:
    for client in server.clients.values():
        client.parser.bulk_max = server.config.proto_max_bulk_len


def _admit_all_without_password(server: Server) -> None:
    if server.config.requirepass:
        # Who is in stays in.
        return
    for client in server.clients.values():
        client.flags &= ~UNAUTHENTICATED
        client.parser.authenticated = True


def _bound_hz(server: Server) -> None:
    server.config.hz = min(max(server.config.hz, _SLOWEST_HZ), _FASTEST_HZ)


def _follow_save_points(server: Server) -> None:
    server.snapshots.points = server.config.save
    update_disk_check(server)


def _track_accesses(server: Server) -> None:
    log = server.keyspace.access
    log.log_factor = server.config.lfu_log_factor
    log.decay_minutes = server.config.lfu_decay_time
    policy = server.config.maxmemory_policy
    if policy.endswith("-lfu"):
        log.switch(access.FREQUENCY, int(server.keyspace.now_ms))
    elif policy.endswith("-lru"):
        log.switch(access.CLOCK, int(server.keyspace.now_ms))
    elif log.mode == access.FREQUENCY:
        log.switch(access.OFF, int(server.keyspace.now_ms))


def _measure_commands(server: Server) -> None:
    config = server.config
    server.stopwatch.follow(config.latency_tracking, config.slowlog_log_slower_than, config.latency_monitor_threshold)


def _limit_packing(server: Server) -> None:
    limits = server.limits
    for attribute in _PACKING:
        setattr(limits, attribute, getattr(server.config, attribute))


def _resize_backlog(server: Server) -> None:
    server.config.repl_backlog_size = max(server.config.repl_backlog_size, _SMALLEST_BACKLOG_BYTES)
    backlog = server.replication.backlog
    if backlog is not None:
        backlog.resize(server.config.repl_backlog_size)


# The settings that PackingLimits has under the same names.
_PACKING: Final = (
    "hash_max_listpack_entries",
    "hash_max_listpack_value",
    "list_max_listpack_size",
    "set_max_intset_entries",
    "zset_max_listpack_entries",
    "zset_max_listpack_value",
    "hll_sparse_max_bytes",
    "stream_node_max_bytes",
    "stream_node_max_entries",
)

_EFFECTS: Final[dict[str, Callable[[Server], None]]] = {
    "proto_max_bulk_len": _limit_bulk_length,
    "requirepass": _admit_all_without_password,
    "hz": _bound_hz,
    "save": _follow_save_points,
    "stop_writes_on_bgsave_error": update_disk_check,
    "maxmemory_policy": _track_accesses,
    "lfu_log_factor": _track_accesses,
    "lfu_decay_time": _track_accesses,
    "repl_backlog_size": _resize_backlog,
    "latency_tracking": _measure_commands,
    "slowlog_log_slower_than": _measure_commands,
    "latency_monitor_threshold": _measure_commands,
    "notify_keyspace_events": events.follow_setting,
    **dict.fromkeys(_PACKING, _limit_packing),
    "replica_read_only": apply_role,
    "replica_serve_stale_data": apply_role,
    "min_replicas_to_write": apply_role,
    "min_replicas_max_lag": apply_role,
    "port": cluster_member.adapt,
    "cluster_node_timeout": cluster_member.adapt,
    "cluster_announce_ip": cluster_member.adapt,
    "cluster_announce_port": cluster_member.adapt,
    "cluster_announce_bus_port": cluster_member.adapt,
    "cluster_announce_hostname": cluster_member.adapt,
    "cluster_preferred_endpoint_type": cluster_member.adapt,
    "external_endpoint": cluster_member.adapt,
    "cluster_require_full_coverage": cluster_member.adapt,
    "cluster_allow_reads_when_down": cluster_member.adapt,
    "cluster_allow_pubsubshard_when_down": cluster_member.adapt,
    "cluster_replica_no_failover": cluster_member.adapt,
    "cluster_replica_validity_factor": cluster_member.adapt,
    "cluster_slot_stats_enabled": metering.follow,
    "repl_ping_replica_period": cluster_member.adapt,
}
