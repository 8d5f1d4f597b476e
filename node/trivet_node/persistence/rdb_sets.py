"""Sets in RDB files: an intset, or the members one by one. (Redis 7.0: rdb.c, RDB_TYPE_SET, RDB_TYPE_SET_INTSET.)"""

from typing import Final

from mypy_extensions import i64

from trivet_node.persistence.rdb_format import DONE
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.values import intset
from trivet_node.values.packing import PackingLimits
from trivet_node.values.sets import Set, from_intset

SET: Final = 2
SET_INTSET: Final = 11


def set_form(value: Set) -> i64:
    """Return the form in which a set is written."""
    return SET_INTSET if value.is_intset else SET


def write_set(sink: RdbSink, value: Set, part: i64) -> i64:
    """Write a set from its bucket with the number `part` on; return where to go on, or DONE."""
    if value.is_intset:
        sink.string(value.pack)
        return DONE
    if part == 0:
        sink.length(len(value))
    buckets = value.buckets
    if buckets is None:
        for member in value.members():
            sink.string(member)
        return DONE
    dicts = buckets.dicts
    while part < len(dicts):
        for member in dicts[part]:
            sink.string(member)
        part += 1
        if sink.is_full():
            return part
    return DONE


def read_set(form: int, source: RdbSource, limits: PackingLimits) -> Set:
    """Return the set that begins here; it may be empty."""
    most = limits.set_max_intset_entries
    if form == SET_INTSET:
        pack = source.string()
        if pack == intset.EMPTY:
            return Set()
        if not intset.is_valid(pack):
            raise source.refuse("an intset is malformed")
        return from_intset(pack, most)
    length = source.length()
    made = Set()
    if length > most:
        made.leave_intset()
    while length > 0:
        if not made.add(source.string(), most):
            raise source.refuse("a set has a member twice")
        length -= 1
    return made
