"""Sorted sets by their members: ZADD, ZREM, ZSCORE, ZRANK and their relatives. (Redis: group "sorted-set".)

Ranges are in ranges.py, what takes from the ends in pops.py, unions and intersections in algebra.py, draws and scans in
choices.py.
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import double, option
from trivet_node.commands.element_changes import finish_removal
from trivet_node.commands.zsets.lookup import find_zset, read_zset
from trivet_node.server.events import ZSET, notify
from trivet_node.server.state import Server
from trivet_node.values import listpack
from trivet_node.values.packing import PackingLimits
from trivet_node.values.zsets import ADDED, UPDATED, SortedSet
from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer

# Options of ZADD.
_NX: Final = 1 << 0
_XX: Final = 1 << 1
_GT: Final = 1 << 2
_LT: Final = 1 << 3
_CH: Final = 1 << 4
_INCR: Final = 1 << 5
_CONDITIONS: Final = _NX | _XX | _GT | _LT
_OPTIONS: Final[dict[bytes, int]] = {b"NX": _NX, b"XX": _XX, b"GT": _GT, b"LT": _LT, b"CH": _CH, b"INCR": _INCR}
_FIRST_LETTER: Final = 65


def zadd(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]."""
    flags = 0
    position: i64 = 2
    while position < len(arguments) and _starts_with_letter(arguments[position]):
        flag = _OPTIONS.get(option(arguments[position]), 0)
        if flag == 0:
            break
        flags |= flag
        position += 1
    _check_options(flags, len(arguments) - position)
    _add(server, client, arguments, position, flags)


