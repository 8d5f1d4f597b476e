"""INFO server, clients, cpu, modules, cluster and keyspace: who this node is, who uses it, and what it holds."""

from typing import Final

from trivet_node.blocking import FOREVER
from trivet_node.keyspace import Database
from trivet_node.limits import REPLICA_CLASS, client_class
from trivet_node.server.information.fields import Fields, flag
from trivet_node.server.state import Server
from trivet_node.shutdown import WAITING
from trivet_node.version import BUILD, EXECUTABLE, OPERATING_SYSTEM, TRIVET_VERSION
from trivet_wire.version import REDIS_VERSION

_MS_PER_S: Final = 1000
_US_PER_S: Final = 1_000_000
_S_PER_DAY: Final = 86400
# Redis' clock of accesses counts seconds in 24 bits.
_LRU_CLOCK_SIZE: Final = 1 << 24
# How many deadlines the average time to live is taken of.
_DEADLINES_SAMPLED: Final = 100


def server_info(server: Server) -> Fields:
    """Return who this node is."""
    config = server.config
    now_ms = int(server.keyspace.now_ms)
    uptime_s = max(0, now_ms - server.started_ms) // _MS_PER_S
    fields = [
        ("redis_version", REDIS_VERSION),
        ("trivet_version", TRIVET_VERSION),
        ("trivet_build", BUILD),
        ("redis_mode", "cluster" if config.cluster_enabled else "standalone"),
        ("os", OPERATING_SYSTEM),
        ("arch_bits", "64"),
        ("monotonic_clock", "POSIX clock_gettime"),
        ("multiplexing_api", "epoll"),
        ("process_id", str(server.host.process_facts().get("process_id", 0))),
        ("process_supervised", config.supervised),
        ("run_id", server.run_id),
        ("tcp_port", str(config.port)),
        ("server_time_usec", str(int(server.stopwatch.clock.now_us()))),
        ("uptime_in_seconds", str(uptime_s)),
        ("uptime_in_days", str(uptime_s // _S_PER_DAY)),
        ("hz", str(config.hz)),
        ("configured_hz", str(config.hz)),
        ("lru_clock", str(now_ms // _MS_PER_S % _LRU_CLOCK_SIZE)),
        ("executable", EXECUTABLE),
        ("config_file", config.config_file),
        ("io_threads_active", "0"),
    ]
    if server.shutdown.state == WAITING:
        fields.append(("shutdown_in_milliseconds", str(server.shutdown.deadline_ms - now_ms)))
    return fields


def clients_info(server: Server) -> Fields:
    """Return who is connected."""
    clients = server.clients.values()
    machine = server.cluster
    timed_waits = [wait for wait in server.blocking.waits() if wait.deadline_ms != FOREVER]
    return [
        ("connected_clients", str(len([1 for client in clients if client_class(client) != REPLICA_CLASS]))),
        ("cluster_connections", "0" if machine is None else str(len(machine.state.links))),
        ("maxclients", str(server.config.maxclients)),
        ("client_recent_max_input_buffer", str(max([client.parser.buffered() for client in clients], default=0))),
        ("client_recent_max_output_buffer", str(max([int(client.unsent_bytes) for client in clients], default=0))),
        ("blocked_clients", str(len(server.blocking))),
        ("tracking_clients", str(int(server.tracking.clients))),
        ("clients_in_timeout_table", str(len(timed_waits))),
        ("total_blocking_keys", str(server.blocking.key_count())),
    ]


def cpu_info(server: Server) -> Fields:
    """Return the time that the processor spent on this process, its ended children and its main thread, in seconds."""
    facts = server.host.process_facts()
    of = ("", "_children", "_main_thread")
    names = [f"used_cpu_{kind}{whose}" for whose in of for kind in ("sys", "user")]
    return [(name, f"{facts.get(name + '_us', 0) / _US_PER_S:.6f}") for name in names]


def modules_info(server: Server) -> Fields:
    """Return the modules loaded: there are none."""
    return []


def cluster_info(server: Server) -> Fields:
    """Return whether this node is part of a cluster."""
    return [("cluster_enabled", flag(server.config.cluster_enabled))]


def keyspace_info(server: Server) -> Fields:
    """Return how many keys there are in each database that has any."""
    now_ms = int(server.keyspace.now_ms)
    return [
        (f"db{database.index}", _database_text(database, now_ms))
        for database in server.keyspace.used_databases()
        if database.size
    ]


def _database_text(database: Database, now_ms: int) -> str:
    left_ms = [max(0, deadline_ms - now_ms) for deadline_ms in database.some_deadlines(_DEADLINES_SAMPLED)]
    average_ms = sum(left_ms) // len(left_ms) if left_ms else 0
    counts = f"keys={int(database.size)},expires={int(database.volatile)},avg_ttl={average_ms}"
    # Of Redis 7.4: hashes with deadlines of fields.
    hashes = len(database.field_deadlines)
    return f"{counts},subexpiry={hashes}" if hashes else counts
