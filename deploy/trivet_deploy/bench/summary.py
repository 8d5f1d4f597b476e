"""From samples to ratios: the node against redis-server, round by round, then the median and the spread."""

from collections.abc import Callable, Sequence
from statistics import median

import attrs

from trivet_deploy.bench.measure import Sample


@attrs.frozen
class Spread:
    """The median of some values, with the smallest and the largest."""

    median: float
    low: float
    high: float


@attrs.frozen
class CaseSummary:
    """One case: absolute figures as medians, and ratios (node / redis-server) of the rounds.

    A throughput ratio above 1 and a CPU ratio below 1 are in the node's favour.
    """

    case: str
    node_requests_per_s: float
    redis_requests_per_s: float
    throughput_ratio: Spread
    node_cpu_us: float
    redis_cpu_us: float
    cpu_ratio: Spread


def summarize(samples: Sequence[Sample], node: str, redis: str) -> list[CaseSummary]:
    """Return one summary for each case, in the order in which cases first appear."""
    return [_summarize_case(case, samples, node, redis) for case in dict.fromkeys(sample.case for sample in samples)]


def _summarize_case(case: str, samples: Sequence[Sample], node: str, redis: str) -> CaseSummary:
    of_node = [sample for sample in samples if (sample.case, sample.server) == (case, node)]
    of_redis = [sample for sample in samples if (sample.case, sample.server) == (case, redis)]
    return CaseSummary(
        case=case,
        node_requests_per_s=median(sample.requests_per_s for sample in of_node),
        redis_requests_per_s=median(sample.requests_per_s for sample in of_redis),
        throughput_ratio=_ratios(of_node, of_redis, lambda sample: sample.requests_per_s),
        node_cpu_us=median(sample.cpu_us_per_request for sample in of_node),
        redis_cpu_us=median(sample.cpu_us_per_request for sample in of_redis),
        cpu_ratio=_ratios(of_node, of_redis, lambda sample: sample.cpu_us_per_request),
    )


def _ratios(of_node: Sequence[Sample], of_redis: Sequence[Sample], value: Callable[[Sample], float]) -> Spread:
    redis_by_round = {sample.round: value(sample) for sample in of_redis}
    # CPU time comes in ticks of 10 ms: a run too short to be seen in it has no ratio.
    ratios = [
        value(sample) / redis_by_round[sample.round] for sample in of_node if redis_by_round.get(sample.round, 0.0) > 0
    ]
    if not ratios:
        return Spread(float("nan"), float("nan"), float("nan"))
    return Spread(median(ratios), min(ratios), max(ratios))
