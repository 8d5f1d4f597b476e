"""The libraries `cjson` and `cmsgpack` of scripts: arguments and settings. cjson.lua and cmsgpack.lua do the work.

To read text a script calls a C function, which is Python, which calls Lua: only so an error is raised where the C
libraries raise it, at the level of the function that the script has called. What writes text is Lua alone.
(Redis: lua_cjson.c, lua_cmsgpack.c.)
"""

import re
import struct
from collections.abc import Callable
from typing import Any, Final, final

from trivet_node.scripting.faults import PLAIN, ScriptError, argument_error
from trivet_node.scripting.values import integer, low_bits, optional_integer, parse_number, text

_INT_MAX: Final = 2**31 - 1
_DEPTH: Final = 1000
_PRECISION_MAX: Final = 14
# So many values pass through Lua's unpack(), two fewer than the C library returns.
_RESULTS_MAX: Final = 7997
_TOO_MANY_RESULTS: Final = b"stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)"
_NUMBER: Final = re.compile(
    rb"[+-]?(?:0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?"
    rb"|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|infinity|inf|nan(?:\([0-9A-Za-z_]*\))?)",
    re.IGNORECASE,
)
_OFF_ON: Final = (b"off", b"on")
_OFF_ON_NULL: Final = (b"off", b"on", b"null")

JSON_CONSTANTS: Final[dict[str, object]] = {"cjson._NAME": b"cjson", "cjson._VERSION": b"2.1.0"}
PACK_CONSTANTS: Final[dict[str, object]] = {
    "cmsgpack._NAME": b"cmsgpack",
    "cmsgpack._VERSION": b"lua-cmsgpack 0.4.0",
    "cmsgpack._COPYRIGHT": b"Copyright (C) 2012, Salvatore Sanfilippo",
    "cmsgpack._DESCRIPTION": b"MessagePack C implementation for Lua",
}


@final
class Json:
    """One instance of cjson with its settings.

    `decode` is Lua's; `store` sets a setting of the instance's encoder, which is Lua's, too; `new` makes the table of
    another instance.
    """

    def __init__(self, number: int, decode: Any, store: Any, new: Callable[[], object]) -> None:
        self.number: int = number
        self._decode: Any = decode
        self._store: Any = store
        self._new: Callable[[], object] = new
        self._sparse_converts: int = 0
        self._sparse_ratio: int = 2
        self._sparse_safe: int = 10
        self._encode_depth: int = _DEPTH
        self._decode_depth: int = _DEPTH
        self._precision: int = _PRECISION_MAX
        self._keeps_buffer: int = 1
        self._encodes_invalid: int = 0
        self._decodes_invalid: int = 1

    def functions(self) -> dict[str, Callable[..., object]]:
        """Return what scripts may call, by its name, but for encode."""
        return {
            "cjson.decode": self._decode_text,
            "cjson.new": self._new_instance,
            "cjson.encode_sparse_array": self._set_sparse_array,
            "cjson.encode_max_depth": self._set_encode_depth,
            "cjson.decode_max_depth": self._set_decode_depth,
            "cjson.encode_number_precision": self._set_precision,
            "cjson.encode_keep_buffer": self._set_keep_buffer,
            "cjson.encode_invalid_numbers": self._set_encode_invalid,
            "cjson.decode_invalid_numbers": self._set_decode_invalid,
        }

    def _decode_text(self, *arguments: object) -> object:
        if len(arguments) != 1:
            raise argument_error(1, b"expected 1 argument")
        ok, result = self._decode(text(arguments, 0), self._decode_depth, self._decodes_invalid != 0)
        arguments = ()
        if not ok:
            raise ScriptError(result)
        return result

    def _new_instance(self, *arguments: object) -> object:
        return self._new()

    def _set_sparse_array(self, *arguments: object) -> tuple[object, ...]:
        _check_count(arguments, 3)
        self._sparse_converts = _choice(arguments, 0, self._sparse_converts, _OFF_ON)
        self._sparse_ratio = _bounded(arguments, 1, self._sparse_ratio, 0, _INT_MAX)
        self._sparse_safe = _bounded(arguments, 2, self._sparse_safe, 0, _INT_MAX)
        self._store(self.number, b"converts", self._sparse_converts != 0)
        self._store(self.number, b"ratio", self._sparse_ratio)
        self._store(self.number, b"safe", self._sparse_safe)
        return self._sparse_converts != 0, self._sparse_ratio, self._sparse_safe

    def _set_encode_depth(self, *arguments: object) -> int:
        _check_count(arguments, 1)
        self._encode_depth = _bounded(arguments, 0, self._encode_depth, 1, _INT_MAX)
        self._store(self.number, b"depth", self._encode_depth)
        return self._encode_depth

    def _set_decode_depth(self, *arguments: object) -> int:
        _check_count(arguments, 1)
        self._decode_depth = _bounded(arguments, 0, self._decode_depth, 1, _INT_MAX)
        return self._decode_depth

    def _set_precision(self, *arguments: object) -> int:
        _check_count(arguments, 1)
        self._precision = _bounded(arguments, 0, self._precision, 1, _PRECISION_MAX)
        self._store(self.number, b"format", b"%%.%dg" % self._precision)
        return self._precision

    def _set_keep_buffer(self, *arguments: object) -> object:
        _check_count(arguments, 1)
        self._keeps_buffer = _choice(arguments, 0, self._keeps_buffer, _OFF_ON)
        return _shown(self._keeps_buffer, _OFF_ON)

    def _set_encode_invalid(self, *arguments: object) -> object:
        _check_count(arguments, 1)
        self._encodes_invalid = _choice(arguments, 0, self._encodes_invalid, _OFF_ON_NULL)
        self._store(self.number, b"invalid", self._encodes_invalid)
        return _shown(self._encodes_invalid, _OFF_ON_NULL)

    def _set_decode_invalid(self, *arguments: object) -> object:
        _check_count(arguments, 1)
        self._decodes_invalid = _choice(arguments, 0, self._decodes_invalid, _OFF_ON)
        return _shown(self._decodes_invalid, _OFF_ON)


