"""Pairs of score and member in order, each found by its rank: what large sorted sets are ranked by.

The pairs lie in blocks of at most BLOCK_MAX. `lows` holds the first score of every block, so a pair is found by one
binary search among the blocks and one inside a block; members are looked at only where scores are equal. Scores are
packed doubles, because these searches touch little memory then: what a large set costs is caches missed.
How many pairs precede a block is kept in a Fenwick tree: the sum over any prefix, and the block in which a rank lies,
cost the logarithm of the number of blocks. The tree is made anew after a block was divided or dropped, when somebody
asks for a rank: that is once in some hundred changes.

Pairs are ordered by score, then by member as bytes. Everything about ranges is said in ranks: the ends of a range by
score or by member are the ranks of the pairs that would stand there. So `rank(score, b"")` counts the pairs with a
lower score, and `rank(score, member + b"\\0")` those up to that member.
(Fenwick, "A new data structure for cumulative frequency tables"; Redis has a skip list with spans there: zskiplist.)
"""

from typing import Final, final

from librt.vecs import append, pop, vec
from mypy_extensions import i64, mypyc_attr

BLOCK_MAX: Final = 256
# A block with fewer pairs joins its neighbour where there is room.
_BLOCK_MIN: Final = 32
_FILLED: Final = 192


@final
@mypyc_attr(acyclic=True)
class Block:
    """Some neighbouring pairs: two parallel sequences in order."""

    def __init__(self, scores: vec[float], members: list[bytes]) -> None:
        self.scores: vec[float] = scores
        self.members: list[bytes] = members

    def place(self, score: float, member: bytes) -> i64:
        """Return how many pairs come before this one."""
        scores = self.scores
        lower: i64 = 0
        upper: i64 = len(scores)
        while lower < upper:
            middle = (lower + upper) >> 1
            other = scores[middle]
            if other < score or (other == score and self.members[middle] < member):
                lower = middle + 1
            else:
                upper = middle
        return lower

    def insert(self, place: i64, score: float, member: bytes) -> None:
        """Add a pair at its place."""
        self.scores = _inserted(self.scores, place, score)
        self.members.insert(place, member)

    def remove(self, start: i64, stop: i64) -> list[bytes]:
        """Remove the pairs from `start` to before `stop`; return the members."""
        members = self.members
        removed = members[start:stop]
        del members[start:stop]
        self.scores = _without(self.scores, start, stop)
        return removed

    def divide(self, place: i64) -> "Block":
        """Return a block of the pairs from `place` on, which this one loses."""
        upper = Block(self.scores[place:], self.members[place:])
        self.scores = self.scores[:place]
        del self.members[place:]
        return upper

    def join(self, other: "Block") -> None:
        """Take over the pairs of the next block."""
        scores = self.scores
        for score in other.scores:
            scores = append(scores, score)
        self.scores = scores
        self.members.extend(other.members)

    def copy(self) -> "Block":
        """Return a block of its own with the same pairs."""
        return Block(self.scores[:], self.members.copy())


def _inserted(numbers: vec[float], place: i64, number: float) -> vec[float]:
    """Return the numbers with one more; those given are used up."""
    numbers = append(numbers, number)
    index: i64 = len(numbers) - 1
    while index > place:
        numbers[index] = numbers[index - 1]
        index -= 1
    numbers[place] = number
    return numbers


def _without(numbers: vec[float], start: i64, stop: i64) -> vec[float]:
    """Return the numbers without those from `start` to before `stop`; those given are used up."""
    length: i64 = len(numbers)
    left = stop - start
    index = stop
    while index < length:
        numbers[index - left] = numbers[index]
        index += 1
    while left > 0:
        numbers, _ = pop(numbers)
        left -= 1
    return numbers


