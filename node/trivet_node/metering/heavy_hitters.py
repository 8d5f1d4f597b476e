"""Which keys of a stream carry the most weight, in bounded memory.

Every key seen has an estimate in a dict of at most `capacity` keys. A key that is not there starts at `floor`, the most
that a key left out so far can weigh. When the dict is full, the floor rises to the median of the estimates and all
keys at or below it are dropped. So, for a stream of total weight N:

- an estimate is never too low: whatever a dropped key had weighed is at most the floor, from which it starts again;
- it is too high by at most the floor of the moment when the key came in;
- the floor is at most 2 N / capacity. Call the part of an estimate above the floor its credit: all credits together
  grow by N at most, and raising the floor by d takes d from each of at least half of `capacity` keys.

A key with more than that share of the weight is therefore always there, and one that is heavy from the beginning has
an exact estimate. Each purge drops half of the keys, so an update costs O(1) on average; nothing is random.

(Misra and Gries 1982 and Space-Saving, Metwally et al. 2005, are the same with one key dropped at a time; dropping
half of them at the median is from Anderson et al., "A High-Performance Algorithm for Identifying Frequent Items in
Data Streams", 2017, as in Apache DataSketches.)
"""

from typing import final

from mypy_extensions import i64


@final
class HeavyHitters:
    """Estimated weights of the heaviest keys of a stream; at most `capacity` keys are kept, 2 or more."""

    def __init__(self, capacity: int) -> None:
        self.floor: int = 0
        self._capacity: i64 = capacity
        self._estimates: dict[bytes, int] = {}

    def __len__(self) -> int:
        """Return how many keys are kept."""
        return len(self._estimates)

    def add(self, key: bytes, weight: int) -> None:
        """Count a positive weight for `key`."""
        estimates = self._estimates
        estimate = estimates.get(key)
        if estimate is not None:
            estimates[key] = estimate + weight
            return
        estimates[key] = self.floor + weight
        if len(estimates) > self._capacity:
            self._purge()

    def top(self, count: int) -> list[tuple[bytes, int]]:
        """Return the `count` heaviest keys with their estimates, the heaviest first; ties go by key."""
        return sorted(self._estimates.items(), key=_rank)[:count]

    def _purge(self) -> None:
        weights = sorted(self._estimates.values())
        floor = weights[len(weights) // 2]
        self.floor = floor
        self._estimates = {key: estimate for key, estimate in self._estimates.items() if estimate > floor}


def _rank(item: tuple[bytes, int]) -> tuple[int, bytes]:
    return (-item[1], item[0])
