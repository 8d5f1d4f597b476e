"""Redis' listpack: a sequence of strings and integers packed into one `bytes` object.

    <total bytes: 4> <entries: 2> entry ... entry 0xFF          both numbers little-endian; 65535 entries: not counted

    0xxxxxxx                      an integer from 0 to 127
    10xxxxxx                      a string of up to 63 bytes
    110xxxxx +1                   an integer of 13 bits
    1110xxxx +1                   a string of up to 4095 bytes
    11110000 +4                   a string of up to 2**32 - 1 bytes, length little-endian
    11110001 +2, ...10 +3, ...11 +4, 11110100 +8        an integer of 16, 24, 32 or 64 bits, little-endian

Behind each entry stands the length of what precedes it, in groups of seven bits that are read backwards, so that a
listpack can be walked from both ends. A string that is the canonical form of an integer is always stored as one, so
equal strings have equal entries.

All functions are pure: whoever changes a listpack gets a new one. Positions are offsets of entries in the bytes.
Nothing here checks what it walks over; bytes from outside pass is_valid() first. (Redis: listpack.c.)
"""

from typing import Final

from librt.strings import BytesWriter, read_i16_le, read_i32_le, read_i64_le
from mypy_extensions import i64

from trivet_node.values.strings import parse_integer

EMPTY: Final = b"\x07\x00\x00\x00\x00\x00\xff"
# Where the first entry begins: behind the two numbers.
FIRST: Final = 6
_END: Final = 0xFF
# Beyond this a writer would grow several times while a listpack is put together.
_WRITTEN_MAX_BYTES: Final = 1024
_UNCOUNTED: Final = 0xFFFF
_BITS_32: Final = 0xFFFFFFFF
_LONGEST_INTEGER: Final = 20
# Integers below this have their decimal form at hand.
_SMALL_TEXT_COUNT: Final = 1024
_MINUS: Final = 45
_ZERO: Final = 48
_NINE: Final = 57
_INTEGER_13: Final = 0xC0
_STRING_12: Final = 0xE0
_STRING_32: Final = 0xF0
_INTEGER_16: Final = 0xF1
_INTEGER_24: Final = 0xF2
_INTEGER_32: Final = 0xF3
_INTEGER_64: Final = 0xF4


def count(pack: bytes) -> i64:
    """Return the number of entries."""
    counted = _counted(pack)
    if counted != _UNCOUNTED:
        return counted
    entries: i64 = 0
    at: i64 = FIRST
    while pack[at] != _END:
        entries += 1
        at = after(pack, at)
    return entries


def end(pack: bytes) -> i64:
    """Return the position of the closing byte, which is where an entry to be appended begins."""
    return len(pack) - 1


def after(pack: bytes, at: i64) -> i64:
    """Return where the entry at `at` ends: the position of the next one, or of the closing byte."""
    head: i64 = pack[at]
    # Small integers and short strings, without a call.
    if head < 0x80:
        return at + 2
    if head < _INTEGER_13:
        return at + (head & 0x3F) + 2
    size = _size(pack, at)
    return at + size + _back_length_size(size)


def before(pack: bytes, at: i64) -> i64:
    """Return the position of the entry before `at`, which is that of an entry but the first, or of the closing byte."""
    size: i64 = 0
    shift: i64 = 0
    position = at - 1
    while True:
        byte: i64 = pack[position]
        size |= (byte & 127) << shift
        if byte & 128 == 0:
            return position - size
        shift += 7
        position -= 1


def seek(pack: bytes, index: i64) -> i64:
    """Return the position of the entry with that index, a negative one from the tail, or -1 where there is none."""
    entries = count(pack)
    if index < 0:
        index += entries
    if index < 0 or index >= entries:
        return -1
    if index > entries >> 1:
        at = end(pack)
        while index < entries:
            at = before(pack, at)
            index += 1
        return at
    at = FIRST
    while index > 0:
        at = after(pack, at)
        index -= 1
    return at


