"""`trivet demo`: a whole cluster in a temporary folder, under load; a primary is killed; the cluster heals.

Exit status 0 only if all 16384 slots serve again.
"""

import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import click
import trio
from rich.console import Console

from trivet_client import ClientError, ClusterClient
from trivet_deploy.drills.ledger import Ledger
from trivet_deploy.drills.listening import listen_to
from trivet_deploy.drills.recovery import Fault, kill_a_primary, wait_until_healed
from trivet_deploy.drills.screen import Scene, Screen
from trivet_deploy.drills.timeline import Timeline
from trivet_deploy.drills.verdict import Verdict, judge
from trivet_deploy.drills.workload import Workload, read_back, slots_not_served
from trivet_deploy.launcher.formation import NotReady
from trivet_deploy.launcher.plan import ClusterPlan, Shape, make_plan, slot_ranges
from trivet_deploy.launcher.processes import age_s, identify
from trivet_deploy.launcher.session import Cluster, LaunchError, launch, make_ready, stop
from trivet_deploy.launcher.state import ClusterState
from trivet_deploy.launcher.status import gather
from trivet_deploy.network import free_ports
from trivet_wire.failures import first_of
from trivet_wire.slots import SLOT_COUNT

_DOWN_AFTER_MS = 1000
_STEADY_S = 2.0
_HEAL_TIMEOUT_S = 30.0
_CHECK_TIMEOUT_S = 20.0
_STATUS_INTERVAL_S = 0.25


@click.command("demo")
@click.option("--seed", type=int, help="Chooses the primary to kill, for doing the same again.")
def demo(seed: int | None) -> None:
    """Break a cluster and watch it heal: kill -9 of a primary under load, on free ports, in a temporary folder."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="trivet-demo-") as folder:
        try:
            cluster = launch(Path(folder), ClusterState(_plan(), formed=False, processes={}), die_with_parent=True)
        except LaunchError as error:
            raise click.ClickException(str(error)) from error
        try:
            verdict = trio.run(_attend, cluster, console, random.Random(seed))
        except (LaunchError, NotReady) as error:
            raise click.ClickException(str(error)) from error
        finally:
            stop(cluster.plan, cluster.processes)
    if verdict is None:
        raise SystemExit(130)
    for line in verdict.lines():
        console.print(line, highlight=False, soft_wrap=True)
    raise SystemExit(0 if verdict.passed else 1)


def _plan() -> ClusterPlan:
    shape = Shape(down_after_ms=_DOWN_AFTER_MS, persistent=False)
    ports = free_ports(shape.node_count + shape.sentinels)
    return make_plan(shape, sorted(ports[: shape.node_count]), sorted(ports[shape.node_count :]))


async def _attend(cluster: Cluster, console: Console, choice: random.Random) -> Verdict | None:
    """Run the drill; None where the user interrupts it."""
    verdict = None
    with first_of(LaunchError, NotReady), trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_signal, signals, nursery.cancel_scope)
            await make_ready(cluster)
            ready_s = age_s(identify(os.getpid()))
            console.print(f"{len(cluster.processes)} processes ready in {ready_s:.1f} s", highlight=False)
            verdict = await _Drill(cluster, console, choice).run()
            nursery.cancel_scope.cancel()
    return verdict


async def _cancel_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


class _Drill:
    """One demonstration on a cluster that is ready."""

    def __init__(self, cluster: Cluster, console: Console, choice: random.Random) -> None:
        self._cluster = cluster
        self._choice = choice
        self._shares = slot_ranges(cluster.plan.shape.primaries)
        self._scene = Scene(len(self._shares), Ledger(), Timeline())
        self._screen = Screen(console, self._scene)
        # Events are told in seconds after the fault; until there is one, in seconds after the drill began.
        self._zero_s = trio.current_time()

    async def run(self) -> Verdict:
        """Load the cluster, break it, wait, and judge."""
        async with (
            ClusterClient(node.endpoint for node in self._cluster.plan.nodes) as client,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._screen.run)
            nursery.start_soon(self._watch_servers)
            for sentinel in self._cluster.plan.sentinels:
                nursery.start_soon(listen_to, sentinel.name, sentinel.endpoint, self._hear)
            fault = await self._break_under_load(client)
            self._screen.enter_phase("checking every acknowledged write and every slot")
            verdict = await self._judge(client, fault)
            nursery.cancel_scope.cancel()
        return verdict

    async def _break_under_load(self, client: ClusterClient[bytes]) -> Fault:
        async with trio.open_nursery() as load:
            load.start_soon(Workload(client, self._scene.ledger, self._shares).run)
            self._screen.enter_phase("writing and reading on every shard")
            await trio.sleep(_STEADY_S)
            fault = kill_a_primary(self._cluster, self._choice)
            self._zero_s = fault.moment_s
            self._screen.enter_phase(f"kill -9 {fault.node}, the primary of shard {fault.shard}")
            if await wait_until_healed(self._scene.ledger, fault, _HEAL_TIMEOUT_S):
                healed_s = trio.current_time() - fault.moment_s
                self._screen.enter_phase(f"shard {fault.shard} takes writes again {healed_s:.2f} s after the kill")
                await trio.sleep(_STEADY_S)
            load.cancel_scope.cancel()
        return fault

    async def _judge(self, client: ClusterClient[bytes], fault: Fault) -> Verdict:
        values: dict[bytes, bytes | None] = {}
        refused = SLOT_COUNT
        try:
            with trio.fail_after(_CHECK_TIMEOUT_S):
                refused = len(await slots_not_served(client))
                values = await read_back(client, self._scene.ledger.writes)
        except (ClientError, trio.TooSlowError) as error:
            self._scene.ledger.fail(error)
        return judge(self._scene.ledger, fault.shard, fault.moment_s, values, refused)

    def _hear(self, sentinel: str, event: str, text: str) -> None:
        entry = self._scene.timeline.add(trio.current_time() - self._zero_s, sentinel, event, text)
        if entry is not None:
            self._screen.tell(entry)

    async def _watch_servers(self) -> None:
        while True:
            running = {name: process for name, process in self._cluster.processes.items() if process.is_running()}
            self._scene.servers = await gather(self._cluster.plan, running)
            await trio.sleep(_STATUS_INTERVAL_S)
