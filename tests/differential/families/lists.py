"""Lists, and clients that wait for their elements."""

from typing import Final

from tests.differential.generator import Arguments, Form, Generator, form, many_members


def _push(gen: Generator) -> Arguments:
    return (gen.random.choice((b"LPUSH", b"RPUSH", b"RPUSH")), gen.key(), *gen.members())


def _pop(gen: Generator) -> Arguments:
    counts = gen.random.choice(((), (gen.count(),)))
    return (gen.random.choice((b"LPOP", b"RPOP")), gen.key(), *counts)


def _insert(gen: Generator) -> Arguments:
    place = gen.option(b"BEFORE", b"AFTER", b"AFTER", b"BEHIND")
    return (b"LINSERT", gen.key(), place, gen.member(), gen.member())


def _position(gen: Generator) -> Arguments:
    arguments = [b"LPOS", gen.key(), gen.member()]
    for _ in range(gen.random.choice((0, 1, 1, 2, 3))):
        arguments += [gen.option(b"RANK", b"RANK", b"COUNT", b"COUNT", b"MAXLEN", b"FIRST"), gen.count()]
    return tuple(arguments)


def _side(gen: Generator) -> bytes:
    return gen.option(*[b"LEFT", b"RIGHT"] * 6, b"UP")


def _several(gen: Generator) -> list[bytes]:
    """Return the arguments of LMPOP."""
    keys = gen.some_keys()
    number = gen.integer() if gen.random.random() < 0.1 else b"%d" % len(keys)
    arguments = [number, *keys, _side(gen)]
    if gen.random.random() < 0.5:
        arguments += [gen.option(b"COUNT"), gen.count()]
    return arguments


def _pop_several(gen: Generator) -> Arguments:
    return (b"LMPOP", *_several(gen))


def _wait_for_several(gen: Generator) -> Arguments:
    return (b"BLMPOP", gen.timeout(), *_several(gen))


def _wait(gen: Generator) -> Arguments:
    return (gen.random.choice((b"BLPOP", b"BRPOP")), *gen.some_keys(), gen.timeout())


_KEY: Final = Generator.key
_MEMBER: Final = Generator.member
_COUNT: Final = Generator.count
FORMS: Final[list[Form]] = [
    *[_push] * 10,
    *[many_members(name) for name in (b"LPUSHX", b"RPUSHX")],
    *[_pop] * 4,
    *[_insert, _insert, _position, _position, _position, _pop_several, _pop_several],
    *[form(b"LRANGE", _KEY, Generator.position, Generator.position)] * 3,
    *[form(b"LINDEX", _KEY, Generator.position)] * 2,
    *[form(b"LSET", _KEY, Generator.position, _MEMBER)] * 2,
    *[form(b"LREM", _KEY, _COUNT, _MEMBER)] * 3,
    form(b"LTRIM", _KEY, Generator.position, Generator.position),
    form(b"LLEN", _KEY),
    *[form(b"LMOVE", _KEY, _KEY, _side, _side)] * 2,
    form(b"RPOPLPUSH", _KEY, _KEY),
    *[_wait, _wait, _wait_for_several],
    form(b"BLMOVE", _KEY, _KEY, _side, _side, Generator.timeout),
    form(b"BRPOPLPUSH", _KEY, _KEY, Generator.timeout),
]
