"""Values that are nobody's any more, and are given back a part at a time: millions of them at once take long.

What was flushed is kept as the dicts of its slots, a huge value as its pieces, until free_some() frees them.
(Redis: lazyfree.c.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.values.types import pieces

# About as many elements are in one piece of a huge value.
_PIECE_ELEMENTS: Final = 32


@final
class LazyFree:
    """What waits to be freed."""

    def __init__(self) -> None:
        # Values and pieces of values that were freed.
        self.freed_total: i64 = 0
        self._keys: list[dict[bytes, object]] = []
        self._pieces: list[list[object]] = []

    def discard(self, slots: list[dict[bytes, object]]) -> None:
        """Keep what was flushed."""
        self._keys.extend([keys for keys in slots if keys])

    def discard_value(self, value: object) -> None:
        """Keep the pieces of a huge value that is no longer a key's; whoever else holds it loses nothing."""
        found = pieces(value)
        if found:
            self._pieces.append(found)

    def free_some(self, budget: i64, holds_collections: bool) -> bool:
        """Free about `budget` values or elements and say whether there is more.

        `holds_collections` is false where all values are strings, which take no time.
        """
        budget = self._free_pieces(budget)
        while self._keys and budget > 0:
            keys = self._keys[-1]
            if holds_collections or len(keys) > budget:
                while keys and budget > 0:
                    self.discard_value(keys.popitem()[1])
                    self.freed_total += 1
                    budget -= 1
            else:
                self.freed_total += len(keys)
                budget -= len(keys)
                keys = {}
            if not keys:
                budget -= 1
                self._keys.pop()
        return len(self._keys) > 0 or len(self._pieces) > 0

    def waiting(self) -> int:
        """Return how many values and pieces of values wait."""
        return sum([len(keys) for keys in self._keys]) + sum([len(found) for found in self._pieces])

    def _free_pieces(self, budget: i64) -> i64:
        """Return what is left of `budget`."""
        while self._pieces and budget > 0:
            found = self._pieces[-1]
            while found and budget > 0:
                found.pop()
                self.freed_total += 1
                budget -= _PIECE_ELEMENTS
            if not found:
                self._pieces.pop()
        return budget
