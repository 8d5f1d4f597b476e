"""What nodes answered to HOTKEYS GET, merged into one list of the hottest keys.

Every key of a cluster is served by one primary, so its counts come from one node, from two only where its slot moved
meanwhile. A share is that of all commands, time or bytes on keys that were counted, on all nodes together; it is true
for a sample as it is for all commands. Rates are multiplied by the sample ratio.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import evolve, field, frozen

from trivet_wire.answers import as_dict
from trivet_wire.connection import Reply
from trivet_wire.slots import key_slot

COMMANDS: Final = "commands"
TIME: Final = "time"
BYTES: Final = "bytes"
# Where HOTKEYS GET tells the keys by each metric.
_LISTS: Final = {COMMANDS: b"by-commands", TIME: b"by-cpu-time-us", BYTES: b"by-net-bytes"}
_MS_PER_S: Final = 1000


@frozen
class NodeReport:
    """What one node, a primary, has counted: weights by metric and key, the total of each metric, and for how long."""

    node: str
    weights: dict[str, dict[bytes, int]]
    totals: dict[str, float]
    sample_ratio: int
    duration_s: float


@frozen
class HotKey:
    """One hot key. `shares` are parts of 1 by metric; `slot` is None out of cluster mode; `size` has its unit."""

    key: bytes
    node: str
    slot: int | None
    shares: dict[str, float] = field(factory=dict)
    ops_per_s: float | None = None
    # The counter of OBJECT FREQ, where there is nothing better.
    frequency: int | None = None
    type: str = ""
    size: str = ""


def node_report(node: str, reply: Reply) -> NodeReport:
    """Return what a node answered to HOTKEYS GET at the end of a session."""
    facts = as_dict(reply[0])
    weights = {metric: as_dict(facts[name]) for metric, name in _LISTS.items() if name in facts}
    totals = {
        COMMANDS: facts.get(b"total-commands", 0),
        # The time of the sampled commands alone is not told.
        TIME: facts[b"all-commands-all-slots-us"] / facts[b"sample-ratio"],
        BYTES: facts.get(b"total-net-bytes", 0),
    }
    duration_s = max(facts[b"collection-duration-ms"], 1) / _MS_PER_S
    return NodeReport(node, weights, totals, facts[b"sample-ratio"], duration_s)


def merge(reports: Sequence[NodeReport], *, by: str, count: int, in_cluster: bool) -> list[HotKey]:
    """Return the `count` hottest keys of all nodes by one metric, or by the first that was counted."""
    totals = {metric: sum(report.totals[metric] for report in reports) for metric in _LISTS}
    found: dict[bytes, HotKey] = {}
    for report in reports:
        for key in dict.fromkeys(key for weights in report.weights.values() for key in weights):
            known = found.get(key) or HotKey(key, report.node, int(key_slot(key)) if in_cluster else None)
            found[key] = _with_counts(known, report, totals)
    return ranked(found.values(), by)[:count]


def _with_counts(hot: HotKey, report: NodeReport, totals: dict[str, float]) -> HotKey:
    """Return a key with what one more node has counted of it."""
    shares = dict(hot.shares)
    for metric, weights in report.weights.items():
        if totals[metric]:
            shares[metric] = shares.get(metric, 0.0) + weights.get(hot.key, 0) / totals[metric]
    if COMMANDS not in report.weights:
        return evolve(hot, shares=shares)
    commands = report.weights[COMMANDS].get(hot.key, 0) * report.sample_ratio
    return evolve(hot, shares=shares, ops_per_s=(hot.ops_per_s or 0.0) + commands / report.duration_s)


def ranked(keys: Iterable[HotKey], by: str) -> list[HotKey]:
    """Return keys by the metric asked for, then by the others, the hottest first."""
    metrics = [by, *(metric for metric in _LISTS if metric != by)]

    def rank(hot: HotKey) -> tuple[list[float], bytes]:
        return [-hot.shares.get(metric, 0.0) for metric in metrics] + [-(hot.frequency or 0)], hot.key

    return sorted(keys, key=rank)
