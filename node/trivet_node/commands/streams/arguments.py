"""What the stream commands have in common: finding streams and groups, reading IDs, and replying with entries.

(Redis: t_stream.c streamParseIntervalIDOrReply, streamReplyWithRange.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.command import CommandError
from trivet_node.keyspace import Database
from trivet_node.values import listpack
from trivet_node.values.stream_groups import Group
from trivet_node.values.stream_ids import HALF_MAX, LARGEST_ID, SMALLEST_ID, halves_text, parse_id
from trivet_node.values.stream_node import NodeWalk
from trivet_node.values.streams import EntryWalk, Stream
from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer

_INVALID_ID: Final = b"ERR Invalid stream ID specified as stream command argument"
_INVALID_START: Final = b"ERR invalid start ID for the interval"
_INVALID_END: Final = b"ERR invalid end ID for the interval"
_EXCLUSIVE: Final = b"("


def find_stream(database: Database, key: bytes) -> Stream | None:
    """Return the stream under `key` for a command that writes, or None where there is no key."""
    return _checked(database.find(key))


def read_stream(database: Database, key: bytes) -> Stream | None:
    """Return the stream under `key` for a command that reads, or None where there is no key."""
    return _checked(database.read(key))


def _checked(value: object) -> Stream | None:
    if value is None or isinstance(value, Stream):
        return value
    raise CommandError(errors.WRONG_TYPE)


def group_of(stream: Stream | None, key: bytes, name: bytes) -> Group:
    """Return a group of the stream that was found under `key`."""
    group = None if stream is None else stream.groups.get(name)
    if group is None:
        raise CommandError(
            b"NOGROUP No such key '%s' or consumer group '%s'" % (errors.c_string(key), errors.c_string(name))
        )
    return group


def entry_id(text: bytes, missing_sequence: int = 0) -> int:
    """Return the ID that `text` spells."""
    value = parse_id(text, missing_sequence)
    if value is None:
        raise CommandError(_INVALID_ID)
    return value


def entry_id_or_end(text: bytes, missing_sequence: int) -> int:
    """Return the ID that `text` spells, where `-` and `+` stand for the smallest and the largest."""
    word = errors.c_string(text)
    if word == b"-":
        return SMALLEST_ID
    return LARGEST_ID if word == b"+" else entry_id(text, missing_sequence)


def interval_start(text: bytes) -> int:
    """Return the first ID of a range that begins with the ID `text`, or behind it where `(` stands before it."""
    if len(text) < 2 or not text.startswith(_EXCLUSIVE):
        return entry_id_or_end(text, 0)
    start = entry_id(text[1:], 0)
    if start == LARGEST_ID:
        raise CommandError(_INVALID_START)
    return start + 1


def interval_end(text: bytes) -> int:
    """Return the last ID of a range that ends with the ID `text`, or before it where `(` stands before it."""
    if len(text) < 2 or not text.startswith(_EXCLUSIVE):
        return entry_id_or_end(text, HALF_MAX)
    end = entry_id(text[1:], HALF_MAX)
    if end == SMALLEST_ID:
        raise CommandError(_INVALID_END)
    return end - 1


def reply_range(reply: ReplyBuffer, stream: Stream, start: int, end: int, count: int, *, backwards: bool) -> None:
    """Append an array of the entries from `start` to `end`, at most `count` unless that is 0."""
    entries = EntryReply(reply.protocol)
    walk = EntryWalk(stream, start, end, backwards=backwards)
    while (count == 0 or entries.number < count) and walk.next():
        entries.add(walk.node)
    entries.append_to(reply)


def add_entry(reply: "EntryReply", stream: Stream, wanted: int) -> bool:
    """Add the entry with the ID `wanted` to a reply and say whether it was there."""
    walk = EntryWalk(stream, wanted, wanted, backwards=False)
    if not walk.next():
        return False
    reply.add(walk.node)
    return True


@final
class EntryReply:
    """An array whose length is known last: its elements, of which most are entries of a stream."""

    def __init__(self, protocol: i64) -> None:
        self.number: i64 = 0
        self.elements: ReplyBuffer = ReplyBuffer()
        self.elements.protocol = protocol
        # The node of the entry added last, and its fields as replies.
        self._node: NodeWalk | None = None
        self._fields: list[bytes] = []

    def add(self, node: NodeWalk) -> None:
        """Add the entry where a walk stands: its ID, and its fields and values in turn."""
        self.number += 1
        elements = self.elements
        elements.array(2)
        elements.bulk(halves_text(node.milliseconds, node.sequence))
        elements.array(2 * node.number)
        pack = node.pack
        at = node.content
        if not node.has_same_fields():
            for text in node.contents():
                elements.bulk(text)
            return
        if node is not self._node:
            self._node = node
            self._fields = [b"$%d\r\n%s\r\n" % (len(field), field) for field in node.master_fields()]
        for field in self._fields:
            elements.raw(field)
            elements.bulk(listpack.text(pack, at))
            at = listpack.after(pack, at)

    def add_text(self, text: bytes) -> None:
        """Add a string."""
        self.number += 1
        self.elements.bulk(text)

    def append_to(self, reply: ReplyBuffer) -> None:
        """Append the array to a reply."""
        reply.array(self.number)
        for part in self.elements.take_parts():
            reply.raw(part)
