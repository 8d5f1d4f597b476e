"""The 80-bit floating-point numbers of x86 (C's long double there) that INCRBYFLOAT calculates with.

A number is `mantissa * 2 ** exponent`, exact, with a mantissa of 64 bits; after every step it is rounded to the nearest
such number, ties to even. So results and their digits are those of redis-server on x86, on any machine.
(Redis: t_string.c incrbyfloatCommand, util.c string2ld and ld2string; C: strtold, printf("%.17Lf").)
"""

import math
import re
from typing import Final, final

_MANTISSA_BITS: Final = 64
# The exponent of the lowest bit: of the largest finite numbers, and of the numbers next to zero.
_LARGEST_EXPONENT: Final = 16383 - 63
_SMALLEST_EXPONENT: Final = -16382 - 63
# The longest text that Redis reads as a number.
_LONGEST_TEXT: Final = 5 * 1024 - 1
# No text of that length and a decimal exponent beyond this is within reach of finite numbers, except zero.
_HOPELESS_EXPONENT: Final = 5 * 1024 + 5000
_DECIMAL: Final = re.compile(rb"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?")
_HEXADECIMAL: Final = re.compile(rb"([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?")
_INFINITY: Final = re.compile(rb"[+-]?inf(?:inity)?", re.IGNORECASE)
_FRACTION_DIGITS: Final = 17


@final
class LongDouble:
    """A number `mantissa * 2 ** exponent`, or, where `infinite`, an infinity with the sign of `mantissa`."""

    def __init__(self, mantissa: int, exponent: int, infinite: bool = False) -> None:
        self.mantissa: int = mantissa
        self.exponent: int = exponent
        self.infinite: bool = infinite


def from_integer(value: int) -> LongDouble:
    """Return a signed 64-bit integer, which a long double holds exactly."""
    return LongDouble(value, 0)


def parse(text: bytes) -> LongDouble | None:
    """Return the number that `text` spells as strtold reads it, or None where Redis refuses it.

    Refused are spaces, NaN, and what is too large or, without being zero, too small for a long double.
    """
    if not text or len(text) > _LONGEST_TEXT:
        return None
    found = _DECIMAL.fullmatch(text)
    if found is not None:
        return _from_digits(found, 10)
    found = _HEXADECIMAL.fullmatch(text)
    if found is not None:
        return _from_digits(found, 16)
    if _INFINITY.fullmatch(text) is not None:
        return LongDouble(-1 if text.startswith(b"-") else 1, 0, True)
    return None


def add(one: LongDouble, other: LongDouble) -> LongDouble | None:
    """Return the sum, rounded, or None where it is infinite or not a number."""
    if one.infinite or other.infinite:
        return None
    exponent = min(one.exponent, other.exponent)
    total = (one.mantissa << (one.exponent - exponent)) + (other.mantissa << (other.exponent - exponent))
    result = _rounded(total, 1, exponent)
    return None if result.infinite else result


def to_float(number: LongDouble) -> float:
    """Return a finite number as the nearest double; one beyond all doubles as an infinity."""
    try:
        return math.ldexp(float(number.mantissa), number.exponent)
    except OverflowError:
        return math.copysign(math.inf, number.mantissa)


def format_fixed(number: LongDouble) -> bytes:
    """Return a finite number as `%.17Lf` without trailing zeros. (Redis: ld2string, LD_STR_HUMAN.)"""
    scaled = abs(number.mantissa) * 10**_FRACTION_DIGITS
    units = scaled << number.exponent if number.exponent >= 0 else _divide_to_even(scaled, 1 << -number.exponent)
    whole, fraction = divmod(units, 10**_FRACTION_DIGITS)
    text = _decimal_digits(whole)
    if fraction != 0:
        text += b"." + (b"%017d" % fraction).rstrip(b"0")
    return b"-" + text if number.mantissa < 0 and units != 0 else text


