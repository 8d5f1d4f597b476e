"""Sorted sets: members with scores, in order of score, then of member as bytes.

A small one is a listpack (`pack`; see zset_packs). A large one has two structures: `scores` finds the score of a
member, `order` ranks the pairs. What was large once stays large, as in Redis; the limits say what a new member makes of
a small one. Ranges are ranks, from `start` to before `stop`: by whatever a range is asked for, its two ends become
ranks first.
(Redis: t_zset.c.)
"""

import math
from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from trivet_node.values import listpack, zset_packs
from trivet_node.values.buckets import Buckets
from trivet_node.values.doubles import score_at
from trivet_node.values.lex_range import LexRange
from trivet_node.values.packing import PackingLimits
from trivet_node.values.ranked import Block, Ranked

# What add() did.
UNCHANGED: Final = 0
ADDED: Final = 1
UPDATED: Final = 2


@final
@mypyc_attr(acyclic=True)
class SortedSet:
    """One sorted set; made by from_listpack() and from_items(). No score is NaN."""

    def __init__(self, pack: bytes) -> None:
        # Empty once the set is large.
        self.pack: bytes = pack
        self.scores: Buckets | None = None
        self.order: Ranked | None = None

    def __len__(self) -> int:
        """Return the number of members."""
        order = self.order
        return listpack.count(self.pack) >> 1 if order is None else order.size

    def encoding(self) -> bytes:
        """Return what OBJECT ENCODING calls the form of the set."""
        return b"listpack" if self.order is None else b"skiplist"

    def copy(self) -> "SortedSet":
        """Return a set that can be changed without changing this one."""
        other = SortedSet(self.pack)
        scores = self.scores
        order = self.order
        if scores is not None and order is not None:
            other.scores = scores.copy()
            other.order = order.copy()
        return other

    def score(self, member: bytes) -> float | None:
        """Return the score of a member, or None where it is missing."""
        scores = self.scores
        if scores is None:
            at = zset_packs.find(self.pack, member)
            return None if at < 0 else score_at(self.pack, listpack.after(self.pack, at))
        score = scores.get(member)
        return score if isinstance(score, float) else None

    def add(self, member: bytes, score: float, limits: PackingLimits) -> i64:
        """Give a member, new or not, a score; return ADDED, UPDATED or UNCHANGED."""
        if self.scores is None:
            at = zset_packs.find(self.pack, member)
            if at >= 0:
                return self._update_packed(at, member, score)
            if fits(listpack.count(self.pack) + 2 >> 1, len(member), limits):
                self.pack = zset_packs.insert(self.pack, member, score)
                return ADDED
            self.unpack()
        scores = self.scores
        order = self.order
        assert scores is not None and order is not None
        known = scores.get(member)
        if not isinstance(known, float):
            scores.put(member, score)
            order.insert(score, member)
            return ADDED
        if known == score:
            return UNCHANGED
        # The structures go on sharing the one object that is the member.
        order.insert(score, order.remove(known, member))
        scores.put(member, score)
        return UPDATED

    def remove(self, member: bytes) -> bool:
        """Remove a member and say whether it was there."""
        scores = self.scores
        order = self.order
        if scores is None or order is None:
            at = zset_packs.find(self.pack, member)
            if at >= 0:
                self.pack = zset_packs.remove(self.pack, at)
            return at >= 0
        score = scores.get(member)
        if not isinstance(score, float):
            return False
        scores.pop(member)
        order.remove(score, member)
        return True

    def remove_ranks(self, start: i64, stop: i64) -> None:
        """Remove the members of a range, all of which are there."""
        scores = self.scores
        order = self.order
        if scores is None or order is None:
            self.pack = zset_packs.remove_ranks(self.pack, start, stop)
            return
        for member in order.remove_ranks(start, stop):
            scores.pop(member)

    def rank(self, member: bytes) -> i64:
        """Return how many members come before this one, or -1 where it is missing."""
        scores = self.scores
        order = self.order
        if scores is None or order is None:
            at = zset_packs.find(self.pack, member)
            return -1 if at < 0 else zset_packs.rank(self.pack, at)
        score = scores.get(member)
        return order.rank(score, member) if isinstance(score, float) else -1

    def rank_of_score(self, score: float, included: bool) -> i64:
        """Return how many members have a lower score, or, where `included`, that score or a lower one."""
        order = self.order
        if order is None:
            return zset_packs.rank_of_score(self.pack, score, included)
        if not included:
            return order.rank(score, b"")
        return order.size if score == math.inf else order.rank(math.nextafter(score, math.inf), b"")

    def lex_ranks(self, wanted: LexRange, from_highest: bool) -> tuple[i64, i64]:
        """Return the range of the members that lie in `wanted`, for a walk from the highest or from the lowest."""
        if wanted.is_empty:
            return 0, 0
        order = self.order
        if order is None:
            return zset_packs.lex_ranks(self.pack, wanted, from_highest)
        if order.size == 0:
            return 0, 0
        score = order.low()
        start: i64 = 0
        stop: i64 = order.size
        if not wanted.low_is_open:
            start = order.rank(score, wanted.low + b"\0" if wanted.excludes_low else wanted.low)
        if not wanted.high_is_open:
            stop = order.rank(score, wanted.high if wanted.excludes_high else wanted.high + b"\0")
        return start, stop

    def collect(self, start: i64, stop: i64, members: list[bytes], scores: list[float] | None) -> None:
        """Append the members of a range, all of which are there, and their scores, where asked for, to lists."""
        order = self.order
        if order is None:
            zset_packs.collect(self.pack, start, stop, members, scores)
        else:
            order.collect(start, stop, members, scores)

    def block_at(self, rank: i64) -> tuple[Block, i64]:
        """Return members with their scores, unboxed, among them the one with that rank, and its place there."""
        order = self.order
        if order is not None:
            return order.block_at(rank)
        members: list[bytes] = []
        scores: list[float] = []
        zset_packs.collect(self.pack, 0, len(self), members, scores)
        return Block(vec[float](scores), members), rank

    def items(self) -> list[tuple[bytes, float]]:
        """Return all members with their scores, in order."""
        members: list[bytes] = []
        scores: list[float] = []
        self.collect(0, len(self), members, scores)
        return list(zip(members, scores, strict=True))

    def _update_packed(self, at: i64, member: bytes, score: float) -> i64:
        pack = self.pack
        if score_at(pack, listpack.after(pack, at)) == score:
            return UNCHANGED
        self.pack = zset_packs.insert(zset_packs.remove(pack, at), member, score)
        return UPDATED

    def unpack(self) -> None:
        """Become a large set, which it stays."""
        if self.order is None:
            self._hold([(score, member) for member, score in self.items()])
            self.pack = b""

    def _hold(self, pairs: list[tuple[float, bytes]]) -> None:
        """Become a large set of these pairs, which are in order."""
        scores = Buckets()
        for score, member in pairs:
            scores.put(member, score)
        order = Ranked()
        order.extend(pairs)
        self.scores = scores
        self.order = order


def fits(members: i64, longest: i64, limits: PackingLimits) -> bool:
    """Say whether a set with so many members, the longest of so many bytes, is to be a listpack."""
    return members <= limits.zset_max_listpack_entries and longest <= limits.zset_max_listpack_value


def from_listpack(pack: bytes) -> SortedSet:
    """Return the set that a listpack holds; zset_packs.is_valid() says whether it does."""
    return SortedSet(pack)


def from_items(items: list[tuple[bytes, float]], limits: PackingLimits) -> SortedSet:
    """Return a set of members, which differ, with scores, in any order."""
    pairs = [(score, member) for member, score in items]
    pairs.sort()
    longest = max([len(member) for member, _ in items], default=0)
    if fits(len(pairs), longest, limits):
        return SortedSet(zset_packs.build(pairs))
    large = SortedSet(b"")
    large._hold(pairs)
    return large
