"""Where an RDB reader gets its bytes: pulled in pieces, with the offset for errors and the checksum so far.

Nothing is allocated for what a length only announces: a string that the file does not hold ends with an error after
the file's last byte.
"""

from collections.abc import Callable
from typing import Final, final

from mypy_extensions import i64

from trivet_node.persistence.crc64 import crc64
from trivet_node.persistence.lzf import LzfError, decompress
from trivet_node.persistence.rdb_format import (
    ENCODED,
    ENCODING_INT8,
    ENCODING_INT16,
    ENCODING_INT32,
    ENCODING_LZF,
    LENGTH_6_BITS,
    LENGTH_14_BITS,
    LENGTH_32_BITS,
    LENGTH_64_BITS,
    RdbError,
)
from trivet_node.persistence.ziplist import MalformedPack, ziplist_texts
from trivet_node.values.listpack import is_valid

_PIECE_BYTES: Final = 256 * 1024
_LENGTH_MAX: Final = 2**62


@final
class RdbSource:
    """Bytes that `read(count)` returns, at most `count` at a time and none at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read: Callable[[int], bytes] = read
        self._piece: bytes = b""
        self._position: i64 = 0
        # The offset of the piece's first byte, and the checksum of all bytes before it.
        self._piece_offset: int = 0
        self._piece_crc: int = 0

    def offset(self) -> int:
        """Return how many bytes were taken."""
        return self._piece_offset + int(self._position)

    def crc(self) -> int:
        """Return the checksum of the bytes taken."""
        return crc64(self._piece[: self._position], self._piece_crc)

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        start = self._position
        if count <= len(self._piece) - start:
            self._position = start + count
            return self._piece[start : start + count]
        return self._take_across(count)

    def byte(self) -> i64:
        """Return the next byte."""
        if self._position >= len(self._piece):
            self._next_piece()
        value: i64 = self._piece[self._position]
        self._position += 1
        return value

    def length(self) -> int:
        """Return the next length; a string in a special encoding is an error here."""
        begin = self.offset()
        value = self.number()
        if value > _LENGTH_MAX:
            raise RdbError(begin, f"a length of {value}")
        return value

    def number(self) -> int:
        """Return the next unsigned number of up to 64 bits in the form of a length."""
        begin = self.offset()
        first = self.byte()
        if first >> 6 == ENCODED:
            raise RdbError(begin, f"expected a length, found the special encoding {first & 0x3F}")
        return self._length(first, begin)

    def string(self) -> bytes:
        """Return the next string, whatever its encoding."""
        begin = self.offset()
        first = self.byte()
        if first >> 6 == ENCODED:
            return self._encoded(first & 0x3F, begin)
        size = self._length(first, begin)
        if size > _LENGTH_MAX:
            raise RdbError(begin, f"a length of {size}")
        return self.take(size)

    def integer(self, size: int, *, signed: bool = False) -> int:
        """Return the next `size` bytes as a little-endian integer."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def listpack(self) -> bytes:
        """Return the next string, which is to be a listpack."""
        begin = self.offset()
        pack = self.string()
        if not is_valid(pack):
            raise RdbError(begin, "a listpack is malformed")
        return pack

    def ziplist(self) -> list[bytes]:
        """Return the entries of the next string, which is to be a ziplist."""
        begin = self.offset()
        try:
            return ziplist_texts(self.string())
        except MalformedPack as error:
            raise RdbError(begin, str(error)) from None

    def refuse(self, reason: str) -> RdbError:
        """Return the error for a value that cannot be, to be raised when the last byte that shows it was taken."""
        return RdbError(self.offset(), reason)

    def _length(self, first: i64, begin: int) -> int:
        kind = first >> 6
        if kind == LENGTH_6_BITS:
            return int(first)
        if kind == LENGTH_14_BITS:
            return int(((first & 0x3F) << 8) | self.byte())
        if first not in (LENGTH_32_BITS, LENGTH_64_BITS):
            raise RdbError(begin, f"unknown form of a length, 0x{int(first):02x}")
        return int.from_bytes(self.take(4 if first == LENGTH_32_BITS else 8), "big")

    def _encoded(self, encoding: i64, begin: int) -> bytes:
        if encoding == ENCODING_INT8:
            return b"%d" % self.integer(1, signed=True)
        if encoding == ENCODING_INT16:
            return b"%d" % self.integer(2, signed=True)
        if encoding == ENCODING_INT32:
            return b"%d" % self.integer(4, signed=True)
        if encoding != ENCODING_LZF:
            raise RdbError(begin, f"unknown string encoding {encoding}")
        compressed_length = self.length()
        length = self.length()
        try:
            return decompress(self.take(compressed_length), length)
        except LzfError as error:
            raise RdbError(begin, f"a compressed string is broken: {error}") from None

    def _take_across(self, count: int) -> bytes:
        parts: list[bytes] = []
        missing = count
        while missing > 0:
            if self._position >= len(self._piece):
                self._next_piece()
            part = self._piece[self._position : self._position + missing]
            self._position += len(part)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _next_piece(self) -> None:
        """Read on; the present piece was taken to its end."""
        self._piece_crc = crc64(self._piece, self._piece_crc)
        self._piece_offset += len(self._piece)
        self._piece = self._read(_PIECE_BYTES)
        self._position = 0
        if not self._piece:
            raise RdbError(self._piece_offset, "unexpected end of file")
