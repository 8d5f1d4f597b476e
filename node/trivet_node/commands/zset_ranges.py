"""Ranges of sorted sets by rank, score and member: ZRANGE, ZCOUNT, ZREMRANGEBYSCORE and their relatives.

Every range becomes a pair of ranks first (`RangeSpec.ranks`), whatever it is given by.
(Redis: t_zset.c zrangeGenericCommand, zremrangeGenericCommand.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.zsets import find_zset, finish_removal, read_zset, reply_pairs, store_zset
from trivet_node.server.events import ZSET, notify
from trivet_node.server.state import Server
from trivet_node.values import listpack
from trivet_node.values.doubles import parse_bound
from trivet_node.values.lex_range import LexRange
from trivet_node.values.limits import PackingLimits
from trivet_node.values.zsets import SortedSet, from_items
from trivet_wire import errors

# What a range is given by; a command may leave that, and the direction, to its options.
_BY_RANK: Final = 0
_BY_SCORE: Final = 1
_BY_LEX: Final = 2
_AUTO: Final = -1
_FORWARD: Final = 0
_REVERSE: Final = 1

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
        if kind == _BY_RANK:
            self.first = integer(low)
            self.last = integer(high)
        elif kind == _BY_SCORE:
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
        elif self.kind == _BY_SCORE:
            start = zset.rank_of_score(self.low, self.excludes_low)
            stop = zset.rank_of_score(self.high, not self.excludes_high)
        else:
            start, stop = _clipped(self.first, self.last, len(zset), from_highest)
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


def _clipped(first: int, last: int, size: int, from_highest: bool) -> tuple[i64, i64]:
    """Return ranks from `first` to `last`, negative ones counted from the end, as a range of ranks that are there."""
    if first < 0:
        first = max(first + size, 0)
    if last < 0:
        last += size
    if first > last or first >= size:
        return 0, 0
    stop = min(last, size - 1) + 1
    return (size - stop, size - first) if from_highest else (first, stop)


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
            elif word == b"REV" and direction == _AUTO:
                direction = _REVERSE
            elif word == b"BYLEX" and kind == _AUTO:
                kind = _BY_LEX
            elif word == b"BYSCORE" and kind == _AUTO:
                kind = _BY_SCORE
            else:
                raise CommandError(errors.SYNTAX)
            position += 1
        self.from_highest: bool = direction == _REVERSE
        self.kind: i64 = max(kind, _BY_RANK)
        if self.count != -1 and self.kind == _BY_RANK:
            raise CommandError(b"ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
        if self.with_scores and self.kind == _BY_LEX:
            raise CommandError(b"ERR syntax error, WITHSCORES not supported in combination with BYLEX")

    def limited(self, start: i64, stop: i64) -> tuple[i64, i64]:
        """Return the part of a range that LIMIT leaves, counted from the end where the walk begins."""
        if self.kind == _BY_RANK:
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


@final
class Selection:
    """The members, with scores, that a command of the ZRANGE family is to answer with."""

    def __init__(self) -> None:
        self.members: list[bytes] = []
        self.scores: list[float] = []
        self.with_scores: bool = False
        self.is_by_rank: bool = False


def _selected(client: Client, arguments: list[bytes], source: int, kind: i64, direction: i64) -> Selection:
    """Return what a request selects: its key stands at `source`, the ends of the range behind it."""
    options = RangeOptions(arguments, source + 3, kind, direction, source == 2)
    low, high = arguments[source + 1], arguments[source + 2]
    if options.from_highest and options.kind != _BY_RANK:
        low, high = high, low
    spec = RangeSpec(options.kind, low, high)
    selection = Selection()
    selection.with_scores = options.with_scores
    selection.is_by_rank = options.kind == _BY_RANK
    zset = read_zset(client.database, arguments[source])
    if zset is not None:
        start, stop = spec.ranks(zset, options.from_highest)
        start, stop = options.limited(start, stop)
        zset.collect(start, stop, selection.members, selection.scores)
        if options.from_highest:
            selection.members.reverse()
            selection.scores.reverse()
    return selection


def _reply_range(client: Client, arguments: list[bytes], kind: i64, direction: i64) -> None:
    selection = _selected(client, arguments, 1, kind, direction)
    if selection.with_scores:
        reply_pairs(client.reply, selection.members, selection.scores)
    else:
        client.reply.bulk_array(selection.members)


def zrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]."""
    if len(arguments) == 4:
        _reply_ranks(client, arguments, False)
    else:
        _reply_range(client, arguments, _AUTO, _AUTO)


def zrevrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREVRANGE key start stop [WITHSCORES]."""
    if len(arguments) == 4:
        _reply_ranks(client, arguments, True)
    else:
        _reply_range(client, arguments, _BY_RANK, _REVERSE)


def _reply_ranks(client: Client, arguments: list[bytes], from_highest: bool) -> None:
    """Append the members of a range by rank: the commonest request, without options."""
    first = integer(arguments[2])
    last = integer(arguments[3])
    members: list[bytes] = []
    zset = read_zset(client.database, arguments[1])
    if zset is not None:
        start, stop = _clipped(first, last, len(zset), from_highest)
        zset.collect(start, stop, members, None)
        if from_highest:
            members.reverse()
    client.reply.bulk_array(members)


def zrangebyscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]."""
    _reply_range(client, arguments, _BY_SCORE, _FORWARD)


def zrevrangebyscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]."""
    _reply_range(client, arguments, _BY_SCORE, _REVERSE)


def zrangebylex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANGEBYLEX key min max [LIMIT offset count]."""
    _reply_range(client, arguments, _BY_LEX, _FORWARD)


def zrevrangebylex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREVRANGEBYLEX key max min [LIMIT offset count]."""
    _reply_range(client, arguments, _BY_LEX, _REVERSE)


def zrangestore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANGESTORE destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]."""
    selection = _selected(client, arguments, 2, _AUTO, _AUTO)
    zset = _made_of(selection, server.limits)
    store_zset(server, client.database, arguments[1], zset, b"zrangestore")
    client.reply.integer(len(zset))


def _made_of(selection: Selection, limits: PackingLimits) -> SortedSet:
    """Return a set of what was selected, made as Redis does it, because a score of -0 becomes 0 in a listpack.

    Only of a range by rank it knows how many members will come. All others go into a listpack as long as that lasts.
    """
    items = list(zip(selection.members, selection.scores, strict=True))
    if selection.is_by_rank and len(items) > limits.zset_max_listpack_entries:
        return from_items(items, limits)
    zset = SortedSet(listpack.EMPTY)
    for member, score in items:
        zset.add(member, score, limits)
    return zset


