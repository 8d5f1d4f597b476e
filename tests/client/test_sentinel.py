"""Finding and following a primary that real sentinels watch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from attrs import frozen

from tests.conftest import require_redis_server
from tests.processes import HOST, ServerProcess, free_port, start_redis_sentinel, start_redis_server, wait_until
from trivet_client import ClusterUnavailable, SentinelClient

DOWN_AFTER_MS = 500


@frozen
class Group:
    """A primary, its replicas and the sentinels."""

    primary: ServerProcess
    replicas: list[ServerProcess]
    sentinels: list[ServerProcess]

    def client(self) -> SentinelClient:
        return SentinelClient([sentinel.address for sentinel in self.sentinels])


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    require_redis_server()
    servers: list[ServerProcess] = []
    try:
        primary = start_redis_server(tmp_path, "--repl-diskless-sync-delay", "0")
        servers.append(primary)
        for _ in range(2):
            servers.append(start_redis_server(tmp_path, "--replicaof", f"{HOST} {primary.port}"))
        lines = [
            f"sentinel monitor mine {HOST} {primary.port} 2",
            f"sentinel down-after-milliseconds mine {DOWN_AFTER_MS}",
            "sentinel failover-timeout mine 5000",
        ]
        for _ in range(3):
            servers.append(start_redis_sentinel(tmp_path, *lines))
        group = Group(primary, servers[1:3], servers[3:])
        wait_until(lambda: all(knows_all(sentinel) for sentinel in group.sentinels), 20, "the sentinels know all")
        yield group
    finally:
        for server in servers:
            server.kill()


def knows_all(sentinel: ServerProcess) -> bool:
    """Say whether a sentinel sees both replicas in sync and the two other sentinels."""
    replicas = [fields(each) for each in sentinel.call("SENTINEL", "REPLICAS", "mine")]
    linked = [replica for replica in replicas if replica.get(b"master-link-status") == b"ok"]
    return len(linked) == 2 and len(sentinel.call("SENTINEL", "SENTINELS", "mine")) == 2


def fields(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


async def test_the_primary_and_the_replicas_are_found(group: Group) -> None:
    sentinels = group.client()
    assert await sentinels.primary_address("mine") == group.primary.address
    assert sorted(await sentinels.replica_addresses("mine")) == sorted(each.address for each in group.replicas)


async def test_dead_sentinels_are_passed_over(group: Group) -> None:
    sentinels = SentinelClient([(HOST, free_port()), (HOST, free_port()), group.sentinels[0].address])
    with trio.fail_after(1):
        assert await sentinels.primary_address("mine") == group.primary.address


async def test_an_unknown_name_is_said_to_be_unknown(group: Group) -> None:
    with pytest.raises(ClusterUnavailable, match="does not know 'other'"):
        await group.client().primary_address("other")


async def test_a_client_follows_the_primary_through_a_failover(group: Group) -> None:
    async with group.client().client("mine", retry_timeout_s=20) as client:
        assert await client.set("before", 1) is True
        async with client.connection() as connection:
            assert await connection.call("SET", "before", 2) == b"OK"
            assert await connection.call("WAIT", 2, 5000) == 2
        group.primary.kill()
        assert await client.set("after", 3) is True
        assert await client.mget("before", "after") == [b"2", b"3"]
        (primary,) = client.topology.primaries
        assert primary in [each.address for each in group.replicas]


async def test_replicas_answer_reads_if_wished(group: Group) -> None:
    async with group.client().client("mine", read_from_replicas=True, decode_responses=True) as client:
        await client.set("k", "v")
        async with client.connection() as connection:
            await connection.call("SET", "k", "w")
            assert await connection.call("WAIT", 2, 5000) == 2
        assert [await client.get("k") for _ in range(10)] == ["w"] * 10
        hits = [b"keyspace_hits:0\r\n" not in bytes(each.call("INFO", "stats")) for each in group.replicas]
        assert any(hits)
