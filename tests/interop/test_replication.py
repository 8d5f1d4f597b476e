"""Replication between real processes: every pair of a node of ours and redis-server, broken links, load, failovers."""

import random
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import hiredis
import pytest

from tests.conftest import require_redis_server
from tests.processes import (
    HOST,
    ServerProcess,
    call,
    free_port,
    read_replies,
    start_redis_server,
    start_trivet_node,
    wait_until,
)
from tests.value_samples import ask, change_something, contents, requests_for
from trivet_wire.connection import encode_request

STARTERS: dict[str, Callable[..., ServerProcess]] = {"trivet": start_trivet_node, "redis": start_redis_server}
DATABASES = range(4)
PAIRS = [("trivet", "trivet"), ("trivet", "redis"), ("redis", "trivet")]


@contextmanager
def started(tmp_path: Path, *kinds: str, options: tuple[str, ...] = ()) -> Iterator[list[ServerProcess]]:
    """Start one server of each kind and end them all."""
    if "redis" in kinds:
        require_redis_server()
    with ExitStack() as stack:
        yield [
            # Redis would wait five seconds for more replicas to come.
            stack.enter_context(STARTERS[kind](tmp_path, "--repl-diskless-sync-delay", "0", *options))
            for kind in kinds
        ]


def info(server: ServerProcess) -> dict[str, str]:
    text = server.call("INFO", "replication").decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def follow(replica: ServerProcess, primary_port: int) -> None:
    assert replica.call("REPLICAOF", HOST, primary_port) == b"OK"
    wait_until(lambda: info(replica).get("master_link_status") == "up", 20, "the link is up")


def caught_up(primary: ServerProcess, *replicas: ServerProcess) -> bool:
    offset = info(primary)["master_repl_offset"]
    return all(info(replica)["slave_repl_offset"] == offset for replica in replicas)


def some_write(choice: random.Random, number: int) -> list[list[bytes]]:
    """Return commands that write something."""
    key = b"key:%d" % choice.randrange(200)
    writes: list[Callable[[], list[list[bytes]]]] = [
        lambda: [[b"SET", key, b"%d" % choice.randint(-1000, 10**12)]],
        lambda: [[b"SET", key, choice.randbytes(choice.choice((3, 100, 3000))), b"EX", b"1000"]],
        lambda: [[b"SETEX", key, b"5000", b"value"]],
        lambda: [[b"DEL", key]],
        lambda: [[b"SELECT", b"%d" % choice.randrange(4)]],
        lambda: [[b"MULTI"], [b"SET", key, b"in"], [b"INCR", b"counter"], [b"EXEC"]],
        lambda: [[b"INCRBYFLOAT", b"float:%d" % number, b"1.25"]],
        lambda: [[b"APPEND", b"long", b"x" * 10]],
        lambda: [[b"GETDEL", key]],
        lambda: [[b"RENAMENX", key, key + b"'"]],
        *[lambda: change_something(choice)] * 2,
    ]
    return choice.choice(writes)()


def write_some(server: ServerProcess, seed: int, count: int = 500) -> None:
    """Send random writes over one connection."""
    choice = random.Random(seed)
    requests = [request for number in range(count) for request in some_write(choice, number)]
    with socket.create_connection(server.address, 10) as connection:
        connection.sendall(b"".join(encode_request(request) for request in requests))
        read_replies(connection, len(requests))


def held(server: ServerProcess) -> dict[tuple[int, bytes], Any]:
    """Return what a server holds."""
    return contents(server, DATABASES, False)


def difference(one: ServerProcess, other: ServerProcess) -> dict[tuple[int, bytes], Any]:
    """Return what two servers do not hold alike."""
    first, second = held(one), held(other)
    return {
        key: (first.get(key), second.get(key))
        for key in first.keys() | second.keys()
        if first.get(key) != second.get(key)
    }


