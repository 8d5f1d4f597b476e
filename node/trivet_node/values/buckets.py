"""The hash table of large collections: linear hashing over small dicts.

There are `2**level + split` buckets, each a dict of about MEAN keys. A key belongs to the bucket that the last `level`
bits of its hash name; one more bit counts where that bucket is among the first `split`, which were divided already.
When the table is too full, the bucket at `split` is divided in two and `split` moves on; when it is too empty, the last
division is undone. So no step of growing or shrinking ever touches more than two small dicts, however large the table.

That gives three things that one large dict has not:

- no long stall when the table is resized;
- SCAN cursors that survive resizing: a cursor counts through the buckets with its bits reversed, as in Redis, so that
  the parts of a divided bucket follow each other. What is there from the first call to the last is always returned;
- fair random keys at constant cost: a bucket is drawn, and a position in it, and again where the bucket is too short,
  so that every key has the same chance.

The hash is our own because it must be the same in every process, unlike Python's. Keys made to collide cost a draw more
time, but no look-up: a bucket is still a dict.
(Litwin, "Linear hashing"; Redis: dict.c dictScan.)
"""

from random import Random
from typing import Final, final

from librt.strings import read_i32_le
from mypy_extensions import i64, mypyc_attr

# How many keys a bucket holds on average when one is divided, and when two are joined again.
MEAN: Final = 32
_SPARSE_MEAN: Final = 8
# The largest bucket is looked for again when so many keys for each bucket were removed: drawing depends on it.
_MEASURED_AFTER: Final = 4
# More than this part of all keys is drawn from a list of all of them: one by one would draw many of them again.
_LARGE_PART: Final = 3
# Factors below 31 bits, so that a product of two such numbers stays within 64 bits.
_FACTOR: Final = 0x5BD1E995
_BITS_31: Final = 0x7FFFFFFF


@final
@mypyc_attr(acyclic=True)
class Buckets:
    """Values by key. `size` is the number of keys; `dicts` are the buckets, for whoever goes through all of them."""

    def __init__(self) -> None:
        self.size: i64 = 0
        self.dicts: list[dict[bytes, object]] = [{}]
        self._level: i64 = 0
        self._split: i64 = 0
        # No bucket holds more keys than this; how many keys were removed since that was exact.
        self._largest: i64 = 0
        self._unmeasured: i64 = 0

    def get(self, key: bytes) -> object:
        """Return the value of `key`, or None where it is missing."""
        return self.dicts[self._index(_hash(key))].get(key)

    def has(self, key: bytes) -> bool:
        """Say whether `key` is there."""
        return key in self.dicts[self._index(_hash(key))]

    def put(self, key: bytes, value: object) -> bool:
        """Store a value under `key` and say whether the key is new."""
        bucket = self.dicts[self._index(_hash(key))]
        before: i64 = len(bucket)
        bucket[key] = value
        length: i64 = len(bucket)
        if length == before:
            return False
        self.size += 1
        self._largest = max(self._largest, length)
        if self.size > MEAN * len(self.dicts):
            self._divide()
        return True

    def pop(self, key: bytes) -> bool:
        """Remove `key` and say whether it was there."""
        bucket = self.dicts[self._index(_hash(key))]
        if key not in bucket:
            return False
        del bucket[key]
        self.size -= 1
        self._unmeasured += 1
        if self._unmeasured > _MEASURED_AFTER * len(self.dicts):
            self._measure()
        if self.size < _SPARSE_MEAN * len(self.dicts) and len(self.dicts) > 1:
            self._join()
        return True

    def scan(self, cursor: int, found: list[bytes]) -> int:
        """Append the keys that `cursor` stands for to `found`; return the next cursor, 0 behind the last one."""
        mask: i64 = (1 << self._level) - 1
        index: i64 = cursor & int(mask)
        found.extend(self.dicts[index])
        if index < self._split:
            found.extend(self.dicts[index + mask + 1])
        # Add one to the bits read backwards.
        bit: i64 = (mask + 1) >> 1
        while index & bit != 0:
            index ^= bit
            bit >>= 1
        return index | bit

    def random_key(self, random: Random) -> bytes:
        """Return a key, each with the same chance; the table is not empty."""
        dicts = self.dicts
        largest = self._largest
        places = float(len(dicts) * largest)
        while True:
            place: i64 = int(random.random() * places)
            bucket = dicts[place // largest]
            position = place % largest
            if position < len(bucket):
                for key in bucket:
                    if position == 0:
                        return key
                    position -= 1

    def random_keys(self, count: int, random: Random) -> list[bytes]:
        """Return `count` different keys, no more than there are, each choice of them with the same chance."""
        if count * _LARGE_PART > self.size:
            return random.sample(self.keys(), count)
        drawn: dict[bytes, None] = {}
        while len(drawn) < count:
            drawn[self.random_key(random)] = None
        return list(drawn)

    def keys(self) -> list[bytes]:
        """Return all keys."""
        found: list[bytes] = []
        for bucket in self.dicts:
            found.extend(bucket)
        return found

    def copy(self) -> "Buckets":
        """Return a table of its own with the same keys and values."""
        other = Buckets()
        other.size = self.size
        other.dicts = [bucket.copy() for bucket in self.dicts]
        other._level = self._level
        other._split = self._split
        other._largest = self._largest
        other._unmeasured = self._unmeasured
        return other

    def _index(self, hashed: i64) -> i64:
        """Return the index of the bucket to which a key with this hash belongs."""
        mask: i64 = (1 << self._level) - 1
        index = hashed & mask
        return index if index >= self._split else hashed & (mask + mask + 1)

    def _divide(self) -> None:
        """Divide the next bucket."""
        bit: i64 = 1 << self._level
        staying: dict[bytes, object] = {}
        leaving: dict[bytes, object] = {}
        for key, value in self.dicts[self._split].items():
            if _hash(key) & bit != 0:
                leaving[key] = value
            else:
                staying[key] = value
        self.dicts[self._split] = staying
        self.dicts.append(leaving)
        self._split += 1
        if self._split == bit:
            self._level += 1
            self._split = 0
            self._measure()

    def _join(self) -> None:
        """Undo the last division."""
        if self._split == 0:
            self._level -= 1
            self._split = 1 << self._level
            self._measure()
        self._split -= 1
        bucket = self.dicts[self._split]
        bucket.update(self.dicts.pop())
        self._largest = max(self._largest, len(bucket))

    def _measure(self) -> None:
        self._unmeasured = 0
        self._largest = max([len(bucket) for bucket in self.dicts])


def _hash(key: bytes) -> i64:
    """Return 31 well-mixed bits of `key`."""
    length: i64 = len(key)
    mixed: i64 = length
    position: i64 = 0
    while position + 4 <= length:
        word = i64(read_i32_le(key, position))
        mixed = _mix(mixed ^ (word & _BITS_31) ^ ((word >> 31) & 1))
        position += 4
    while position < length:
        byte: i64 = key[position]
        mixed = _mix(mixed ^ byte)
        position += 1
    return _mix(mixed)


def _mix(value: i64) -> i64:
    """Return 31 bits to which every one of the 31 bits of `value` contributes."""
    product = (value ^ (value >> 15)) * _FACTOR
    return (product ^ (product >> 31)) & _BITS_31
