"""How requests give a range of a sorted set, and the options behind it.

Every range becomes a pair of ranks first (`RangeSpec.ranks`), whatever it is given by.
(Redis: t_zset.c zrangeGenericCommand, zslParseRange, zslParseLexRange.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.command import CommandError
from trivet_node.commands.arguments import index_range, integer, option
from trivet_node.values.doubles import parse_bound
from trivet_node.values.lex_range import LexRange
from trivet_node.values.zsets import SortedSet
from trivet_wire import errors

# What a range is given by; a command may leave that, and the direction, to its options.
BY_RANK: Final = 0
BY_SCORE: Final = 1
BY_LEX: Final = 2
AUTO: Final = -1
FORWARD: Final = 0
REVERSE: Final = 1

_OPEN_PAREN: Final = 40
_PLUS: Final = 43
_MINUS: Final = 45
_OPEN_BRACKET: Final = 91


@final
class RangeSpec:
    """A range as arguments give it: by rank, score or member, its ends in ascending order."""

    def __init__(self, kind: i64, low: bytes, high: bytes) -> None:
        self.kind: i64 = kind
        self.first: int = 0
        self.last: int = 0
        self.low: float = 0.0
        self.high: float = 0.0
        self.excludes_low: bool = False
        self.excludes_high: bool = False
        self.lex: LexRange | None = None
        if kind == BY_RANK:
            self.first = integer(low)
            self.last = integer(high)
        elif kind == BY_SCORE:
            self.excludes_low = low.startswith(b"(")
            self.excludes_high = high.startswith(b"(")
            self.low = _score_end(low, self.excludes_low)
            self.high = _score_end(high, self.excludes_high)
        else:
            self.lex = _lex_range(low, high)

    def ranks(self, zset: SortedSet, from_highest: bool) -> tuple[i64, i64]:
        """Return the range as ranks, the first one and the one behind the last; equal ones where it is empty.

        `from_highest` says from which end it will be walked, and also from which end ranks given as such are counted.
        """
        start: i64 = 0
        stop: i64 = 0
        if self.lex is not None:
            start, stop = zset.lex_ranks(self.lex, from_highest)
        elif self.kind == BY_SCORE:
            start = zset.rank_of_score(self.low, self.excludes_low)
            stop = zset.rank_of_score(self.high, not self.excludes_high)
        else:
            start, stop = clipped(self.first, self.last, len(zset), from_highest)
        return (start, stop) if start < stop else (0, 0)


def _score_end(text: bytes, is_excluded: bool) -> float:
    value = parse_bound(text[1:] if is_excluded else text)
    if value is None:
        raise CommandError(b"ERR min or max is not a float")
    return value


def _lex_range(low: bytes, high: bytes) -> LexRange:
    """Return the range between two ends such as `-`, `[member`, `(member` and `+`. (Redis: zslParseLexRange.)"""
    low_infinity = _infinity(low)
    high_infinity = _infinity(high)
    wanted = LexRange(low[1:], high[1:])
    wanted.excludes_low = low.startswith(b"(")
    wanted.excludes_high = high.startswith(b"(")
    wanted.low_is_open = low_infinity < 0
    wanted.high_is_open = high_infinity > 0
    excludes = wanted.excludes_low or wanted.excludes_high
    wanted.is_empty = (
        low_infinity > 0
        or high_infinity < 0
        or (low_infinity == high_infinity and (wanted.low > wanted.high or (wanted.low == wanted.high and excludes)))
    )
    return wanted


def _infinity(text: bytes) -> int:
    """Return -1 or 1 for an end that is open, 0 for one that names a member."""
    first = text[0] if text else 0
    if first in (_MINUS, _PLUS) and text[1:2] in (b"", b"\0"):
        return -1 if first == _MINUS else 1
    if first not in (_OPEN_PAREN, _OPEN_BRACKET):
        raise CommandError(b"ERR min or max not valid string range item")
    return 0


def clipped(first: int, last: int, size: int, from_highest: bool) -> tuple[i64, i64]:
    """Return ranks from `first` to `last`, negative ones counted from the end, as a range of ranks that are there."""
    start, stop = index_range(first, last, size)
    return (size - stop, size - start) if from_highest and start < stop else (start, stop)


@final
class RangeOptions:
    """[BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES], behind the range."""

    def __init__(self, arguments: list[bytes], start: int, kind: i64, direction: i64, stores: bool) -> None:
        self.with_scores: bool = False
        self.offset: int = 0
        # Negative: no limit.
        self.count: int = -1
        position = start
        while position < len(arguments):
            word = option(arguments[position])
            if word == b"WITHSCORES" and not stores:
                self.with_scores = True
            elif word == b"LIMIT" and position + 2 < len(arguments):
                self.offset = integer(arguments[position + 1])
                self.count = integer(arguments[position + 2])
                position += 2
            elif word == b"REV" and direction == AUTO:
                direction = REVERSE
            elif word == b"BYLEX" and kind == AUTO:
                kind = BY_LEX
            elif word == b"BYSCORE" and kind == AUTO:
                kind = BY_SCORE
            else:
                raise CommandError(errors.SYNTAX)
            position += 1
        self.from_highest: bool = direction == REVERSE
        self.kind: i64 = max(kind, BY_RANK)
        if self.count != -1 and self.kind == BY_RANK:
            raise CommandError(b"ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
        if self.with_scores and self.kind == BY_LEX:
            raise CommandError(b"ERR syntax error, WITHSCORES not supported in combination with BYLEX")

    def limited(self, start: i64, stop: i64) -> tuple[i64, i64]:
        """Return the part of a range that LIMIT leaves, counted from the end where the walk begins."""
        if self.kind == BY_RANK:
            return start, stop
        size = stop - start
        if self.offset < 0 or self.offset >= size:
            return 0, 0
        skipped: i64 = self.offset
        left = size - skipped
        taken: i64 = self.count if 0 <= self.count < left else left
        if self.from_highest:
            return stop - skipped - taken, stop - skipped
        return start + skipped, start + skipped + taken
