"""WATCH: which clients watch which keys of a database, and which changes break a watch.

A key that was past its deadline when it was watched counted as missing: that it goes changes nothing.
(Redis: multi.c touchWatchedKey, touchAllWatchedKeysInDb.)
"""

from typing import final


@final
class Watch:
    """One client's WATCH. `broken` says that a watched key has changed since."""

    def __init__(self) -> None:
        self.broken: bool = False
        # (database index, key) -> whether the key was already past its deadline when it was watched.
        self.keys: dict[tuple[int, bytes], bool] = {}


@final
class Watches:
    """The watches on keys of the database with that index."""

    def __init__(self, index: int) -> None:
        self._index: int = index
        self._by_key: dict[bytes, list[Watch]] = {}

    def __len__(self) -> int:
        """Return how many keys are watched."""
        return len(self._by_key)

    def __contains__(self, key: bytes) -> bool:
        """Say whether anybody watches `key`."""
        return key in self._by_key

    def watched_keys(self) -> list[bytes]:
        """Return the keys that are watched."""
        return list(self._by_key)

    def add(self, key: bytes, watch: Watch, is_past: bool) -> None:
        """Let `watch` be broken by changes of `key`, which may be past its deadline already."""
        if (self._index, key) not in watch.keys:
            watch.keys[(self._index, key)] = is_past
            self._by_key.setdefault(key, []).append(watch)

    def remove(self, key: bytes, watch: Watch) -> None:
        """Undo add()."""
        others = [other for other in self._by_key.get(key, []) if other is not watch]
        if others:
            self._by_key[key] = others
        else:
            self._by_key.pop(key, None)

    def changed(self, key: bytes, is_missing: bool) -> None:
        """Break the watches on a key that was changed, or is missing now."""
        for watch in self._by_key[key]:
            if not (is_missing and watch.keys[(self._index, key)]):
                watch.broken = True

    def swapped(self, key: bytes, existed: bool, exists: bool, is_past: bool) -> None:
        """Break the watches on a key of a database whose contents were exchanged, unless it is missing as before.

        A key past its deadline counts as missing; `is_past` says whether what is there now is.
        """
        for watch in self._by_key[key]:
            was_missing = not existed or watch.keys[(self._index, key)]
            watch.keys[(self._index, key)] = is_past
            if not (was_missing and (not exists or is_past)):
                watch.broken = True
