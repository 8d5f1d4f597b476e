"""The client against a whole cluster in good health, and while slots move."""

import random
import re
from collections.abc import AsyncIterator

import pytest
import trio

from tests.clusters import RunningCluster
from tests.processes import HOST, wait_until
from trivet_client import ClusterClient, CrossSlotError, Message, ServerError
from trivet_wire.connection import ErrorReply
from trivet_wire.slots import key_slot


@pytest.fixture
async def client(cluster: RunningCluster) -> AsyncIterator[ClusterClient[bytes]]:
    async with ClusterClient(cluster.startup_nodes[:1], choice=random.Random(3)) as client:
        await client.flushall()
        yield client


async def test_keys_of_all_shards(client: ClusterClient[bytes], cluster: RunningCluster) -> None:
    for number in range(100):
        assert await client.set(f"key:{number}", number) is True
    assert [await client.get(f"key:{number}") for number in range(100)] == [b"%d" % number for number in range(100)]
    assert await client.dbsize() == 100
    assert len(await client.keys("key:*")) == 100
    assert (await client.randomkey() or b"").startswith(b"key:")
    assert sorted(address.port for address in client.topology.primaries) == cluster.primary_ports()


async def test_string_commands(client: ClusterClient[bytes]) -> None:
    assert await client.set("s", "v", nx=True) is True
    assert await client.set("s", "w", nx=True) is False
    assert await client.set("s", "w", xx=True, ex=100) is True
    assert await client.set_get("s", "x", keepttl=True) == b"w"
    assert 0 < await client.ttl("s") <= 100
    assert await client.getex("s", persist=True) == b"x"
    assert await client.ttl("s") == -1
    assert await client.getset("s", "0123") == b"x"
    assert await client.append("s", "45") == 6
    assert await client.strlen("s") == 6
    assert await client.getrange("s", 1, -2) == b"1234"
    assert await client.setrange("s", 5, "xyz") == 8
    assert await client.getdel("s") == b"01234xyz"
    assert await client.get("s") is None
    assert await client.setnx("s", 1) is True
    assert await client.setex("s", 10, "v") is True
    assert await client.psetex("s", 10_000, "v") is True
    assert await client.incr("n") == 1
    assert await client.incrby("n", 5) == 6
    assert await client.decr("n") == 5
    assert await client.decrby("n", 2) == 3
    assert await client.incrbyfloat("n", 0.5) == 3.5
    assert await client.mset({"{t}a": "ohmytext", "{t}b": "mynewtext"}) is True
    assert await client.mget("{t}a", "{t}missing", "{t}b") == [b"ohmytext", None, b"mynewtext"]
    assert await client.msetnx({"{t}b": 1, "{t}c": 2}) is False
    assert await client.lcs("{t}a", "{t}b") == b"mytext"


async def test_key_commands(client: ClusterClient[bytes]) -> None:
    await client.mset({"{k}a": 1, "{k}b": 2})
    assert await client.exists("{k}a", "{k}b", "{k}b", "{k}c") == 3
    assert await client.touch("{k}a", "{k}c") == 1
    assert await client.type("{k}a") == b"string"
    assert await client.copy("{k}a", "{k}c") is True
    assert await client.copy("{k}a", "{k}c") is False
    assert await client.rename("{k}c", "{k}d") is True
    assert await client.renamenx("{k}d", "{k}a") is False
    assert await client.expire("{k}a", 100) is True
    assert await client.expire("{k}a", 50, "GT") is False
    assert 0 < await client.pttl("{k}a") <= 100_000
    assert await client.pexpire("{k}a", 50_000) is True
    assert await client.expireat("{k}a", 4_000_000_000) is True
    assert await client.expiretime("{k}a") == 4_000_000_000
    assert await client.pexpireat("{k}a", 4_000_000_000_123) is True
    assert await client.pexpiretime("{k}a") == 4_000_000_000_123
    assert await client.persist("{k}a") is True
    assert await client.persist("{k}a") is False
    assert await client.object_encoding("{k}a") == b"int"
    assert await client.object_idletime("{k}a") == 0
    assert isinstance(await client.object_refcount("{k}a"), int)
    assert await client.delete("{k}a") == 1
    assert await client.unlink("{k}b", "{k}d", "{k}e") == 2


async def test_server_commands(client: ClusterClient[bytes]) -> None:
    assert await client.ping() == b"PONG"
    assert await client.ping("x") == b"x"
    assert await client.echo("y") == b"y"
    seconds, microseconds = await client.time()
    assert seconds > 1_600_000_000
    assert 0 <= microseconds < 1_000_000
    assert (await client.info("server"))["redis_version"].startswith("7.0")
    assert await client.config_get("maxmemory") == {b"maxmemory": b"0"}
    assert await client.execute("CLUSTER", "KEYSLOT", "foo") == 12182


