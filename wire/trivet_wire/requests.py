"""Incremental request parser: RESP arrays of bulk strings, and inline commands.

    feed(data)      more bytes from the peer
    next()          the next whole request, or None while bytes are missing; ProtocolError where they are not RESP
    raw()           the bytes of the request that next() returned last, for propagation without encoding it again
    unread()        gives that request back, for a client that must wait before it is run

State between calls is the unread tail of the buffer and, inside an array, the arguments read so far. A bulk string
that has not arrived whole is collected in chunks and joined once, so a value of any size costs linear time and is
held once, and nothing is ever allocated for what a length only announces.
(Redis serialization protocol specification; texts and limits of Redis 7.0.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_wire.replies import encode_command

INLINE_MAX_BYTES: Final = 64 * 1024
MULTIBULK_MAX: Final = 2**31 - 1
UNAUTHENTICATED_MULTIBULK_MAX: Final = 10
UNAUTHENTICATED_BULK_MAX: Final = 16384
PROTO_MAX_BULK_LEN: Final = 512 * 1024 * 1024

_CR: Final = 13
_LF: Final = 10
_MINUS: Final = 45
_ZERO: Final = 48
_NINE: Final = 57
_STAR: Final = 42
_DOLLAR: Final = 36
# Results of _number that are no numbers: below every length that a peer can announce.
_INCOMPLETE: Final = -(2**62)
_INVALID: Final = -(2**62) + 1
# One more digit than this cannot overflow 64 bits, and every limit is far below it.
_LARGEST_PREFIX: Final = 10**17
_LARGEST_NEGATIVE: Final = 2**63
_HEX: Final = b"0123456789abcdefABCDEF"
_ESCAPES: Final = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("a"): 7}


class ProtocolError(Exception):
    """The peer's bytes are not RESP. The message is Redis' own, without `ERR Protocol error: `."""


@final
class RequestParser:
    """Requests out of one connection's bytes. `authenticated` lifts the smaller limits before authentication."""

    def __init__(self, authenticated: bool = True, bulk_max: int = PROTO_MAX_BULK_LEN) -> None:
        self.authenticated: bool = authenticated
        self.bulk_max: i64 = bulk_max
        self._buffer: bytes = b""
        self._position: i64 = 0
        # Bytes fed in all, and how many of them were requests when a request was last not half read.
        self._fed: int = 0
        self._done: int = 0
        # A bulk string that has not arrived whole: what there is of it, and how many bytes are missing, the two behind
        # it included; -1: it was the last one of its array, which next() is to return.
        self._chunks: list[bytes] = []
        self._missing: i64 = 0
        # The array being read: arguments so far, how many are to come, the length of the next one (-1: not read).
        self._arguments: list[bytes] = []
        self._remaining: i64 = 0
        self._bulk_length: i64 = -1
        # Where the array began in the buffer, or -1 where that buffer is gone; and whether every line of it ended in
        # CRLF: servers skip two bytes there without looking, but a file of commands must not hold anything else.
        self._start: i64 = -1
        self._is_strict: bool = True
        self._last: list[bytes] = []
        self._last_start: i64 = -1
        # Where the number that _number read ended.
        self._number_end: i64 = 0

    def feed(self, data: bytes) -> None:
        """Add bytes as they came from the peer."""
        if self._is_between_requests():
            self._done = self.consumed()
        self._fed += len(data)
        if self._missing > 0:
            if len(data) < self._missing:
                self._chunks.append(data)
                self._missing -= len(data)
                return
            self._buffer = self._finish_bulk(data)
        elif self._position >= len(self._buffer):
            self._buffer = data
        else:
            self._buffer = self._buffer[self._position :] + data
        self._position = 0
        self._start = -1

    def consumed(self) -> int:
        """Return how many of the bytes fed were turned into requests; valid right after next() returned one."""
        return self._fed - (len(self._buffer) - self._position)

    def buffered(self) -> int:
        """Return how many of the bytes fed are kept because no request was made of them yet."""
        if self._is_between_requests():
            return len(self._buffer) - self._position
        return self._fed - self._done

    def missing(self) -> i64:
        """Return how many bytes of a bulk string that has begun to arrive are still to come; 0 where none has."""
        return self._missing if self._missing > 0 else 0

    def raw(self) -> bytes:
        """Return the last request as a RESP array; valid until the next call of feed() or next()."""
        if self._last_start < 0:
            return encode_command(self._last)
        return self._buffer[self._last_start : self._position]

    def unread(self) -> None:
        """Let next() return the last request once more; to be called before any other call of feed() or next()."""
        if self._last_start >= 0:
            self._position = self._last_start
        else:
            self._buffer = encode_command(self._last) + self._buffer[self._position :]
            self._position = 0

    def next(self) -> list[bytes] | None:
        """Return the arguments of the next request, or None until more bytes are fed.

        Raises ProtocolError where the bytes are not RESP; the connection cannot be read any further then.
        """
        if self._missing != 0:
            if self._missing > 0:
                return None
            self._missing = 0
            return self._next_array()
        if self._remaining == 0:
            while True:
                if self._position >= len(self._buffer):
                    return None
                if self._buffer[self._position] != _STAR:
                    inline = self._next_inline()
                    if inline is not None and not inline:
                        continue
                    return inline
                if not self._open_array():
                    return None
                if self._remaining > 0:
                    break
        return self._next_array()

    def _open_array(self) -> bool:
        """Read `*N`; say whether it was there. `*0` and `*-1` are requests for nothing and leave nothing to come."""
        self._is_strict = True
        short: i64 = _short_number(self._buffer, self._position, len(self._buffer), _STAR)
        if 0 < short <= UNAUTHENTICATED_MULTIBULK_MAX:
            self._start = self._position
            self._position += 4 if short < 10 else 5
            self._remaining = short
            return True
        count: i64 = self._number(self._position + 1)
        if count == _INCOMPLETE:
            self._check_line_length("too big mbulk count string")
            return False
        if count == _INVALID or count > MULTIBULK_MAX:
            raise ProtocolError("invalid multibulk length")
        if not self.authenticated and count > UNAUTHENTICATED_MULTIBULK_MAX:
            raise ProtocolError("unauthenticated multibulk length")
        self._start = self._position
        self._position = self._number_end
        self._remaining = count if count > 0 else 0
        return True

    def _next_array(self) -> list[bytes] | None:
        buffer = self._buffer
        end: i64 = len(buffer)
        position: i64 = self._position
        remaining: i64 = self._remaining
        length: i64 = self._bulk_length
        arguments = self._arguments
        while remaining > 0:
            if length < 0:
                length = _short_number(buffer, position, end, _DOLLAR)
                if length >= 0:
                    position += 4 if length < 10 else 5
                else:
                    self._position = position
                    self._remaining = remaining
                    if position >= end or not self._open_bulk():
                        return None
                    length = self._bulk_length
                    position = self._position
            finish: i64 = position + length
            if finish + 2 > end:
                self._remaining = remaining
                self._wait_for_bulk(position, finish + 2 - end)
                return None
            arguments.append(buffer[position:finish])
            first: i64 = buffer[finish]
            second: i64 = buffer[finish + 1]
            if first != _CR or second != _LF:
                self._is_strict = False
            position = finish + 2
            length = -1
            self._bulk_length = -1
            remaining -= 1
        self._position = position
        self._remaining = 0
        self._arguments = []
        self._last = arguments
        self._last_start = self._start if self._is_strict else -1
        return arguments

    def _open_bulk(self) -> bool:
        """Read `$N`; say whether it was there."""
        length: i64 = self._number(self._position + 1)
        if length == _INCOMPLETE:
            self._check_line_length("too big bulk count string")
            return False
        marker: i64 = self._buffer[self._position]
        if marker == 0:
            self._check_line_length("too big bulk count string")
            return False
        if marker != _DOLLAR:
            raise ProtocolError(f"expected '$', got '{chr(marker)}'")
        if length < 0 or length > self.bulk_max:
            raise ProtocolError("invalid bulk length")
        if not self.authenticated and length > UNAUTHENTICATED_BULK_MAX:
            raise ProtocolError("unauthenticated bulk length")
        self._bulk_length = length
        self._position = self._number_end
        return True

    def _wait_for_bulk(self, position: i64, missing: i64) -> None:
        self._chunks = [self._buffer[position:]]
        self._missing = missing
        self._buffer = b""
        self._position = 0
        self._start = -1

    def _finish_bulk(self, data: bytes) -> bytes:
        """Put the bulk string together whose missing bytes `data` begins with; return what is behind it in `data`."""
        missing: i64 = self._missing
        if missing >= 2:
            terminator = data[missing - 2 : missing]
            self._chunks.append(data[: missing - 2])
        else:
            terminator = self._chunks[-1][-1:] + data[:1]
            self._chunks[-1] = self._chunks[-1][:-1]
        if terminator != b"\r\n":
            self._is_strict = False
        self._arguments.append(b"".join(self._chunks))
        self._chunks = []
        self._bulk_length = -1
        self._remaining -= 1
        self._missing = 0 if self._remaining > 0 else -1
        return data[missing:]

    def _is_between_requests(self) -> bool:
        return self._remaining == 0 and self._missing == 0

    def _number(self, position: i64) -> i64:
        """Return the number between `position` and the next CRLF, _INVALID or _INCOMPLETE; it sets _number_end."""
        buffer = self._buffer
        end: i64 = len(buffer)
        first = position
        value: i64 = 0
        while position < end:
            byte: i64 = buffer[position]
            if byte == _CR:
                if position + 1 >= end:
                    return _INCOMPLETE
                second: i64 = buffer[position + 1]
                if second != _LF:
                    self._is_strict = False
                self._number_end = position + 2
                return value if position > first else _INVALID
            if byte < _ZERO or byte > _NINE or value > _LARGEST_PREFIX or (value == 0 and position > first):
                return self._odd_number(first)
            value = value * 10 + (byte - _ZERO)
            position += 1
        return _INCOMPLETE

    def _odd_number(self, first: i64) -> i64:
        """Return what _number returns where the text is not a plain natural number: negative, malformed or too long.

        Every negative number is -1: how negative it is makes no difference to anybody.
        """
        end = self._line_end(b"\r")
        if end < 0 or end + 1 >= len(self._buffer) or end - self._position > INLINE_MAX_BYTES:
            return _INCOMPLETE
        if self._buffer[end + 1] != _LF:
            self._is_strict = False
        self._number_end = end + 2
        # An end before the start is no empty slice for mypyc.
        digits = self._buffer[first + 1 : end] if end > first else b""
        if self._buffer[first] != _MINUS or not digits.isdigit() or digits.startswith(b"0") or len(digits) > 19:
            return _INVALID
        return -1 if int(digits) <= _LARGEST_NEGATIVE else _INVALID

    def _line_end(self, terminator: bytes) -> i64:
        """Return where the line at the present position ends, or -1 where it has not ended yet.

        A NUL hides all that is behind it: Redis looks for the end of a line as C looks for the end of a string.
        """
        end: i64 = self._buffer.find(terminator, self._position)
        nul: i64 = self._buffer.find(b"\0", self._position, end if end >= 0 else len(self._buffer))
        return end if nul < 0 else -1

    def _check_line_length(self, reason: str) -> None:
        """Raise ProtocolError where the line that began at the present position is too long, ended or not."""
        end = self._line_end(b"\r")
        if (end if end >= 0 else len(self._buffer)) - self._position > INLINE_MAX_BYTES:
            raise ProtocolError(reason)

    def _next_inline(self) -> list[bytes] | None:
        """Return the words of one line, an empty list for a blank one, None where the line has not ended."""
        newline = self._line_end(b"\n")
        if (newline if newline >= 0 else len(self._buffer)) - self._position > INLINE_MAX_BYTES:
            raise ProtocolError("too big inline request")
        if newline < 0:
            return None
        line = self._buffer[self._position : newline]
        self._position = newline + 1
        words = split_words(line.removesuffix(b"\r"))
        if words is None:
            raise ProtocolError("unbalanced quotes in request")
        self._last = words
        self._last_start = -1
        return words


