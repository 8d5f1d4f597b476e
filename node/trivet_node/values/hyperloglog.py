"""HyperLogLog: how many different elements were added, within 0.81 % (standard error), in at most 12 KiB.

Every element is hashed to 64 bits. The last 14 choose one of 16384 registers; the length of the run of zeros that the
others begin with, the one behind it included, is kept in the register where it is longer than what is there. The
registers' histogram gives the estimate, by Ertl's formula.

A sketch is a string of Redis' layout, byte for byte, so it is kept as a `bytearray`:

    HYLL | encoding, 3 unused bytes | the last estimate, 8 bytes, little-endian | registers

The highest bit of the estimate says that it is out of date. There are two encodings of the registers. Dense: 6 bits
each, from the lowest bit of the first byte on. Sparse: runs of equal registers,

    00xxxxxx            ZERO    1 to 64 registers of 0
    01xxxxxx yyyyyyyy   XZERO   1 to 16384 registers of 0
    1vvvvvxx            VAL     1 to 4 registers of 1 to 32

A sketch begins sparse and becomes dense where it would grow too long or a register too large.
(Redis: hyperloglog.c; Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284.)
"""

import math
from typing import Final

from librt.strings import BytesWriter, read_i32_le
from mypy_extensions import i64, u8

REGISTERS: Final = 16384
# No hash gives a larger value: the 50 bits that do not choose the register, and one.
LARGEST_REGISTER: Final = 51
_LOW_32: Final = 0xFFFFFFFF

_H: Final = 72
_Y: Final = 89
_L: Final = 76
_DENSE: Final = 0
_SPARSE: Final = 1
_ENCODING_AT: Final = 4
_ESTIMATE_AT: Final = 8
_HEADER_BYTES: Final = 16
_OUT_OF_DATE: Final = 0x80
_DENSE_BYTES: Final = _HEADER_BYTES + REGISTERS * 6 // 8

_LONGEST_ZERO: Final = 64
_LONGEST_VALUE: Final = 4
_LARGEST_SPARSE: Final = 32
# How many runs are looked at, from the one before a change on, to join equal ones.
_JOINED_RUNS: Final = 5

# 0.5 / ln 2.
_ALPHA: Final = 0.721347520444481703680
# What Redis makes of an estimate beyond the 64 bits that it has for them.
_BEYOND: Final = 2**63
# The highest bit of every byte of REGISTERS bytes.
_HIGH_BITS: Final = int.from_bytes(b"\x80" * REGISTERS, "little")


def new_sketch() -> bytearray:
    """Return a sketch of nothing: sparse, one XZERO."""
    return bytearray(b"HYLL" + bytes([_SPARSE]) + bytes(_HEADER_BYTES - _ENCODING_AT - 1) + b"\x7f\xff")


def is_sketch(text: bytes | bytearray) -> bool:
    """Say whether a string may be a sketch: its header is one, and the length fits. (Redis: isHLLObjectOrReply.)"""
    length = len(text)
    if length < _HEADER_BYTES or not _has_magic(text):
        return False
    encoding: i64 = text[_ENCODING_AT]
    return encoding == _SPARSE or (encoding == _DENSE and length == _DENSE_BYTES)


def _has_magic(text: bytes | bytearray) -> bool:
    """Say whether a string begins with HYLL; a method of bytearray would take longer than all the rest of PFADD."""
    return text[0] == _H and text[1] == _Y and text[2] == _L and text[3] == _L


def is_dense(sketch: bytes | bytearray) -> bool:
    """Say which of the two encodings a sketch has."""
    return sketch[_ENCODING_AT] == _DENSE


def add(sketch: bytearray, element: bytes, sparse_max_bytes: int) -> i64:
    """Add an element: 1 where that changed a register, 0 where not, -1 where the sketch is broken.

    `sparse_max_bytes` is how long a sparse sketch may become before it is made dense.
    """
    high, low = _hash(element)
    # The hash without the bits that choose the register, and a one so that the run ends.
    rest: i64 = (high << 18) | (low >> 14) | (1 << 50)
    length: i64 = 1
    while rest & 1 == 0:
        rest >>= 1
        length += 1
    index: i64 = low & (REGISTERS - 1)
    encoding: i64 = sketch[_ENCODING_AT]
    if encoding == _DENSE:
        return 1 if _raise_dense(sketch, index, length) else 0
    return _raise_sparse(sketch, index, length, sparse_max_bytes)


