"""INFO stats: what was done since the start or the last CONFIG RESETSTAT, and how fast."""

from typing import Final

from trivet_node.server.information.fields import Fields
from trivet_node.server.state import Server

_KIB: Final = 1024
_US_PER_MS: Final = 1000
# How many deadlines of each database are looked at for the share of keys that should be gone.
_DEADLINES_SAMPLED: Final = 100


def stats_info(server: Server) -> Fields:
    """Return what was done so far, and how fast."""
    return [*_traffic(server), *_keys(server), *_the_rest(server)]


def _traffic(server: Server) -> Fields:
    stats = server.stats
    return [
        ("total_connections_received", str(int(stats.connections_received))),
        ("total_commands_processed", str(int(stats.commands_processed))),
        ("instantaneous_ops_per_sec", f"{stats.command_rate.per_second():.0f}"),
        ("total_net_input_bytes", str(int(stats.input_bytes))),
        ("total_net_output_bytes", str(int(stats.output_bytes))),
        ("total_net_repl_input_bytes", str(int(stats.replication_input_bytes))),
        ("total_net_repl_output_bytes", str(int(stats.replication_output_bytes))),
        ("instantaneous_input_kbps", f"{stats.input_rate.per_second() / _KIB:.2f}"),
        ("instantaneous_output_kbps", f"{stats.output_rate.per_second() / _KIB:.2f}"),
        ("instantaneous_input_repl_kbps", f"{stats.replication_input_rate.per_second() / _KIB:.2f}"),
        ("instantaneous_output_repl_kbps", f"{stats.replication_output_rate.per_second() / _KIB:.2f}"),
        ("rejected_connections", str(int(stats.connections_rejected))),
        ("sync_full", str(int(stats.full_syncs))),
        ("sync_partial_ok", str(int(stats.partial_syncs_accepted))),
        ("sync_partial_err", str(int(stats.partial_syncs_refused))),
    ]


def _keys(server: Server) -> Fields:
    stats = server.stats
    keyspace = server.keyspace
    return [
        # Of Redis 7.4.
        ("expired_subkeys", str(int(keyspace.expired_fields_total))),
        ("expired_keys", str(int(keyspace.expired_total))),
        ("expired_stale_perc", f"{_stale_percentage(server):.2f}"),
        ("expired_time_cap_reached_count", str(int(stats.expire_cycles_cut))),
        ("expire_cycle_cpu_milliseconds", str(int(stats.expire_cycle_us) // _US_PER_MS)),
        ("evicted_keys", "0"),
        ("evicted_clients", str(int(stats.clients_evicted))),
        ("keyspace_hits", str(int(keyspace.hits))),
        ("keyspace_misses", str(int(keyspace.misses))),
    ]


def _the_rest(server: Server) -> Fields:
    stats = server.stats
    facts = server.host.process_facts()
    return [
        ("pubsub_channels", str(len(server.pubsub.channels.listeners))),
        ("pubsub_patterns", str(len(server.pubsub.patterns.listeners))),
        ("pubsubshard_channels", str(len(server.pubsub.shard_channels.listeners))),
        ("latest_fork_usec", str(int(stats.latest_fork_us))),
        ("total_forks", str(int(stats.forks))),
        ("migrate_cached_sockets", str(facts.get("migrate_cached_sockets", 0))),
        ("tracking_total_keys", str(server.tracking.key_count())),
        ("tracking_total_items", str(int(server.tracking.items))),
        ("tracking_total_prefixes", str(len(server.tracking.audiences))),
        ("unexpected_error_replies", str(int(stats.unexpected_errors))),
        ("total_error_replies", str(int(stats.error_replies))),
        ("dump_payload_sanitizations", str(int(stats.payloads_checked))),
        ("total_reads_processed", str(int(stats.reads))),
        ("total_writes_processed", str(int(stats.writes))),
        # Trivet's own.
        ("client_output_buffer_limit_disconnections", str(int(stats.output_buffer_limit_disconnections))),
        ("client_query_buffer_limit_disconnections", str(int(stats.query_buffer_limit_disconnections))),
    ]


def _stale_percentage(server: Server) -> float:
    """Return how many of a hundred keys with a deadline are past it and still there, judged by some of them."""
    now_ms = int(server.keyspace.now_ms)
    deadlines_ms = [
        deadline_ms
        for database in server.keyspace.used_databases()
        for deadline_ms in database.some_deadlines(_DEADLINES_SAMPLED)
    ]
    stale = len([1 for deadline_ms in deadlines_ms if deadline_ms < now_ms])
    return 100 * stale / len(deadlines_ms) if deadlines_ms else 0.0
