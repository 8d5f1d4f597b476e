"""When, or how often, keys were used: what OBJECT IDLETIME, OBJECT FREQ and the eviction policies ask for.

Nothing is kept while nobody asks (`mode` is OFF and the keyspace makes one integer test). In CLOCK mode the log
keeps the time of the last access from the moment it was switched on; a key not seen since counts as used at that
moment. In FREQUENCY mode it keeps Redis' logarithmic counter, which chance increments and time decays.
(Redis: OBJECT IDLETIME, OBJECT FREQ; "Key eviction", "The new LFU mode".)
"""

from random import Random
from typing import Final, final

from mypy_extensions import i64

OFF: Final = 0
CLOCK: Final = 1
FREQUENCY: Final = 2

_INITIAL_FREQUENCY: Final = 5
_LARGEST_FREQUENCY: Final = 255
_MS_PER_MINUTE: Final = 60_000


@final
class AccessLog:
    """Accesses of keys, by (database index, key)."""

    def __init__(self) -> None:
        self.mode: i64 = OFF
        self.log_factor: int = 10
        self.decay_minutes: int = 1
        # Chance for the counters; the server gives its own.
        self.random: Random = Random(0)
        self._since_ms: int = 0
        self._times_ms: dict[tuple[int, bytes], int] = {}
        self._counters: dict[tuple[int, bytes], int] = {}

    def switch(self, mode: int, now_ms: int) -> None:
        """Start or stop keeping times (CLOCK) or counters (FREQUENCY); what another mode kept is forgotten."""
        if mode == self.mode:
            return
        self.mode = mode
        self._since_ms = now_ms
        self._times_ms = {}
        self._counters = {}

    def touch(self, database: int, key: bytes, now_ms: int) -> None:
        """Note an access. A key that was not known, which is nearly always a new one, begins with its first counter."""
        entry = (database, key)
        if self.mode == FREQUENCY:
            known = entry in self._counters
            counter = self.frequency(database, key, now_ms)
            self._counters[entry] = self._incremented(counter) if known else _INITIAL_FREQUENCY
        self._times_ms[entry] = now_ms

    def recall(self, database: int, key: bytes, idle_ms: int, frequency: int, now_ms: int) -> None:
        """Take over what somebody else knew of a key that was touched just now; -1 stands for what nobody knew.

        Only what the mode keeps is taken. (Redis: objectSetLRUOrLFU.)
        """
        entry = (database, key)
        if self.mode == FREQUENCY and frequency >= 0:
            self._counters[entry] = frequency
        elif self.mode == CLOCK and idle_ms >= 0:
            self._times_ms[entry] = now_ms - idle_ms

    def adopt(self, other: "AccessLog") -> None:
        """Take over what a log in the same mode knows of keys that this one did not know."""
        if other.mode == self.mode:
            self._times_ms.update(other._times_ms)
            self._counters.update(other._counters)

    def idle_ms(self, database: int, key: bytes, now_ms: int) -> int:
        """Return how long the key was not used, in milliseconds, as far back as the log reaches."""
        return max(0, now_ms - self._times_ms.get((database, key), self._since_ms))

    def frequency(self, database: int, key: bytes, now_ms: int) -> int:
        """Return the key's logarithmic access counter (0 to 255), decayed to `now_ms`."""
        counter = self._counters.get((database, key), _INITIAL_FREQUENCY)
        if self.decay_minutes == 0:
            return counter
        return max(0, counter - self.idle_ms(database, key, now_ms) // (_MS_PER_MINUTE * self.decay_minutes))

    def forget(self, database: int, key: bytes) -> None:
        """Forget a key that is gone."""
        self._times_ms.pop((database, key), None)
        self._counters.pop((database, key), None)

    def forget_database(self, database: int) -> None:
        """Forget every key of a database."""
        self._times_ms = {entry: value for entry, value in self._times_ms.items() if entry[0] != database}
        self._counters = {entry: value for entry, value in self._counters.items() if entry[0] != database}

    def swap_databases(self, one: int, other: int) -> None:
        """Exchange what is known of two databases."""
        index = {one: other, other: one}
        self._times_ms = {(index.get(at, at), key): value for (at, key), value in self._times_ms.items()}
        self._counters = {(index.get(at, at), key): value for (at, key), value in self._counters.items()}

    def _incremented(self, counter: int) -> int:
        if counter >= _LARGEST_FREQUENCY:
            return counter
        base = max(0, counter - _INITIAL_FREQUENCY)
        return counter + 1 if self.random.random() < 1.0 / (base * self.log_factor + 1) else counter