@final
@mypyc_attr(acyclic=True)
class Ranked:
    """The pairs, each member once; the caller sees to that. Ranks count from 0."""

    def __init__(self) -> None:
        self.size: i64 = 0
        # There is always one block; only a sole block may be empty. The first one's low is not looked at.
        self.blocks: list[Block] = [Block(vec[float](), [])]
        self._lows: vec[float] = vec[float]([0.0])
        self._sums: vec[i64] = vec[i64]()
        self._is_counted: bool = False

    def insert(self, score: float, member: bytes) -> None:
        """Add a pair that is not there."""
        index = self._block(score, member)
        block = self.blocks[index]
        place = block.place(score, member)
        block.insert(place, score, member)
        self.size += 1
        if place == 0:
            self._lows[index] = score
        if len(block.members) > BLOCK_MAX:
            self._divide(index)
        elif self._is_counted:
            self._add(index, 1)

    def extend(self, pairs: list[tuple[float, bytes]]) -> None:
        """Fill an empty structure with pairs that are in order."""
        length: i64 = len(pairs)
        start: i64 = 0
        while start < length:
            part = pairs[start : start + _FILLED]
            if start == 0:
                self.blocks.clear()
                self._lows = vec[float]()
            self.blocks.append(Block(vec[float]([score for score, _ in part]), [member for _, member in part]))
            self._lows = append(self._lows, part[0][0])
            start += _FILLED
        self.size = length
        self._is_counted = False

    def remove(self, score: float, member: bytes) -> bytes:
        """Remove a pair that is there; return the member as the object that was kept."""
        index = self._block(score, member)
        block = self.blocks[index]
        place = block.place(score, member)
        kept = block.remove(place, place + 1)
        self.size -= 1
        if self._is_counted:
            self._add(index, -1)
        self._mend(index)
        return kept[0]

    def rank(self, score: float, member: bytes) -> i64:
        """Return how many pairs come before this one, which need not be there."""
        index = self._block(score, member)
        return self._before(index) + self.blocks[index].place(score, member)

    def low(self) -> float:
        """Return the lowest score; there is one."""
        return self.blocks[0].scores[0]

    def collect(self, start: i64, stop: i64, members: list[bytes], scores: list[float] | None) -> None:
        """Append the pairs with the ranks from `start` to before `stop`, all of which are there, to two lists."""
        if start >= stop:
            return
        index, place = self._locate(start)
        left = stop - start
        while left > 0:
            block = self.blocks[index]
            end = min(place + left, len(block.members))
            members.extend(block.members[place:end])
            left -= end - place
            if scores is not None:
                packed = block.scores
                while place < end:
                    scores.append(packed[place])
                    place += 1
            index += 1
            place = 0

    def block_at(self, rank: i64) -> tuple[Block, i64]:
        """Return the block of the pair with that rank, which is there, and the pair's place in it."""
        index, place = self._locate(rank)
        return self.blocks[index], place

    def remove_ranks(self, start: i64, stop: i64) -> list[bytes]:
        """Remove the pairs with the ranks from `start` to before `stop`, all of which are there; return the members."""
        removed: list[bytes] = []
        if start >= stop:
            return removed
        first, place = self._locate(start)
        index = first
        left = stop - start
        while left > 0:
            block = self.blocks[index]
            end = min(place + left, len(block.members))
            removed.extend(block.remove(place, end))
            self._add(index, place - end)
            left -= end - place
            index += 1
            place = 0
        self.size -= stop - start
        self._drop_empty(first, index)
        self._mend(min(first, len(self.blocks) - 1))
        return removed

    def copy(self) -> "Ranked":
        """Return a structure of its own with the same pairs."""
        other = Ranked()
        other.size = self.size
        other.blocks = [block.copy() for block in self.blocks]
        other._lows = self._lows[:]
        return other

    def _block(self, score: float, member: bytes) -> i64:
        """Return the index of the last block whose first pair is not behind this one, or of the first block."""
        lows = self._lows
        lower: i64 = 1
        upper: i64 = len(lows)
        while lower < upper:
            middle = (lower + upper) >> 1
            first = lows[middle]
            if first < score or (first == score and self.blocks[middle].members[0] <= member):
                lower = middle + 1
            else:
                upper = middle
        return lower - 1

    def _divide(self, index: i64) -> None:
        """Make two blocks of one. Where pairs come in order, the first one stays nearly full."""
        place: i64 = _FILLED if index == len(self.blocks) - 1 else BLOCK_MAX >> 1
        upper = self.blocks[index].divide(place)
        self.blocks.insert(index + 1, upper)
        self._lows = _inserted(self._lows, index + 1, upper.scores[0])
        self._is_counted = False

    def _mend(self, index: i64) -> None:
        """Put right what a removal left: the low of the block, and a block too small to be one."""
        block = self.blocks[index]
        length: i64 = len(block.members)
        if length != 0:
            self._lows[index] = block.scores[0]
        if length >= _BLOCK_MIN or len(self.blocks) == 1:
            return
        left = index - 1 if index > 0 else 0
        lower = self.blocks[left]
        upper = self.blocks[left + 1]
        if len(lower.members) + len(upper.members) <= BLOCK_MAX:
            lower.join(upper)
            self._lows[left] = lower.scores[0]
            self._delete_blocks(left + 1, left + 2)

    def _drop_empty(self, first: i64, last: i64) -> None:
        """Drop the empty ones among some neighbouring blocks, from `first` to before `last`."""
        if last - first == 1 and self.blocks[first].members:
            return
        if self.blocks[first].members:
            first += 1
        if self.blocks[last - 1].members:
            last -= 1
            self._lows[last] = self.blocks[last].scores[0]
        if last - first == len(self.blocks):
            first += 1
        self._delete_blocks(first, last)

    def _delete_blocks(self, first: i64, last: i64) -> None:
        if first < last:
            del self.blocks[first:last]
            self._lows = _without(self._lows, first, last)
            self._is_counted = False

    def _count(self) -> None:
        """Make the Fenwick tree: the sum at `i` is that of the last `i & -i` blocks among the first `i`."""
        length: i64 = len(self.blocks)
        sums = vec[i64]()
        sums = append(sums, 0)
        for block in self.blocks:
            sums = append(sums, len(block.members))
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
