"""`trivet bench`: run the rounds, or fill memory; print the table, write the figures as JSON."""

import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from trivet_deploy.bench.cases import Case, standard_cases
from trivet_deploy.bench.measure import Sample, measure, prepare
from trivet_deploy.bench.memory import COUNT, KINDS, QUICK_COUNT, Kind, measure_growth
from trivet_deploy.bench.servers import (
    BenchError,
    Server,
    node_command,
    redis_server_command,
    require_compiled,
    running,
)
from trivet_deploy.bench.summary import summarize
from trivet_deploy.bench.tables import memory_table, speed_table

_NODE = "node"
_REDIS = "redis-server"
_QUICK_SCALE = 0.25


@attrs.frozen
class Options:
    """What the command line asks for, but for what is done with the figures."""

    rounds: int
    quick: bool
    only: str
    python: str


@click.command("bench")
@click.option("--memory", is_flag=True, help="Compare what a key or member takes of memory instead of speed.")
@click.option("--rounds", default=5, show_default=True, help="How often each case runs on each server.")
@click.option("--quick", is_flag=True, help="A quarter of the requests, a tenth of the keys: rougher figures, sooner.")
@click.option("--interpreted", is_flag=True, help="Measure the node even if it is interpreted.")
@click.option("--only", default="", metavar="TEXT", help="Only the cases with TEXT in their name, such as 'P 16'.")
@click.option("--python", default=sys.executable, help="The Python interpreter whose node is measured.")
@click.option("--output", default="bench-results", show_default=True, help="The folder for the JSON file.")
def bench(*, memory: bool, rounds: int, quick: bool, interpreted: bool, only: str, python: str, output: str) -> None:
    """Measure a node against redis-server: its speed with redis-benchmark, or its memory."""
    console = Console()
    options = Options(rounds, quick, only, python)
    try:
        builds = _builds(python, interpreted)
        figures = (_bench_memory if memory else _bench_speed)(options, builds, console)
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    console.print(f"written to {_write(Path(output), figures, builds)}")


def _builds(python: str, interpreted: bool) -> dict[str, str]:
    """Return what is measured: how the node is built, and which version redis-server has."""
    with (
        tempfile.TemporaryDirectory(prefix="trivet-bench-") as folder,
        running(_NODE, node_command(python), Path(folder)) as node,
        running(_REDIS, redis_server_command(), Path(folder)) as redis,
    ):
        if not interpreted:
            require_compiled(node)
        return {
            _NODE: node.info("server").get("trivet_build", "unknown"),
            _REDIS: redis.info("server").get("redis_version", "unknown"),
        }


def _bench_speed(options: Options, builds: dict[str, str], console: Console) -> dict[str, Any]:
    scale = _QUICK_SCALE if options.quick else 1.0
    cases = [case for case in standard_cases(scale) if options.only in case.name]
    _require(cases, options.only)
    with (
        tempfile.TemporaryDirectory(prefix="trivet-bench-") as folder,
        running(_NODE, node_command(options.python), Path(folder)) as node,
        running(_REDIS, redis_server_command(), Path(folder)) as redis,
    ):
        samples = _run_rounds(cases, [node, redis], options.rounds, console)
    summaries = summarize(samples, _NODE, _REDIS)
    console.print(speed_table(summaries, f"{_title(builds)}, {options.rounds} rounds"))
    return {
        "summary": [attrs.asdict(summary) for summary in summaries],
        "samples": [attrs.asdict(sample) for sample in samples],
    }


def _bench_memory(options: Options, builds: dict[str, str], console: Console) -> dict[str, Any]:
    count = QUICK_COUNT if options.quick else COUNT
    kinds = [kind for kind in KINDS if options.only in kind.name]
    _require(kinds, options.only)
    node, redis = node_command(options.python), redis_server_command()
    growths = []
    with _progress(console) as progress:
        bar = progress.add_task("", total=len(kinds))
        for kind in kinds:
            progress.update(bar, description=kind.name)
            growths.append(measure_growth(kind, count, node, redis))
            progress.advance(bar)
    console.print(memory_table(growths, f"{_title(builds)}, {count} of each"))
    return {"memory": [attrs.asdict(growth) for growth in growths]}


def _require(found: Sequence[Case | Kind], only: str) -> None:
    if not found:
        raise click.BadParameter(f"no case has {only!r} in its name", param_hint="--only")


def _title(builds: dict[str, str]) -> str:
    return f"{_NODE} ({builds[_NODE]}) against {_REDIS} {builds[_REDIS]}"


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


def _run_rounds(cases: Sequence[Case], servers: list[Server], rounds: int, console: Console) -> list[Sample]:
    samples = []
    with _progress(console) as progress:
        bar = progress.add_task("", total=rounds * len(cases) * len(servers))
        for server in servers:
            prepare(cases, server)
        for round_number in range(rounds):
            for case in cases:
                # Whoever runs second finds a warmer machine, so the order changes with every round.
                for server in servers if round_number % 2 == 0 else reversed(servers):
                    progress.update(bar, description=f"{case.name} {server.name}")
                    samples.append(measure(case, server, round_number))
                    progress.advance(bar)
    return samples


def _write(folder: Path, figures: dict[str, Any], builds: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    path = folder / f"{now:%Y%m%d-%H%M%S}.json"
    document = {
        "when": now.isoformat(timespec="seconds"),
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "builds": builds,
        **figures,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path
