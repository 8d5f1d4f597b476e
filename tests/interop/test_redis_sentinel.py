"""Sentinels of ours with real redis-server, real redis-sentinel and redis-py."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.sentinel import Sentinel

from tests.conftest import require_redis_server
from tests.processes import (
    HOST,
    ServerProcess,
    start_redis_sentinel,
    start_redis_server,
    start_sentinel,
    wait_until,
)

DOWN_AFTER_MS = 1000
GROUP = "m"


@pytest.fixture(autouse=True)
def _redis() -> None:
    require_redis_server()


@contextlib.contextmanager
def replicated(directory: Path, replicas: int = 2) -> Iterator[list[ServerProcess]]:
    """Run a real primary (first) and its replicas, in step with it."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(start_redis_server(directory, "--repl-diskless-sync-delay", "0"))]
        primary = str(servers[0].port)
        for _ in range(replicas):
            options = ("--replicaof", f"{HOST} {primary}", "--repl-diskless-sync-delay", "0")
            servers.append(stack.enter_context(start_redis_server(directory, *options)))
        for server in servers[1:]:
            wait_until(lambda server=server: b"master_link_status:up" in server.call("INFO"), 20, "replicas follow")
        yield servers


@contextlib.contextmanager
def watched(directory: Path, primary: ServerProcess, kinds: str, *lines: str) -> Iterator[list[ServerProcess]]:
    """Run sentinels over `primary`, one for each letter: `t` ours, `r` Redis'; wait until all know each other."""
    start = {"t": start_sentinel, "r": start_redis_sentinel}
    watch = [f"sentinel monitor {GROUP} {HOST} {primary.port} 2"]
    watch.append(f"sentinel down-after-milliseconds {GROUP} {DOWN_AFTER_MS}")
    with contextlib.ExitStack() as stack:
        sentinels = [stack.enter_context(start[kind](directory / "sentinels", *watch, *lines)) for kind in kinds]
        others = len(kinds) - 1
        for sentinel in sentinels:
            wait_until(lambda s=sentinel: int(fields(s)["num-other-sentinels"]) == others, 20, "sentinels meet")
            wait_until(lambda s=sentinel: int(fields(s)["num-slaves"]) == 2, 20, "sentinels know the replicas")
        yield sentinels


def fields(sentinel: ServerProcess) -> dict[str, str]:
    """Return SENTINEL MASTER of the group as a dict."""
    flat = [part.decode() for part in sentinel.call("SENTINEL", "MASTER", GROUP)]
    return dict(zip(flat[::2], flat[1::2], strict=True))


def primary_port(sentinel: ServerProcess) -> int:
    """Return the port of the primary that a sentinel names."""
    return int(sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP)[1])


def role_of(server: ServerProcess) -> Any:
    return server.call("ROLE")[0]


def replica_of(server: ServerProcess) -> int | None:
    """Return the port of the primary that a server follows with a working link."""
    role = server.call("ROLE")
    return int(role[2]) if role[0] == b"slave" and role[3] == b"connected" else None


def fail_over(servers: list[ServerProcess], sentinels: list[ServerProcess]) -> ServerProcess:
    """Kill the primary, wait until all sentinels name the same new one and the other replica follows; return it."""
    old, *replicas = servers
    old.kill()
    wait_until(lambda: len({primary_port(one) for one in sentinels} - {old.port}) == 1, 20, "a new primary is named")
    wait_until(lambda: len({primary_port(one) for one in sentinels}) == 1, 20, "all sentinels name it")
    new = next(server for server in replicas if server.port == primary_port(sentinels[0]))
    other = next(server for server in replicas if server is not new)
    wait_until(lambda: role_of(new) == b"master", 20, "it is a primary")
    wait_until(lambda: replica_of(other) == new.port, 20, "the other replica follows it")
    return new


def test_ours_alone_promote_well_below_two_seconds(tmp_path: Path) -> None:
    with replicated(tmp_path) as servers, watched(tmp_path, servers[0], "ttt"):
        killed = time.monotonic()
        servers[0].kill()
        wait_until(lambda: any(role_of(server) == b"master" for server in servers[1:]), 20, "a replica is promoted")
        assert DOWN_AFTER_MS / 1000 - 0.1 < time.monotonic() - killed < 10


