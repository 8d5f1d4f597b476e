"""Pairs of score and member in order, each found by its rank: what large sorted sets are ranked by.

The pairs lie in blocks of at most BLOCK_MAX, a block being two parallel lists. `lows` holds the first score of every
block, so a pair is found by one binary search among the blocks and one inside a block; members are looked at only where
scores are equal.
How many pairs precede a block is kept in a Fenwick tree: the sum over any prefix, and the block in which a rank lies,
cost the logarithm of the number of blocks. The tree is made anew after a block was divided or dropped, when somebody
asks for a rank: that is once in some hundred changes.

Pairs are ordered by score, then by member as bytes. Everything about ranges is said in ranks: the ends of a range by
score or by member are the ranks of the pairs that would stand there. So `rank(score, b"")` counts the pairs with a
lower score, and `rank(score, member + b"\\0")` those up to that member.
(Fenwick, "A new data structure for cumulative frequency tables"; Redis has a skip list with spans there: zskiplist.)
"""

from typing import Final, final

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

BLOCK_MAX: Final = 512
# A block with fewer pairs joins its neighbour where there is room.
_BLOCK_MIN: Final = 64
_FILLED: Final = 384


@final
@mypyc_attr(acyclic=True)
class Ranked:
    """The pairs, each member once; the caller sees to that. Ranks count from 0."""

    def __init__(self) -> None:
        self.size: i64 = 0
        # There is always one block; only a sole block may be empty. The first one's low is not looked at.
        self.scores: list[list[float]] = [[]]
        self.members: list[list[bytes]] = [[]]
        self._lows: list[float] = [0.0]
        self._sums: vec[i64] = vec[i64]()
        self._is_counted: bool = False

    def insert(self, score: float, member: bytes) -> None:
        """Add a pair that is not there."""
        block = self._block(score, member)
        scores = self.scores[block]
        members = self.members[block]
        place = _place(scores, members, score, member)
        scores.insert(place, score)
        members.insert(place, member)
        self.size += 1
        if place == 0:
            self._lows[block] = score
        if len(scores) > BLOCK_MAX:
            self._divide(block)
        elif self._is_counted:
            self._add(block, 1)

    def extend(self, pairs: list[tuple[float, bytes]]) -> None:
        """Fill an empty structure with pairs that are in order."""
        length: i64 = len(pairs)
        start: i64 = 0
        while start < length:
            part = pairs[start : start + _FILLED]
            if start == 0:
                self._clear()
            self.scores.append([score for score, _ in part])
            self.members.append([member for _, member in part])
            self._lows.append(part[0][0])
            start += _FILLED
        self.size = length
        self._is_counted = False

    def remove(self, score: float, member: bytes) -> bytes:
        """Remove a pair that is there; return the member as the object that was kept."""
        block = self._block(score, member)
        scores = self.scores[block]
        members = self.members[block]
        place = _place(scores, members, score, member)
        kept = members[place]
        del scores[place]
        del members[place]
        self.size -= 1
        if self._is_counted:
            self._add(block, -1)
        self._mend(block)
        return kept

    def rank(self, score: float, member: bytes) -> i64:
        """Return how many pairs come before this one, which need not be there."""
        block = self._block(score, member)
        return self._before(block) + _place(self.scores[block], self.members[block], score, member)

    def low(self) -> float:
        """Return the lowest score; there is one."""
        return self.scores[0][0]

    def collect(self, start: i64, stop: i64, members: list[bytes], scores: list[float]) -> None:
        """Append the pairs with the ranks from `start` to before `stop`, all of which are there, to two lists."""
        if start >= stop:
            return
        block, place = self._locate(start)
        left = stop - start
        while left > 0:
            some = self.members[block][place : place + left]
            members.extend(some)
            scores.extend(self.scores[block][place : place + left])
            left -= len(some)
            block += 1
            place = 0

    def remove_ranks(self, start: i64, stop: i64) -> list[bytes]:
        """Remove the pairs with the ranks from `start` to before `stop`, all of which are there; return the members."""
        removed: list[bytes] = []
        if start >= stop:
            return removed
        first, place = self._locate(start)
        block = first
        left = stop - start
        while left > 0:
            taken = self.members[block][place : place + left]
            removed.extend(taken)
            count: i64 = len(taken)
            del self.members[block][place : place + count]
            del self.scores[block][place : place + count]
            self._add(block, -count)
            left -= count
            block += 1
            place = 0
        self.size -= stop - start
        self._drop_empty(first, block)
        self._mend(min(first, len(self.scores) - 1))
        return removed

    def copy(self) -> "Ranked":
        """Return a structure of its own with the same pairs."""
        other = Ranked()
        other.size = self.size
        other.scores = [scores.copy() for scores in self.scores]
        other.members = [members.copy() for members in self.members]
        other._lows = self._lows.copy()
        return other

    def _clear(self) -> None:
        self.scores.clear()
        self.members.clear()
        self._lows.clear()

    def _block(self, score: float, member: bytes) -> i64:
        """Return the last block whose first pair is not behind this one, or the first block."""
        lows = self._lows
        lower: i64 = 1
        upper: i64 = len(lows)
        while lower < upper:
            middle = (lower + upper) >> 1
            first = lows[middle]
            if first < score or (first == score and self.members[middle][0] <= member):
                lower = middle + 1
            else:
                upper = middle
        return lower - 1

    def _divide(self, block: i64) -> None:
        """Make two blocks of one. Where pairs come in order, the first one stays nearly full."""
        scores = self.scores[block]
        members = self.members[block]
        half: i64 = _FILLED if block == len(self.scores) - 1 else len(scores) >> 1
        self.scores.insert(block + 1, scores[half:])
        self.members.insert(block + 1, members[half:])
        self._lows.insert(block + 1, scores[half])
        del scores[half:]
        del members[half:]
        self._is_counted = False

    def _mend(self, block: i64) -> None:
        """Put right what a removal left: the low of the block, and a block too small to be one."""
        scores = self.scores[block]
        if len(scores) != 0:
            self._lows[block] = scores[0]
        if len(scores) >= _BLOCK_MIN or len(self.scores) == 1:
            return
        left = block - 1 if block > 0 else 0
        if len(self.scores[left]) + len(self.scores[left + 1]) <= BLOCK_MAX:
            self.scores[left].extend(self.scores[left + 1])
            self.members[left].extend(self.members[left + 1])
            self._lows[left] = self.scores[left][0]
            self._delete_blocks(left + 1, left + 2)

    def _drop_empty(self, first: i64, last: i64) -> None:
        """Drop the empty ones among some neighbouring blocks, from `first` to before `last`."""
        if last - first == 1 and len(self.scores[first]) != 0:
            return
        if len(self.scores[first]) != 0:
            first += 1
        if len(self.scores[last - 1]) != 0:
            last -= 1
            self._lows[last] = self.scores[last][0]
        if last - first == len(self.scores):
            first += 1
        self._delete_blocks(first, last)

    def _delete_blocks(self, first: i64, last: i64) -> None:
        if first < last:
            del self.scores[first:last]
            del self.members[first:last]
            del self._lows[first:last]
            self._is_counted = False

    def _count(self) -> None:
        """Make the Fenwick tree: the sum at `i` is that of the last `i & -i` blocks among the first `i`."""
        length: i64 = len(self.members)
        sums = vec[i64]()
        sums = append(sums, 0)
        for members in self.members:
            sums = append(sums, len(members))
        index: i64 = 1
        while index <= length:
            parent = index + (index & -index)
            if parent <= length:
                sums[parent] += sums[index]
            index += 1
        self._sums = sums
        self._is_counted = True

    def _add(self, block: i64, change: i64) -> None:
        sums = self._sums
        length: i64 = len(sums)
        index = block + 1
        while index < length:
            sums[index] += change
            index += index & -index

    def _before(self, block: i64) -> i64:
        """Return how many pairs the blocks before this one hold."""
        if block == 0:
            return 0
        if not self._is_counted:
            self._count()
        sums = self._sums
        total: i64 = 0
        index = block
        while index > 0:
            total += sums[index]
            index &= index - 1
        return total

    def _locate(self, rank: i64) -> tuple[i64, i64]:
        """Return the block and the place in it of the pair with that rank, which is there."""
        if not self._is_counted:
            self._count()
        sums = self._sums
        length: i64 = len(sums)
        step: i64 = 1
        while step * 2 < length:
            step *= 2
        block: i64 = 0
        while step > 0:
            if block + step < length and sums[block + step] <= rank:
                block += step
                rank -= sums[block]
            step >>= 1
        return block, rank


def _place(scores: list[float], members: list[bytes], score: float, member: bytes) -> i64:
    """Return how many pairs of a block come before this one."""
    lower: i64 = 0
    upper: i64 = len(scores)
    while lower < upper:
        middle = (lower + upper) >> 1
        other = scores[middle]
        if other < score or (other == score and members[middle] < member):
            lower = middle + 1
        else:
            upper = middle
    return lower
