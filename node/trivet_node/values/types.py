"""What every type of value has: a name, an encoding, a copy, and the pieces in which a huge one is freed.

Whoever asks for these asks here, so that a new type is one more line in each function.
(Redis: TYPE, OBJECT ENCODING, COPY, lazyfree.c.)
"""

from typing import Final

from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_node.values.lists import List
from trivet_node.values.sets import Set
from trivet_node.values.streams import Stream
from trivet_node.values.strings import string_encoding
from trivet_node.values.zsets import SortedSet

# A value in fewer pieces is given back at once.
_MANY_PIECES: Final = 64


def type_name(value: object) -> bytes:
    """Return the type of a value as TYPE names it."""
    if isinstance(value, (bytes, int, bytearray)):
        return b"string"
    if isinstance(value, List):
        return b"list"
    if isinstance(value, (Hash, ExpiringHash)):
        return b"hash"
    if isinstance(value, Set):
        return b"set"
    if isinstance(value, SortedSet):
        return b"zset"
    if isinstance(value, Stream):
        return b"stream"
    raise TypeError(f"no value of a key: {value!r}")


def encoding_name(value: object) -> bytes:
    """Return how a value is stored as OBJECT ENCODING names it."""
    if isinstance(value, List):
        return value.encoding()
    if isinstance(value, (Hash, ExpiringHash)):
        return value.encoding()
    if isinstance(value, Set):
        return value.encoding()
    if isinstance(value, SortedSet):
        return value.encoding()
    if isinstance(value, Stream):
        return value.encoding()
    encoding = string_encoding(value)
    if encoding is None:
        raise TypeError(f"no value of a key: {value!r}")
    return encoding


def copy_value(value: object) -> object:
    """Return a value that can be changed without changing this one."""
    if isinstance(value, List):
        return value.copy()
    if isinstance(value, (Hash, ExpiringHash)):
        return value.copy()
    if isinstance(value, Set):
        return value.copy()
    if isinstance(value, SortedSet):
        return value.copy()
    if isinstance(value, Stream):
        return value.copy()
    return bytearray(value) if isinstance(value, bytearray) else value


def pieces(value: object) -> list[object]:
    """Return what a huge value consists of, in pieces of some elements, or nothing where the value is small.

    Giving a huge value back at once takes long. Who holds its pieces while it goes can let them go one by one.
    (Redis: lazyfree.c.)
    """
    found: list[object] = []
    if isinstance(value, (bytes, int, bytearray)):
        return found
    if isinstance(value, List):
        if value.long is not None:
            found.extend(value.long.nodes)
    elif isinstance(value, (Hash, Set)):
        if value.buckets is not None:
            found.extend(value.buckets.dicts)
    elif isinstance(value, SortedSet):
        if value.scores is not None and value.order is not None:
            found.extend(value.scores.dicts)
            found.extend(value.order.blocks)
    elif isinstance(value, Stream):
        found.extend(value.closed_nodes().chunks)
        for group in value.groups.values():
            found.extend(group.pending.chunks)
            for consumer in group.consumers.values():
                found.extend(consumer.pending.chunks)
    elif isinstance(value, ExpiringHash):
        found.extend(value.deadlines.pieces())
        found.extend(pieces(value.hash))
    return found if len(found) > _MANY_PIECES else []
