"""Random commands from a seed: mostly meaningful, often at a limit, sometimes wrong.

Times are chosen so that a difference of some seconds between two machines changes no reply but those that show a time:
relative ones are far from now and from each other, absolute ones lie far away or in the past.
"""

import random
from collections.abc import Callable
from typing import Final

Arguments = tuple[bytes, ...]
Step = tuple[int, Arguments]

CLIENTS: Final = 4
DATABASES: Final = 3
# The step of relative times; more than a sequence of commands ever takes.
_STEP_MS: Final = 60_000
_FAR_MS: Final = 10**11

_KEYS: Final = [b"k%d" % number for number in range(7)] + [b"", b"{tag}a", b"{tag}b", b"\x00\xff\r\n", b"Key*[1]?"]
_INTEGERS: Final = [
    *[b"0", b"1", b"-1", b"5", b"10", b"42", b"9999", b"10000", b"-7"],
    *[b"9223372036854775807", b"-9223372036854775808", b"9223372036854775806", b"4611686018427387904"],
]
_NO_INTEGERS: Final = [
    *[b"", b"x", b"1 ", b" 1", b"+1", b"01", b"-0", b"1.0", b"0x10", b"-", b"1e3", b"\x001", b"1\x00"],
    *[b"9223372036854775808", b"-9223372036854775809", b"99999999999999999999999", b"3.0e10"],
]
_FLOATS: Final = [
    *[
        b"0.1",
        b"-0.1",
        b"3.0e3",
        b"1e400",
        b"1e-400",
        b"inf",
        b"-inf",
        b"nan",
        b"0x1p-3",
        b"1e4931",
        b"5e-18",
        b"-5e-18",
    ],
    *[
        b"3.14159265358979323846",
        b"1000000000000000000000",
        b".5",
        b"5.",
        b"1.5 ",
        b"-0.0",
        b"1e5000",
        b"123456789.123456789",
    ],
]
_TEXTS: Final = [
    *[b"", b"a", b"hello", b"Hello World", b"ohmytext", b"mynewtext", b"\x00\x01\xff", b"line\r\nbreak"],
    *[b"x" * 44, b"x" * 45, b"abcdefgh" * 20, bytes(range(256))],
]
_PATTERNS: Final = [
    *[b"*", b"k*", b"k?", b"k[0-3]", b"k[^1]", b"k[3-0]", b"\\k1", b"", b"{tag}*", b"*[1]*", b"Key\\*\\[1\\]\\?"],
    *[b"[", b"[^", b"k[", b"k[1", b"k\\", b"**", b"*?*", b"[a-", b"k[\\0-9]"],
]


