"""What a value takes of memory: MEMORY USAGE.

Objects tell their own size; of what holds many, some are measured and stand for the rest. Bytes that two parts of a
value share (a member of a large sorted set stands in its table and in its order) count once.
(Redis: objectComputeSize in object.c.)
"""

import sys
from typing import Final

from trivet_node.values.buckets import Buckets
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_node.values.id_map import IdMap
from trivet_node.values.lists import List
from trivet_node.values.ranked import Ranked
from trivet_node.values.sets import Set
from trivet_node.values.streams import Stream
from trivet_node.values.zsets import SortedSet

_SCORE_BYTES: Final = 8
# A pending entry of a group with its place in two maps, and the deadline of a field with its place in two, about.
_PENDING_BYTES: Final = 120
_FIELD_DEADLINE_BYTES: Final = 200


def value_bytes(value: object, samples: int) -> int:
    """Return about how many bytes a value takes, judged by the first `samples` of its elements, which are not none."""
    size = sys.getsizeof(value)
    if isinstance(value, List):
        return size + _list_bytes(value, samples)
    if isinstance(value, (Hash, Set)):
        return size + sys.getsizeof(value.pack) + _buckets_bytes(value.buckets, samples)
    if isinstance(value, ExpiringHash):
        return size + value_bytes(value.hash, samples) + len(value.deadlines) * _FIELD_DEADLINE_BYTES
    if isinstance(value, SortedSet):
        size += sys.getsizeof(value.pack) + _buckets_bytes(value.scores, samples)
        return size if value.order is None else size + _order_bytes(value.order)
    if isinstance(value, Stream):
        return size + _stream_bytes(value, samples)
    return size


def _expected(measured: list[int], count: int) -> int:
    """Return what `count` elements take if they are like the measured ones."""
    return sum(measured) * count // len(measured) if measured else 0


def _list_bytes(value: List, samples: int) -> int:
    long = value.long
    if long is None:
        return sys.getsizeof(value.pack)
    ends = long.head + long.tail
    nodes = [sys.getsizeof(node) + sys.getsizeof(node.data) for node in long.nodes[:samples]]
    held = sys.getsizeof(long.head) + sys.getsizeof(long.nodes) + sys.getsizeof(long.tail)
    loose = [sys.getsizeof(each) for each in ends[:samples]]
    return held + _expected(loose, len(ends)) + _expected(nodes, len(long.nodes))


def _buckets_bytes(buckets: Buckets | None, samples: int) -> int:
    if buckets is None:
        return 0
    tables = [sys.getsizeof(entries) for entries in buckets.dicts[:samples]]
    measured: list[int] = []
    for entries in buckets.dicts:
        measured += [sys.getsizeof(key) + sys.getsizeof(held) for key, held in entries.items()]
        if len(measured) >= samples:
            break
    held_bytes = _expected(measured, int(buckets.size))
    return sys.getsizeof(buckets.dicts) + _expected(tables, len(buckets.dicts)) + held_bytes


def _order_bytes(order: Ranked) -> int:
    blocks = [sys.getsizeof(block) + sys.getsizeof(block.members) for block in order.blocks]
    return sum(blocks) + _SCORE_BYTES * int(order.size)


def _stream_bytes(stream: Stream, samples: int) -> int:
    size = _map_bytes(stream.closed_nodes(), samples)
    for name, group in stream.groups.items():
        size += sys.getsizeof(name) + sys.getsizeof(group) + len(group.pending) * _PENDING_BYTES
        for consumer in group.consumers.values():
            size += sys.getsizeof(consumer.name) + sys.getsizeof(consumer)
    return size


def _map_bytes(nodes: IdMap, samples: int) -> int:
    measured: list[int] = []
    for chunk in nodes.chunks:
        measured += [sys.getsizeof(key) for key in chunk.keys] + [sys.getsizeof(node) for node in chunk.values]
        if len(measured) >= 2 * samples:
            break
    return sys.getsizeof(nodes) + _expected(measured, 2 * len(nodes))
