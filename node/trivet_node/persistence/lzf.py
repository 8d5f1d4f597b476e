"""LZF: how RDB files and DUMP payloads may hold a string of more than 20 bytes.

A control byte below 32 announces that many literal bytes plus one. Any other is a copy of bytes already written: its
upper three bits are the length less two (seven: one more byte adds to it), its lower five bits and the next byte are
the distance less one. A copy may overlap what it writes.

The compressor remembers for each hash of three bytes where it saw them last, and copies from there if they really
are the same. It decides as LibLZF does with Redis' settings, so its output is the same, byte for byte.
(LibLZF: lzf_c.c, lzf_d.c, lzfP.h.)
"""

from typing import Final, final

from librt.strings import BytesWriter
from librt.vecs import vec
from mypy_extensions import i32, i64, u8

_LITERALS_MAX: Final = 1 << 5
_LENGTH_CONTINUES: Final = 7
_DISTANCE_MAX: Final = 1 << 13
_COPY_MAX: Final = (1 << 8) + (1 << 3)
# What LibLZF compares before it looks whether the string ends, where the end is not near.
_UNROLLED: Final = 16
_HASH_SIZE: Final = 1 << 16
# Below this the places of all strings so far fit the table's numbers.
_PLACE_MAX: Final = 1 << 30


class LzfError(Exception):
    """The bytes are not LZF, or do not decompress to the size that was announced."""


@final
class Compressor:
    """Compresses one string after the other.

    The table of places is too large to be cleared for each string. Places count on from string to string instead, so
    that those of earlier strings are known by being too small.
    """

    def __init__(self) -> None:
        self._places: vec[i32] = vec[i32]([0] * _HASH_SIZE)
        self._base: i64 = 1

    def compress(self, data: bytes, limit: i64) -> bytes:
        """Return `data` compressed, or nothing where that takes more than `limit` bytes or `data` is of 1 GiB."""
        size: i64 = len(data)
        if size == 0 or limit <= 0 or size >= _PLACE_MAX:
            return b""
        if self._base + size >= _PLACE_MAX:
            self._places = vec[i32]([0] * _HASH_SIZE)
            self._base = 1
        output = _Output(limit)
        self._compress(data, size, output)
        self._base += size
        return output.finished()

    def _compress(self, data: bytes, size: i64, output: "_Output") -> None:
        places = self._places
        base = self._base
        at: i64 = 0
        while at < size - 2:
            hashed = _hash(data, at)
            earlier: i64 = i64(places[hashed]) - base
            places[hashed] = i32(base + at)
            distance = at - earlier - 1
            if earlier <= 0 or distance >= _DISTANCE_MAX or not _same_three(data, earlier, at):
                if not output.literal(data[at]):
                    return
                at += 1
                continue
            length = _common_length(data, earlier, at, min(size - at - 2, _COPY_MAX))
            if not output.copy(distance, length):
                return
            at += length
            if at < size - 2:
                # What the copy ended with is remembered too.
                places[_hash(data, at - 2)] = i32(base + at - 2)
                places[_hash(data, at - 1)] = i32(base + at - 1)
        if output.has_room(3):
            while at < size:
                output.literal(data[at])
                at += 1


