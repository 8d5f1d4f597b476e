"""Sorted sets in RDB files: a listpack, or members with binary scores; once a ziplist, or scores as text.

(Redis 7.0: rdb.c, RDB_TYPE_ZSET_2 and its kin, rdbLoadDoubleValue.)
"""

import math
from typing import Final

from librt.strings import BytesWriter, read_f64_le, write_f64_le
from mypy_extensions import i64

from trivet_node.persistence.rdb_format import DONE
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.values import listpack, zset_packs
from trivet_node.values.doubles import parse_double
from trivet_node.values.packing import PackingLimits
from trivet_node.values.zsets import SortedSet, from_items, from_listpack

ZSET: Final = 3
ZSET_2: Final = 5
ZSET_ZIPLIST: Final = 12
ZSET_LISTPACK: Final = 17
# Members between two looks at how full the sink is.
_STEP: Final = 512
_TEXT_NAN: Final = 253
_TEXT_INFINITY: Final = 254
_TEXT_MINUS_INFINITY: Final = 255


def zset_form(value: SortedSet) -> i64:
    """Return the form in which a sorted set is written."""
    return ZSET_LISTPACK if value.order is None else ZSET_2


def write_zset(sink: RdbSink, value: SortedSet, part: i64) -> i64:
    """Write a sorted set behind its first `part` members from the highest; return where to go on, or DONE."""
    order = value.order
    if order is None:
        sink.string(value.pack)
        return DONE
    if part == 0:
        sink.length(order.size)
    left = order.size - part
    while left > 0:
        start = max(left - _STEP, 0)
        members: list[bytes] = []
        scores: list[float] = []
        order.collect(start, left, members, scores)
        index: i64 = len(members)
        while index > 0:
            index -= 1
            sink.string(members[index])
            sink.raw(_binary(scores[index]))
        left = start
        if sink.is_full():
            return order.size - left
    return DONE


def read_zset(form: int, source: RdbSource, limits: PackingLimits) -> SortedSet:
    """Return the sorted set that begins here in the form `form`; it may be empty."""
    if form == ZSET_LISTPACK:
        return _from_pack(source.listpack(), source, limits)
    if form == ZSET_ZIPLIST:
        return _from_pack(listpack.build(source.ziplist()), source, limits)
    items = _items(form, source)
    made = from_items(items, limits)
    scores = made.scores
    if not (zset_packs.is_valid(made.pack) if scores is None else scores.size == len(items)):
        raise source.refuse("a sorted set has a member twice")
    return made


def _from_pack(pack: bytes, source: RdbSource, limits: PackingLimits) -> SortedSet:
    """Return the set that a listpack holds. Of the limits only the one on their number counts here, as in Redis."""
    if not zset_packs.is_valid(pack):
        raise source.refuse("a listpack is no sorted set")
    made = from_listpack(pack)
    items = made.items()
    if items != _in_order(items):
        raise source.refuse("a sorted set is not in order")
    return made if len(items) <= limits.zset_max_listpack_entries else from_items(items, limits)


def _in_order(items: list[tuple[bytes, float]]) -> list[tuple[bytes, float]]:
    pairs = [(score, member) for member, score in items]
    pairs.sort()
    return [(member, score) for score, member in pairs]


def _items(form: int, source: RdbSource) -> list[tuple[bytes, float]]:
    items: list[tuple[bytes, float]] = []
    length = source.length()
    while length > 0:
        member = source.string()
        score = _text_score(source) if form == ZSET else read_f64_le(source.take(8), 0)
        if math.isnan(score):
            raise source.refuse("a score is not a number")
        items.append((member, score))
        length -= 1
    return items


def _text_score(source: RdbSource) -> float:
    length = source.byte()
    if length == _TEXT_INFINITY:
        return math.inf
    if length == _TEXT_MINUS_INFINITY:
        return -math.inf
    if length == _TEXT_NAN:
        return math.nan
    number = parse_double(source.take(int(length)))
    if number is None:
        raise source.refuse("a score is not a number")
    return number


def _binary(score: float) -> bytes:
    out = BytesWriter()
    write_f64_le(out, score)
    return out.getvalue()
