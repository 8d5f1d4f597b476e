"""What takes members from the ends of sorted sets, waiting for some where that is asked for.

    ZPOPMIN ZPOPMAX ZMPOP        at once
    BZPOPMIN BZPOPMAX BZMPOP     as soon as one of the keys holds a sorted set

Whatever took members is propagated as ZPOPMIN or ZPOPMAX of the one key.
(Redis: t_zset.c genericZpopCommand, blockingGenericZpopCommand, blocked.c serveClientsBlockedOnSortedSetKey.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.blocking import KeyWait
from trivet_node.client import Client
from trivet_node.command import BLOCKING, FAST, NOSCRIPT, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer_in, timeout_deadline
from trivet_node.commands.element_changes import finish_removal
from trivet_node.commands.multi_pops import MultiPop
from trivet_node.commands.zsets.lookup import find_zset, reply_pairs
from trivet_node.keyspace import Database
from trivet_node.server.events import ZSET, notify
from trivet_node.server.state import Server
from trivet_node.server.waiting import may_block
from trivet_node.values.zsets import SortedSet
from trivet_wire import errors

# BZPOPMIN and BZPOPMAX take one member and name it flat; the others nest what they took.
_SINGLE: Final = -1
# Which end ZMPOP takes from.
_WORDS: Final = (b"MIN", b"MAX")


@final
class Pop:
    """What is to be taken: from which end, how many, and how the reply looks."""

    def __init__(self, from_highest: bool, count: int = _SINGLE) -> None:
        self.from_highest: bool = from_highest
        self.count: int = count
        self.members: list[bytes] = []
        self.scores: list[float] = []

    def take(self, server: Server, database: Database, key: bytes, zset: SortedSet) -> None:
        """Take members from the set under `key`, which has some."""
        size: i64 = len(zset)
        taken: i64 = min(max(self.count, 1), len(zset))
        start: i64 = size - taken if self.from_highest else 0
        zset.collect(start, start + taken, self.members, self.scores)
        if self.from_highest:
            self.members.reverse()
            self.scores.reverse()
        zset.remove_ranks(start, start + taken)
        notify(server, ZSET, b"zpopmax" if self.from_highest else b"zpopmin", key, database)
        finish_removal(server, database, key, len(zset) == 0, taken)

    def propagate(self, server: Server, key: bytes) -> None:
        """Let what was taken be propagated instead of the request."""
        request = [b"ZPOPMAX" if self.from_highest else b"ZPOPMIN", key]
        if self.count != _SINGLE:
            request.append(b"%d" % len(self.members))
        server.propagation.instead([request])

    def reply(self, client: Client, key: bytes) -> None:
        """Append what was taken from `key`, with the key."""
        reply = client.reply
        if self.count == _SINGLE:
            reply.array(3)
            reply.bulk(key)
            reply.bulk(self.members[0])
            reply.double(self.scores[0])
            return
        reply.array(2)
        reply.bulk(key)
        reply.array(len(self.members))
        for member, score in zip(self.members, self.scores, strict=True):
            reply.array(2)
            reply.bulk(member)
            reply.double(score)


@final
class PopWait(KeyWait):
    """A client that waits for the first of some keys to hold a sorted set."""

    def __init__(self, client: Client, deadline_ms: int, keys: list[bytes], pop: Pop) -> None:
        super().__init__(client, deadline_ms, client.database, keys)
        self.pop: Pop = pop

    def serve(self, server: Server, key: bytes, value: object) -> bool:
        """Take members if `key` holds a sorted set."""
        if not isinstance(value, SortedSet):
            return False
        self.pop.take(server, self.database, key, value)
        self.pop.propagate(server, key)
        self.pop.reply(self.client, key)
        return True

    def time_out(self) -> None:
        """Append a null array."""
        self.client.reply.null_array()


def zpopmin(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZPOPMIN key [count]."""
    _pop_ends(server, client, arguments, False)


