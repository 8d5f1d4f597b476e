"""Small sorted sets: a listpack of member, score, member, score ... in order of score, then of member.

All functions are pure. Positions are those of members in the listpack; ranks count pairs from 0.
(Redis: t_zset.c, "Listpack-backed sorted set API".)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.values import listpack
from trivet_node.values.doubles import parse_double, score_at, score_entry
from trivet_node.values.lex_range import LexRange

_END: Final = 0xFF


def find(pack: bytes, member: bytes) -> i64:
    """Return the position of a member, or -1."""
    return listpack.find(pack, member, listpack.FIRST, 1)


def insert(pack: bytes, member: bytes, score: float) -> bytes:
    """Return the listpack with a member that was not there."""
    at = _place(pack, member, score)
    return listpack.splice(pack, at, at, listpack.encoded(member) + score_entry(score), 2)


def remove(pack: bytes, at: i64) -> bytes:
    """Return the listpack without the pair at a position."""
    return listpack.splice(pack, at, _following(pack, at), b"", -2)


def remove_ranks(pack: bytes, start: i64, stop: i64) -> bytes:
    """Return the listpack without the pairs from `start` to before `stop`, all of which are there."""
    first = _at_rank(pack, start)
    last = first
    left = stop - start
    while left > 0:
        last = _following(pack, last)
        left -= 1
    return listpack.splice(pack, first, last, b"", (start - stop) * 2)


def collect(pack: bytes, start: i64, stop: i64, members: list[bytes], scores: list[float] | None) -> None:
    """Append the members from `start` to before `stop`, all of which are there, and their scores to lists."""
    if start >= stop:
        return
    at = _at_rank(pack, start)
    left = stop - start
    while left > 0:
        members.append(listpack.text(pack, at))
        at = listpack.after(pack, at)
        if scores is not None:
            scores.append(score_at(pack, at))
        at = listpack.after(pack, at)
        left -= 1


def build(pairs: list[tuple[float, bytes]]) -> bytes:
    """Return a listpack of pairs that are in order."""
    entries: list[bytes] = []
    for score, member in pairs:
        entries.append(listpack.encoded(member))
        entries.append(score_entry(score))
    at: i64 = listpack.FIRST
    return listpack.splice(listpack.EMPTY, at, at, b"".join(entries), len(entries))


def is_valid(pack: bytes) -> bool:
    """Say whether a sound listpack holds a sorted set: pairs, members that differ, scores that are numbers."""
    seen: set[bytes] = set()
    at: i64 = listpack.FIRST
    while pack[at] != _END:
        seen.add(listpack.text(pack, at))
        at = listpack.after(pack, at)
        if pack[at] == _END or not _is_score(pack, at):
            return False
        at = listpack.after(pack, at)
    return len(seen) * 2 == listpack.count(pack)


def rank(pack: bytes, at: i64) -> i64:
    """Return the rank of the member at a position."""
    found: i64 = 0
    position: i64 = listpack.FIRST
    while position < at:
        position = _following(pack, position)
        found += 1
    return found


def rank_of_score(pack: bytes, score: float, included: bool) -> i64:
    """Return how many pairs have a lower score, or, where `included`, that score or a lower one."""
    found: i64 = 0
    at: i64 = listpack.FIRST
    while pack[at] != _END:
        at = listpack.after(pack, at)
        other = score_at(pack, at)
        if other > score or (other == score and not included):
            return found
        found += 1
        at = listpack.after(pack, at)
    return found


def lex_ranks(pack: bytes, wanted: LexRange, from_highest: bool) -> tuple[i64, i64]:
    """Return the ranks of the range by member: the first one and the one behind the last.

    Such ranges are made for equal scores. Where scores differ, the answer is still that of Redis: the walk begins at
    the first member that reaches the near end of the range and goes on as long as the far end is not passed.
    """
    members: list[bytes] = []
    size = listpack.count(pack) >> 1
    collect(pack, 0, size, members, None)
    if size == 0 or not wanted.is_above_low(members[size - 1]) or not wanted.is_below_high(members[0]):
        return 0, 0
    return _walk_down(members, wanted) if from_highest else _walk_up(members, wanted)


def _walk_up(members: list[bytes], wanted: LexRange) -> tuple[i64, i64]:
    size: i64 = len(members)
    start: i64 = 0
    while start < size and not wanted.is_above_low(members[start]):
        start += 1
    stop = start
    while stop < size and wanted.is_below_high(members[stop]):
        stop += 1
    return start, stop


def _walk_down(members: list[bytes], wanted: LexRange) -> tuple[i64, i64]:
    stop: i64 = len(members)
    while stop > 0 and not wanted.is_below_high(members[stop - 1]):
        stop -= 1
    start = stop
    while start > 0 and wanted.is_above_low(members[start - 1]):
        start -= 1
    return start, stop


def _place(pack: bytes, member: bytes, score: float) -> i64:
    """Return where a pair that is not there belongs."""
    at: i64 = listpack.FIRST
    while pack[at] != _END:
        score_position = listpack.after(pack, at)
        other = score_at(pack, score_position)
        if other > score or (other == score and listpack.text(pack, at) > member):
            return at
        at = listpack.after(pack, score_position)
    return at


def _following(pack: bytes, at: i64) -> i64:
    return listpack.after(pack, listpack.after(pack, at))


def _at_rank(pack: bytes, wanted: i64) -> i64:
    """Return the position of the pair with that rank, or of the closing byte where there is none."""
    at = listpack.seek(pack, wanted * 2)
    return at if at >= 0 else listpack.end(pack)


def _is_score(pack: bytes, at: i64) -> bool:
    return listpack.is_integer(pack, at) or parse_double(listpack.text(pack, at)) is not None
