"""Hashes in RDB files: a listpack, or fields and values one by one; once a ziplist, and before that a zipmap.

Those whose fields have deadlines have forms of their own: rdb_hash_deadlines.py.

(Redis 7.0: rdb.c, RDB_TYPE_HASH and its kin.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.persistence.rdb_format import DONE
from trivet_node.persistence.rdb_hash_deadlines import (
    HASH_LISTPACK_EX,
    HASH_METADATA,
    expiring_form,
    read_expiring,
    write_expiring,
)
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.persistence.ziplist import MalformedPack
from trivet_node.persistence.zipmap import zipmap_texts
from trivet_node.values import listpack
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash, from_listpack, from_pairs
from trivet_node.values.packing import PackingLimits

HASH: Final = 4
HASH_ZIPMAP: Final = 9
HASH_ZIPLIST: Final = 13
HASH_LISTPACK: Final = 16
_TWICE: Final = "a hash has a field twice"


def hash_form(value: Hash | ExpiringHash) -> i64:
    """Return the form in which a hash is written."""
    if isinstance(value, ExpiringHash):
        return expiring_form(value)
    return HASH_LISTPACK if value.buckets is None else HASH


def write_hash(sink: RdbSink, value: Hash | ExpiringHash, part: i64) -> i64:
    """Write a hash from its bucket with the number `part` on; return where to go on, or DONE."""
    if isinstance(value, ExpiringHash):
        return write_expiring(sink, value, part)
    buckets = value.buckets
    if buckets is None:
        sink.string(value.pack)
        return DONE
    if part == 0:
        sink.length(len(value))
    dicts = buckets.dicts
    while part < len(dicts):
        for field, text in dicts[part].items():
            assert isinstance(text, bytes)
            sink.string(field)
            sink.string(text)
        part += 1
        if sink.is_full():
            return part
    return DONE


def read_hash(form: int, source: RdbSource, limits: PackingLimits) -> Hash | ExpiringHash:
    """Return the hash that begins here in the form `form`; it may be empty."""
    if form in (HASH_LISTPACK_EX, HASH_METADATA):
        return read_expiring(form, source, limits)
    if form == HASH_LISTPACK:
        pack = source.listpack()
        _check_pairs(listpack.texts(pack), source)
        return from_listpack(pack, limits)
    if form == HASH:
        return _read_pairs(source, limits)
    pairs = _zipmap(source) if form == HASH_ZIPMAP else source.ziplist()
    _check_pairs(pairs, source)
    # Only of a zipmap does Redis look how long its fields and values are.
    return from_pairs(pairs, limits) if form == HASH_ZIPMAP else from_listpack(listpack.build(pairs), limits)


def _read_pairs(source: RdbSource, limits: PackingLimits) -> Hash:
    made = Hash()
    length = source.length()
    while length > 0:
        field = source.string()
        if not made.put(field, source.string(), limits):
            raise source.refuse(_TWICE)
        length -= 1
    return made


def _zipmap(source: RdbSource) -> list[bytes]:
    try:
        return zipmap_texts(source.string())
    except MalformedPack as error:
        raise source.refuse(str(error)) from None


def _check_pairs(pairs: list[bytes], source: RdbSource) -> None:
    if len(pairs) % 2 != 0:
        raise source.refuse("a hash has a field without a value")
    if len(set(pairs[::2])) * 2 != len(pairs):
        raise source.refuse(_TWICE)