def zincrby(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZINCRBY key increment member."""
    _add(server, client, arguments, 2, _INCR)


def _starts_with_letter(text: bytes) -> bool:
    return len(text) != 0 and text[0] >= _FIRST_LETTER


def _check_options(flags: int, left: i64) -> None:
    """Refuse options that exclude each other; `left` arguments follow them."""
    if left % 2 != 0 or left == 0:
        raise CommandError(errors.SYNTAX)
    if flags & (_NX | _XX) == _NX | _XX:
        raise CommandError(b"ERR XX and NX options at the same time are not compatible")
    if flags & (_NX | _GT | _LT) not in (0, _NX, _GT, _LT):
        raise CommandError(b"ERR GT, LT, and/or NX options at the same time are not compatible")
    if flags & _INCR != 0 and left > 2:
        raise CommandError(b"ERR INCR option supports a single increment-element pair")


@final
class Addition:
    """What adding members to a set has done: how many are new, how many have a new score, and the last one's score."""

    def __init__(self) -> None:
        self.added: i64 = 0
        self.updated: i64 = 0
        # None where the options kept the last member from being touched.
        self.score: float | None = None

    def add(self, zset: SortedSet, member: bytes, score: float | None, limits: PackingLimits) -> None:
        """Give a member a score, unless it is None."""
        self.score = score
        if score is not None:
            did = zset.add(member, score, limits)
            if did == ADDED:
                self.added += 1
            elif did == UPDATED:
                self.updated += 1

    def reply(self, client: Client, flags: int) -> None:
        """Append the reply of ZADD with these options."""
        if flags & _INCR == 0:
            client.reply.integer(self.added + self.updated if flags & _CH != 0 else self.added)
        else:
            _reply_score(client.reply, self.score)


def _add(server: Server, client: Client, arguments: list[bytes], start: i64, flags: int) -> None:
    """Add the pairs from the argument at `start` on. (Redis: zaddGenericCommand.)"""
    key = arguments[1]
    scores: list[float] = []
    position = start
    while position < len(arguments):
        scores.append(double(arguments[position]))
        position += 2
    database = client.database
    found = find_zset(database, key)
    zset = SortedSet(listpack.EMPTY) if found is None else found
    addition = Addition()
    position = start + 1
    for score in scores:
        member = arguments[position]
        wanted = score if flags & (_CONDITIONS | _INCR) == 0 else _wanted(zset.score(member), score, flags)
        addition.add(zset, member, wanted, server.limits)
        position += 2
    addition.reply(client, flags)
    changes = addition.added + addition.updated
    if changes == 0:
        return
    if found is None:
        database.put(key, zset)
        changes -= 1
    if changes != 0:
        database.modified(key, changes)
    notify(server, ZSET, b"zincr" if flags & _INCR != 0 else b"zadd", key, database)


def _wanted(current: float | None, score: float, flags: int) -> float | None:
    """Return the score to be stored for a member that has `current`, or None where the options leave it as it is."""
    if current is None:
        return None if flags & _XX != 0 else score
    if flags & _NX != 0:
        return None
    if flags & _INCR != 0:
        score += current
        if score != score:  # noqa: PLR0124 (only NaN differs from itself)
            raise CommandError(b"ERR resulting score is not a number (NaN)")
    if (flags & _GT != 0 and score <= current) or (flags & _LT != 0 and score >= current):
        return None
    return score


def zrem(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREM key member [member ...]."""
    database = client.database
    zset = find_zset(database, arguments[1])
    removed: i64 = 0
    if zset is not None:
        for member in arguments[2:]:
            if zset.remove(member):
                removed += 1
        if removed != 0:
            notify(server, ZSET, b"zrem", arguments[1], database)
            finish_removal(server, database, arguments[1], len(zset) == 0, removed)
    client.reply.integer(removed)


def zcard(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZCARD key."""
    zset = read_zset(client.database, arguments[1])
    client.reply.integer(0 if zset is None else len(zset))


def zscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZSCORE key member."""
    zset = read_zset(client.database, arguments[1])
    _reply_score(client.reply, None if zset is None else zset.score(arguments[2]))


def zmscore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZMSCORE key member [member ...]."""
    zset = read_zset(client.database, arguments[1])
    client.reply.array(len(arguments) - 2)
    for member in arguments[2:]:
        _reply_score(client.reply, None if zset is None else zset.score(member))


def _reply_score(reply: ReplyBuffer, score: float | None) -> None:
    if score is None:
        reply.null()
    else:
        reply.double(score)


def zrank(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANK key member."""
    _reply_rank(client, arguments, False)


def zrevrank(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZREVRANK key member."""
    _reply_rank(client, arguments, True)


def _reply_rank(client: Client, arguments: list[bytes], from_highest: bool) -> None:
    zset = read_zset(client.database, arguments[1])
    rank: i64 = -1 if zset is None else zset.rank(arguments[2])
    if zset is None or rank < 0:
        client.reply.null()
    else:
        client.reply.integer(len(zset) - 1 - rank if from_highest else rank)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "zadd",
        -4,
        zadd,
        WRITE | DENYOOM | FAST,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Add one or more members to a sorted set, or update its score if it already exists",
        complexity="O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        keys=(KeySpec("RW update"),),
        history=(
            ("2.4.0", "Accepts multiple elements."),
            ("3.0.2", "Added the `XX`, `NX`, `CH` and `INCR` options."),
            ("6.2.0", "Added the `GT` and `LT` options."),
        ),
        arguments="key:key#0 condition:oneof?@3.0.2(nx:pure-token=NX xx:pure-token=XX) "
        "comparison:oneof?@6.2.0(gt:pure-token=GT lt:pure-token=LT) change:pure-token=CH?@3.0.2 "
        "increment:pure-token=INCR?@3.0.2 score_member:block*(score:double member:string)",
    ),
    Command(
        "zincrby",
        4,
        zincrby,
        WRITE | DENYOOM | FAST,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Increment the score of a member in a sorted set",
        complexity="O(log(N)) where N is the number of elements in the sorted set.",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 increment:integer member:string",
    ),
    Command(
        "zrem",
        -3,
        zrem,
        WRITE | FAST,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Remove one or more members from a sorted set",
        complexity="O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to "
        "be removed.",
        keys=(KeySpec("RW delete"),),
        history=(("2.4.0", "Accepts multiple elements."),),
        arguments="key:key#0 member:string*",
    ),
    Command(
        "zcard",
        2,
        zcard,
        READONLY | FAST,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Get the number of members in a sorted set",
        keys=(KeySpec("RO"),),
        arguments="key:key#0",
    ),
    Command(
        "zscore",
        3,
        zscore,
        READONLY | FAST,
        group="sorted-set",
        categories="sortedset",
        since="1.2.0",
        summary="Get the score associated with the given member in a sorted set",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member:string",
    ),
    Command(
        "zmscore",
        -3,
        zmscore,
        READONLY | FAST,
        group="sorted-set",
        categories="sortedset",
        since="6.2.0",
        summary="Get the score associated with the given members in a sorted set",
        complexity="O(N) where N is the number of members being requested.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member:string*",
    ),
    Command(
        "zrank",
        3,
        zrank,
        READONLY | FAST,
        group="sorted-set",
        categories="sortedset",
        since="2.0.0",
        summary="Determine the index of a member in a sorted set",
        complexity="O(log(N))",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member:string",
    ),
    Command(
        "zrevrank",
        3,
        zrevrank,
        READONLY | FAST,
        group="sorted-set",
        categories="sortedset",
        since="2.0.0",
        summary="Determine the index of a member in a sorted set, with scores ordered from high to low",
        complexity="O(log(N))",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member:string",
    ),
)
