"""What functions of Python read out of the values that Lua hands them, as the C libraries of Lua do it.

Strings come as bytes, numbers as int where they are whole and as float where not, anything else as an object that is
never used. A string that spells a number is one. (Lua 5.1: lauxlib.c, lobject.c luaO_str2d.)
"""

import math
from typing import Final

from lupa.lua51 import lua_type

from trivet_node.scripting.faults import argument_error

# What a function gives that gives nothing: None would be a nil.
NOTHING: Final[tuple[object, ...]] = ()

_SPACES: Final = b" \t\n\v\f\r"
# The class of lupa, which it does not export, for a coroutine that has not begun; it says that this is a function.
_UNBEGUN: Final = "_LuaCoroutineFunction"
_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1
_EXACT: Final = 10**17


def type_name(value: object) -> bytes:
    """Return what Lua calls the type of a value."""
    if value is None:
        return b"nil"
    if isinstance(value, bool):
        return b"boolean"
    if isinstance(value, (int, float)):
        return b"number"
    if isinstance(value, bytes):
        return b"string"
    if type(value).__name__ == _UNBEGUN:
        return b"thread"
    name = lua_type(value)
    return b"function" if name is None else str(name).encode()


def number_or_none(value: object) -> float | int | None:
    """Return the number that a value is or spells, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    return parse_number(value) if isinstance(value, bytes) else None


def parse_number(text: bytes) -> float | None:
    """Return the number that `text` spells, with spaces around it, in tens or hexadecimal; None where it is none."""
    text = text.strip(_SPACES)
    if b"_" in text or not text.isascii():
        return None
    try:
        if b"x" in text or b"X" in text:
            return float.fromhex(text.decode())
        return float(text)
    except (ValueError, OverflowError):
        return None


def number(arguments: tuple[object, ...], index: int) -> float | int:
    """Return the number at `index`. Raises ScriptError. (luaL_checknumber)"""
    value = arguments[index] if index < len(arguments) else None
    found = number_or_none(value)
    if found is None:
        raise argument_error(index + 1, b"number expected, got " + _given(arguments, index))
    return found


def integer(arguments: tuple[object, ...], index: int) -> int:
    """Return the number at `index` without its fraction, as 64 bits. Raises ScriptError. (luaL_checkinteger)"""
    return truncate(number(arguments, index))


def optional_integer(arguments: tuple[object, ...], index: int, default: int) -> int:
    """Return what integer() does, or `default` where there is nothing. (luaL_optinteger)"""
    if index >= len(arguments) or arguments[index] is None:
        return default
    return integer(arguments, index)


def small_integer(arguments: tuple[object, ...], index: int) -> int:
    """Return the last 32 bits of integer(), signed. Raises ScriptError. (luaL_checkint)"""
    return low_bits(integer(arguments, index))


def low_bits(value: int) -> int:
    """Return the last 32 bits of a number, signed: what C makes an int of."""
    value &= 0xFFFFFFFF
    return value - 2**32 if value >= 2**31 else value


def text(arguments: tuple[object, ...], index: int) -> bytes:
    """Return the string at `index`; a number is one, too. Raises ScriptError. (luaL_checklstring)"""
    value = arguments[index] if index < len(arguments) else None
    found = text_or_none(value)
    if found is None:
        raise argument_error(index + 1, b"string expected, got " + _given(arguments, index))
    return found


def text_or_none(value: object) -> bytes | None:
    """Return the string that a value is, or is printed as by Lua; None for what is neither string nor number."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return b"%.14g" % value


def truncate(value: float | int) -> int:
    """Return a number as a signed 64-bit integer, as C converts it: what does not fit becomes the lowest."""
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return _INT64_MIN
        value = int(value)
    return value if _INT64_MIN <= value <= _INT64_MAX else _INT64_MIN


def command_argument(value: object) -> bytes | None:
    """Return a value as the argument of a command, or None where it can be none. (Redis: luaArgsToRedisArgv)"""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return b"%d" % value if -_EXACT < value < _EXACT else b"%.17g" % value
    if isinstance(value, float):
        # What C prints for the NaN that arithmetic makes.
        return b"-nan" if math.isnan(value) else b"%.17g" % value
    return None


def _given(arguments: tuple[object, ...], index: int) -> bytes:
    return type_name(arguments[index]) if index < len(arguments) else b"no value"
