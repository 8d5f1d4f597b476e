"""What may differ between two replies to one command: times by a little, the order where it is chance.

A family names a rule for each of its commands whose replies are not simply equal. A rule is asked only about replies of
one kind that are not the same already.
"""

from collections.abc import Callable
from typing import Final

from tests.differential.generator import Arguments
from tests.differential.replies import Reply

Rule = Callable[[Arguments, Reply, Reply], bool]

TOLERANCE_MS: Final = 2_000


def unordered(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """The same elements in any order."""
    return _sorted(one.items()) == _sorted(other.items())


def unordered_pairs(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """The same pairs in any order: a map, or an array of key, value, key, value."""
    return pairs(one) == pairs(other)


def unordered_scan(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Any cursor, the same elements in any order."""
    return is_scan(one, other) and unordered(arguments, one.items()[1], other.items()[1])


def unordered_pair_scan(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Any cursor, the same pairs in any order."""
    return is_scan(one, other) and pairs(one.items()[1]) == pairs(other.items()[1])


def same_shape(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Null on both sides or on none, and as many elements, which are chance."""
    return (one.value is None) == (other.value is None) and len(one.items()) == len(other.items())


def near_seconds(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Two times in seconds that differ by what passes during a test."""
    return near(one, other, TOLERANCE_MS // 1000)


def near_milliseconds(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Two times in milliseconds that differ by what passes during a test."""
    return near(one, other, TOLERANCE_MS)


def near(one: Reply, other: Reply, tolerance: int) -> bool:
    """Say whether two replies are numbers, not negative, that differ by at most `tolerance`."""
    first, second = one.integer(), other.integer()
    return first is not None and second is not None and min(first, second) >= 0 and abs(first - second) <= tolerance


def is_scan(one: Reply, other: Reply) -> bool:
    """Say whether both are a cursor and an array."""
    return len(one.items()) == len(other.items()) == 2


def pairs(reply: Reply) -> list[Reply]:
    """Return the pairs of a map or a flat array, sorted; an array of arrays holds them already."""
    items = reply.items()
    if items and all(len(item.items()) == 2 for item in items):
        return _sorted(items)
    return _sorted([Reply(b"*", list(pair)) for pair in zip(items[::2], items[1::2], strict=True)])


def _sorted(items: list[Reply]) -> list[Reply]:
    return sorted(items, key=repr)
