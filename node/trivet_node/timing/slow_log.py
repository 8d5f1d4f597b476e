"""The slow log: the last commands that took longer than slowlog-log-slower-than.

Long requests are cut short: of more than 32 arguments the last one kept says how many there were, and so does the end
of a long argument. (Redis: slowlog.c.)
"""

from collections import deque
from typing import Final, final

_ARGUMENTS_MAX: Final = 32
_ARGUMENT_BYTES_MAX: Final = 128


@final
class SlowEntry:
    """One slow command: when it was over in Unix seconds, how long it took, its arguments cut short, and by whom."""

    def __init__(self, time_s: int, duration_us: int, arguments: list[bytes], *, address: str, name: bytes) -> None:
        # Counts the entries ever made; the log gives it.
        self.number: int = 0
        self.time_s: int = time_s
        self.duration_us: int = duration_us
        self.arguments: list[bytes] = _shortened(arguments)
        self.address: str = address
        self.name: bytes = name


@final
class SlowLog:
    """Slow commands, the newest first."""

    def __init__(self) -> None:
        self._entries: deque[SlowEntry] = deque()
        self._next_number: int = 0

    def __len__(self) -> int:
        """Return how many commands are in the log."""
        return len(self._entries)

    def add(self, entry: SlowEntry, largest: int) -> None:
        """Log a command; at most `largest` stay in the log."""
        entry.number = self._next_number
        self._next_number += 1
        self._entries.appendleft(entry)
        while len(self._entries) > largest:
            self._entries.pop()

    def latest(self, count: int) -> list[SlowEntry]:
        """Return up to `count` entries, the newest first."""
        entries = list(self._entries)
        return entries if count >= len(entries) else entries[:count]

    def clear(self) -> None:
        """Forget all entries; numbers go on."""
        self._entries.clear()


def _shortened(arguments: list[bytes]) -> list[bytes]:
    if len(arguments) <= _ARGUMENTS_MAX:
        return [_short(argument) for argument in arguments]
    kept = _ARGUMENTS_MAX - 1
    rest = b"... (%d more arguments)" % (len(arguments) - kept)
    return [_short(argument) for argument in arguments[:kept]] + [rest]


def _short(argument: bytes) -> bytes:
    if len(argument) <= _ARGUMENT_BYTES_MAX:
        return argument
    rest = len(argument) - _ARGUMENT_BYTES_MAX
    return b"%s... (%d more bytes)" % (argument[:_ARGUMENT_BYTES_MAX], rest)