def write_values(server: ServerProcess, seed: int) -> None:
    """Write values of every type and encoding."""
    chance = random.Random(seed)
    with socket.create_connection(server.address, 10) as connection:
        for number in range(300):
            ask(connection, requests_for(chance, b"value:%d" % number))


@pytest.mark.parametrize(("primary_kind", "replica_kind"), PAIRS)
def test_full_synchronization_then_the_stream(tmp_path: Path, primary_kind: str, replica_kind: str) -> None:
    with started(tmp_path, primary_kind, replica_kind) as (primary, replica):
        write_some(primary, 1)
        write_values(primary, 1)
        replica.call("SET", "old", "data")
        follow(replica, primary.port)
        write_some(primary, 2)
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert difference(replica, primary) == {}
        assert replica.call("GET", "old") is None
        assert str(replica.call("SET", "a", "1")).startswith("READONLY")
        assert info(primary)["connected_slaves"] == "1"
        fields = dict(field.split("=") for field in info(primary)["slave0"].split(","))
        assert (fields["ip"], fields["port"], fields["state"]) == (HOST, str(replica.port), "online")
        assert info(primary)["master_replid"] == info(replica)["master_replid"]


@pytest.mark.parametrize(("primary_kind", "replica_kind"), PAIRS)
def test_wait_and_role(tmp_path: Path, primary_kind: str, replica_kind: str) -> None:
    with started(tmp_path, primary_kind, replica_kind) as (primary, replica):
        follow(replica, primary.port)
        with socket.create_connection(primary.address, 5) as connection:
            connection.sendall(encode_request([b"SET", b"a", b"1"]) + encode_request([b"WAIT", b"1", b"30000"]))
            assert read_replies(connection, 2) == [b"OK", 1]
        assert replica.call("GET", "a") == b"1"
        role = primary.call("ROLE")
        assert role[0] == b"master"
        assert [entry[:2] for entry in role[2]] == [[HOST.encode(), str(replica.port).encode()]]
        assert replica.call("ROLE")[:4] == [b"slave", HOST.encode(), primary.port, b"connected"]


@pytest.mark.parametrize("compressed_diskless", ["yes", "no"])
def test_both_ways_in_which_redis_sends_a_snapshot(tmp_path: Path, compressed_diskless: str) -> None:
    options = ("--repl-diskless-sync", compressed_diskless)
    with started(tmp_path, "redis", "trivet", options=options) as (primary, replica):
        write_some(primary, 3, 5000)
        follow(replica, primary.port)
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert difference(replica, primary) == {}
        expected = "streamed EOF" if compressed_diskless == "yes" else "bytes from master to disk"
        assert expected in replica.log()


@pytest.mark.parametrize(("primary_kind", "replica_kind"), PAIRS)
def test_a_broken_link_is_taken_up_where_it_broke(tmp_path: Path, primary_kind: str, replica_kind: str) -> None:
    with started(tmp_path, primary_kind, replica_kind) as (primary, replica):
        follow(replica, primary.port)
        for seed in range(5):
            write_some(primary, seed, 100)
            assert primary.call("CLIENT", "KILL", "TYPE", "replica") == 1
            write_some(primary, 100 + seed, 100)
            wait_until(lambda: info(primary)["connected_slaves"] == "1", 10, "the replica is back")
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert difference(replica, primary) == {}
        stats = primary.call("INFO", "stats").decode()
        assert "sync_full:1" in stats
        assert "sync_partial_ok:5" in stats


