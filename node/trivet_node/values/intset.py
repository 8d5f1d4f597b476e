"""Redis' intset: a sorted sequence of distinct integers in one `bytes` object.

    <bytes of an integer: 4> <how many: 4> integer ...         all little-endian

All integers have the same width of 2, 4 or 8 bytes: that of the widest one that was ever there. Adding a wider one
widens all of them; nothing makes them narrower again. Membership is a binary search.

All functions are pure: whoever changes an intset gets a new one. Nothing here checks what it looks at; bytes from
outside pass is_valid() first. (Redis: intset.c.)
"""

from typing import Final

from librt.strings import BytesWriter, read_i16_le, read_i32_le, read_i64_le, write_i16_le, write_i32_le, write_i64_le
from mypy_extensions import i16, i32, i64

EMPTY: Final = b"\x02\x00\x00\x00\x00\x00\x00\x00"
_HEADER_BYTES: Final = 8
_BITS_32: Final = 0xFFFFFFFF


def length(pack: bytes) -> i64:
    """Return the number of integers."""
    return i64(read_i32_le(pack, 4)) & _BITS_32


def at(pack: bytes, index: i64) -> i64:
    """Return the integer with that index, counted from the smallest one."""
    return _read(pack, _width(pack), index)


def has(pack: bytes, value: i64) -> bool:
    """Say whether `value` is there."""
    index = _search(pack, value)
    return index < length(pack) and at(pack, index) == value


def add(pack: bytes, value: i64) -> bytes:
    """Return the intset with `value`: the same object where it is there already."""
    width = _width(pack)
    wanted = _width_of(value)
    if wanted > width:
        return _widened(pack, width, wanted, value)
    index = _search(pack, value)
    size = length(pack)
    if index < size and _read(pack, width, index) == value:
        return pack
    place = _HEADER_BYTES + index * width
    out = _begun(width, size + 1)
    out.write(pack[_HEADER_BYTES:place])
    _write(out, value, width)
    out.write(pack[place:])
    return out.getvalue()


def remove(pack: bytes, value: i64) -> bytes:
    """Return the intset without `value`: the same object where it is not there."""
    width = _width(pack)
    index = _search(pack, value)
    size = length(pack)
    if index == size or _read(pack, width, index) != value:
        return pack
    place = _HEADER_BYTES + index * width
    out = _begun(width, size - 1)
    out.write(pack[_HEADER_BYTES:place])
    out.write(pack[place + width :])
    return out.getvalue()


def texts(pack: bytes) -> list[bytes]:
    """Return all integers in their decimal form, the smallest one first."""
    width = _width(pack)
    size = length(pack)
    found: list[bytes] = []
    index: i64 = 0
    while index < size:
        found.append(b"%d" % _read(pack, width, index))
        index += 1
    return found


def is_valid(pack: bytes) -> bool:
    """Say whether bytes from anywhere are an intset, not empty and in order."""
    if len(pack) < _HEADER_BYTES:
        return False
    width = i64(read_i32_le(pack, 0))
    size = length(pack)
    if width not in (2, 4, 8) or size == 0 or len(pack) != _HEADER_BYTES + size * width:
        return False
    index: i64 = 1
    while index < size:
        if _read(pack, width, index - 1) >= _read(pack, width, index):
            return False
        index += 1
    return True


def _search(pack: bytes, value: i64) -> i64:
    """Return the index of the first integer that is not smaller than `value`."""
    width = _width(pack)
    low: i64 = 0
    high = length(pack)
    # Sets are often filled in ascending order.
    if high > 0 and _read(pack, width, high - 1) < value:
        return high
    while low < high:
        middle = (low + high) >> 1
        if _read(pack, width, middle) < value:
            low = middle + 1
        else:
            high = middle
    return low


def _widened(pack: bytes, width: i64, wanted: i64, value: i64) -> bytes:
    """Return the intset with wider integers and `value`, which is smaller or larger than all others."""
    size = length(pack)
    out = _begun(wanted, size + 1)
    if value < 0:
        _write(out, value, wanted)
    index: i64 = 0
    while index < size:
        _write(out, _read(pack, width, index), wanted)
        index += 1
    if value > 0:
        _write(out, value, wanted)
    return out.getvalue()


def _width(pack: bytes) -> i64:
    return pack[0]


def _width_of(value: i64) -> i64:
    """Return how many bytes an integer needs."""
    if -(1 << 15) <= value < 1 << 15:
        return 2
    return 4 if -(1 << 31) <= value < 1 << 31 else 8


def _read(pack: bytes, width: i64, index: i64) -> i64:
    if width == 2:
        return i64(read_i16_le(pack, _HEADER_BYTES + index * 2))
    if width == 4:
        return i64(read_i32_le(pack, _HEADER_BYTES + index * 4))
    return read_i64_le(pack, _HEADER_BYTES + index * 8)


def _write(out: BytesWriter, value: i64, width: i64) -> None:
    if width == 2:
        write_i16_le(out, i16(value))
    elif width == 4:
        write_i32_le(out, i32(value))
    else:
        write_i64_le(out, value)


def _begun(width: i64, size: i64) -> BytesWriter:
    """Return a writer that has written the header."""
    out = BytesWriter()
    write_i32_le(out, i32(width))
    write_i32_le(out, i32(size))
    return out
