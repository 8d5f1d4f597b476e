"""Sorted sets.

Ranges by member mean something where all scores are equal; where they are not, redis-server answers by chance once the
set is large. So they have keys of their own, whose members all have one score.
"""

from typing import Final

from tests.differential.generator import (
    Arguments,
    Form,
    Generator,
    Script,
    form,
    many_members,
    scan_arguments,
)
from tests.differential.rules import Rule, same_shape, unordered_pair_scan

_SCORES: Final = [
    *[b"0", b"1", b"1", b"2", b"2", b"3", b"-1", b"1.5", b"-0", b"inf", b"-inf", b"1e17", b"4611686018427387904"],
    *[b"9.3e18", b"0x10", b"0.1", b"1e-320", b"-7.25", b"17179869184", b"1e300", b"-1e300"],
]
_BOUNDS: Final = [
    b"-inf",
    b"+inf",
    b"inf",
    b"(1",
    b"(2",
    b"(-inf",
    b"(inf",
    b"",
    b"(",
    b" 1",
    b"1\x00",
    b"1e400",
    b"nan",
]
_LEX_KEYS: Final = [b"lex0", b"lex1", b"{tag}lex"]
_LEX_BOUNDS: Final = [
    *[b"-", b"-", b"-", b"+", b"+", b"+", b"[m1", b"(m1", b"[m5", b"(m5", b"[m17", b"[1", b"(127", b"[", b"(", b"(zz"],
    *[b"[y", b"[\xff", b"(\x00\xff", b"(", b"", b"m1", b"-x", b"+\x00x", b"-inf"],
]


def _score(gen: Generator) -> bytes:
    return gen.float() if gen.random.random() < 0.08 else gen.random.choice(_SCORES)


def _bound(gen: Generator) -> bytes:
    chance = gen.random.random()
    if chance < 0.4:
        return gen.random.choice(_BOUNDS)
    return (b"(" if chance < 0.6 else b"") + _score(gen)


def _lex_bound(gen: Generator) -> bytes:
    if gen.random.random() < 0.2:
        return gen.random.choice((b"[", b"(")) + gen.member()
    return gen.random.choice(_LEX_BOUNDS)


def _lex_key(gen: Generator) -> bytes:
    return gen.random.choice(_LEX_KEYS)


def _rank(gen: Generator) -> bytes:
    return gen.position() if gen.random.random() < 0.3 else b"%d" % gen.random.randint(-6, 6)


def _rare(gen: Generator, *words: bytes) -> list[bytes]:
    return [gen.option(*words)] if gen.random.random() < 0.3 else []


def _limit(gen: Generator) -> list[bytes]:
    if gen.random.random() < 0.6:
        return []
    return [gen.option(b"LIMIT"), gen.random.choice((b"0", b"1", b"2", gen.integer())), gen.count()]


def _zadd(gen: Generator) -> Arguments:
    arguments = [b"ZADD", gen.key()]
    for _ in range(gen.random.choice((0, 0, 0, 0, 1, 1, 2))):
        arguments.append(gen.option(b"NX", b"XX", b"GT", b"LT", b"CH", b"CH", b"INCR"))
    for member in gen.members():
        arguments += [_score(gen), member]
    return tuple(arguments)


def _zadd_incr(gen: Generator) -> Arguments:
    options = [gen.option(b"NX", b"XX", b"GT", b"LT", b"CH") for _ in range(gen.random.choice((0, 0, 1)))]
    return (b"ZADD", gen.key(), *options, gen.option(b"INCR"), _score(gen), gen.member())


def _lex_zadd(gen: Generator) -> Arguments:
    return (b"ZADD", _lex_key(gen), *[word for member in gen.members() for word in (b"7", member)])


def _lex_change(gen: Generator) -> Arguments:
    key = _lex_key(gen)
    return gen.random.choice(
        (
            (b"ZREMRANGEBYLEX", key, _lex_bound(gen), _lex_bound(gen)),
            (b"ZREM", key, *gen.members()),
            (b"ZPOPMIN", key, b"2"),
            (b"DEL", key),
        )
    )


def _lex_range(gen: Generator) -> Arguments:
    bounds = (_lex_key(gen), _lex_bound(gen), _lex_bound(gen))
    kind = gen.random.randrange(6)
    if kind == 0:
        return (b"ZLEXCOUNT", *bounds)
    if kind < 3:
        name = gen.random.choice((b"ZRANGEBYLEX", b"ZREVRANGEBYLEX"))
        return (name, *bounds, *_limit(gen), *(_rare(gen, b"WITHSCORES") if kind == 2 else ()))
    options = [gen.option(b"BYLEX"), *_rare(gen, b"REV"), *_limit(gen)]
    return (b"ZRANGE", *bounds, *options) if kind < 5 else (b"ZRANGESTORE", gen.key(), *bounds, *options)


def _range_options(gen: Generator, *words: bytes) -> list[bytes]:
    parts = [_limit(gen), *[_rare(gen, word) for word in words]]
    gen.random.shuffle(parts)
    return [word for part in parts for word in part]


