"""Reply encoders for RESP2 and RESP3.

A `ReplyBuffer` belongs to one connection and collects the bytes to send. Its `protocol` says which version the peer
asked for with HELLO; where the two versions differ, each method writes the form that Redis 7.0 writes.
(Redis serialization protocol specification.)
"""

from typing import Final, final

from librt.strings import BytesWriter
from mypy_extensions import i64

RESP2: Final = 2
RESP3: Final = 3

_CRLF: Final = b"\r\n"
_OK: Final = b"+OK\r\n"
_STAR: Final = 42
_PERCENT: Final = 37
_TILDE: Final = 126
_GREATER: Final = 62

# Values of this size and above are not copied.
_LARGE_BYTES: Final = 64 * 1024

# Lines such as `$16\r\n` for the small numbers that nearly all replies are made of.
_SMALL: Final = 1024
_BULK_LINES: Final[list[bytes]] = [b"$%d\r\n" % number for number in range(_SMALL)]
_INTEGER_LINES: Final[list[bytes]] = [b":%d\r\n" % number for number in range(_SMALL)]
_ARRAY_LINES: Final[list[bytes]] = [b"*%d\r\n" % number for number in range(_SMALL)]


@final
class ReplyBuffer:
    """Encoded replies of one connection, oldest first."""

    def __init__(self) -> None:
        self.protocol: i64 = RESP2
        # How many errors were ever appended, and the last one: statistics tell failed commands by it.
        self.errors: i64 = 0
        self.last_error: bytes = b""
        self._writer: BytesWriter = BytesWriter()
        # What stands before the writer's bytes once a large value or a push has come: they are kept, not copied.
        self._parts: list[bytes] = []
        self._part_bytes: i64 = 0
        # While replies are not wanted, what is wanted of them stands here.
        self._wanted: BytesWriter | None = None

    def __len__(self) -> int:
        """Return how many bytes wait to be taken."""
        return self._part_bytes + len(self._writer)

    def is_large(self) -> bool:
        """Say whether large values or many pushes wait, which are better taken by take_parts()."""
        return self._part_bytes >= _LARGE_BYTES

    def take(self) -> bytes:
        """Return all encoded bytes in one piece and forget them."""
        if self._part_bytes != 0:
            self._end_part()
            parts = self._parts
            self._parts = []
            self._part_bytes = 0
            return parts[0] if len(parts) == 1 else b"".join(parts)
        data = self._writer.getvalue()
        self._writer = BytesWriter()
        return data

    def take_parts(self) -> list[bytes]:
        """Return all encoded bytes in pieces, large values as they were given, and forget them."""
        self._end_part()
        parts = self._parts
        self._parts = []
        self._part_bytes = 0
        return _join_small(parts)

    def truncate(self, size: i64) -> None:
        """Forget everything behind the first `size` bytes."""
        if size >= self._part_bytes:
            self._writer.truncate(size - self._part_bytes)
        else:
            kept = self.take()[:size]
            self._writer.write(kept)

    def mute(self) -> None:
        """Lose whatever is appended from here on, but pushes."""
        if self._wanted is None:
            self._wanted = self._writer
            self._writer = BytesWriter()

    def unmute(self) -> None:
        """Undo mute()."""
        if self._wanted is not None:
            self._writer = self._wanted
            self._wanted = None

    def push_encoded(self, encoded: bytes) -> None:
        """Append a push that is already encoded, even while muted. The same bytes may be pushed to many, uncopied."""
        wanted = self._wanted
        if wanted is not None:
            self._writer = wanted
        self._append_part(encoded)
        if wanted is not None:
            self._wanted = self._writer
            self._writer = BytesWriter()

    def raw(self, encoded: bytes) -> None:
        """Append bytes that are already encoded."""
        if len(encoded) < _LARGE_BYTES:
            self._writer.write(encoded)
        else:
            self._append_large(encoded)

    def ok(self) -> None:
        """Append +OK."""
        self._writer.write(_OK)

    def simple(self, text: bytes) -> None:
        """Append a simple string; `text` holds no line break."""
        writer = self._writer
        writer.append(43)
        writer.write(text)
        writer.write(_CRLF)

    def error(self, text: bytes) -> None:
        """Append an error. `text` starts with its code; line breaks become spaces, as Redis does."""
        if b"\r" in text or b"\n" in text:
            text = text.replace(b"\r", b" ").replace(b"\n", b" ")
        self.errors += 1
        self.last_error = text
        writer = self._writer
        writer.append(45)
        writer.write(text)
        writer.write(_CRLF)

    def integer(self, value: int) -> None:
        """Append a signed 64-bit integer."""
        if 0 <= value < _SMALL:
            self._writer.write(_INTEGER_LINES[value])
        else:
            self._writer.write(b":%d\r\n" % value)

    def bulk(self, value: bytes) -> None:
        """Append a bulk string."""
        writer = self._writer
        length: i64 = len(value)
        if length < _SMALL:
            writer.write(_BULK_LINES[length])
        else:
            writer.write(b"$%d\r\n" % length)
        if length < _LARGE_BYTES:
            writer.write(value)
        else:
            self._append_large(value)
            writer = self._writer
        writer.write(_CRLF)

    def bulk_text(self, value: str) -> None:
        """Append a string of text as UTF-8."""
        self.bulk(value.encode())

    def null(self) -> None:
        """Append the null that stands for a missing value."""
        self._writer.write(b"$-1\r\n" if self.protocol == RESP2 else b"_\r\n")

    def null_array(self) -> None:
        """Append the null that stands for a missing array, such as EXEC's after a failed WATCH."""
        self._writer.write(b"*-1\r\n" if self.protocol == RESP2 else b"_\r\n")

    def array(self, length: i64) -> None:
        """Open an array of `length` elements; the caller appends them."""
        self._open(_STAR, length)

    def map(self, length: i64) -> None:
        """Open a map of `length` pairs (RESP2: a flat array of twice as many elements)."""
        if self.protocol == RESP2:
            self._open(_STAR, length * 2)
        else:
            self._open(_PERCENT, length)

    def set(self, length: i64) -> None:
        """Open a set of `length` elements (RESP2: an array)."""
        self._open(_STAR if self.protocol == RESP2 else _TILDE, length)

    def push(self, length: i64) -> None:
        """Open a push of `length` elements (RESP2: an array)."""
        self._open(_STAR if self.protocol == RESP2 else _GREATER, length)

    def double(self, value: float) -> None:
        """Append a floating-point number (RESP2: a bulk string), with 17 significant digits as Redis prints them."""
        self.number(format_double(value))

    def number(self, text: bytes) -> None:
        """Append a floating-point number that is spelled already (RESP2: a bulk string)."""
        if self.protocol == RESP2:
            self.bulk(text)
        else:
            self._writer.write(b"," + text + _CRLF)

    def boolean(self, value: bool) -> None:
        """Append a boolean (RESP2: the integer 1 or 0)."""
        if self.protocol == RESP2:
            self.integer(1 if value else 0)
        else:
            self._writer.write(b"#t\r\n" if value else b"#f\r\n")

    def verbatim(self, text: bytes, kind: bytes = b"txt") -> None:
        """Append text meant for people (RESP2: a bulk string); `kind` is the three-letter format."""
        if self.protocol == RESP2:
            self.bulk(text)
        else:
            self._writer.write(b"=%d\r\n%s:%s\r\n" % (len(text) + 4, kind, text))

    def bulk_array(self, values: list[bytes]) -> None:
        """Append an array of bulk strings."""
        self._open(_STAR, len(values))
        writer = self._writer
        for value in values:
            length: i64 = len(value)
            if length < _SMALL:
                # What bulk() does, without a call for each of many short values.
                writer.write(_BULK_LINES[length])
                writer.write(value)
                writer.write(_CRLF)
            else:
                self.bulk(value)
                writer = self._writer

    def _append_large(self, data: bytes) -> None:
        if self._wanted is None:
            self._append_part(data)

    def _append_part(self, data: bytes) -> None:
        self._end_part()
        self._parts.append(data)
        self._part_bytes += len(data)

    def _end_part(self) -> None:
        size: i64 = len(self._writer)
        if size != 0:
            self._parts.append(self._writer.getvalue())
            self._part_bytes += size
            self._writer = BytesWriter()

    def _open(self, marker: i64, length: i64) -> None:
        if marker == _STAR and length < _SMALL:
            self._writer.write(_ARRAY_LINES[length])
        else:
            self._writer.write(b"%c%d\r\n" % (marker, length))