async def test_text_instead_of_bytes(cluster: RunningCluster) -> None:
    async with ClusterClient(cluster.startup_nodes, decode_responses=True) as client:
        await client.set("text", "grün")
        value: str | None = await client.get("text")
        assert value == "grün"
        assert await client.mget_nonatomic("text", "nothing") == ["grün", None]
        assert "text" in [key async for key in client.scan_iter()]
        async with client.pipeline() as pipeline:
            pipeline.get("text")
            assert await pipeline.execute() == ["grün"]
        assert await client.config_get("maxmemory") == {"maxmemory": "0"}


async def test_pipelines_are_split_and_answered_in_order(client: ClusterClient[bytes]) -> None:
    async with client.pipeline() as pipeline:
        for number in range(5000):
            pipeline.set(f"p:{number}", number)
            pipeline.get(f"p:{number}")
        promise = pipeline.incr("p:7")
        assert len(pipeline) == 10_001
        results = await pipeline.execute()
        assert len(pipeline) == 0
    assert results[0:10_000:2] == [True] * 5000
    assert results[1:10_000:2] == [b"%d" % number for number in range(5000)]
    assert results[-1] == await promise == 8


async def test_errors_of_a_pipeline_are_raised_or_returned(client: ClusterClient[bytes]) -> None:
    async with client.pipeline() as pipeline:
        pipeline.set("word", "v")
        failing = pipeline.incr("word")
        pipeline.get("word")
        results = await pipeline.execute(raise_on_error=False)
        assert results[::2] == [True, b"v"]
        assert isinstance(results[1], ServerError)
        with pytest.raises(ServerError, match="not an integer"):
            await failing
        pipeline.command("INCRBY", "word", "x")
        with pytest.raises(ServerError):
            await pipeline.execute()
        with pytest.raises(CrossSlotError):
            pipeline.mget("a", "b")
        early = pipeline.get("word")
        with pytest.raises(RuntimeError, match="not been executed"):
            await early


async def test_keys_of_several_slots(client: ClusterClient[bytes]) -> None:
    values = {f"m:{number}": number for number in range(50)}
    with pytest.raises(CrossSlotError):
        await client.mset(dict(values))
    await client.mset_nonatomic(dict(values))
    assert await client.mget_nonatomic(*values, "nothing") == [b"%d" % value for value in values.values()] + [None]
    assert await client.exists_nonatomic(*values, "m:0", "nothing") == 51
    assert await client.touch_nonatomic(*values) == 50
    assert await client.unlink_nonatomic("m:0", "m:1") == 2
    assert await client.delete_nonatomic(*values) == 48


async def test_scanning_finds_every_key_of_every_shard(client: ClusterClient[bytes]) -> None:
    await client.mset_nonatomic({f"scan:{number}": 1 for number in range(1000)} | {"other": 1})
    found = [key async for key in client.scan_iter(match="scan:*", count=50)]
    assert set(found) == {b"scan:%d" % number for number in range(1000)}
    assert len([key async for key in client.scan_iter(type="list")]) == 0


async def test_commands_for_all_primaries(client: ClusterClient[bytes], cluster: RunningCluster) -> None:
    replies = await client.execute_on_primaries("PING")
    assert sorted(address.port for address in replies) == cluster.primary_ports()
    assert list(replies.values()) == [b"PONG"] * 3


async def test_transactions_on_a_connection_of_ones_own(client: ClusterClient[bytes]) -> None:
    async with client.connection("foo") as connection:
        assert await connection.call("WATCH", "foo") == b"OK"
        assert await connection.call("MULTI") == b"OK"
        assert await connection.call("INCR", "foo") == b"QUEUED"
        await client.set("foo", "5")
        assert await connection.call("EXEC") is None
        assert isinstance(await connection.call("EXEC"), ErrorReply)
    with pytest.raises(ValueError, match="concerns one connection"):
        await client.execute("MULTI")


async def test_messages_of_channels_and_patterns(client: ClusterClient[bytes]) -> None:
    received: list[Message[bytes]] = []
    async with client.subscribe("news", "other", patterns=["n?ws"]) as messages:
        for number in range(3):
            await client.publish("news", number)
        with trio.fail_after(5):
            async for message in messages:
                received.append(message)
                if len(received) == 6:
                    break
    assert [message.data for message in received if message.pattern is None] == [b"0", b"1", b"2"]
    assert [message.data for message in received if message.pattern == b"n?ws"] == [b"0", b"1", b"2"]
    assert {message.channel for message in received} == {b"news"}


