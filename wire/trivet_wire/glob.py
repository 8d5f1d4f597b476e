"""Glob patterns as KEYS, SCAN and PSUBSCRIBE use them. (Redis: KEYS, util.c stringmatchlen.)

`*` any bytes, `?` one byte, `[abc]`, `[^abc]`, `[a-z]` one byte of a set, `\\x` the byte x itself. A set that is not
closed ends with the pattern, and a range may be written backwards. An empty text matches the empty pattern alone.
"""

from typing import Final

from mypy_extensions import i64

_STAR: Final = 42
_QUESTION: Final = 63
_OPEN: Final = 91
_BACKSLASH: Final = 92
_CLOSE: Final = 93
_CARET: Final = 94
_DASH: Final = 45


def glob_match(pattern: bytes, text: bytes) -> bool:
    """Say whether the whole of `text` matches `pattern`.

    Only the last `*` passed is ever tried again, so the cost is at most the product of the lengths.
    """
    pattern_end: i64 = len(pattern)
    text_end: i64 = len(text)
    if text_end == 0:
        # Redis never asks a star about an empty text: KEYS and SCAN know the pattern * themselves.
        return pattern_end == 0
    at: i64 = 0
    position: i64 = 0
    star: i64 = -1
    star_position: i64 = 0
    while position < text_end or at < pattern_end:
        if at < pattern_end and pattern[at] == _STAR:
            star = at
            star_position = position
            at += 1
            continue
        if at < pattern_end and position < text_end and _matches_one(pattern, at, text[position]):
            at = _after_one(pattern, at)
            position += 1
            continue
        if star < 0 or star_position >= text_end:
            return False
        star_position += 1
        at = star + 1
        position = star_position
    return True


def _matches_one(pattern: bytes, at: i64, byte: i64) -> bool:
    """Say whether the pattern's element at `at` (no star) matches one byte."""
    head: i64 = pattern[at]
    if head == _QUESTION:
        return True
    if head == _OPEN:
        return _in_set(pattern, at, byte)
    if head == _BACKSLASH and at + 1 < len(pattern):
        return byte == pattern[at + 1]
    return byte == head


def _after_one(pattern: bytes, at: i64) -> i64:
    """Return where the element at `at` ends."""
    head: i64 = pattern[at]
    if head == _OPEN:
        return _set_end(pattern, at)
    if head == _BACKSLASH and at + 1 < len(pattern):
        return at + 2
    return at + 1


def _set_end(pattern: bytes, at: i64) -> i64:
    end: i64 = len(pattern)
    at += 1
    if at < end and pattern[at] == _CARET:
        at += 1
    while at < end and pattern[at] != _CLOSE:
        at += _set_item_length(pattern, at)
    return at + 1 if at < end else end


def _set_item_length(pattern: bytes, at: i64) -> i64:
    left: i64 = len(pattern) - at
    if pattern[at] == _BACKSLASH and left >= 2:
        return 2
    if left >= 3 and pattern[at + 1] == _DASH:
        return 3
    return 1


def _in_set(pattern: bytes, at: i64, byte: i64) -> bool:
    end: i64 = len(pattern)
    at += 1
    negated = at < end and pattern[at] == _CARET
    if negated:
        at += 1
    found = False
    while at < end and pattern[at] != _CLOSE:
        length = _set_item_length(pattern, at)
        if length == 3:
            first = _signed(pattern[at])
            last = _signed(pattern[at + 2])
            found = found or first <= _signed(byte) <= last or last <= _signed(byte) <= first
        elif byte == pattern[at + length - 1]:
            found = True
        at += length
    return found != negated


def _signed(byte: i64) -> i64:
    """Return a byte as C's char on x86: the upper half of all bytes comes before the lower."""
    return byte - 256 if byte >= 128 else byte
