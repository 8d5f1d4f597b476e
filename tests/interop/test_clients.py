"""Unchanged clients against one node: redis-py's handshake and calls, redis-cli's start-up, redis-benchmark."""

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import require_redis_server
from tests.processes import HOST, ServerProcess, start_trivet_node, wait_until

_TIMEOUT_S = 20.0
# How redis-cli colours its output and moves the cursor.
_ESCAPES = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start_trivet_node(tmp_path_factory.mktemp("node")) as server:
        yield server


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_talks_to_a_node(node: ServerProcess, protocol: int) -> None:
    with redis.Redis(HOST, node.port, protocol=protocol, client_name="worker", decode_responses=True) as client:
        assert client.ping()
        assert client.info("server")["redis_version"] == "7.0.15"
        assert client.info()["role"] == "master"
        assert client.config_get("maxclients") == {"maxclients": "10000"}
        assert client.config_set("timeout", 0)
        (own,) = [entry for entry in client.client_list() if entry["id"] == str(client.client_id())]
        assert (own["name"], own["lib-name"], own["resp"]) == ("worker", "redis-py", str(protocol))
        assert client.command_count() == len([name for name in client.command_list() if "|" not in name])
        assert client.command_getkeys("MSET", "a", "1", "b", "2") == ["a", "b"]
        assert client.lastsave()
        assert abs(client.time()[0] - time.time()) < 5


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_hears_what_is_published(node: ServerProcess, protocol: int) -> None:
    with redis.Redis(HOST, node.port, protocol=protocol) as client, client.pubsub() as listener:
        listener.subscribe("news")
        listener.psubscribe("n*")
        heard: list[tuple[str, bytes]] = []
        wait_until(lambda: client.pubsub_numsub("news")[0][1] == 1 and client.pubsub_numpat() == 1, 5, "subscribed")
        assert client.publish("news", "hello") == 2
        while len(heard) < 2:
            message = listener.get_message(ignore_subscribe_messages=True, timeout=_TIMEOUT_S)
            if message is not None:
                heard.append((message["type"], message["data"]))
        assert heard == [("message", b"hello"), ("pmessage", b"hello")]


def test_a_password_for_redis_py(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path, "--requirepass", "se cret") as server:
        with redis.Redis(HOST, server.port, password="se cret", protocol=3) as client:
            assert client.ping()
        for password in ("wrong", None):
            with (
                redis.Redis(HOST, server.port, password=password, retry=Retry(NoBackoff(), 0)) as client,
                pytest.raises(redis.AuthenticationError),
            ):
                client.ping()


def test_maxclients_is_told_to_whom_it_refuses(tmp_path: Path) -> None:
    with (
        start_trivet_node(tmp_path, "--maxclients", "1") as server,
        redis.Redis(HOST, server.port) as first,
        redis.Redis(HOST, server.port, retry=Retry(NoBackoff(), 0)) as second,
    ):
        wait_until(lambda: _pings(first), 5, "the connection of the start to be closed")
        with pytest.raises(redis.ConnectionError, match="max number of clients reached"):
            second.ping()
        assert first.info("stats")["rejected_connections"] >= 1


def _pings(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_redis_cli_starts_and_knows_the_arguments_of_commands(node: ServerProcess) -> None:
    require_redis_server()
    terminal, other_end = pty.openpty()
    termios.tcsetwinsize(other_end, (50, 200))
    cli = subprocess.Popen(
        ["redis-cli", "-p", str(node.port)],
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        env={**os.environ, "TERM": "xterm", "HOME": "/nonexistent"},
    )
    os.close(other_end)
    prompt = f"{HOST}:{node.port}> ".encode()
    try:
        _read_until(terminal, prompt)
        os.write(terminal, b"help config get\r")
        # What is typed before the next prompt is lost.
        shown = _read_until(terminal, b"group: server\r\r\n\r\r\n" + prompt)
        assert b"CONFIG GET parameter [parameter ...]" in shown
        assert b"Get the values of configuration parameters" in shown
        os.write(terminal, b"getex ")
        _read_until(terminal, b"[EX seconds|PX milliseconds|EXAT unix-time-seconds|")
        os.write(terminal, b"k\r")
        _read_until(terminal, b"(nil)")
    finally:
        cli.kill()
        cli.wait()
        os.close(terminal)


def _read_until(terminal: int, end: bytes) -> bytes:
    shown = b""
    deadline = time.monotonic() + _TIMEOUT_S
    while end not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"no {end!r} within {_TIMEOUT_S} s: {shown!r}"
        shown = _ESCAPES.sub(b"", shown + os.read(terminal, 65536))
    return shown


def test_redis_benchmark_asks_for_the_settings_and_measures(node: ServerProcess) -> None:
    require_redis_server()
    command = ["redis-benchmark", "-p", str(node.port), "-t", "set,get,incr", "-n", "200", "-c", "5", "--csv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == ['"SET"', '"GET"', '"INCR"']
    # It says so where it cannot read `save` and `appendonly`.
    assert "WARNING" not in done.stderr