def zpopmax(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZPOPMAX key [count]."""
    _pop_ends(server, client, arguments, True)


def _pop_ends(server: Server, client: Client, arguments: list[bytes], from_highest: bool) -> None:
    if len(arguments) > 3:
        raise CommandError(errors.SYNTAX)
    count = integer_in(arguments[2], 0, INTEGER_MAX, errors.NOT_POSITIVE) if len(arguments) == 3 else _SINGLE
    zset = find_zset(client.database, arguments[1])
    pop = Pop(from_highest, count)
    if zset is not None and count != 0:
        pop.take(server, client.database, arguments[1], zset)
    reply = client.reply
    if count != _SINGLE or not pop.members:
        reply_pairs(reply, pop.members, pop.scores)
    else:
        # Without a count the one pair is not nested, even in RESP3.
        reply.array(2)
        reply.bulk(pop.members[0])
        reply.double(pop.scores[0])


def bzpopmin(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BZPOPMIN key [key ...] timeout."""
    _pop_or_wait(server, client, arguments[1:-1], Pop(False), arguments[-1])


def bzpopmax(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BZPOPMAX key [key ...] timeout."""
    _pop_or_wait(server, client, arguments[1:-1], Pop(True), arguments[-1])


def zmpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZMPOP numkeys key [key ...] MIN|MAX [COUNT count]."""
    asked = MultiPop(arguments, 1, _WORDS)
    if not _pop_first(server, client, asked.keys, _pop_of(asked)):
        client.reply.null_array()


def bzmpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BZMPOP timeout numkeys key [key ...] MIN|MAX [COUNT count]."""
    asked = MultiPop(arguments, 2, _WORDS)
    _pop_or_wait(server, client, asked.keys, _pop_of(asked), arguments[1])


def _pop_of(asked: MultiPop) -> Pop:
    return Pop(asked.word == b"MAX", asked.count)


def _pop_or_wait(server: Server, client: Client, keys: list[bytes], pop: Pop, timeout: bytes) -> None:
    deadline = timeout_deadline(server, timeout)
    if _pop_first(server, client, keys, pop):
        return
    if may_block(server):
        server.blocking.block_on_keys(PopWait(client, deadline, keys, pop))
    else:
        client.reply.null_array()


def _pop_first(server: Server, client: Client, keys: list[bytes], pop: Pop) -> bool:
    """Take from the first key that holds a sorted set, and answer; say whether there was one."""
    for key in keys:
        zset = find_zset(client.database, key)
        if zset is not None:
            pop.take(server, client.database, key, zset)
            pop.propagate(server, key)
            pop.reply(client, key)
            return True
    return False


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "zpopmin",
        -2,
        zpopmin,
        WRITE | FAST,
        group="sorted-set",
        categories="sortedset",
        since="5.0.0",
        summary="Remove and return members with the lowest scores in a sorted set",
        complexity="O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of "
        "elements popped.",
        keys=(KeySpec("RW access delete"),),
        arguments="key:key#0 count:integer?",
    ),
    Command(
        "zpopmax",
        -2,
        zpopmax,
        WRITE | FAST,
        group="sorted-set",
        categories="sortedset",
        since="5.0.0",
        summary="Remove and return members with the highest scores in a sorted set",
        complexity="O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of "
        "elements popped.",
        keys=(KeySpec("RW access delete"),),
        arguments="key:key#0 count:integer?",
    ),
    Command(
        "zmpop",
        -4,
        zmpop,
        WRITE,
        group="sorted-set",
        categories="sortedset",
        since="7.0.0",
        summary="Remove and return members with scores in a sorted set",
        complexity="O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the "
        "sorted set, and M being the number of elements popped.",
        keys=(KeySpec("RW access delete", keynum=0, first=1),),
        arguments="numkeys:integer key:key#0* where:oneof(min:pure-token=MIN max:pure-token=MAX) count:integer=COUNT?",
    ),
    Command(
        "bzpopmin",
        -3,
        bzpopmin,
        WRITE | NOSCRIPT | BLOCKING | FAST,
        group="sorted-set",
        categories="sortedset",
        since="5.0.0",
        summary="Remove and return the member with the lowest score from one or more sorted sets, or block until one "
        "is available",
        complexity="O(log(N)) with N being the number of elements in the sorted set.",
        keys=(KeySpec("RW access delete", last=-2),),
        history=(("6.0.0", "`timeout` is interpreted as a double instead of an integer."),),
        arguments="key:key#0* timeout:double",
    ),
    Command(
        "bzpopmax",
        -3,
        bzpopmax,
        WRITE | NOSCRIPT | BLOCKING | FAST,
        group="sorted-set",
        categories="sortedset",
        since="5.0.0",
        summary="Remove and return the member with the highest score from one or more sorted sets, or block until one "
        "is available",
        complexity="O(log(N)) with N being the number of elements in the sorted set.",
        keys=(KeySpec("RW access delete", last=-2),),
        history=(("6.0.0", "`timeout` is interpreted as a double instead of an integer."),),
        arguments="key:key#0* timeout:double",
    ),
    Command(
        "bzmpop",
        -5,
        bzmpop,
        WRITE | BLOCKING,
        group="sorted-set",
        categories="sortedset",
        since="7.0.0",
        summary="Remove and return members with scores in a sorted set or block until one is available",
        complexity="O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the "
        "sorted set, and M being the number of elements popped.",
        keys=(KeySpec("RW access delete", begin=2, keynum=0, first=1),),
        arguments="timeout:double numkeys:integer key:key#0* where:oneof(min:pure-token=MIN max:pure-token=MAX) "
        "count:integer=COUNT?",
    ),
)
