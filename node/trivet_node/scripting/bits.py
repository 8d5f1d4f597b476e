"""The library `bit` of scripts: operations on 32 bits. (Redis: deps/lua/src/lua_bit.c, Lua BitOp 1.0.2.)"""

import struct
from collections.abc import Callable
from typing import Final

from trivet_node.scripting.values import number

_BITS: Final = 0xFFFFFFFF
_SIGN: Final = 0x80000000
# Added to a double, this leaves the last 32 bits of its nearest integer at the end of the mantissa.
_MAGIC: Final = 6755399441055744.0
_EXACT: Final = 2**51
_TO_BITS: Final = struct.Struct("<d")
_FROM_BITS: Final = struct.Struct("<Q")


def _bits(arguments: tuple[object, ...], index: int) -> int:
    value = number(arguments, index)
    if isinstance(value, int) and -_EXACT < value < _EXACT:
        return value & _BITS
    mantissa: int = _FROM_BITS.unpack(_TO_BITS.pack(value + _MAGIC))[0]
    return mantissa & _BITS


def _signed(bits: int) -> int:
    bits &= _BITS
    return bits - 2**32 if bits & _SIGN else bits


def _tobit(*arguments: object) -> int:
    return _signed(_bits(arguments, 0))


def _bnot(*arguments: object) -> int:
    return _signed(~_bits(arguments, 0))


def _band(*arguments: object) -> int:
    bits = _bits(arguments, 0)
    for index in range(1, len(arguments)):
        bits &= _bits(arguments, index)
    return _signed(bits)


def _bor(*arguments: object) -> int:
    bits = _bits(arguments, 0)
    for index in range(1, len(arguments)):
        bits |= _bits(arguments, index)
    return _signed(bits)


def _bxor(*arguments: object) -> int:
    bits = _bits(arguments, 0)
    for index in range(1, len(arguments)):
        bits ^= _bits(arguments, index)
    return _signed(bits)


def _lshift(*arguments: object) -> int:
    return _signed(_bits(arguments, 0) << (_bits(arguments, 1) & 31))


def _rshift(*arguments: object) -> int:
    return _signed(_bits(arguments, 0) >> (_bits(arguments, 1) & 31))


def _arshift(*arguments: object) -> int:
    return _signed(_signed(_bits(arguments, 0)) >> (_bits(arguments, 1) & 31))


def _rol(*arguments: object) -> int:
    bits = _bits(arguments, 0)
    count = _bits(arguments, 1) & 31
    return _signed(bits << count | bits >> (32 - count))


def _ror(*arguments: object) -> int:
    bits = _bits(arguments, 0)
    count = _bits(arguments, 1) & 31
    return _signed(bits >> count | bits << (32 - count))


def _bswap(*arguments: object) -> int:
    return _signed(int.from_bytes(_bits(arguments, 0).to_bytes(4, "little"), "big"))


def _tohex(*arguments: object) -> bytes:
    bits = _bits(arguments, 0)
    digits = _signed(_bits(arguments, 1)) if len(arguments) > 1 else 8
    text = b"%08x" % bits
    if digits < 0:
        text = text.upper()
    digits = min(abs(digits), 8)
    return text[8 - digits :]


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "bit.tobit": _tobit,
    "bit.bnot": _bnot,
    "bit.band": _band,
    "bit.bor": _bor,
    "bit.bxor": _bxor,
    "bit.lshift": _lshift,
    "bit.rshift": _rshift,
    "bit.arshift": _arshift,
    "bit.rol": _rol,
    "bit.ror": _ror,
    "bit.bswap": _bswap,
    "bit.tohex": _tohex,
}
