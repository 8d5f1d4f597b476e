"""A cluster with an inside and an outside: every client is told addresses of the side that it came in through."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from redis.cluster import RedisCluster

from tests.conftest import require_redis_server
from tests.processes import HOST, ServerProcess, call, free_port, start_sentinel, start_trivet_node, wait_until
from trivet_deploy.launcher.formation import Layout, Member, form, wait_until_ready
from trivet_deploy.network import Endpoint

# Both name this machine here, as they would not in a network of containers; only the names matter to the nodes.
OUTSIDE = "127.0.0.2"


class Side:
    """A node by its process and the port of its outside."""

    def __init__(self, directory: Path) -> None:
        self.external_port = free_port()
        self.options = [
            *("--cluster-enabled", "yes", "--cluster-announce-ip", HOST),
            *("--external-port", str(self.external_port), "--external-endpoint", f"{OUTSIDE}:{self.external_port}"),
            # Both sides of this machine.
            *("--bind", HOST, OUTSIDE),
        ]
        self.node: ServerProcess = start_trivet_node(directory, *self.options)


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[list[Side]]:
    started: list[Side] = []
    try:
        for _ in range(2):
            started.append(Side(tmp_path))
        yield started
    finally:
        for side in started:
            side.node.kill()


async def form_cluster(sides: list[Side]) -> None:
    members = tuple(Member(f"node-{side.node.port}", Endpoint(*side.node.address)) for side in sides)
    await form(Layout(members, ()), 20.0)
    await wait_until_ready(Layout(members, ()), 20.0)
    wait_until(lambda: outside_is_known(sides), 10.0, "gossip brings the external endpoints")


def outside_is_known(sides: list[Side]) -> bool:
    return all(b"external-endpoint" in each for each in shard_nodes(sides[0].node.port))


def shard_nodes(port: int) -> list[list[bytes]]:
    return [node for shard in call(port, "CLUSTER", "SHARDS") for node in shard[3]]


def test_redirections_and_maps_stay_on_the_clients_side(sides: list[Side]) -> None:
    trio.run(form_cluster, sides)
    first, second = sides
    key = next(key for key in map(str, range(100)) if "MOVED" in str(call(first.node.port, "GET", key)))
    assert str(call(first.node.port, "GET", key)).endswith(f" {HOST}:{second.node.port}")
    assert str(call(first.external_port, "GET", key)).endswith(f" {OUTSIDE}:{second.external_port}")
    inside = {(range_[2][0], range_[2][1]) for range_ in call(first.node.port, "CLUSTER", "SLOTS")}
    outside = {(range_[2][0], range_[2][1]) for range_ in call(first.external_port, "CLUSTER", "SLOTS")}
    assert inside == {(HOST.encode(), side.node.port) for side in sides}
    assert outside == {(OUTSIDE.encode(), side.external_port) for side in sides}
    nodes = call(first.external_port, "CLUSTER", "NODES").decode()
    assert all(f"{OUTSIDE}:{side.external_port}@" in nodes for side in sides)


def test_the_outside_of_every_node_survives_a_restart(sides: list[Side]) -> None:
    trio.run(form_cluster, sides)
    first, second = sides
    second.node.kill()
    first.node.kill()
    first.node.start()
    assert all(b"external-endpoint" in each for each in shard_nodes(first.node.port)), "read from nodes.conf"


def test_cluster_clients_work_from_either_side(sides: list[Side]) -> None:
    require_redis_server()
    trio.run(form_cluster, sides)
    first, _ = sides
    for host, port in (first.node.address, (OUTSIDE, first.external_port)):
        with RedisCluster(host=host, port=port, decode_responses=True) as client:
            assert all(client.set(f"{host}:{number}", number) for number in range(50))
            assert {node.host for node in client.get_nodes()} == {host}
        for number in range(20):
            command = ["redis-cli", "-c", "-h", host, "-p", str(port), "get", f"{host}:{number}"]
            assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{number}\n"


def test_sentinels_tell_clients_from_outside_the_external_endpoints(sides: list[Side], tmp_path: Path) -> None:
    trio.run(form_cluster, sides)
    external_port = free_port()
    lines = [f"sentinel monitor-cluster trivet {HOST} {sides[0].node.port} 1", f"external-port {external_port}"]
    with start_sentinel(tmp_path, *lines) as sentinel:
        wait_until(lambda: len(sentinel.call("SENTINEL", "MASTERS")) == 2, 10.0, "the sentinel knows both shards")
        for fields in call(external_port, "SENTINEL", "MASTERS"):
            master = dict(zip(fields[::2], fields[1::2], strict=True))
            assert master[b"ip"].decode() == OUTSIDE
            assert int(master[b"port"]) in {side.external_port for side in sides}
            told = call(external_port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", master[b"name"])
            assert told == [master[b"ip"], master[b"port"]]
            inside = sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master[b"name"])
            assert (inside[0].decode(), int(inside[1])) in {side.node.address for side in sides}


def test_an_endpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="external-endpoint must be of the form host:port"):
        start_trivet_node(tmp_path, "--external-endpoint", "7001")
