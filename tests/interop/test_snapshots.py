"""Snapshots of real processes: redis-server and redis-check-rdb read ours, we read theirs, nothing broken is loaded."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import hiredis
import pytest

from tests.amount import part_of
from tests.conftest import require_redis_server
from tests.processes import (
    HOST,
    ServerProcess,
    free_port,
    read_replies,
    start_redis_server,
    start_trivet_node,
    wait_until,
)
from tests.value_samples import ask, contents, requests_for
from trivet_wire.connection import encode_request

FAR_AWAY_MS = 4_000_000_000_000
DATABASES = range(10)
VALUES = 600
# What one reading of a listing of processes cannot miss, in either form: interpreted it takes several times as long.
MANY_KEYS = part_of(200_000)


def fill(server: ServerProcess) -> None:
    """Write values of all types and encodings, some with deadlines, into two databases."""
    requests = small_values()
    requests += [[b"SELECT", b"9"], [b"SET", b"\x00\xff", b""], [b"SET", b"7", b"8"], [b"SET", b"large", b"ab" * 10**6]]
    # Each is larger than a chunk of the file.
    for start in range(0, 30_000, 1000):
        numbers = [b"%d" % number for number in range(start, start + 1000)]
        requests.append([b"SADD", b"many members", *[b"member:" + number for number in numbers]])
        requests.append([b"HSET", b"many fields", *[word for number in numbers for word in (number, b"v" + number)]])
        requests.append([b"ZADD", b"many scores", *[word for number in numbers for word in (number, b"m" + number)]])
        requests.append([b"RPUSH", b"many values", *[b"value of some length" + number for number in numbers]])
    requests += [[b"XADD", b"many entries", b"%d-1" % number, b"f", b"v" * 60] for number in range(1, 5000)]
    write(server, requests)


def small_values(count: int = VALUES) -> list[list[bytes]]:
    """Return commands that make values of any type."""
    chance = random.Random(5)
    requests: list[list[bytes]] = []
    for number in range(count):
        key = b"key:%d" % number
        requests += requests_for(chance, key)
        if number % 3 == 0:
            requests.append([b"PEXPIREAT", key, b"%d" % (FAR_AWAY_MS + number)])
    return requests


def write(server: ServerProcess, requests: list[list[bytes]]) -> None:
    """Send commands, none of which is refused."""
    with socket.create_connection(server.address, 10) as connection:
        for start in range(0, len(requests), 1000):
            replies = ask(connection, requests[start : start + 1000])
            assert not [reply for reply in replies if isinstance(reply, hiredis.ReplyError)]


def start_on(file: Path, directory: Path, start: Any) -> ServerProcess:
    """Start a server that finds a copy of `file` as its snapshot."""
    port = free_port()
    (directory / str(port)).mkdir()
    shutil.copy(file, directory / str(port) / "dump.rdb")
    server: ServerProcess = start(directory, port=port)
    return server


@pytest.mark.parametrize("command", [["SAVE"], ["BGSAVE"], ["SHUTDOWN", "SAVE"]])
def test_redis_reads_what_we_save(tmp_path: Path, command: list[str]) -> None:
    require_redis_server()
    with start_trivet_node(tmp_path) as node:
        fill(node)
        expected = contents(node, DATABASES)
        file = node.directory / "dump.rdb"
        if command[0] == "SHUTDOWN":
            with contextlib.suppress(ConnectionError):
                node.call(*command)
            assert node.process is not None
            assert node.process.wait(10) == 0
        else:
            assert not isinstance(node.call(*command), hiredis.ReplyError)
            wait_until(file.exists, 10, "the snapshot is there")
            assert [name for name in os.listdir(node.directory) if name.startswith("temp-")] == []
        checked = subprocess.run(
            ["redis-check-rdb", str(file)], capture_output=True, text=True, timeout=30, check=False
        )
        assert checked.returncode == 0, checked.stdout
        assert "RDB looks OK!" in checked.stdout
    with start_on(file, tmp_path, start_redis_server) as redis:
        assert contents(redis, DATABASES) == expected
    assert len(expected) == VALUES + 8


@pytest.mark.parametrize("compression", ["yes", "no"])
def test_we_read_what_redis_saves(tmp_path: Path, compression: str) -> None:
    require_redis_server()
    with start_redis_server(tmp_path, "--rdbcompression", compression) as redis:
        fill(redis)
        expected = contents(redis, DATABASES)
        redis.call("SAVE")
        file = redis.directory / "dump.rdb"
    with start_on(file, tmp_path, start_trivet_node) as node:
        assert contents(node, DATABASES) == expected
        assert f"Done loading RDB, keys loaded: {VALUES + 8}, keys expired: 0." in node.log()


def test_a_restart_brings_everything_back(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path, "--save", "3600 1") as node:
        write(node, small_values())
        expected = contents(node, DATABASES)
        # Save points make SIGTERM save.
        assert node.stop() == 0
        node.start()
        assert contents(node, DATABASES) == expected


def test_a_crash_brings_nothing_back_that_flushall_has_deleted(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path, "--save", "3600 1") as node:
        for saving, flushing in ((["SAVE"], ["FLUSHALL"]), (["SAVE"], ["EVAL", "return redis.call('FLUSHALL')", 0])):
            node.call("SET", "a", "1")
            node.call(*saving)
            assert node.call(*flushing) == b"OK"
            node.kill()
            node.start()
            assert node.call("DBSIZE") == 0


def test_flushall_ends_the_child_that_saves_what_it_deletes(tmp_path: Path) -> None:
    with big_node(tmp_path, "--save", "3600 1000000") as node:
        assert node.call("BGSAVE") == b"Background saving started"
        child = wait_until(lambda: child_of(node), 5, "the child is there")
        os.kill(child, signal.SIGSTOP)
        assert node.call("FLUSHALL") == b"OK"
        wait_until(lambda: "Background saving terminated by signal 9" in node.log(), 10, "the child's end is noticed")
        assert node.call("SET", "a", "1") == b"OK"
        node.kill()
        node.start()
        assert node.call("DBSIZE") == 0


def test_save_points(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path, "--save", "1 10") as node:
        for number in range(9):
            node.call("SET", f"key:{number}", "1")
        node.call("SET", "the tenth", "1")
        file = node.directory / "dump.rdb"
        wait_until(file.exists, 10, "a save point")
        assert "10 changes in 1 seconds. Saving..." in node.log()


@pytest.mark.parametrize(("position", "byte"), [(0, b"X"), (5, b"9"), (60, b""), (-30, b""), (-1, b""), (None, b"")])
def test_a_broken_snapshot_is_refused_and_left_alone(tmp_path: Path, position: int | None, byte: bytes) -> None:
    """One byte is another one, `byte` where it is given; or half of the file is missing."""
    with start_trivet_node(tmp_path) as node:
        write(node, small_values(50))
        node.call("SAVE")
        data = bytearray((node.directory / "dump.rdb").read_bytes())
    if position is None:
        data = data[: len(data) // 2]
    else:
        byte = byte or bytes([data[position] ^ 0xFF])
        assert data[position : position + 1 or None] != byte
        data[position : position + 1 or None] = byte
    port = free_port()
    directory = tmp_path / str(port)
    directory.mkdir()
    file = directory / "dump.rdb"
    file.write_bytes(data)
    command = [sys.executable, "-m", "trivet_node", "--port", str(port), "--dir", str(directory), "--save", ""]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "at byte offset" in ended.stdout
    assert "Ready to accept connections" not in ended.stdout
    assert file.read_bytes() == data
    assert os.listdir(directory) == ["dump.rdb"]


def child_of(node: ServerProcess) -> int | None:
    """Return the pid of a child process that is at work, not one that only waits to be reaped."""
    listing = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--ppid", str(node.pid)], capture_output=True, text=True, check=False
    )
    pids = [int(line.split()[0]) for line in listing.stdout.splitlines() if "Z" not in line.split()[1]]
    return pids[0] if pids else None


def big_node(tmp_path: Path, *options: str) -> ServerProcess:
    """Start a node whose snapshot takes a while."""
    node = start_trivet_node(tmp_path, *options)
    with socket.create_connection(node.address, 30) as connection:
        for start in range(0, MANY_KEYS, 10_000):
            pairs = [word for number in range(start, start + 10_000) for word in (b"key:%d" % number, b"v" * 100)]
            connection.sendall(encode_request([b"MSET", *pairs]))
            read_replies(connection, 1)
    return node


def test_a_child_that_is_killed_fails_only_itself(tmp_path: Path) -> None:
    with big_node(tmp_path) as node:
        node.call("SAVE")
        before = (node.directory / "dump.rdb").read_bytes()
        node.call("SET", "later", "1")
        assert node.call("BGSAVE") == b"Background saving started"
        child = wait_until(lambda: child_of(node), 5, "the child is there")
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: "Background saving terminated by signal 9" in node.log(), 10, "the failure is noticed")
        assert node.call("GET", "later") == b"1"
        assert (node.directory / "dump.rdb").read_bytes() == before
        assert os.listdir(node.directory).count("dump.rdb") == 1
        wait_until(
            lambda: not [name for name in os.listdir(node.directory) if "temp" in name], 5, "nothing is left behind"
        )
        assert node.call("BGSAVE") == b"Background saving started"
        wait_until(lambda: "Background saving terminated with success" in node.log(), 30, "the next one succeeds")


def test_clients_are_served_while_a_snapshot_is_written(tmp_path: Path) -> None:
    with big_node(tmp_path) as node:
        assert node.call("BGSAVE") == b"Background saving started"
        # What changes now is not in it.
        node.call("SET", "key:0", "changed")
        assert child_of(node) is not None
        wait_until(lambda: "Background saving terminated with success" in node.log(), 30, "the snapshot is done")
        file = node.directory / "dump.rdb"
    with start_on(file, tmp_path, start_trivet_node) as other:
        assert other.call("GET", "key:0") == b"v" * 100
        assert other.call("DBSIZE") == MANY_KEYS


def test_a_node_that_loads_says_so(tmp_path: Path) -> None:
    with big_node(tmp_path) as node:
        node.call("SAVE")
        node.kill()
        seen: list[str] = []

        def is_loading() -> bool:
            with contextlib.suppress(OSError):
                seen.append(node.call("INFO", "persistence").decode())
                return "loading:1" in seen[-1] and str(node.call("GET", "key:0")).startswith("LOADING")
            return False

        starter = threading.Thread(target=node.start)
        starter.start()
        wait_until(is_loading, 10, "the node is seen loading")
        starter.join()
        assert "loading_total_bytes:" in "".join(seen)
        assert node.call("DBSIZE") == MANY_KEYS
        assert "loading:0" in node.call("INFO", "persistence").decode()


def test_a_child_ends_with_its_node(tmp_path: Path) -> None:
    with big_node(tmp_path) as node:
        with socket.create_connection((HOST, node.port), 10) as connection:
            connection.sendall(encode_request([b"BGSAVE"]))
            read_replies(connection, 1)
            child = wait_until(lambda: child_of(node), 5, "the child is there")
            os.kill(child, signal.SIGSTOP)
            try:
                node.kill()
                # The stopped child does not keep the connection open.
                assert connection.recv(10) == b""
            finally:
                os.kill(child, signal.SIGCONT)
        wait_until(lambda: not Path(f"/proc/{child}").exists(), 10, "the child has noticed")
        assert not (node.directory / "dump.rdb").exists()


def test_writes_stop_while_snapshots_fail(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path, "--save", "3600 1") as node:
        node.call("SET", "a", "1")
        shutil.rmtree(node.directory)
        assert isinstance(node.call("SAVE"), hiredis.ReplyError)
        node.call("BGSAVE")
        wait_until(lambda: str(node.call("DEL", "other")).startswith("MISCONF"), 10, "writes are refused")
        assert node.call("GET", "a") == b"1"
        assert node.call("CONFIG", "SET", "stop-writes-on-bgsave-error", "no") == b"OK"
        assert node.call("SET", "a", "2") == b"OK"
