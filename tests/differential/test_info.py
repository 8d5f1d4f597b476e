"""INFO, held against redis-server 7.0: which sections there are, and which fields in which order."""

import re
import time
from typing import Final

import pytest

from tests.differential.conversations import TIMEOUT_S, converse
from tests.processes import ServerProcess

Pair = tuple[ServerProcess, ServerProcess]
Sections = dict[str, list[str]]

# Fields of redis-server that would say nothing true of a node of ours, and why.
_MEANINGLESS: Final = {
    "redis_git_sha1 redis_git_dirty redis_build_id gcc_version atomicvar_api": "of a program in C",
    "allocator_allocated allocator_active allocator_resident allocator_frag_ratio allocator_frag_bytes "
    "allocator_rss_ratio allocator_rss_bytes rss_overhead_ratio rss_overhead_bytes": "Python's allocator tells nothing",
    "mem_cluster_links": "the shell writes to links at once",
    "module_fork_in_progress module_fork_last_cow_size": "there are no modules",
    "total_eviction_exceeded_time current_eviction_exceeded_time": "there is no memory limit",
    "slave_expires_tracked_keys": "a replica hides what has expired, whoever wrote it",
    "active_defrag_hits active_defrag_misses active_defrag_key_hits active_defrag_key_misses "
    "total_active_defrag_time current_active_defrag_time": "there is no defragmentation",
    "io_threaded_reads_processed io_threaded_writes_processed": "there are no threads for I/O",
    "reply_buffer_shrinks reply_buffer_expands": "reply buffers have no size of their own",
}
_OURS: Final = {
    *("trivet_version", "trivet_build", "expired_subkeys", "total_blocking_keys"),
    *("client_output_buffer_limit_disconnections", "client_query_buffer_limit_disconnections"),
}
# What is there only while it happens.
_PASSING: Final = re.compile(r"cmdstat_|errorstat_|latency_percentiles_|db\d|slave\d")


@pytest.mark.parametrize(
    "names",
    [
        *("", "all", "everything", "default", "commandstats default", "modules", "latencystats keyspace server"),
        *("nothing", "nothing cpu CPU", "all nothing", "server server", "commandstats", "errorstats", "default all"),
    ],
)
def test_shows_the_sections_of_redis(pair: Pair, names: str) -> None:
    ours, real = (list(_sections(server, names)) for server in pair)
    assert ours == real


def test_has_the_fields_of_redis_in_their_order(pair: Pair) -> None:
    ours, real = (_sections(server, "everything") for server in pair)
    left_out = {name for names in _MEANINGLESS for name in names.split()}
    for title, fields in real.items():
        shown = [name for name in ours[title] if name not in _OURS]
        assert shown == [name for name in fields if name not in left_out], title
    # Whatever is left out is there in redis-server: the list above is not older than it.
    assert left_out <= {name for fields in real.values() for name in fields}


def test_has_the_fields_of_a_primary_and_of_its_replica(pair: Pair) -> None:
    """Ours follows the real one, and the other way round."""
    seen: list[Sections] = []
    for primary, replica in (pair, pair[::-1]):
        replica.call("REPLICAOF", "127.0.0.1", str(primary.port))
        _until(primary, "slave0:.*state=online")
        _until(replica, "master_link_status:up")
        seen += [_sections(primary, "replication"), _sections(replica, "replication")]
        replica.call("REPLICAOF", "NO", "ONE")
    assert seen[0] == seen[2]
    assert seen[1] == seen[3]


def _until(server: ServerProcess, pattern: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not re.search(pattern, server.call("INFO", "replication").decode()):
        assert time.monotonic() < deadline, pattern
        time.sleep(0.01)


def test_errors_are_counted_by_their_code_until_they_are_reset(pair: Pair) -> None:
    lines = ["FLUSHALL", "CONFIG RESETSTAT", "NONSENSE", "GET", "SET a x", "LPUSH a b", "INCR a", "XADD a 1-1 a b"]
    lines += [
        "MULTI",
        "NONSENSE",
        "EXEC",
        "MULTI",
        "LPUSH a b",
        "EXEC",
        "AUTH a b",
        "EVALSHA x 0 0 0",
        "XGROUP CREATE n g 0",
    ]
    texts = []
    for server in pair:
        converse(server, lines[:-2] + lines[-1:])
        texts.append(server.call("INFO", "errorstats"))
        converse(server, ["CONFIG RESETSTAT"])
        texts.append(server.call("INFO", "errorstats"))
        assert b"total_error_replies:0\r\n" in server.call("INFO", "stats")
    assert texts[:2] == texts[2:]


def test_counters_begin_again(pair: Pair) -> None:
    """Whatever is zero in redis-server after CONFIG RESETSTAT is zero in ours."""
    lines = ["SET a 1 PX 1", "SET b 2", "GET b", "GET c", "NONSENSE", "SAVE", "RPUSH l" + " x" * 5000, "UNLINK l"]
    zeros = []
    for server in pair:
        converse(server, lines)
        deadline = time.monotonic() + TIMEOUT_S
        while b"lazyfree_pending_objects:0" not in server.call("INFO", "memory"):
            assert time.monotonic() < deadline
        # One connection, so that the reset is the only thing that is counted.
        texts = converse(server, ["CONFIG RESETSTAT", "INFO stats", "INFO persistence", "INFO memory"])[1:4]
        fields = dict(
            line.split(b":") for text in texts for line in bytes(text.value or b"").splitlines() if b":" in line
        )
        zeros.append({name for name, value in fields.items() if value in {b"0", b"0.00"}})
    ours, real = zeros
    left_out = {name.encode() for names in _MEANINGLESS for name in names.split()} | {b"mem_clients_normal"}
    # What has just expired may still be there: Redis judges that only now and then.
    left_out.add(b"expired_stale_perc")
    assert real - left_out <= ours


def test_counts_what_was_read_and_written(pair: Pair) -> None:
    for server in pair:
        before = _numbers(server, "stats")
        for _ in range(10):
            server.call("PING")
        after = _numbers(server, "stats")
        for name in ("total_reads_processed", "total_writes_processed", "total_connections_received"):
            assert after[name] - before[name] >= 10
        assert after["total_net_input_bytes"] - before["total_net_input_bytes"] >= 10 * len(b"*1\r\n$4\r\nPING\r\n")


def test_tells_of_forks_and_how_much_was_saved(pair: Pair) -> None:
    for server in pair:
        converse(server, ["FLUSHALL", "SET a 1", "CONFIG RESETSTAT", "BGSAVE"])
        deadline = time.monotonic() + TIMEOUT_S
        while b"rdb_bgsave_in_progress:1" in server.call("INFO", "persistence"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        stats, persistence = _numbers(server, "stats"), _numbers(server, "persistence")
        assert stats["total_forks"] >= 1
        assert stats["latest_fork_usec"] > 0
        assert persistence["current_save_keys_total"] == persistence["current_cow_size"] == 0
        assert persistence["rdb_last_cow_size"] > 0


def _sections(server: ServerProcess, names: str) -> Sections:
    """Return the names of fields by section."""
    found: Sections = {}
    title = ""
    for line in server.call("INFO", *names.split()).decode().splitlines():
        if line.startswith("#"):
            title = line
            found[title] = []
        elif line and not _PASSING.match(line):
            found[title].append(line.partition(":")[0])
    return found


def _numbers(server: ServerProcess, section: str) -> dict[str, int]:
    lines = server.call("INFO", section).decode().splitlines()
    return {
        name: int(value) for name, _, value in (line.partition(":") for line in lines) if value.lstrip("-").isdigit()
    }
