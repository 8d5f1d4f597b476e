"""Some of a sorted set's members: by chance (ZRANDMEMBER) and a part at a time (ZSCAN). (Redis: group "sorted-set".)"""

from random import Random
from typing import Final

from trivet_node.client import Client
from trivet_node.command import READONLY, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer_in, option
from trivet_node.commands.keys.scanning import ScanOptions, reply_scan, scan_buckets, scan_cursor
from trivet_node.commands.zsets.lookup import read_zset, reply_pairs
from trivet_node.server.state import Server
from trivet_node.values import listpack
from trivet_node.values.zsets import SortedSet
from trivet_wire import errors
from trivet_wire.replies import format_double


def zrandmember(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZRANDMEMBER key [count [WITHSCORES]]."""
    if len(arguments) > 2:
        _reply_some(server, client, arguments)
        return
    zset = read_zset(client.database, arguments[1])
    if zset is None:
        client.reply.null()
        return
    members: list[bytes] = []
    _collect_random(zset, [server.random.randrange(len(zset))], members, [])
    client.reply.bulk(members[0])


def _reply_some(server: Server, client: Client, arguments: list[bytes]) -> None:
    count = integer_in(arguments[2], -INTEGER_MAX, INTEGER_MAX)
    with_scores = len(arguments) > 3
    if len(arguments) > 4 or (with_scores and option(arguments[3]) != b"WITHSCORES"):
        raise CommandError(errors.SYNTAX)
    if with_scores and abs(count) > INTEGER_MAX // 2:
        raise CommandError(errors.OUT_OF_RANGE)
    zset = read_zset(client.database, arguments[1])
    members: list[bytes] = []
    scores: list[float] = []
    if zset is not None:
        _collect_random(zset, _drawn_ranks(server.random, len(zset), count), members, scores)
    if with_scores:
        reply_pairs(client.reply, members, scores)
    else:
        client.reply.bulk_array(members)


def _drawn_ranks(random: Random, size: int, count: int) -> list[int]:
    """Return `count` different ranks, or, where it is negative, as many as it says that may be equal."""
    if count < 0:
        return [random.randrange(size) for _ in range(-count)]
    if count < size:
        return random.sample(range(size), count)
    return list(range(size - 1, -1, -1))


def _collect_random(zset: SortedSet, ranks: list[int], members: list[bytes], scores: list[float]) -> None:
    """Append the members with the given ranks, in that order, and their scores."""
    if len(ranks) == 1:
        zset.collect(ranks[0], ranks[0] + 1, members, scores)
        return
    if zset.order is not None and len(ranks) * 3 < len(zset):
        for rank in ranks:
            zset.collect(rank, rank + 1, members, scores)
        return
    all_members: list[bytes] = []
    all_scores: list[float] = []
    zset.collect(0, len(zset), all_members, all_scores)
    for rank in ranks:
        members.append(all_members[rank])
        scores.append(all_scores[rank])


def zscan(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZSCAN key cursor [MATCH pattern] [COUNT count]."""
    cursor = scan_cursor(arguments[2])
    zset = read_zset(client.database, arguments[1])
    if zset is None:
        reply_scan(client, 0, [])
        return
    options = ScanOptions(arguments, 3)
    found: list[bytes] = []
    if zset.scores is None:
        texts = listpack.texts(zset.pack)
        for index in range(0, len(texts), 2):
            if options.matches(texts[index]):
                found += texts[index : index + 2]
        reply_scan(client, 0, found)
        return
    seen: list[bytes] = []
    cursor = scan_buckets(zset.scores, cursor, options, seen)
    for member in seen:
        score = zset.score(member)
        if score is not None and options.matches(member):
            found += (member, format_double(score))
    reply_scan(client, cursor, found)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "zrandmember",
        -2,
        zrandmember,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="6.2.0",
        summary="Get one or multiple random elements from a sorted set",
        complexity="O(N) where N is the number of elements returned",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments="key:key#0 options:block?(count:integer withscores:pure-token=WITHSCORES?)",
    ),
    Command(
        "zscan",
        -3,
        zscan,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="2.8.0",
        summary="Incrementally iterate sorted sets elements and associated scores",
        complexity="O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor "
        "to return back to 0. N is the number of elements inside the collection..",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments="key:key#0 cursor:integer pattern:pattern=MATCH? count:integer=COUNT?",
    ),
)
