"""DEBUG DIGEST and DIGEST-VALUE: a signature of the data, equal on two servers that hold the same.

A digest is a number of 160 bits. What has no order is added to it by the exclusive or of its elements' SHA-1; what has
one is mixed in: digest = SHA-1(digest xor SHA-1(data)). How values are stored does not count, nor when keys expire,
only whether they do; of a stream its entries count, not its groups. (Redis: debug.c computeDatasetDigest.)
"""

from hashlib import sha1
from typing import Final

from trivet_node.client import Client
from trivet_node.keyspace import Database, Keyspace
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_node.values.lists import List
from trivet_node.values.sets import Set
from trivet_node.values.stream_ids import LARGEST_ID, SMALLEST_ID
from trivet_node.values.streams import EntryWalk, Stream
from trivet_node.values.strings import string_bytes
from trivet_node.values.zsets import SortedSet
from trivet_wire.replies import format_double

_BYTES: Final = 20


def digest(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG DIGEST."""
    client.reply.simple(_hexadecimal(keyspace_digest(server.keyspace)))


def digest_value(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG DIGEST-VALUE [key ...]: zeros for a key that is not there."""
    database = client.database
    keys = arguments[2:]
    client.reply.array(len(keys))
    for key in keys:
        value = database.find_raw(key)
        client.reply.simple(_hexadecimal(0 if value is None else _with_value(0, database, key, value)))


def keyspace_digest(keyspace: Keyspace) -> int:
    """Return the digest of all keys of all databases."""
    total = 0
    for database in keyspace.used_databases():
        if database.size == 0:
            continue
        total = _mixed(total, database.index.to_bytes(4, "big"))
        for slot in database.slots:
            for key, value in slot.items():
                total ^= _hash_of_digest(_with_value(_mixed(0, key), database, key, value))
    return total


def _with_value(start: int, database: Database, key: bytes, value: object) -> int:
    """Return `start` with a value mixed in, and with whether it expires."""
    text = string_bytes(value)
    if text is not None:
        found = _mixed(_typed(start, _STRING_HASH), text)
    elif isinstance(value, List):
        found = _typed(start, _LIST_HASH)
        for item in value.values(0, len(value)):
            found = _mixed(found, item)
    elif isinstance(value, Set):
        found = _typed(start, _SET_HASH)
        for member in value.members():
            found ^= _hash(member)
    elif isinstance(value, SortedSet):
        found = _typed(start, _ZSET_HASH)
        for member, score in value.items():
            found ^= _pair(member, format_double(score))
    elif isinstance(value, (Hash, ExpiringHash)):
        found = _with_fields(_typed(start, _HASH_HASH), value)
    elif isinstance(value, Stream):
        found = _with_entries(_typed(start, _STREAM_HASH), value)
    else:
        raise TypeError(f"no value of a key: {value!r}")
    return found ^ _EXPIRES_HASH if database.deadline(key) >= 0 else found


def _with_fields(start: int, value: Hash | ExpiringHash) -> int:
    """Return `start` with fields and values mixed in, and with whether each expires."""
    found = start
    hashed = value if isinstance(value, Hash) else value.hash
    pairs = hashed.pairs()
    for index in range(0, len(pairs), 2):
        element = _mixed(_mixed(0, pairs[index]), pairs[index + 1])
        if isinstance(value, ExpiringHash) and value.deadlines.get(pairs[index]) != NO_DEADLINE:
            element ^= _FIELD_EXPIRES_HASH
        found ^= _hash_of_digest(element)
    return found


def _with_entries(start: int, stream: Stream) -> int:
    found = start
    walk = EntryWalk(stream, SMALLEST_ID, LARGEST_ID, backwards=False)
    while walk.next():
        node = walk.node
        found = _mixed(found, b"%d.%d" % (node.milliseconds, node.sequence))
        contents = node.contents()
        if node.has_same_fields():
            contents = [text for pair in zip(node.master_fields(), contents, strict=True) for text in pair]
        for text in contents:
            found = _mixed(found, text)
    return found


def _pair(one: bytes, other: bytes) -> int:
    """Return what an element of two parts adds to the digest of its collection."""
    return _hash_of_digest(_mixed(_mixed(0, one), other))


def _mixed(start: int, data: bytes) -> int:
    return _hash_of_digest(start ^ _hash(data))


def _typed(start: int, type_hash: int) -> int:
    """Return `start` with the number of a type mixed in, whose hash is known."""
    return _hash_of_digest(start ^ type_hash)


def _hash(data: bytes) -> int:
    return int.from_bytes(sha1(data).digest(), "big")


def _hash_of_digest(value: int) -> int:
    return int.from_bytes(sha1(value.to_bytes(_BYTES, "big")).digest(), "big")


def _hexadecimal(value: int) -> bytes:
    return b"%040x" % value


def _hash_of_type(number: int) -> int:
    return _hash(number.to_bytes(4, "big"))


# Redis' numbers of the types.
_STRING_HASH: Final = _hash_of_type(0)
_LIST_HASH: Final = _hash_of_type(1)
_SET_HASH: Final = _hash_of_type(2)
_ZSET_HASH: Final = _hash_of_type(3)
_HASH_HASH: Final = _hash_of_type(4)
_STREAM_HASH: Final = _hash_of_type(6)
_EXPIRES_HASH: Final = _hash(b"!!expire!!")
_FIELD_EXPIRES_HASH: Final = _hash(b"!!hexpire!!")