def raise_registers(sketch: bytearray, registers: bytes, sparse_max_bytes: int) -> None:
    """Raise the registers of a sketch to these, none of which is smaller. A sparse sketch changes register by register.

    What it looks like in the end depends on the order, which is Redis'. (Redis: pfmergeCommand.)
    """
    index: i64 = 0
    while index < REGISTERS and sketch[_ENCODING_AT] == _SPARSE:
        value: i64 = registers[index]
        if value != 0:
            _raise_sparse(sketch, index, value, sparse_max_bytes)
        index += 1
    if sketch[_ENCODING_AT] == _DENSE:
        sketch[_HEADER_BYTES:] = _packed(registers)


def expire_estimate(sketch: bytearray) -> None:
    """Say that the last estimate is out of date."""
    sketch[_HEADER_BYTES - 1] |= _OUT_OF_DATE


def last_estimate(sketch: bytearray) -> int:
    """Return the last estimate, or -1 where it is out of date."""
    if sketch[_HEADER_BYTES - 1] & _OUT_OF_DATE != 0:
        return -1
    return int.from_bytes(sketch[_ESTIMATE_AT:_HEADER_BYTES], "little")


def keep_estimate(sketch: bytearray, estimate: int) -> None:
    """Keep an estimate, to be read by last_estimate()."""
    sketch[_ESTIMATE_AT:_HEADER_BYTES] = estimate.to_bytes(8, "little")


def make_dense(sketch: bytearray) -> bool:
    """Give a sketch the dense encoding, and say whether it could be: False where it is broken."""
    if sketch[_ENCODING_AT] == _DENSE:
        return True
    registers = read_registers(sketch)
    if registers is None:
        return False
    sketch[_HEADER_BYTES:] = _packed(registers)
    sketch[_ENCODING_AT] = _DENSE
    return True


def read_registers(sketch: bytes | bytearray) -> bytes | None:
    """Return the registers, one a byte, or None where the sketch is broken."""
    text = bytes(sketch)
    if text[_ENCODING_AT] == _DENSE:
        return _unpacked(text)
    writer = BytesWriter()
    left: i64 = REGISTERS
    at: i64 = _HEADER_BYTES
    end: i64 = len(text)
    while at < end and left >= 0:
        first: i64 = text[at]
        value: i64 = _value_of(first)
        run = _run_length(text, at)
        left -= run
        while run > 0:
            writer.append(u8(value))
            run -= 1
        at += _run_bytes(first)
    return writer.getvalue() if left == 0 else None


def largest(one: bytes, other: bytes) -> bytes:
    """Return for each register the larger of two, all of them at once as one long number.

    A byte with its highest bit set minus one without keeps that bit where it is not the smaller one; from the bit comes
    a mask of all the lower ones.
    """
    first = int.from_bytes(one, "little")
    second = int.from_bytes(other, "little")
    kept = ((first | _HIGH_BITS) - second) & _HIGH_BITS
    mask = kept - (kept >> 7)
    return (second ^ ((first ^ second) & mask)).to_bytes(REGISTERS, "little")


def estimate(registers: bytes) -> int:
    """Return how many elements registers stand for. (Redis: hllCount.)"""
    histogram = _histogram(registers)
    total = float(REGISTERS)
    harmonic = total * _tau((total - histogram[LARGEST_REGISTER]) / total)
    for value in range(LARGEST_REGISTER - 1, 0, -1):
        harmonic += histogram[value]
        harmonic *= 0.5
    harmonic += total * _sigma(histogram[0] / total)
    if harmonic == 0.0:
        return _BEYOND
    if math.isinf(harmonic):
        return 0
    elements = _ALPHA * total * total / harmonic
    return _rounded(elements) if elements < _BEYOND else _BEYOND


def describe_runs(sketch: bytearray) -> bytes:
    """Return the runs of a sparse sketch as PFDEBUG DECODE shows them: z:length Z:length v:value,length."""
    text = bytes(sketch)
    parts: list[bytes] = []
    at: i64 = _HEADER_BYTES
    end: i64 = len(text)
    while at < end:
        first: i64 = text[at]
        run = _run_length(text, at)
        if first >= 0x80:
            parts.append(b"v:%d,%d" % (_value_of(first), run))
        else:
            parts.append((b"Z:%d" if first >= 0x40 else b"z:%d") % run)
        at += _run_bytes(first)
    return b" ".join(parts)