def zcount(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZCOUNT key min max."""
    _reply_count(client, arguments, _BY_SCORE)


def zlexcount(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZLEXCOUNT key min max."""
    _reply_count(client, arguments, _BY_LEX)


def _reply_count(client: Client, arguments: list[bytes], kind: i64) -> None:
    spec = RangeSpec(kind, arguments[2], arguments[3])
    zset = read_zset(client.database, arguments[1])
    if zset is None:
        client.reply.integer(0)
        return
    start, stop = spec.ranks(zset, False)
    client.reply.integer(stop - start)


def zremrangebyrank(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREMRANGEBYRANK key start stop."""
    _remove_range(server, client, arguments, _BY_RANK, b"zremrangebyrank")


def zremrangebyscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREMRANGEBYSCORE key min max."""
    _remove_range(server, client, arguments, _BY_SCORE, b"zremrangebyscore")


def zremrangebylex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREMRANGEBYLEX key min max."""
    _remove_range(server, client, arguments, _BY_LEX, b"zremrangebylex")


def _remove_range(server: Server, client: Client, arguments: list[bytes], kind: i64, event: bytes) -> None:
    key = arguments[1]
    spec = RangeSpec(kind, arguments[2], arguments[3])
    zset = find_zset(client.database, key)
    start: i64 = 0
    stop: i64 = 0
    if zset is not None:
        start, stop = spec.ranks(zset, False)
        if start < stop:
            zset.remove_ranks(start, stop)
            notify(server, ZSET, event, key, client.database)
            finish_removal(server, client.database, key, zset, stop - start)
    client.reply.integer(stop - start)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "zrange",
        -4,
        zrange,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Return a range of members in a sorted set",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "returned.",
        keys=(KeySpec("RO access"),),
        history=(("6.2.0", "Added the `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options."),),
        arguments="key:key#0 start:string stop:string sortby:oneof?@6.2.0(byscore:pure-token=BYSCORE "
        "bylex:pure-token=BYLEX) rev:pure-token=REV?@6.2.0 offset_count:block=LIMIT?@6.2.0(offset:integer "
        "count:integer) withscores:pure-token=WITHSCORES?",
    ),
    Command(
        "zrevrange",
        -4,
        zrevrange,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Return a range of members in a sorted set, by index, with scores ordered from high to low",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "returned.",
        keys=(KeySpec("RO access"),),
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with the `REV` argument",
        arguments="key:key#0 start:integer stop:integer withscores:pure-token=WITHSCORES?",
    ),
    Command(
        "zrangebyscore",
        -4,
        zrangebyscore,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="1.0.5",
        summary="Return a range of members in a sorted set, by score",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you "
        "can consider it O(log(N)).",
        keys=(KeySpec("RO access"),),
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with the `BYSCORE` argument",
        history=(("2.0.0", "Added the `WITHSCORES` modifier."),),
        arguments="key:key#0 min:double max:double withscores:pure-token=WITHSCORES?@2.0.0 "
        "offset_count:block=LIMIT?(offset:integer count:integer)",
    ),
    Command(
        "zrevrangebyscore",
        -4,
        zrevrangebyscore,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="2.2.0",
        summary="Return a range of members in a sorted set, by score, with scores ordered from high to low",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you "
        "can consider it O(log(N)).",
        keys=(KeySpec("RO access"),),
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with the `REV` and `BYSCORE` arguments",
        history=(("2.1.6", "`min` and `max` can be exclusive."),),
        arguments="key:key#0 max:double min:double withscores:pure-token=WITHSCORES? "
        "offset_count:block=LIMIT?(offset:integer count:integer)",
    ),
    Command(
        "zrangebylex",
        -4,
        zrangebylex,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="2.8.9",
        summary="Return a range of members in a sorted set, by lexicographical range",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you "
        "can consider it O(log(N)).",
        keys=(KeySpec("RO access"),),
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with the `BYLEX` argument",
        arguments="key:key#0 min:string max:string offset_count:block=LIMIT?(offset:integer count:integer)",
    ),
    Command(
        "zrevrangebylex",
        -4,
        zrevrangebylex,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="2.8.9",
        summary="Return a range of members in a sorted set, by lexicographical range, ordered from higher to lower "
        "strings.",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "being returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you "
        "can consider it O(log(N)).",
        keys=(KeySpec("RO access"),),
        deprecated_since="6.2.0",
        replaced_by="`ZRANGE` with the `REV` and `BYLEX` arguments",
        arguments="key:key#0 max:string min:string offset_count:block=LIMIT?(offset:integer count:integer)",
    ),
    Command(
        "zrangestore",
        -5,
        zrangestore,
        WRITE | DENYOOM,
        group="sorted-set",
        categories="sortedset",
        since="6.2.0",
        summary="Store a range of members from sorted set into another key",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "stored into the destination key.",
        keys=(
            KeySpec("OW update"),
            KeySpec("RO access", begin=2),
        ),
        arguments="dst:key#0 src:key#1 min:string max:string sortby:oneof?(byscore:pure-token=BYSCORE "
        "bylex:pure-token=BYLEX) rev:pure-token=REV? offset_count:block=LIMIT?(offset:integer "
        "count:integer)",
    ),
    Command(
        "zcount",
        4,
        zcount,
        READONLY | FAST,
        group="sorted-set",
        categories="sortedset",
        since="2.0.0",
        summary="Count the members in a sorted set with scores within the given values",
        complexity="O(log(N)) with N being the number of elements in the sorted set.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 min:double max:double",
    ),
    Command(
        "zlexcount",
        4,
        zlexcount,
        READONLY | FAST,
        group="sorted-set",
        categories="sortedset",
        since="2.8.9",
        summary="Count the number of members in a sorted set between a given lexicographical range",
        complexity="O(log(N)) with N being the number of elements in the sorted set.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 min:string max:string",
    ),
    Command(
        "zremrangebyrank",
        4,
        zremrangebyrank,
        WRITE,
        group="sorted-set",
        categories="sortedset",
        since="2.0.0",
        summary="Remove all members in a sorted set within the given indexes",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "removed by the operation.",
        keys=(KeySpec("RW delete"),),
        arguments="key:key#0 start:integer stop:integer",
    ),
    Command(
        "zremrangebyscore",
        4,
        zremrangebyscore,
        WRITE,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Remove all members in a sorted set within the given scores",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "removed by the operation.",
        keys=(KeySpec("RW delete"),),
        arguments="key:key#0 min:double max:double",
    ),
    Command(
        "zremrangebylex",
        4,
        zremrangebylex,
        WRITE,
        group="sorted-set",
        categories="sortedset",
        since="2.8.9",
        summary="Remove all members in a sorted set between the given lexicographical range",
        complexity="O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements "
        "removed by the operation.",
        keys=(KeySpec("RW delete"),),
        arguments="key:key#0 min:string max:string",
    ),
)
