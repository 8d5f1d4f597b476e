"""HyperLogLog sketches: their hash, their bytes and how well they count."""

import math
import random

from trivet_node.values import hyperloglog

_NO_LIMIT = 1 << 20


def _sketch(elements: list[bytes], sparse_max_bytes: int = 3000) -> bytearray:
    sketch = hyperloglog.new_sketch()
    for element in elements:
        hyperloglog.add(sketch, element, sparse_max_bytes)
    return sketch


def _estimate(sketch: bytearray) -> int:
    registers = hyperloglog.read_registers(sketch)
    assert registers is not None
    return hyperloglog.estimate(registers)


def _murmur(data: bytes) -> int:
    """MurmurHash64A as it is written down, in numbers without end."""
    factor, mask = 0xC6A4A7935BD1E995, 2**64 - 1
    value = 0xADC83B19 ^ len(data) * factor & mask
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        block = int.from_bytes(data[at : at + 8], "little") * factor & mask
        block = (block ^ block >> 47) * factor & mask
        value = (value ^ block) * factor & mask
    if whole != len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * factor & mask
    value = (value ^ value >> 47) * factor & mask
    return value ^ value >> 47


def test_the_hash_is_murmurs() -> None:
    choice = random.Random(1)
    for length in range(70):
        data = choice.randbytes(length)
        high, low = hyperloglog._hash(data)
        assert high << 32 | low == _murmur(data)


def test_a_sketch_has_the_bytes_that_redis_makes() -> None:
    sketch = _sketch([b"a", b"b", b"c", b"d", b"e", b"f", b"g"])
    # What GET returns of redis-server 7.0.15 after PFADD key a b c d e f g.
    assert sketch.hex() == "48594c4c010000000000000000000080466d80560c80443c84388050b184498c80426d80425a"


def test_encodings_hold_the_same_registers() -> None:
    elements = [b"%d" % number for number in range(2000)]
    sparse = _sketch(elements, _NO_LIMIT)
    dense = _sketch(elements)
    assert (hyperloglog.is_dense(sparse), hyperloglog.is_dense(dense)) == (False, True)
    assert len(_sketch(elements[:500])) <= 3000
    assert hyperloglog.read_registers(sparse) == hyperloglog.read_registers(dense)
    assert hyperloglog.make_dense(sparse)
    assert sparse == dense


def test_registers_are_merged_by_the_larger_one() -> None:
    choice = random.Random(2)
    one, other = (bytes(choice.randrange(64) for _ in range(hyperloglog.REGISTERS)) for _ in range(2))
    assert hyperloglog.largest(one, other) == bytes(map(max, one, other))


def test_estimates_err_by_what_theory_promises() -> None:
    """The standard error is 1.04 / sqrt(16384) = 0.81 %: over many sketches the mean square of the errors shows it."""
    choice = random.Random(3)
    for count in (100, 3_000):
        errors = []
        for _ in range(20):
            salt = choice.randbytes(6)
            # No byte is enough for a sparse sketch: it is dense from the beginning.
            errors.append(_estimate(_sketch([salt + b"%d" % number for number in range(count)], 0)) / count - 1)
        assert math.sqrt(sum(error * error for error in errors) / len(errors)) < 0.0081 * 1.5
        assert abs(sum(errors) / len(errors)) < 0.0081


def test_estimates_at_the_ends() -> None:
    assert hyperloglog.estimate(bytes(hyperloglog.REGISTERS)) == 0
    assert hyperloglog.estimate(b"\x33" * hyperloglog.REGISTERS) == 2**63
    assert hyperloglog.estimate(b"\x32\x33" * (hyperloglog.REGISTERS // 2)) == 2**63
    assert hyperloglog.estimate(b"\x01" + bytes(hyperloglog.REGISTERS - 1)) == 1


def test_what_is_no_sketch_is_told() -> None:
    sketch = bytes(_sketch([b"a"]))
    assert hyperloglog.is_sketch(sketch)
    for broken in (b"", sketch[:15], b"HYLX" + sketch[4:], sketch[:4] + b"\x02" + sketch[5:], sketch[:4] + b"\0" * 50):
        assert not hyperloglog.is_sketch(broken)
    for runs in (b"", b"\x7f\xfe", b"\x7f\xff\x80", b"\x7f"):
        broken_sketch = bytearray(sketch[:16] + runs)
        assert hyperloglog.read_registers(broken_sketch) is None
        assert not hyperloglog.make_dense(broken_sketch)
    assert hyperloglog.add(bytearray(sketch[:16]), b"a", 3000) == -1
