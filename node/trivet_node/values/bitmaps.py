"""Strings as arrays of bits: bit 0 is the highest of the first byte. A string is followed by zeros without end.

What goes over whole strings takes them in pieces and treats a piece at once, so that hundreds of megabytes neither take
a step of Python a byte nor a second copy. Compiled code goes by words of 64 bits. Interpreted, a piece becomes one long
number, whose operations are a loop in C; that costs the conversion, and is some three times slower.

An integer within a string (a bit field) has 1 to 64 bits, the highest first, at any bit.
(Redis: bitops.c.)
"""

from collections.abc import Callable
from typing import Final

from librt.strings import BytesWriter, read_i64_le, write_i64_le
from mypy_extensions import i64

_PIECE_BYTES: Final = 1 << 14
_WORD_BYTES: Final = 8
_GROUP_BYTES: Final = 4 * _WORD_BYTES
_COMPILED: Final = not __file__.endswith(".py")
_COMPLEMENT: Final = bytes(255 - byte for byte in range(256))
_ZEROS: Final = bytes(_PIECE_BYTES)
_ONES: Final = b"\xff" * _PIECE_BYTES

AND: Final = 0
OR: Final = 1
XOR: Final = 2
NOT: Final = 3

# What becomes of a number that does not fit into a bit field.
WRAP: Final = 0
SATURATE: Final = 1
FAIL: Final = 2


def get_bit(text: bytes | bytearray, offset: int) -> int:
    """Return the bit at `offset`."""
    byte = offset >> 3
    return text[byte] >> (7 - (offset & 7)) & 1 if byte < len(text) else 0


def set_bit(text: bytearray, offset: int, bit: i64) -> i64:
    """Set the bit at `offset`, which a string must have, to `bit`, and return what it was."""
    at = offset >> 3
    shift: i64 = 7 - (offset & 7)
    byte: i64 = text[at]
    old = byte >> shift & 1
    if old != bit:
        text[at] = byte ^ (1 << shift)
    return old


def make_room(text: bytearray, length: int) -> bool:
    """Append zeros until a string has at least `length` bytes, and say whether it was shorter."""
    missing = length - len(text)
    if missing <= 0:
        return False
    text.extend(bytes(missing))
    return True


def count_ones(text: bytes | bytearray, first: int, last: int) -> int:
    """Return how many bits are set from bit `first` to bit `last`, both included and within the string."""
    if first > last:
        return 0
    start = first >> 3
    stop = (last >> 3) + 1
    total = 0
    with memoryview(text) as view:
        for at in range(start, stop, _PIECE_BYTES):
            total += _ones_of(_piece(view, at, min(_PIECE_BYTES, stop - at)))
    before = text[start] >> (8 - (first & 7))
    behind = text[stop - 1] & ((1 << (7 - (last & 7))) - 1)
    return total - before.bit_count() - behind.bit_count()


def find_bit(text: bytes | bytearray, bit: int, first: int, last: int) -> int:
    """Return the position of the first `bit` from bit `first` to bit `last`, both included, or -1."""
    if first > last:
        return -1
    start = first >> 3
    stop = (last >> 3) + 1
    skipped = _ZEROS if bit else _ONES
    for at in range(start, stop, _PIECE_BYTES):
        # Whole pieces in which there is nothing to find are compared where they lie.
        if text.startswith(skipped, at):
            continue
        piece = bytes(text[at : min(at + _PIECE_BYTES, stop)])
        found = _first_one(piece if bit else piece.translate(_COMPLEMENT), max(0, first - at * 8))
        if found >= 0:
            position = at * 8 + found
            return position if position <= last else -1
    return -1


def combine(operation: int, texts: list[bytes | bytearray]) -> bytearray:
    """Return AND, OR or XOR of some strings, or NOT of one. The longest decides the length; zeros follow the others."""
    length = max([len(text) for text in texts])
    result = bytearray(length)
    for at in range(0, length, _PIECE_BYTES):
        size = min(_PIECE_BYTES, length - at)
        piece = _piece_of(texts[0], at, size)
        if operation == NOT:
            piece = _combine_pieces(XOR, piece, _ONES[: len(piece)])
        for text in texts[1:]:
            piece = _combine_pieces(operation, piece, _piece_of(text, at, size))
        result[at : at + size] = piece[:size]
    return result


