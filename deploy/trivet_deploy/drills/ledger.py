"""What an application was promised: every write that the cluster acknowledged, and every error that it returned.

Every write is of a key and a value used once, so each acknowledgement can be checked by itself in the end: the key
holds that value, or the write is lost. A write that failed or was never answered may be there or not; neither is held
against the cluster. Times are monotonic seconds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import attrs


@attrs.frozen
class Write:
    """One acknowledged write to a shard (the number of the slot range that the key belongs to)."""

    key: bytes
    value: bytes
    shard: int
    started_s: float
    acknowledged_s: float


class Ledger:
    """The memory of one drill."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.errors: Counter[str] = Counter()
        self.operations: Counter[int] = Counter()
        self.stale_reads = 0

    def acknowledge(self, write: Write) -> None:
        """Remember that the cluster said yes to a write."""
        self.writes.append(write)
        self.operations[write.shard] += 1

    def read(self, write: Write, value: bytes | None) -> None:
        """Remember a read of a key whose write had been acknowledged before the read began."""
        self.operations[write.shard] += 1
        if value != write.value:
            self.stale_reads += 1

    def fail(self, error: Exception) -> None:
        """Remember an error that the application saw."""
        self.errors[f"{type(error).__name__}: {error}"] += 1

    def lost(self, values: Mapping[bytes, bytes | None]) -> list[Write]:
        """Return the acknowledged writes that are not there; `values` is what the cluster holds in the end."""
        return [write for write in self.writes if values.get(write.key) != write.value]


def first_success_after(writes: Iterable[Write], shard: int, moment_s: float) -> float | None:
    """Return when the first write to `shard` that began at or after `moment_s` was acknowledged; None if none was."""
    return min(
        (write.acknowledged_s for write in writes if write.shard == shard and write.started_s >= moment_s), default=None
    )


def longest_wait_s(writes: Iterable[Write]) -> float:
    """Return the longest time that one acknowledged write took."""
    return max((write.acknowledged_s - write.started_s for write in writes), default=0.0)
