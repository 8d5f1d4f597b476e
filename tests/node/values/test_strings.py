"""Numbers that strings spell."""

import pytest

from trivet_node.values.strings import parse_integer


@pytest.mark.parametrize("digits", [1, 2, 17, 18, 19])
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_of_any_length_are_read(digits: int, sign: int) -> None:
    for number in (10 ** (digits - 1), 10**digits - 1, int("123456789012345678901"[:digits])):
        value = sign * number
        assert parse_integer(b"%d" % value) == (value if -(2**63) <= value < 2**63 else None)


def test_the_ends_of_64_bits() -> None:
    assert parse_integer(b"9223372036854775807") == 2**63 - 1
    assert parse_integer(b"-9223372036854775808") == -(2**63)
    for text in (b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616", b"1" * 21):
        assert parse_integer(text) is None


@pytest.mark.parametrize(
    "text", [b"", b"-", b"+1", b"01", b"-0", b"-01", b"00", b" 1", b"1 ", b"1.0", b"0x1", b"12345678901234567x", b"1\0"]
)
def test_what_is_not_canonical_is_no_number(text: bytes) -> None:
    assert parse_integer(text) is None
