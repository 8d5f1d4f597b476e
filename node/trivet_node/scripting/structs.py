"""The library `struct` of scripts: numbers and strings as bytes, by a format. (Redis: deps/lua/src/lua_struct.c.)

> < !n   big or little endian (little at first), alignment to n bytes (8 where nothing follows)
b B h H l L T f d   char, short, long, size_t, float, double; capital letters are unsigned
i I n    an integer of n bytes (4), at most 32, of which 8 count
x        a zero byte        s  a string up to a zero byte        cn  n bytes; c0 all, or as many as the number before
"""

import math
import struct
from collections.abc import Callable
from typing import Final, final

from trivet_node.scripting.faults import ScriptError, argument_error
from trivet_node.scripting.values import number, number_or_none, optional_integer, text, truncate

_INT_MAX: Final = 2**31 - 1
_SIZE_MAX: Final = 2**64 - 1
_INTEGER_BYTES_MAX: Final = 32
_ALIGNMENT_MAX: Final = 8
_INTEGERS: Final = b"bBhHlLTiI"
_SIZES: Final[dict[int, int]] = {
    ord("b"): 1,
    ord("B"): 1,
    ord("h"): 2,
    ord("H"): 2,
    ord("l"): 8,
    ord("L"): 8,
    ord("T"): 8,
    ord("f"): 4,
    ord("d"): 8,
    ord("x"): 1,
}
_C: Final = ord("c")
_S: Final = ord("s")
_X: Final = ord("x")


@final
class _Format:
    """Reads a format from left to right. It ends at a zero byte."""

    def __init__(self, form: bytes) -> None:
        self._form: bytes = form.split(b"\0", 1)[0]
        self._place: int = 0
        self._alignment: int = 1
        self.order: str = "<"

    def next(self) -> int:
        """Return the next option, or -1 at the end."""
        if self._place == len(self._form):
            return -1
        self._place += 1
        return self._form[self._place - 1]

    def size(self, option: int) -> int:
        """Return the bytes of what an option stands for, 0 where that is not fixed."""
        if option == _C:
            return self._number(1)
        if option in b"iI":
            size = self._number(4)
            if size > _INTEGER_BYTES_MAX:
                raise ScriptError(b"integral size %d is larger than limit of %d" % (size, _INTEGER_BYTES_MAX))
            return size
        return _SIZES.get(option, 0)

    def padding(self, place: int, option: int, size: int) -> int:
        """Return how many bytes align an option at `place`."""
        if size == 0 or option == _C:
            return 0
        size = min(size, self._alignment)
        return (size - (place & (size - 1))) & (size - 1)

    def control(self, option: int) -> None:
        """Follow an option that stands for no bytes."""
        if option in b"<>":
            self.order = chr(option)
        elif option == ord("!"):
            alignment = self._number(_ALIGNMENT_MAX)
            if alignment <= 0 or alignment & (alignment - 1):
                raise ScriptError(b"alignment %d is not a power of 2" % alignment)
            self._alignment = alignment
        elif option != ord(" "):
            raise argument_error(1, b"invalid format option '%c'" % option)

    def _number(self, default: int) -> int:
        begin = self._place
        value = 0
        while self._place < len(self._form) and 48 <= self._form[self._place] <= 57:
            value = value * 10 + self._form[self._place] - 48
            if value > _INT_MAX:
                raise ScriptError(b"integral size overflow")
            self._place += 1
        return value if self._place > begin else default


def _pack(*arguments: object) -> bytes:
    form = _Format(text(arguments, 0))
    # Behind the arguments stands a nil.
    given = (*arguments, None)
    index = 1
    out = bytearray()
    option = form.next()
    while option >= 0:
        size = form.size(option)
        out += bytes(form.padding(len(out), option, size))
        if option in _INTEGERS:
            out += _integer_bytes(number(given, index), size, form.order)
        elif option in b"fd":
            out += struct.pack(form.order + chr(option), _float(number(given, index), option))
        elif option in b"cs":
            out += _string_bytes(text(given, index), size, option, index)
        elif option == _X:
            out.append(0)
        else:
            form.control(option)
        if option in b"fdcs" or option in _INTEGERS:
            index += 1
        option = form.next()
    return bytes(out)


