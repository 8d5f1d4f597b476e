"""Sets."""

from typing import Final

from tests.differential.generator import (
    CHANCE,
    Arguments,
    Form,
    Generator,
    Script,
    form,
    many_keys,
    many_members,
    scan_arguments,
)
from tests.differential.replies import Reply
from tests.differential.rules import Rule, same_shape, unordered, unordered_scan


def _members(gen: Generator) -> list[bytes]:
    """Return members for one set: often integers only, so that it is an intset."""
    if gen.random.random() < 0.5:
        return gen.members()
    width = gen.random.choice((5, 100, 2**16, 2**32, 2**63))
    return [b"%d" % gen.random.randrange(-width, width) for _ in range(gen.random.choice((1, 1, 2, 5, 20)))]


def _add(gen: Generator) -> Arguments:
    return (b"SADD", gen.key(), *_members(gen))


def _remove(gen: Generator) -> Arguments:
    return (b"SREM", gen.key(), *[b"%d" % gen.random.randrange(-5, 5) for _ in range(gen.random.choice((1, 2, 8)))])


def _store(gen: Generator) -> Arguments:
    name = gen.random.choice((b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"))
    return (name, gen.key(), *gen.some_keys())


def _cardinality(gen: Generator) -> Arguments:
    keys = gen.some_keys()
    count = gen.integer() if gen.random.random() < 0.1 else b"%d" % len(keys)
    options: list[bytes] = []
    if gen.random.random() < 0.5:
        options = [gen.option(b"LIMIT", b"LIMIT", b"LIMIT", b"LIMITS"), gen.count()]
    return (b"SINTERCARD", count, *keys, *options)


def _draw(gen: Generator) -> Arguments:
    return (b"SRANDMEMBER", gen.key(), *([] if gen.random.random() < 0.3 else [gen.count()]))


def _scan(gen: Generator) -> Arguments:
    return (b"SSCAN", gen.key(), *scan_arguments(gen))


def _pop(gen: Generator) -> list[Arguments]:
    """Return a set of its own, from which members are taken by chance."""
    key = CHANCE + gen.random.choice((b"1", b"2"))
    members = _members(gen)
    counts = [[], [b"1"], [b"2"], [gen.count()], [b"%d" % (len(members) - 1)], [b"%d" % (len(members) * 9 // 10)]]
    pops: list[Arguments] = [(b"SPOP", key, *gen.random.choice(counts)) for _ in range(gen.random.choice((1, 2)))]
    return [(b"SADD", key, *members), *pops, (b"SCARD", key), (b"TTL", key), (b"DEL", key)]


def _pop_all(gen: Generator) -> list[Arguments]:
    """Return an SPOP that leaves nothing to chance, on any key."""
    count = gen.random.choice(
        (b"0", b"-1", b"x", b"", b"5000", b"5000", b"9223372036854775807", b"9223372036854775808")
    )
    return [(b"SPOP", gen.key(), count, *gen.random.choice(((), (), (), (b"1",))))]


def _same_draw(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """As many members; the same ones where fewer are there than were asked for, unless earlier draws differed."""
    if not same_shape(arguments, one, other):
        return False
    if arguments[1].startswith(CHANCE):
        return True
    all_drawn = len(arguments) > 2 and 0 <= len(one.items()) < int(arguments[2])
    return not all_drawn or unordered(arguments, one, other)


_KEY: Final = Generator.key
_MEMBER: Final = Generator.member
FORMS: Final[list[Form]] = [
    *[_add, _add, _add, _add, _add, _remove, _store, _store, _store, _cardinality, _draw, _draw, _scan],
    *[many_members(name) for name in (b"SREM", b"SREM", b"SMISMEMBER")],
    *[many_keys(name) for name in (b"SINTER", b"SUNION", b"SDIFF", b"SDIFF")],
    *[form(name, _KEY) for name in (b"SCARD", b"SMEMBERS", b"SMEMBERS")],
    form(b"SISMEMBER", _KEY, _MEMBER),
    *[form(b"SMOVE", _KEY, _KEY, _MEMBER)] * 2,
]
SCRIPTS: Final[list[Script]] = [_pop, _pop, _pop_all]
RULES: Final[dict[bytes, Rule]] = {
    **dict.fromkeys((b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF"), unordered),
    b"SRANDMEMBER": _same_draw,
    b"SPOP": _same_draw,
    b"SSCAN": unordered_scan,
}
