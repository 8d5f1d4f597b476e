"""Hashes."""

from typing import Final

from tests.differential.generator import Arguments, Form, Generator, form, many_members, scan_arguments
from tests.differential.replies import Reply
from tests.differential.rules import Rule, pairs, same_shape, unordered, unordered_pair_scan, unordered_pairs


def _set(gen: Generator) -> Arguments:
    name = gen.random.choice((b"HSET", b"HSET", b"HSET", b"HMSET"))
    return (name, gen.key(), *[word for field in gen.members() for word in (field, _value(gen))])


def _value(gen: Generator) -> bytes:
    return gen.random.choice((gen.value, gen.member))()


def _draw(gen: Generator) -> Arguments:
    options: list[bytes] = []
    if gen.random.random() < 0.8:
        options.append(gen.count())
        if gen.random.random() < 0.5:
            options.append(gen.option(b"WITHVALUES", b"WITHVALUES", b"WITHVALUES", b"WITHSCORES"))
    return (b"HRANDFIELD", gen.key(), *options)


def _scan(gen: Generator) -> Arguments:
    return (b"HSCAN", gen.key(), *scan_arguments(gen))


def _same_draw(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """As many fields, each with its value or none; the same ones where fewer are there than were asked for."""
    if not same_shape(arguments, one, other) or len(arguments) < 3:
        return same_shape(arguments, one, other)
    with_values = len(arguments) > 3
    drawn = pairs(one) if with_values else one.items()
    if len(drawn) >= int(arguments[2]):
        return True
    return int(arguments[2]) < 0 or (unordered_pairs if with_values else unordered)(arguments, one, other)


_KEY: Final = Generator.key
_FIELD: Final = Generator.member
FORMS: Final[list[Form]] = [
    *[_set, _set, _set, _set, _draw, _draw, _scan],
    *[many_members(name) for name in (b"HDEL", b"HDEL", b"HMGET", b"HMGET")],
    *[form(name, _KEY, _FIELD, _value) for name in (b"HSETNX", b"HSET", b"HSET", b"HMSET")],
    *[form(name, _KEY, _FIELD) for name in (b"HGET", b"HGET", b"HSTRLEN", b"HEXISTS")],
    *[form(name, _KEY) for name in (b"HLEN", b"HGETALL", b"HKEYS", b"HVALS")],
    *[form(b"HINCRBY", _KEY, _FIELD, Generator.integer)] * 3,
    *[form(b"HINCRBYFLOAT", _KEY, _FIELD, Generator.float)] * 3,
]
RULES: Final[dict[bytes, Rule]] = {
    b"HGETALL": unordered_pairs,
    b"HKEYS": unordered,
    b"HVALS": unordered,
    b"HRANDFIELD": _same_draw,
    b"HSCAN": unordered_pair_scan,
}
