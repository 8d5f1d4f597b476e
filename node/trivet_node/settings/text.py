"""Settings as text: quotes, and numbers of bytes with units.

Text is str throughout; bytes that are not UTF-8 travel through it as surrogate escapes, so a password may be any bytes.
"""

import re
from typing import Final

from trivet_wire import quoting
from trivet_wire.requests import split_words

ULONG_MAX: Final = 2**64 - 1

# So many digits memtoull reads.
_MEMORY: Final = re.compile(r"([0-9]{0,127})([a-z]*)", re.IGNORECASE)
_UNITS: Final = {"": 1, "b": 1, "k": 1000, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}


def words_of(line: str) -> list[str] | None:
    """Return the words of a configuration line, quotes resolved; None where they do not balance."""
    words = split_words(to_bytes(line))
    return None if words is None else [to_text(word) for word in words]


def to_text(data: bytes) -> str:
    """Return bytes of a client or a file as the text that settings are made of."""
    return data.decode(errors="surrogateescape")


def to_bytes(text: str) -> bytes:
    """Return the bytes that `text` stands for; undoes to_text()."""
    return text.encode(errors="surrogateescape")


def quoted(text: str) -> str:
    """Return `text` as one quoted word of redis.conf."""
    return to_text(quoting.quoted(to_bytes(text)))


def parse_memory(text: str) -> int | None:
    """Return the bytes that `1024`, `1k` (1,000) or `1kb` (1,024) stand for, None for anything else.

    No digits are a zero, as C's strtoull has it. (Redis: memtoull.)
    """
    match = _MEMORY.fullmatch(text)
    if match is None or match[2].lower() not in _UNITS:
        return None
    # What does not fit is as much as possible.
    return min(int(match[1] or 0) * _UNITS[match[2].lower()], ULONG_MAX)


def memory_text(size: int) -> str:
    """Return a number of bytes as redis.conf would write it: `64mb` where that is exact."""
    for unit in ("gb", "mb", "kb"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)
