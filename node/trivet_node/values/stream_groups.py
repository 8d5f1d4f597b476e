"""Consumer groups of a stream: how far a group has read, and which entries its consumers have not acknowledged.

A pending entry stands in two maps ordered by ID, its group's and its consumer's, as one object that both share. It
names its consumer instead of holding it, so that no cycle arises. (Redis: streamCG, streamConsumer, streamNACK.)
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from trivet_node.values.id_map import Cursor, IdMap

# entries_read where it cannot be known.
UNKNOWN_READ: Final = -1


@final
@mypyc_attr(acyclic=True)
class Pending:
    """An entry delivered but not acknowledged: when (Unix milliseconds), how often, and to whom."""

    def __init__(self, delivered_ms: int, deliveries: int, consumer: bytes) -> None:
        self.delivered_ms: int = delivered_ms
        self.deliveries: int = deliveries
        self.consumer: bytes = consumer


@final
class Consumer:
    """A consumer: when it was last active (Unix milliseconds), and what is pending for it."""

    def __init__(self, name: bytes, seen_ms: int) -> None:
        self.name: bytes = name
        self.seen_ms: int = seen_ms
        self.pending: IdMap = IdMap()


@final
class Group:
    """A group: the last ID it was given, how many entries that makes, what is pending, and its consumers by name."""

    def __init__(self, last_id: int, entries_read: int) -> None:
        self.last_id: int = last_id
        self.entries_read: int = entries_read
        self.pending: IdMap = IdMap()
        self.consumers: dict[bytes, Consumer] = {}

    def find(self, entry_id: int) -> Pending | None:
        """Return a pending entry."""
        found = self.pending.get(entry_id)
        return found if isinstance(found, Pending) else None

    def add_consumer(self, name: bytes, now_ms: int) -> Consumer:
        """Add a consumer that is not there yet."""
        consumer = Consumer(name, now_ms)
        self.consumers[name] = consumer
        return consumer

    def remove_consumer(self, consumer: Consumer) -> None:
        """Remove a consumer and what is pending for it."""
        entry_ids = consumer.pending.keys()
        for entry_id in entry_ids:
            self.pending.pop(entry_id)
        del self.consumers[consumer.name]

    def consumers_by_name(self) -> list[Consumer]:
        """Return the consumers in the order of their names."""
        return [self.consumers[name] for name in sorted(self.consumers)]

    def assign(self, entry_id: int, pending: Pending | None, consumer: Consumer) -> Pending:
        """Make `consumer` the owner of an entry, whether it was pending before or not."""
        if pending is None:
            # Nobody has been given it yet: the caller says when and how often it was.
            pending = Pending(0, 0, consumer.name)
            self.pending.put(entry_id, pending)
            consumer.pending.put(entry_id, pending)
        elif pending.consumer != consumer.name:
            self.consumers[pending.consumer].pending.pop(entry_id)
            pending.consumer = consumer.name
            consumer.pending.put(entry_id, pending)
        return pending

    def restore(self, entry_id: int, pending: Pending, consumer: Consumer) -> None:
        """Add a pending entry read from a file, where the consumer's part comes last."""
        pending.consumer = consumer.name
        self.pending.put(entry_id, pending)
        consumer.pending.put(entry_id, pending)

    def drop(self, entry_id: int, pending: Pending) -> None:
        """Forget a pending entry."""
        self.pending.pop(entry_id)
        self.consumers[pending.consumer].pending.pop(entry_id)

    def copy(self) -> "Group":
        """Return a group that can be changed without changing this one."""
        other = Group(self.last_id, self.entries_read)
        for consumer in self.consumers.values():
            other.add_consumer(consumer.name, consumer.seen_ms)
        cursor = PendingCursor(self.pending)
        more = cursor.seek_first()
        while more:
            pending = cursor.pending()
            copied = Pending(pending.delivered_ms, pending.deliveries, pending.consumer)
            other.restore(cursor.entry_id(), copied, other.consumers[pending.consumer])
            more = cursor.next()
        return other


@final
class PendingCursor:
    """Walks through the pending entries of a group or a consumer; it does not survive their changes."""

    def __init__(self, entries: IdMap) -> None:
        self._cursor: Cursor = Cursor(entries)

    def seek_first(self) -> bool:
        """Go to the entry with the smallest ID."""
        return self._cursor.seek_first()

    def seek(self, entry_id: int) -> bool:
        """Go to the first entry whose ID is not smaller than this."""
        return self._cursor.seek_ceiling(entry_id)

    def next(self) -> bool:
        """Go to the following entry."""
        return self._cursor.next()

    def entry_id(self) -> int:
        """Return the ID of the entry."""
        return self._cursor.key

    def pending(self) -> Pending:
        """Return the entry."""
        pending = self._cursor.value()
        assert isinstance(pending, Pending)
        return pending
