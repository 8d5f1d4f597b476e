"""Values of every type and encoding: commands that make them, from chance, and what two servers that hold them show.

Both are the same for redis-server and for our nodes.
"""

import random
import socket
from collections.abc import Callable
from typing import Any

from tests.processes import ServerProcess, read_replies
from trivet_wire.connection import encode_request

Request = list[bytes]
# Below, at and above the sizes at which encodings change.
SIZES = (1, 2, 3, 8, 20, 127, 128, 129, 200, 511, 512, 513, 700)
SPECIAL_TEXTS = (b"", b"0", b"-0", b"01", b"127", b"128", b"-1", b"-129", b"v" * 63, b"v" * 64, b"v" * 65)


def text(chance: random.Random) -> bytes:
    """Return a short string of any kind."""
    kind = chance.randrange(7)
    if kind == 0:
        return b"%d" % chance.randint(-200, 200)
    if kind == 1:
        return b"%d" % chance.randint(-(2**63), 2**63 - 1)
    if kind == 2:
        return chance.randbytes(chance.randint(0, 12))
    if kind == 3:
        return chance.choice(SPECIAL_TEXTS)
    if kind == 4:
        return b"ab" * chance.randint(0, 30)
    return b"member:%d" % chance.randrange(10**6)


def long_text(chance: random.Random) -> bytes:
    """Return a string that is too long to be packed with others, or nearly."""
    return chance.choice((b"v", b"long")) * chance.choice((65, 200, 4095, 4096, 9000))


def texts(chance: random.Random) -> list[bytes]:
    """Return some strings, few of them long."""
    some = [text(chance) for _ in range(chance.choice(SIZES))]
    if chance.random() < 0.2:
        some[chance.randrange(len(some))] = long_text(chance)
    return some


def integers(chance: random.Random) -> list[bytes]:
    """Return integers of one of the widths that intsets have."""
    bound = chance.choice((100, 2**15 - 1, 2**31 - 1, 2**63 - 1))
    return [b"%d" % chance.randint(-bound, bound) for _ in range(chance.choice(SIZES))]


def score(chance: random.Random) -> bytes:
    """Return a score of any kind."""
    kind = chance.randrange(5)
    if kind == 0:
        return chance.choice((b"inf", b"-inf", b"0", b"-0", b"1e300", b"5e-324"))
    if kind == 1:
        return repr(chance.random() * 10 ** chance.randint(-5, 20)).encode()
    return b"%d" % chance.randint(-100, 100)


def string(chance: random.Random, key: bytes) -> list[Request]:
    """Return commands that make a string."""
    value = long_text(chance) if chance.random() < 0.3 else text(chance)
    requests = [[b"SET", key, value]]
    if chance.random() < 0.2:
        requests.append([b"APPEND", key, b"more"])
    return requests


def list_(chance: random.Random, key: bytes) -> list[Request]:
    """Return commands that make a list."""
    return [[b"RPUSH", key, *texts(chance)], [b"LPUSH", key, *texts(chance)[:5]]]


def set_(chance: random.Random, key: bytes) -> list[Request]:
    """Return commands that make a set."""
    members = integers(chance) if chance.random() < 0.5 else texts(chance)
    return [[b"SADD", key, *members]]


def zset(chance: random.Random, key: bytes) -> list[Request]:
    """Return commands that make a sorted set."""
    return [[b"ZADD", key, *[word for member in texts(chance) for word in (score(chance), member)]]]


def hash_(chance: random.Random, key: bytes) -> list[Request]:
    """Return commands that make a hash."""
    return [[b"HSET", key, *[word for field in texts(chance) for word in (field, text(chance))]]]


