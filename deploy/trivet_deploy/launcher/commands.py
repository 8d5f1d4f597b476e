"""The command lines of `trivet up`, `trivet down`, `trivet status` and `trivet form`."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import click
import trio
from rich.console import Console

from trivet_deploy.launcher import state as state_file
from trivet_deploy.launcher.formation import Layout, Member, NotReady, form, wait_until_ready
from trivet_deploy.launcher.plan import PlanError, Shape, consecutive_ports, make_plan
from trivet_deploy.launcher.processes import age_s, identify
from trivet_deploy.launcher.session import Cluster, LaunchError, launch, make_ready, prepare, stop, watch
from trivet_deploy.launcher.state import ClusterState, StateError
from trivet_deploy.launcher.status import gather, status_table
from trivet_deploy.network import Endpoint
from trivet_wire.failures import first_of

_port_option = click.option("--port", default=7000, show_default=True, help="The port of the first node.")
_dir_option = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="Where the cluster is kept.  [default: a folder for each port in ~/.local/state/trivet]",
)


@click.command("up")
@click.option("--primaries", default=3, show_default=True, help="Nodes that own slots.")
@click.option("--replicas", default=1, show_default=True, help="Replicas of each primary.")
@click.option("--sentinels", default=3, show_default=True, help="Sentinels that decide over failovers.")
@_port_option
@click.option("--sentinel-port", default=26379, show_default=True, help="The port of the first sentinel.")
@_dir_option
@click.option("--detach", is_flag=True, help="Leave the cluster running and return.")
@click.option("--down-after-ms", default=2000, show_default=True, help="Silence after which a node counts as down.")
def up(
    *,
    primaries: int,
    replicas: int,
    sentinels: int,
    port: int,
    sentinel_port: int,
    folder: Path | None,
    detach: bool,
    down_after_ms: int,
) -> None:
    """Start a whole cluster as local processes; start it again with its data if it has run before."""
    folder = folder or state_file.default_folder(port)
    try:
        shape = Shape(primaries, replicas, sentinels, down_after_ms)
        plan = make_plan(shape, *consecutive_ports(shape, port, sentinel_port))
        cluster = launch(folder, prepare(folder, plan), die_with_parent=not detach)
    except (PlanError, LaunchError, StateError) as error:
        raise click.ClickException(str(error)) from error
    finished = False
    try:
        trio.run(_attend, cluster, detach)
        finished = True
    except (LaunchError, NotReady) as error:
        raise click.ClickException(f"{error}\nlogs are in {folder}") from error
    finally:
        if not (detach and finished):
            stop(cluster.plan, cluster.processes)


@click.command("down")
@_port_option
@_dir_option
def down(port: int, folder: Path | None) -> None:
    """Stop a cluster that `trivet up` started. Its data stays, and `trivet up` starts it again."""
    folder, state = _known_cluster(port, folder)
    running = state.running()
    if not running:
        click.echo(f"the cluster in {folder} is not running")
        return
    stop(state.plan, running)
    click.echo(f"stopped {len(running)} processes; the data stays in {folder}")


@click.command("status")
@_port_option
@_dir_option
def status(port: int, folder: Path | None) -> None:
    """Show who is who in a cluster. Exit status 1 if a process is missing or a node does not say that all is well."""
    folder, state = _known_cluster(port, folder)
    rows = trio.run(gather, state.plan, state.running())
    Console().print(status_table(rows, str(folder)))
    if any(row.state != "ok" for row in rows):
        raise SystemExit(1)


@click.command("form")
@click.argument("nodes", nargs=-1, required=True, metavar="HOST:PORT...")
@click.option("--replicas", default=1, show_default=True, help="Replicas of each primary: the nodes named last.")
@click.option("--sentinel", "sentinels", multiple=True, metavar="HOST:PORT", help="Wait for this sentinel too.")
@click.option("--timeout", "timeout_s", default=60.0, show_default=True, help="Seconds to wait until it is ready.")
def form_command(nodes: tuple[str, ...], replicas: int, sentinels: tuple[str, ...], timeout_s: float) -> None:
    """Make one cluster of running nodes, wherever they run, and wait until it is ready.

    A cluster that has been formed already is left as it is.
    """
    layout = _layout(nodes, replicas, sentinels)
    try:
        trio.run(form, layout, timeout_s)
        trio.run(wait_until_ready, layout, timeout_s)
    except NotReady as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"a cluster of {len(layout.primaries)} primaries with {replicas} replicas each is ready")


async def _attend(cluster: Cluster, detach: bool) -> None:
    """Bring the cluster to be ready and show it; in the foreground, stay with it until a signal or its end."""
    with first_of(LaunchError, NotReady), trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_signal, signals, nursery.cancel_scope)
            await make_ready(cluster)
            ready_s = age_s(identify(os.getpid()))
            await _show(cluster, ready_s)
            if not detach:
                click.echo("Ctrl-C stops it")
                await watch(cluster, _say_that_it_ended)
            nursery.cancel_scope.cancel()


async def _cancel_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


async def _show(cluster: Cluster, ready_s: float) -> None:
    rows = await gather(cluster.plan, cluster.processes)
    console = Console()
    console.print(status_table(rows, str(cluster.folder)))
    console.print(f"ready in {ready_s:.1f} s: redis-cli -c -p {cluster.plan.nodes[0].port}")


def _say_that_it_ended(name: str, how: str) -> None:
    click.echo(f"{name} has ended" + (f": {how}" if how else ""))


def _known_cluster(port: int, folder: Path | None) -> tuple[Path, ClusterState]:
    folder = folder or state_file.default_folder(port)
    try:
        state = state_file.load(folder)
    except StateError as error:
        raise click.ClickException(str(error)) from error
    if state is None:
        raise click.ClickException(f"there is no cluster in {folder}; --port or --dir names another one")
    return folder, state


def _layout(nodes: tuple[str, ...], replicas: int, sentinels: tuple[str, ...]) -> Layout:
    """Return the layout of nodes given by address, primaries first, as `trivet up` numbers them."""
    if replicas < 0 or len(nodes) % (1 + replicas):
        raise click.UsageError(f"{len(nodes)} nodes cannot be shared out as primaries with {replicas} replicas each")
    primaries = len(nodes) // (1 + replicas)
    members = tuple(
        Member(name, _endpoint(name), "" if index < primaries else nodes[index % primaries])
        for index, name in enumerate(nodes)
    )
    return Layout(members, tuple((name, _endpoint(name)) for name in sentinels))


def _endpoint(text: str) -> Endpoint:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit():
        raise click.UsageError(f"{text!r} is not an address of the form HOST:PORT")
    return Endpoint(host, int(port))