def _raise_sparse(sketch: bytearray, index: i64, value: i64, sparse_max_bytes: int) -> i64:
    """Raise one register of a sparse sketch to `value`; see add() for what is returned. The sketch may become dense.

    (Redis: hllSparseSet.)
    """
    if value > _LARGEST_SPARSE:
        return _raise_as_dense(sketch, index, value)
    text = bytes(sketch)
    at, start, before = _find_run(text, index)
    if at < 0:
        return -1
    first: i64 = text[at]
    run = _run_length(text, at)
    if first >= 0x80 and _value_of(first) >= value:
        return 0
    if run == 1 and (first >= 0x80 or first < 0x40):
        sketch[at] = _value_run(value, 1)
    else:
        parted = _parted(first, run, index - start, value)
        growth = len(parted) - _run_bytes(first)
        if growth > 0 and len(sketch) + growth > sparse_max_bytes:
            return _raise_as_dense(sketch, index, value)
        sketch[at : at + _run_bytes(first)] = parted
    _join_runs(sketch, before)
    expire_estimate(sketch)
    return 1


def _raise_as_dense(sketch: bytearray, index: i64, value: i64) -> i64:
    if not make_dense(sketch):
        return -1
    return 1 if _raise_dense(sketch, index, value) else 0


def _raise_dense(sketch: bytearray, index: i64, value: i64) -> bool:
    bit = index * 6
    at = _HEADER_BYTES + (bit >> 3)
    shift = bit & 7
    pair: i64 = sketch[at]
    # The last register does not reach into a byte behind it.
    if shift > 2:
        pair |= i64(sketch[at + 1]) << 8
    if (pair >> shift) & 63 >= value:
        return False
    pair = (pair & ~(63 << shift)) | (value << shift)
    sketch[at] = pair & 0xFF
    if shift > 2:
        sketch[at + 1] = pair >> 8
    return True


def _find_run(text: bytes, index: i64) -> tuple[i64, i64, i64]:
    """Return where the run of a register stands, its first register, and where the run before it stands.

    The first is -1 where no run holds the register; the first run counts as the one before itself.
    """
    at: i64 = _HEADER_BYTES
    end: i64 = len(text)
    before = at
    start: i64 = 0
    while at < end:
        run = _run_length(text, at)
        if index < start + run:
            return at, start, before
        before = at
        start += run
        at += _run_bytes(text[at])
    return -1, start, before


def _run_length(text: bytes, at: i64) -> i64:
    """Return how many registers the run at a position stands for. A missing second byte counts as 0."""
    first: i64 = text[at]
    if first >= 0x80:
        return (first & 3) + 1
    if first < 0x40:
        return first + 1
    second: i64 = text[at + 1] if at + 1 < len(text) else 0
    return ((first & 0x3F) << 8 | second) + 1


def _run_bytes(first: i64) -> i64:
    return 2 if 0x40 <= first < 0x80 else 1


def _value_of(first: i64) -> i64:
    """Return the value of the registers of a run, by its first byte."""
    return ((first >> 2) & 0x1F) + 1 if first >= 0x80 else 0


def _value_run(value: i64, length: i64) -> int:
    return int(0x80 | (value - 1) << 2 | (length - 1))


def _zero_run(length: i64) -> bytes:
    if length > _LONGEST_ZERO:
        return bytes([0x40 | (length - 1) >> 8, (length - 1) & 0xFF])
    return bytes([length - 1])


def _parted(first: i64, run: i64, index: i64, value: i64) -> bytes:
    """Return the runs that replace one, whose register at `index` gets a value of its own."""
    after = run - index - 1
    middle = bytes([_value_run(value, 1)])
    if first >= 0x80:
        old = _value_of(first)
        left = bytes([_value_run(old, index)]) if index != 0 else b""
        return left + middle + (bytes([_value_run(old, after)]) if after != 0 else b"")
    left = _zero_run(index) if index != 0 else b""
    return left + middle + (_zero_run(after) if after != 0 else b"")


def _join_runs(sketch: bytearray, at: i64) -> None:
    """Join equal runs of values that follow each other, among the few from `at` on."""
    for _ in range(_JOINED_RUNS):
        if at >= len(sketch):
            return
        first: i64 = sketch[at]
        if first < 0x80:
            at += _run_bytes(first)
            continue
        second: i64 = sketch[at + 1] if at + 1 < len(sketch) else 0
        length = (first & 3) + (second & 3) + 2
        if second >= 0x80 and _value_of(first) == _value_of(second) and length <= _LONGEST_VALUE:
            sketch[at + 1] = _value_run(_value_of(first), length)
            del sketch[at]
        else:
            at += 1


