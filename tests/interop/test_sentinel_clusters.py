"""Sentinels over whole clusters: a real redis-server one, and ours as `trivet up` starts it."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import RunningCluster, redis_cluster, trivet_cluster
from tests.conftest import require_redis_server
from tests.processes import HOST, ServerProcess, call, free_port, start_sentinel, wait_until

DOWN_AFTER_MS = 1000


@contextlib.contextmanager
def watched(directory: Path, cluster: RunningCluster, options: tuple[str, ...] = ()) -> Iterator[list[ServerProcess]]:
    """Run three sentinels over `cluster`; wait until each knows all shards, replicas and sentinels."""
    lines = [f"sentinel monitor-cluster c {HOST} {cluster.ports[-1]} 2", *options]
    lines.append(f"sentinel down-after-milliseconds c {DOWN_AFTER_MS}")
    with contextlib.ExitStack() as stack:
        sentinels = [stack.enter_context(start_sentinel(directory, *lines)) for _ in range(3)]
        for sentinel in sentinels:
            wait_until(lambda s=sentinel: knows_everything(s), 20, "the sentinels know everything")
        yield sentinels


def masters(sentinel: ServerProcess) -> dict[str, dict[str, str]]:
    """Return SENTINEL MASTERS by name."""
    shards = [[part.decode() for part in flat] for flat in sentinel.call("SENTINEL", "MASTERS")]
    return {flat[1]: dict(zip(flat[::2], flat[1::2], strict=True)) for flat in shards}


def knows_everything(sentinel: ServerProcess) -> bool:
    shards = masters(sentinel).values()
    counts = {(shard["num-slaves"], shard["num-other-sentinels"], shard["role-reported"]) for shard in shards}
    return len(shards) == 3 and counts == {("1", "2", "master")}


def ports(sentinel: ServerProcess) -> dict[str, int]:
    """Return the port of each shard's primary."""
    return {name: int(fields["port"]) for name, fields in masters(sentinel).items()}


def count_primaries(among: list[int]) -> int:
    """Return how many of the nodes at these ports say that they are primaries."""
    return sum(call(port, "ROLE")[0] == b"master" for port in among)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RunningCluster]:
    """A real redis-server cluster that leaves failover to the sentinels."""
    require_redis_server()
    with redis_cluster(tmp_path / "nodes", "--cluster-replica-no-failover", "yes") as running:
        yield running


def test_every_shard_of_a_redis_cluster_is_monitored_and_failed_over(cluster: RunningCluster, tmp_path: Path) -> None:
    with watched(tmp_path, cluster) as sentinels:
        before = ports(sentinels[0])
        assert sorted(before) == ["c-00000000", "c-00001555", "c-00002aab"]
        assert sorted(before.values()) == cluster.primary_ports()
        victim = before["c-00001555"]
        killed = time.monotonic()
        cluster.kill(victim)
        survivors = [port for port in cluster.ports if port != victim]
        wait_until(lambda: count_primaries(survivors) == 3, 20, "a replica took over")
        assert time.monotonic() - killed < 10
        for sentinel in sentinels:
            wait_until(lambda s=sentinel: ports(s)["c-00001555"] != victim, 10, "all sentinels know it")
        after = ports(sentinels[0])
        assert {name: after[name] for name in after if name != "c-00001555"} == {
            name: before[name] for name in before if name != "c-00001555"
        }
        assert any("refuses epoch" in sentinel.log() for sentinel in sentinels), "Redis knows no epoch in TAKEOVER"


def test_what_an_operator_moves_is_followed(cluster: RunningCluster, tmp_path: Path) -> None:
    with watched(tmp_path, cluster) as sentinels:
        name, old = sorted(ports(sentinels[0]).items())[0]
        new = cluster.replica_port(cluster.key_of(old))
        assert call(new, "CLUSTER", "FAILOVER") == b"OK"
        for sentinel in sentinels:
            wait_until(lambda s=sentinel: ports(s)[name] == new, 20, "the sentinels follow")
            assert "+try-failover" not in sentinel.log()


def test_a_restarted_sentinel_remembers_the_shards_and_needs_no_seed(cluster: RunningCluster, tmp_path: Path) -> None:
    seed = cluster.ports[-1]
    with watched(tmp_path, cluster) as sentinels:
        before = ports(sentinels[0])
        name, victim = next(
            (name, port) for name, port in before.items() if cluster.replica_port(cluster.key_of(port)) != seed
        )
        sentinels[0].kill()
        cluster.kill(seed)
        sentinels[0].start()
        assert ports(sentinels[0]) == before
        cluster.kill(victim)
        wait_until(lambda: ports(sentinels[0])[name] != victim, 20, "it takes part in the failover")


def test_a_shard_of_our_cluster_keeps_its_name_through_a_failover(tmp_path: Path) -> None:
    with trivet_cluster(tmp_path / "cluster") as cluster, watched(tmp_path, cluster) as sentinels:
        before = ports(sentinels[0])
        assert sorted(before.values()) == cluster.primary_ports()
        name, victim = sorted(before.items())[0]
        cluster.kill(victim)
        for sentinel in sentinels:
            wait_until(lambda s=sentinel: ports(s)[name] != victim, 20, "all sentinels name the new primary")
        wait_until(
            lambda: len(cluster.primary_ports()) == 3 and victim not in cluster.primary_ports(), 10, "slots move"
        )
        assert set(ports(sentinels[0])) == set(before), "a shard keeps its name through a failover"


def test_a_seed_that_nobody_answers_at_does_no_harm(tmp_path: Path) -> None:
    with start_sentinel(tmp_path, f"sentinel monitor-cluster c {HOST} {free_port()} 1") as sentinel:
        assert sentinel.call("SENTINEL", "MASTERS") == []
        assert b"sentinel_clusters:c" in sentinel.call("INFO", "sentinel")
        assert sentinel.stop() == 0
