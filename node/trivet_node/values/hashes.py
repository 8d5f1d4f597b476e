"""Hashes: fields with values.

A small hash is one listpack in which every field is followed by its value, in the order of their arrival, as in Redis.
It becomes a table (Buckets) when it has more fields than hash-max-listpack-entries or when a field or value is longer
than hash-max-listpack-value, and stays one from then on.
(Redis: t_hash.c.)
"""

from random import Random
from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from trivet_node.values import listpack
from trivet_node.values.buckets import Buckets
from trivet_node.values.packing import PackingLimits

# No listpack grows beyond this many bytes, whatever the limits are.
_LARGEST_PACK: Final = 1 << 30
NO_FIELDS: Final[frozenset[bytes]] = frozenset()


@final
@mypyc_attr(acyclic=True)
class Hash:
    """One hash: `pack` while it is small; then `buckets`, and `pack` is empty."""

    def __init__(self) -> None:
        self.pack: bytes = listpack.EMPTY
        self.buckets: Buckets | None = None

    def __len__(self) -> int:
        """Return the number of fields."""
        return int(self.buckets.size if self.buckets is not None else listpack.count(self.pack) >> 1)

    def is_empty(self) -> bool:
        """Say whether there is no field."""
        return self.buckets.size == 0 if self.buckets is not None else len(self.pack) == listpack.FIRST + 1

    def encoding(self) -> bytes:
        """Return what OBJECT ENCODING calls the form of the hash."""
        return b"listpack" if self.buckets is None else b"hashtable"

    def copy(self) -> "Hash":
        """Return a hash of its own with the same fields."""
        other = Hash()
        other.pack = self.pack
        if self.buckets is not None:
            other.buckets = self.buckets.copy()
        return other

    def get(self, field: bytes) -> bytes | None:
        """Return the value of `field`, or None where it is missing."""
        if self.buckets is not None:
            value = self.buckets.get(field)
            return value if isinstance(value, bytes) else None
        at = listpack.find(self.pack, field, listpack.FIRST, 1)
        return None if at < 0 else listpack.text(self.pack, listpack.after(self.pack, at))

    def has(self, field: bytes) -> bool:
        """Say whether `field` is there."""
        if self.buckets is not None:
            return self.buckets.has(field)
        return listpack.find(self.pack, field, listpack.FIRST, 1) >= 0

    def make_room(self, arguments: list[bytes], start: i64, limits: PackingLimits) -> None:
        """Become a table if one of the fields and values from arguments[start] on is too long for a listpack.

        HSET looks at all of them before it stores the first one. (Redis: hashTypeTryConversion.)
        """
        if self.buckets is not None:
            return
        total: i64 = len(self.pack)
        stop: i64 = len(arguments)
        while start < stop:
            length: i64 = len(arguments[start])
            if length > limits.hash_max_listpack_value:
                self._spread()
                return
            total += length
            start += 1
        if total > _LARGEST_PACK:
            self._spread()

    def put(self, field: bytes, value: bytes, limits: PackingLimits) -> bool:
        """Give `field` a value and say whether the field is new."""
        if self.buckets is None:
            longest = limits.hash_max_listpack_value
            if len(field) <= longest and len(value) <= longest:
                return self._put_packed(field, value, limits)
            self._spread()
        assert self.buckets is not None
        return self.buckets.put(field, value)

    def remove(self, field: bytes) -> bool:
        """Remove `field` and say whether it was there."""
        if self.buckets is not None:
            return self.buckets.pop(field)
        pack = self.pack
        at = listpack.find(pack, field, listpack.FIRST, 1)
        if at < 0:
            return False
        self.pack = listpack.splice(pack, at, listpack.after(pack, listpack.after(pack, at)), b"", -2)
        return True

    def pairs(self, hidden: frozenset[bytes] = NO_FIELDS) -> list[bytes]:
        """Return every field followed by its value, but for those in `hidden`."""
        if self.buckets is None:
            return _visible_pairs(self.pack, hidden) if hidden else listpack.texts(self.pack)
        hides = len(hidden) != 0
        found: list[bytes] = []
        for bucket in self.buckets.dicts:
            for field, value in bucket.items():
                if hides and field in hidden:
                    continue
                assert isinstance(value, bytes)
                found.append(field)
                found.append(value)
        return found

    def fields(self, hidden: frozenset[bytes] = NO_FIELDS) -> list[bytes]:
        """Return all fields but for those in `hidden`."""
        found = self.buckets.keys() if self.buckets is not None else _every_second(self.pack, listpack.FIRST)
        return [field for field in found if field not in hidden] if hidden else found

    def values(self, hidden: frozenset[bytes] = NO_FIELDS) -> list[bytes]:
        """Return all values, in the order of fields(hidden)."""
        if hidden or self.buckets is not None:
            return self.pairs(hidden)[1::2]
        return [] if self.is_empty() else _every_second(self.pack, listpack.after(self.pack, listpack.FIRST))

    def random_field(self, random: Random) -> bytes:
        """Return one of the fields, each with the same chance; the hash is not empty."""
        if self.buckets is not None:
            return self.buckets.random_key(random)
        chosen: i64 = int(random.random() * len(self))
        return listpack.text(self.pack, listpack.seek(self.pack, chosen * 2))

    def random_fields(self, count: int, random: Random) -> list[bytes]:
        """Return `count` different fields, at most all of them, each choice with the same chance."""
        if count >= len(self):
            return self.fields()
        return random.sample(self.fields(), count) if self.buckets is None else self.buckets.random_keys(count, random)

    def draws(self, count: int, random: Random) -> list[bytes]:
        """Return `count` fields, each drawn from all of them; the hash is not empty."""
        if self.buckets is not None:
            return [self.buckets.random_key(random) for _ in range(count)]
        fields = self.fields()
        size = len(fields)
        return [fields[int(random.random() * size)] for _ in range(count)]

    def values_of(self, fields: list[bytes]) -> list[bytes]:
        """Return the values of fields that are all there."""
        if self.buckets is None:
            table = dict(zip(self.fields(), self.values(), strict=True))
            return [table[field] for field in fields]
        found: list[bytes] = []
        for field in fields:
            value = self.buckets.get(field)
            assert isinstance(value, bytes)
            found.append(value)
        return found

    def _put_packed(self, field: bytes, value: bytes, limits: PackingLimits) -> bool:
        pack = self.pack
        entry = listpack.encoded(field)
        at = listpack.find_encoded(pack, entry, listpack.FIRST, 1)
        is_new = at < 0
        if is_new:
            at = listpack.end(pack)
            self.pack = listpack.splice(pack, at, at, entry + listpack.encoded(value), 2)
        else:
            at = listpack.after(pack, at)
            self.pack = listpack.splice(pack, at, listpack.after(pack, at), listpack.encoded(value), 0)
        if listpack.count(self.pack) >> 1 > limits.hash_max_listpack_entries:
            self._spread()
        return is_new

    def _spread(self) -> None:
        """Become a table."""
        buckets = Buckets()
        pairs = listpack.texts(self.pack)
        index: i64 = 0
        while index < len(pairs):
            buckets.put(pairs[index], pairs[index + 1])
            index += 2
        self.buckets = buckets
        self.pack = listpack.EMPTY