def text(pack: bytes, at: i64) -> bytes:
    """Return the entry at `at` as a string, an integer in its decimal form."""
    head: i64 = pack[at]
    if head & 0xC0 == 0x80:
        return pack[at + 1 : at + 1 + (head & 0x3F)]
    if head & 0xF0 == _STRING_12:
        return pack[at + 2 : at + 2 + (((head & 0x0F) << 8) | pack[at + 1])]
    if head == _STRING_32:
        return pack[at + 5 : at + 5 + _long_length(pack, at)]
    value = _integer_at(pack, at, head)
    return _SMALL_TEXTS[value] if 0 <= value < _SMALL_TEXT_COUNT else b"%d" % value


def is_integer(pack: bytes, at: i64) -> bool:
    """Say whether the entry at `at` is stored as an integer."""
    head: i64 = pack[at]
    return head < 0x80 or head & 0xE0 == _INTEGER_13 or head > _STRING_32


def integer(pack: bytes, at: i64) -> int | None:
    """Return the entry at `at` as a number where it is stored as one, else None."""
    return _integer_at(pack, at, pack[at]) if is_integer(pack, at) else None


def number(pack: bytes, at: i64) -> int:
    """Return the entry at `at`, which is stored as an integer."""
    head: i64 = pack[at]
    if head < 0x80:
        return head
    return _integer_at(pack, at, head)


def find(pack: bytes, wanted: bytes, start: i64 = FIRST, skip: i64 = 0) -> i64:
    """Return the position of the first entry equal to `wanted`, or -1.

    The search begins with the entry at `start` and passes over `skip` entries behind each one it looks at.
    """
    return find_encoded(pack, encoded(wanted), start, skip)


def find_encoded(pack: bytes, entry: bytes, start: i64 = FIRST, skip: i64 = 0) -> i64:
    """Return the position of the first entry equal to `entry`, an encoded one, or -1. See find()."""
    length: i64 = len(entry)
    head: i64 = entry[0]
    at = start
    while True:
        byte: i64 = pack[at]
        if byte == _END:
            return -1
        if byte == head and _is_there(pack, at, entry, length):
            return at
        left = skip
        at = after(pack, at)
        while left > 0 and pack[at] != _END:
            at = after(pack, at)
            left -= 1


def encoded(value: bytes) -> bytes:
    """Return the entry that holds the string `value`."""
    length: i64 = len(value)
    if length <= _LONGEST_INTEGER:
        number = parse_integer(value)
        if number is not None:
            return encoded_integer(number)
        return _SHORT_HEADS[length] + value + _SHORT_TAILS[length]
    out = BytesWriter()
    if length < 64:
        out.append(0x80 | length)
    elif length < 4096:
        out.append(_STRING_12 | (length >> 8))
        out.append(length & 0xFF)
    else:
        out.append(_STRING_32)
        out.write(int(length).to_bytes(4, "little"))
    out.write(value)
    _write_back_length(out, len(out))
    return out.getvalue()


def write_entry(out: BytesWriter, value: bytes) -> None:
    """Append the entry that holds the string `value` to others."""
    length: i64 = len(value)
    if length == 0 or length > _LONGEST_INTEGER or _begins_as_integer(value[0]):
        out.write(encoded(value))
    else:
        out.append(0x80 | length)
        out.write(value)
        out.append(length + 1)


def parts(pack: bytes, at: i64) -> tuple[i64, i64]:
    """Return how many bytes of an entry say what it is, and how many follow them, without its length at the end."""
    head = _head_size(pack[at])
    return head, _size(pack, at) - head


def _begins_as_integer(byte: i64) -> bool:
    return _ZERO <= byte <= _NINE or byte == _MINUS


def encoded_integer(number: int) -> bytes:
    """Return the entry that holds a signed 64-bit integer."""
    if 0 <= number < 128:
        return _SMALL_INTEGERS[number]
    out = BytesWriter()
    if -4096 <= number < 4096:
        bits: i64 = number & 0x1FFF
        out.append(_INTEGER_13 | (bits >> 8))
        out.append(bits & 0xFF)
        out.append(2)
    elif -(1 << 15) <= number < 1 << 15:
        _write_integer(out, _INTEGER_16, number, 2)
    elif -(1 << 23) <= number < 1 << 23:
        _write_integer(out, _INTEGER_24, number, 3)
    elif -(1 << 31) <= number < 1 << 31:
        _write_integer(out, _INTEGER_32, number, 4)
    else:
        _write_integer(out, _INTEGER_64, number, 8)
    return out.getvalue()