@final
class MessagePack:
    """The functions of cmsgpack, but for pack. `unpack` is Lua's; `spread` returns the values in a table."""

    def __init__(self, unpack: Any, spread: Any) -> None:
        self._unpack: Any = unpack
        self._spread: Any = spread

    def functions(self) -> dict[str, Callable[..., object]]:
        """Return what scripts may call, by its name."""
        return {
            "cmsgpack.unpack": self._unpack_all,
            "cmsgpack.unpack_one": self._unpack_one,
            "cmsgpack.unpack_limit": self._unpack_limit,
        }

    def _unpack_all(self, *arguments: object) -> object:
        return self._unpack_some(text(arguments, 0), 0, 0)

    def _unpack_one(self, *arguments: object) -> object:
        offset = optional_integer(arguments, 1, 0)
        return self._unpack_some(text(arguments, 0), 1, offset)

    def _unpack_limit(self, *arguments: object) -> object:
        limit = integer(arguments, 1)
        offset = optional_integer(arguments, 2, 0)
        return self._unpack_some(text(arguments, 0), limit, offset)

    def _unpack_some(self, data: bytes, limit: int, offset: int) -> object:
        # The messages show 32 bits.
        if offset < 0 or limit < 0:
            shown = (low_bits(offset), low_bits(len(data)))
            raise ScriptError(b"Invalid request to unpack with offset of %d and limit of %d." % shown)
        if offset > len(data):
            shown = (low_bits(offset), low_bits(len(data)))
            raise ScriptError(b"Start offset %d greater than input length %d." % shown)
        takes_all = limit == 0 and offset == 0
        ok, result, count, place = self._unpack(data, offset + 1, _INT_MAX if takes_all else limit, not takes_all)
        if not ok:
            raise ScriptError(result, PLAIN if count else 0)
        if count > _RESULTS_MAX:
            raise ScriptError(_TOO_MANY_RESULTS)
        if takes_all:
            return self._spread(result, count, None)
        return self._spread(result, count, -1 if place > len(data) else place - 1)


def pack_float(value: float) -> bytes:
    """Return a number as MessagePack's float where that loses nothing, else as its double."""
    try:
        short = struct.pack(">f", value)
        if struct.unpack(">f", short)[0] == value:
            return b"\xca" + short
    except OverflowError:
        pass
    return b"\xcb" + struct.pack(">d", value)


def unpack_float(data: bytes) -> float:
    """Return the number that 4 or 8 bytes of MessagePack are."""
    value: float = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    return value


def parse_prefix(data: bytes, begin: int) -> tuple[object, ...]:
    """Return the number that `data` spells from the byte at `begin` on, counted from 1, and the byte behind it.

    What no number begins with gives False. (C: strtod.)
    """
    match = _NUMBER.match(data, begin - 1)
    if match is None:
        return False, begin
    return parse_number(match.group()), match.end() + 1


def _check_count(arguments: tuple[object, ...], most: int) -> None:
    if len(arguments) > most:
        raise argument_error(most + 1, b"found too many arguments")


def _bounded(arguments: tuple[object, ...], index: int, default: int, smallest: int, largest: int) -> int:
    """Return the setting that a script gives, or the one that counts where it gives none."""
    if index >= len(arguments) or arguments[index] is None:
        return default
    value = integer(arguments, index)
    if not smallest <= value <= largest:
        raise argument_error(index + 1, b"expected integer between %d and %d" % (smallest, largest))
    return value


def _choice(arguments: tuple[object, ...], index: int, default: int, words: tuple[bytes, ...]) -> int:
    if index >= len(arguments) or arguments[index] is None:
        return default
    value = arguments[index]
    if isinstance(value, bool):
        return 1 if value else 0
    word = text(arguments, index).split(b"\0", 1)[0]
    if word not in words:
        raise argument_error(index + 1, b"invalid option '%s'" % word)
    return words.index(word)


def _shown(value: int, words: tuple[bytes, ...]) -> object:
    return value != 0 if value <= 1 else words[value]
