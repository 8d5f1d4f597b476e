"""Bits of strings, against the plain reading of their definition."""

import random
from collections.abc import Callable

import pytest

from trivet_node.values import bitmaps


def _bits(text: bytes | bytearray) -> list[int]:
    return [int(digit) for byte in text for digit in f"{byte:08b}"]


def _texts(seed: int) -> list[bytes | bytearray]:
    """Return strings about as long as the pieces that are worked on, and mostly of equal bytes."""
    choice = random.Random(seed)
    texts: list[bytes | bytearray] = [b"", b"\x00", b"\xff", bytes(40_000), bytearray(b"\xff" * 40_000)]
    for length in (1, 7, 24, 50, 16_383, 16_384, 16_385, 33_000):
        texts.append(choice.randbytes(length))
        text = bytearray(choice.choice((b"\x00", b"\xff")) * length)
        text[choice.randrange(length)] = choice.randrange(256)
        texts.append(text)
    return texts


def test_ranges_are_counted_and_searched_bit_by_bit() -> None:
    choice = random.Random(1)
    for text in _texts(2):
        bits = _bits(text)
        for _ in range(20):
            first, last = sorted(choice.randrange(max(1, len(bits))) for _ in range(2))
            if not bits:
                last = -1
            part = bits[first : last + 1]
            assert bitmaps.count_ones(text, first, last) == sum(part)
            for bit in (0, 1):
                expected = first + part.index(bit) if bit in part else -1
                assert bitmaps.find_bit(text, bit, first, last) == expected


@pytest.mark.parametrize(
    ("operation", "function"),
    [(bitmaps.AND, int.__and__), (bitmaps.OR, int.__or__), (bitmaps.XOR, int.__xor__)],
)
def test_strings_are_combined_as_if_zeros_followed(operation: int, function: Callable[[int, int], int]) -> None:
    choice = random.Random(3)
    texts = _texts(4)
    for _ in range(10):
        chosen = [choice.choice(texts) for _ in range(choice.choice((2, 3)))]
        length = max(len(text) for text in chosen)
        expected = int.from_bytes(chosen[0].ljust(length, b"\0"), "big")
        for text in chosen[1:]:
            expected = function(expected, int.from_bytes(text.ljust(length, b"\0"), "big"))
        assert bitmaps.combine(operation, chosen) == expected.to_bytes(length, "big")


def test_not_turns_every_bit() -> None:
    for text in _texts(5):
        assert _bits(bitmaps.combine(bitmaps.NOT, [text])) == [1 - bit for bit in _bits(text)]


def test_compiled_and_interpreted_ways_agree() -> None:
    piece = random.Random(6).randbytes(16_384)
    other = random.Random(7).randbytes(16_384)
    for size in (0, 32, 96, 4_096, 16_384):
        one, two = piece[:size], other[:size]
        assert bitmaps._ones_of_words(one) == bitmaps._ones_of_number(one)
        for operation in (bitmaps.AND, bitmaps.OR, bitmaps.XOR):
            assert bitmaps._combine_words(operation, one, two) == bitmaps._combine_numbers(operation, one, two)


def test_fields_lie_anywhere_and_leave_their_neighbors_alone() -> None:
    choice = random.Random(8)
    text = bytearray(choice.randbytes(40))
    for _ in range(500):
        bits = choice.randint(1, 64)
        offset = choice.randrange(len(text) * 8 - bits)
        before = _bits(text)
        value = choice.getrandbits(bits)
        bitmaps.write_field(text, offset, bits, value)
        after = _bits(text)
        assert after[offset : offset + bits] == [int(digit) for digit in f"{value:0{bits}b}"]
        assert (after[:offset], after[offset + bits :]) == (before[:offset], before[offset + bits :])
        assert bitmaps.read_field(text, offset, bits, False) == value
        signed = bitmaps.read_field(text, offset, bits, True)
        assert signed % 2**bits == value
        assert -(2 ** (bits - 1)) <= signed < 2 ** (bits - 1)
    assert bitmaps.read_field(b"\xff", 4, 8, False) == 0xF0
    assert bitmaps.read_field(b"", 1000, 64, True) == 0


@pytest.mark.parametrize(
    ("value", "signed", "wrapped", "saturated"),
    [
        (255, False, 255, 255),
        (256, False, 0, 255),
        (-1, False, 255, 0),
        (128, True, -128, 127),
        (-129, True, 127, -128),
    ],
)
def test_what_does_not_fit_wraps_saturates_or_fails(value: int, signed: bool, wrapped: int, saturated: int) -> None:
    assert bitmaps.fit(value, 8, signed, bitmaps.WRAP) == wrapped
    assert bitmaps.fit(value, 8, signed, bitmaps.SATURATE) == saturated
    assert bitmaps.fit(value, 8, signed, bitmaps.FAIL) == (value if value == wrapped else None)
