"""A map from stream IDs to objects, in the order of the IDs: the nodes of a stream, the entries that a group waits for.

Keys stand in sorted lists of at most `CHUNK_KEYS`, beside lists of their values; the lists stand in order. A key is
found by two binary searches; one is put in or taken out by moving less than a chunk. What is added at the end fills
chunks completely, and taking away from the front shortens the first chunk: queues of millions are cheap at both ends.

A `Cursor` walks from key to key. It does not survive changes of the map: whoever changes it seeks again.
(Redis: rax.c does this for streams.)
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

CHUNK_KEYS: Final = 256


@final
@mypyc_attr(acyclic=True)
class _Chunk:
    """Some neighbours: ascending keys and their values."""

    def __init__(self, keys: list[int], values: list[object]) -> None:
        self.keys: list[int] = keys
        self.values: list[object] = values


@final
class IdMap:
    """An ordered map. There is no empty chunk in `chunks`."""

    def __init__(self) -> None:
        self.size: i64 = 0
        self.chunks: list[_Chunk] = []

    def __len__(self) -> int:
        """Return the number of keys."""
        return self.size

    def get(self, key: int) -> object | None:
        """Return the value of a key, or None."""
        number = _chunk_at_or_before(self.chunks, key)
        if number < 0:
            return None
        chunk = self.chunks[number]
        at = _lower_bound(chunk.keys, key)
        if at == len(chunk.keys) or chunk.keys[at] != key:
            return None
        return chunk.values[at]

    def put(self, key: int, value: object) -> None:
        """Store a value."""
        chunks = self.chunks
        number = _chunk_at_or_before(chunks, key)
        if number < 0:
            if not chunks or len(chunks[0].keys) >= CHUNK_KEYS:
                chunks.insert(0, _Chunk([], []))
            number = 0
        chunk = chunks[number]
        at = _lower_bound(chunk.keys, key)
        if at < len(chunk.keys) and chunk.keys[at] == key:
            chunk.values[at] = value
            return
        self.size += 1
        if len(chunk.keys) < CHUNK_KEYS:
            chunk.keys.insert(at, key)
            chunk.values.insert(at, value)
        elif at == CHUNK_KEYS:
            # A key behind a full chunk begins a new one: what only grows at its end stays dense.
            chunks.insert(number + 1, _Chunk([key], [value]))
        else:
            self._split(number)
            self._insert(key, value)

    def pop(self, key: int) -> object | None:
        """Take a key out and return its value, or None where it is not there."""
        number = _chunk_at_or_before(self.chunks, key)
        if number < 0:
            return None
        chunk = self.chunks[number]
        at = _lower_bound(chunk.keys, key)
        if at == len(chunk.keys) or chunk.keys[at] != key:
            return None
        self.size -= 1
        del chunk.keys[at]
        value = chunk.values.pop(at)
        if not chunk.keys:
            del self.chunks[number]
        return value

    def first_key(self) -> int:
        """Return the smallest key of a map that is not empty."""
        return self.chunks[0].keys[0]

    def last_key(self) -> int:
        """Return the largest key of a map that is not empty."""
        return self.chunks[len(self.chunks) - 1].keys[-1]

    def first_value(self) -> object:
        """Return the value of the smallest key of a map that is not empty."""
        return self.chunks[0].values[0]

    def last_value(self) -> object:
        """Return the value of the largest key of a map that is not empty."""
        return self.chunks[len(self.chunks) - 1].values[-1]

    def set_last(self, value: object) -> None:
        """Give the largest key of a map that is not empty another value."""
        self.chunks[len(self.chunks) - 1].values[-1] = value

    def keys(self) -> list[int]:
        """Return all keys in order."""
        return [key for chunk in self.chunks for key in chunk.keys]

    def items(self) -> list[tuple[int, object]]:
        """Return all keys in order with their values."""
        return [item for chunk in self.chunks for item in zip(chunk.keys, chunk.values, strict=True)]

    def copy(self) -> "IdMap":
        """Return a map of the same keys and values."""
        other = IdMap()
        other.size = self.size
        other.chunks = [_Chunk(chunk.keys[:], chunk.values[:]) for chunk in self.chunks]
        return other

    def _split(self, number: i64) -> None:
        chunk = self.chunks[number]
        half = CHUNK_KEYS // 2
        self.chunks.insert(number + 1, _Chunk(chunk.keys[half:], chunk.values[half:]))
        del chunk.keys[half:]
        del chunk.values[half:]

    def _insert(self, key: int, value: object) -> None:
        """Put a new key, already counted, into the chunk where it belongs, which has room."""
        chunk = self.chunks[_chunk_at_or_before(self.chunks, key)]
        at = _lower_bound(chunk.keys, key)
        chunk.keys.insert(at, key)
        chunk.values.insert(at, value)


@final
class Cursor:
    """A place in a map: at a key, or nowhere, where `is_valid` is false."""

    def __init__(self, entries: IdMap) -> None:
        self.is_valid: bool = False
        self.key: int = 0
        self._entries: IdMap = entries
        self._chunk: i64 = 0
        self._at: i64 = 0

    def value(self) -> object:
        """Return the value of the key where the cursor is."""
        return self._entries.chunks[self._chunk].values[self._at]

    def seek_first(self) -> bool:
        """Go to the smallest key."""
        return self._go(0, 0)

    def seek_last(self) -> bool:
        """Go to the largest key."""
        chunks = self._entries.chunks
        number: i64 = len(chunks) - 1
        return self._go(number, len(chunks[number].keys) - 1 if number >= 0 else 0)

    def seek_ceiling(self, key: int) -> bool:
        """Go to the smallest key that is not smaller than `key`."""
        chunks = self._entries.chunks
        number = _chunk_at_or_before(chunks, key)
        if number < 0:
            return self._go(0, 0)
        at = _lower_bound(chunks[number].keys, key)
        return self._go(number, at) if at < len(chunks[number].keys) else self._go(number + 1, 0)

    def seek_floor(self, key: int) -> bool:
        """Go to the largest key that is not larger than `key`."""
        chunks = self._entries.chunks
        number = _chunk_at_or_before(chunks, key)
        if number < 0:
            self.is_valid = False
            return False
        keys = chunks[number].keys
        at = _lower_bound(keys, key)
        if at == len(keys) or keys[at] != key:
            at -= 1
        return self._go(number, at)

    def next(self) -> bool:
        """Go to the following key and say whether there is one."""
        if self._at + 1 < len(self._entries.chunks[self._chunk].keys):
            return self._go(self._chunk, self._at + 1)
        return self._go(self._chunk + 1, 0)

    def previous(self) -> bool:
        """Go to the preceding key and say whether there is one."""
        if self._at > 0:
            return self._go(self._chunk, self._at - 1)
        if self._chunk == 0:
            self.is_valid = False
            return False
        number = self._chunk - 1
        return self._go(number, len(self._entries.chunks[number].keys) - 1)

    def _go(self, number: i64, at: i64) -> bool:
        chunks = self._entries.chunks
        self.is_valid = 0 <= number < len(chunks)
        if self.is_valid:
            self._chunk = number
            self._at = at
            self.key = chunks[number].keys[at]
        return self.is_valid


def _chunk_at_or_before(chunks: list[_Chunk], key: int) -> i64:
    """Return the number of the last chunk that begins with `key` or a smaller one, or -1."""
    low: i64 = 0
    high: i64 = len(chunks)
    if high > 0 and chunks[high - 1].keys[0] <= key:
        return high - 1
    while low < high:
        middle = (low + high) >> 1
        if chunks[middle].keys[0] <= key:
            low = middle + 1
        else:
            high = middle
    return low - 1


def _lower_bound(keys: list[int], key: int) -> i64:
    """Return how many keys are smaller than `key`."""
    low: i64 = 0
    high: i64 = len(keys)
    if high > 0 and keys[high - 1] < key:
        return high
    while low < high:
        middle = (low + high) >> 1
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low
