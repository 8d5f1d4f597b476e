"""Counters of a node since its start, or since CONFIG RESETSTAT. (Redis: INFO stats, INFO errorstats.)"""

from typing import Final, final

from mypy_extensions import i64

# Redis stops counting errors by code when there are this many codes: scripts can invent them.
_ERROR_CODES_MAX: Final = 128
_SAMPLES: Final = 16
_MS_PER_S: Final = 1000
_US_PER_S: Final = 1_000_000
_GB: Final = 2**30


@final
class Rate:
    """How fast a counter grows: the average of the last samples, one a tick. (Redis: trackInstantaneousMetric.)"""

    def __init__(self) -> None:
        self._samples: list[float] = [0.0] * _SAMPLES
        self._next: int = 0
        self._last_ms: int = 0
        self._last_total: int = 0

    def sample(self, now_ms: int, total: int) -> None:
        """Note what the counter shows now."""
        elapsed_ms = now_ms - self._last_ms
        if self._last_ms and elapsed_ms > 0:
            self._samples[self._next] = max(0, total - self._last_total) * _MS_PER_S / elapsed_ms
            self._next = (self._next + 1) % _SAMPLES
        self._last_ms = now_ms
        self._last_total = total

    def per_second(self) -> float:
        """Return the average growth a second."""
        return sum(self._samples) / _SAMPLES


@final
class Stats:
    """What INFO stats shows and nobody else counts."""

    def __init__(self) -> None:
        self.connections_received: i64 = 0
        self.connections_rejected: i64 = 0
        self.commands_processed: i64 = 0
        self.input_bytes: i64 = 0
        self.output_bytes: i64 = 0
        self.replication_input_bytes: i64 = 0
        self.replication_output_bytes: i64 = 0
        # How often sockets of clients were read from and written to.
        self.reads: i64 = 0
        self.writes: i64 = 0
        self.error_replies: i64 = 0
        # Errors that our own primary met here: the data sets differ.
        self.unexpected_errors: i64 = 0
        # Payloads of RESTORE, each of which is checked in full.
        self.payloads_checked: i64 = 0
        self.errors: dict[bytes, int] = {}
        self.full_syncs: i64 = 0
        self.partial_syncs_accepted: i64 = 0
        self.partial_syncs_refused: i64 = 0
        # How long active expiry took, and how often a cycle left something for the next.
        self.expire_cycle_us: i64 = 0
        self.expire_cycles_cut: i64 = 0
        self.forks: i64 = 0
        self.latest_fork_us: i64 = 0
        # How much memory the last fork copied the tables of in a second.
        self.fork_rate_gb_s: float = 0.0
        self.output_buffer_limit_disconnections: i64 = 0
        self.query_buffer_limit_disconnections: i64 = 0
        self.clients_evicted: i64 = 0
        self.command_rate: Rate = Rate()
        self.input_rate: Rate = Rate()
        self.output_rate: Rate = Rate()
        self.replication_input_rate: Rate = Rate()
        self.replication_output_rate: Rate = Rate()

    def count_error(self, text: bytes) -> None:
        """Count an error reply under its code, the first word of `text`."""
        self.error_replies += 1
        code = text.partition(b" ")[0]
        if code in self.errors or len(self.errors) < _ERROR_CODES_MAX:
            self.errors[code] = self.errors.get(code, 0) + 1

    def count_fork(self, duration_us: int, memory_bytes: int) -> None:
        """Count a fork of a process of so much memory."""
        self.forks += 1
        self.latest_fork_us = duration_us
        self.fork_rate_gb_s = memory_bytes * _US_PER_S / max(1, duration_us) / _GB

    def sample(self, now_ms: int) -> None:
        """Note what the counters show now, for their rates."""
        self.command_rate.sample(now_ms, int(self.commands_processed))
        self.input_rate.sample(now_ms, int(self.input_bytes))
        self.output_rate.sample(now_ms, int(self.output_bytes))
        self.replication_input_rate.sample(now_ms, int(self.replication_input_bytes))
        self.replication_output_rate.sample(now_ms, int(self.replication_output_bytes))
