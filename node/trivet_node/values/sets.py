"""Sets: distinct members without an order.

A set of integers only is an intset, as in Redis, until it has more than set-max-intset-entries members or receives one
that is no integer. From then on it calls itself a hash table for ever. While it is small it is a listpack of its
members nevertheless, since Python's own containers would take many times the memory of Redis; when it has grown it is
a table (Buckets), and stays one.
(Redis: t_set.c.)
"""

from random import Random
from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from trivet_node.values import intset, listpack
from trivet_node.values.buckets import Buckets
from trivet_node.values.strings import parse_integer

# Up to this many members, and bytes in all, a set that is no intset is kept packed: nobody can tell but by its speed.
_PACKED_MEMBERS: Final = 64
_PACKED_BYTES: Final = 2048
# What an intset can hold in Redis, whatever the limit is.
_LARGEST_INTSET: Final = 1 << 30


@final
@mypyc_attr(acyclic=True)
class Set:
    """One set: `pack` is its intset where `is_intset`, else its listpack or, once there are `buckets`, empty."""

    def __init__(self) -> None:
        self.pack: bytes = intset.EMPTY
        self.is_intset: bool = True
        self.buckets: Buckets | None = None

    def __len__(self) -> int:
        """Return the number of members."""
        if self.is_intset:
            return int(intset.length(self.pack))
        return int(self.buckets.size if self.buckets is not None else listpack.count(self.pack))

    def is_empty(self) -> bool:
        """Say whether there is no member."""
        return len(self) == 0

    def encoding(self) -> bytes:
        """Return what OBJECT ENCODING calls the form of the set."""
        return b"intset" if self.is_intset else b"hashtable"

    def copy(self) -> "Set":
        """Return a set of its own with the same members."""
        other = Set()
        other.pack = self.pack
        other.is_intset = self.is_intset
        if self.buckets is not None:
            other.buckets = self.buckets.copy()
        return other

    def has(self, member: bytes) -> bool:
        """Say whether `member` is there."""
        if self.buckets is not None:
            return self.buckets.has(member)
        if self.is_intset:
            value = parse_integer(member)
            return value is not None and intset.has(self.pack, value)
        return listpack.find(self.pack, member) >= 0

    def add(self, member: bytes, max_intset_entries: i64) -> bool:
        """Add `member` and say whether it is new; `max_intset_entries` is the setting of that name."""
        if self.buckets is not None:
            return self.buckets.put(member, None)
        if self.is_intset:
            value = parse_integer(member)
            if value is not None:
                return self._add_integer(value, max_intset_entries)
            self.leave_intset()
            return self.add(member, max_intset_entries)
        pack = self.pack
        entry = listpack.encoded(member)
        if listpack.find_encoded(pack, entry) >= 0:
            return False
        if listpack.count(pack) == _PACKED_MEMBERS or len(pack) + len(member) > _PACKED_BYTES:
            self._spread(listpack.texts(pack))
            return self.add(member, max_intset_entries)
        at = listpack.end(pack)
        self.pack = listpack.splice(pack, at, at, entry, 1)
        return True

    def remove(self, member: bytes) -> bool:
        """Remove `member` and say whether it was there."""
        if self.buckets is not None:
            return self.buckets.pop(member)
        pack = self.pack
        if self.is_intset:
            value = parse_integer(member)
            if value is not None:
                self.pack = intset.remove(pack, value)
            return self.pack is not pack
        at = listpack.find(pack, member)
        if at < 0:
            return False
        self.pack = listpack.splice(pack, at, listpack.after(pack, at), b"", -1)
        return True

    def members(self) -> list[bytes]:
        """Return all members; those of an intset in their order."""
        if self.buckets is not None:
            return self.buckets.keys()
        return intset.texts(self.pack) if self.is_intset else listpack.texts(self.pack)

    def random_member(self, random: Random) -> bytes:
        """Return one of the members, each with the same chance; the set is not empty."""
        if self.buckets is not None:
            return self.buckets.random_key(random)
        chosen: i64 = int(random.random() * len(self))
        if self.is_intset:
            return b"%d" % intset.at(self.pack, chosen)
        return listpack.text(self.pack, listpack.seek(self.pack, chosen))

    def random_members(self, count: int, random: Random) -> list[bytes]:
        """Return `count` different members, at most all of them, each choice with the same chance."""
        size = len(self)
        if count >= size:
            return self.members()
        if self.buckets is not None:
            return self.buckets.random_keys(count, random)
        if self.is_intset:
            return [b"%d" % intset.at(self.pack, index) for index in random.sample(range(size), count)]
        return random.sample(self.members(), count)

    def leave_intset(self) -> None:
        """Stop being an intset."""
        self.is_intset = False
        if self.pack is intset.EMPTY:
            self.pack = listpack.EMPTY
        elif intset.length(self.pack) <= _PACKED_MEMBERS:
            self.pack = listpack.build(intset.texts(self.pack))
        else:
            self._spread(intset.texts(self.pack))

    def _add_integer(self, value: i64, max_intset_entries: i64) -> bool:
        pack = intset.add(self.pack, value)
        if pack is self.pack:
            return False
        self.pack = pack
        if intset.length(pack) > min(max_intset_entries, _LARGEST_INTSET):
            self.leave_intset()
        return True

    def _spread(self, members: list[bytes]) -> None:
        """Become a table of these members."""
        buckets = Buckets()
        for member in members:
            buckets.put(member, None)
        self.buckets = buckets
        self.pack = listpack.EMPTY


def from_intset(pack: bytes, max_intset_entries: i64) -> Set:
    """Return the set whose intset, a valid one, was stored elsewhere. (Redis: rdbLoadObject, RDB_TYPE_SET_INTSET.)"""
    loaded = Set()
    loaded.pack = pack
    if intset.length(pack) > max_intset_entries:
        loaded.leave_intset()
    return loaded


def from_members(members: list[bytes], max_intset_entries: i64) -> Set:
    """Return a set of these members."""
    made = Set()
    if len(members) > min(max_intset_entries, _LARGEST_INTSET):
        made.leave_intset()
    for member in members:
        made.add(member, max_intset_entries)
    return made
