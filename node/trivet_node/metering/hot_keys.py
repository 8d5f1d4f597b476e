"""One session of HOTKEYS: the keys on which commands spend the most time, the most bytes, or are the most.

Every metric that is asked for has a sketch of its own (heavy_hitters.py). The cost of a command with several keys is
divided among them, its run counts for each. With a sample ratio of n only one in n commands is counted by key, which
saves most of the work; the sums of all commands stay true. (Redis 8.6: hotkeys.c.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.metering.heavy_hitters import HeavyHitters
from trivet_wire.slots import SLOT_COUNT

CPU: Final = 1
NET: Final = 2
OPS: Final = 4

# A key with more than a thousandth of the weight is always among them.
_KEYS_KEPT: Final = 2048


@final
class Costs:
    """Sums over some commands: their number, their time in microseconds, the bytes of their requests and replies."""

    def __init__(self) -> None:
        self.commands: i64 = 0
        self.elapsed_us: i64 = 0
        self.net_bytes: i64 = 0

    def add(self, elapsed_us: i64, net_bytes: i64) -> None:
        """Count one command."""
        self.commands += 1
        self.elapsed_us += elapsed_us
        self.net_bytes += net_bytes


@final
class HotKeys:
    """A session that began at `started_ms` (Unix milliseconds) and ends by itself after `duration_ms`, 0: never.

    `metrics` are CPU, NET and OPS; `count` is how many keys are told of each; `slots` are those that keys are counted
    of, in ascending order, none: all.
    """

    def __init__(
        self, metrics: int, count: int, *, sample_ratio: int, slots: list[int], duration_ms: int, started_ms: int
    ) -> None:
        self.metrics: int = metrics
        self.count: int = count
        self.sample_ratio: int = sample_ratio
        self.slots: list[int] = slots
        self.started_ms: int = started_ms
        # When the session has ended or will end; 0 while nobody knows.
        self.ends_ms: int = started_ms + duration_ms if duration_ms else 0
        self.is_active: bool = True
        # What the process had used when the session began, for whoever reports: user and system time in microseconds.
        self.used_before_us: tuple[int, int] = (0, 0)
        self.all_slots: Costs = Costs()
        self.selected: Costs = Costs()
        self.sampled: Costs = Costs()
        self._selection: bytes = _table(slots) if slots else b""
        self._by_time: HeavyHitters = HeavyHitters(_KEYS_KEPT)
        self._by_bytes: HeavyHitters = HeavyHitters(_KEYS_KEPT)
        self._by_runs: HeavyHitters = HeavyHitters(_KEYS_KEPT)

    def end_if_due(self, now_ms: int) -> None:
        """End the session if its time is over."""
        if self.is_active and 0 < self.ends_ms <= now_ms:
            self.is_active = False

    def stop(self, now_ms: int) -> None:
        """End the session now."""
        self.is_active = False
        self.ends_ms = now_ms

    def lasted_ms(self, now_ms: int) -> int:
        """Return how long the session has lasted, or lasts so far."""
        return (now_ms if self.is_active else self.ends_ms) - self.started_ms

    def count_command(self, keys: list[bytes], slot: i64, elapsed_us: i64, net_bytes: i64, is_sampled: bool) -> None:
        """Count one command on `keys`, of which there is at least one, all of `slot`."""
        self.all_slots.add(elapsed_us, net_bytes)
        if self._selection and self._selection[slot] == 0:
            return
        self.selected.add(elapsed_us, net_bytes)
        if is_sampled:
            self.sampled.add(elapsed_us, net_bytes)
            self._count_keys(keys, elapsed_us, net_bytes)

    def hottest(self, metric: int) -> list[tuple[bytes, int]]:
        """Return the hottest keys by CPU (microseconds), NET (bytes) or OPS (commands), the hottest first."""
        sketch = self._by_time if metric == CPU else self._by_bytes if metric == NET else self._by_runs
        return sketch.top(self.count)

    def _count_keys(self, keys: list[bytes], elapsed_us: i64, net_bytes: i64) -> None:
        time_us = int(elapsed_us) // len(keys)
        share_bytes = int(net_bytes) // len(keys)
        for key in keys:
            if self.metrics & CPU and time_us > 0:
                self._by_time.add(key, time_us)
            if self.metrics & NET and share_bytes > 0:
                self._by_bytes.add(key, share_bytes)
            if self.metrics & OPS:
                self._by_runs.add(key, 1)


def _table(slots: list[int]) -> bytes:
    """Return a byte for every slot, 1 where it is one of `slots`."""
    table = bytearray(SLOT_COUNT)
    for slot in slots:
        table[slot] = 1
    return bytes(table)
