"""LATENCY DOCTOR: what the latency monitor has seen, and what might help, for people. (Redis: createLatencyReport.)"""

from typing import Final

from trivet_node.timing import events
from trivet_node.timing.events import LatencyEvents
from trivet_node.timing.stopwatch import NEVER_US, Stopwatch

_US_PER_MS: Final = 1000
_US_PER_S: Final = 1_000_000
_DISABLED: Final = (
    "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You may use "
    '"CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it. If we weren\'t in a deep space '
    "mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n"
)
_NOTHING: Final = (
    "Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit. I "
    "honestly think you ought to sit down calmly, take a stress pill, and think things over.\n"
)
_GREETING: Final = (
    "Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n"
)
_NO_ADVICE: Final = (
    "\nWhile there are latency events logged, I'm not able to suggest any easy fix. Please use the Redis community to "
    "get some help, providing this report in your help request.\n"
)
_ADVICE: Final = "\nI have a few advices for you:\n\n"

_ENABLE_SLOW_LOG: Final = (
    "- Some of your commands take long. The Slow Log would say which, but it is disabled: "
    "'CONFIG SET slowlog-log-slower-than {us}' enables it."
)
_TUNE_SLOW_LOG: Final = (
    "- Your Slow Log only has commands that take longer than what the latency monitor notes. "
    "'CONFIG SET slowlog-log-slower-than {us}' makes it log all of them."
)
_READ_SLOW_LOG: Final = (
    "- SLOWLOG GET shows which commands took long. See https://redis.io/commands/slowlog for more information."
)
_SCHEDULER: Final = (
    "- Work that never takes long did take long: the system does not let this process run. Lower the load of the "
    "machine, give this node a machine of its own, look for noisy neighbours of a virtual machine, and check with "
    "'redis-cli --intrinsic-latency 100' what this machine can do."
)
_FORKS: Final = (
    "- Forks are slow here. Virtual machines of some kinds fork much slower than others; save less often, or keep less "
    "in one node: the time of a fork grows with the memory of the process."
)
_DISK: Final = (
    "- The disk is slow to answer. Use a local disk for snapshots, and keep other programs that write a lot, other "
    "nodes included, away from it."
)
# What a fork copies in a second, in GB, below which it has that name.
_FORK_RATES: Final = ((10, "terrible"), (25, "poor"), (100, "good"))
_BEST_FORK_RATE: Final = "excellent"


def report(stopwatch: Stopwatch, fork_rate_gb_s: float) -> str:
    """Return the report; `fork_rate_gb_s` is how much memory the last fork copied the tables of in a second."""
    seen = stopwatch.events
    if not seen.series:
        return _NOTHING if seen.threshold_ms else _DISABLED
    now_s = int(stopwatch.clock.now_us()) // _US_PER_S
    lines: list[str] = []
    for number, (event, series) in enumerate(seen.series.items(), 1):
        found = series.analysis(now_s)
        line = (
            f"{number}. {event}: {found.samples} latency spikes (average {found.average_ms}ms, mean deviation "
            f"{found.deviation_ms}ms, period {found.period_s / found.samples:.2f} sec). Worst all time event "
            f"{series.worst_ms}ms."
        )
        if event == events.FORK:
            line += f" Fork rate is {fork_rate_gb_s:.2f} GB/sec ({_fork_quality(fork_rate_gb_s)})."
        lines.append(line + "\n")
    advice = _advice(seen, int(stopwatch.slow_us), fork_rate_gb_s)
    if not advice:
        return _GREETING + "".join(lines) + _NO_ADVICE
    return _GREETING + "".join(lines) + _ADVICE + "".join([line + "\n" for line in advice])


def _fork_quality(rate_gb_s: float) -> str:
    for bound, name in _FORK_RATES:
        if rate_gb_s < bound:
            return name
    return _BEST_FORK_RATE


def _advice(seen: LatencyEvents, slow_us: int, fork_rate_gb_s: float) -> list[str]:
    """Return what might help against the events seen, in an order of its own."""
    advice: list[str] = []
    if events.FORK in seen.series and fork_rate_gb_s < _FORK_RATES[1][0]:
        advice.append(_FORKS)
    if events.COMMAND in seen.series:
        advice += _slow_log_advice(slow_us, seen.threshold_ms * _US_PER_MS)
    if events.FAST_COMMAND in seen.series or events.EXPIRE_CYCLE in seen.series:
        advice.append(_SCHEDULER)
    if events.UNLINK in seen.series:
        advice.append(_DISK)
    return advice


def _slow_log_advice(slow_us: int, threshold_us: int) -> list[str]:
    if slow_us == NEVER_US:
        return [_ENABLE_SLOW_LOG.format(us=threshold_us), _READ_SLOW_LOG]
    if slow_us > threshold_us:
        return [_TUNE_SLOW_LOG.format(us=threshold_us), _READ_SLOW_LOG]
    return [_READ_SLOW_LOG]
