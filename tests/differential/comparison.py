"""Run the same steps on two peers and say where they differ.

Everything must be equal byte for byte, except that replies which show a time may differ by TOLERANCE_MS, KEYS and SCAN
may come in any order, RANDOMKEY may draw different keys, and cursors mean something to their own server only.
"""

import itertools
from collections.abc import Callable
from typing import Final

from tests.differential.generator import DATABASES, Arguments, Step
from tests.differential.peers import Peer
from tests.differential.replies import Reply

TOLERANCE_MS: Final = 2_000
_COUNTERS: Final = (b"keyspace_hits", b"keyspace_misses", b"expired_keys", b"total_error_replies")
_QUEUED: Final = Reply(b"+", b"QUEUED")


class Difference(AssertionError):
    """Two peers have answered differently."""


class Comparison:
    """Compares replies; knows for each client what it has queued, because EXEC answers for all of that."""

    def __init__(self, clients: int) -> None:
        self._queued: list[list[Arguments]] = [[] for _ in range(clients)]

    def compare(self, client: int, arguments: Arguments, one: Reply, other: Reply) -> None:
        queued = self._queued[client]
        if one == other == _QUEUED:
            queued.append(arguments)
            return
        if arguments[0].upper() == b"EXEC" and one.kind == other.kind == b"*" and len(one.items()) == len(queued):
            equal = len(other.items()) == len(queued) and all(
                same(*item) for item in zip(queued, one.items(), other.items(), strict=True)
            )
        else:
            equal = same(arguments, one, other)
        if not equal:
            raise Difference(f"client {client}: {show(arguments)}\n  {one}\n  {other}\n  queued: {queued}")
        if arguments[0].upper() in (b"EXEC", b"DISCARD") and not _keeps_transaction(one):
            queued.clear()


def _keeps_transaction(reply: Reply) -> bool:
    """Say whether an EXEC or DISCARD was answered with an error that leaves the transaction open."""
    return (
        reply.kind == b"-" and not str(reply.value).startswith("b'EXECABORT") and b"without" not in (reply.value or b"")
    )