def stream(chance: random.Random, key: bytes) -> list[Request]:
    """Return commands that make a stream, some with deleted entries, groups, consumers and pending entries."""
    fields = [text(chance) for _ in range(chance.randint(1, 3))]
    requests = []
    milliseconds = chance.choice((1, 1_700_000_000_000))
    ids = []
    for number in range(chance.choice((1, 2, 20, 150))):
        milliseconds += chance.choice((0, 1, 5000))
        ids.append(b"%d-%d" % (milliseconds, number + 1))
        names = fields if chance.random() < 0.8 else [text(chance)]
        pairs = [word for name in names for word in (name, text(chance))]
        requests.append([b"XADD", key, ids[-1], *pairs])
    for group in [b"g%d" % number for number in range(chance.randint(0, 3))]:
        requests.append([b"XGROUP", b"CREATE", key, group, chance.choice((b"0", b"$", chance.choice(ids)))])
        for consumer in (b"alice", b"bob")[: chance.randint(0, 2)]:
            requests.append([b"XGROUP", b"CREATECONSUMER", key, group, consumer])
            count = b"%d" % chance.randint(1, 12)
            requests.append([b"XREADGROUP", b"GROUP", group, consumer, b"COUNT", count, b"STREAMS", key, b">"])
            requests.append([b"XACK", key, group, chance.choice(ids)])
    if chance.random() < 0.5:
        requests.append([b"XDEL", key, *chance.choices(ids, k=chance.randint(1, 8))])
    if chance.random() < 0.2:
        requests.append([b"XTRIM", key, b"MAXLEN", b"%d" % chance.randint(0, len(ids))])
    return requests


MAKERS: tuple[Callable[[random.Random, bytes], list[Request]], ...] = (string, list_, set_, zset, hash_, stream)


def requests_for(chance: random.Random, key: bytes) -> list[Request]:
    """Return commands that make a value of any type under a key that is free."""
    return chance.choice(MAKERS)(chance, key)


