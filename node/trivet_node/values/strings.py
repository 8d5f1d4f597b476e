"""String values: which of the three forms a string takes in memory, and back.

`int` for canonical decimal numbers of 64 bits (Redis' int encoding), `bytes` for all others, `bytearray` for strings
that were changed in place (Redis' raw encoding whatever the length).
"""

from typing import Final

from mypy_extensions import i64

_LONGEST_INTEGER: Final = 20
_SHORT_INTEGER: Final = 18
# The longest string that Redis stores in one allocation with its header (OBJ_ENCODING_EMBSTR_SIZE_LIMIT).
_EMBEDDED_MAX_BYTES: Final = 44
_MINUS: Final = 45
_ZERO: Final = 48
_NINE: Final = 57
_INTEGER_MAX: Final = 2**63 - 1
_INTEGER_MIN: Final = -(2**63)


def parse_integer(text: bytes) -> int | None:
    """Return the signed 64-bit number that `text` is the canonical decimal form of, or None.

    Canonical means no spaces, no plus sign, no leading zeros and no -0. (Redis: string2ll.)
    """
    length: i64 = len(text)
    if length == 0 or length > _LONGEST_INTEGER:
        return None
    first: i64 = text[0]
    start: i64 = 1 if first == _MINUS else 0
    if start == length:
        return None
    leading: i64 = text[start]
    if leading == _ZERO:
        return 0 if length == 1 else None
    # What 18 digits spell fits into 64 bits; more are left to Python.
    number: i64 = 0
    position = start
    while position < length:
        byte: i64 = text[position]
        if byte < _ZERO or byte > _NINE:
            return None
        if position < _SHORT_INTEGER:
            number = number * 10 + (byte - _ZERO)
        position += 1
    if length <= _SHORT_INTEGER:
        return number if start == 0 else -number
    value = int(text)
    return value if _INTEGER_MIN <= value <= _INTEGER_MAX else None


def encode_string(text: bytes) -> object:
    """Return the form in which a string is stored: an int where that says the same, else the bytes themselves."""
    if len(text) <= _LONGEST_INTEGER:
        value = parse_integer(text)
        if value is not None:
            return value
    return text


def string_bytes(value: object) -> bytes | None:
    """Return the bytes of a string value, or None where `value` is of another type."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, bytearray):
        return bytes(value)
    return None


def string_text(value: object) -> bytes | bytearray | None:
    """Return the text of a string value as it is stored, uncopied, to be read only; None where it is no string."""
    if isinstance(value, bytearray):
        return value
    return string_bytes(value)


def string_length(value: object) -> int:
    """Return how many bytes a string value has, or -1 where `value` is of another type."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, int):
        return len(b"%d" % value)
    if isinstance(value, bytearray):
        return len(value)
    return -1


def string_integer(value: object) -> int | None:
    """Return the signed 64-bit number that a string value spells canonically, or None."""
    if isinstance(value, int):
        return value
    text = string_bytes(value)
    return None if text is None else parse_integer(text)


def mutable_string(value: object) -> bytearray:
    """Return a string value in the form that can be changed in place; a bytearray is returned itself."""
    if isinstance(value, bytearray):
        return value
    text = string_bytes(value)
    assert text is not None
    return bytearray(text)


def string_encoding(value: object) -> bytes | None:
    """Return what OBJECT ENCODING calls the form of a string value, or None where `value` is of another type."""
    if isinstance(value, int):
        return b"int"
    if isinstance(value, bytes):
        return b"embstr" if len(value) <= _EMBEDDED_MAX_BYTES else b"raw"
    return b"raw" if isinstance(value, bytearray) else None
