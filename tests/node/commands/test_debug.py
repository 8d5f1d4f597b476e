"""DEBUG where it needs no second server to compare with: what it does to data, time and the cluster bus."""

import io
import time
from pathlib import Path
from signal import SIGABRT, SIGSEGV
from typing import BinaryIO

import pytest

from tests.node.cluster.formed import Formed
from tests.node.cluster.test_commands import OTHER, ClusterNodeUnderTest
from tests.node.engines import Node, QuietHost
from tests.processes import ServerProcess, start_trivet_node, wait_until
from trivet_node.client import CLOSE_NOW
from trivet_node.cluster import gossip
from trivet_node.cluster.effects import Disconnect
from trivet_node.cluster.state import Link
from trivet_node.config import Config
from trivet_node.persistence.rdb_writer import RdbWriter, WriterOptions
from trivet_wire.connection import encode_request


class FileHost(QuietHost):
    """Has one snapshot, in memory."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.snapshot: bytes | None = None
        self.crashes: list[tuple[int, str]] = []

    def crash(self, signal_number: int, reason: str) -> None:
        self.crashes.append((signal_number, reason))

    def save(self) -> bool:
        assert self.node is not None
        server = self.node.server
        codes = server.programs.libraries.codes()
        writer = RdbWriter(server.keyspace, [], server.limits, WriterOptions(), codes)
        self.snapshot = b"".join(writer.chunks())
        return True

    def open_snapshot(self) -> BinaryIO:
        if self.snapshot is None:
            raise FileNotFoundError(2, "No such file or directory")
        return io.BytesIO(self.snapshot)


class DebuggedNode(Node):
    """A node that allows DEBUG and has a snapshot."""

    def __init__(self, config: Config | None = None) -> None:
        config = config or Config()
        config.enable_debug_command = "yes"
        super().__init__(config)
        self.host = FileHost()
        self.host.node = self
        self.server.host = self.host


@pytest.fixture
def node() -> DebuggedNode:
    return DebuggedNode()


def fill(node: Node) -> None:
    for text in ("SET a 1", "SET b 2 PX 5000", "RPUSH l a b c", "SELECT 3", "HSET h f v", "SELECT 0"):
        node.asks(text)


def test_a_reload_keeps_all_and_forgets_what_was_not_saved(node: DebuggedNode) -> None:
    fill(node)
    digest = node.asks("DEBUG DIGEST")
    assert node.asks("DEBUG RELOAD") == b"OK"
    assert node.asks("DEBUG DIGEST") == digest
    assert node.asks("PTTL b") == 5000
    node.asks("SET c 3")
    assert node.asks("DEBUG DIGEST") != digest
    assert node.asks("DEBUG RELOAD NOSAVE") == b"OK"
    assert node.asks("DEBUG DIGEST") == digest


def test_a_reload_leaves_out_what_has_expired(node: DebuggedNode) -> None:
    fill(node)
    node.host.save()
    node.wait(6000)
    assert node.asks("DEBUG RELOAD NOSAVE") == b"OK"
    assert node.asks("DBSIZE") == 2


def test_a_snapshot_joins_what_is_there(node: DebuggedNode) -> None:
    fill(node)
    node.host.save()
    for text in ("DEL a", "SET b new", "SET c 3"):
        node.asks(text)
    before = node.asks("DEBUG DIGEST")
    assert node.asks("DEBUG RELOAD NOSAVE NOFLUSH") == "ERR Error trying to load the RDB dump"
    assert node.asks("DEBUG DIGEST") == before
    assert node.asks("DEBUG RELOAD NOSAVE NOFLUSH MERGE") == b"OK"
    assert node.asks("MGET a b c") == [b"1", b"2", b"3"]
    assert node.asks("PTTL b") == 5000


@pytest.mark.parametrize("damage", [None, b"", b"REDIS0010\xff", b"nonsense"])
def test_a_snapshot_that_cannot_be_loaded_takes_nothing_away(node: DebuggedNode, damage: bytes | None) -> None:
    fill(node)
    before = node.asks("DEBUG DIGEST")
    node.host.snapshot = damage
    assert node.asks("DEBUG RELOAD NOSAVE") == "ERR Error trying to load the RDB dump"
    assert node.asks("DEBUG LOADAOF") == "ERR Error trying to load the AOF files, check server logs."
    assert node.asks("DEBUG DIGEST") == before


def test_a_reload_breaks_watches_and_reaches_no_replica(node: DebuggedNode) -> None:
    fill(node)
    node.keep_stream()
    for text in ("WATCH a", "DEBUG RELOAD", "MULTI", "PING"):
        node.asks(text)
    assert node.asks("EXEC") is None
    assert node.asks("DEBUG POPULATE 10") == b"OK"
    assert node.stream() == []


def test_checksums_count_unless_they_are_switched_off(node: DebuggedNode) -> None:
    fill(node)
    node.host.save()
    assert node.host.snapshot is not None
    node.host.snapshot = node.host.snapshot[:-8] + b"12345678"
    payload = node.asks("DUMP a")[:-8] + b"12345678"
    assert "checksum" in node.ask("RESTORE", "x", "0", payload)
    assert node.asks("DEBUG RELOAD NOSAVE") == "ERR Error trying to load the RDB dump"
    node.asks("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1")
    assert node.asks("DEBUG RELOAD NOSAVE") == b"OK"
    assert node.ask("RESTORE", "x", "0", payload) == b"OK"


def test_active_expiry_can_be_switched_off(node: DebuggedNode) -> None:
    node.asks("DEBUG SET-ACTIVE-EXPIRE 0")
    node.asks("SET a 1 PX 1")
    node.engine.tick(int(node.keyspace.now_ms) + 100)
    assert node.asks("DBSIZE") == 1
    node.asks("DEBUG SET-ACTIVE-EXPIRE 1")
    node.engine.tick(int(node.keyspace.now_ms) + 100)
    assert node.asks("DBSIZE") == 0


def test_nothing_happens_by_itself_while_cron_is_paused_but_waits_end(node: DebuggedNode) -> None:
    node.asks("DEBUG PAUSE-CRON 1")
    node.asks("SET a 1 PX 1")
    waiting = node.client()
    assert node.send(waiting, encode_request(["BLPOP", "none", "1"])) == b""
    node.engine.tick(int(node.keyspace.now_ms) + 2000)
    assert node.asks("DBSIZE") == 1
    assert waiting.reply.take() == b"*-1\r\n"
    node.asks("DEBUG PAUSE-CRON 0")
    node.engine.tick(int(node.keyspace.now_ms) + 1)
    assert node.asks("DBSIZE") == 0


def test_tables_are_the_slots_and_the_dicts_of_large_collections(node: DebuggedNode) -> None:
    node.asks("DEBUG POPULATE 5000")
    node.asks("EXPIRE key:1 1000")
    stats = node.asks("DEBUG HTSTATS 0").decode()
    keys, _, deadlines = stats.partition("[Expires HT]")
    assert " table size: 16384\n number of elements: 5000\n" in keys
    assert " different slots: 1\n max chain length: 1\n" in deadlines
    node.ask("SADD", "s", *range(1000), "x")
    assert " number of elements: 1001\n" in node.asks("DEBUG HTSTATS-KEY s").decode()
    node.ask("SADD", "small", "x")
    assert " table size: 1\n number of elements: 1\n" in node.asks("DEBUG HTSTATS-KEY small").decode()


def test_sizes_are_those_of_the_objects(node: DebuggedNode) -> None:
    node.asks("SET a hello")
    node.asks("APPEND a world")
    words = node.asks("DEBUG SDSLEN a").replace(b",", b"").split()
    assert words[0] == b"key_sds_len:1"
    assert b"val_sds_len:10" in words
    assert node.asks("DEBUG STRUCTSIZE").startswith(b"bits:64 bytes:33 ")


def test_replicas_can_be_told_anything(node: DebuggedNode) -> None:
    node.keep_stream()
    history = node.server.replication.history
    before = history.id
    node.ask("DEBUG", "REPLICATE", "SET", "a", "b")
    assert node.stream() == [[b"SET", b"a", b"b"]]
    assert node.asks("GET a") is None
    history.previous_end = 7
    assert node.asks("DEBUG CHANGE-REPL-ID") == b"OK"
    assert history.id != before
    assert history.previous_end == -1


def test_patterns_are_tried(node: DebuggedNode) -> None:
    assert node.asks("DEBUG STRINGMATCH-TEST") == b"Apparently Redis did not crash: test passed"


def test_a_large_digest_is_quick(node: DebuggedNode) -> None:
    node.asks("DEBUG POPULATE 50000")
    started_s = time.process_time()
    assert node.asks("DEBUG DIGEST") != b"0" * 40
    assert time.process_time() - started_s < 5


def test_whoever_holds_most_goes_first() -> None:
    node = DebuggedNode(Config(maxmemory_clients=100_000))
    greedy, modest, kept = node.client(), node.client(), node.client()
    node.send(kept, encode_request(["CLIENT", "NO-EVICT", "on"]))
    for client, size in ((greedy, 80_000), (modest, 40_000), (kept, 500_000)):
        node.engine.feed(client, b"*2\r\n$4\r\nECHO\r\n$1000000\r\n" + b"x" * size)
    described = node.asks("DEBUG CLIENT-EVICTION").decode().splitlines()
    assert described[1].startswith("bucket      32768 -      65535: tot-mem:      4")
    assert [line.rpartition(" ")[2] for line in described] == ["1", "1", "1", *["0"] * 16]
    node.engine.tick(int(node.keyspace.now_ms) + 100)
    assert [client.flags & CLOSE_NOW for client in (greedy, modest, kept)] == [CLOSE_NOW, 0, 0]
    assert node.server.stats.clients_evicted == 1


def test_messages_of_the_bus_can_be_dropped() -> None:
    cluster = Formed(1)
    old, new = cluster.nodes[0], cluster.add()
    old.state.dropped_kind = gossip.MEET
    cluster.meet(new, old)
    cluster.run(3000)
    assert list(old.state.nodes) == [old.state.myself.id]
    assert old.state.traffic.received[gossip.MEET] > 0
    old.state.dropped_kind = ""
    cluster.meet(new, old)
    cluster.until(lambda: new.state.myself.id in old.state.nodes, 5000)


def test_a_type_is_dropped_by_number_and_links_are_broken() -> None:
    clustered = ClusterNodeUnderTest()
    clustered.server.config.enable_debug_command = "yes"
    clustered.asks("DEBUG DROP-CLUSTER-PACKET-FILTER 2")
    assert clustered.state.dropped_kind == gossip.MEET
    clustered.asks("DEBUG DROP-CLUSTER-PACKET-FILTER -1")
    assert clustered.state.dropped_kind == ""
    clustered.other.link = 5
    clustered.state.links[5] = Link(5, clustered.other, 1000)
    clustered.state.links[-3] = Link(-3, clustered.other, 1000)
    assert clustered.asks("DEBUG CLUSTERLINK KILL sideways " + OTHER) == "ERR Unknown direction sideways"
    assert clustered.asks("DEBUG CLUSTERLINK KILL to x") == "ERR Unknown node x"
    assert clustered.asks("DEBUG CLUSTERLINK KILL to " + OTHER) == b"OK"
    assert list(clustered.state.links) == [-3]
    assert clustered.asks("DEBUG CLUSTERLINK KILL all " + OTHER) == b"OK"
    assert not clustered.state.links
    closed = [effect.link for effect in clustered.host.effects if isinstance(effect, Disconnect)]
    assert closed == [5, -3]


def run_node(directory: Path, *options: str) -> ServerProcess:
    return start_trivet_node(directory, "--enable-debug-command", "yes", *options)


def test_crashes_are_told_to_the_host(node: DebuggedNode) -> None:
    for word in ("SEGFAULT", "PANIC", "ASSERT", "OOM"):
        node.send(node.first, encode_request(["DEBUG", word]))
    assert [number for number, _ in node.host.crashes] == [SIGSEGV, SIGABRT, SIGABRT, SIGABRT]


def test_a_crash_is_a_crash(tmp_path: Path) -> None:
    with run_node(tmp_path) as server:
        assert server.process is not None
        with pytest.raises(OSError):
            server.call("DEBUG", "PANIC")
        assert server.process.wait(10) == -SIGABRT
        assert "Guru Meditation: DEBUG PANIC called at Unix time" in server.log()


def test_a_restart_saves_and_a_crash_recovers_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "node.conf"
    path.write_text("# mine\n")
    # The file comes first on the command line.
    with run_node(tmp_path) as first:
        options = first.command[first.command.index("--port") :]
    server = ServerProcess([*first.command[:3], str(path), *options, "--save", "60 1"], first.port, first.directory)
    with server:
        server.start()
        pid = server.pid
        server.call("SET", "a", "1")
        run_id = server.call("INFO", "server").decode().partition("run_id:")[2][:40]
        with pytest.raises(OSError):
            server.call("DEBUG", "RESTART", "10")
        wait_until(lambda: _is_another(server, run_id), 20, "the node has started again")
        assert server.call("GET", "a") == b"1"
        assert "# mine\n" in path.read_text()
        server.call("SET", "b", "2")
        run_id = server.call("INFO", "server").decode().partition("run_id:")[2][:40]
        with pytest.raises(OSError):
            server.call("DEBUG", "CRASH-AND-RECOVER")
        wait_until(lambda: _is_another(server, run_id), 20, "the node has recovered")
        assert server.call("MGET", "a", "b") == [b"1", None]
        assert server.call("DEBUG", "CONFIG-REWRITE-FORCE-ALL") == b"OK"
        assert {"# mine", "save 60 1", "hz 10", "maxclients 10000"} <= set(path.read_text().splitlines())
        assert server.process is not None and server.process.poll() is None and server.pid == pid


def _is_another(server: ServerProcess, run_id: str) -> bool:
    try:
        reply = server.call("INFO", "server")
    except OSError:
        return False
    return isinstance(reply, bytes) and run_id not in reply.decode()


def test_scripts_that_may_do_more_still_run_no_scripts(node: DebuggedNode) -> None:
    node.asks("DEBUG SET-DISABLE-DENY-SCRIPTS 1")
    assert node.ask("EVAL", "return redis.call('DEBUG', 'PROTOCOL', 'string')", 0) == b"Hello World"
    for request in ("'EVAL', 'return 1', '0'", "'SCRIPT', 'FLUSH'", "'FUNCTION', 'FLUSH'", "'FCALL', 'f', '0'"):
        refused = node.ask("EVAL", f"return redis.call({request})", 0)
        assert refused.startswith("ERR This Redis command is not allowed from script"), request
    assert node.ask("EVAL", "return redis.call('INCR', 'n')", 0) == 1
