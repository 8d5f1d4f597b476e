"""Strings and counters."""

from typing import Final

from tests.differential.generator import Arguments, Form, Generator, form, many_keys


def _set(gen: Generator) -> Arguments:
    arguments = [b"SET", gen.key(), gen.value()]
    for _ in range(gen.random.choice((0, 0, 0, 1, 1, 2, 3))):
        arguments += gen.random.choice(
            (gen.timed(b"KEEPTTL"), [gen.option(b"NX", b"XX", b"GET")], [gen.option(b"GET", b"KEEPTTL", b"PERSIST")])
        )
    return tuple(arguments)


def _getex(gen: Generator) -> Arguments:
    options = [gen.timed(b"PERSIST") for _ in range(gen.random.choice((0, 1, 1, 1, 2)))]
    return (b"GETEX", gen.key(), *[argument for option in options for argument in option])


def _lcs(gen: Generator) -> Arguments:
    arguments = [b"LCS", gen.key(), gen.key()]
    for _ in range(gen.random.choice((0, 1, 2, 3))):
        arguments.append(gen.option(b"LEN", b"IDX", b"IDX", b"WITHMATCHLEN"))
    if gen.random.random() < 0.3:
        arguments += [gen.option(b"MINMATCHLEN"), gen.integer()]
    return tuple(arguments)


def _setrange(gen: Generator) -> Arguments:
    odd = (b"-1", b"536870911", b"536870912", b"9223372036854775807", b"x", b"9223372036854775808")
    offset = gen.random.choice(odd) if gen.random.random() < 0.2 else b"%d" % gen.random.randrange(300)
    value = gen.text()
    # What fits exactly into the largest string would be half a gigabyte.
    return (b"SETRANGE", gen.key(), offset, value + b"xx" if offset == b"536870911" and value else value)


def _pairs(name: bytes) -> Form:
    return lambda gen: (name, *[argument for key in gen.some_keys() for argument in (key, gen.value())])


def _seconds(gen: Generator) -> bytes:
    return gen.time(True, False)


def _milliseconds(gen: Generator) -> bytes:
    return gen.time(False, False)


_KEY: Final = Generator.key
_VALUE: Final = Generator.value
FORMS: Final[list[Form]] = [
    *[_set, _set, _set, _set, _getex, _getex, _lcs, _lcs, _setrange, _setrange],
    *[_pairs(b"MSET"), _pairs(b"MSET"), _pairs(b"MSETNX"), many_keys(b"MGET")],
    *[form(name, _KEY) for name in (b"GET", b"GET", b"GETDEL", b"STRLEN", b"INCR", b"DECR")],
    *[form(name, _KEY, _VALUE) for name in (b"GETSET", b"SETNX", b"APPEND", b"APPEND", b"APPEND")],
    *[form(name, _KEY, Generator.integer) for name in (b"INCRBY", b"INCRBY", b"DECRBY")],
    *[form(b"INCRBYFLOAT", _KEY, Generator.float)] * 3,
    *[form(name, _KEY, Generator.position, Generator.position) for name in (b"GETRANGE", b"GETRANGE", b"SUBSTR")],
    form(b"SETEX", _KEY, _seconds, _VALUE),
    form(b"PSETEX", _KEY, _milliseconds, _VALUE),
]
