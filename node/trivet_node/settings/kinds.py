"""Kinds of settings whose value is one word, or one or more of some words.

A Kind turns the words behind an option into a value (`parse`), a value into what CONFIG GET shows (`show`), and into
the lines that CONFIG REWRITE writes (`lines`).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from trivet_node.settings.text import memory_text, parse_memory, quoted

T = TypeVar("T")

INT_MAX: Final = 2**31 - 1
UINT_MAX: Final = 2**32 - 1
LONG_MAX: Final = 2**63 - 1

# All digits are bounded: Python refuses to read numbers of thousands of them, by an error that is no SettingError.
INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")
_OCTAL: Final = re.compile(r"[0-7]+")
_PERCENT: Final = re.compile(r"([0-9]{1,127})%")


class SettingError(ValueError):
    """A value is not accepted. The message is Redis' own."""


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
        if not INTEGER.fullmatch(words[0]) or not -(2**63) <= int(words[0]) < 2**63:
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