def _short_number(buffer: bytes, position: i64, end: i64, marker: i64) -> i64:
    """Return the number of a line such as `$16` at `position` if it has one or two digits, as nearly all, else -1."""
    found: i64 = buffer[position] if position + 5 <= end else -1
    if found != marker:
        return -1
    first: i64 = buffer[position + 1]
    second: i64 = buffer[position + 2]
    third: i64 = buffer[position + 3]
    if first < _ZERO or first > _NINE:
        return -1
    if second == _CR:
        return first - _ZERO if third == _LF else -1
    if first == _ZERO or second < _ZERO or second > _NINE or third != _CR or buffer[position + 4] != _LF:
        return -1
    return (first - _ZERO) * 10 + (second - _ZERO)


def split_words(line: bytes) -> list[bytes] | None:
    r"""Return the words of `line` as Redis splits inline commands and configuration lines; None for unbalanced quotes.

    "double quotes" know \n \r \t \b \a \xHH and take any other escaped byte as itself; 'single quotes' know only \'.
    A closing quote must be followed by a space or the end. A NUL ends the line.
    """
    line = line.partition(b"\0")[0]
    words: list[bytes] = []
    position = 0
    while True:
        while position < len(line) and line[position] in b" \t\n\v\f\r":
            position += 1
        if position >= len(line):
            return words
        word = bytearray()
        end = _read_word(line, position, word)
        if end < 0:
            return None
        words.append(bytes(word))
        position = end