async def test_a_subscription_survives_the_loss_of_its_connection(
    client: ClusterClient[bytes], cluster: RunningCluster
) -> None:
    async with client.subscribe("news") as messages, trio.open_nursery() as nursery:

        async def publish_until_cancelled() -> None:
            while True:
                await client.publish("news", "again")
                await trio.sleep(0.02)

        for port in cluster.ports:
            cluster.call(port, "CLIENT", "KILL", "TYPE", "pubsub")
        nursery.start_soon(publish_until_cancelled)
        with trio.fail_after(5):
            assert (await messages.__anext__()).data == b"again"
        nursery.cancel_scope.cancel()


async def test_reading_from_replicas(cluster: RunningCluster) -> None:
    key = "key:1"
    replica = cluster.replica_port(key.encode())
    async with ClusterClient(cluster.startup_nodes, read_from_replicas=True) as client:
        await client.set(key, "v")
        async with client.connection(key) as primary:
            await primary.call("SET", key, "w")
            assert await primary.call("WAIT", 1, 5000) == 1
        before = reads_of(cluster, replica)
        assert [await client.get(key) for _ in range(20)] == [b"w"] * 20
        assert reads_of(cluster, replica) >= before + 20
        assert len([each async for each in client.scan_iter()]) == await client.dbsize()


def reads_of(cluster: RunningCluster, port: int) -> int:
    """Return how many GETs a node has answered."""
    lines = bytes(cluster.call(port, "INFO", "commandstats")).split(b"\r\n")
    calls = [line.partition(b"calls=")[2].partition(b",")[0] for line in lines if line.startswith(b"cmdstat_get:")]
    return int(calls[0]) if calls else 0


class MovingSlot:
    """One slot on its way from its node to another and back."""

    def __init__(self, cluster: RunningCluster, key: bytes) -> None:
        self._cluster = cluster
        self.slot = int(key_slot(key))
        self.source = cluster.primary_port(key)
        self.target = next(port for port in cluster.primary_ports() if port != self.source)

    def begin(self) -> None:
        """Mark the slot as moving: the source asks for it elsewhere as its keys leave."""
        source_id, target_id = self._cluster.node_id(self.source), self._cluster.node_id(self.target)
        self.setslot(self.target, "IMPORTING", source_id)
        self.setslot(self.source, "MIGRATING", target_id)

    def move_keys(self, *keys: bytes) -> None:
        """Move keys of the slot to the target."""
        assert self._cluster.call(self.source, "MIGRATE", HOST, self.target, "", 0, 5000, "KEYS", *keys) == b"OK"

    def give(self, owner: int) -> None:
        """Make `owner` serve the slot, in the eyes of all primaries."""
        for port in (owner, *(port for port in self._cluster.primary_ports() if port != owner)):
            self.setslot(port, "NODE", self._cluster.node_id(owner))

    def count_refusals(self) -> int:
        """Return how many requests both nodes have answered with TRYAGAIN."""
        statistics = b"".join(
            bytes(self._cluster.call(port, "INFO", "errorstats")) for port in (self.source, self.target)
        )
        return sum(int(count) for count in re.findall(rb"errorstat_TRYAGAIN:count=(\d+)", statistics))

    def setslot(self, port: int, state: str, node_id: bytes) -> None:
        """Send CLUSTER SETSLOT."""
        assert self._cluster.call(port, "CLUSTER", "SETSLOT", self.slot, state, node_id) == b"OK"


@pytest.fixture
def moving(cluster: RunningCluster) -> MovingSlot:
    if cluster.kind != "redis":
        pytest.skip("only redis-server can move slots so far")
    return MovingSlot(cluster, b"{m}")


async def test_slots_that_move_under_the_client(moving: MovingSlot, client: ClusterClient[bytes]) -> None:
    await client.mset({"{m}gone": 1, "{m}here": 2})
    moving.begin()
    try:
        moving.move_keys(b"{m}gone")
        assert await client.get("{m}gone") == b"1"
        assert await client.get("{m}here") == b"2"
        assert await client.set("{m}new", 3) is True

        async with trio.open_nursery() as nursery:
            results: list[list[bytes | None]] = []
            refusals_before = moving.count_refusals()

            async def read_both() -> None:
                results.append(await client.mget("{m}gone", "{m}here"))

            nursery.start_soon(read_both)
            await trio.to_thread.run_sync(
                wait_until,
                lambda: moving.count_refusals() > refusals_before,
                10,
                "while each node has one of the keys, it says TRYAGAIN",
            )
            assert results == []
            moving.move_keys(b"{m}here")
        assert results == [[b"1", b"2"]]
        moving.give(moving.target)
        assert await client.get("{m}here") == b"2"
        owner = client.topology.owners[moving.slot]
        assert owner is not None
        assert owner.primary.port == moving.target
    finally:
        await client.flushall()
        moving.give(moving.source)
