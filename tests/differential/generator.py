"""Random commands from a seed: mostly meaningful, often at a limit, sometimes wrong.

The commands themselves come from the families (families/): a sequence draws from one or two of them, and always from
the commands that work on any key, so that every family meets values of other types. Each family has keys that it
prefers. What a family's forms build their arguments from is here.

Times are chosen so that a difference of some seconds between two machines changes no reply but those that show a time:
relative ones are far from now and from each other, absolute ones lie far away or in the past.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

Arguments = tuple[bytes, ...]

CLIENTS: Final = 4
DATABASES: Final = 3
# Keys whose contents are drawn by chance begin with this: what is propagated about them is the same in shape only.
CHANCE: Final = b"chance"
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
    *[b"0.1", b"-0.1", b"3.0e3", b"1e400", b"1e-400", b"inf", b"-inf", b"nan", b"0x1p-3", b"1e4931", b"5e-18"],
    *[b"-5e-18", b"3.14159265358979323846", b"1000000000000000000000", b".5", b"5.", b"1.5 ", b"-0.0", b"1e5000"],
    *[b"123456789.123456789", b"-inf", b"+inf", b"Infinity", b"(1", b"17179869184.00000001"],
]
_TEXTS: Final = [
    *[b"", b"a", b"hello", b"Hello World", b"ohmytext", b"mynewtext", b"\x00\x01\xff", b"line\r\nbreak"],
    *[b"x" * 44, b"x" * 45, b"abcdefgh" * 20, bytes(range(256))],
]
_PATTERNS: Final = [
    *[b"*", b"k*", b"k?", b"k[0-3]", b"k[^1]", b"k[3-0]", b"\\k1", b"", b"{tag}*", b"*[1]*", b"Key\\*\\[1\\]\\?"],
    *[b"[", b"[^", b"k[", b"k[1", b"k\\", b"**", b"*?*", b"[a-", b"k[\\0-9]", b"m*", b"m1?", b"[0-9]*"],
]
# Elements, fields and members: few, so that commands meet those of others; in each form that listpacks store by itself.
_MEMBERS: Final = [
    *[b"m%d" % number for number in range(20)],
    *[
        b"%d" % number
        for number in (0, 1, 2, 3, 7, 127, 128, -1, -4096, 4095, 32767, -32769, 8388608, 2**31, 2**63 - 1)
    ],
    *[b"", b"01", b"-0", b"\x00\xff", b"line\r\nbreak", b"y" * 63, b"y" * 64, b"y" * 65, b"z" * 300, b"z" * 5000],
]
_COUNTS: Final = [b"0", b"1", b"1", b"2", b"3", b"5", b"10", b"1000", b"-1", b"-3", b"-1000"]
_TIMEOUTS: Final = [b"0", b"0", b"100", b"3e3", b"5000.5", b"0x400", b"1e6"]
_NO_TIMEOUTS: Final = [b"-1", b"", b"x", b"inf", b"nan", b"-0.5", b"1e400", b"9223372036854775807", b"1 "]
# The settings that decide how collections are stored, as they are without a configuration file, and small ones.
_LIMITS: Final[dict[bytes, tuple[bytes, ...]]] = {
    b"hash-max-listpack-entries": (b"512", b"0", b"3", b"16"),
    b"hash-max-listpack-value": (b"64", b"4", b"20"),
    b"list-max-listpack-size": (b"-2", b"-1", b"-5", b"1", b"3", b"16"),
    b"list-compress-depth": (b"0", b"1", b"2"),
    b"set-max-intset-entries": (b"512", b"0", b"3", b"16"),
    b"zset-max-listpack-entries": (b"128", b"0", b"3", b"16"),
    b"zset-max-listpack-value": (b"64", b"4", b"20"),
    b"hll-sparse-max-bytes": (b"3000", b"0", b"50", b"500"),
    b"stream-node-max-bytes": (b"4096", b"0", b"100", b"500"),
    b"stream-node-max-entries": (b"100", b"0", b"1", b"5"),
}


class Step(NamedTuple):
    """What one client sends at once: mostly one command, sometimes several that make sense only together."""

    client: int
    requests: tuple[Arguments, ...]


class Family(Protocol):
    """One family of commands, as families/ collects them."""

    @property
    def forms(self) -> "Sequence[Form]":
        """What makes one command each; a form that stands there twice is drawn twice as often."""

    @property
    def scripts(self) -> "Sequence[Script]":
        """What makes several commands that must stay together."""


class Generator:
    """A stream of steps from one seed; `now_ms` is the time when it starts.

    `families` are those to draw from; all of them but the last have keys of their own that they prefer. With `expired`
    some keys are past their deadline from the beginning. They count until somebody looks at them, so both sides must
    delete them lazily only.
    """

    def __init__(self, seed: int, now_ms: int, families: Sequence[Family], expired: bool = True) -> None:
        self.random = random.Random(seed)
        self.now_ms = now_ms
        self.expired = expired
        self._families = families
        # Whose turn it is.
        self._index = 0
        self._times = 0

    def limits(self) -> Arguments:
        """Return a CONFIG SET of all limits of small collections: as they are by default, or small ones."""
        small = self.random.random() < 0.6
        values = [self.random.choice(choices) if small else choices[0] for choices in _LIMITS.values()]
        return (b"CONFIG", b"SET", *[word for pair in zip(_LIMITS, values, strict=True) for word in pair])

    def steps(self, count: int) -> list[Step]:
        """Return steps of several clients with at least `count` commands."""
        steps: list[Step] = []
        done = 0
        while done < count:
            new = self._some_steps(self.random.randrange(CLIENTS))
            done += sum(len(step.requests) for step in new)
            steps += new
        return steps

    def _some_steps(self, client: int) -> list[Step]:
        if self.random.random() < 0.25:
            return self._transaction(client)
        if self.random.random() < 0.1:
            scripts = self._family().scripts
            return [Step(client, tuple(self.random.choice(scripts)(self)))] if scripts else []
        return [self._step(client) for _ in range(self.random.choice((1, 3, 10, 30)))]

    def _step(self, client: int) -> Step:
        return Step(client, (self.command(),))

    def _family(self) -> Family:
        """Return the family whose turn it is: in one of four cases that of the commands for any key."""
        last = len(self._families) - 1
        self._index = last if self.random.random() < 0.25 else self.random.randrange(max(last, 1))
        return self._families[self._index]

    def command(self) -> Arguments:
        """Return one command; a few of them are broken on purpose."""
        arguments = list(self.random.choice(self._family().forms)(self))
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
            steps.append(Step(client, ((b"WATCH", *self.some_keys()),)))
            if choice.random() < 0.15:
                steps.append(Step(client, ((b"UNWATCH",),)))
        steps += [self._step(other) for _ in range(choice.choice((0, 0, 1, 3)))]
        steps.append(Step(client, ((b"MULTI",),)))
        for _ in range(choice.choice((0, 1, 2, 5))):
            steps.append(self._step(client))
            if choice.random() < 0.15:
                steps.append(self._step(other))
        wrong = choice.choice(((b"MULTI",), (b"WATCH", self.key()), (b"NOSUCH", b"x"), (b"GET",), (b"EXEC", b"x")))
        if choice.random() < 0.15:
            steps.append(Step(client, (wrong,)))
        ends = ((b"EXEC",), (b"EXEC",), (b"EXEC",), (b"EXEC",), (b"EXEC",), (b"DISCARD",), (b"UNWATCH",))
        steps.append(Step(client, (choice.choice(ends),)))
        if choice.random() < 0.1:
            steps.append(Step(client, ((b"EXEC",),)))
        return steps

    def _break(self, arguments: list[bytes]) -> None:
        position = self.random.randrange(len(arguments))
        # Another cursor of SCAN and its kin would mean something to its own server only.
        way = 1 if arguments[0].endswith(b"SCAN") else self.random.randrange(3)
        # A wait that becomes a short one would end on one side only: those commands get no numbers.
        value = self.text() if arguments[0].startswith(b"B") else self.value()
        if way == 0 and position > 0:
            del arguments[position]
        elif way == 1:
            arguments.append(value)
        elif position > 0:
            arguments[position] = value

    def _any_case(self, word: bytes) -> bytes:
        return bytes(byte ^ 32 if chr(byte).isalpha() and self.random.random() < 0.5 else byte for byte in word)

    def key(self) -> bytes:
        """Return a key: mostly one of those that the family prefers whose turn it is."""
        own = len(self._families) - 1
        if own < 1 or self._index == own or self.random.random() < 0.15:
            return self.random.choice(_KEYS)
        return self.random.choice(_KEYS[self._index :: own])

    def some_keys(self) -> list[bytes]:
        return [self.key() for _ in range(self.random.choice((1, 1, 2, 3, 5)))]

    def integer(self) -> bytes:
        if self.random.random() < 0.1:
            return self.random.choice(_NO_INTEGERS)
        return self.random.choice((*_INTEGERS, b"%d" % self.random.randint(-300, 300)))

    def position(self) -> bytes:
        return self.random.choice((b"%d" % self.random.randint(-20, 60), self.integer()))

    def count(self) -> bytes:
        """Return how many elements a command asks for."""
        return self.integer() if self.random.random() < 0.1 else self.random.choice(_COUNTS)

    def float(self) -> bytes:
        return self.random.choice((*_FLOATS, b"%.6f" % self.random.uniform(-100, 100), self.integer()))

    def text(self) -> bytes:
        if self.random.random() < 0.2:
            return bytes(self.random.choice(b"abcd") for _ in range(self.random.randrange(60)))
        return self.random.choice(_TEXTS)

    def value(self) -> bytes:
        return self.random.choice((self.text, self.text, self.integer, self.float))()

    def member(self) -> bytes:
        """Return an element of a list or set, a member or a field: mostly one of few."""
        return self.value() if self.random.random() < 0.1 else self.random.choice(_MEMBERS)

    def members(self) -> list[bytes]:
        """Return some members, rarely as many as no listpack holds by default."""
        length = self.random.choice((1, 1, 1, 1, 2, 2, 3, 5, 12)) if self.random.random() < 0.97 else 600
        if length < 600:
            return [self.member() for _ in range(length)]
        return [b"%d" % self.random.randint(-(10**6), 10**6) for _ in range(length)]

    def pattern(self) -> bytes:
        return self.random.choice(_PATTERNS)

    def timeout(self) -> bytes:
        """Return seconds to block, more than a sequence takes, or none at all."""
        return self.random.choice(_NO_TIMEOUTS if self.random.random() < 0.15 else _TIMEOUTS)

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


Form = Callable[[Generator], Arguments]
Script = Callable[[Generator], list[Arguments]]
Maker = Callable[[Generator], bytes]

_SOON: Final = frozenset([b"%d" % number for number in range(1, 100_000)])
# A cursor that is none, or that of the beginning: others mean something to their own server only.
_CURSORS: Final = (b"0", b"0", b"0", b"", b"x", b"1 ", b"18446744073709551616")
_SCAN_COUNTS: Final = (b"1000000", b"1000000", b"1000000", b"0", b"-1", b"x")


def form(name: bytes, *makers: Maker) -> Form:
    """Return what makes a command of one argument from each maker."""
    return lambda gen: (name, *[make(gen) for make in makers])


def many_keys(name: bytes) -> Form:
    """Return what makes a command of one or several keys."""
    return lambda gen: (name, *gen.some_keys())


def many_members(name: bytes) -> Form:
    """Return what makes a command of a key and one or several members."""
    return lambda gen: (name, gen.key(), *gen.members())


def scan_arguments(gen: Generator) -> list[bytes]:
    """Return what follows SCAN, and the key of its kin: everything is visited in one call."""
    arguments = [gen.random.choice(_CURSORS), gen.option(b"COUNT"), gen.random.choice(_SCAN_COUNTS)]
    if gen.random.random() < 0.5:
        arguments += [gen.option(b"MATCH"), gen.pattern()]
    return arguments
