"""What works on keys of any type, and on databases; what ends transactions at odd times."""

from typing import Final

from tests.differential.generator import Arguments, Form, Generator, Script, form, many_keys, scan_arguments
from tests.differential.replies import Reply
from tests.differential.rules import (
    Rule,
    near,
    near_milliseconds,
    near_seconds,
    same_shape,
    unordered,
    unordered_scan,
)

_LONG_S: Final = 3600
_TYPES: Final = (b"string", b"list", b"set", b"zset", b"hash", b"stream", b"nosuch")


def _expire(gen: Generator) -> Arguments:
    name = gen.random.choice((b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT"))
    time = gen.time(not name.startswith(b"P"), name.endswith(b"AT"))
    conditions = [gen.option(b"NX", b"XX", b"GT", b"LT", b"ZZ") for _ in range(gen.random.choice((0, 0, 1, 1, 2)))]
    return (name, gen.key(), time, *conditions)


def _outdated(gen: Generator) -> Arguments:
    """Return what makes a key whose deadline has often passed already: the next who looks at it deletes it."""
    return (b"SET", gen.key(), gen.value(), b"PXAT", gen.time(False, True))


def _scan(gen: Generator) -> Arguments:
    arguments = [b"SCAN", *scan_arguments(gen)]
    if gen.random.random() < 0.3:
        arguments += [gen.option(b"TYPE"), gen.option(*_TYPES)]
    return tuple(arguments)


def _copy(gen: Generator) -> Arguments:
    options: list[bytes] = []
    if gen.random.random() < 0.4:
        options += [gen.option(b"DB"), gen.database()]
    if gen.random.random() < 0.4:
        options.append(gen.option(b"REPLACE", b"REPLACE", b"NX"))
    return (b"COPY", gen.key(), gen.key(), *options)


def _flush(gen: Generator) -> Arguments:
    if gen.random.random() < 0.6:
        return (b"DBSIZE",)
    return (gen.random.choice((b"FLUSHDB", b"FLUSHALL")), *gen.random.choice(((), (b"ASYNC",), (b"sync",), (b"NOW",))))


def _object(gen: Generator) -> Arguments:
    words = (b"ENCODING", b"ENCODING", b"ENCODING", b"FREQ", b"IDLETIME", b"HELP", b"NOSUCH")
    word = gen.option(*words).partition(b"\x00")[0]
    return (b"OBJECT", word) if word.upper() == b"HELP" else (b"OBJECT", word, gen.key())


def _random_key(gen: Generator) -> list[Arguments]:
    """Return a RANDOMKEY: it deletes the expired keys that it draws on the way, so they are deleted before."""
    return [(b"SCAN", b"0", b"COUNT", b"1000000"), (b"RANDOMKEY",)]


def _same_of_object(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Any two idle times: small integers are one object in Redis, whose time is that of every key that holds it."""
    return arguments[1].upper() == b"IDLETIME" and near(one, other, _LONG_S)


_KEY: Final = Generator.key
FORMS: Final[list[Form]] = [
    *[_outdated, _expire, _expire, _expire, _scan, _copy, _copy, _flush, _object, _object, _object],
    *[form(name, _KEY) for name in (b"TYPE", b"PERSIST", b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME")],
    *[many_keys(name) for name in (b"DEL", b"UNLINK", b"EXISTS", b"TOUCH", b"WATCH", b"NOSUCH")],
    *[form(name, _KEY, _KEY) for name in (b"RENAME", b"RENAME", b"RENAMENX", b"RENAMENX")],
    form(b"KEYS", Generator.pattern),
    form(b"MOVE", _KEY, Generator.database),
    form(b"SELECT", Generator.database),
    form(b"SWAPDB", Generator.database, Generator.database),
    *[form(name) for name in (b"UNWATCH", b"DISCARD", b"EXEC")],
]
SCRIPTS: Final[list[Script]] = [_random_key]
RULES: Final[dict[bytes, Rule]] = {
    b"KEYS": unordered,
    b"SCAN": unordered_scan,
    b"RANDOMKEY": same_shape,
    b"TTL": near_seconds,
    b"PTTL": near_milliseconds,
    b"EXPIRETIME": near_seconds,
    b"PEXPIRETIME": near_milliseconds,
    b"OBJECT": _same_of_object,
}
