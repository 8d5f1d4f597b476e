"""Streams: entries of fields and values in the order of their IDs, in nodes as Redis has them.

Nodes are found by the ID of their first entry, so a range begins after two binary searches and part of one node.
Entries are added to the last node; it is kept open for that, and closed, its bytes put together, when somebody reads.
Trimming drops whole nodes where it may. Files and DUMP take the nodes as they are: see closed_nodes() and add_node().

    length                    entries that are not deleted
    last_id                   the last ID that was ever given, in two halves because adding needs them so
    first_id                  the ID of the first entry, 0-0 in an empty stream
    max_deleted_id            the largest ID that XDEL has deleted
    entries_added             entries ever added

The last three tell how far a consumer group has read without counting entries.
(Redis: stream.h, t_stream.c.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.values import listpack
from trivet_node.values.id_map import Cursor, IdMap
from trivet_node.values.packing import PackingLimits
from trivet_node.values.stream_groups import UNKNOWN_READ, Group
from trivet_node.values.stream_ids import (
    HALF_MAX,
    LARGEST_ID,
    SMALLEST_ID,
    id_from_bytes,
    make_id,
    milliseconds_of,
    sequence_of,
    signed,
)
from trivet_node.values.stream_node import NodeWalk, NodeWriter, live_count, with_deleted
from trivet_node.values.stream_radix import radix_nodes

# The bytes of the fields and values of one entry, and of one node whatever the limits say.
NODE_BYTES_MAX: Final = 1 << 30
_NOT_COUNTED: Final = -1


@final
class Stream:
    """A stream; its length and last ID may be read, everything else goes through methods."""

    def __init__(self) -> None:
        self.length: int = 0
        self.entries_added: int = 0
        self.last_milliseconds: int = 0
        self.last_sequence: int = 0
        self.first_id: int = SMALLEST_ID
        self.max_deleted_id: int = SMALLEST_ID
        self.groups: dict[bytes, Group] = {}
        # Node ID -> listpack. While the last node is open its bytes here are out of date.
        self._nodes: IdMap = IdMap()
        self._open: NodeWriter | None = None
        self._radix_nodes: int = _NOT_COUNTED

    def __len__(self) -> int:
        """Return the number of entries."""
        return self.length

    def encoding(self) -> bytes:
        """Return what OBJECT ENCODING says."""
        return b"stream"

    def last_id(self) -> int:
        """Return the last ID that was given."""
        return make_id(self.last_milliseconds, self.last_sequence)

    def set_last_id(self, entry_id: int) -> None:
        """Let the next ID be larger than this."""
        self.last_milliseconds = milliseconds_of(entry_id)
        self.last_sequence = sequence_of(entry_id)

    def next_id(self, now_ms: int) -> tuple[int, int]:
        """Return the halves of the ID for an entry added now, where last_id is not the largest. (streamNextID)"""
        if now_ms > self.last_milliseconds:
            return now_ms, 0
        if self.last_sequence == HALF_MAX:
            return self.last_milliseconds + 1, 0
        return self.last_milliseconds, self.last_sequence + 1

    def append(
        self, milliseconds: int, sequence: int, arguments: list[bytes], first: i64, limits: PackingLimits
    ) -> None:
        """Add an entry whose ID is larger than last_id; fields and values alternate in `arguments` from `first` on."""
        writer = self._writer_with_room(content_bytes(arguments, first), limits)
        if writer is None:
            self._close()
            node_id = make_id(milliseconds, sequence)
            writer = NodeWriter(node_id)
            writer.begin(arguments, first)
            self._nodes.put(node_id, b"")
            self._open = writer
            self._radix_nodes = _NOT_COUNTED
        writer.append(milliseconds, sequence, arguments, first)
        self.length += 1
        self.entries_added += 1
        self.last_milliseconds = milliseconds
        self.last_sequence = sequence
        if self.length == 1:
            self.first_id = self.last_id()

    def delete(self, entry_ids: list[int]) -> int:
        """Delete the entries with these IDs and return how many there were."""
        deleted = 0
        is_first_gone = False
        for entry_id in entry_ids:
            if self._delete_one(entry_id):
                deleted += 1
                is_first_gone = is_first_gone or entry_id == self.first_id
                self.max_deleted_id = max(self.max_deleted_id, entry_id)
        if is_first_gone or (deleted and self.length == 0):
            self._find_first_id()
        return deleted

    def trim(self, trimming: "Trimming") -> int:
        """Delete entries from the front and return how many. (streamTrim)"""
        deleted = 0
        while self._nodes.size > 0 and not (trimming.by_length and self.length <= trimming.maximum):
            live = self._first_live_count()
            if trimming.limit and deleted + live > trimming.limit:
                break
            if not self._may_drop_first(trimming, live):
                if not trimming.approximate:
                    return deleted + self._trim_first_node(trimming)
                break
            self._drop_node(self._nodes.first_key())
            self.length -= live
            deleted += live
        if deleted or self.length == 0:
            self._find_first_id()
        return deleted

    def has(self, entry_id: int) -> bool:
        """Say whether there is an entry with this ID."""
        return EntryWalk(self, entry_id, entry_id, backwards=False).next()

    def edge_id(self, first: bool, with_deleted_ones: bool) -> int:
        """Return the ID of the first or the last entry; where there is none, the largest or the smallest of all IDs.

        (streamGetEdgeID)
        """
        walk = EntryWalk(self, SMALLEST_ID, LARGEST_ID, backwards=not first)
        walk.with_deleted_ones = with_deleted_ones
        if walk.next():
            return walk.entry_id()
        return LARGEST_ID if first else SMALLEST_ID

    def has_deleted_behind(self, entry_id: int) -> bool:
        """Say whether XDEL has deleted an entry with this ID or a larger one that might still be there.

        (streamRangeHasTombstones)
        """
        if self.length == 0 or self.max_deleted_id == SMALLEST_ID or self.first_id > self.max_deleted_id:
            return False
        return entry_id <= self.max_deleted_id

    def entries_until(self, entry_id: int) -> int:
        """Return how many entries were ever added up to this ID, or UNKNOWN_READ where that takes counting.

        (streamEstimateDistanceFromFirstEverEntry)
        """
        if self.entries_added == 0:
            return 0
        last_id = self.last_id()
        if entry_id == last_id or (self.length == 0 and entry_id < last_id):
            return signed(self.entries_added)
        if entry_id > last_id:
            return UNKNOWN_READ
        if self.max_deleted_id == SMALLEST_ID or self.max_deleted_id < self.first_id:
            if entry_id < self.first_id:
                return signed(self.entries_added - self.length)
            if entry_id == self.first_id:
                return signed(self.entries_added - self.length + 1)
        return UNKNOWN_READ

    def lag_of(self, group: Group) -> int | None:
        """Return how many entries the group has not been given yet, or None where that takes counting."""
        if self.entries_added == 0:
            return 0
        entries_read = group.entries_read
        if entries_read == UNKNOWN_READ or self.has_deleted_behind(group.last_id):
            entries_read = self.entries_until(group.last_id)
        return None if entries_read == UNKNOWN_READ else signed(self.entries_added - entries_read)

    def node_count(self) -> int:
        """Return the number of nodes."""
        return self._nodes.size

    def radix_node_count(self) -> int:
        """Return how many nodes Redis' radix tree would have."""
        if self._radix_nodes == _NOT_COUNTED:
            self._radix_nodes = radix_nodes(self._nodes.keys())
        return self._radix_nodes

    def closed_nodes(self) -> IdMap:
        """Return the nodes for somebody who reads them: node ID -> listpack."""
        self._close()
        return self._nodes

    def add_node(self, node_id: bytes, pack: bytes) -> bool:
        """Add a node read from a file, behind those that are there, and say whether there was none of that ID.

        `pack` has passed is_valid_node(); length, IDs and counters are set by the caller.
        """
        key = id_from_bytes(node_id)
        if self._nodes.get(key) is not None:
            return False
        self._nodes.put(key, pack)
        return True

    def groups_by_name(self) -> list[tuple[bytes, Group]]:
        """Return the groups in the order of their names."""
        return [(name, self.groups[name]) for name in sorted(self.groups)]

    def copy(self) -> "Stream":
        """Return a stream that can be changed without changing this one. (streamDup)"""
        other = Stream()
        other.length = self.length
        other.entries_added = self.entries_added
        other.set_last_id(self.last_id())
        other.first_id = self.first_id
        other.max_deleted_id = self.max_deleted_id
        other._nodes = self.closed_nodes().copy()
        for name, group in self.groups.items():
            other.groups[name] = group.copy()
        return other

    def _writer_with_room(self, size: i64, limits: PackingLimits) -> NodeWriter | None:
        """Return the last node, open, where fields and values of so many bytes still fit into it."""
        if self._nodes.size == 0:
            return None
        writer = self._open
        if writer is None:
            pack = self._nodes.last_value()
            assert isinstance(pack, bytes)
            writer = NodeWriter(self._nodes.last_key())
            writer.resume(pack)
        maximum = limits.stream_node_max_bytes
        if maximum == 0 or maximum > NODE_BYTES_MAX:
            maximum = NODE_BYTES_MAX
        if writer.size() + size >= maximum:
            return None
        entries = limits.stream_node_max_entries
        if entries != 0 and writer.live + writer.deleted >= entries:
            return None
        self._open = writer
        return writer

    def _close(self) -> None:
        writer = self._open
        if writer is not None:
            self._nodes.set_last(writer.pack())
            self._open = None

    def _find_first_id(self) -> None:
        self.first_id = self.edge_id(first=True, with_deleted_ones=False) if self.length > 0 else SMALLEST_ID

    def _delete_one(self, entry_id: int) -> bool:
        walk = EntryWalk(self, entry_id, entry_id, backwards=False)
        if not walk.next():
            return False
        node = walk.node
        if live_count(node.pack) == 1:
            self._drop_node(walk.node_id)
        else:
            self._nodes.put(walk.node_id, with_deleted(node.pack, [node.at]))
        self.length -= 1
        return True

    def _drop_node(self, node_id: int) -> None:
        if self._nodes.size == 1:
            self._open = None
        self._nodes.pop(node_id)
        self._radix_nodes = _NOT_COUNTED

    def _first_live_count(self) -> int:
        writer = self._open
        if writer is not None and self._nodes.size == 1:
            return writer.live
        return live_count(self._first_pack())

    def _first_pack(self) -> bytes:
        if self._nodes.size == 1:
            self._close()
        pack = self._nodes.first_value()
        assert isinstance(pack, bytes)
        return pack

    def _may_drop_first(self, trimming: "Trimming", live: int) -> bool:
        """Say whether the whole first node goes."""
        if trimming.by_length:
            return self.length - live >= trimming.maximum
        walk = NodeWalk(self._nodes.first_key(), self._first_pack())
        return walk.last() and make_id(walk.milliseconds, walk.sequence) < trimming.smallest_id

    def _trim_first_node(self, trimming: "Trimming") -> int:
        """Delete entries of the first node, some of which stay, find the first ID again, and return how many."""
        node_id = self._nodes.first_key()
        walk = NodeWalk(node_id, self._first_pack())
        places: list[int] = []
        more = walk.first()
        while more and self._goes(walk, trimming, len(places)):
            if not walk.is_deleted():
                places.append(walk.at)
            more = walk.next()
        while more and walk.is_deleted():
            more = walk.next()
        if places:
            self._nodes.put(node_id, with_deleted(walk.pack, places))
            self.length -= len(places)
        if more:
            self.first_id = make_id(walk.milliseconds, walk.sequence)
        else:
            self._find_first_id()
        return len(places)

    def _goes(self, walk: NodeWalk, trimming: "Trimming", gone: int) -> bool:
        """Say whether an entry of the first node goes, of which `gone` are to go already."""
        if trimming.by_length:
            return self.length - gone > trimming.maximum
        return make_id(walk.milliseconds, walk.sequence) < trimming.smallest_id


