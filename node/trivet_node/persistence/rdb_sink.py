"""Where an RDB writer puts its bytes: a buffer that knows the format's lengths and strings, and the checksum so far."""

from typing import Final, final

from librt.strings import BytesWriter
from mypy_extensions import i64

from trivet_node.persistence.crc64 import crc64
from trivet_node.persistence.lzf import Compressor
from trivet_node.persistence.rdb_format import ENCODED, ENCODING_LZF, LENGTH_32_BITS, LENGTH_64_BITS
from trivet_node.values.strings import parse_integer

# No integer of 32 bits has more characters than this.
_LONGEST_INT32: Final = 11
# Longer strings are compressed, where that saves at least this many bytes.
_UNCOMPRESSED_MAX: Final = 20
_LEAST_SAVING: Final = 4
# From here on a sink is to be emptied, also in the middle of a value.
CHUNK_BYTES: Final = 256 * 1024

# One for all sinks: its table is too large to be made for each, and what it remembers changes nothing in its output.
_compressor: Final = Compressor()


@final
class RdbSink:
    """Bytes not taken yet, and the checksum of all that were. `compress` is the setting rdbcompression."""

    def __init__(self, compress: bool) -> None:
        self.crc: int = 0
        self._compress: bool = compress
        self._out: BytesWriter = BytesWriter()

    def __len__(self) -> int:
        """Return how many bytes wait to be taken."""
        return len(self._out)

    def is_full(self) -> bool:
        """Say whether it is time to take what is there."""
        return len(self._out) >= CHUNK_BYTES

    def take(self) -> bytes:
        """Return the bytes written since the last take(), and add them to the checksum."""
        data = self._out.getvalue()
        self._out = BytesWriter()
        self.crc = crc64(data, self.crc)
        return data

    def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._out.write(data)

    def byte(self, value: i64) -> None:
        """Write one byte."""
        self._out.append(value)

    def length(self, value: i64) -> None:
        """Write a length in the shortest of its forms."""
        out = self._out
        if value < 1 << 6:
            out.append(value)
        elif value < 1 << 14:
            out.append(0x40 | (value >> 8))
            out.append(value & 0xFF)
        elif value < 1 << 32:
            out.append(LENGTH_32_BITS)
            out.write(int(value).to_bytes(4, "big"))
        else:
            out.append(LENGTH_64_BITS)
            out.write(int(value).to_bytes(8, "big"))

    def number(self, value: int) -> None:
        """Write an unsigned number of 64 bits in the form of a length."""
        if value < 1 << 62:
            self.length(value)
        else:
            self._out.append(LENGTH_64_BITS)
            self._out.write(value.to_bytes(8, "big"))

    def string(self, text: bytes) -> None:
        """Write a string, as an integer where it is a short canonical one, compressed where that saves."""
        if len(text) <= _LONGEST_INT32:
            number = parse_integer(text)
            if number is not None and self._small_integer(number):
                return
        elif self._compress and len(text) > _UNCOMPRESSED_MAX and self._compressed(text):
            return
        self.length(len(text))
        self._out.write(text)

    def integer_string(self, number: int) -> None:
        """Write the string that is the decimal form of `number`."""
        if not self._small_integer(number):
            text = b"%d" % number
            self.length(len(text))
            self._out.write(text)

    def _compressed(self, text: bytes) -> bool:
        """Write a string compressed; say whether that saves anything."""
        compressed = _compressor.compress(text, len(text) - _LEAST_SAVING)
        if not compressed:
            return False
        self._out.append((ENCODED << 6) | ENCODING_LZF)
        self.length(len(compressed))
        self.length(len(text))
        self._out.write(compressed)
        return True

    def _small_integer(self, number: int) -> bool:
        """Write `number` in the encoding for integers of at most 32 bits; say whether it fits."""
        out = self._out
        if -(1 << 7) <= number < 1 << 7:
            out.append(0xC0)
            out.append(number & 0xFF)
        elif -(1 << 15) <= number < 1 << 15:
            out.append(0xC1)
            out.write(number.to_bytes(2, "little", signed=True))
        elif -(1 << 31) <= number < 1 << 31:
            out.append(0xC2)
            out.write(number.to_bytes(4, "little", signed=True))
        else:
            return False
        return True