# What shows the whole of a value.
QUESTIONS: dict[bytes, Callable[[bytes], Request]] = {
    b"string": lambda key: [b"GET", key],
    b"list": lambda key: [b"LRANGE", key, b"0", b"-1"],
    b"set": lambda key: [b"SMEMBERS", key],
    b"zset": lambda key: [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
    b"hash": lambda key: [b"HGETALL", key],
    b"stream": lambda key: [b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"],
}

# What stands for all encodings of a type where they do not matter: the one that says least about the contents' form.
ENCODINGS_WITHOUT_ORDER = {b"string": b"raw", b"set": b"hashtable", b"hash": b"hashtable"}


def ask(connection: socket.socket, requests: list[Request]) -> list[Any]:
    """Send requests and return their replies."""
    connection.sendall(b"".join([encode_request(request) for request in requests]))
    return read_replies(connection, len(requests))


def contents(server: ServerProcess, databases: range, encodings: bool = True) -> dict[tuple[int, bytes], Any]:
    """Return every key of these databases with its type, encoding, deadline and contents.

    Without `encodings` they are left out, and the order that depends on them: a set or hash that was large once is
    packed again by whoever loads it, and what INCRBYFLOAT made is sent to replicas as a text that may be an integer.
    """
    found: dict[tuple[int, bytes], Any] = {}
    with socket.create_connection(server.address, 10) as connection:
        for database in databases:
            keys = ask(connection, [[b"SELECT", b"%d" % database], [b"KEYS", b"*"]])[1]
            facts = ask(
                connection,
                [
                    request
                    for key in keys
                    for request in ([b"TYPE", key], [b"OBJECT", b"ENCODING", key], [b"PEXPIRETIME", key])
                ],
            )
            kinds = facts[::3]
            answers = ask(connection, [QUESTIONS[kind](key) for kind, key in zip(kinds, keys, strict=True)])
            for index, (key, answer) in enumerate(zip(keys, answers, strict=True)):
                kind, encoding, deadline = facts[3 * index : 3 * index + 3]
                if not encodings:
                    encoding = ENCODINGS_WITHOUT_ORDER.get(kind, b"any")
                found[database, key] = (kind, *_comparable(kind, encoding, answer), deadline)
    return found


def _comparable(kind: bytes, encoding: bytes, answer: Any) -> tuple[bytes, Any]:
    """Return encoding and contents without what may differ: the forms of strings, the order of hash tables."""
    if encoding in (b"embstr", b"raw"):
        return b"text", answer
    if kind == b"stream":
        return encoding, _shared(answer, encoding == b"any")
    items = list(zip(answer[::2], answer[1::2], strict=True)) if kind == b"hash" else answer
    return encoding, sorted(items) if encoding == b"hashtable" else items


def _shared(answer: Any, of_replicas: bool) -> Any:
    """Return the reply of XINFO STREAM FULL without what servers do not share: when they have seen a consumer.

    Nor do replicas in a running stream know how far a group has read: XCLAIM does not say it.
    """
    if not isinstance(answer, list):
        return answer
    names = (b"seen-time", b"entries-read", b"lag") if of_replicas else (b"seen-time",)
    return [
        None if index > 0 and answer[index - 1] in names else _shared(item, of_replicas)
        for index, item in enumerate(answer)
    ]


def change_something(chance: random.Random) -> list[Request]:
    """Return commands that change collections, by chance and time too; some must be propagated as other commands.

    Of the many that are described only those that are chosen are made.
    """
    number = b"%d" % chance.randrange(20)
    word = text(chance)
    items, members, scores, fields, entries = (name + number for name in (b"l:", b"s:", b"z:", b"h:", b"x:"))
    changes: list[Callable[[], list[Request]]] = [
        lambda: [[b"RPUSH", items, *texts(chance)[:9]]],
        lambda: [[b"LPUSH", items, word], [b"RPOPLPUSH", items, b"l:0"], [b"LPOP", items, b"2"]],
        lambda: [
            [b"LINSERT", items, b"BEFORE", b"0", word],
            [b"LSET", items, b"0", word],
            [b"LTRIM", items, b"0", b"300"],
        ],
        lambda: [[b"LREM", items, b"0", b"0"], [b"LMPOP", b"1", items, b"RIGHT", b"COUNT", b"3"]],
        lambda: [[b"SADD", members, *texts(chance)[:9]], [b"SPOP", members], [b"SREM", members, word]],
        lambda: [
            [b"SADD", members, *integers(chance)[:9]],
            [b"SPOP", members, b"5"],
            [b"SMOVE", members, b"s:0", word],
        ],
        lambda: [[b"SUNIONSTORE", members, b"s:1", b"s:2"], [b"SINTERSTORE", b"s:9", b"s:1", members]],
        lambda: [[b"ZADD", scores, score(chance), word], [b"ZINCRBY", scores, b"1.5", word], [b"ZPOPMIN", scores]],
        lambda: [
            [b"ZADD", scores, b"1", b"a", b"2", b"b", b"0.1", b"c"],
            [b"ZUNIONSTORE", b"z:9", b"2", scores, b"z:1"],
        ],
        lambda: [[b"ZREMRANGEBYRANK", scores, b"0", b"1"], [b"ZRANGESTORE", b"z:8", scores, b"0", b"5"]],
        lambda: [[b"HSET", fields, word, word, b"n", b"1"], [b"HINCRBY", fields, b"n", b"7"], [b"HDEL", fields, word]],
        lambda: [[b"HSET", fields, *texts(chance)[:8] * 2], [b"HINCRBYFLOAT", fields, b"float", b"0.1"]],
        lambda: [[b"XADD", entries, b"*", b"f", word], [b"XADD", entries, b"MAXLEN", b"~", b"50", b"*", word, word]],
        lambda: [
            [b"XGROUP", b"CREATE", entries, b"g", b"0", b"MKSTREAM"],
            [b"XREADGROUP", b"GROUP", b"g", b"c" + number, b"COUNT", b"3", b"STREAMS", entries, b">"],
            [b"XAUTOCLAIM", entries, b"g", b"other", b"0", b"0", b"COUNT", b"1"],
            [b"XTRIM", entries, b"MAXLEN", b"20"],
        ],
        lambda: [
            [b"SETBIT", b"bits:" + number, b"%d" % chance.randrange(1000), b"1"],
            [b"PFADD", b"p:" + number, word],
        ],
        lambda: [
            [b"GEOADD", b"geo:" + number, b"13.36", b"38.11", word],
            [b"SORT", members, b"ALPHA", b"STORE", b"l:1"],
        ],
        lambda: [
            [b"COPY", items, b"l:9", b"REPLACE"],
            [b"RENAME", members, b"s:5"],
            [b"DEL", scores],
            [b"UNLINK", fields],
        ],
    ]
    return chance.choice(changes)()
