"""The tables that `trivet bench` prints. Without borders they fit the 80 columns of a log."""

from collections.abc import Sequence

from rich.table import Table

from trivet_deploy.bench.memory import Growth
from trivet_deploy.bench.summary import CaseSummary, Spread


def speed_table(summaries: Sequence[CaseSummary], title: str) -> Table:
    """Return the throughput and the CPU time of every case, with their ratios."""
    table = _table(title, "node/redis: medians; ratios: median, lowest-highest of the rounds")
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


def memory_table(growths: Sequence[Growth], title: str) -> Table:
    """Return the bytes that each kind of data takes in both servers, with their ratio."""
    table = _table(title, "growth of the resident set for each of them, its key included")
    for heading in ("node", "redis-server", "ratio"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in growths:
        table.add_row(row.kind, f"{row.node_bytes:.0f} B", f"{row.redis_bytes:.0f} B", f"{row.ratio:.2f}")
    return table


def _table(title: str, caption: str) -> Table:
    table = Table(title=title, caption=caption, box=None, pad_edge=False)
    table.add_column("case", no_wrap=True)
    return table


def _spread_text(spread: Spread) -> str:
    return f"{spread.median:.2f} {spread.low:.2f}-{spread.high:.2f}"
