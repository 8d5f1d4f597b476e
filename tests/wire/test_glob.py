"""Glob patterns against a reference that follows Redis' own recursive matcher step by step."""

import random
import time

import pytest

from trivet_wire.glob import glob_match


def reference(pattern: bytes, text: bytes) -> bool:
    """Redis' stringmatchlen_impl without its shortcut for several stars."""
    while pattern and text:
        if pattern[:1] == b"*":
            rest = pattern.lstrip(b"*")
            return not rest or any(reference(rest, text[start:]) for start in range(len(text)))
        length, matches = element(pattern, text[0])
        if not matches:
            return False
        pattern = pattern[length:]
        text = text[1:]
        if not text:
            pattern = pattern.lstrip(b"*")
            break
    return not pattern and not text


def element(pattern: bytes, byte: int) -> tuple[int, bool]:
    """Return the length of the first element, which is no star, and whether it matches the byte."""
    if pattern[:1] == b"?":
        return 1, True
    if pattern[:1] == b"[":
        return set_element(pattern, byte)
    if pattern[:1] == b"\\" and len(pattern) >= 2:
        return 2, pattern[1] == byte
    return 1, pattern[0] == byte


def set_element(pattern: bytes, byte: int) -> tuple[int, bool]:
    negated = pattern[1:2] == b"^"
    position = 2 if negated else 1
    found = False
    while position < len(pattern) and pattern[position : position + 1] != b"]":
        left = len(pattern) - position
        if pattern[position : position + 1] == b"\\" and left >= 2:
            position += 1
            found |= pattern[position] == byte
        elif left >= 3 and pattern[position + 1 : position + 2] == b"-":
            bounds = sorted((signed(pattern[position]), signed(pattern[position + 2])))
            found |= bounds[0] <= signed(byte) <= bounds[1]
            position += 2
        else:
            found |= pattern[position] == byte
        position += 1
    return min(position + 1, len(pattern)), found != negated


def signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte


CASES = [
    (b"*", b"", False),
    (b"", b"", True),
    (b"", b"a", False),
    (b"**", b"a", True),
    (b"h?llo", b"hello", True),
    (b"h?llo", b"hllo", False),
    (b"h*llo", b"heeeello", True),
    (b"h*llo", b"hllo", True),
    (b"h[ae]llo", b"hallo", True),
    (b"h[^e]llo", b"hello", False),
    (b"h[b-a]llo", b"hallo", True),
    (b"a\\*b", b"a*b", True),
    (b"a\\*b", b"axb", False),
    (b"a\\", b"a\\", True),
    (b"a.c", b"abc", False),
    (b"[]x", b"x", False),
    (b"[a", b"a", True),
    (b"[^", b"a", True),
    (b"[", b"a", False),
    (b"[]a]", b"a]", False),
    (b"[\\]a]", b"]", True),
    (b"[a-]", b"-", False),
    (b"[a-]", b"_", True),
    (b"[a-\xff]", b"A", True),
    (b"[a-\xff]", b"z", False),
    (b"a*", b"a", True),
    (b"*a*b*", b"xxaxxbxx", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), CASES)
def test_known_cases(pattern: bytes, text: bytes, matches: bool) -> None:
    assert glob_match(pattern, text) is matches
    assert reference(pattern, text) is matches


def test_random_patterns_match_what_the_reference_matches() -> None:
    choice = random.Random(3)
    matched = 0
    for _ in range(60_000):
        pattern = bytes(choice.choice(b"**??[]^-\\abc\xf0") for _ in range(choice.randrange(9)))
        text = bytes(choice.choice(b"abc-]^\xf0\\") for _ in range(choice.randrange(7)))
        expected = reference(pattern, text)
        matched += expected
        assert glob_match(pattern, text) is expected, (pattern, text)
    assert matched > 3000


def test_many_stars_take_no_exponential_time() -> None:
    started = time.monotonic()
    assert not glob_match(b"a*" * 30 + b"b", b"a" * 3000)
    assert time.monotonic() - started < 30
