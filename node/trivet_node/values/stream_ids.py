"""IDs of stream entries: two unsigned 64-bit numbers, written `<milliseconds>-<sequence>` and ordered as a pair.

In memory an ID is one Python number, `milliseconds << 64 | sequence`, which is ordered likewise and whose 16 big-endian
bytes are the ID's form in files. Where many IDs of neighbours are computed the two halves are kept apart: each nearly
always fits a machine word, the whole never does.
(Redis: t_stream.c streamGenericParseIDOrReply, util.c string2ull.)
"""

from typing import Final

from trivet_node.values.strings import parse_integer

SEQUENCE_BITS: Final = 64
HALF_MAX: Final = 2**64 - 1
SMALLEST_ID: Final = 0
LARGEST_ID: Final = 2**128 - 1
ID_BYTES: Final = 16
# Numbers above this take more than a machine word when Python holds them.
_SHORT_MAX: Final = 2**62 - 1
_LONGEST_TEXT: Final = 127
_WHITESPACE: Final = b" \t\n\v\f\r"
_MINUS: Final = 45
_NUL: Final = 0


def make_id(milliseconds: int, sequence: int) -> int:
    """Return the ID with these two halves."""
    return milliseconds << SEQUENCE_BITS | sequence


def milliseconds_of(entry_id: int) -> int:
    """Return the first half of an ID."""
    return entry_id >> SEQUENCE_BITS


def sequence_of(entry_id: int) -> int:
    """Return the second half of an ID."""
    return entry_id & HALF_MAX


def halves_text(milliseconds: int, sequence: int) -> bytes:
    """Return an ID, given by its halves, as it is shown."""
    return b"%d-%d" % (milliseconds, sequence)


def id_text(entry_id: int) -> bytes:
    """Return an ID as it is shown."""
    return halves_text(milliseconds_of(entry_id), sequence_of(entry_id))


def id_bytes(entry_id: int) -> bytes:
    """Return the 16 bytes of an ID, most significant first."""
    return entry_id.to_bytes(ID_BYTES, "big")


def id_from_bytes(data: bytes) -> int:
    """Return the ID with these 16 bytes."""
    return int.from_bytes(data, "big")


def moved(half: int, change: int) -> int:
    """Return half of an ID plus a signed difference, computed modulo 2**64 as in C."""
    value = half + change
    if value < 0:
        return value + HALF_MAX + 1
    return value & HALF_MAX if value > _SHORT_MAX else value


def difference(half: int, base: int) -> int:
    """Return what moved() must add to `base` to come to `half`: a signed 64-bit number."""
    return signed(half - base)


def signed(value: int) -> int:
    """Return a number as C shows it that counts it in 64 bits: beyond the largest comes the smallest."""
    if -_SHORT_MAX <= value <= _SHORT_MAX:
        return value
    value &= HALF_MAX
    return value - HALF_MAX - 1 if value > HALF_MAX >> 1 else value


def parse_id(text: bytes, missing_sequence: int) -> int | None:
    """Return the ID that `text` spells, or None; without a sequence it gets `missing_sequence`.

    As in Redis the text is a C string of at most 127 bytes, which ends at a NUL.
    """
    text = _c_string(text)
    if len(text) > _LONGEST_TEXT:
        return None
    at = text.find(b"-")
    milliseconds = parse_half(text if at < 0 else text[:at])
    sequence = missing_sequence if at < 0 else parse_half(text[at + 1 :])
    if milliseconds < 0 or sequence < 0:
        return None
    return make_id(milliseconds, sequence)


def parse_half(text: bytes) -> int:
    """Return the unsigned 64-bit number that `text` spells, or -1.

    What is not in canonical form is read as C's strtoull() does it: white space and a sign may stand before the digits,
    and a minus sign counts down from 2**64.
    """
    value = parse_integer(text)
    if value is not None:
        return value if value >= 0 else -1
    digits = text.lstrip(_WHITESPACE)
    is_negative = digits.startswith(b"-")
    if digits[:1] in (b"-", b"+"):
        digits = digits[1:]
    if not digits.isdigit():
        return -1
    value = int(digits)
    if value > HALF_MAX:
        return -1
    return (-value) & HALF_MAX if is_negative else value


def _c_string(text: bytes) -> bytes:
    if _NUL in text and len(text) <= _LONGEST_TEXT:
        return text[: text.index(_NUL)]
    return text