def _integer_bytes(value: float | int, size: int, order: str) -> bytes:
    # More than 8 bytes are filled with zeros, whatever the sign.
    data = _unsigned(value).to_bytes(_INTEGER_BYTES_MAX, "little")[:size]
    return data if order == "<" else data[::-1]


def _unsigned(value: float | int) -> int:
    """Return a number as 64 bits, as C converts it."""
    if math.isnan(value) or value < 0:
        return truncate(value) & _SIZE_MAX
    return int(value) if value < 2**64 else 0


def _float(value: float | int, option: int) -> float:
    """Return a number that fits into its form: as a C float a large one is infinite."""
    if option == ord("f"):
        try:
            struct.pack("<f", value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return float(value)


def _string_bytes(value: bytes, size: int, option: int, index: int) -> bytes:
    if len(value) < size:
        raise argument_error(index + 2, b"string too short")
    if option == _S:
        return value + b"\0"
    return value[:size] if size else value


def _unpack(*arguments: object) -> tuple[object, ...]:
    form = _Format(text(arguments, 0))
    data = text(arguments, 1)
    place = optional_integer(arguments, 2, 1) & _SIZE_MAX
    if place == 0:
        raise argument_error(3, b"offset must be 1 or greater")
    place -= 1
    found: list[object] = []
    option = form.next()
    while option >= 0:
        size = form.size(option)
        place += form.padding(place, option, size)
        _check_room(data, place, size)
        if option in _INTEGERS:
            found.append(_read_integer(data[place : place + size], option, form.order))
        elif option in b"fd":
            found.append(struct.unpack(form.order + chr(option), data[place : place + size])[0])
        elif option == _C:
            if size == 0:
                size = _previous_size(found)
                _check_room(data, place, size)
            found.append(data[place : place + size])
        elif option == _S:
            end = data.find(0, place)
            if end < 0:
                raise ScriptError(b"unfinished string in data")
            size = end - place + 1
            found.append(data[place:end])
        elif option != _X:
            form.control(option)
        place += size
        option = form.next()
    found.append(place + 1)
    return tuple(found)


def _check_room(data: bytes, place: int, size: int) -> None:
    if size > len(data) or place > len(data) - size:
        raise argument_error(2, b"data string too short")


def _previous_size(found: list[object]) -> int:
    size = number_or_none(found[-1]) if found else None
    if size is None:
        raise ScriptError(b"format 'c0' needs a previous size")
    found.pop()
    return _unsigned(size)


def _read_integer(data: bytes, option: int, order: str) -> float:
    bits = int.from_bytes(data, "little" if order == "<" else "big") & _SIZE_MAX
    if option in b"BHLTI":
        return float(bits)
    # Shifting by more than 63 bits begins at 0 again.
    mask = (_SIZE_MAX << ((len(data) * 8 - 1) & 63)) & _SIZE_MAX
    if bits & mask:
        bits |= mask
    return float(bits - 2**64 if bits >= 2**63 else bits)


def _size(*arguments: object) -> int:
    form = _Format(text(arguments, 0))
    place = 0
    option = form.next()
    while option >= 0:
        size = form.size(option)
        place += form.padding(place, option, size)
        if option == _S:
            raise argument_error(1, b"option 's' has no fixed size")
        if option == _C and size == 0:
            raise argument_error(1, b"option 'c0' has no fixed size")
        if not chr(option).isalnum():
            form.control(option)
        place += size
        option = form.next()
    return place


FUNCTIONS: Final[dict[str, Callable[..., object]]] = {
    "struct.pack": _pack,
    "struct.unpack": _unpack,
    "struct.size": _size,
}
