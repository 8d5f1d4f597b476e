"""Clusters of real processes, driven by redis-cli and redis-py as users drive them."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py
from redis.cluster import ClusterNode, LoadBalancingStrategy, RedisCluster

from tests.conftest import require_redis_server
from tests.processes import HOST, ServerProcess, read_reply, start_server, wait_until

NODE = [sys.executable, "-m", "trivet_node"]
NODE_TIMEOUT_MS = 1000


def start_node(directory: Path, *options: str) -> ServerProcess:
    mode = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS))
    return start_server(NODE, directory, *mode, *options)


@contextlib.contextmanager
def nodes(directory: Path, count: int, *options: str) -> Iterator[list[ServerProcess]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(start_node(directory, *options)) for _ in range(count)]


def cli(*arguments: str | int, standard_input: str = "") -> str:
    done = subprocess.run(
        ["redis-cli", *map(str, arguments)],
        input=standard_input,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def create(servers: list[ServerProcess], replicas: int) -> None:
    """Form a cluster with redis-cli, and wait until all nodes are content and in sync."""
    addresses = [f"{HOST}:{server.port}" for server in servers]
    output = cli("--cluster", "create", *addresses, "--cluster-replicas", replicas, "--cluster-yes")
    assert "[OK] All 16384 slots covered." in output, output
    wait_until(lambda: all(is_ok(server) for server in servers), 10, "the cluster to be ok")
    wait_until(lambda: all(is_in_sync(server) for server in servers), 10, "the replicas to be in sync")
    wait_until(lambda: all(listed_nodes(server) == len(servers) for server in servers), 10, "all replicas to be listed")


def listed_nodes(server: ServerProcess) -> int:
    return sum(len(entry) - 2 for entry in server.call("CLUSTER", "SLOTS"))


def info(server: ServerProcess) -> dict[str, str]:
    lines = server.call("CLUSTER", "INFO").decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def is_ok(server: ServerProcess) -> bool:
    return info(server)["cluster_state"] == "ok"


def is_in_sync(server: ServerProcess) -> bool:
    role = server.call("ROLE")
    return role[0] == b"master" or role[3] == b"connected"


def replicas_of(servers: list[ServerProcess], primary: ServerProcess) -> list[ServerProcess]:
    lines = primary.call("CLUSTER", "REPLICAS", primary.call("CLUSTER", "MYID"))
    ports = {int(line.decode().split()[1].split(":")[1].split("@")[0]) for line in lines}
    return [server for server in servers if server.port in ports]


@pytest.fixture(scope="module")
def formed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServerProcess]]:
    """Six nodes as redis-cli makes a cluster of them; tests do them no harm."""
    require_redis_server()
    with nodes(tmp_path_factory.mktemp("cluster"), 6) as servers:
        create(servers, 1)
        yield servers


def test_redis_cli_finds_nothing_wrong(formed: list[ServerProcess]) -> None:
    output = cli("--cluster", "check", f"{HOST}:{formed[4].port}")
    assert "[OK] All nodes agree about slots configuration." in output, output
    assert "[OK] All 16384 slots covered." in output, output
    assert output.count("1 additional replica(s)") == 3, output


def test_redis_cli_follows_redirections(formed: list[ServerProcess]) -> None:
    lines = "".join(f"set key:{number} {number}\nget key:{number}\n" for number in range(20))
    output = cli("-c", "-p", formed[3].port, standard_input=lines)
    answers = [line for line in output.splitlines() if not line.startswith("-> Redirected to slot")]
    assert answers == [word for number in range(20) for word in ("OK", str(number))]


def test_redis_py_reads_and_writes_everywhere(formed: list[ServerProcess]) -> None:
    client = RedisCluster(
        startup_nodes=[ClusterNode(HOST, formed[5].port)], load_balancing_strategy=LoadBalancingStrategy.ROUND_ROBIN
    )
    try:
        for number in range(100):
            assert client.set(f"python:{number}", number)
        for server in formed:
            wait_until(lambda server=server: is_in_sync(server), 5, "the replicas to be in sync")
        assert sum(int(client.get(f"python:{number}") or 0) for number in range(100)) == sum(range(100))
        pipeline = client.pipeline()
        for number in range(100):
            pipeline.delete(f"python:{number}")
        assert pipeline.execute() == [1] * 100
        assert len(client.get_primaries()) == 3
        assert len(client.get_replicas()) == 3
        assert len(client.cluster_shards()) == 3
        assert client.cluster_info()["cluster_state"] == "ok"
    finally:
        client.close()


def test_a_replica_serves_readers(formed: list[ServerProcess]) -> None:
    primary = next(server for server in formed if server.call("SET", "a", "1") == b"OK")
    [replica] = replicas_of(formed, primary)
    with redis_py.Redis(HOST, replica.port, single_connection_client=True) as reader:
        with pytest.raises(redis_py.ResponseError, match=f"15495 {HOST}:{primary.port}"):
            reader.execute_command("GET", "a")
        reader.execute_command("READONLY")
        wait_until(lambda: reader.execute_command("GET", "a") == b"1", 5, "the write to be replicated")
        with pytest.raises(redis_py.ResponseError, match=f"15495 {HOST}:{primary.port}"):
            reader.execute_command("SET", "a", "2")


def test_published_messages_are_heard_on_every_node(formed: list[ServerProcess]) -> None:
    with redis_py.Redis(HOST, formed[0].port) as listener, listener.pubsub() as subscription:
        subscription.subscribe("news")
        assert subscription.get_message(timeout=5)["type"] == "subscribe"
        for number, server in enumerate(formed):
            server.call("PUBLISH", "news", f"from {number}")
            message = subscription.get_message(timeout=5)
            assert message is not None
            assert message["data"] == f"from {number}".encode()


def test_a_message_is_heard_once_by_every_subscriber_of_the_cluster(formed: list[ServerProcess]) -> None:
    with contextlib.ExitStack() as stack:
        subscriptions = []
        for server in formed:
            client = stack.enter_context(redis_py.Redis(HOST, server.port))
            subscription = stack.enter_context(client.pubsub(ignore_subscribe_messages=True))
            subscription.subscribe("all")
            subscription.psubscribe("al?")
            subscriptions.append(subscription)
        for server in formed:
            wait_until(lambda server=server: server.call("PUBSUB", "NUMSUB", "all")[1] == 1, 5, "all to listen")
            wait_until(lambda server=server: server.call("PUBSUB", "NUMPAT") == 1, 5, "all to listen")
        for number in range(20):
            assert formed[number % 6].call("PUBLISH", "all", number) == 2
        formed[0].call("PUBLISH", "all", "end")
        for subscription in subscriptions:
            heard: list[bytes] = []
            wait_until(lambda s=subscription, h=heard: _hear(s, h).count(b"end") == 2, 10, "all messages")
            assert sorted(heard) == sorted(2 * [b"end", *(b"%d" % number for number in range(20))])


def _hear(subscription: redis_py.client.PubSub, heard: list[bytes]) -> list[bytes]:
    while (message := subscription.get_message(timeout=0.01)) is not None:
        heard.append(message["data"])
    return heard


def test_messages_of_a_shard_are_heard_by_its_primary_and_replica_and_by_nobody_else(
    formed: list[ServerProcess],
) -> None:
    primary = next(server for server in formed if server.call("SPUBLISH", "a", "x") == 0 and is_primary(server))
    [replica] = replicas_of(formed, primary)
    shard = [primary, replica]
    others = [server for server in formed if server not in shard]
    for server in others:
        assert str(server.call("SPUBLISH", "a", "x")) == f"MOVED 15495 {HOST}:{primary.port}"
        assert str(server.call("SSUBSCRIBE", "a")) == f"MOVED 15495 {HOST}:{primary.port}"
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_connection(server.address, 10)) for server in shard]
        for listener in listeners:
            listener.sendall(b"SSUBSCRIBE a\r\n")
            assert read_reply(listener) == [b"ssubscribe", b"a", 1]
        received = [messages_received(server) for server in formed]
        for publisher in shard:
            assert publisher.call("SPUBLISH", "a", "hello") == 1
            assert [read_reply(listener) for listener in listeners] == [[b"smessage", b"a", b"hello"]] * 2
        after = [messages_received(server) for server in formed]
        heard = [now - before for now, before in zip(after, received, strict=True)]
        assert heard == [int(server in shard) for server in formed]


def is_primary(server: ServerProcess) -> bool:
    return bool(server.call("ROLE")[0] == b"master")


def messages_received(server: ServerProcess) -> int:
    return int(info(server).get("cluster_stats_messages_publishshard_received", "0"))


def test_redis_py_hears_channels_of_shards(formed: list[ServerProcess]) -> None:
    client = RedisCluster(startup_nodes=[ClusterNode(HOST, formed[5].port)])
    try:
        subscription = client.pubsub()
        subscription.ssubscribe("a", "b")
        kinds = [subscription.get_sharded_message(timeout=5) for _ in range(2)]
        assert [message["type"] for message in kinds if message] == ["ssubscribe", "ssubscribe"]
        for channel in ("a", "b"):
            assert client.execute_command("SPUBLISH", channel, f"to {channel}") == 1
            message = subscription.get_sharded_message(timeout=5)
            assert message is not None
            assert (message["type"], message["data"]) == ("smessage", f"to {channel}".encode())
        subscription.close()
    finally:
        client.close()


def test_a_takeover_heals_the_cluster_at_once_and_the_old_primary_comes_back(tmp_path: Path) -> None:
    require_redis_server()
    with nodes(tmp_path, 6, "--cluster-replica-no-failover", "yes") as servers:
        create(servers, 1)
        primary = next(server for server in servers if server.call("SET", "a", "before") == b"OK")
        [replica] = replicas_of(servers, primary)
        shard_id = primary.call("CLUSTER", "MYSHARDID")
        others = [server for server in servers if server is not primary]
        wait_until(lambda: replica.call("DBSIZE") == 1, 5, "the write to be replicated")
        primary.kill()
        wait_until(lambda: not any(is_ok(server) for server in others), 5, "all to see the failure")

        current = int(info(replica)["cluster_current_epoch"])
        refused = replica.call("CLUSTER", "FAILOVER", "TAKEOVER", current)
        assert str(refused) == f"ERR stale epoch, current is {current}"
        assert replica.call("CLUSTER", "FAILOVER", "TAKEOVER", current + 7) == b"OK"
        wait_until(lambda: all(is_ok(server) for server in others), 5, "all to know of the takeover")
        assert {info(server)["cluster_current_epoch"] for server in others} == {str(current + 7)}
        assert replica.call("GET", "a") == b"before"
        assert replica.call("SET", "a", "after") == b"OK"
        assert replica.call("CLUSTER", "MYSHARDID") == shard_id

        primary.start()
        wait_until(lambda: primary.call("ROLE")[0] == b"slave", 5, "the old primary to follow the new one")
        wait_until(lambda: is_in_sync(primary), 10, "the old primary to be in sync")
        assert primary.call("CLUSTER", "MYSHARDID") == shard_id
        wait_until(lambda: all(is_ok(server) for server in servers), 10, "all to be well")


def test_a_cluster_without_sentinels_heals_itself(tmp_path: Path) -> None:
    require_redis_server()
    with nodes(tmp_path, 6) as servers:
        create(servers, 1)
        primary = next(server for server in servers if server.call("SET", "a", "1") == b"OK")
        [replica] = replicas_of(servers, primary)
        wait_until(lambda: replica.call("DBSIZE") == 1, 5, "the write to be replicated")
        primary.kill()
        wait_until(lambda: replica.call("SET", "a", "2") == b"OK", 10, "the replica to be elected")
        wait_until(lambda: all(is_ok(server) for server in servers if server is not primary), 5, "all to be ok")


def test_nodes_conf_survives_a_restart_of_everybody(tmp_path: Path) -> None:
    require_redis_server()
    with nodes(tmp_path, 3) as servers:
        create(servers, 0)
        before = [names_and_slots(server) for server in servers]
        for server in servers:
            server.kill()
        for server in servers:
            server.start()
        wait_until(lambda: all(is_ok(server) for server in servers), 10, "the cluster to be ok again")
        assert [names_and_slots(server) for server in servers] == before


def names_and_slots(server: ServerProcess) -> set[tuple[str, str, str]]:
    lines = [line.split() for line in server.call("CLUSTER", "NODES").decode().splitlines()]
    return {(words[0], words[6], " ".join(words[8:])) for words in lines}


def test_a_corrupt_nodes_conf_is_refused_and_left_alone(tmp_path: Path) -> None:
    server = start_node(tmp_path)
    server.call("CLUSTER", "ADDSLOTS", 1)
    server.kill()
    path = server.directory / "nodes.conf"
    path.write_text(path.read_text() + "garbage here\n")
    damaged = path.read_text()
    done = subprocess.run(server.command, cwd=server.directory, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"{path}: line 3: a node has at least 8 fields" in done.stdout + done.stderr
    assert path.read_text() == damaged


def test_the_bus_survives_strangers(tmp_path: Path) -> None:
    with start_node(tmp_path) as server:
        server.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        bus = server.port + 10000
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"*1\r\n$4\r\nPING\r\n", b"*99999999999\r\n", os.urandom(5000), b""):
            send_and_wait_for_the_end(bus, data)
        assert is_ok(server)


def send_and_wait_for_the_end(port: int, data: bytes) -> None:
    with socket.create_connection((HOST, port), 5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_a_bus_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with start_node(tmp_path) as server:
        second = [*NODE, "--port", "0", "--cluster-enabled", "yes", "--cluster-port", str(server.port + 10000)]
        done = subprocess.run(second, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 1
        assert "Failed listening on the cluster bus" in done.stdout + done.stderr