def _packed(registers: bytes) -> bytes:
    writer = BytesWriter()
    at: i64 = 0
    while at < REGISTERS:
        four: i64 = i64(read_i32_le(registers, at))
        packed = (four & 63) | (four >> 2 & 0xFC0) | (four >> 4 & 0x3F000) | (four >> 6 & 0xFC0000)
        writer.append(u8(packed & 0xFF))
        writer.append(u8(packed >> 8 & 0xFF))
        writer.append(u8(packed >> 16))
        at += 4
    return writer.getvalue()


def _unpacked(text: bytes) -> bytes:
    writer = BytesWriter()
    at: i64 = _HEADER_BYTES
    while at < _DENSE_BYTES:
        one: i64 = text[at]
        two: i64 = text[at + 1]
        three: i64 = text[at + 2]
        writer.append(u8(one & 63))
        writer.append(u8((one >> 6 | two << 2) & 63))
        writer.append(u8((two >> 4 | three << 4) & 63))
        writer.append(u8(three >> 2))
        at += 3
    return writer.getvalue()


def _histogram(registers: bytes) -> list[int]:
    """Return how many registers have each value up to 63. They are counted in bytes, which are carried when full."""
    counts = BytesWriter()
    counts.write(bytes(64))
    carried: list[int] = [0] * 64
    at: i64 = 0
    while at < REGISTERS:
        value: i64 = registers[at]
        count: i64 = i64(counts[value])
        if count == 0xFF:
            carried[value] += 0x100
            counts[value] = 0
        else:
            counts[value] = u8(count + 1)
        at += 1
    rest = counts.getvalue()
    return [carried[value] + rest[value] for value in range(64)]


def _sigma(x: float) -> float:
    if x == 1.0:
        return math.inf
    weight = 1.0
    total = x
    before = -1.0
    while before != total:
        x *= x
        before = total
        total += x * weight
        weight += weight
    return total


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    weight = 1.0
    total = 1.0 - x
    before = -1.0
    while before != total:
        x = math.sqrt(x)
        before = total
        weight *= 0.5
        total -= (1.0 - x) * (1.0 - x) * weight
    return total / 3.0


def _rounded(value: float) -> int:
    """Return the nearest integer, halves away from zero."""
    whole = int(value)
    return whole + 1 if value - whole >= 0.5 else whole


def _hash(data: bytes) -> tuple[i64, i64]:
    """Return MurmurHash64A of `data` as its upper and its lower 32 bits, with the seed that Redis has chosen."""
    length: i64 = len(data)
    high, low = _times(0, length & _LOW_32)
    low ^= 0xADC83B19
    at: i64 = 0
    while at + 8 <= length:
        block_low: i64 = i64(read_i32_le(data, at)) & _LOW_32
        block_high: i64 = i64(read_i32_le(data, at + 4)) & _LOW_32
        block_high, block_low = _times(block_high, block_low)
        # A shift by 47 bits leaves 17, which lie in the lower half.
        block_low ^= block_high >> 15
        block_high, block_low = _times(block_high, block_low)
        high, low = _times(high ^ block_high, low ^ block_low)
        at += 8
    if at < length:
        for place in range(length - at):
            byte: i64 = i64(data[at + place])
            if place < 4:
                low ^= byte << (8 * place)
            else:
                high ^= byte << (8 * place - 32)
        high, low = _times(high, low)
    low ^= high >> 15
    high, low = _times(high, low)
    return high, low ^ (high >> 15)


def _times(high: i64, low: i64) -> tuple[i64, i64]:
    """Return a number of 64 bits times MurmurHash64A's 0xC6A4A7935BD1E995, without what overflows.

    Both are in halves, and the lower one is multiplied in halves again: so no product leaves a signed 64-bit integer,
    and compiled code needs no others.
    """
    near: i64 = low & 0xFFFF
    far: i64 = low >> 16
    crossed: i64 = far * 0x5BD1E995
    bottom: i64 = near * 0x5BD1E995 + ((crossed & 0xFFFF) << 16)
    top: i64 = (bottom >> 32) + (crossed >> 16)
    top += near * 0xC6A4A793 + ((far * 0xC6A4A793 & 0xFFFF) << 16)
    top += (high & 0xFFFF) * 0x5BD1E995 + (((high >> 16) * 0x5BD1E995 & 0xFFFF) << 16)
    return top & _LOW_32, bottom & _LOW_32
