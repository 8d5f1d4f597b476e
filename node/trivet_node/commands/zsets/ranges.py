"""Ranges of sorted sets by rank, score and member: ZRANGE, ZCOUNT, ZREMRANGEBYSCORE and their relatives.

The arguments are read in zset_range_arguments.py.
(Redis: t_zset.c zrangeGenericCommand, zremrangeGenericCommand.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, KeySpec
from trivet_node.commands.arguments import integer
from trivet_node.commands.element_changes import finish_removal
from trivet_node.commands.zsets.lookup import find_zset, read_zset, reply_pairs, store_zset
from trivet_node.commands.zsets.range_arguments import (
    AUTO,
    BY_LEX,
    BY_RANK,
    BY_SCORE,
    FORWARD,
    REVERSE,
    RangeOptions,
    RangeSpec,
    clipped,
)
from trivet_node.server.events import ZSET, notify
from trivet_node.server.state import Server
from trivet_node.values import listpack
from trivet_node.values.packing import PackingLimits
from trivet_node.values.zsets import SortedSet, from_items


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
    if options.from_highest and options.kind != BY_RANK:
        low, high = high, low
    spec = RangeSpec(options.kind, low, high)
    selection = Selection()
    selection.with_scores = options.with_scores
    selection.is_by_rank = options.kind == BY_RANK
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
        _reply_range(client, arguments, AUTO, AUTO)


def zrevrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREVRANGE key start stop [WITHSCORES]."""
    if len(arguments) == 4:
        _reply_ranks(client, arguments, True)
    else:
        _reply_range(client, arguments, BY_RANK, REVERSE)


def _reply_ranks(client: Client, arguments: list[bytes], from_highest: bool) -> None:
    """Append the members of a range by rank: the commonest request, without options."""
    first = integer(arguments[2])
    last = integer(arguments[3])
    members: list[bytes] = []
    zset = read_zset(client.database, arguments[1])
    if zset is not None:
        start, stop = clipped(first, last, len(zset), from_highest)
        zset.collect(start, stop, members, None)
        if from_highest:
            members.reverse()
    client.reply.bulk_array(members)


def zrangebyscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]."""
    _reply_range(client, arguments, BY_SCORE, FORWARD)


def zrevrangebyscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]."""
    _reply_range(client, arguments, BY_SCORE, REVERSE)


def zrangebylex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANGEBYLEX key min max [LIMIT offset count]."""
    _reply_range(client, arguments, BY_LEX, FORWARD)


def zrevrangebylex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREVRANGEBYLEX key max min [LIMIT offset count]."""
    _reply_range(client, arguments, BY_LEX, REVERSE)


def zrangestore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANGESTORE destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]."""
    selection = _selected(client, arguments, 2, AUTO, AUTO)
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
    _reply_count(client, arguments, BY_SCORE)


def zlexcount(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZLEXCOUNT key min max."""
    _reply_count(client, arguments, BY_LEX)


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
    _remove_range(server, client, arguments, BY_RANK, b"zremrangebyrank")


def zremrangebyscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREMRANGEBYSCORE key min max."""
    _remove_range(server, client, arguments, BY_SCORE, b"zremrangebyscore")


def zremrangebylex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREMRANGEBYLEX key min max."""
    _remove_range(server, client, arguments, BY_LEX, b"zremrangebylex")


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
            finish_removal(server, client.database, key, len(zset) == 0, stop - start)
    client.reply.integer(stop - start)


_UNSPECIFIED: Final = "Where scores differ the result, which Redis leaves unspecified, may be another one."

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
        difference=_UNSPECIFIED,
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
        difference=_UNSPECIFIED,
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
        difference=_UNSPECIFIED,
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
