"""The client through failovers of a real cluster: what an application sees."""

import contextlib
import os
import signal

import hiredis
import trio
from attrs import define, field

from tests.clusters import RunningCluster
from trivet_client import ClientError, ClusterClient

WRITERS = 8
HEALING_TIMEOUT_S = 20.0
# How much later than the cluster itself a client may be back, on a machine that runs other tests beside this one.
CLIENT_DELAY_S = 4.0


@define
class Load:
    """Writers that count, and what they saw."""

    acknowledged: dict[str, int] = field(factory=dict)
    errors: list[ClientError] = field(factory=list)
    last_success_s: dict[str, float] = field(factory=dict)
    progress: trio.Condition = field(factory=trio.Condition)

    async def write(self, client: ClusterClient[bytes], key: str) -> None:
        """Write growing numbers to `key` until cancelled."""
        number = 0
        while True:
            number += 1
            try:
                await client.set(key, number)
            except ClientError as error:
                self.errors.append(error)
                continue
            self.acknowledged[key] = number
            self.last_success_s[key] = trio.current_time()
            async with self.progress:
                self.progress.notify_all()
            await trio.sleep(0.002)

    async def wait_for_success_after(self, moment_s: float) -> None:
        """Wait until every key was written after `moment_s`."""
        with trio.fail_after(HEALING_TIMEOUT_S):
            async with self.progress:
                while len(self.last_success_s) < WRITERS or min(self.last_success_s.values()) < moment_s:
                    await self.progress.wait()


async def wait_until_served(cluster: RunningCluster, port: int, key: str) -> float:
    """Wait until the node at `port` serves `key` itself; return when that was."""

    async def is_served() -> bool:
        with contextlib.suppress(OSError):
            reply = await trio.to_thread.run_sync(cluster.call, port, "GET", key)
            return not isinstance(reply, hiredis.ReplyError)
        return False

    with trio.fail_after(HEALING_TIMEOUT_S):
        while not await is_served():  # noqa: ASYNC110 (another process has no event to wait for)
            await trio.sleep(0.01)
    return trio.current_time()


async def run_load_through(cluster: RunningCluster, number: signal.Signals) -> tuple[Load, dict[str, bytes | None]]:
    """Write to all shards, send a signal to a primary, wait until all are written again; return what is stored then."""
    load = Load()
    keys = [f"key:{writer}" for writer in range(WRITERS)]
    victim, heir = cluster.primary_port(keys[0].encode()), cluster.replica_port(keys[0].encode())
    async with ClusterClient(cluster.startup_nodes, retry_timeout_s=HEALING_TIMEOUT_S) as client:
        async with trio.open_nursery() as nursery:
            for key in keys:
                nursery.start_soon(load.write, client, key)
            await load.wait_for_success_after(trio.current_time())
            cluster.send_signal(victim, number)
            cluster_healed_s = await wait_until_served(cluster, heir, keys[0])
            await load.wait_for_success_after(cluster_healed_s)
            assert trio.current_time() < cluster_healed_s + CLIENT_DELAY_S
            nursery.cancel_scope.cancel()
        stored = {key: await client.get(key) for key in keys}
        assert victim not in [address.port for address in client.topology.primaries]
    return load, stored


def assert_nothing_lost(load: Load, stored: dict[str, bytes | None]) -> None:
    """Each key had one writer, so what is stored is its last acknowledged number, or the one under way in the end."""
    assert load.errors == []
    for key, number in load.acknowledged.items():
        assert int(stored[key] or 0) in (number, number + 1)


async def test_kill_9_of_a_primary_under_load_is_seen_as_a_pause_only(own_cluster: RunningCluster) -> None:
    load, stored = await run_load_through(own_cluster, signal.SIGKILL)
    assert_nothing_lost(load, stored)


async def test_a_frozen_primary_is_left_when_the_cluster_leaves_it(own_cluster: RunningCluster) -> None:
    pid = own_cluster.pid(own_cluster.primary_port(b"key:0"))
    try:
        load, stored = await run_load_through(own_cluster, signal.SIGSTOP)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert_nothing_lost(load, stored)
