"""Patterns of SORT: what BY weighs an element by, and what GET returns for it.

The first `*` of a pattern stands for the element; the result names a string, or behind `->` a field of a hash. The
pattern `#` is the element itself, and one without `*` finds nothing. Words end at a NUL where Redis looks for a sign
in them as in C strings. (Redis: sort.c lookupKeyByPattern.)
"""

from typing import Final, final

from trivet_node.keyspace import Database
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_node.values.strings import string_bytes

_ARROW: Final = b"->"


@final
class Pattern:
    """One pattern, taken apart."""

    def __init__(self, text: bytes) -> None:
        word = text.partition(b"\0")[0]
        star = word.find(b"*")
        arrow = word.find(_ARROW, star + 1)
        # Nothing behind the arrow: the arrow belongs to the key.
        has_field = star >= 0 and arrow >= 0 and arrow + len(_ARROW) < len(word)
        self.is_element: bool = word == b"#"
        self.names_keys: bool = star >= 0
        self.before: bytes = text[:star] if star >= 0 else b""
        self.behind: bytes = text[star + 1 : arrow] if has_field else text[star + 1 :]
        self.field: bytes | None = text[arrow + len(_ARROW) :] if has_field else None

    def look_up(self, database: Database, element: bytes) -> bytes | None:
        """Return what the pattern finds for an element, or None."""
        if self.is_element:
            return element
        if not self.names_keys:
            return None
        value = database.read(self.before + element + self.behind)
        if self.field is None:
            return string_bytes(value)
        if isinstance(value, ExpiringHash):
            value = value.named([self.field], database.keyspace.hides_before_ms())
        return value.get(self.field) if isinstance(value, Hash) else None
