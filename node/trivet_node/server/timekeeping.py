"""What is done with the time that a command took: statistics, the slow log, the latency monitor.

A command that lets its client wait counts as done when that ends: the time before the wait and the time that serving
takes together are its duration. One whose wait lasts to its deadline is not logged. (Redis: server.c call(),
slowlogPushCurrentCommand; blocked.c updateStatsOnUnblock.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.blocking import Wait
from trivet_node.client import BLOCKED, Client
from trivet_node.command import FAST, SKIP_SLOWLOG, Command
from trivet_node.expiry import cycle_keys, expire_cycle
from trivet_node.server.redaction import redacted
from trivet_node.server.state import Server
from trivet_node.timing import events
from trivet_node.timing.slow_log import SlowEntry

_US_PER_S: Final = 1_000_000


def measured(server: Server, client: Client, command: Command, arguments: list[bytes], duration_us: i64) -> None:
    """Take note of how long a command took that has just run."""
    command.microseconds += duration_us
    stopwatch = server.stopwatch
    if client.flags & BLOCKED != 0:
        _remember(server, client, arguments, duration_us)
    elif stopwatch.counts:
        command.durations.record(duration_us)
    if duration_us >= stopwatch.notable_us:
        stopwatch.note(events.FAST_COMMAND if command.flags & FAST != 0 else events.COMMAND, duration_us)
        if client.flags & BLOCKED == 0:
            _log_if_slow(server, client, command, arguments, duration_us)


def wait_ended(server: Server, wait: Wait, serving_us: i64, failed: bool) -> None:
    """Take note of a command whose wait somebody has just ended, which took `serving_us`; `failed` is how it ended."""
    command = wait.client.last_command
    if command is None:
        return
    if failed:
        command.failed_calls += 1
    stopwatch = server.stopwatch
    if not stopwatch.runs:
        return
    duration_us = wait.duration_us + serving_us
    command.microseconds += serving_us
    if stopwatch.counts:
        command.durations.record(duration_us)
    if duration_us >= stopwatch.notable_us:
        _log_if_slow(server, wait.client, command, wait.arguments, duration_us)
        stopwatch.note(events.UNBLOCKING, serving_us)


def expire_some(server: Server) -> bool:
    """Run a cycle of active expiry and return whether more may be waiting: then there was more than it may do."""
    clock = server.stopwatch.clock
    begin_us = clock.now_us()
    more = expire_cycle(server.keyspace, cycle_keys(server.config.active_expire_effort))
    duration_us: i64 = max(0, int(clock.now_us()) - int(begin_us))
    server.stats.expire_cycle_us += duration_us
    if more:
        server.stats.expire_cycles_cut += 1
    server.stopwatch.note(events.EXPIRE_CYCLE, duration_us)
    return more


def _remember(server: Server, client: Client, arguments: list[bytes], duration_us: i64) -> None:
    wait = server.blocking.wait_of(client.id)
    if wait is not None:
        wait.arguments = arguments
        wait.duration_us = duration_us


def _log_if_slow(server: Server, client: Client, command: Command, arguments: list[bytes], duration_us: i64) -> None:
    stopwatch = server.stopwatch
    if duration_us < stopwatch.slow_us or command.flags & SKIP_SLOWLOG != 0:
        return
    now_s = int(stopwatch.clock.now_us()) // _US_PER_S
    shown = redacted(command, arguments)
    entry = SlowEntry(now_s, int(duration_us), shown, address=client.address, name=client.name)
    stopwatch.slow_log.add(entry, server.config.slowlog_max_len)