def test_the_old_primary_is_demoted_when_it_comes_back(tmp_path: Path) -> None:
    with replicated(tmp_path) as servers, watched(tmp_path, servers[0], "ttt") as sentinels:
        new = fail_over(servers, sentinels)
        servers[0].start()
        wait_until(lambda: replica_of(servers[0]) == new.port, 20, "the old primary follows the new one")
        assert any("+convert-to-slave" in sentinel.log() for sentinel in sentinels)
        assert {primary_port(sentinel) for sentinel in sentinels} == {new.port}


@pytest.mark.parametrize("kinds", ["trr", "ttr"])
def test_one_quorum_with_redis_sentinel(tmp_path: Path, kinds: str) -> None:
    with replicated(tmp_path) as servers, watched(tmp_path, servers[0], kinds) as sentinels:
        for sentinel in sentinels:
            assert sentinel.call("SENTINEL", "CKQUORUM", GROUP).startswith(b"OK 3 usable Sentinels.")
        new = fail_over(servers, sentinels)
        epochs = {fields(sentinel)["config-epoch"] for sentinel in sentinels}
        assert len(epochs) == 1, "all agree on the epoch of the configuration"
        servers[0].start()
        wait_until(lambda: replica_of(servers[0]) == new.port, 30, "the old primary follows the new one")


@pytest.mark.parametrize("commander", [0, 1])
def test_a_failover_on_command_is_followed_by_the_other_kind(tmp_path: Path, commander: int) -> None:
    """With one sentinel of each kind: what one decides, the other adopts from its hello."""
    with replicated(tmp_path) as servers, watched(tmp_path, servers[0], "tr") as sentinels:
        assert sentinels[commander].call("SENTINEL", "FAILOVER", GROUP) == b"OK"
        observer = sentinels[1 - commander]
        wait_until(lambda: primary_port(observer) != servers[0].port, 30, "the observer names the new primary")
        assert "+switch-master" in observer.log()
        wait_until(lambda: replica_of(servers[0]) == primary_port(observer), 30, "the old primary follows")


def test_a_password_is_used_on_nodes_and_sentinels(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        options = ("--requirepass", "secret", "--masterauth", "secret", "--repl-diskless-sync-delay", "0")
        primary = stack.enter_context(start_redis_server(tmp_path, *options))
        stack.enter_context(start_redis_server(tmp_path, *options, "--replicaof", f"{HOST} {primary.port}"))
        lines = (f"sentinel monitor {GROUP} {HOST} {primary.port} 2", f"sentinel auth-pass {GROUP} secret")
        sentinels = [
            stack.enter_context(start_sentinel(tmp_path, *lines, "requirepass hush")),
            stack.enter_context(start_redis_sentinel(tmp_path, *lines, "requirepass hush")),
        ]
        clients = [redis.Redis(port=sentinel.port, password="hush") for sentinel in sentinels]
        for client in clients:
            wait_until(lambda c=client: _is_complete(c), 20, "everybody is found")
            wait_until(lambda c=client: _can_vote(c), 20, "the other sentinel lets us in")


def _can_vote(client: "redis.Redis[bytes]") -> bool:
    try:
        return bool(client.execute_command("SENTINEL", "CKQUORUM", GROUP).startswith(b"OK 2 usable"))
    except redis.ResponseError:
        return False


def _is_complete(client: "redis.Redis[bytes]") -> bool:
    state = client.sentinel_master(GROUP)
    return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == 1)


def test_a_primary_is_watched_by_its_hostname(tmp_path: Path) -> None:
    """Nodes and Redis name each other by address; the name in our configuration means the same servers."""
    with replicated(tmp_path) as servers:
        lines = (f"sentinel monitor {GROUP} localhost {servers[0].port} 1",)
        down_after = f"sentinel down-after-milliseconds {GROUP} {DOWN_AFTER_MS}"
        with start_sentinel(tmp_path / "sentinels", *lines, down_after) as sentinel:
            wait_until(lambda: int(fields(sentinel)["num-slaves"]) == 2, 20, "the replicas are found")
            assert fields(sentinel)["ip"] == HOST
            new = fail_over(servers, [sentinel])
            servers[0].start()
            wait_until(lambda: replica_of(servers[0]) == new.port, 20, "the old primary follows the new one")
            assert int(fields(sentinel)["num-slaves"]) == 2, "nobody is known twice, by name and by address"


