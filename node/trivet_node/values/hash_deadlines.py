"""Hashes some of whose fields have deadlines.

Such a hash is an ExpiringHash: a plain Hash of all its fields, and beside it the deadlines of those that have one. It
takes the place of the Hash under its key with the first deadline, and gives it back when the last one is gone. So a
hash without deadlines costs nothing, and commands that know of none work on the plain Hash inside.

A field is past its deadline when the clock is, as a key is; from then on nobody sees it:

- who reads named fields gets the plain Hash where none of them is past its deadline, else one of those that are not;
- who reads all of them gets the plain Hash, and which of its fields to leave out; who draws some draws again;
- who writes first deletes those of his fields that are past their deadline (Database.expire_fields), which a primary
  reports, to be propagated as HDEL. Then the command means the same to primary and replica;
- active expiry deletes the rest, on a primary only. Until then HLEN counts them, and the key is there.

The link to our primary deletes and hides nothing: the primary decides. (Redis: t_hash.c "Hash Field Expiration".)
"""

from random import Random
from typing import Final, final

from mypy_extensions import mypyc_attr

from trivet_node.values.buckets import Buckets
from trivet_node.values.deadlines import Deadlines
from trivet_node.values.hashes import NO_FIELDS, Hash

# No field gets a later deadline from a command. (Redis: HFE_MAX_ABS_TIME_MSEC.)
FIELD_DEADLINE_MAX_MS: Final = 2**46 - 1
# So many draws may be in vain, and as many as succeed; then the fields that may be drawn are listed.
_MISSES_MAX: Final = 50
# More than this part of all fields is drawn from a list at once.
_LARGE_PART: Final = 3


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

    def hidden(self, now_ms: int) -> frozenset[bytes]:
        """Return the fields that are past their deadline."""
        if self.deadlines.first_ms() >= now_ms:
            return NO_FIELDS
        return frozenset(self.deadlines.due(now_ms, len(self.deadlines)))

    def is_hidden(self, now_ms: int) -> bool:
        """Say whether every field is past its deadline."""
        return len(self.deadlines) == len(self.hash) and self.deadlines.last_ms() < now_ms

    def draws(self, count: int, now_ms: int, random: Random) -> list[bytes]:
        """Return `count` fields, each drawn from all that are not past their deadline; there is one at least."""
        if self.deadlines.first_ms() >= now_ms:
            return self.hash.draws(count, random)
        drawn = self._draw_singly(count, now_ms, random, None)
        if len(drawn) < count:
            drawn += random.choices(self.hash.fields(self.hidden(now_ms)), k=count - len(drawn))
        return drawn

    def random_fields(self, count: int, now_ms: int, random: Random) -> list[bytes]:
        """Return `count` different fields that are not past their deadline, at most all of them, each choice with the
        same chance.
        """
        if self.deadlines.first_ms() >= now_ms:
            return self.hash.random_fields(count, random)
        if count * _LARGE_PART <= len(self.hash):
            drawn = self._draw_singly(count, now_ms, random, set())
            if len(drawn) == count:
                return drawn
        fields = self.hash.fields(self.hidden(now_ms))
        return fields if count >= len(fields) else random.sample(fields, count)

    def _draw_singly(self, count: int, now_ms: int, random: Random, drawn_before: set[bytes] | None) -> list[bytes]:
        """Draw from all fields, and again where a field is past its deadline or in `drawn_before`, which grows.

        Fewer than `count` are returned where too many draws are in vain, none of a packed hash: to find the place of
        one field there is to look at all. Whether it comes to that does not depend on which fields were drawn, so
        those that were are as good as any.
        """
        drawn: list[bytes] = []
        if self.hash.buckets is None:
            return drawn
        misses = 0
        while len(drawn) < count and misses <= _MISSES_MAX + len(drawn):
            field = self.hash.random_field(random)
            if self.is_past(field, now_ms) or (drawn_before is not None and field in drawn_before):
                misses += 1
                continue
            drawn.append(field)
            if drawn_before is not None:
                drawn_before.add(field)
        return drawn

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
