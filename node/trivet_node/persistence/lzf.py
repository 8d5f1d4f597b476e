"""LZF decompression: how an RDB file may hold a string of more than 20 bytes.

A control byte below 32 announces that many literal bytes plus one. Any other is a copy of bytes already written: its
upper three bits are the length less two (seven: one more byte adds to it), its lower five bits and the next byte are
the distance less one. A copy may overlap what it writes. (LibLZF, lzf_d.c.)
"""

from typing import Final

from mypy_extensions import i64

_LITERALS_BELOW: Final = 32
_LENGTH_CONTINUES: Final = 7


class LzfError(Exception):
    """The bytes are not LZF, or do not decompress to the size that was announced."""


def decompress(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that `data` was compressed from; raise LzfError where there are none such.

    At most 88 bytes are made of each byte of `data`, whatever `size` says.
    """
    output = bytearray()
    end: i64 = len(data)
    position: i64 = 0
    while position < end:
        control: i64 = data[position]
        position += 1
        if control < _LITERALS_BELOW:
            if position + control + 1 > end:
                raise LzfError("literal bytes are missing")
            output += data[position : position + control + 1]
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
        _copy(output, distance, length + 2)
        if len(output) > size:
            raise LzfError("more bytes than announced")
    if len(output) != size:
        raise LzfError("fewer bytes than announced" if len(output) < size else "more bytes than announced")
    return bytes(output)


def _copy(output: bytearray, distance: i64, length: i64) -> None:
    """Append `length` bytes that begin `distance` bytes before the end; they repeat where that is too few."""
    start: i64 = len(output) - distance
    if start < 0:
        raise LzfError("a copy begins before the first byte")
    piece = bytes(output[start : start + length])
    while len(piece) < length:
        piece += piece
    output += piece[:length]
