"""Double-precision numbers as Redis reads and prints them, which is C's way: strtod and `%.17g`.

    parse_double(text)     an argument that must be a number: no spaces, no NaN, nothing too large or too small
    parse_bound(text)      an end of a range of scores: what strtod makes of a C string
    score_entry(score)     a score as a listpack holds it: an integer where that says the same

(Redis: util.c string2d, double2ll; t_zset.c zslParseRange.)
"""

import re
from typing import Final

from mypy_extensions import i64

from trivet_node.values import listpack
from trivet_wire.replies import format_double

_DECIMAL: Final = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_HEXADECIMAL: Final = re.compile(rb"[+-]?0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?")
_INFINITY: Final = re.compile(rb"[+-]?inf(?:inity)?", re.IGNORECASE)
_SPACES: Final = b" \t\n\v\f\r"
_DIGITS_WITHOUT_ZERO: Final = re.compile(rb"[1-9a-fA-F]")
_INFINITE: Final = float("inf")
# As many decimal digits fit a double, and a C integer, exactly.
_EXACT_DIGITS: Final = 15
_MINUS: Final = 45
_ZERO: Final = 48
_NINE: Final = 57
# Redis keeps a score as an integer up to half of what 64 bits hold.
_LARGEST_INTEGER_SCORE: Final = 2.0**62


def parse_double(text: bytes) -> float | None:
    """Return the number that `text` spells, or None where Redis says that it is not a valid float."""
    length: i64 = len(text)
    if 0 < length <= _EXACT_DIGITS:
        first: i64 = text[0]
        start: i64 = 1 if first == _MINUS else 0
        number = _natural(text, start, length)
        if number > 0 or (number == 0 and start == 0):
            return float(number if start == 0 else -number)
    value = _parse(text)
    if value is None or (value == 0.0 and _is_not_zero(text)):
        return None
    if abs(value) == _INFINITE and _INFINITY.fullmatch(text) is None:
        return None
    return value


def parse_bound(text: bytes) -> float | None:
    """Return the end of a range of scores that `text` spells, or None where it spells none.

    Spaces may precede it, nothing at all is 0, a NUL ends it, and what is too large is infinite.
    """
    if 0 in text:
        text = text[: text.index(0)]
    return _parse(text.lstrip(_SPACES)) if text else 0.0


def score_entry(score: float) -> bytes:
    """Return a score as an encoded entry of a listpack."""
    if -_LARGEST_INTEGER_SCORE <= score <= _LARGEST_INTEGER_SCORE:
        number = int(score)
        if float(number) == score:
            return listpack.encoded_integer(number)
    return listpack.encoded(format_double(score))


def score_at(pack: bytes, at: i64) -> float:
    """Return the score that the entry of a listpack at `at` holds."""
    number = listpack.integer(pack, at)
    if number is not None:
        return float(number)
    return float(listpack.text(pack, at))


def _natural(text: bytes, start: i64, length: i64) -> i64:
    """Return the number that the digits from `start` on are, or -1 where there are others or none."""
    if start == length:
        return -1
    number: i64 = 0
    position = start
    while position < length:
        byte: i64 = text[position]
        if byte < _ZERO or byte > _NINE:
            return -1
        number = number * 10 + (byte - _ZERO)
        position += 1
    return number


def _parse(text: bytes) -> float | None:
    """Return the number that the whole of `text` is to strtod, or None; NaN counts as none."""
    if _DECIMAL.fullmatch(text) is not None:
        return float(text)
    if _INFINITY.fullmatch(text) is not None:
        return float(text)
    if _HEXADECIMAL.fullmatch(text) is None:
        return None
    try:
        return float.fromhex(text.decode("ascii"))
    except OverflowError:
        return -_INFINITE if text.startswith(b"-") else _INFINITE


def _is_not_zero(text: bytes) -> bool:
    """Say whether a number that was read as zero is another one, too small for a double."""
    found = _DECIMAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)
    return found is not None and _DIGITS_WITHOUT_ZERO.search(found.group(1)) is not None
