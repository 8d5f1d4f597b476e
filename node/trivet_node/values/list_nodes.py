"""Nodes of long lists: neighbouring values packed into a listpack of some kilobytes.

How large a node may be says the setting list-max-listpack-size, here `limit`: a number of entries, or -1 to -5 for 4,
8, 16, 32 and 64 KiB. A value that would fill a node alone is kept by itself, unpacked. (Redis: quicklist.c.)
"""

from typing import Final, final

from librt.strings import BytesWriter
from mypy_extensions import i64, mypyc_attr

from trivet_node.values import listpack

# The size of a node whose limit is a number of entries.
_NODE_BYTES: Final = 8192
_SMALLEST_NODE_BYTES: Final = 4096
_LARGEST_STEP: Final = 5
# Nodes hold no fewer than this: loose ends are packed in such pieces, and each node costs more than some entries.
_NODE_ENTRIES_MIN: Final = 32
# What a listpack adds to a value at most: its head, and the entry's length behind it.
_AROUND_ENTRY: Final = 10


@mypyc_attr(acyclic=True)
@final
class Node:
    """A listpack of `count` values, or one value as it is.

    `place` is where its first value stands, counted from wherever the list once began.
    """

    def __init__(self, data: bytes, count: i64, is_plain: bool) -> None:
        self.data: bytes = data
        self.count: i64 = count
        self.is_plain: bool = is_plain
        self.place: i64 = 0

    def copy(self) -> "Node":
        """Return a node of the same values at the same place."""
        other = Node(self.data, self.count, self.is_plain)
        other.place = self.place
        return other

    def value(self, index: i64) -> bytes:
        """Return the value with that index in the node; there is one."""
        return self.data if self.is_plain else listpack.text(self.data, listpack.seek(self.data, index))

    def values(self, start: i64, count: i64) -> list[bytes]:
        """Return `count` values beginning with that index; there are so many."""
        found: list[bytes] = []
        self.extend(found, start, count)
        return found

    def extend(self, found: list[bytes], start: i64, count: i64) -> None:
        """Append to `found` what values() returns."""
        data = self.data
        if self.is_plain:
            found.append(data)
            return
        at = listpack.seek(data, start)
        while count > 0:
            head: i64 = data[at]
            if head & 0xC0 == 0x80:
                # A short string, as most values are: without two calls.
                behind = at + 1 + (head & 0x3F)
                found.append(data[at + 1 : behind])
                at = behind + 1
            else:
                found.append(listpack.text(data, at))
                at = listpack.after(data, at)
            count -= 1

    def matches(self, value: bytes) -> list[int]:
        """Return the indices in the node of all values equal to `value`."""
        data = self.data
        if self.is_plain:
            return [0] if data == value else []
        found: list[int] = []
        index: i64 = 0
        cursor: i64 = listpack.FIRST
        at = listpack.find(data, value)
        while at >= 0:
            while cursor < at:
                cursor = listpack.after(data, cursor)
                index += 1
            found.append(index)
            at = listpack.find(data, value, listpack.after(data, at))
        return found

    def replace(self, index: i64, value: bytes, limit: i64) -> bool:
        """Put a value in the place of the one with that index, unless it does not fit."""
        if self.is_plain:
            return False
        start = listpack.seek(self.data, index)
        return self._splice(start, listpack.after(self.data, start), value, 0, limit)

    def insert(self, index: i64, value: bytes, limit: i64) -> bool:
        """Put a value before the one with that index, or behind the last one, unless it does not fit."""
        if self.is_plain:
            return False
        at = listpack.end(self.data) if index == self.count else listpack.seek(self.data, index)
        return self._splice(at, at, value, 1, limit)

    def _splice(self, start: i64, stop: i64, value: bytes, change: i64, limit: i64) -> bool:
        entry = listpack.encoded(value)
        if not _fits(len(self.data) - (stop - start) + len(entry), self.count + change, limit):
            return False
        self.data = listpack.splice(self.data, start, stop, entry, change)
        self.count += change
        return True

    def remove(self, indices: list[int]) -> None:
        """Take the values with these rising indices away."""
        if self.is_plain:
            self.count = 0
            return
        data = self.data
        pieces: list[bytes] = []
        kept: i64 = listpack.FIRST
        cursor: i64 = listpack.FIRST
        index: i64 = 0
        for removed in indices:
            while index < removed:
                cursor = listpack.after(data, cursor)
                index += 1
            pieces.append(data[kept:cursor])
            cursor = listpack.after(data, cursor)
            index += 1
            kept = cursor
        pieces.append(data[kept : listpack.end(data)])
        self.count -= len(indices)
        self.data = listpack.splice(listpack.EMPTY, listpack.FIRST, listpack.FIRST, b"".join(pieces), self.count)

    def cut(self, count: i64, at_head: bool) -> None:
        """Take fewer than all values away at one end."""
        data = self.data
        if at_head:
            self.data = listpack.splice(data, listpack.FIRST, listpack.seek(data, count), b"", -count)
            self.place += count
        else:
            self.data = listpack.splice(data, listpack.seek(data, -count), listpack.end(data), b"", -count)
        self.count -= count


def joined(first: Node, second: Node, limit: i64) -> Node | None:
    """Return one node of the values of two neighbours, or None where they do not fit into one."""
    count = first.count + second.count
    entries_bytes: i64 = len(second.data) - listpack.FIRST - 1
    if first.is_plain or second.is_plain or not _fits(len(first.data) + entries_bytes, count, limit):
        return None
    entries = second.data[listpack.FIRST : listpack.FIRST + entries_bytes]
    at = listpack.end(first.data)
    node = Node(listpack.splice(first.data, at, at, entries, second.count), count, False)
    node.place = first.place
    return node


def nodes_of(values: list[bytes], limit: i64) -> list[Node]:
    """Return nodes of these values; their places are not set."""
    nodes: list[Node] = []
    out = BytesWriter()
    count: i64 = 0
    for value in values:
        is_plain = _is_too_large(value, limit)
        if count != 0 and (is_plain or not _fits(len(out) + len(value) + _AROUND_ENTRY, count + 1, limit)):
            nodes.append(_packed(out, count))
            out = BytesWriter()
            count = 0
        if is_plain:
            nodes.append(Node(value, 1, True))
        else:
            listpack.write_entry(out, value)
            count += 1
    if count != 0:
        nodes.append(_packed(out, count))
    return nodes


def _packed(out: BytesWriter, count: i64) -> Node:
    entries = out.getvalue()
    return Node(listpack.splice(listpack.EMPTY, listpack.FIRST, listpack.FIRST, entries, count), count, False)


def _is_too_large(value: bytes, limit: i64) -> bool:
    return len(value) >= _bytes_limit(limit)


def _fits(size: i64, count: i64, limit: i64) -> bool:
    """Say whether a node may have so many bytes and entries; one entry may always stand alone."""
    return size <= _bytes_limit(limit) and (limit < 0 or count <= max(limit, _NODE_ENTRIES_MIN))


def _bytes_limit(limit: i64) -> i64:
    return _NODE_BYTES if limit >= 0 else _SMALLEST_NODE_BYTES << (min(-limit, _LARGEST_STEP) - 1)