def read_field(text: bytes | bytearray, offset: int, bits: int, signed: bool) -> int:
    """Return the bit field of `bits` bits at `offset`."""
    start = offset >> 3
    stop = (offset + bits + 7) >> 3
    window = int.from_bytes(bytes(text[start:stop]).ljust(stop - start, b"\0"), "big")
    value = window >> (stop * 8 - offset - bits) & ((1 << bits) - 1)
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def write_field(text: bytearray, offset: int, bits: int, value: int) -> None:
    """Store the lowest `bits` bits of a number as the bit field at `offset` of a string that is long enough."""
    start = offset >> 3
    stop = (offset + bits + 7) >> 3
    shift = stop * 8 - offset - bits
    mask = (1 << bits) - 1
    window = int.from_bytes(text[start:stop], "big") & ~(mask << shift)
    text[start:stop] = (window | (value & mask) << shift).to_bytes(stop - start, "big")


def fit(value: int, bits: int, signed: bool, overflow: int) -> int | None:
    """Return what of a number goes into a bit field: itself where it fits, else what `overflow` says; None for FAIL."""
    largest = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    smallest = -largest - 1 if signed else 0
    if smallest <= value <= largest:
        return value
    if overflow == FAIL:
        return None
    if overflow == SATURATE:
        return largest if value > largest else smallest
    wrapped = value & ((1 << bits) - 1)
    return wrapped - (1 << bits) if signed and wrapped > largest else wrapped


def _piece_of(text: bytes | bytearray, at: int, size: int) -> bytes:
    with memoryview(text) as view:
        return _piece(view, at, size)


def _piece(view: memoryview, at: int, size: int) -> bytes:
    """Return some bytes of a string, filled up with zeros to `size` and to whole groups of words."""
    return bytes(view[at : at + size]).ljust(size + -size % _GROUP_BYTES, b"\0")


def _first_one(piece: bytes, start: int) -> int:
    """Return the position of the first bit set from bit `start` on, or -1."""
    size = len(piece) * 8
    number = int.from_bytes(piece, "big") & ((1 << (size - start)) - 1)
    return size - number.bit_length() if number != 0 else -1


def _ones_of_number(piece: bytes) -> int:
    return int.from_bytes(piece, "little").bit_count()


def _ones_of_words(piece: bytes) -> int:
    """Return how many bits are set in some bytes, whose number is a multiple of 32.

    Each bit of `ones`, `twos` and `fours` is one binary digit of a number of its own, to which words are added as bits:
    only what is carried to the fours has to be counted. (Warren, "Hacker's Delight", 5-2, Harley and Seal.)
    """
    size: i64 = len(piece)
    total: i64 = 0
    ones: i64 = 0
    twos: i64 = 0
    at: i64 = 0
    while at < size:
        first: i64 = read_i64_le(piece, at)
        second: i64 = read_i64_le(piece, at + 8)
        half: i64 = ones ^ first
        carried: i64 = (ones & first) | (half & second)
        ones = half ^ second
        first = read_i64_le(piece, at + 16)
        second = read_i64_le(piece, at + 24)
        half = ones ^ first
        also_carried: i64 = (ones & first) | (half & second)
        ones = half ^ second
        half = twos ^ carried
        fours: i64 = (twos & carried) | (half & also_carried)
        twos = half ^ also_carried
        total += _ones_of_word(fours)
        at += _GROUP_BYTES
    return 4 * total + 2 * _ones_of_word(twos) + _ones_of_word(ones)


def _ones_of_word(word: i64) -> i64:
    pairs: i64 = word - (word >> 1 & 0x5555555555555555)
    fours: i64 = (pairs & 0x3333333333333333) + (pairs >> 2 & 0x3333333333333333)
    eights: i64 = (fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F
    eights += eights >> 8
    eights += eights >> 16
    eights += eights >> 32
    return eights & 0x7F


def _combine_numbers(operation: int, one: bytes, other: bytes) -> bytes:
    first = int.from_bytes(one, "little")
    second = int.from_bytes(other, "little")
    if operation == AND:
        first &= second
    elif operation == OR:
        first |= second
    else:
        first ^= second
    return first.to_bytes(len(one), "little")


def _combine_words(operation: int, one: bytes, other: bytes) -> bytes:
    size: i64 = len(one)
    writer = BytesWriter()
    at: i64 = 0
    if operation == AND:
        while at < size:
            write_i64_le(writer, read_i64_le(one, at) & read_i64_le(other, at))
            at += _WORD_BYTES
    elif operation == OR:
        while at < size:
            write_i64_le(writer, read_i64_le(one, at) | read_i64_le(other, at))
            at += _WORD_BYTES
    else:
        while at < size:
            write_i64_le(writer, read_i64_le(one, at) ^ read_i64_le(other, at))
            at += _WORD_BYTES
    return writer.getvalue()


_ones_of: Final[Callable[[bytes], int]] = _ones_of_words if _COMPILED else _ones_of_number
_combine_pieces: Final[Callable[[int, bytes, bytes], bytes]] = _combine_words if _COMPILED else _combine_numbers