def same(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Say whether two replies to one command are equal as far as they must be."""
    if one == other:
        return True
    rule = _RULES.get(arguments[0].upper())
    if arguments[0].upper() == b"OBJECT" and arguments[1].upper() == b"IDLETIME":
        rule = _same_seconds
    return rule is not None and one.kind == other.kind and rule(one, other)


def _same_keys(one: Reply, other: Reply) -> bool:
    return sorted(one.words()) == sorted(other.words())


def _same_scan(one: Reply, other: Reply) -> bool:
    return len(one.items()) == len(other.items()) == 2 and _same_keys(one.items()[1], other.items()[1])


def _both_a_key(one: Reply, other: Reply) -> bool:
    return one.value is not None and other.value is not None


def _same_milliseconds(one: Reply, other: Reply) -> bool:
    return _same_time(one, other, TOLERANCE_MS)


def _same_seconds(one: Reply, other: Reply) -> bool:
    return _same_time(one, other, TOLERANCE_MS // 1000)


def _same_time(one: Reply, other: Reply, tolerance: int) -> bool:
    first, second = one.integer(), other.integer()
    return first is not None and second is not None and min(first, second) >= 0 and abs(first - second) <= tolerance


_RULES: Final[dict[bytes, Callable[[Reply, Reply], bool]]] = {
    b"KEYS": _same_keys,
    b"SCAN": _same_scan,
    b"RANDOMKEY": _both_a_key,
    b"TTL": _same_seconds,
    b"PTTL": _same_milliseconds,
    b"EXPIRETIME": _same_seconds,
    b"PEXPIRETIME": _same_milliseconds,
}


def run(one: Peer, other: Peer, steps: list[Step], clients: int) -> None:
    """Empty both peers, run the steps on both, and compare every reply and what is stored in the end.

    Clients with an odd number speak RESP3.
    """
    prepare(one, clients)
    prepare(other, clients)
    comparison = Comparison(clients)
    for client, group in itertools.groupby(steps, key=lambda step: step[0]):
        requests = [arguments for _, arguments in group]
        replies = zip(requests, one.run(client, requests), other.run(client, requests), strict=True)
        for arguments, first, second in replies:
            comparison.compare(client, arguments, first, second)
    compare_contents(one, other, clients)


def prepare(peer: Peer, clients: int) -> None:
    """Give a peer new clients and no keys. One client more than is asked for looks at the result."""
    peer.connect(clients + 1)
    peer.run(clients, [(b"FLUSHALL",)])
    for client in range(1, clients, 2):
        peer.run(client, [(b"HELLO", b"3")])


def compare_contents(one: Peer, other: Peer, client: int) -> None:
    """Compare type, encoding, value and deadline of every key in every database."""
    for database in range(DATABASES):
        for peer in (one, other):
            peer.run(client, [(b"SELECT", b"%d" % database)])
        sizes = [peer.run(client, [(b"DBSIZE",), (b"KEYS", b"*")]) for peer in (one, other)]
        keys = sorted(sizes[0][1].words())
        if sizes[0][0] != sizes[1][0] or keys != sorted(sizes[1][1].words()):
            raise Difference(f"keys of database {database} in the end:\n  {sizes[0]}\n  {sizes[1]}")
        requests = [request for key in keys for request in _questions(key)]
        first, second = [peer.run(client, requests) if requests else [] for peer in (one, other)]
        for request, left, right in zip(requests, first, second, strict=True):
            if not same(request, left, right):
                raise Difference(f"in the end, database {database}: {show(request)}\n  {left}\n  {right}")


def counted(peer: Peer, client: int) -> dict[bytes, int]:
    """Return counters of a peer since its start which both sides count alike."""
    reply = peer.run(client, [(b"INFO", b"stats")])[0]
    assert isinstance(reply.value, bytes), reply
    fields = dict(line.split(b":", 1) for line in reply.value.split(b"\r\n") if b":" in line)
    return {name: int(fields[name]) for name in _COUNTERS}


def same_stream(ours: list[Reply], real: list[Reply]) -> str:
    """Return what differs between two propagated streams, or an empty string; deadlines may by TOLERANCE_MS."""
    for number, (one, other) in enumerate(itertools.zip_longest(ours, real)):
        if one is None or other is None or not _same_command(one, other):
            context = "\n".join(f"  {_words(left)}   {_words(right)}" for left, right in zip(ours, real, strict=False))
            shown = context.split("\n")[max(0, number - 3) : number + 3]
            return "\n".join([f"command {number}: {_words(one)} instead of {_words(other)}", *shown])
    return ""


def _same_command(one: Reply, other: Reply) -> bool:
    """Say whether two propagated commands are equal but for a deadline."""
    words, others = _words(one), _words(other)
    if len(words) != len(others):
        return False
    return all(
        left == right or (left.isdigit() and right.isdigit() and _is_deadline(words[:index], int(left) - int(right)))
        for index, (left, right) in enumerate(zip(words, others, strict=True))
    )


def _is_deadline(before: list[bytes], difference: int) -> bool:
    """Say whether the word behind `before` is a deadline that was computed, and may differ so much."""
    is_computed = before[-1] == b"PXAT" or (len(before) == 2 and before[0].upper() == b"PEXPIREAT")
    return is_computed and abs(difference) <= TOLERANCE_MS


def _words(command: Reply | None) -> list[bytes]:
    return [] if command is None else command.words()


def _questions(key: bytes) -> list[Arguments]:
    return [(b"TYPE", key), (b"OBJECT", b"ENCODING", key), (b"GET", key), (b"PEXPIRETIME", key)]


def shortest(one: Peer, other: Peer, steps: list[Step], clients: int, budget: int = 150) -> list[Step]:
    """Return fewer of `steps` that still show a difference, after at most `budget` runs."""
    size = len(steps) // 2
    while size > 0 and budget > 0:
        start = 0
        while start < len(steps) and budget > 0:
            fewer = steps[:start] + steps[start + size :]
            budget -= 1
            if _differs(one, other, fewer, clients):
                steps = fewer
            else:
                start += size
        size //= 2
    return steps


def _differs(one: Peer, other: Peer, steps: list[Step], clients: int) -> bool:
    try:
        run(one, other, steps, clients)
    except Difference:
        return True
    return False


def show(arguments: Arguments) -> str:
    """Return a command as people read it."""
    return " ".join(repr(argument)[1:] for argument in arguments)