def test_redis_py_finds_its_way_through_a_failover(tmp_path: Path) -> None:
    with replicated(tmp_path) as servers, watched(tmp_path, servers[0], "ttt") as sentinels:
        entry = Sentinel([(HOST, sentinel.port) for sentinel in sentinels], socket_timeout=1)
        assert entry.discover_master(GROUP) == (HOST, servers[0].port)
        assert sorted(entry.discover_slaves(GROUP)) == sorted((HOST, server.port) for server in servers[1:])
        client = entry.master_for(GROUP, socket_timeout=1)
        client.set("key", "before")
        client.execute_command("WAIT", 2, 5000)
        servers[0].kill()
        wait_until(lambda: _can_write(client), 20, "redis-py writes to the new primary")
        assert client.get("key") == b"after"
        told = redis.Redis(port=sentinels[0].port)
        # The leader shows the old primary until the other replica follows the new one.
        wait_until(lambda: not told.sentinel_masters()[GROUP]["is_odown"], 20, "the group is well again")
        assert told.sentinel_masters()[GROUP]["is_master"]


def _can_write(client: Any) -> bool:
    try:
        return bool(client.set("key", "after"))
    except redis.RedisError:
        return False


def test_errors_are_those_of_redis_sentinel(tmp_path: Path) -> None:
    questions = [
        "SENTINEL", "SENTINEL foo", "SENTINEL MASTER", "SENTINEL MASTER x", "SENTINEL REPLICAS x",
        "SENTINEL SENTINELS x", "SENTINEL CKQUORUM x", "SENTINEL FAILOVER x", "SENTINEL REMOVE x",
        "SENTINEL GET-MASTER-ADDR-BY-NAME x", "SENTINEL MONITOR m 127.0.0.1 1 1", "SENTINEL MONITOR n 127.0.0.1 x 1",
        "SENTINEL MONITOR n 127.0.0.1 1 0", "SENTINEL MONITOR n 127.0.0.1 1 x", "SENTINEL SET m foo 1",
        "SENTINEL SET m quorum 0", "SENTINEL SET m quorum", "SENTINEL SET x quorum 1", "SENTINEL CONFIG SET a b",
        "SENTINEL CONFIG SET resolve-hostnames maybe", "SENTINEL CONFIG SET announce-port 70000",
        "SENTINEL SET m notification-script /bin/ls", "SENTINEL INFO-CACHE x", "PUBLISH a b", "SET a b", "GET",
        "PING a b", "PING a", "SHUTDOWN foo", "AUTH x", "HELLO 9", "HELLO x", "CLIENT foo", "CLIENT SETNAME",
        "SENTINEL FAILOVER m", "SENTINEL CKQUORUM m", "SENTINEL RESET y*", "ROLE", "CLIENT KILL 1.1.1.1:1",
        "SENTINEL SET m auth-pass a b", "SENTINEL FLUSHCONFIG", "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 1 0",
        "SUBSCRIBE", "INFO sentinel x", "COMMAND foo",
    ]  # fmt: skip
    with start_redis_server(tmp_path) as primary:
        line = f"sentinel monitor {GROUP} {HOST} {primary.port} 2"
        with start_sentinel(tmp_path, line) as ours, start_redis_sentinel(tmp_path, line) as theirs:
            for question in questions:
                expected, reply = (str(server.call(*question.split())) for server in (theirs, ours))
                if not question.startswith("INFO"):
                    assert reply == expected, question
                else:
                    assert "name=m,status=ok" in reply and "name=m,status=ok" in expected


def test_redis_cli_talks_to_it(tmp_path: Path) -> None:
    with start_redis_server(tmp_path) as primary:
        with start_sentinel(tmp_path, f"sentinel monitor {GROUP} {HOST} {primary.port} 1") as sentinel:
            command = ["redis-cli", "-3", "-p", str(sentinel.port), "SENTINEL", "MASTER", GROUP]
            output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout
        assert f"ip\n{HOST}" in output or f'"ip" => "{HOST}"' in output or f"ip {HOST}" in output
