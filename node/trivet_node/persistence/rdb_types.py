"""How values are written to RDB files and DUMP payloads, and read from them: here by type, by form in rdb_lists.py etc.

A form is the byte before the key that says how the value behind it is laid out. A type is written in one or two forms,
those of Redis 7.0 (or 7.4 for what 7.0 does not know), and read from all that Redis ever had. What is read is checked
in every respect before it becomes a value: whatever the bytes are, either they make a sound value or RdbError is
raised, and no more memory is taken than they are worth. A large value is written in parts, so that it never stands in
memory twice.
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.persistence import rdb_hash_deadlines, rdb_hashes, rdb_lists, rdb_sets, rdb_streams, rdb_zsets
from trivet_node.persistence.rdb_format import DONE, VERSION, VERSION_FIELD_DEADLINES
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_node.values.lists import List
from trivet_node.values.packing import PackingLimits
from trivet_node.values.sets import Set
from trivet_node.values.streams import Stream
from trivet_node.values.strings import encode_string
from trivet_node.values.zsets import SortedSet

_STRING: Final = 0
_MODULE: Final = (6, 7)
_LISTS: Final = (rdb_lists.LIST, rdb_lists.LIST_ZIPLIST, rdb_lists.LIST_QUICKLIST, rdb_lists.LIST_QUICKLIST_2)
_SETS: Final = (rdb_sets.SET, rdb_sets.SET_INTSET)
_ZSETS: Final = (rdb_zsets.ZSET, rdb_zsets.ZSET_2, rdb_zsets.ZSET_ZIPLIST, rdb_zsets.ZSET_LISTPACK)
_STREAMS: Final = (rdb_streams.STREAM, rdb_streams.STREAM_2)
_EXPIRING_HASHES: Final = (rdb_hash_deadlines.HASH_METADATA, rdb_hash_deadlines.HASH_LISTPACK_EX)
_HASHES: Final = (
    rdb_hashes.HASH,
    rdb_hashes.HASH_ZIPMAP,
    rdb_hashes.HASH_ZIPLIST,
    rdb_hashes.HASH_LISTPACK,
    *_EXPIRING_HASHES,
)


def form_of(value: object) -> i64:
    """Return the form in which `value` is written."""
    if isinstance(value, (bytes, int, bytearray)):
        return _STRING
    if isinstance(value, List):
        return rdb_lists.LIST_QUICKLIST_2
    if isinstance(value, Set):
        return rdb_sets.set_form(value)
    if isinstance(value, SortedSet):
        return rdb_zsets.zset_form(value)
    if isinstance(value, (Hash, ExpiringHash)):
        return rdb_hashes.hash_form(value)
    if isinstance(value, Stream):
        return rdb_streams.STREAM_2
    raise TypeError(f"no value of a key: {value!r}")


def version_of(form: i64) -> int:
    """Return the version of the format to which a form belongs, the one that is written where any will do."""
    return VERSION_FIELD_DEADLINES if form in _EXPIRING_HASHES else VERSION


def write_part(sink: RdbSink, value: object, part: i64, limits: PackingLimits) -> i64:
    """Write a piece of `value`, its first one where `part` is 0, without its form and key.

    Return what `part` is to be for the next piece, or DONE. A piece ends where the sink is full.
    """
    if isinstance(value, bytes):
        sink.string(value)
    elif isinstance(value, int):
        sink.integer_string(value)
    elif isinstance(value, bytearray):
        sink.string(bytes(value))
    elif isinstance(value, List):
        return rdb_lists.write_list(sink, value, part, limits)
    elif isinstance(value, Set):
        return rdb_sets.write_set(sink, value, part)
    elif isinstance(value, SortedSet):
        return rdb_zsets.write_zset(sink, value, part)
    elif isinstance(value, (Hash, ExpiringHash)):
        return rdb_hashes.write_hash(sink, value, part)
    elif isinstance(value, Stream):
        return rdb_streams.write_stream(sink, value, part)
    else:
        raise TypeError(f"no value of a key: {value!r}")
    return DONE


def read_value(form: int, source: RdbSource, limits: PackingLimits) -> object:
    """Return the value that begins here, or None where it is a collection without elements. Raises RdbError."""
    if form == _STRING:
        return encode_string(source.string())
    if form in _LISTS:
        listed = rdb_lists.read_list(form, source, limits)
        return listed if listed.length() > 0 else None
    if form in _SETS:
        members = rdb_sets.read_set(form, source, limits)
        return members if len(members) > 0 else None
    if form in _ZSETS:
        ordered = rdb_zsets.read_zset(form, source, limits)
        return ordered if len(ordered) > 0 else None
    if form in _HASHES:
        hashed = rdb_hashes.read_hash(form, source, limits)
        return hashed if len(hashed) > 0 else None
    if form in _STREAMS:
        return rdb_streams.read_stream(form, source)
    raise source.refuse("a value of a module cannot be loaded" if form in _MODULE else f"unknown value type {form}")
