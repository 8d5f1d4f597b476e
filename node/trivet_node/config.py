"""Settings of a node: the one list of them.

Every option of redis.conf is one attribute here, spelled with underscores; its row says how it is written, which other
names it has and whether it may change at run time. Reading files and the command line (config_loading.py), CONFIG GET
and SET (commands/server/configuration.py) and CONFIG REWRITE (config_rewrite.py) all go by this list, so a new setting
is one line here. A row with a `why` has no effect here, and that is the reason; `does` is the value that says what this
node does anyway. Whoever asks for another one is told when the node starts. Options of TLS are unknown, as to a Redis
built without it: they must not seem to work. (Redis 7.0: redis.conf.)
"""

import re
from importlib.util import find_spec
from typing import Final

import attrs

from trivet_node.settings.composite_kinds import (
    Endpoint,
    IntegersKind,
    OutputLimits,
    OutputLimitsKind,
    Percentiles,
    SavePoints,
    Words,
)
from trivet_node.settings.kinds import (
    INT_MAX,
    LONG_MAX,
    UINT_MAX,
    Choice,
    Choices,
    EventClasses,
    Integer,
    Memory,
    MemoryOrPercent,
    Octal,
    Text,
    YesNo,
)
from trivet_node.settings.rows import Setting, setting, settings_of
from trivet_node.settings.text import ULONG_MAX

_HOST_NAME_MAX: Final = 255
_TITLE_WORD: Final = re.compile(r"\{(title|listen-addr|server-mode|port|tls-port|config-file|unixsocket)\}")
_PORT_TEXT: Final = re.compile("0{0,9}[1-9][0-9]{0,4}")
_BIND_ADDRESSES_MAX: Final = 16
_MB: Final = 2**20
_GB: Final = 2**30

_YES_NO: Final = YesNo()
_PORT: Final = Integer(0, 65535)
_NATURAL: Final = Integer(0, INT_MAX)
_POSITIVE: Final = Integer(1, INT_MAX)
_LONG: Final = Integer(0, LONG_MAX)
_BYTES: Final = Memory(0, LONG_MAX)
_TEXT: Final = Text()
_OUTPUT_LIMITS: Final = OutputLimits()
_LOCAL: Final = Choice("no", "yes", "local")
_SHUTDOWN: Final = Choices("default", "save", "nosave", "now", "force")

_NO_APPEND_ONLY_FILE: Final = "Trivet has no append-only file yet"
_NO_MEMORY_LIMIT: Final = "Trivet has no memory limit yet"
_NO_ACL_FILE: Final = "Trivet has no ACL users but 'default' yet"
_NO_MODULES: Final = "Trivet loads no modules"
_NO_TLS: Final = "Trivet has no TLS"
_NO_JEMALLOC: Final = "memory is Python's, not jemalloc's"
_ONE_THREAD: Final = "one thread runs all commands and writes all replies"
_NO_BACKGROUND_THREADS: Final = "no threads work in the background"
_FREES_IN_PIECES: Final = "huge values are always freed piece by piece"
_REPLICAS_STAY: Final = "replicas stay with the primary that they were given"
_SYNC_BY_FILE: Final = "snapshots for replicas go through a file without a name, at once"
_CHECKS_ALL: Final = "whatever is loaded is always checked"
_NO_TITLE: Final = "" if find_spec("setproctitle") else "the package setproctitle is not installed"
_NO_DEFRAGMENTATION: Final = (
    "Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the "
    "one shipped by default with the Redis source distribution"
)


def _plain_file_name(option: str) -> Text:
    return Text(lambda name: f"{option} can't be a path, just a filename" if "/" in name else "")


def _wrong_title_template(template: str) -> str:
    literal = _TITLE_WORD.sub("", template)
    if not template or "{" in literal.replace("{{", ""):
        return "template format is invalid or contains unknown variables"
    return ""


def _wrong_host_name(name: str) -> str:
    if len(name) > _HOST_NAME_MAX:
        return "Hostnames must be less than 256 characters"
    if not all(character.isascii() and (character.isalnum() or character in "-.") for character in name):
        return "Hostnames may only contain alphanumeric characters, hyphens or dots"
    return ""


