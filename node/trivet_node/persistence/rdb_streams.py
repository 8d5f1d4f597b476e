"""Streams in RDB files: their nodes as they are, then the counters, then the consumer groups.

    nodes: (16 bytes of the node's ID, listpack) ...      length  last ID  [first ID  largest deleted ID  entries added]
    groups: (name  last ID  [entries read]
        pending: (16 bytes of the ID, delivered at in ms: 8, deliveries) ...
        consumers: (name  seen at in ms: 8  pending: (16 bytes of the ID) ...) ...) ...

An ID that is not 16 bytes is two lengths. What stands in brackets came with 7.0; before that it is worked out.
(Redis 7.0: rdb.c, RDB_TYPE_STREAM_LISTPACKS_2 and RDB_TYPE_STREAM_LISTPACKS.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.persistence.rdb_format import DONE
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.values.stream_groups import Consumer, Group, Pending, PendingCursor
from trivet_node.values.stream_ids import (
    HALF_MAX,
    ID_BYTES,
    SMALLEST_ID,
    id_bytes,
    id_from_bytes,
    make_id,
    milliseconds_of,
    sequence_of,
    signed,
)
from trivet_node.values.stream_node import NodeWalk, deleted_count, is_valid_node, live_count
from trivet_node.values.streams import Stream

STREAM: Final = 15
STREAM_2: Final = 19
_TIME_BYTES: Final = 8
_NOBODY: Final = b""


def write_stream(sink: RdbSink, value: Stream, part: i64) -> i64:
    """Write a stream from the chunk of nodes with the number `part` on; return where to go on, or DONE."""
    nodes = value.closed_nodes()
    if part == 0:
        sink.length(nodes.size)
    while part < len(nodes.chunks):
        chunk = nodes.chunks[part]
        for node_id, pack in zip(chunk.keys, chunk.values, strict=True):
            assert isinstance(pack, bytes)
            sink.string(id_bytes(node_id))
            sink.string(pack)
        part += 1
        if sink.is_full():
            return part
    sink.number(value.length)
    for entry_id in (value.last_id(), value.first_id, value.max_deleted_id):
        _write_id(sink, entry_id)
    sink.number(value.entries_added & HALF_MAX)
    sink.length(len(value.groups))
    for name, group in value.groups_by_name():
        sink.string(name)
        _write_group(sink, group)
    return DONE


def _write_group(sink: RdbSink, group: Group) -> None:
    _write_id(sink, group.last_id)
    # What is not known is -1 of 64 bits; counters that go on from the largest number begin anew.
    sink.number(group.entries_read & HALF_MAX)
    sink.length(len(group.pending))
    cursor = PendingCursor(group.pending)
    more = cursor.seek_first()
    while more:
        pending = cursor.pending()
        sink.raw(id_bytes(cursor.entry_id()))
        sink.raw(pending.delivered_ms.to_bytes(_TIME_BYTES, "little", signed=True))
        sink.number(pending.deliveries & HALF_MAX)
        more = cursor.next()
    sink.length(len(group.consumers))
    for consumer in group.consumers_by_name():
        sink.string(consumer.name)
        sink.raw(consumer.seen_ms.to_bytes(_TIME_BYTES, "little", signed=True))
        entry_ids = consumer.pending.keys()
        sink.length(len(entry_ids))
        for entry_id in entry_ids:
            sink.raw(id_bytes(entry_id))


def _write_id(sink: RdbSink, entry_id: int) -> None:
    sink.number(milliseconds_of(entry_id))
    sink.number(sequence_of(entry_id))


def read_stream(form: int, source: RdbSource) -> Stream:
    """Return the stream that begins here in the form `form`."""
    return _StreamReader(form, source).read()


@final
class _StreamReader:
    """Reads one stream. IDs must rise from entry to entry, and the counters must be those of the entries."""

    def __init__(self, form: int, source: RdbSource) -> None:
        self._is_old: bool = form == STREAM
        self._source: RdbSource = source
        self._stream: Stream = Stream()
        self._live: int = 0
        # The ID of the last entry met, and -1 before the first one.
        self._last_id: int = -1

    def read(self) -> Stream:
        source = self._source
        stream = self._stream
        left = source.length()
        while left > 0:
            self._read_node()
            left -= 1
        self._read_counters()
        left = source.length()
        while left > 0:
            name = source.string()
            if name in stream.groups:
                raise source.refuse("a stream has a group twice")
            stream.groups[name] = self._group()
            left -= 1
        return stream

    def _read_node(self) -> None:
        source = self._source
        key = source.string()
        pack = source.string()
        if len(key) != ID_BYTES or not is_valid_node(pack):
            raise source.refuse("a node of a stream is malformed")
        node_id = id_from_bytes(key)
        if node_id <= self._last_id:
            raise source.refuse("a stream's nodes are not in order")
        # The first entry may have the node's own ID.
        self._last_id = node_id - 1
        walk = NodeWalk(node_id, pack)
        more = walk.first()
        if not more:
            raise source.refuse("a node of a stream is empty")
        live = self._live
        deleted = 0
        while more:
            entry_id = make_id(walk.milliseconds, walk.sequence)
            if entry_id <= self._last_id:
                raise source.refuse("a stream's entries are not in order")
            self._last_id = entry_id
            if walk.is_deleted():
                deleted += 1
            else:
                self._live += 1
            more = walk.next()
        if live_count(pack) != self._live - live or deleted_count(pack) != deleted:
            raise source.refuse("a node of a stream counts its entries wrong")
        self._stream.add_node(key, pack)

    def _read_counters(self) -> None:
        source = self._source
        stream = self._stream
        stream.length = source.number()
        last_id = self._id()
        stream.set_last_id(last_id)
        if stream.length != self._live or last_id < self._last_id:
            raise source.refuse("a stream counts its entries wrong")
        if self._is_old:
            stream.entries_added = stream.length
            stream.first_id = stream.edge_id(True, False) if stream.length > 0 else SMALLEST_ID
        else:
            stream.first_id = self._id()
            stream.max_deleted_id = self._id()
            stream.entries_added = source.number()

    def _group(self) -> Group:
        source = self._source
        last_id = self._id()
        # -1, where it is not known, stands there as any number below zero does.
        entries_read = self._stream.entries_until(last_id) if self._is_old else signed(source.number())
        group = Group(last_id, entries_read)
        waiting = self._pending_entries()
        left = source.length()
        while left > 0:
            name = source.string()
            if name in group.consumers:
                raise source.refuse("a stream's group has a consumer twice")
            self._read_consumer(group, group.add_consumer(name, self._time()), waiting)
            left -= 1
        if waiting:
            raise source.refuse("an entry of a stream is pending for nobody")
        return group

    def _pending_entries(self) -> dict[int, Pending]:
        """Return the entries that are pending for a group; whose they are is said later."""
        source = self._source
        found: dict[int, Pending] = {}
        left = source.length()
        while left > 0:
            entry_id = id_from_bytes(source.take(ID_BYTES))
            delivered_ms = self._time()
            if entry_id in found:
                raise source.refuse("an entry of a stream is pending twice")
            found[entry_id] = Pending(delivered_ms, source.number(), _NOBODY)
            left -= 1
        return found

    def _read_consumer(self, group: Group, consumer: Consumer, waiting: dict[int, Pending]) -> None:
        source = self._source
        left = source.length()
        while left > 0:
            entry_id = id_from_bytes(source.take(ID_BYTES))
            pending = waiting.pop(entry_id, None)
            if pending is None:
                raise source.refuse("an entry of a stream is pending for a consumer alone or for two")
            group.restore(entry_id, pending, consumer)
            left -= 1

    def _id(self) -> int:
        milliseconds = self._source.number()
        return make_id(milliseconds, self._source.number())

    def _time(self) -> int:
        return self._source.integer(_TIME_BYTES, signed=True)
