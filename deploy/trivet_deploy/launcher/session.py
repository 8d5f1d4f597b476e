"""`trivet up` and `trivet down` from beginning to end, without a word about how it is shown.

prepare()    the plan of a folder: the one it holds already, or a new one
launch()     ports looked at, configuration files written, processes started
make_ready() formed (unless it has been) and ready, or an error that names what is wrong
stop()       every process ended, sentinels first
"""

import os
from collections.abc import Callable
from pathlib import Path

import attrs
import trio

from trivet_deploy.launcher import state as state_file
from trivet_deploy.launcher.fork import Program, start_all
from trivet_deploy.launcher.formation import NotReady, form, layout_of, wait_until_ready
from trivet_deploy.launcher.plan import ClusterPlan, NodePlan, SentinelPlan, node_config, sentinel_config
from trivet_deploy.launcher.processes import ProcessId, how_it_ended, log_tail, stop_all
from trivet_deploy.launcher.state import ClusterState
from trivet_deploy.network import can_listen
from trivet_wire.failures import first_of

NODE_ENTRY = "trivet_node.__main__:main"
SENTINEL_ENTRY = "trivet_sentinel.shell:main"
_READY_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 10.0


class LaunchError(Exception):
    """The cluster cannot be started or has failed; the message names the port or the process."""


@attrs.frozen
class Cluster:
    """A cluster whose processes have been started. `processes` maps the plan's names to them."""

    folder: Path
    plan: ClusterPlan
    processes: dict[str, ProcessId]
    formed: bool

    def log_path(self, name: str) -> Path:
        """Return where the process of this name logs."""
        return log_path(self.folder, name)


def log_path(folder: Path, name: str) -> Path:
    """Return where the process `name` of the cluster in `folder` logs."""
    return folder / name / "log"


def prepare(folder: Path, wanted: ClusterPlan) -> ClusterState:
    """Return what is to be started in `folder`. Raises LaunchError if it holds another cluster, or a running one."""
    existing = state_file.load(folder)
    if existing is None:
        return ClusterState(wanted, formed=False, processes={})
    if running := existing.running():
        names = ", ".join(f"{name} (process {process.pid})" for name, process in running.items())
        raise LaunchError(f"the cluster in {folder} is running: {names}")
    if existing.plan != wanted:
        raise LaunchError(
            f"{folder} holds a cluster of another shape or on other ports: {describe(existing.plan)}, wanted "
            f"{describe(wanted)}; give --dir another folder, or remove this one with its data"
        )
    return existing


def describe(plan: ClusterPlan) -> str:
    """Return a plan in a few words."""
    shape = plan.shape
    text = f"{shape.primaries} primaries with {shape.replicas} replicas each from port {plan.nodes[0].port}"
    if plan.sentinels:
        text += f", {shape.sentinels} sentinels from port {plan.sentinels[0].port}"
    return text + f" (down after {shape.down_after_ms} ms)"


def launch(folder: Path, state: ClusterState, die_with_parent: bool) -> Cluster:
    """Start every process of the cluster in `folder`. LaunchError if a port is in use or nothing can be written."""
    for port, use in state.plan.listening_ports().items():
        if not can_listen(port):
            raise LaunchError(f"port {port}, meant for {use}, is in use; --port and --sentinel-port choose others")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_configurations(folder.resolve(), state.plan)
        # On record before anything runs: what a launch that is cut short leaves behind is found by `trivet down`.
        state_file.save(folder, attrs.evolve(state, processes={}))
    except OSError as error:
        raise LaunchError(f"cannot write to {error.filename or folder}: {error.strerror}") from error
    names = [server.name for server in state.plan.servers]
    started = start_all(_programs(folder, state.plan), die_with_parent)
    processes = dict(zip(names, started, strict=True))
    state_file.save(folder, attrs.evolve(state, processes=processes))
    return Cluster(folder, state.plan, processes, state.formed)


async def make_ready(cluster: Cluster) -> None:
    """Form the cluster, unless it has been, and wait until it is ready.

    Raises LaunchError as soon as a process ends, and formation.NotReady if it takes too long.
    """
    with first_of(LaunchError, NotReady):
        async with trio.open_nursery() as nursery:
            for name in cluster.processes:
                nursery.start_soon(_fail_when_it_ends, cluster, name)
            await _form_and_wait(cluster)
            nursery.cancel_scope.cancel()
    state_file.save(cluster.folder, ClusterState(cluster.plan, formed=True, processes=cluster.processes))


async def _form_and_wait(cluster: Cluster) -> None:
    layout = layout_of(cluster.plan)
    if not cluster.formed:
        await form(layout, _READY_TIMEOUT_S)
    await wait_until_ready(layout, _READY_TIMEOUT_S)


async def watch(cluster: Cluster, ended: Callable[[str, str], None]) -> None:
    """Call `ended` with the name of each process that ends and how it did; return when none is left."""
    async with trio.open_nursery() as nursery:
        for name in cluster.processes:
            nursery.start_soon(_tell_when_it_ends, cluster, name, ended)


def stop(plan: ClusterPlan, processes: dict[str, ProcessId]) -> None:
    """End every process. Sentinels go first: they would take nodes that are being stopped for failed ones."""
    stop_all([processes[each.name] for each in plan.sentinels if each.name in processes], _STOP_TIMEOUT_S)
    stop_all([processes[each.name] for each in plan.nodes if each.name in processes], _STOP_TIMEOUT_S)


def _write_configurations(folder: Path, plan: ClusterPlan) -> None:
    """Write the files that are not there yet: servers rewrite their own, and what they wrote must stay."""
    for node in plan.nodes:
        _write_once(_config_path(folder, node), node_config(node, plan.shape, folder / node.name))
    for sentinel in plan.sentinels:
        _write_once(_config_path(folder, sentinel), sentinel_config(sentinel, plan, folder / sentinel.name))


def _write_once(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_text(text)


def _config_path(folder: Path, server: NodePlan | SentinelPlan) -> Path:
    return folder / server.name / ("redis.conf" if isinstance(server, NodePlan) else "sentinel.conf")


def _programs(folder: Path, plan: ClusterPlan) -> list[Program]:
    folder = folder.resolve()
    return [
        Program(
            server.name,
            NODE_ENTRY if isinstance(server, NodePlan) else SENTINEL_ENTRY,
            (str(_config_path(folder, server)),),
            log_path(folder, server.name),
        )
        for server in plan.servers
    ]


async def _end_of(process: ProcessId) -> str:
    """Wait until a process has ended, and return how it did."""
    if (descriptor := process.pidfd()) is not None:
        try:
            await trio.lowlevel.wait_readable(descriptor)
        finally:
            trio.lowlevel.notify_closing(descriptor)
            os.close(descriptor)
    return how_it_ended(process.pid)


async def _fail_when_it_ends(cluster: Cluster, name: str) -> None:
    how = await _end_of(cluster.processes[name])
    words = log_tail(cluster.log_path(name))
    raise LaunchError(f"{name} (process {cluster.processes[name].pid}) has ended ({how}); its last words:\n{words}")


async def _tell_when_it_ends(cluster: Cluster, name: str, ended: Callable[[str, str], None]) -> None:
    ended(name, await _end_of(cluster.processes[name]))
