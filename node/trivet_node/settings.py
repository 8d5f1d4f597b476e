"""How a setting is written: the kinds of values of redis.conf, their checks and Redis' words for what is wrong.

A Kind turns the words behind an option into a value (`parse`), a value into what CONFIG GET shows (`show`), and into
the lines that CONFIG REWRITE writes (`lines`). A Setting is one option: its names, its kind, and whether it may change
while the node runs. The list of all settings is the class Config.

Text is str throughout; bytes that are not UTF-8 travel through it as surrogate escapes, so a password may be any bytes.
(Redis: redis.conf, CONFIG SET, CONFIG REWRITE.)
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

import attrs

from trivet_wire import quoting
from trivet_wire.requests import split_words

T = TypeVar("T")

INT_MAX: Final = 2**31 - 1
UINT_MAX: Final = 2**32 - 1
LONG_MAX: Final = 2**63 - 1
ULONG_MAX: Final = 2**64 - 1

# All digits are bounded: Python refuses to read numbers of thousands of them, by an error that is no SettingError.
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_NATURAL: Final = re.compile(r"[0-9]{1,18}")
_OCTAL: Final = re.compile(r"[0-7]+")
# So many digits memtoull reads.
_MEMORY: Final = re.compile(r"([0-9]{0,127})([a-z]*)", re.IGNORECASE)
_PERCENT: Final = re.compile(r"([0-9]{1,127})%")
_UNITS: Final = {"": 1, "b": 1, "k": 1000, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}


class SettingError(ValueError):
    """A value is not accepted. The message is Redis' own."""


def words_of(line: str) -> list[str] | None:
    """Return the words of a configuration line, quotes resolved; None where they do not balance."""
    words = split_words(to_bytes(line))
    return None if words is None else [to_text(word) for word in words]


def to_text(data: bytes) -> str:
    """Return bytes of a client or a file as the text that settings are made of."""
    return data.decode(errors="surrogateescape")


def to_bytes(text: str) -> bytes:
    """Return the bytes that `text` stands for; undoes to_text()."""
    return text.encode(errors="surrogateescape")


def quoted(text: str) -> str:
    """Return `text` as one quoted word of redis.conf."""
    return to_text(quoting.quoted(to_bytes(text)))


def parse_memory(text: str) -> int | None:
    """Return the bytes that `1024`, `1k` (1,000) or `1kb` (1,024) stand for, None for anything else.

    No digits are a zero, as C's strtoull has it. (Redis: memtoull.)
    """
    match = _MEMORY.fullmatch(text)
    if match is None or match[2].lower() not in _UNITS:
        return None
    # What does not fit is as much as possible.
    return min(int(match[1] or 0) * _UNITS[match[2].lower()], ULONG_MAX)