def _join_small(parts: list[bytes]) -> list[bytes]:
    """Return the same bytes with neighbouring small parts in one piece."""
    pieces: list[bytes] = []
    small: list[bytes] = []
    for part in parts:
        if len(part) < _LARGE_BYTES:
            small.append(part)
            continue
        if small:
            pieces.append(b"".join(small))
            small = []
        pieces.append(part)
    if small:
        pieces.append(b"".join(small))
    return pieces


def format_double(value: float) -> bytes:
    """Return `value` as Redis replies it: `%.17g`, with `inf`, `-inf` and `nan` in lower case."""
    return b"%.17g" % value


def encode_command(arguments: list[bytes]) -> bytes:
    """Return a request: `arguments` as a RESP array of bulk strings."""
    writer = BytesWriter()
    count: i64 = len(arguments)
    writer.write(_ARRAY_LINES[count] if count < _SMALL else b"*%d\r\n" % count)
    for argument in arguments:
        length: i64 = len(argument)
        writer.write(_BULK_LINES[length] if length < _SMALL else b"$%d\r\n" % length)
        writer.write(argument)
        writer.write(_CRLF)
    return writer.getvalue()


def encoded_size(arguments: list[bytes]) -> i64:
    """Return how many bytes encode_command() would make of a request, without making them."""
    size: i64 = 3 + _digits(len(arguments))
    for argument in arguments:
        length: i64 = len(argument)
        size += length + 5 + _digits(length)
    return size


def _digits(number: i64) -> i64:
    digits: i64 = 1
    while number >= 10:
        number //= 10
        digits += 1
    return digits