def _wrong_endpoint(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if text and not (host and colon and _PORT_TEXT.fullmatch(port) and int(port) <= _PORT.largest and "," not in host):
        return "external-endpoint must be of the form host:port"
    return ""


@attrs.define
class Config:
    """Every setting, by its redis.conf name with underscores, and below them what was learned while reading it."""

    # Listening and connections.
    port: int = setting(_PORT, 6379)
    bind: tuple[str, ...] = setting(Words(_BIND_ADDRESSES_MAX, "Too many bind addresses specified."), ("*", "-::*"))
    bind_source_addr: str = setting(_TEXT, "")
    unixsocket: str = setting(_TEXT, "", mutable=False)
    unixsocketperm: int = setting(Octal(0, 0o777), 0, mutable=False)
    # Trivet's own: a second port for clients that reach the node through a published port or address translation. They
    # are told external endpoints, of this node and of the others, where its other clients are told the addresses that
    # hold inside.
    external_port: int = setting(_PORT, 0, mutable=False)
    external_endpoint: str = setting(Text(_wrong_endpoint), "")
    tcp_backlog: int = setting(_NATURAL, 511, mutable=False)
    tcp_keepalive: int = setting(_NATURAL, 300)
    socket_mark_id: int = setting(Integer(0, UINT_MAX), 0, mutable=False, why="sockets are not marked")
    timeout: int = setting(_NATURAL, 0)
    maxclients: int = setting(Integer(1, UINT_MAX), 10000)
    protected_mode: bool = setting(_YES_NO, True)
    client_query_buffer_limit: int = setting(Memory(_MB, LONG_MAX), _GB)
    client_output_buffer_limit: OutputLimits = setting(OutputLimitsKind(), _OUTPUT_LIMITS)  # noqa: RUF009 (frozen)
    proto_max_bulk_len: int = setting(Memory(_MB, LONG_MAX), 512 * _MB)
    maxmemory_clients: int = setting(MemoryOrPercent(0, ULONG_MAX), 0)

    # Who may do what.
    requirepass: str = setting(_TEXT, "")
    aclfile: str = setting(_TEXT, "", mutable=False, only_default=_NO_ACL_FILE)
    acl_pubsub_default: str = setting(Choice("allchannels", "resetchannels"), "resetchannels", why=_NO_ACL_FILE)
    acllog_max_len: int = setting(_LONG, 128, why=_NO_ACL_FILE)
    enable_protected_configs: str = setting(_LOCAL, "no", mutable=False)
    enable_debug_command: str = setting(_LOCAL, "no", mutable=False)
    enable_module_command: str = setting(_LOCAL, "no", mutable=False, why=_NO_MODULES)

    # TLS: what would listen or connect by it is refused, the rest is only kept.
    tls_port: int = setting(_PORT, 0, only_default=_NO_TLS)
    tls_cluster: bool = setting(_YES_NO, False, only_default=_NO_TLS)
    tls_replication: bool = setting(_YES_NO, False, only_default=_NO_TLS)
    tls_auth_clients: str = setting(Choice("no", "yes", "optional"), "yes", why=_NO_TLS)
    tls_cert_file: str = setting(_TEXT, "", why=_NO_TLS)
    tls_key_file: str = setting(_TEXT, "", why=_NO_TLS)
    tls_key_file_pass: str = setting(_TEXT, "", why=_NO_TLS)
    tls_client_cert_file: str = setting(_TEXT, "", why=_NO_TLS)
    tls_client_key_file: str = setting(_TEXT, "", why=_NO_TLS)
    tls_client_key_file_pass: str = setting(_TEXT, "", why=_NO_TLS)
    tls_dh_params_file: str = setting(_TEXT, "", why=_NO_TLS)
    tls_ca_cert_file: str = setting(_TEXT, "", why=_NO_TLS)
    tls_ca_cert_dir: str = setting(_TEXT, "", why=_NO_TLS)
    tls_protocols: str = setting(_TEXT, "", why=_NO_TLS)
    tls_ciphers: str = setting(_TEXT, "", why=_NO_TLS)
    tls_ciphersuites: str = setting(_TEXT, "", why=_NO_TLS)
    tls_prefer_server_ciphers: bool = setting(_YES_NO, False, why=_NO_TLS)
    tls_session_caching: bool = setting(_YES_NO, True, why=_NO_TLS)
    tls_session_cache_size: int = setting(_NATURAL, 20480, why=_NO_TLS)
    tls_session_cache_timeout: int = setting(_NATURAL, 300, why=_NO_TLS)

    # The process.
    databases: int = setting(_POSITIVE, 16, mutable=False)
    dir: str = setting(Text(), ".", protected=True)
    hz: int = setting(_NATURAL, 10)
    dynamic_hz: bool = setting(_YES_NO, True, why="every tick looks after all clients")
    activerehashing: bool = setting(_YES_NO, True, why="no table is ever rehashed as a whole")
    daemonize: bool = setting(_YES_NO, False, mutable=False)
    supervised: str = setting(Choice("upstart", "systemd", "auto", "no"), "no", mutable=False)
    pidfile: str = setting(_TEXT, "", mutable=False)
    logfile: str = setting(_TEXT, "", mutable=False)
    loglevel: str = setting(Choice("debug", "verbose", "notice", "warning"), "notice")
    syslog_enabled: bool = setting(_YES_NO, False, mutable=False)
    syslog_ident: str = setting(_TEXT, "redis", mutable=False)
    syslog_facility: str = setting(Choice("user", *(f"local{number}" for number in range(8))), "local0", mutable=False)
    always_show_logo: bool = setting(_YES_NO, False, mutable=False, why="there is no logo")
    set_proc_title: bool = setting(_YES_NO, True, mutable=False, why=_NO_TITLE, does=False)
    proc_title_template: str = setting(
        Text(_wrong_title_template), "{title} {listen-addr} {server-mode}", why=_NO_TITLE
    )
    ignore_warnings: str = setting(_TEXT, "", why="there is no warning that it could silence")
    shutdown_timeout: int = setting(_NATURAL, 10)
    shutdown_on_sigint: tuple[str, ...] = setting(_SHUTDOWN, ("default",))
    shutdown_on_sigterm: tuple[str, ...] = setting(_SHUTDOWN, ("default",))
    io_threads: int = setting(Integer(1, 128), 1, mutable=False, why=_ONE_THREAD)
    io_threads_do_reads: bool = setting(_YES_NO, False, mutable=False, why=_ONE_THREAD)
    disable_thp: bool = setting(_YES_NO, True, mutable=False)
    oom_score_adj: str = setting(Choice("no", "yes", "relative", "absolute"), "no")
    oom_score_adj_values: tuple[int, ...] = setting(IntegersKind(3, -2000, 2000), (0, 200, 800))
    jemalloc_bg_thread: bool = setting(_YES_NO, True, why=_NO_JEMALLOC, does=False)
    crash_log_enabled: bool = setting(_YES_NO, True)
    crash_memcheck_enabled: bool = setting(_YES_NO, True, why="a crash does not test the memory", does=False)
    server_cpulist: str = setting(_TEXT, "", name="server_cpulist", mutable=False)
    bio_cpulist: str = setting(_TEXT, "", name="bio_cpulist", mutable=False, why=_NO_BACKGROUND_THREADS)
    aof_rewrite_cpulist: str = setting(_TEXT, "", name="aof_rewrite_cpulist", mutable=False, why=_NO_APPEND_ONLY_FILE)
    bgsave_cpulist: str = setting(_TEXT, "", name="bgsave_cpulist", mutable=False)

    # Snapshots.
    save: tuple[tuple[int, int], ...] = setting(SavePoints(), ((3600, 1), (300, 100), (60, 10000)))
    dbfilename: str = setting(_plain_file_name("dbfilename"), "dump.rdb", protected=True)
    rdbcompression: bool = setting(_YES_NO, True)
    rdbchecksum: bool = setting(_YES_NO, True, mutable=False)
    rdb_save_incremental_fsync: bool = setting(_YES_NO, True)
    rdb_del_sync_files: bool = setting(
        _YES_NO, False, why="snapshots for replicas have no name and are gone by themselves", does=True
    )
    stop_writes_on_bgsave_error: bool = setting(_YES_NO, True)
    sanitize_dump_payload: str = setting(Choice("no", "yes", "clients"), "no", why=_CHECKS_ALL, does="yes")

    # The append-only file.
    appendonly: bool = setting(_YES_NO, False, only_default=_NO_APPEND_ONLY_FILE)
    appendfilename: str = setting(
        _plain_file_name("appendfilename"), "appendonly.aof", mutable=False, why=_NO_APPEND_ONLY_FILE
    )
    appenddirname: str = setting(
        _plain_file_name("appenddirname"), "appendonlydir", mutable=False, why=_NO_APPEND_ONLY_FILE
    )
    appendfsync: str = setting(Choice("everysec", "always", "no"), "everysec", why=_NO_APPEND_ONLY_FILE)
    no_appendfsync_on_rewrite: bool = setting(_YES_NO, False, why=_NO_APPEND_ONLY_FILE)
    auto_aof_rewrite_percentage: int = setting(_NATURAL, 100, why=_NO_APPEND_ONLY_FILE)
    auto_aof_rewrite_min_size: int = setting(_BYTES, 64 * _MB, why=_NO_APPEND_ONLY_FILE)
    aof_load_truncated: bool = setting(_YES_NO, True, why=_NO_APPEND_ONLY_FILE)
    aof_use_rdb_preamble: bool = setting(_YES_NO, True, why=_NO_APPEND_ONLY_FILE)
    aof_timestamp_enabled: bool = setting(_YES_NO, False, why=_NO_APPEND_ONLY_FILE)
    aof_rewrite_incremental_fsync: bool = setting(_YES_NO, True, why=_NO_APPEND_ONLY_FILE)
    aof_disable_auto_gc: bool = setting(_YES_NO, False, why=_NO_APPEND_ONLY_FILE)

    # Memory.
    maxmemory: int = setting(Memory(0, ULONG_MAX), 0, only_default=_NO_MEMORY_LIMIT)
    maxmemory_policy: str = setting(
        Choice(
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "noeviction",
        ),
        "noeviction",
    )
    maxmemory_samples: int = setting(_POSITIVE, 5, why=_NO_MEMORY_LIMIT)
    maxmemory_eviction_tenacity: int = setting(Integer(0, 100), 10, why=_NO_MEMORY_LIMIT)
    lfu_log_factor: int = setting(_NATURAL, 10)
    lfu_decay_time: int = setting(_NATURAL, 1)
    active_expire_effort: int = setting(Integer(1, 10), 1)
    lazyfree_lazy_eviction: bool = setting(_YES_NO, False, why=_FREES_IN_PIECES, does=True)
    lazyfree_lazy_expire: bool = setting(_YES_NO, False, why=_FREES_IN_PIECES, does=True)
    lazyfree_lazy_server_del: bool = setting(_YES_NO, False, why=_FREES_IN_PIECES, does=True)
    lazyfree_lazy_user_del: bool = setting(_YES_NO, False, why=_FREES_IN_PIECES, does=True)
    lazyfree_lazy_user_flush: bool = setting(_YES_NO, False, why=_FREES_IN_PIECES, does=True)
    activedefrag: bool = setting(_YES_NO, False, only_default=_NO_DEFRAGMENTATION)
    active_defrag_ignore_bytes: int = setting(Memory(1, LONG_MAX), 100 * _MB, why=_NO_JEMALLOC)
    active_defrag_threshold_lower: int = setting(Integer(0, 1000), 10, why=_NO_JEMALLOC)
    active_defrag_threshold_upper: int = setting(Integer(0, 1000), 100, why=_NO_JEMALLOC)
    active_defrag_cycle_min: int = setting(Integer(1, 99), 1, why=_NO_JEMALLOC)
    active_defrag_cycle_max: int = setting(Integer(1, 99), 25, why=_NO_JEMALLOC)
    active_defrag_max_scan_fields: int = setting(Integer(1, LONG_MAX), 1000, why=_NO_JEMALLOC)

    # How values are kept.
    hash_max_listpack_entries: int = setting(_LONG, 512, "hash-max-ziplist-entries")
    hash_max_listpack_value: int = setting(_BYTES, 64, "hash-max-ziplist-value")
    list_max_listpack_size: int = setting(Integer(-INT_MAX - 1, INT_MAX), -2, "list-max-ziplist-size")
    list_compress_depth: int = setting(_NATURAL, 0, why="nodes of lists are not compressed")
    set_max_intset_entries: int = setting(_LONG, 512)
    zset_max_listpack_entries: int = setting(_LONG, 128, "zset-max-ziplist-entries")
    zset_max_listpack_value: int = setting(_BYTES, 64, "zset-max-ziplist-value")
    hll_sparse_max_bytes: int = setting(_BYTES, 3000)
    stream_node_max_bytes: int = setting(_BYTES, 4096)
    stream_node_max_entries: int = setting(_LONG, 100)

    # Replication.
    replicaof: tuple[str, int] | None = setting(Endpoint(), None, "slaveof", mutable=False)
    masterauth: str = setting(_TEXT, "")
    masteruser: str = setting(_TEXT, "")
    replica_read_only: bool = setting(_YES_NO, True, "slave-read-only")
    replica_serve_stale_data: bool = setting(_YES_NO, True, "slave-serve-stale-data")
    replica_priority: int = setting(_NATURAL, 100, "slave-priority")
    replica_announced: bool = setting(_YES_NO, True)
    replica_announce_ip: str = setting(_TEXT, "", "slave-announce-ip")
    replica_announce_port: int = setting(_PORT, 0, "slave-announce-port")
    replica_lazy_flush: bool = setting(_YES_NO, False, "slave-lazy-flush", why=_FREES_IN_PIECES, does=True)
    replica_ignore_maxmemory: bool = setting(_YES_NO, True, "slave-ignore-maxmemory", why=_NO_MEMORY_LIMIT)
    replica_ignore_disk_write_errors: bool = setting(
        _YES_NO, False, why="a replica applies what comes whatever its disk does", does=True
    )
    repl_backlog_size: int = setting(Memory(1, LONG_MAX), _MB)
    repl_backlog_ttl: int = setting(_LONG, 3600)
    repl_timeout: int = setting(_POSITIVE, 60)
    repl_ping_replica_period: int = setting(_POSITIVE, 10, "repl-ping-slave-period")
    repl_diskless_sync: bool = setting(_YES_NO, True, why=_SYNC_BY_FILE, does=False)
    repl_diskless_sync_delay: int = setting(_NATURAL, 5, why=_SYNC_BY_FILE, does=0)
    repl_diskless_sync_max_replicas: int = setting(_NATURAL, 0, why=_SYNC_BY_FILE)
    repl_diskless_load: str = setting(
        Choice("disabled", "on-empty-db", "swapdb"),
        "disabled",
        why="a snapshot is received into a file, and loaded beside the old data",
    )
    repl_disable_tcp_nodelay: bool = setting(_YES_NO, False)
    min_replicas_to_write: int = setting(_NATURAL, 0, "min-slaves-to-write")
    min_replicas_max_lag: int = setting(_NATURAL, 10, "min-slaves-max-lag")
    propagation_error_behavior: str = setting(
        Choice("ignore", "panic", "panic-on-replicas"), "ignore", why="errors of the link to the primary are logged"
    )

    # The cluster.
    cluster_enabled: bool = setting(_YES_NO, False, mutable=False)
    cluster_config_file: str = setting(_TEXT, "nodes.conf", mutable=False)
    # How many databases there are in cluster mode, as in Valkey 9; with one of them SELECT is refused as in Redis 7.0.
    cluster_databases: int = setting(_POSITIVE, 1, mutable=False)
    cluster_node_timeout: int = setting(_LONG, 15000)
    cluster_port: int = setting(_PORT, 0, mutable=False)
    cluster_announce_ip: str = setting(_TEXT, "")
    cluster_announce_port: int = setting(_PORT, 0)
    cluster_announce_bus_port: int = setting(_PORT, 0)
    cluster_announce_tls_port: int = setting(_PORT, 0, why=_NO_TLS)
    cluster_announce_hostname: str = setting(Text(_wrong_host_name), "")
    cluster_preferred_endpoint_type: str = setting(Choice("ip", "hostname", "unknown-endpoint"), "ip")
    cluster_require_full_coverage: bool = setting(_YES_NO, True)
    cluster_allow_reads_when_down: bool = setting(_YES_NO, False)
    cluster_allow_pubsubshard_when_down: bool = setting(_YES_NO, True)
    cluster_allow_replica_migration: bool = setting(_YES_NO, True, why=_REPLICAS_STAY, does=False)
    cluster_replica_no_failover: bool = setting(_YES_NO, False, "cluster-slave-no-failover")
    cluster_replica_validity_factor: int = setting(_NATURAL, 10, "cluster-slave-validity-factor")
    cluster_migration_barrier: int = setting(_NATURAL, 1, why=_REPLICAS_STAY)
    # As in Valkey 8: what CLUSTER SLOT-STATS shows besides the number of keys is counted while this is on.
    cluster_slot_stats_enabled: bool = setting(_YES_NO, False)
    cluster_link_sendbuf_limit: int = setting(Memory(0, ULONG_MAX), 0)

    # Watching the node.
    notify_keyspace_events: str = setting(EventClasses(), "")
    tracking_table_max_keys: int = setting(_LONG, 1000000)
    slowlog_log_slower_than: int = setting(Integer(-1, LONG_MAX), 10000)
    slowlog_max_len: int = setting(_LONG, 128)
    latency_monitor_threshold: int = setting(_LONG, 0)
    latency_tracking: bool = setting(_YES_NO, True)
    latency_tracking_info_percentiles: tuple[float, ...] = setting(Percentiles(), (50.0, 99.0, 99.9))
    busy_reply_threshold: int = setting(_LONG, 5000, "lua-time-limit")

    # The absolute path of the file that CONFIG REWRITE writes; empty where there is none.
    config_file: str = ""
    # What the operator should hear at the start, a line each.
    warnings: list[str] = attrs.Factory(list)

    def database_count(self) -> int:
        """Return how many databases the node has: each mode has a setting of its own."""
        return self.cluster_databases if self.cluster_enabled else self.databases


# Every name of every setting, aliases included.
SETTINGS: Final[dict[str, Setting]] = settings_of(Config)