def memory_text(size: int) -> str:
    """Return a number of bytes as redis.conf would write it: `64mb` where that is exact."""
    for unit in ("gb", "mb", "kb"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


class Kind(ABC, Generic[T]):
    """A way of writing values of type T."""

    # Whether the words behind the option are one value each; an option of one word takes exactly one.
    many_words = False

    @abstractmethod
    def parse(self, words: list[str], present: T) -> T:
        """Return the value of `words`, given the present one; SettingError where they have none."""

    @abstractmethod
    def show(self, value: T) -> str:
        """Return what CONFIG GET shows."""

    def repeated(self, earlier: T, later: T) -> T:
        """Return the value of an option that a file gives twice: the later one, unless the kind adds them up."""
        return later

    def lines(self, name: str, value: T) -> list[str]:
        """Return the lines of redis.conf that give this value."""
        return [f"{name} {self.show(value)}"]


class YesNo(Kind[bool]):
    """`yes` or `no`."""

    def parse(self, words: list[str], present: bool) -> bool:
        """Return whether the word is yes."""
        word = words[0].lower()
        if word not in ("yes", "no"):
            raise SettingError("argument must be 'yes' or 'no'")
        return word == "yes"

    def show(self, value: bool) -> str:
        """Return yes or no."""
        return "yes" if value else "no"


class Integer(Kind[int]):
    """A decimal integer within bounds."""

    def __init__(self, smallest: int, largest: int) -> None:
        self.smallest = smallest
        self.largest = largest

    def parse(self, words: list[str], present: int) -> int:
        """Return the integer."""
        if not _INTEGER.fullmatch(words[0]) or not -(2**63) <= int(words[0]) < 2**63:
            raise SettingError("argument couldn't be parsed into an integer")
        value = int(words[0])
        if not self.smallest <= value <= self.largest:
            raise SettingError(f"argument must be between {self.smallest} and {self.largest} inclusive")
        return value

    def show(self, value: int) -> str:
        """Return its digits."""
        return str(value)


class Octal(Integer):
    """Permissions such as 700."""

    def parse(self, words: list[str], present: int) -> int:
        """Return the number."""
        if not _OCTAL.fullmatch(words[0]):
            raise SettingError("argument couldn't be parsed as an octal number")
        value = int(words[0], 8)
        if not self.smallest <= value <= self.largest:
            raise SettingError(f"argument must be between {self.smallest:o} and {self.largest:o} inclusive")
        return value

    def show(self, value: int) -> str:
        """Return its octal digits."""
        return f"{value:o}"


class Memory(Integer):
    """A number of bytes, with or without a unit."""

    def parse(self, words: list[str], present: int) -> int:
        """Return the number of bytes."""
        value = parse_memory(words[0])
        if value is None:
            raise SettingError("argument must be a memory value")
        if not self.smallest <= value <= self.largest:
            raise SettingError(f"argument must be between {self.smallest} and {self.largest} inclusive")
        return value

    def lines(self, name: str, value: int) -> list[str]:
        """Return a line with a unit."""
        return [f"{name} {memory_text(value)}"]


class MemoryOrPercent(Memory):
    """A number of bytes, or a percentage, which is kept as a negative number."""

    def parse(self, words: list[str], present: int) -> int:
        """Return the number of bytes, or minus the percentage."""
        match = _PERCENT.fullmatch(words[0])
        if match is not None:
            if int(match[1]) > 100:
                raise SettingError("percentage argument must be less or equal to 100")
            return -int(match[1])
        if parse_memory(words[0]) is None:
            raise SettingError("argument must be a memory or percent value")
        return super().parse(words, present)

    def show(self, value: int) -> str:
        """Return the number, with % where it is a percentage."""
        return f"{-value}%" if value < 0 else str(value)

    def lines(self, name: str, value: int) -> list[str]:
        """Return a line with a unit or %."""
        return [f"{name} {self.show(value) if value < 0 else memory_text(value)}"]


class Text(Kind[str]):
    """Any string. `check` returns what is wrong with one, or an empty string."""

    def __init__(self, check: Callable[[str], str] | None = None) -> None:
        self.check = check

    def parse(self, words: list[str], present: str) -> str:
        """Return the word."""
        wrong = self.check(words[0]) if self.check else ""
        if wrong:
            raise SettingError(wrong)
        return words[0]

    def show(self, value: str) -> str:
        """Return it as it is."""
        return value

    def lines(self, name: str, value: str) -> list[str]:
        """Return a line with the word in quotes."""
        return [f"{name} {quoted(value)}"]


class Choice(Kind[str]):
    """One of some words, in letters of any case."""

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def parse(self, words: list[str], present: str) -> str:
        """Return the word in lower case."""
        return chosen(words, self.choices)[0]

    def show(self, value: str) -> str:
        """Return the word."""
        return value


class Choices(Kind[tuple[str, ...]]):
    """One or more of some words."""

    many_words = True

    def __init__(self, *choices: str) -> None:
        self.choices = choices

    def parse(self, words: list[str], present: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words in the order of the choices."""
        given = chosen(words, self.choices)
        return tuple(choice for choice in self.choices if choice in given)

    def show(self, value: tuple[str, ...]) -> str:
        """Return the words."""
        return " ".join(value)


class EventClasses(Kind[str]):
    """Letters of classes of keyspace events, in any order."""

    # All of them but K, E and m, in the order in which they are shown; A stands for all of them but n.
    classes: Final = "g$lshzxetdn"
    channels: Final = "KEm"

    def parse(self, words: list[str], present: str) -> str:
        """Return the letters in their order."""
        given = set(words[0])
        if not given <= set(self.classes + self.channels + "A"):
            raise SettingError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
        if "A" in given or given >= set(self.classes) - {"n"}:
            shown = "An" if "n" in given else "A"
        else:
            shown = "".join(letter for letter in self.classes if letter in given)
        return shown + "".join(letter for letter in self.channels if letter in given)

    def show(self, value: str) -> str:
        """Return the letters; an A hides the n, though it is in force. (Redis: keyspaceEventsFlagsToString.)"""
        return value.replace("n", "") if "A" in value else value

    def lines(self, name: str, value: str) -> list[str]:
        """Return a line with the letters in quotes."""
        return [f"{name} {quoted(self.show(value))}"]


def chosen(words: list[str], choices: tuple[str, ...]) -> list[str]:
    """Return `words` in lower case; SettingError where one is no choice."""
    lowered = [word.lower() for word in words]
    if not lowered or not set(lowered) <= set(choices):
        raise SettingError("argument(s) must be one of the following: " + ", ".join(choices))
    return lowered


class Words(Kind[tuple[str, ...]]):
    """Any number of words up to `largest`."""

    many_words = True

    def __init__(self, largest: int, too_many: str) -> None:
        self.largest = largest
        self.too_many = too_many

    def parse(self, words: list[str], present: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words."""
        if len(words) > self.largest:
            raise SettingError(self.too_many)
        return tuple(words)

    def show(self, value: tuple[str, ...]) -> str:
        """Return them with spaces between."""
        return " ".join(value)

    def lines(self, name: str, value: tuple[str, ...]) -> list[str]:
        """Return a line with the words, or with an empty one."""
        return [f"{name} {self.show(value) or quoted('')}"]


class Endpoint(Kind[tuple[str, int] | None]):
    """`host port`, or `no one` for none."""

    many_words = True

    def parse(self, words: list[str], present: tuple[str, int] | None) -> tuple[str, int] | None:
        """Return host and port, or None."""
        if len(words) != 2:
            raise SettingError("wrong number of arguments")
        if [word.lower() for word in words] == ["no", "one"]:
            return None
        if not _NATURAL.fullmatch(words[1]) or not 0 <= int(words[1]) <= 65535:
            raise SettingError("Invalid master port")
        return words[0], int(words[1])

    def show(self, value: tuple[str, int] | None) -> str:
        """Return `host port`, or nothing."""
        return "" if value is None else f"{value[0]} {value[1]}"

    def lines(self, name: str, value: tuple[str, int] | None) -> list[str]:
        """Return a line, or none without a primary."""
        return [] if value is None else [f"{name} {self.show(value)}"]


class SavePoints(Kind[tuple[tuple[int, int], ...]]):
    """`seconds changes` pairs: save after so many seconds if so many changes were made."""

    many_words = True

    def parse(self, words: list[str], present: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        """Return the pairs."""
        numbers = [int(word) for word in words if _NATURAL.fullmatch(word)]
        if len(numbers) != len(words) or len(words) % 2 or 0 in numbers[::2]:
            raise SettingError("Invalid save parameters")
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))

    def repeated(
        self, earlier: tuple[tuple[int, int], ...], later: tuple[tuple[int, int], ...]
    ) -> tuple[tuple[int, int], ...]:
        """Return all pairs; `save ""` forgets those before it."""
        return earlier + later if later else ()

    def show(self, value: tuple[tuple[int, int], ...]) -> str:
        """Return all numbers with spaces between."""
        return " ".join(f"{seconds} {changes}" for seconds, changes in value)

    def lines(self, name: str, value: tuple[tuple[int, int], ...]) -> list[str]:
        """Return a line for each pair."""
        return [f"{name} {seconds} {changes}" for seconds, changes in value] or [f"{name} {quoted('')}"]


@attrs.frozen
class OutputLimit:
    """How many unsent bytes a client may have: `hard_bytes` ever, `soft_bytes` for `soft_seconds`; 0 is no limit."""

    hard_bytes: int
    soft_bytes: int
    soft_seconds: int


@attrs.frozen
class OutputLimits:
    """The limits of the three classes of clients."""

    normal: OutputLimit = OutputLimit(0, 0, 0)
    replica: OutputLimit = OutputLimit(256 * 2**20, 64 * 2**20, 60)
    pubsub: OutputLimit = OutputLimit(32 * 2**20, 8 * 2**20, 60)


class OutputLimitsKind(Kind[OutputLimits]):
    """`class hard soft seconds` groups; classes not named keep their limits."""

    many_words = True
    classes: Final = {"normal": "normal", "slave": "replica", "replica": "replica", "pubsub": "pubsub"}

    def parse(self, words: list[str], present: OutputLimits) -> OutputLimits:
        """Return `present` with the limits of the classes named replaced."""
        if len(words) % 4:
            raise SettingError("Wrong number of arguments in buffer limit configuration.")
        limits: dict[str, OutputLimit] = {}
        for position in range(0, len(words), 4):
            name, hard, soft, seconds = words[position : position + 4]
            if name.lower() not in self.classes:
                raise SettingError("Invalid client class specified in buffer limit configuration.")
            hard_bytes, soft_bytes = parse_memory(hard), parse_memory(soft)
            if hard_bytes is None or soft_bytes is None or not _NATURAL.fullmatch(seconds):
                raise SettingError("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
            limits[self.classes[name.lower()]] = OutputLimit(hard_bytes, soft_bytes, int(seconds))
        return attrs.evolve(present, **limits)

    def show(self, value: OutputLimits) -> str:
        """Return all three groups."""
        return " ".join(
            f"{name} {limit.hard_bytes} {limit.soft_bytes} {limit.soft_seconds}"
            for name, limit in (("normal", value.normal), ("slave", value.replica), ("pubsub", value.pubsub))
        )

    def lines(self, name: str, value: OutputLimits) -> list[str]:
        """Return a line for each class."""
        return [
            f"{name} {label} {memory_text(limit.hard_bytes)} {memory_text(limit.soft_bytes)} {limit.soft_seconds}"
            for label, limit in (("normal", value.normal), ("replica", value.replica), ("pubsub", value.pubsub))
        ]


class IntegersKind(Kind[tuple[int, ...]]):
    """A fixed number of integers between `smallest` and `largest`."""

    many_words = True

    def __init__(self, count: int, smallest: int, largest: int) -> None:
        self.count = count
        self.smallest = smallest
        self.largest = largest

    def parse(self, words: list[str], present: tuple[int, ...]) -> tuple[int, ...]:
        """Return the integers."""
        if len(words) != self.count:
            raise SettingError("wrong number of arguments")
        if not all(_INTEGER.fullmatch(word) and self.smallest <= int(word) <= self.largest for word in words):
            raise SettingError(
                f"Invalid oom-score-adj-values, elements must be between {self.smallest} and {self.largest}."
            )
        return tuple(int(word) for word in words)

    def show(self, value: tuple[int, ...]) -> str:
        """Return them with spaces between."""
        return " ".join(str(number) for number in value)


class Percentiles(Kind[tuple[float, ...]]):
    """Any number of percentages."""

    many_words = True

    def parse(self, words: list[str], present: tuple[float, ...]) -> tuple[float, ...]:
        """Return the percentages."""
        try:
            values = tuple(float(word) for word in words)
        except ValueError:
            raise SettingError("Invalid latency-tracking-info-percentiles parameters") from None
        if not all(0.0 <= value <= 100.0 for value in values):
            raise SettingError("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
        return values

    def show(self, value: tuple[float, ...]) -> str:
        """Return them with spaces between."""
        return " ".join(f"{number:.15g}" for number in value)

    def lines(self, name: str, value: tuple[float, ...]) -> list[str]:
        """Return a line, with an empty word where there are none."""
        return [f"{name} {self.show(value) or quoted('')}"]


@attrs.frozen
class Setting:
    """One option. `name` is empty until Config gives it: the attribute's name with dashes."""

    kind: Kind[Any]
    default: Any
    aliases: tuple[str, ...] = ()
    # Whether CONFIG SET may change it; a protected one needs enable-protected-configs as well.
    mutable: bool = True
    protected: bool = False
    # Why nothing in this node looks at it, empty where something does; `does` is the value of what it does anyway.
    why: str = ""
    does: Any = None
    # Where only one value is possible so far: why.
    only_default: str = ""
    name: str = ""
    attribute: str = ""

    def parse(self, words: list[str], present: Any) -> Any:
        """Return the value of the words behind the option; SettingError where they have none."""
        if not self.kind.many_words and len(words) != 1:
            raise SettingError("wrong number of arguments")
        value = self.kind.parse(words, present)
        if self.only_default and value != self.default:
            raise SettingError(f"{self.only_default}: only '{self.kind.show(self.default)}' is possible")
        return value


_SETTING: Final = "setting"


def setting(
    kind: Kind[Any],
    default: Any,
    *aliases: str,
    name: str = "",
    mutable: bool = True,
    protected: bool = False,
    why: str = "",
    does: Any = None,
    only_default: str = "",
) -> Any:
    """Return an attribute of Config; the arguments are those of Setting. Without `does` the default is what is done."""
    does = default if does is None else does
    row = Setting(kind, default, aliases, mutable, protected, why, does, only_default, name)
    return attrs.field(default=default, metadata={_SETTING: row})


def idle_settings(rows: Iterable[Setting], values: object) -> str:
    """Return what to tell of those rows whose values have no effect: their names, by reason; empty if there are none.

    `values` has the attributes of the rows.
    """
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.why and getattr(values, row.attribute) != row.does:
            names.setdefault(row.why, []).append(row.name)
    return "; ".join(f"{', '.join(sorted(found))} ({why})" for why, found in sorted(names.items()))


def settings_of(config_class: type) -> dict[str, Setting]:
    """Return the settings of a class by name, aliases included."""
    found: dict[str, Setting] = {}
    for attribute in attrs.fields(config_class):
        row: Setting | None = attribute.metadata.get(_SETTING)
        if row is not None:
            name = row.name or attribute.name.replace("_", "-")
            row = attrs.evolve(row, name=name, attribute=attribute.name)
            for spelling in (name, *row.aliases):
                found[spelling] = row
    return found
