"""`trivet bench`: run the rounds, print the table, write the samples and their summary as JSON."""

import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from trivet_deploy.bench.cases import Case, standard_cases
from trivet_deploy.bench.measure import Sample, fill, measure
from trivet_deploy.bench.servers import (
    BenchError,
    Server,
    node_command,
    redis_server_command,
    require_compiled,
    running,
)
from trivet_deploy.bench.summary import CaseSummary, Spread, summarize

_NODE = "node"
_REDIS = "redis-server"
_QUICK_SCALE = 0.25


@click.command("bench")
@click.option("--rounds", default=5, show_default=True, help="How often each case runs on each server.")
@click.option("--quick", is_flag=True, help="A quarter of the requests: rougher figures, sooner.")
@click.option("--interpreted", is_flag=True, help="Measure the node even if it is interpreted.")
@click.option("--only", default="", metavar="TEXT", help="Only the cases with TEXT in their name, such as 'P 16'.")
@click.option("--python", default=sys.executable, help="The Python interpreter whose node is measured.")
@click.option("--output", default="bench-results", show_default=True, help="The folder for the JSON file.")
def bench(*, rounds: int, quick: bool, interpreted: bool, only: str, python: str, output: str) -> None:
    """Measure a node against redis-server with redis-benchmark."""
    cases = [case for case in standard_cases(_QUICK_SCALE if quick else 1.0) if only in case.name]
    if not cases:
        raise click.BadParameter(f"no case has {only!r} in its name", param_hint="--only")
    console = Console()
    try:
        samples, builds = _measure_all(cases, rounds, python, interpreted, console)
    except BenchError as error:
        raise click.ClickException(str(error)) from error
    summaries = summarize(samples, _NODE, _REDIS)
    console.print(_table(summaries, f"{_NODE} ({builds[_NODE]}) against {_REDIS} {builds[_REDIS]}, {rounds} rounds"))
    console.print(f"written to {_write(Path(output), samples, summaries, builds)}")


def _measure_all(
    cases: Sequence[Case], rounds: int, python: str, interpreted: bool, console: Console
) -> tuple[list[Sample], dict[str, str]]:
    with (
        tempfile.TemporaryDirectory(prefix="trivet-bench-") as folder,
        running(_NODE, node_command(python), Path(folder)) as node,
        running(_REDIS, redis_server_command(), Path(folder)) as redis,
    ):
        if not interpreted:
            require_compiled(node)
        builds = {
            _NODE: node.info("server").get("trivet_build", "unknown"),
            _REDIS: redis.info("server").get("redis_version", "unknown"),
        }
        return _run_rounds(cases, [node, redis], rounds, console), builds


def _run_rounds(cases: Sequence[Case], servers: list[Server], rounds: int, console: Console) -> list[Sample]:
    samples = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=rounds * len(cases) * len(servers))
        for server in servers:
            fill(server)
        for round_number in range(rounds):
            for case in cases:
                # Whoever runs second finds a warmer machine, so the order changes with every round.
                for server in servers if round_number % 2 == 0 else reversed(servers):
                    progress.update(bar, description=f"{case.name} {server.name}")
                    samples.append(measure(case, server, round_number))
                    progress.advance(bar)
    return samples


def _table(summaries: Sequence[CaseSummary], title: str) -> Table:
    caption = "node/redis: medians; ratios: median (lowest-highest) of the rounds"
    # Without borders it fits the 80 columns of a log.
    table = Table(title=title, caption=caption, box=None, pad_edge=False)
    table.add_column("case", no_wrap=True)
    for heading in ("req/s", "ratio", "CPU us/req", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in summaries:
        table.add_row(
            row.case,
            f"{row.node_requests_per_s / 1000:.0f}k/{row.redis_requests_per_s / 1000:.0f}k",
            _spread_text(row.throughput_ratio),
            f"{row.node_cpu_us:.1f}/{row.redis_cpu_us:.1f}",
            _spread_text(row.cpu_ratio),
        )
    return table


def _spread_text(spread: Spread) -> str:
    return f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})"


def _write(folder: Path, samples: Sequence[Sample], summaries: Sequence[CaseSummary], builds: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    path = folder / f"{now:%Y%m%d-%H%M%S}.json"
    document = {
        "when": now.isoformat(timespec="seconds"),
        "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()},
        "builds": builds,
        "summary": [attrs.asdict(summary) for summary in summaries],
        "samples": [attrs.asdict(sample) for sample in samples],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
    return path