class Proxy:
    """Passes one TCP connection after the other on to a server, until it is told to break them."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.passed_bytes = 0
        self.break_after = 1 << 60
        self._target_port = target_port
        self._listener = socket.create_server((HOST, self.port))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection((HOST, self._target_port))
            except OSError:
                return
            self._open += [near, far]
            for source, target, counts in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._copy, args=(source, target, counts), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data[: max(0, self.break_after - self.passed_bytes)] if counts else data)
                self.passed_bytes += len(data) if counts else 0
                if self.passed_bytes >= self.break_after:
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in (self._listener, *self._open):
            end.close()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.mark.parametrize(("primary_kind", "replica_kind"), PAIRS)
def test_a_link_that_breaks_in_the_middle_of_a_snapshot(tmp_path: Path, primary_kind: str, replica_kind: str) -> None:
    with started(tmp_path, primary_kind, replica_kind) as (primary, replica), Proxy(primary.port) as proxy:
        replica.call("SET", "old", "data")
        write_some(primary, 4, 3000)
        expected = held(primary)
        proxy.break_after = 20_000
        assert replica.call("REPLICAOF", HOST, proxy.port) == b"OK"
        wait_until(lambda: proxy.passed_bytes >= 20_000, 10, "the link has broken")
        if replica_kind == "trivet":
            # The old data stay until the new ones are there whole.
            assert replica.call("GET", "old") == b"data"
        proxy.break_after = 1 << 60
        wait_until(lambda: info(replica)["master_link_status"] == "up", 20, "the link is up")
        assert held(replica) == expected


def test_a_replica_that_died_in_the_middle_of_a_snapshot_harms_nobody(tmp_path: Path) -> None:
    with started(tmp_path, "trivet", "trivet", "trivet") as (primary, doomed, replica):
        with socket.create_connection(primary.address, 30) as connection:
            connection.sendall(
                encode_request([b"MSET", *[b"%d" % (n // 2) + b"v" * 500 * (n % 2) for n in range(60_000)]])
            )
            read_replies(connection, 1)
        doomed.call("REPLICAOF", HOST, primary.port)
        replica.call("REPLICAOF", HOST, primary.port)
        wait_until(lambda: "receiving" in doomed.log(), 10, "the snapshot is on its way")
        doomed.kill()
        wait_until(lambda: info(replica)["master_link_status"] == "up", 20, "the link is up")
        assert replica.call("DBSIZE") == 30_000
        wait_until(lambda: info(primary)["connected_slaves"] == "1", 10, "the dead one is forgotten")


@pytest.mark.parametrize(("primary_kind", "replica_kind"), PAIRS)
def test_under_load_nothing_is_missed(tmp_path: Path, primary_kind: str, replica_kind: str) -> None:
    with started(tmp_path, primary_kind, replica_kind) as (primary, replica):
        write_some(primary, 6, 3000)
        stop = threading.Event()

        def write() -> None:
            seed = 1000
            while not stop.is_set():
                write_some(primary, seed, 200)
                seed += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            follow(replica, primary.port)
            for _ in range(3):
                primary.call("CLIENT", "KILL", "TYPE", "replica")
                wait_until(lambda: info(primary)["connected_slaves"] == "1", 10, "the replica is back")
        finally:
            stop.set()
            writer.join()
        wait_until(lambda: caught_up(primary, replica), 20, "the replica has caught up")
        assert difference(replica, primary) == {}


@pytest.mark.parametrize("middle_kind", ["trivet", "redis"])
def test_a_chain(tmp_path: Path, middle_kind: str) -> None:
    with started(tmp_path, "trivet", middle_kind, "trivet", "redis") as (primary, middle, *lasts):
        write_some(primary, 7)
        follow(middle, primary.port)
        for last in lasts:
            follow(last, middle.port)
        write_some(primary, 8)
        wait_until(lambda: caught_up(primary, middle, *lasts), 10, "the replicas have caught up")
        assert all(difference(server, primary) == {} for server in (middle, *lasts))
        # The links of the chain break one after the other; nobody needs a snapshot again.
        middle.call("CLIENT", "KILL", "TYPE", "master")
        write_some(primary, 9)
        wait_until(lambda: caught_up(primary, middle, *lasts), 10, "the replicas have caught up again")
        assert all(difference(server, primary) == {} for server in (middle, *lasts))
        assert "sync_full:1" in primary.call("INFO", "stats").decode()
        assert "sync_full:2" in middle.call("INFO", "stats").decode()


@pytest.mark.parametrize(
    "kinds", [("trivet", "trivet", "trivet"), ("trivet", "redis", "trivet"), ("redis", "trivet", "trivet")]
)
def test_failover_without_a_second_snapshot(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    with started(tmp_path, *kinds) as (primary, heir, other):
        write_some(primary, 10)
        follow(heir, primary.port)
        follow(other, primary.port)
        write_some(primary, 11)
        wait_until(lambda: caught_up(primary, heir, other), 10, "the replicas have caught up")
        old_id = info(primary)["master_replid"]
        primary.kill()
        assert heir.call("REPLICAOF", "NO", "ONE") == b"OK"
        assert heir.call("SET", "new", "history") == b"OK"
        assert info(heir)["master_replid2"] == old_id
        follow(other, heir.port)
        wait_until(lambda: caught_up(heir, other), 10, "the other replica has caught up")
        assert difference(other, heir) == {}
        assert "sync_full:0" in heir.call("INFO", "stats").decode()


def test_a_replica_finds_its_primary_again_quickly(tmp_path: Path) -> None:
    with started(tmp_path, "trivet", "trivet", options=("--save", "3600 1")) as (primary, replica):
        write_some(primary, 12)
        follow(replica, primary.port)
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert primary.stop() == 0
        wait_until(lambda: info(replica)["master_link_status"] == "down", 5, "the replica notices")
        assert int(info(replica)["master_link_down_since_seconds"]) >= 0
        attempts = replica.log().count("Connecting to MASTER")
        wait_until(lambda: replica.log().count("Connecting to MASTER") >= attempts + 4, 10, "its pauses have grown")
        primary.start()
        wait_until(lambda: info(replica)["master_link_status"] == "up", 3, "the replica is back")
        # The snapshot that the primary saved when it stopped says which point in history it is.
        assert "sync_full:0" in primary.call("INFO", "stats").decode()
        assert "sync_partial_ok:1" in primary.call("INFO", "stats").decode()
        write_some(primary, 13)
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert difference(replica, primary) == {}


@pytest.mark.parametrize("replica_kind", ["trivet", "redis"])
def test_what_happens_while_a_primary_waits_for_its_end_is_in_its_snapshot(tmp_path: Path, replica_kind: str) -> None:
    options = ("--save", "3600 1", "--repl-ping-replica-period", "1")
    with started(tmp_path, "trivet", replica_kind, options=options) as (primary, replica):
        follow(replica, primary.port)
        replica.send_signal(signal.SIGSTOP)
        try:
            primary.call("SET", "short", "lived", "PX", "300")
            primary.send_signal(signal.SIGTERM)
            wait_until(lambda: "Waiting for replicas" in primary.log(), 5, "the primary is about to end")
            before = int(info(primary)["master_repl_offset"])
            wait_until(lambda: int(info(primary)["master_repl_offset"]) > before, 5, "a ping is in the stream")
            wait_until(lambda: primary.call("GET", "short") is None, 5, "a key has expired")
        finally:
            replica.send_signal(signal.SIGCONT)
        assert primary.process is not None
        assert primary.process.wait(10) == 0
        primary.start()
        wait_until(lambda: info(replica)["master_link_status"] == "up", 10, "the replica is back")
        assert "sync_full:0" in primary.call("INFO", "stats").decode()


def test_a_restarted_replica_continues_from_its_snapshot(tmp_path: Path) -> None:
    with started(tmp_path, "redis", "trivet", options=("--save", "3600 1")) as (primary, replica):
        write_some(primary, 14)
        replica.command += ["--replicaof", f"{HOST} {primary.port}"]
        follow(replica, primary.port)
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert replica.call("SAVE") == b"OK"
        write_some(primary, 15)
        replica.kill()
        replica.start()
        wait_until(lambda: info(replica)["master_link_status"] == "up", 5, "the replica is back")
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert difference(replica, primary) == {}
        assert "sync_full:1" in primary.call("INFO", "stats").decode()


@pytest.mark.parametrize(("primary_kind", "replica_kind"), PAIRS)
def test_passwords(tmp_path: Path, primary_kind: str, replica_kind: str) -> None:
    options = ("--requirepass", "secret")
    with started(tmp_path, primary_kind, options=options) as (primary,), started(tmp_path, replica_kind) as (replica,):
        replica.call("REPLICAOF", HOST, primary.port)
        wait_until(lambda: "NOAUTH" in replica.log(), 10, "the primary refuses")
        assert info(replica)["master_link_status"] == "down"
        replica.call("CONFIG", "SET", "masterauth", "secret")
        wait_until(lambda: info(replica)["master_link_status"] == "up", 20, "the link is up")


def test_a_primary_that_is_stopped_leaves_nothing_behind(tmp_path: Path) -> None:
    with started(tmp_path, "trivet", "trivet") as (primary, replica):
        follow(replica, primary.port)
        replica.send_signal(signal.SIGSTOP)
        try:
            for number in range(30):
                assert primary.call("SET", f"key:{number}", b"v" * 1_000_000) == b"OK"
            primary.send_signal(signal.SIGTERM)
            wait_until(lambda: "Waiting for replicas" in primary.log(), 5, "the primary is about to end")
        finally:
            replica.send_signal(signal.SIGCONT)
        assert primary.process is not None
        assert primary.process.wait(10) == 0
        assert replica.call("DBSIZE") == 30
        assert replica.call("STRLEN", "key:29") == 1_000_000


def test_silence_is_noticed(tmp_path: Path) -> None:
    options = ("--repl-timeout", "2", "--repl-ping-replica-period", "1")
    with started(tmp_path, "trivet", "trivet", options=options) as (primary, replica):
        follow(replica, primary.port)
        primary.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: info(replica)["master_link_status"] == "down", 10, "the replica notices")
        finally:
            primary.send_signal(signal.SIGCONT)
        wait_until(lambda: info(replica)["master_link_status"] == "up", 10, "the link is up again")
        assert "sync_partial_ok:1" in primary.call("INFO", "stats").decode()


def test_changing_the_primary_in_the_middle_of_an_attempt(tmp_path: Path) -> None:
    with started(tmp_path, "trivet", "trivet") as (primary, replica), socket.create_server((HOST, 0)) as silent:
        # Somebody who accepts and says nothing.
        replica.call("REPLICAOF", HOST, silent.getsockname()[1])
        wait_until(lambda: replica.call("ROLE")[3] == b"handshake", 5, "the replica waits for an answer")
        follow(replica, primary.port)
        assert replica.call("REPLICAOF", "NO", "ONE") == b"OK"
        assert replica.call("SET", "a", "1") == b"OK"
        assert info(replica)["role"] == "master"


def test_info_has_the_fields_of_redis_in_its_order(tmp_path: Path) -> None:
    with started(tmp_path, "redis", "redis", "trivet", "trivet") as servers:
        redis_primary, redis_replica, primary, replica = servers
        follow(redis_replica, redis_primary.port)
        follow(replica, primary.port)
        assert list(info(primary)) == list(info(redis_primary))
        assert list(info(replica)) == list(info(redis_replica))
        for ours, theirs in ((primary, redis_primary), (replica, redis_replica)):
            ours.call("REPLICAOF", HOST, "1")
            theirs.call("REPLICAOF", HOST, "1")
            wait_until(lambda: info(ours)["master_link_status"] == "down", 5, "the link is down")  # noqa: B023
            assert list(info(ours)) == list(info(theirs))


def test_what_is_refused(tmp_path: Path) -> None:
    with started(tmp_path, "redis", "trivet") as (redis, node):
        for request in (
            ["REPLICAOF", "host", "port"],
            ["REPLICAOF", "host", "70000"],
            ["REPLCONF", "one"],
            ["REPLCONF", "what", "ever"],
            ["REPLCONF", "listening-port", "x"],
            ["WAIT", "x", "0"],
            ["WAIT", "0", "x"],
            ["WAIT", "0", "-1"],
            ["PSYNC", "?", "x"],
        ):
            expected = redis.call(*request)
            assert isinstance(expected, hiredis.ReplyError), request
            assert str(node.call(*request)) == str(expected), request


def test_links_that_come_and_go_do_not_leak(tmp_path: Path) -> None:
    with started(tmp_path, "trivet") as (primary,):
        for _ in range(50):
            with socket.create_connection(primary.address, 5) as connection:
                connection.sendall(encode_request([b"PSYNC", b"?", b"-1"]))
                connection.recv(10)
        wait_until(lambda: info(primary)["connected_slaves"] == "0", 20, "all are forgotten")
        assert call(primary.port, "PING") == b"PONG"


def test_a_snapshot_that_cannot_be_loaded_is_refused_and_named(tmp_path: Path) -> None:
    with started(tmp_path, "redis", "trivet") as (primary, replica):
        replica.kill()
        replica.command += ["--databases", "1"]
        replica.start()
        replica.call("SET", "mine", "stays")
        primary.call("SET", "theirs", "out of reach")
        assert primary.call("MOVE", "theirs", 5) == 1
        assert replica.call("REPLICAOF", HOST, primary.port) == b"OK"
        wait_until(lambda: "database 5 is out of range" in replica.log(), 10, "the log says why")
        assert replica.call("GET", "mine") == b"stays"
        assert primary.call("FLUSHALL") == b"OK"
        wait_until(lambda: caught_up(primary, replica), 20, "it tries again")


def test_a_replica_that_cannot_do_what_its_primary_has_done_says_so_and_goes_on(tmp_path: Path) -> None:
    with (
        started(tmp_path, "redis") as (primary,),
        started(tmp_path, "trivet", "redis", options=("--databases", "4", "--replica-read-only", "no")) as replicas,
    ):
        for replica in replicas:
            follow(replica, primary.port)
            replica.call("MSET", "list", "x", "stream", "x", "hash", "x")
        words = [
            "RPUSH list 1",
            *("XGROUP CREATE stream g $ MKSTREAM", "SELECT 9", "SET far 1", "SELECT 3", "SET near 1", "SELECT 0"),
            *("MULTI", "SET k 1", "HSET hash f v", "SET k 2", "EXEC", "SET last 1"),
        ]
        with socket.create_connection(primary.address, 20) as connection:
            for line in words:
                connection.sendall(encode_request(line.split()))
                (reply,) = read_replies(connection, 1)
                assert not isinstance(reply, Exception), (line, reply)
        wait_until(lambda: caught_up(primary, *replicas), 20, "both have everything")
        ours, real = replicas
        assert _complaints(ours) == _complaints(real)
        assert len(_complaints(real)) == 2 * 4
        for database in range(4):
            assert sorted(_keys(ours, database)) == sorted(_keys(real, database))
        for field in ("unexpected_error_replies", "errorstat_ERR", "errorstat_WRONGTYPE"):
            assert _statistic(ours, field) == _statistic(real, field), field


def _complaints(server: ServerProcess) -> list[str]:
    """Return what a replica has logged about its primary's commands, without the times."""
    lines = [line.partition(" # ")[2] for line in server.log().splitlines()]
    return [line for line in lines if line.startswith(("== CRITICAL ==", "Latest backlog is"))]


def _keys(server: ServerProcess, database: int) -> list[bytes]:
    with socket.create_connection(server.address, 20) as connection:
        connection.sendall(encode_request(["SELECT", str(database)]) + encode_request(["KEYS", "*"]))
        found: list[bytes] = read_replies(connection, 2)[1]
        return found


def _statistic(server: ServerProcess, field: str) -> str:
    lines = server.call("INFO", "everything").decode().splitlines()
    (value,) = [line.partition(":")[2] for line in lines if line.startswith(f"{field}:")]
    return str(value)
