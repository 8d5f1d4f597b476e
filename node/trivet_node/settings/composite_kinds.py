"""Kinds of settings whose value is made of several words: lists, pairs, groups."""

import re
from typing import Final

import attrs

from trivet_node.settings.kinds import INT_MAX, INTEGER, LONG_MAX, Kind, SettingError
from trivet_node.settings.text import memory_text, parse_memory, quoted

_NATURAL: Final = re.compile(r"[0-9]{1,18}")
_UNBOUNDED: Final = re.compile(r"\+?0*([0-9]+)")
_NO_NUMBER: Final = -1


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
        seconds = [_saturated(word, LONG_MAX) for word in words[::2]]
        # Redis counts changes in a C int, which a larger number overflows.
        changes = [_saturated(word, INT_MAX) for word in words[1::2]]
        if len(words) % 2 or min(seconds, default=1) < 1 or min(changes, default=0) < 0:
            raise SettingError("Invalid save parameters")
        return tuple(zip(seconds, changes, strict=True))

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


def _saturated(word: str, largest: int) -> int:
    """Return the number that `word` is, or `largest` where that is less, as strtoll does; else _NO_NUMBER."""
    match = _UNBOUNDED.fullmatch(word)
    if match is None:
        return _NO_NUMBER
    # Python reads no number of thousands of digits.
    return largest if len(match[1]) > len(str(largest)) else min(int(match[1]), largest)


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
        if not all(INTEGER.fullmatch(word) and self.smallest <= int(word) <= self.largest for word in words):
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
