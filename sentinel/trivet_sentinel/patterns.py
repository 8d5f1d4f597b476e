"""Redis' glob patterns: `*`, `?`, `[a-z]`, `[^a]` and backslash, over bytes (the grammar of KEYS and PSUBSCRIBE)."""

import functools
import re


def matches(pattern: bytes, subject: bytes) -> bool:
    """Return whether the whole of `subject` fits `pattern`."""
    return _compiled(pattern).fullmatch(subject) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    parts = []
    position = 0
    while position < len(pattern):
        part, position = _translate_one(pattern, position)
        parts.append(part)
    return re.compile(b"".join(parts), re.DOTALL)


def _translate_one(pattern: bytes, position: int) -> tuple[bytes, int]:
    """Return the regular expression for what stands at `position`, and where the next part stands."""
    byte = pattern[position : position + 1]
    if byte == b"*":
        return b".*", position + 1
    if byte == b"?":
        return b".", position + 1
    if byte == b"[":
        return _translate_class(pattern, position + 1)
    if byte == b"\\" and position + 1 < len(pattern):
        return re.escape(pattern[position + 1 : position + 2]), position + 2
    return re.escape(byte), position + 1


def _translate_class(pattern: bytes, position: int) -> tuple[bytes, int]:
    """Return the regular expression for a character class; without a `]` it reaches to the pattern's end."""
    negated = pattern[position : position + 1] == b"^"
    position += 1 if negated else 0
    members = set()
    while position < len(pattern) and pattern[position : position + 1] != b"]":
        if pattern[position : position + 1] == b"\\" and position + 1 < len(pattern):
            position += 1
            members.add(pattern[position])
        elif pattern[position + 1 : position + 2] == b"-" and position + 2 < len(pattern):
            low, high = sorted((pattern[position], pattern[position + 2]))
            members.update(range(low, high + 1))
            position += 2
        else:
            members.add(pattern[position])
        position += 1
    chosen = set(range(256)) - members if negated else members
    escaped = b"".join(b"\\x%02x" % member for member in sorted(chosen))
    return (b"[" + escaped + b"]" if chosen else b"(?!)"), position + 1
