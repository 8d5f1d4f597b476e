"""Hashes some of whose fields have deadlines.

Such a hash is an ExpiringHash: a plain Hash of all its fields, and beside it the deadlines of those that have one. It
takes the place of the Hash under its key with the first deadline, and gives it back when the last one is gone. So a
hash without deadlines costs nothing, and commands that know of none work on the plain Hash inside.

A field is past its deadline when the clock is, as a key is; from then on nobody sees it:

- who reads gets the plain Hash where nothing he asks for is past its deadline, else a copy without what is;
- who writes first deletes those of his fields that are past their deadline (Database.expire_fields), which a primary
  reports, to be propagated as HDEL. Then the command means the same to primary and replica;
- active expiry deletes the rest, on a primary only. Until then HLEN counts them, and the key is there.

The link to our primary deletes and hides nothing: the primary decides. (Redis: t_hash.c "Hash Field Expiration".)
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from trivet_node.values.buckets import Buckets
from trivet_node.values.deadlines import Deadlines
from trivet_node.values.hashes import Hash

# No field gets a later deadline from a command. (Redis: HFE_MAX_ABS_TIME_MSEC.)
FIELD_DEADLINE_MAX_MS: Final = 2**46 - 1


@final
@mypyc_attr(acyclic=True)
class ExpiringHash:
    """A hash, and the deadlines of its fields in Unix milliseconds; only fields that are there have one."""

    def __init__(self, hashed: Hash) -> None:
        self.hash: Hash = hashed
        self.deadlines: Deadlines = Deadlines()

    def __len__(self) -> int:
        """Return the number of fields; those past their deadlines count."""
        return len(self.hash)

    def encoding(self) -> bytes:
        """Return what OBJECT ENCODING calls the form of the hash."""
        return b"listpackex" if self.hash.buckets is None else b"hashtable"

    def copy(self) -> "ExpiringHash":
        """Return a hash of its own with the same fields and deadlines."""
        other = ExpiringHash(self.hash.copy())
        other.deadlines = self.deadlines.copy()
        return other

    def is_past(self, field: bytes, now_ms: int) -> bool:
        """Say whether `field` has a deadline that lies before `now_ms`."""
        return 0 <= self.deadlines.get(field) < now_ms

    def past_among(self, fields: list[bytes], now_ms: int) -> list[bytes]:
        """Return those of `fields` whose deadline lies before `now_ms`, each once."""
        return list(dict.fromkeys([field for field in fields if self.is_past(field, now_ms)]))

    def live(self, now_ms: int) -> Hash:
        """Return a hash to read without the fields that are past their deadline."""
        past = self.deadlines.due(now_ms, len(self.deadlines))
        if not past:
            return self.hash
        found = self.hash.copy()
        for field in past:
            found.remove(field)
        return found

    def named(self, fields: list[bytes], now_ms: int) -> Hash:
        """Return a hash to read in which each of `fields` is as it is, or missing where it is past its deadline."""
        past = self.past_among(fields, now_ms)
        if not past:
            return self.hash
        found = Hash()
        found.buckets = Buckets()
        for field in set(fields).difference(past):
            value = self.hash.get(field)
            if value is not None:
                found.buckets.put(field, value)
        return found

    def remove(self, field: bytes) -> bool:
        """Remove `field` with its deadline and say whether it was there."""
        self.deadlines.drop(field)
        return self.hash.remove(field)