class Generator:
    """A stream of steps (client, arguments) from one seed; `now_ms` is the time when it starts.

    With `expired` some keys are past their deadline from the beginning. They count until somebody looks at them, so
    both sides must delete them lazily only.
    """

    def __init__(self, seed: int, now_ms: int, expired: bool = True) -> None:
        self.random = random.Random(seed)
        self.now_ms = now_ms
        self.expired = expired
        self._times = 0

    def steps(self, count: int) -> list[Step]:
        """Return about `count` steps of several clients."""
        steps: list[Step] = []
        while len(steps) < count:
            client = self.random.randrange(CLIENTS)
            if self.random.random() < 0.25:
                steps += self._transaction(client)
            elif self.random.random() < 0.03:
                # Which key is drawn is chance, and expired ones are deleted on the way: so they are deleted before.
                steps += [(client, (b"SCAN", b"0", b"COUNT", b"1000000")), (client, (b"RANDOMKEY",))]
            else:
                steps += [(client, self.command()) for _ in range(self.random.choice((1, 3, 10, 30)))]
        return steps

    def command(self) -> Arguments:
        """Return one command; a few of them are broken on purpose."""
        arguments = list(self.random.choice(_COMMANDS)(self))
        if self.random.random() < 0.04:
            self._break(arguments)
        if self.random.random() < 0.2:
            arguments[0] = self._any_case(arguments[0])
        return tuple(arguments)

    def _transaction(self, client: int) -> list[Step]:
        """Return a transaction, into which other clients speak."""
        choice = self.random
        other = choice.randrange(CLIENTS)
        steps: list[Step] = []
        if choice.random() < 0.6:
            steps.append((client, (b"WATCH", *self.some_keys())))
            if choice.random() < 0.15:
                steps.append((client, (b"UNWATCH",)))
        steps += [(other, self.command()) for _ in range(choice.choice((0, 0, 1, 3)))]
        steps.append((client, (b"MULTI",)))
        for _ in range(choice.choice((0, 1, 2, 5))):
            steps.append((client, self.command()))
            if choice.random() < 0.15:
                steps.append((other, self.command()))
        wrong = choice.choice(((b"MULTI",), (b"WATCH", self.key()), (b"NOSUCH", b"x"), (b"GET",), (b"EXEC", b"x")))
        if choice.random() < 0.15:
            steps.append((client, wrong))
        ends = ((b"EXEC",), (b"EXEC",), (b"EXEC",), (b"EXEC",), (b"EXEC",), (b"DISCARD",), (b"UNWATCH",))
        steps.append((client, choice.choice(ends)))
        if choice.random() < 0.1:
            steps.append((client, (b"EXEC",)))
        return steps

    def _break(self, arguments: list[bytes]) -> None:
        position = self.random.randrange(len(arguments))
        way = self.random.randrange(3)
        if way == 0 and position > 0:
            del arguments[position]
        elif way == 1:
            arguments.append(self.value())
        elif position > 0:
            arguments[position] = self.value()

    def _any_case(self, word: bytes) -> bytes:
        return bytes(byte ^ 32 if chr(byte).isalpha() and self.random.random() < 0.5 else byte for byte in word)

    def key(self) -> bytes:
        return self.random.choice(_KEYS)

    def some_keys(self) -> list[bytes]:
        return [self.key() for _ in range(self.random.choice((1, 1, 2, 3, 5)))]

    def integer(self) -> bytes:
        if self.random.random() < 0.1:
            return self.random.choice(_NO_INTEGERS)
        return self.random.choice((*_INTEGERS, b"%d" % self.random.randint(-300, 300)))

    def position(self) -> bytes:
        return self.random.choice((b"%d" % self.random.randint(-20, 60), self.integer()))

    def float(self) -> bytes:
        return self.random.choice((*_FLOATS, b"%.6f" % self.random.uniform(-100, 100), self.integer()))

    def text(self) -> bytes:
        if self.random.random() < 0.2:
            return bytes(self.random.choice(b"abcd") for _ in range(self.random.randrange(60)))
        return self.random.choice(_TEXTS)

    def value(self) -> bytes:
        return self.random.choice((self.text, self.text, self.integer, self.float))()

    def database(self) -> bytes:
        odd = (b"-1", b"16", b"99", b"x", b"2147483648", b"", b"1 ")
        return self.random.choice(odd) if self.random.random() < 0.15 else b"%d" % self.random.randrange(DATABASES)

    def option(self, *words: bytes) -> bytes:
        word = self._any_case(self.random.choice(words))
        return word + b"\x00more" if self.random.random() < 0.02 else word

    def relative_ms(self) -> int:
        """Return a time to live that is as far from every other one as a sequence takes."""
        self._times += 1
        return self._times * _STEP_MS + self.random.randrange(1000)

    def time(self, in_seconds: bool, is_absolute: bool) -> bytes:
        """Return a time for EXPIRE and SET: in the future, in the past, or none at all."""
        odd = (b"0", b"-1", b"1", self.integer())
        if self.random.random() < 0.2:
            # 1 is the past for absolute times only; relative ones would run out while the test looks.
            time = self.random.choice(odd)
            return b"0" if time in _SOON and not (is_absolute and self.expired) else time
        if is_absolute:
            past = self.expired and self.random.random() < 0.2
            time_ms = self.now_ms + (-1 - self.random.randrange(10**6) if past else _FAR_MS + self.random.randrange(20))
        else:
            time_ms = self.relative_ms()
        return b"%d" % (time_ms // 1000 if in_seconds else time_ms)

    def timed(self, *others: bytes) -> list[bytes]:
        """Return an option with a time behind it, or one of the others."""
        words = (b"EX", b"PX", b"EXAT", b"PXAT", *others)
        word = self.random.choice(words)
        if word in others:
            return [self.option(word)]
        return [self.option(word), self.time(word in (b"EX", b"EXAT"), word in (b"EXAT", b"PXAT"))]


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


def _expire(gen: Generator) -> Arguments:
    name = gen.random.choice((b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT"))
    time = gen.time(not name.startswith(b"P"), name.endswith(b"AT"))
    conditions = [gen.option(b"NX", b"XX", b"GT", b"LT", b"ZZ") for _ in range(gen.random.choice((0, 0, 1, 1, 2)))]
    return (name, gen.key(), time, *conditions)


def _lcs(gen: Generator) -> Arguments:
    arguments = [b"LCS", gen.key(), gen.key()]
    for _ in range(gen.random.choice((0, 1, 2, 3))):
        arguments.append(gen.option(b"LEN", b"IDX", b"IDX", b"WITHMATCHLEN"))
    if gen.random.random() < 0.3:
        arguments += [gen.option(b"MINMATCHLEN"), gen.integer()]
    return tuple(arguments)


def _scan(gen: Generator) -> Arguments:
    """Return a SCAN that visits everything in one call: cursors of two servers mean different things."""
    arguments = [b"SCAN", gen.random.choice((b"0", b"0", b"0", b"", b"x", b"1 ", b"18446744073709551616"))]
    arguments += [gen.option(b"COUNT"), gen.random.choice((b"1000000", b"1000000", b"1000000", b"0", b"-1", b"x"))]
    if gen.random.random() < 0.5:
        arguments += [gen.option(b"MATCH"), gen.random.choice(_PATTERNS)]
    if gen.random.random() < 0.3:
        arguments += [gen.option(b"TYPE"), gen.option(b"string", b"list", b"nosuch")]
    return tuple(arguments)


def _copy(gen: Generator) -> Arguments:
    options: list[bytes] = []
    if gen.random.random() < 0.4:
        options += [gen.option(b"DB"), gen.database()]
    if gen.random.random() < 0.4:
        options.append(gen.option(b"REPLACE", b"REPLACE", b"NX"))
    return (b"COPY", gen.key(), gen.key(), *options)


def _setrange(gen: Generator) -> Arguments:
    odd = (b"-1", b"536870911", b"536870912", b"9223372036854775807", b"x", b"9223372036854775808")
    offset = gen.random.choice(odd) if gen.random.random() < 0.2 else b"%d" % gen.random.randrange(300)
    value = gen.text()
    # What fits exactly into the largest string would be half a gigabyte.
    return (b"SETRANGE", gen.key(), offset, value + b"xx" if offset == b"536870911" and value else value)


def _flush(gen: Generator) -> Arguments:
    if gen.random.random() < 0.6:
        return (b"DBSIZE",)
    return (gen.random.choice((b"FLUSHDB", b"FLUSHALL")), *gen.random.choice(((), (b"ASYNC",), (b"sync",), (b"NOW",))))


def _object(gen: Generator) -> Arguments:
    words = (b"ENCODING", b"ENCODING", b"ENCODING", b"FREQ", b"IDLETIME", b"HELP", b"NOSUCH")
    word = gen.option(*words).partition(b"\x00")[0]
    return (b"OBJECT", word) if word.upper() == b"HELP" else (b"OBJECT", word, gen.key())


def _pairs(name: bytes) -> Callable[[Generator], Arguments]:
    def make(gen: Generator) -> Arguments:
        return (name, *[argument for key in gen.some_keys() for argument in (key, gen.value())])

    return make


def _form(name: bytes, *makers: Callable[[Generator], bytes]) -> Callable[[Generator], Arguments]:
    return lambda gen: (name, *[make(gen) for make in makers])


def _many(name: bytes) -> Callable[[Generator], Arguments]:
    return lambda gen: (name, *gen.some_keys())


def _seconds(gen: Generator) -> bytes:
    return gen.time(True, False)


def _milliseconds(gen: Generator) -> bytes:
    return gen.time(False, False)


def _pattern(gen: Generator) -> bytes:
    return gen.random.choice(_PATTERNS)


_SOON: Final = frozenset([b"%d" % number for number in range(1, 100_000)])
_KEY = Generator.key
_VALUE = Generator.value
_COMMANDS: Final[list[Callable[[Generator], Arguments]]] = [
    *[_set, _set, _set, _set, _getex, _getex, _expire, _expire, _expire, _lcs, _lcs, _scan, _copy, _copy, _setrange],
    *[_setrange, _flush, _object, _object, _object, _pairs(b"MSET"), _pairs(b"MSET"), _pairs(b"MSETNX")],
    *[_form(name, _KEY) for name in (b"GET", b"GET", b"GETDEL", b"STRLEN", b"INCR", b"DECR", b"TYPE", b"PERSIST")],
    *[_form(name, _KEY) for name in (b"TTL", b"PTTL", b"EXPIRETIME", b"PEXPIRETIME")],
    *[_form(name, _KEY, _VALUE) for name in (b"GETSET", b"SETNX", b"APPEND", b"APPEND", b"APPEND")],
    *[_form(name, _KEY, Generator.integer) for name in (b"INCRBY", b"INCRBY", b"DECRBY")],
    *[_form(b"INCRBYFLOAT", _KEY, Generator.float)] * 3,
    *[_form(name, _KEY, Generator.position, Generator.position) for name in (b"GETRANGE", b"GETRANGE", b"SUBSTR")],
    _form(b"SETEX", _KEY, _seconds, _VALUE),
    _form(b"PSETEX", _KEY, _milliseconds, _VALUE),
    *[_many(name) for name in (b"MGET", b"DEL", b"UNLINK", b"EXISTS", b"TOUCH", b"WATCH", b"NOSUCH")],
    *[_form(name, _KEY, _KEY) for name in (b"RENAME", b"RENAME", b"RENAMENX", b"RENAMENX")],
    _form(b"KEYS", _pattern),
    _form(b"MOVE", _KEY, Generator.database),
    _form(b"SELECT", Generator.database),
    _form(b"SWAPDB", Generator.database, Generator.database),
    *[_form(name) for name in (b"UNWATCH", b"DISCARD", b"EXEC")],
]
