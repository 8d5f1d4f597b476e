"""`trivet hotkeys` against clusters and single servers under load, and what it makes of their answers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.client.scripted import UNKNOWN, scripted
from tests.processes import HOST, ServerProcess, call, free_ports, read_replies, start_trivet_node, wait_until
from trivet_client.options import Address, Options
from trivet_deploy.hotkeys.command import Wish, find_hot_keys
from trivet_deploy.hotkeys.report import BYTES, COMMANDS, TIME, NodeReport, merge
from trivet_deploy.hotkeys.session import SamplingError
from trivet_wire.connection import encode_request
from trivet_wire.slots import key_slot

TRIVET = [sys.executable, "-m", "trivet_deploy.cli"]
# `hot` (slot 5542) and `cold` (slot 1934) belong to the first of two primaries, `warm` (slot 13668) to the second.
HOT, WARM = b"hot", b"warm"


def hotkeys(port: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*TRIVET, "hotkeys", HOST, str(port), *options]
    # A terminal wide enough that no column is folded.
    wide = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=wide)


def found(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0, result.stdout + result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


@contextmanager
def traffic(port: int, requests: list[list[bytes]]) -> Iterator[None]:
    """Send these requests to a node, again and again, until the block ends."""
    over = threading.Event()

    def work() -> None:
        with socket.create_connection((HOST, port), 10) as connection:
            while not over.is_set():
                connection.sendall(b"".join(encode_request(request) for request in requests))
                read_replies(connection, len(requests))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """A cluster of two primaries."""
    first = free_ports(2)
    folder = str(tmp_path_factory.mktemp("hot"))
    shape = ["--primaries", "2", "--replicas", "0", "--sentinels", "0", "--port", str(first)]
    try:
        up = [*TRIVET, "up", "--detach", "--dir", folder, *shape]
        subprocess.run(up, check=True, capture_output=True, timeout=60)
        yield [first, first + 1]
    finally:
        subprocess.run([*TRIVET, "down", "--dir", folder], check=True, capture_output=True, timeout=60)


def is_sampling(port: int) -> bool:
    reply = call(port, "HOTKEYS", "GET")
    return reply is not None and reply[0][1] == 1


def test_the_hot_keys_of_a_cluster(ports: list[int]) -> None:
    assert call(ports[0], "RPUSH", "hot", "a", "b", "c") == 3
    assert call(ports[1], "SET", "warm", "value") == b"OK"
    rare = [[b"GET", b"{hot}%d" % number] for number in range(20)]
    with traffic(ports[0], [[b"LLEN", HOT]] * 60 + rare), traffic(ports[1], [[b"GET", WARM]] * 10 + [[b"PING"]] * 200):
        document = found(hotkeys(ports[1], "--seconds", "1", "--count", "3", "--json"))
    assert document["not_counted"] == []
    assert [node["node"] for node in document["nodes"]] == [f"{HOST}:{port}" for port in ports]
    assert all(0.9 < node["seconds"] < 5 for node in document["nodes"])
    by_key = {entry["key"]: entry for entry in document["keys"]}
    assert len(by_key) == 3
    hot, warm = by_key["hot"], by_key["warm"]
    assert (hot["node"], hot["slot"], hot["type"], hot["size"]) == (
        f"{HOST}:{ports[0]}",
        int(key_slot(HOT)),
        "list",
        "3 elements",
    )
    assert (warm["node"], warm["type"], warm["size"]) == (f"{HOST}:{ports[1]}", "string", "5 bytes")
    # Of the first node's commands on keys three quarters are on `hot`, of the second one's all on `warm`.
    first, second = (node["commands"] for node in document["nodes"])
    assert hot["share"] == pytest.approx(0.75 * first / (first + second), rel=0.02)
    assert warm["share"] == pytest.approx(second / (first + second), rel=0.02)
    assert hot["ops_per_s"] == pytest.approx(0.75 * first / document["nodes"][0]["seconds"], rel=0.02)
    assert 0 < hot["time_share"] < 1
    assert 0 < hot["bytes_share"] < 1
    assert [call(port, "HOTKEYS", "GET") for port in ports] == [None, None]


def test_an_interruption_shows_what_was_counted_and_stops_the_nodes(ports: list[int]) -> None:
    with traffic(ports[0], [[b"LLEN", HOT]] * 50):
        command = [*TRIVET, "hotkeys", HOST, str(ports[0]), "--seconds", "60", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: all(is_sampling(port) for port in ports), 30, "all nodes count")
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0
    assert json.loads(output)["keys"][0]["key"] == "hot"
    assert [call(port, "HOTKEYS", "GET") for port in ports] == [None, None]


def wish(port: int, password: str | None = None) -> Wish:
    return Wish(Address(HOST, port), Options(password=password), 0.1, 10, 1, COMMANDS)


async def test_a_session_of_somebody_else_is_left_alone(ports: list[int]) -> None:
    assert call(ports[1], "HOTKEYS", "START", "METRICS", 1, "OPS") == b"OK"
    with pytest.raises(SamplingError, match=f"^{HOST}:{ports[1]} is being sampled already"):
        await find_hot_keys(wish(ports[0]), trio.Event())
    assert [is_sampling(port) for port in ports] == [False, True]
    assert call(ports[1], "HOTKEYS", "STOP") == b"OK"
    assert call(ports[1], "HOTKEYS", "RESET") == b"OK"


def test_a_single_node_by_a_sample_as_a_table(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path, "--requirepass", "secret") as node:
        requests = [[b"AUTH", b"secret"]] + [[b"SET", b"[red]", b"v"]] * 30 + [[b"GET", b"other"]] * 10
        with traffic(node.port, requests):
            options = ["--password", "secret", "--seconds", "0.5", "--sample", "3", "--by", "bytes"]
            result = hotkeys(node.port, *options)
    assert result.returncode == 0, result.stderr
    assert re.match(rf"{HOST}:{node.port}: [\d,]+ commands on keys in 0.\d s", result.stdout)
    first, second = [line.split("│")[1:-1] for line in result.stdout.splitlines() if line.startswith("│")]
    assert first[0].strip() == "[red]"
    assert 70 < float(first[1].split()[0]) < 80
    assert [second[0].strip(), second[-2].strip()] == ["other", "none"]
    assert "slot" not in result.stdout


async def test_a_server_without_hotkeys_is_asked_for_its_lfu_counters(own_redis_server: ServerProcess) -> None:
    port = own_redis_server.port
    with pytest.raises(SamplingError, match="has no HOTKEYS"):
        await find_hot_keys(wish(port), trio.Event())
    own_redis_server.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    own_redis_server.call("SADD", "hot", "a", "b")
    own_redis_server.call("SET", "cold", "v")
    for _ in range(300):
        own_redis_server.call("SCARD", "hot")
    hot, cold = found(hotkeys(port, "--json"))["keys"]
    assert (hot["key"], hot["type"], hot["size"], hot["share"]) == ("hot", "set", "2 members", None)
    assert hot["lfu_counter"] > cold["lfu_counter"]


async def test_who_cannot_be_asked_is_named(own_redis_server: ServerProcess) -> None:
    port = free_ports(1)
    with pytest.raises(SamplingError, match=f"^{HOST}:{port}: "):
        await find_hot_keys(wish(port), trio.Event())
    own_redis_server.call("CONFIG", "SET", "requirepass", "secret")
    with pytest.raises(SamplingError, match=f"^{HOST}:{own_redis_server.port}: NOAUTH"):
        await find_hot_keys(wish(own_redis_server.port), trio.Event())
    with pytest.raises(SamplingError, match=f"^{HOST}:{own_redis_server.port}: WRONGPASS"):
        await find_hot_keys(wish(own_redis_server.port, "wrong"), trio.Event())


async def test_a_node_that_is_gone_in_the_end_is_told_of() -> None:
    async def answer(request: list[bytes]) -> bytes | None:
        match [word.upper() for word in request[:2]]:
            case [b"INFO", *_]:
                return b"$19\r\ncluster_enabled:0\r\n\r\n"
            case [b"HOTKEYS", b"START"]:
                return b"+OK\r\n"
            case [b"HOTKEYS", *_]:
                return None
        return UNKNOWN

    async with scripted(answer) as server:
        outcome = await find_hot_keys(wish(server.address.port), trio.Event())
    assert outcome.keys == []
    (failure,) = outcome.failures
    assert failure.startswith(f"{server.address}: ")


async def test_redis_that_counts_no_commands() -> None:
    """Redis 8.6 counts time and bytes; its reply is that of its documentation."""
    facts = b"".join(
        b"$%d\r\n%s\r\n:%d\r\n" % (len(name), name, number)
        for name, number in (
            *((b"tracking-active", 0), (b"sample-ratio", 1), (b"all-commands-all-slots-us", 220)),
            *((b"collection-duration-ms", 6408), (b"total-net-bytes", 200)),
        )
    )
    by_time = b"$14\r\nby-cpu-time-us\r\n*4\r\n$1\r\nx\r\n:110\r\n$1\r\ny\r\n:55\r\n"
    by_bytes = b"$12\r\nby-net-bytes\r\n*2\r\n$1\r\nx\r\n:50\r\n"

    async def answer(request: list[bytes]) -> bytes | None:
        match [word.upper() for word in request[:4]]:
            case [b"INFO", *_]:
                return b"$19\r\ncluster_enabled:0\r\n\r\n"
            case [b"HOTKEYS", b"START", b"METRICS", b"3"]:
                return b"-ERR METRICS count must be > 0 and <= 2\r\n"
            case [b"HOTKEYS", b"GET"]:
                return b"*1\r\n*14\r\n" + facts + by_time + by_bytes
            case [b"HOTKEYS", *_]:
                return b"+OK\r\n"
            case [b"TYPE", *_]:
                return b"+none\r\n"
        return UNKNOWN

    async with scripted(answer) as server:
        outcome = await find_hot_keys(wish(server.address.port), trio.Event())
    assert [(hot.key, hot.shares, hot.ops_per_s) for hot in outcome.keys] == [
        (b"x", {TIME: 0.5, BYTES: 0.25}, None),
        (b"y", {TIME: 0.25, BYTES: 0.0}, None),
    ]


def test_counts_of_several_nodes_are_merged() -> None:
    one = NodeReport(
        "one", {COMMANDS: {b"a": 60, b"moved": 10}, TIME: {b"a": 5}}, {COMMANDS: 100, TIME: 10, BYTES: 0}, 10, 2.0
    )
    other = NodeReport(
        "other", {COMMANDS: {b"moved": 40}, TIME: {b"slow": 20}}, {COMMANDS: 100, TIME: 30, BYTES: 0}, 10, 2.0
    )
    moved, a = merge([one, other], by=COMMANDS, count=2, in_cluster=False)[::-1]
    assert (a.key, a.node, a.slot, a.shares) == (b"a", "one", None, {COMMANDS: 0.3, TIME: 0.125})
    assert a.ops_per_s == 300
    assert (moved.key, moved.shares[COMMANDS], moved.ops_per_s) == (b"moved", 0.25, 250)
    by_time = merge([one, other], by=TIME, count=9, in_cluster=True)
    assert [hot.key for hot in by_time] == [b"slow", b"a", b"moved"]
    assert by_time[0].slot == key_slot(b"slow")
    assert merge([], by=BYTES, count=9, in_cluster=True) == []