@final
class Trimming:
    """What trimming leaves: `maximum` entries where `by_length`, else those from `smallest_id` on.

    `approximate`: only whole nodes go. `limit`: no more than so many entries go; 0: any number.
    """

    def __init__(self) -> None:
        self.by_length: bool = True
        self.maximum: int = 0
        self.smallest_id: int = SMALLEST_ID
        self.approximate: bool = False
        self.limit: int = 0


@final
class EntryWalk:
    """Goes through the entries of a stream from `start` to `end`, both included, or back from `end` to `start`.

    After next() has returned True `node` is at the entry; deleted ones are passed over unless `with_deleted_ones`. It
    does not survive changes of the stream. (streamIterator)
    """

    def __init__(self, stream: Stream, start: int, end: int, *, backwards: bool) -> None:
        self.node_id: int = SMALLEST_ID
        self.node: NodeWalk = _NOWHERE
        self.with_deleted_ones: bool = False
        self._start_milliseconds: int = milliseconds_of(start)
        self._start_sequence: int = sequence_of(start)
        self._end_milliseconds: int = milliseconds_of(end)
        self._end_sequence: int = sequence_of(end)
        self._backwards: bool = backwards
        # Whether the near end of the range is behind us, and whether its far end is one.
        self._is_within: bool = end == LARGEST_ID if backwards else start == SMALLEST_ID
        self._is_open: bool = start == SMALLEST_ID if backwards else end == LARGEST_ID
        self._nodes: Cursor = Cursor(stream.closed_nodes())
        if not self._nodes.seek_floor(end if backwards else start):
            # All nodes begin behind it.
            if backwards:
                self._nodes.seek_last()
            else:
                self._nodes.seek_first()
        self._is_inside: bool = False

    def entry_id(self) -> int:
        """Return the ID of the entry where the walk is."""
        return make_id(self.node.milliseconds, self.node.sequence)

    def next(self) -> bool:
        """Go to the next entry and say whether there is one."""
        while True:
            if self._is_inside:
                found = self.node.previous() if self._backwards else self.node.next()
            elif self._nodes.is_valid:
                found = self._enter_node()
            else:
                return False
            if not found:
                self._is_inside = False
                if self._backwards:
                    self._nodes.previous()
                else:
                    self._nodes.next()
            elif self.with_deleted_ones or not self.node.is_deleted():
                if not self._is_within:
                    self._is_within = self._is_until_end() if self._backwards else self._is_from_start()
                if self._is_within:
                    return self._is_open or (self._is_from_start() if self._backwards else self._is_until_end())

    def _enter_node(self) -> bool:
        pack = self._nodes.value()
        assert isinstance(pack, bytes)
        self.node_id = self._nodes.key
        self.node = NodeWalk(self.node_id, pack)
        self._is_inside = True
        if self._backwards:
            return self.node.last()
        if self._is_within:
            return self.node.first()
        return self.node.first_from(self._start_milliseconds, self._start_sequence)

    def _is_from_start(self) -> bool:
        node = self.node
        if node.milliseconds != self._start_milliseconds:
            return node.milliseconds > self._start_milliseconds
        return node.sequence >= self._start_sequence

    def _is_until_end(self) -> bool:
        node = self.node
        if node.milliseconds != self._end_milliseconds:
            return node.milliseconds < self._end_milliseconds
        return node.sequence <= self._end_sequence


def content_bytes(arguments: list[bytes], first: i64) -> int:
    """Return the bytes of the fields and values in `arguments` from the index `first` on."""
    total: i64 = 0
    for index in range(first, len(arguments)):
        total += len(arguments[index])
    return total


# A node without entries: where a walk stands that has not begun.
_NOWHERE: Final = NodeWalk(SMALLEST_ID, listpack.build([b"0", b"0", b"0", b"0"]))
