"""Commands that make values of every type and encoding, from chance: the same for redis-server and for our nodes."""

import random
from collections.abc import Callable

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