def _zrange(gen: Generator) -> Arguments:
    name, keys = gen.random.choice(((b"ZRANGE", [gen.key()]), (b"ZRANGESTORE", [gen.key(), gen.key()])))
    ending = b"WITHSCORES" if name == b"ZRANGE" or gen.random.random() < 0.05 else b"REV"
    if gen.random.random() < 0.5:
        limit = _limit(gen) if gen.random.random() < 0.1 else []
        return (name, *keys, _rank(gen), _rank(gen), *_rare(gen, b"REV"), *_rare(gen, ending), *limit)
    return (name, *keys, _bound(gen), _bound(gen), gen.option(b"BYSCORE"), *_range_options(gen, b"REV", ending))


def _old_range(gen: Generator) -> Arguments:
    if gen.random.random() < 0.4:
        return (b"ZREVRANGE", gen.key(), _rank(gen), _rank(gen), *_rare(gen, b"WITHSCORES"))
    name = gen.random.choice((b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE"))
    return (name, gen.key(), _bound(gen), _bound(gen), *_range_options(gen, b"WITHSCORES"))


def _numbered(gen: Generator, keys: list[bytes]) -> list[bytes]:
    """Return keys with their number before them, which is rarely wrong."""
    number = gen.random.choice((b"0", b"-1", b"1", b"9", gen.integer())) if gen.random.random() < 0.08 else None
    return [number or b"%d" % len(keys), *keys]


def _algebra(gen: Generator) -> Arguments:
    operation = gen.random.choice((b"ZUNION", b"ZINTER", b"ZDIFF"))
    stores = gen.random.random() < 0.5
    keys = gen.some_keys()[:3]
    arguments = [operation + b"STORE", gen.key()] if stores else [operation]
    arguments += _numbered(gen, keys)
    if operation != b"ZDIFF" or gen.random.random() < 0.05:
        if gen.random.random() < 0.4:
            arguments += [gen.option(b"WEIGHTS"), *[gen.random.choice((b"0", b"-1", b"2", _score(gen))) for _ in keys]]
        if gen.random.random() < 0.4:
            arguments += [gen.option(b"AGGREGATE"), gen.option(b"SUM", b"MIN", b"MAX", b"MAX", b"AVG")]
    if not stores or gen.random.random() < 0.05:
        arguments += _rare(gen, b"WITHSCORES")
    return tuple(arguments)


def _zintercard(gen: Generator) -> Arguments:
    limit = [gen.option(b"LIMIT"), gen.count()] if gen.random.random() < 0.4 else []
    return (b"ZINTERCARD", *_numbered(gen, gen.some_keys()[:3]), *limit)


def _pop(gen: Generator) -> Arguments:
    name = gen.random.choice((b"ZPOPMIN", b"ZPOPMAX"))
    return (name, gen.key(), *((gen.count(),) if gen.random.random() < 0.6 else ()))


def _mpop_arguments(gen: Generator) -> list[bytes]:
    count = [gen.option(b"COUNT"), gen.count()] if gen.random.random() < 0.5 else []
    return [*_numbered(gen, gen.some_keys()), gen.option(b"MIN", b"MAX", b"MIN", b"MAX", b"MID"), *count]


def _zmpop(gen: Generator) -> Arguments:
    return (b"ZMPOP", *_mpop_arguments(gen))


def _bzpop(gen: Generator) -> Arguments:
    if gen.random.random() < 0.4:
        return (b"BZMPOP", gen.timeout(), *_mpop_arguments(gen))
    return (gen.random.choice((b"BZPOPMIN", b"BZPOPMAX")), *gen.some_keys(), gen.timeout())


def _zrandmember(gen: Generator) -> Arguments:
    if gen.random.random() < 0.2:
        return (b"ZRANDMEMBER", gen.key())
    odd = (b"-9223372036854775808", b"9223372036854775807", b"4611686018427387904", b"x")
    count = gen.random.choice(odd) if gen.random.random() < 0.1 else gen.count()
    return (b"ZRANDMEMBER", gen.key(), count, *_rare(gen, b"WITHSCORES"))


def _zscan(gen: Generator) -> Arguments:
    return (b"ZSCAN", gen.key(), *scan_arguments(gen))


_KEY: Final = Generator.key
FORMS: Final[list[Form]] = [
    *[_zadd, _zadd, _zadd, _zadd, _zadd, _zadd_incr, _lex_zadd, _lex_zadd, _lex_change, _lex_range, _lex_range],
    *[_zrange, _zrange, _zrange, _old_range, _old_range, _algebra, _algebra, _algebra, _zintercard, _pop, _zmpop],
    *[_bzpop, _bzpop, _zrandmember, _zscan],
    *[many_members(name) for name in (b"ZREM", b"ZMSCORE")],
    *[form(name, _KEY, Generator.member) for name in (b"ZSCORE", b"ZRANK", b"ZREVRANK")],
    *[form(b"ZINCRBY", _KEY, _score, Generator.member)] * 2,
    form(b"ZCARD", _KEY),
    *[form(name, _KEY, _bound, _bound) for name in (b"ZCOUNT", b"ZCOUNT", b"ZREMRANGEBYSCORE")],
    form(b"ZREMRANGEBYRANK", _KEY, _rank, _rank),
]
SCRIPTS: Final[list[Script]] = []


RULES: Final[dict[bytes, Rule]] = {
    b"ZSCAN": unordered_pair_scan,
    b"ZRANDMEMBER": same_shape,
}