def _write_integer(out: BytesWriter, head: i64, number: i64, size: i64) -> None:
    out.append(head)
    left = size
    while left > 0:
        out.append(number & 0xFF)
        number >>= 8
        left -= 1
    out.append(size + 1)


def splice(pack: bytes, start: i64, stop: i64, new: bytes, change: i64) -> bytes:
    """Return the listpack with `new`, encoded entries, in place of the bytes from `start` to `stop`.

    `change` is how many entries more there are then.
    """
    counted = _counted(pack)
    if counted != _UNCOUNTED:
        counted += change
        counted = min(_UNCOUNTED, counted)
    elif change < 0:
        counted = min(count(pack) + change, _UNCOUNTED)
    total: i64 = len(pack) - (stop - start) + len(new)
    out = BytesWriter()
    _write_header(out, total, counted)
    if total > _WRITTEN_MAX_BYTES:
        return b"".join((out.getvalue(), pack[FIRST:start], new, pack[stop:]))
    out.write(pack[FIRST:start])
    out.write(new)
    out.write(pack[stop:])
    return out.getvalue()


def with_entries(pack: bytes, entries: list[bytes]) -> bytes:
    """Return a listpack of as many entries as `pack` has, but of those that these bytes make up."""
    total: i64 = FIRST + 1
    for piece in entries:
        total += len(piece)
    out = BytesWriter()
    _write_header(out, total, _counted(pack))
    return b"".join([out.getvalue(), *entries, b"\xff"])


def append(pack: bytes, value: bytes) -> bytes:
    """Return the listpack with one more entry at its tail."""
    at = end(pack)
    return splice(pack, at, at, encoded(value), 1)


def prepend(pack: bytes, value: bytes) -> bytes:
    """Return the listpack with one more entry at its head."""
    return splice(pack, FIRST, FIRST, encoded(value), 1)


def build(values: list[bytes]) -> bytes:
    """Return a listpack of these strings."""
    entries = b"".join([encoded(value) for value in values])
    number: i64 = len(values)
    out = BytesWriter()
    _write_header(out, FIRST + len(entries) + 1, min(number, _UNCOUNTED))
    return b"".join((out.getvalue(), entries, b"\xff"))


def texts(pack: bytes) -> list[bytes]:
    """Return all entries as strings."""
    found: list[bytes] = []
    at: i64 = FIRST
    while pack[at] != _END:
        found.append(text(pack, at))
        at = after(pack, at)
    return found


def skip(pack: bytes, at: i64, entries: i64) -> i64:
    """Return the position `entries` entries behind `at`."""
    while entries > 0:
        head: i64 = pack[at]
        if head < 0x80:
            at += 2
        elif head < _INTEGER_13:
            at += (head & 0x3F) + 2
        else:
            at = after(pack, at)
        entries -= 1
    return at


def some_texts(pack: bytes, at: i64, entries: i64) -> list[bytes]:
    """Return so many entries from the one at `at` on as strings."""
    found: list[bytes] = []
    while entries > 0:
        found.append(text(pack, at))
        at = after(pack, at)
        entries -= 1
    return found


def is_valid(pack: bytes) -> bool:
    """Say whether bytes from anywhere are a listpack that everything else here may walk over."""
    size: i64 = len(pack)
    if size < FIRST + 1 or i64(read_i32_le(pack, 0)) & _BITS_32 != size or pack[size - 1] != _END:
        return False
    entries: i64 = 0
    at: i64 = FIRST
    while at < size - 1:
        following = _checked_after(pack, at, size - 1)
        if following < 0:
            return False
        at = following
        entries += 1
    counted = _counted(pack)
    return at == size - 1 and counted in (entries, _UNCOUNTED)