def from_listpack(pack: bytes, limits: PackingLimits) -> Hash:
    """Return the hash whose listpack, a valid one of fields and values, was stored elsewhere.

    (Redis: rdbLoadObject, RDB_TYPE_HASH_LISTPACK.)
    """
    hashed = Hash()
    hashed.pack = pack
    if len(hashed) > limits.hash_max_listpack_entries:
        hashed._spread()
    return hashed


def from_pairs(pairs: list[bytes], limits: PackingLimits) -> Hash:
    """Return a hash of these fields, each followed by its value."""
    hashed = Hash()
    index: i64 = 0
    if len(pairs) >> 1 > limits.hash_max_listpack_entries:
        hashed._spread()
    while index < len(pairs):
        hashed.put(pairs[index], pairs[index + 1], limits)
        index += 2
    return hashed


def _visible_pairs(pack: bytes, hidden: frozenset[bytes]) -> list[bytes]:
    """Return the fields of a pack that are not in `hidden`, each followed by its value."""
    found: list[bytes] = []
    at: i64 = listpack.FIRST
    stop = listpack.end(pack)
    while at < stop:
        field = listpack.text(pack, at)
        at = listpack.after(pack, at)
        if field not in hidden:
            found.append(field)
            found.append(listpack.text(pack, at))
        at = listpack.after(pack, at)
    return found


def _every_second(pack: bytes, at: i64) -> list[bytes]:
    """Return the entry at `at` and every second one behind it."""
    found: list[bytes] = []
    stop = listpack.end(pack)
    while at < stop:
        found.append(listpack.text(pack, at))
        at = listpack.after(pack, at)
        if at < stop:
            at = listpack.after(pack, at)
    return found