def _from_digits(found: re.Match[bytes], base: int) -> LongDouble | None:
    sign, whole, fraction, exponent_text = found.groups()
    digits = whole + (fraction or b"")
    if not digits:
        return None
    mantissa = _parse_digits(digits, base)
    if mantissa == 0:
        return LongDouble(0, 0)
    exponent = int(exponent_text) if exponent_text and len(exponent_text) < 19 else _huge(exponent_text)
    if sign == b"-":
        mantissa = -mantissa
    fraction_length = len(fraction or b"")
    result = (
        _scaled_by_ten(mantissa, exponent - fraction_length)
        if base == 10
        else _scaled_by_two(mantissa, exponent - 4 * fraction_length)
    )
    return None if result.infinite or result.mantissa == 0 else result


def _huge(exponent_text: bytes | None) -> int:
    """Return the exponent that an absent text or one with too many digits stands for."""
    if not exponent_text:
        return 0
    digits = exponent_text.lstrip(b"+-").lstrip(b"0")
    value = int(digits or b"0") if len(digits) < 19 else 10**18
    return -value if exponent_text.startswith(b"-") else value


def _scaled_by_ten(mantissa: int, exponent: int) -> LongDouble:
    if exponent > _HOPELESS_EXPONENT:
        return LongDouble(mantissa, 0, True)
    if exponent < -2 * _HOPELESS_EXPONENT:
        return LongDouble(0, 0)
    if exponent >= 0:
        return _rounded(mantissa * 10**exponent, 1, 0)
    return _rounded(mantissa, 10**-exponent, 0)


def _scaled_by_two(mantissa: int, exponent: int) -> LongDouble:
    bits = mantissa.bit_length()
    if exponent + bits > _LARGEST_EXPONENT + _MANTISSA_BITS + 1:
        return LongDouble(mantissa, 0, True)
    if exponent + bits < _SMALLEST_EXPONENT - 1:
        return LongDouble(0, 0)
    return _rounded(mantissa, 1, exponent)


def _rounded(numerator: int, denominator: int, exponent: int) -> LongDouble:
    """Return numerator / denominator * 2 ** exponent as the nearest long double."""
    if numerator == 0:
        return LongDouble(0, 0)
    # Scaled so that the quotient has 64 or 65 bits; then once more where it has 65.
    shift = _MANTISSA_BITS - (numerator.bit_length() - denominator.bit_length())
    shift = min(shift, exponent - _SMALLEST_EXPONENT)
    mantissa = _shifted_quotient(numerator, denominator, shift)
    if mantissa.bit_length() > _MANTISSA_BITS:
        longer = _quotient_bits(numerator, denominator, shift)
        if longer > _MANTISSA_BITS:
            shift -= longer - _MANTISSA_BITS
            mantissa = _shifted_quotient(numerator, denominator, shift)
    if exponent - shift + mantissa.bit_length() > _LARGEST_EXPONENT + _MANTISSA_BITS:
        return LongDouble(mantissa, 0, True)
    return LongDouble(mantissa, exponent - shift)


def _quotient_bits(numerator: int, denominator: int, shift: int) -> int:
    """Return the number of bits of the whole part of the quotient, scaled by 2 ** shift."""
    if shift >= 0:
        return ((abs(numerator) << shift) // denominator).bit_length()
    return (abs(numerator) // (denominator << -shift)).bit_length()


def _shifted_quotient(numerator: int, denominator: int, shift: int) -> int:
    """Return numerator * 2 ** shift / denominator, rounded to the nearest integer, ties to even."""
    if shift >= 0:
        return _divide_to_even(numerator << shift, denominator)
    return _divide_to_even(numerator, denominator << -shift)


def _divide_to_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient & 1 == 1):
        quotient += 1
    return quotient


def _parse_digits(digits: bytes, base: int) -> int:
    """Return the natural number; Python's own limit on the digits of a decimal number is below Redis'."""
    if base == 16:
        return int(digits, 16)
    value = 0
    for start in range(0, len(digits), 4000):
        part = digits[start : start + 4000]
        value = value * 10 ** len(part) + int(part)
    return value


def _decimal_digits(value: int) -> bytes:
    """Return the decimal digits of a natural number of any length."""
    parts: list[bytes] = []
    step = 10**4000
    while value >= step:
        value, rest = divmod(value, step)
        parts.append(b"%04000d" % rest)
    parts.append(b"%d" % value)
    return b"".join(reversed(parts))