@final
class _Output:
    """Compressed bytes as they grow. Where there would be too many, nothing comes of it."""

    def __init__(self, limit: i64) -> None:
        self._out: BytesWriter = BytesWriter()
        self._limit: i64 = limit
        self._is_full: bool = False
        # A byte is kept free in front of literals for their number.
        self._out.append(0)
        self._written: i64 = 1
        self._literals: i64 = 0

    def literal(self, byte: i64) -> bool:
        """Write one byte as it is; say whether there was room."""
        if self._written >= self._limit:
            self._is_full = True
            return False
        out = self._out
        out.append(byte)
        self._written += 1
        self._literals += 1
        if self._literals == _LITERALS_MAX:
            out[self._written - _LITERALS_MAX - 1] = _LITERALS_MAX - 1
            self._literals = 0
            out.append(0)
            self._written += 1
        return True

    def copy(self, distance: i64, length: i64) -> bool:
        """Write a copy of `length` bytes from one more than `distance` bytes before; say whether there was room."""
        # Three bytes for the copy, one for the head of the literals behind it.
        if self._written - (1 if self._literals == 0 else 0) + 4 >= self._limit:
            self._is_full = True
            return False
        self._end_literals()
        out = self._out
        length -= 2
        if length < _LENGTH_CONTINUES:
            out.append((distance >> 8) + (length << 5))
        else:
            out.append((distance >> 8) + (_LENGTH_CONTINUES << 5))
            out.append(length - _LENGTH_CONTINUES)
        out.append(distance & 0xFF)
        out.append(0)
        self._written = len(out)
        self._literals = 0
        return True

    def has_room(self, count: i64) -> bool:
        """Say whether `count` more bytes have room."""
        if self._written + count > self._limit:
            self._is_full = True
        return not self._is_full

    def finished(self) -> bytes:
        """Return all that was written, or nothing where there was no room."""
        if self._is_full:
            return b""
        self._end_literals()
        return self._out.getvalue()

    def _end_literals(self) -> None:
        """Write the number of literals into the byte kept free for it, or take that byte back."""
        if self._literals == 0:
            self._out.truncate(self._written - 1)
        else:
            self._out[self._written - self._literals - 1] = u8(self._literals - 1)


def decompress(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that `data` was compressed from; raise LzfError where there are none such.

    At most 88 bytes are made of each byte of `data`, whatever `size` says.
    """
    out = BytesWriter()
    end: i64 = len(data)
    position: i64 = 0
    while position < end:
        control: i64 = data[position]
        position += 1
        if control < _LITERALS_MAX:
            if position + control + 1 > end:
                raise LzfError("literal bytes are missing")
            out.write(data[position : position + control + 1])
            position += control + 1
            continue
        length: i64 = control >> 5
        if position + (2 if length == _LENGTH_CONTINUES else 1) > end:
            raise LzfError("a copy is cut short")
        if length == _LENGTH_CONTINUES:
            length += data[position]
            position += 1
        distance: i64 = ((control & 0x1F) << 8) + data[position] + 1
        position += 1
        _copy(out, distance, length + 2)
        if len(out) > size:
            raise LzfError("more bytes than announced")
    if len(out) != size:
        raise LzfError("fewer bytes than announced" if len(out) < size else "more bytes than announced")
    return out.getvalue()


def _copy(out: BytesWriter, distance: i64, length: i64) -> None:
    """Append `length` bytes that begin `distance` bytes before the end; they repeat where that is too few."""
    start: i64 = len(out) - distance
    if start < 0:
        raise LzfError("a copy begins before the first byte")
    stop = start + length
    while start < stop:
        out.append(out[start])
        start += 1


def _hash(data: bytes, at: i64) -> i64:
    three = (i64(data[at]) << 16) | (i64(data[at + 1]) << 8) | i64(data[at + 2])
    return ((three >> 8) - three * 5) & (_HASH_SIZE - 1)


def _same_three(data: bytes, one: i64, other: i64) -> bool:
    return data[one] == data[other] and data[one + 1] == data[other + 1] and data[one + 2] == data[other + 2]


def _common_length(data: bytes, earlier: i64, at: i64, longest: i64) -> i64:
    """Return how many bytes from `earlier` on stand at `at` too, where the first three are known to.

    `longest` is what LibLZF goes to; where it is above _UNROLLED, the first 19 bytes are compared in any case.
    """
    stop: i64 = longest if longest <= _UNROLLED else max(longest, _UNROLLED + 3)
    length: i64 = 3
    while length < stop and data[earlier + length] == data[at + length]:
        length += 1
    return length
