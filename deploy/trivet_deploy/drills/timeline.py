"""What the sentinels told, in order: one entry for an event, with the number of sentinels that told it.

Every sentinel tells what it sees itself (+sdown) and what it learns (+switch-master), each at its own time. An entry
stands where the first of them told it. Times are seconds after the fault (negative before it).
"""

import attrs

# What happens to shards; the rest is the sentinels' book-keeping.
_TOLD = frozenset(
    {
        "+sdown",
        "-sdown",
        "+odown",
        "-odown",
        "+try-failover",
        "+vote-for-leader",
        "+elected-leader",
        "+selected-slave",
        "+promoted-slave",
        "+switch-master",
        "+failover-end",
        "-failover-abort-not-elected",
        "-failover-abort-no-good-slave",
        "-failover-abort-slave-timeout",
        "+convert-to-slave",
        "+tilt",
    }
)


@attrs.define
class Entry:
    """One event; `sentinels` are the names of those that told it, the first one first."""

    seconds: float
    event: str
    text: str
    sentinels: list[str]


class Timeline:
    """The events of one drill."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._by_event: dict[tuple[str, str], Entry] = {}

    def add(self, seconds: float, sentinel: str, event: str, text: str) -> Entry | None:
        """Add what one sentinel told; return the entry if it is a new one worth showing."""
        if event not in _TOLD:
            return None
        known = self._by_event.get((event, text))
        if known is not None and sentinel not in known.sentinels:
            known.sentinels.append(sentinel)
            return None
        entry = Entry(seconds, event, text, [sentinel])
        self._by_event[event, text] = entry
        self.entries.append(entry)
        return entry