def _read_word(line: bytes, position: int, word: bytearray) -> int:
    """Append one word to `word` and return where it ended, or -1 where its quotes do not balance."""
    while position < len(line) and line[position] not in b" \n\r\t":
        byte = line[position]
        if byte == ord('"') or byte == ord("'"):
            return _read_quoted(line, position, word)
        word.append(byte)
        position += 1
    return position


def _read_quoted(line: bytes, opening: int, word: bytearray) -> int:
    quote = line[opening]
    position = opening + 1
    while position < len(line):
        byte = line[position]
        if byte == quote:
            behind = position + 1
            return behind if behind == len(line) or line[behind] in b" \t\n\v\f\r" else -1
        if byte == ord("\\") and position + 1 < len(line):
            position += _read_escape(line, position, quote, word)
        else:
            word.append(byte)
            position += 1
    return -1


def _read_escape(line: bytes, position: int, quote: int, word: bytearray) -> int:
    """Append what the backslash at `position` stands for and return how many bytes it took."""
    escaped = line[position + 1]
    if quote == ord("'"):
        if escaped == quote:
            word.append(escaped)
            return 2
        word.append(ord("\\"))
        return 1
    digits = line[position + 2 : position + 4]
    if escaped == ord("x") and len(digits) == 2 and digits[0] in _HEX and digits[1] in _HEX:
        word.append(int(digits, 16))
        return 4
    word.append(_ESCAPES.get(escaped, escaped))
    return 2