def _checked_after(pack: bytes, at: i64, closing: i64) -> i64:
    """Return where the entry at `at` ends, or -1 where it is malformed or reaches beyond the closing byte.

    An entry that could be shorter is malformed: nobody would find it.
    """
    head: i64 = pack[at]
    if head > _INTEGER_64 or at + _head_size(head) > closing:
        return -1
    size = _size(pack, at)
    if at + size + _back_length_size(size) > closing:
        return -1
    entry = encoded(text(pack, at))
    return at + len(entry) if pack.startswith(entry, at) else -1


def _head_size(head: i64) -> i64:
    """Return how many bytes of an entry say how long it is."""
    if head == _STRING_32:
        return 5
    return 2 if head & 0xF0 == _STRING_12 else 1


def _size(pack: bytes, at: i64) -> i64:
    """Return the length of an entry without the length that stands behind it."""
    head: i64 = pack[at]
    if head < 0x80:
        return 1
    if head < _INTEGER_13:
        return 1 + (head & 0x3F)
    if head < _STRING_12:
        return 2
    if head < _STRING_32:
        return 2 + (((head & 0x0F) << 8) | pack[at + 1])
    if head == _STRING_32:
        return 5 + _long_length(pack, at)
    return 9 if head == _INTEGER_64 else head - _INTEGER_16 + 3


def _counted(pack: bytes) -> i64:
    """Return the number of entries as the header says it: _UNCOUNTED where there are more than it can say."""
    return i64(read_i16_le(pack, 4)) & _UNCOUNTED


def _long_length(pack: bytes, at: i64) -> i64:
    """Return the length of a string that stands in four bytes behind the head at `at`."""
    return i64(read_i32_le(pack, at + 1)) & _BITS_32


def _integer_at(pack: bytes, at: i64, head: i64) -> int:
    if head < 0x80:
        return head
    if head < _STRING_12:
        bits = ((head & 0x1F) << 8) | pack[at + 1]
        return bits if bits < 4096 else bits - 8192
    if head == _INTEGER_16:
        return read_i16_le(pack, at + 1)
    if head == _INTEGER_24:
        # The three bytes are the upper ones of four; the shift brings the sign down with them.
        return i64(read_i32_le(pack, at)) >> 8
    if head == _INTEGER_32:
        return read_i32_le(pack, at + 1)
    return read_i64_le(pack, at + 1)


def _is_there(pack: bytes, at: i64, piece: bytes, length: i64) -> bool:
    """Say whether the `length` bytes of `piece` stand at `at`, where that many bytes may be missing."""
    if at + length > len(pack):
        return False
    index: i64 = 0
    while index < length:
        if pack[at + index] != piece[index]:
            return False
        index += 1
    return True


def _back_length_size(size: i64) -> i64:
    if size < 1 << 7:
        return 1
    if size < (1 << 14) - 1:
        return 2
    if size < (1 << 21) - 1:
        return 3
    return 4 if size < (1 << 28) - 1 else 5


def _write_back_length(out: BytesWriter, size: i64) -> None:
    groups = _back_length_size(size)
    shift = (groups - 1) * 7
    out.append(size >> shift)
    while shift > 0:
        shift -= 7
        out.append(((size >> shift) & 127) | 128)


def _write_header(out: BytesWriter, total: i64, counted: i64) -> None:
    out.append(total & 0xFF)
    out.append((total >> 8) & 0xFF)
    out.append((total >> 16) & 0xFF)
    out.append((total >> 24) & 0xFF)
    out.append(counted & 0xFF)
    out.append((counted >> 8) & 0xFF)


# The bytes around strings that are no longer than an integer's decimal form.
_SHORT_HEADS: Final[list[bytes]] = [bytes((0x80 | length,)) for length in range(_LONGEST_INTEGER + 1)]
_SHORT_TAILS: Final[list[bytes]] = [bytes((length + 1,)) for length in range(_LONGEST_INTEGER + 1)]
_SMALL_TEXTS: Final[list[bytes]] = [b"%d" % number for number in range(_SMALL_TEXT_COUNT)]
_SMALL_INTEGERS: Final[list[bytes]] = [bytes((number, 1)) for number in range(128)]
