"""What INFO shows, section by section: each is a title and a function that returns its fields in order.

To add a section, write its function and its row in SECTIONS. Fields that Redis has and this node cannot know are left
out rather than invented. (Redis: INFO.)
"""

from collections.abc import Callable
from typing import Final, final

from trivet_node.command import Command
from trivet_node.keyspace import Database
from trivet_node.limits import NORMAL_CLASS, REPLICA_CLASS, client_class
from trivet_node.server.replicating.info import replication_info
from trivet_node.server.state import CHECK_LOADING, Server
from trivet_node.version import BUILD, OPERATING_SYSTEM, TRIVET_VERSION
from trivet_wire.version import REDIS_VERSION

Fields = list[tuple[str, str]]

_MS_PER_S: Final = 1000
_US_PER_S: Final = 1_000_000
_NS_PER_US: Final = 1000
_S_PER_DAY: Final = 86400
_KIB: Final = 1024
_UNITS: Final = "KMGTP"
# How many deadlines the average time to live is taken of.
_DEADLINES_SAMPLED: Final = 100


def server_info(server: Server) -> Fields:
    """Return who this node is."""
    config = server.config
    uptime_s = max(0, int(server.keyspace.now_ms) - server.started_ms) // _MS_PER_S
    return [
        ("redis_version", REDIS_VERSION),
        ("trivet_version", TRIVET_VERSION),
        ("trivet_build", BUILD),
        ("redis_mode", "cluster" if config.cluster_enabled else "standalone"),
        ("os", OPERATING_SYSTEM),
        ("arch_bits", "64"),
        ("multiplexing_api", "epoll"),
        ("process_id", str(server.host.process_facts().get("process_id", 0))),
        ("process_supervised", config.supervised),
        ("run_id", server.run_id),
        ("tcp_port", str(config.port)),
        ("server_time_usec", str(server.host.now_us())),
        ("uptime_in_seconds", str(uptime_s)),
        ("uptime_in_days", str(uptime_s // _S_PER_DAY)),
        ("hz", str(config.hz)),
        ("configured_hz", str(config.hz)),
        ("config_file", config.config_file),
        ("io_threads_active", "0"),
    ]


def clients_info(server: Server) -> Fields:
    """Return who is connected."""
    clients = server.clients.values()
    return [
        ("connected_clients", str(len([1 for client in clients if client_class(client) != REPLICA_CLASS]))),
        ("maxclients", str(server.config.maxclients)),
        ("client_recent_max_input_buffer", str(max([client.parser.buffered() for client in clients], default=0))),
        ("client_recent_max_output_buffer", str(max([int(client.unsent_bytes) for client in clients], default=0))),
        ("blocked_clients", str(len(server.blocking))),
        ("tracking_clients", str(int(server.tracking.clients))),
        ("clients_in_timeout_table", str(len(server.blocking))),
    ]


def memory_info(server: Server) -> Fields:
    """Return how much memory the process uses."""
    facts = server.host.process_facts()
    fields: Fields = []
    used, rss = facts.get("used_memory", 0), facts.get("used_memory_rss", 0)
    peak = max(facts.get("used_memory_peak", 0), used)
    for name, size in (("used_memory", used), ("used_memory_rss", rss), ("used_memory_peak", peak)):
        fields += _size(name, size)
    fields.append(("used_memory_peak_perc", f"{100 * used / peak if peak else 0:.2f}%"))
    fields += _size("total_system_memory", facts.get("total_system_memory", 0))
    fields += _size("maxmemory", server.config.maxmemory)
    backlog = server.replication.backlog
    return [
        *fields,
        ("maxmemory_policy", server.config.maxmemory_policy),
        ("mem_fragmentation_ratio", f"{rss / used if used else 0:.2f}"),
        ("mem_fragmentation_bytes", str(rss - used)),
        ("mem_replication_backlog", "0" if backlog is None else str(backlog.length)),
        ("mem_clients_slaves", str(_waiting_bytes(server, REPLICA_CLASS))),
        ("mem_clients_normal", str(_waiting_bytes(server, NORMAL_CLASS))),
        ("mem_allocator", "pymalloc"),
        ("active_defrag_running", "0"),
    ]


def persistence_info(server: Server) -> Fields:
    """Return how the data reaches the disk."""
    snapshots = server.snapshots
    now_ms = int(server.keyspace.now_ms)
    return [
        ("loading", "1" if server.checks & CHECK_LOADING else "0"),
        ("async_loading", "0"),
        ("rdb_changes_since_last_save", str(snapshots.changes(int(server.keyspace.dirty)))),
        ("rdb_bgsave_in_progress", "1" if snapshots.in_progress else "0"),
        ("rdb_last_save_time", str(snapshots.last_save_ms // _MS_PER_S)),
        ("rdb_last_bgsave_status", "ok" if snapshots.last_succeeded else "err"),
        ("rdb_last_bgsave_time_sec", str(snapshots.last_duration_s)),
        ("rdb_current_bgsave_time_sec", str(snapshots.running_s(now_ms))),
        ("rdb_saves", str(snapshots.count)),
        ("rdb_last_load_keys_expired", str(snapshots.keys_expired)),
        ("rdb_last_load_keys_loaded", str(snapshots.keys_loaded)),
        ("aof_enabled", "0"),
        ("aof_rewrite_in_progress", "0"),
        ("aof_rewrite_scheduled", "0"),
        ("aof_last_bgrewrite_status", "ok"),
        ("aof_last_write_status", "ok"),
        *_loading_fields(server),
    ]


def stats_info(server: Server) -> Fields:
    """Return what was done so far, and how fast."""
    stats = server.stats
    keyspace = server.keyspace
    return [
        ("total_connections_received", str(int(stats.connections_received))),
        ("total_commands_processed", str(int(stats.commands_processed))),
        ("instantaneous_ops_per_sec", f"{stats.command_rate.per_second():.0f}"),
        ("total_net_input_bytes", str(int(stats.input_bytes))),
        ("total_net_output_bytes", str(int(stats.output_bytes))),
        ("instantaneous_input_kbps", f"{stats.input_rate.per_second() / _KIB:.2f}"),
        ("instantaneous_output_kbps", f"{stats.output_rate.per_second() / _KIB:.2f}"),
        ("rejected_connections", str(int(stats.connections_rejected))),
        ("sync_full", str(int(stats.full_syncs))),
        ("sync_partial_ok", str(int(stats.partial_syncs_accepted))),
        ("sync_partial_err", str(int(stats.partial_syncs_refused))),
        ("expired_keys", str(int(keyspace.expired_total))),
        ("expired_subkeys", str(int(keyspace.expired_fields_total))),
        ("evicted_keys", "0"),
        ("keyspace_hits", str(int(keyspace.hits))),
        ("keyspace_misses", str(int(keyspace.misses))),
        ("pubsub_channels", str(len(server.pubsub.channels))),
        ("pubsub_patterns", str(len(server.pubsub.patterns))),
        ("tracking_total_keys", str(server.tracking.key_count())),
        ("tracking_total_items", str(int(server.tracking.items))),
        ("tracking_total_prefixes", str(len(server.tracking.audiences))),
        ("total_error_replies", str(int(stats.error_replies))),
        ("client_output_buffer_limit_disconnections", str(int(stats.output_buffer_limit_disconnections))),
        ("client_query_buffer_limit_disconnections", str(int(stats.query_buffer_limit_disconnections))),
    ]


def cpu_info(server: Server) -> Fields:
    """Return the time that the processor spent on this process and on its ended children, in seconds."""
    facts = server.host.process_facts()
    names = ("used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children")
    return [(name, f"{facts.get(name + '_us', 0) / _US_PER_S:.6f}") for name in names]


def modules_info(server: Server) -> Fields:
    """Return the modules loaded: there are none."""
    return []


def command_info(server: Server) -> Fields:
    """Return how often each command ran, and how long that took."""
    fields: Fields = []
    for command in server.commands():
        for each in command.with_subcommands():
            fields += _command_fields(each)
    return fields


def error_info(server: Server) -> Fields:
    """Return how often each error was replied."""
    errors = server.stats.errors
    return [(f"errorstat_{code.decode(errors='replace')}", f"count={errors[code]}") for code in sorted(errors)]


def latency_info(server: Server) -> Fields:
    """Return what most calls of each command did not exceed, in microseconds."""
    if not server.config.latency_tracking:
        return []
    percents = server.config.latency_tracking_info_percentiles
    return [
        (f"latency_percentiles_usec_{each.name}", _percentiles(each, percents))
        for command in server.commands()
        for each in command.with_subcommands()
        if each.durations.total()
    ]


def cluster_info(server: Server) -> Fields:
    """Return whether this node is part of a cluster."""
    return [("cluster_enabled", "1" if server.config.cluster_enabled else "0")]


def keyspace_info(server: Server) -> Fields:
    """Return how many keys there are in each database that has any."""
    now_ms = int(server.keyspace.now_ms)
    return [
        (f"db{database.index}", _key_counts(database, now_ms))
        for database in server.keyspace.used_databases()
        if database.size
    ]


def _key_counts(database: Database, now_ms: int) -> str:
    counts = f"keys={int(database.size)},expires={int(database.volatile)},avg_ttl={_average_ttl_ms(database, now_ms)}"
    # Of Redis 7.4: hashes with deadlines of fields.
    hashes = len(database.field_deadlines)
    return f"{counts},subexpiry={hashes}" if hashes else counts


@final
class Section:
    """One section: `name` selects it; INFO without arguments shows it where `by_default` is true."""

    def __init__(self, name: str, title: str, fields: Callable[[Server], Fields], by_default: bool = True) -> None:
        self.name: str = name
        self.title: str = title
        self.fields: Callable[[Server], Fields] = fields
        self.by_default: bool = by_default


SECTIONS: Final[list[Section]] = [
    Section("server", "Server", server_info),
    Section("clients", "Clients", clients_info),
    Section("memory", "Memory", memory_info),
    Section("persistence", "Persistence", persistence_info),
    Section("stats", "Stats", stats_info),
    Section("replication", "Replication", replication_info),
    Section("cpu", "CPU", cpu_info),
    Section("modules", "Modules", modules_info),
    Section("commandstats", "Commandstats", command_info, by_default=False),
    Section("errorstats", "Errorstats", error_info),
    Section("latencystats", "Latencystats", latency_info, by_default=False),
    Section("cluster", "Cluster", cluster_info),
    Section("keyspace", "Keyspace", keyspace_info),
]


def info_text(server: Server, names: list[str]) -> str:
    """Return the sections that `names` (in lower case; `default`, `all` and `everything` too) ask for."""
    wanted = set(names) or {"default"}
    everything = bool(wanted & {"all", "everything"})
    parts: list[str] = []
    for section in SECTIONS:
        if everything or section.name in wanted or ("default" in wanted and section.by_default):
            lines = [f"{name}:{value}\r\n" for name, value in section.fields(server)]
            parts.append(f"# {section.title}\r\n" + "".join(lines))
    return "\r\n".join(parts)


def human_size(size: int) -> str:
    """Return a number of bytes as people read it: `1.50M`. (Redis: bytesToHuman.)"""
    if size < _KIB:
        return f"{size}B"
    value = float(size)
    for unit in _UNITS:
        value /= _KIB
        if value < _KIB:
            return f"{value:.2f}{unit}"
    return f"{value:.2f}{_UNITS[-1]}"


def _size(name: str, size: int) -> Fields:
    return [(name, str(size)), (f"{name}_human", human_size(size))]


def _waiting_bytes(server: Server, kind: str) -> int:
    """Return how many bytes wait for or were sent by the clients of one class."""
    return sum(
        [
            int(client.unsent_bytes) + len(client.reply) + client.parser.buffered()
            for client in server.clients.values()
            if client_class(client) == kind
        ]
    )


def _loading_fields(server: Server) -> Fields:
    """Return how far the load at the start is, nothing where it is over."""
    snapshots = server.snapshots
    loader = snapshots.loader
    if loader is None:
        return []
    loaded, total = loader.source.offset(), snapshots.load_bytes
    elapsed_ms = int(server.keyspace.now_ms) - snapshots.load_started_ms
    left_s = elapsed_ms * (total - loaded) // loaded // _MS_PER_S if loaded else 1
    return [
        ("loading_start_time", str(snapshots.load_started_ms // _MS_PER_S)),
        ("loading_total_bytes", str(total)),
        ("loading_loaded_bytes", str(loaded)),
        ("loading_loaded_perc", f"{100 * loaded / total if total else 0:.2f}"),
        ("loading_eta_seconds", str(left_s)),
    ]


def _command_fields(command: Command) -> Fields:
    if not (command.calls or command.rejected_calls or command.failed_calls):
        return []
    calls, microseconds = int(command.calls), int(command.microseconds)
    counts = f"calls={calls},usec={microseconds},usec_per_call={microseconds / calls if calls else 0:.2f}"
    failures = f"rejected_calls={int(command.rejected_calls)},failed_calls={int(command.failed_calls)}"
    return [(f"cmdstat_{command.name}", f"{counts},{failures}")]


def _percentiles(command: Command, percents: tuple[float, ...]) -> str:
    durations = command.durations
    return ",".join([f"p{percent:g}={durations.percentile_ns(percent) / _NS_PER_US:.3f}" for percent in percents])


def _average_ttl_ms(database: Database, now_ms: int) -> int:
    """Return how long the keys with a deadline have left on average, judged by some of them."""
    left_ms: list[int] = []
    for deadlines in database.deadlines:
        if deadlines:
            left_ms += [max(0, deadline - now_ms) for deadline in deadlines.values()]
            if len(left_ms) >= _DEADLINES_SAMPLED:
                break
    return sum(left_ms) // len(left_ms) if left_ms else 0
