"""Hashes whose fields have deadlines in RDB files: a listpack of triplets, or fields one by one.

    HASH_METADATA      first deadline: 8, number of fields, then for each of them: time, field, value
    HASH_LISTPACK_EX   first deadline: 8, a listpack of field, value, deadline ...

The first deadline is in Unix milliseconds, little-endian. A time is 0 without a deadline, 1 for the first deadline, 2
for a millisecond later. In the listpack fields stand by their deadlines; 0 is none, and those come last.
(Redis 7.4: rdb.c, RDB_TYPE_HASH_METADATA and RDB_TYPE_HASH_LISTPACK_EX.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.persistence.rdb_format import DONE
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.values import listpack
from trivet_node.values.deadlines import NEVER_MS, NO_DEADLINE
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash, from_pairs
from trivet_node.values.packing import PackingLimits
from trivet_node.values.strings import parse_integer

HASH_METADATA: Final = 24
HASH_LISTPACK_EX: Final = 25
# No stored deadline is later. (Redis: EB_EXPIRE_TIME_MAX.)
_DEADLINE_MAX_MS: Final = 2**48 - 2
_TRIPLET: Final = 3


def expiring_form(value: ExpiringHash) -> i64:
    """Return the form in which a hash with deadlines of fields is written."""
    return HASH_LISTPACK_EX if value.hash.buckets is None else HASH_METADATA


def write_expiring(sink: RdbSink, value: ExpiringHash, part: i64) -> i64:
    """Write a hash from its bucket with the number `part` on; return where to go on, or DONE."""
    first_ms = value.deadlines.first_ms()
    buckets = value.hash.buckets
    if part == 0:
        sink.raw(first_ms.to_bytes(8, "little"))
    if buckets is None:
        sink.string(_triplets(value))
        return DONE
    if part == 0:
        sink.length(buckets.size)
    dicts = buckets.dicts
    while part < len(dicts):
        for field, text in dicts[part].items():
            assert isinstance(text, bytes)
            deadline = value.deadlines.get(field)
            sink.length(0 if deadline == NO_DEADLINE else deadline - first_ms + 1)
            sink.string(field)
            sink.string(text)
        part += 1
        if sink.is_full():
            return part
    return DONE


def _triplets(value: ExpiringHash) -> bytes:
    """Return the listpack of a small hash."""
    texts = value.hash.pairs()
    values = dict(zip(texts[::2], texts[1::2], strict=True))
    entries: list[bytes] = []
    for field in value.deadlines.due(NEVER_MS, len(value.deadlines)):
        entries += [field, values.pop(field), b"%d" % value.deadlines.get(field)]
    for field, text in values.items():
        entries += [field, text, b"0"]
    return listpack.build(entries)


def read_expiring(form: int, source: RdbSource, limits: PackingLimits) -> Hash | ExpiringHash:
    """Return the hash that begins here in the form `form`, a plain one where no field has a deadline."""
    first_ms = source.integer(8)
    if first_ms > _DEADLINE_MAX_MS:
        raise source.refuse("the first deadline of a hash is too late")
    deadlines: dict[bytes, int] = {}
    if form == HASH_LISTPACK_EX:
        hashed = _read_triplets(source, limits, deadlines)
    else:
        hashed = _read_fields(source, limits, first_ms, deadlines)
    if not deadlines:
        return hashed
    made = ExpiringHash(hashed)
    for field, deadline in deadlines.items():
        if deadline > _DEADLINE_MAX_MS:
            raise source.refuse("a deadline of a field is too late")
        made.deadlines.put(field, deadline)
    return made


def _read_triplets(source: RdbSource, limits: PackingLimits, deadlines: dict[bytes, int]) -> Hash:
    texts = listpack.texts(source.listpack())
    if len(texts) % _TRIPLET != 0:
        raise source.refuse("a hash has a field without a value or a deadline")
    pairs: list[bytes] = []
    for index in range(0, len(texts), _TRIPLET):
        field, text, time = texts[index : index + _TRIPLET]
        pairs += [field, text]
        deadline = parse_integer(time)
        if deadline is None or deadline < 0:
            raise source.refuse("a deadline of a field is not a time")
        if deadline != 0:
            deadlines[field] = deadline
    hashed = from_pairs(pairs, limits)
    if len(hashed) * _TRIPLET != len(texts):
        raise source.refuse("a hash has a field twice")
    return hashed


def _read_fields(source: RdbSource, limits: PackingLimits, first_ms: int, deadlines: dict[bytes, int]) -> Hash:
    hashed = Hash()
    left = source.length()
    while left > 0:
        time = source.length()
        field = source.string()
        if not hashed.put(field, source.string(), limits):
            raise source.refuse("a hash has a field twice")
        if time != 0:
            deadlines[field] = first_ms + time - 1
        left -= 1
    return hashed
