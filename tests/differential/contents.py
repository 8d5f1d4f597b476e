"""What two peers hold in the end: type, encoding, contents, digest and deadline of every key, and its DUMP.

Order counts wherever Redis keeps one: also for hashes and sets, as long as they are packed.
Dumps need not be the same bytes, but each side must restore the other's to the same value.
"""

from collections.abc import Callable
from typing import Final

from tests.differential.difference import Difference, cut, show
from tests.differential.generator import CHANCE, DATABASES, Arguments
from tests.differential.peers import Peer
from tests.differential.replies import Reply
from tests.differential.rules import TOLERANCE_MS, near, pairs, unordered

Same = Callable[[Arguments, Reply, Reply], bool]

# Where dumps are restored.
_RESTORED: Final = DATABASES
_HASH_TABLE: Final = b"hashtable"
# Times of a stream's consumers.
_NEAR_FIELDS: Final = (b"seen-time",)


def _questions(kind: bytes, key: bytes) -> Arguments:
    """Return what asks for the whole contents of a key of this type."""
    return {
        b"string": (b"GET", key),
        b"list": (b"LRANGE", key, b"0", b"-1"),
        b"set": (b"SMEMBERS", key),
        b"zset": (b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"),
        b"hash": (b"HGETALL", key),
        b"stream": (b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"),
    }[kind]


def compare_contents(one: Peer, other: Peer, client: int, same: Same) -> None:
    """Compare every key in every database; raise Difference."""
    for database in range(DATABASES):
        keys = _compare_keys(one, other, client, database)
        _compare_values(one, other, client, keys, f"in the end, database {database}: ")
        requests = [(b"PEXPIRETIME", key) for key in keys]
        requests += [(b"DEBUG", b"DIGEST-VALUE", key) for key in keys if not key.startswith(CHANCE)]
        for request, first, second in _ask_both(one, other, client, requests):
            if not same(request, first, second):
                raise Difference(f"in the end, database {database}: {show(request)}\n  {cut(first)}\n  {cut(second)}")
        _compare_dumps(one, other, client, keys, database)


def _compare_keys(one: Peer, other: Peer, client: int, database: int) -> list[bytes]:
    requests = [(b"SELECT", b"%d" % database), (b"KEYS", b"*"), (b"DBSIZE",)]
    first, second = [peer.run(client, requests) for peer in (one, other)]
    if first[2] != second[2] or not unordered(requests[1], first[1], second[1]):
        raise Difference(f"keys of database {database} in the end:\n  {cut(first)}\n  {cut(second)}")
    return sorted(first[1].words())


def _compare_values(one: Peer, other: Peer, client: int, keys: list[bytes], where: str) -> None:
    """Compare type, encoding and contents of keys of the selected database."""
    requests = [request for key in keys for request in ((b"TYPE", key), (b"OBJECT", b"ENCODING", key))]
    answers = _ask_both(one, other, client, requests)
    for request, first, second in answers:
        if first != second:
            raise Difference(f"{where}{show(request)}\n  {cut(first)}\n  {cut(second)}")
    words = [first.value for _, first, _ in answers if isinstance(first.value, bytes)]
    questions = [_questions(kind, key) for kind, key in zip(words[::2], keys, strict=True)]
    for encoding, answer in zip(words[1::2], _ask_both(one, other, client, questions), strict=True):
        request, first, second = answer
        if not _same_contents(request, encoding, first, second):
            raise Difference(f"{where}{show(request)} ({encoding.decode()})\n  {cut(first)}\n  {cut(second)}")


def _same_contents(request: Arguments, encoding: bytes, one: Reply, other: Reply) -> bool:
    if one == other:
        return True
    # A listpack restored from the dump of a hash table has that one's order.
    if request[0] == b"HGETALL" and (encoding == _HASH_TABLE or request[1].startswith(CHANCE)):
        return pairs(one) == pairs(other)
    if encoding == _HASH_TABLE:
        return unordered(request, one, other)
    return request[0] == b"XINFO" and same_stream(one, other)


def same_stream(one: Reply, other: Reply) -> bool:
    """Say whether two replies of XINFO STREAM FULL are equal but for what is chance in them."""
    left, right = one.items(), other.items()
    if len(left) != len(right):
        return False
    for index, (first, second) in enumerate(zip(left, right, strict=True)):
        name = left[index - 1].value if index % 2 else None
        if first == second:
            continue
        is_time = name in _NEAR_FIELDS or _is_delivery(left, index)
        if is_time and near(first, second, TOLERANCE_MS):
            continue
        if not first.items() or not same_stream(first, second):
            return False
    return True


def _is_delivery(items: list[Reply], index: int) -> bool:
    """Say whether this is the time in a pending entry: id, consumer, time, count; without consumer in his own list."""
    return items[index].kind == b":" and len(items) in (3, 4) and index == len(items) - 2


def _compare_dumps(one: Peer, other: Peer, client: int, keys: list[bytes], database: int) -> None:
    """Let each side restore the other's dumps into another database, and compare that."""
    requests = [(b"DUMP", key) for key in keys]
    dumps = _ask_both(one, other, client, requests)
    for peer, column in ((one, 2), (other, 1)):
        restored: list[Arguments] = [(b"SELECT", b"%d" % _RESTORED), (b"FLUSHDB",)]
        for answer in dumps:
            payload = answer[column].value
            assert isinstance(payload, bytes), answer
            restored.append((b"RESTORE", CHANCE + answer[0][1], b"0", payload))
        replies = peer.run(client, restored)
        for request, reply in zip(restored, replies, strict=True):
            if reply.value != b"OK":
                raise Difference(f"the other's dump is refused, database {database}: {show(request)}\n  {cut(reply)}")
    _compare_values(one, other, client, [CHANCE + key for key in keys], f"restored from dumps of database {database}: ")


def _ask_both(one: Peer, other: Peer, client: int, requests: list[Arguments]) -> list[tuple[Arguments, Reply, Reply]]:
    if not requests:
        return []
    return list(zip(requests, one.run(client, requests), other.run(client, requests), strict=True))
