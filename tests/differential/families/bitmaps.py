"""Bitmaps and bit fields."""

from typing import Final

from tests.differential.generator import Arguments, Form, Generator, form

_OFFSETS: Final = [
    *[b"0", b"1", b"7", b"8", b"63", b"64", b"100", b"4294967295", b"4294967296", b"-1", b"x", b"", b"1 "],
    *[b"9223372036854775807", b"9223372036854775808"],
]
_FIELD_OFFSETS: Final = [b"#0", b"#1", b"#3", b"#17", b"#", b"#-1", b"#x", b"##1"]
# Products of these and widths leave 64 bits.
_WIDE_OFFSETS: Final = [b"#4611686018427387904", b"#9223372036854775807", b"#1152921504606846976"]
_TYPES: Final = [
    *[b"u1", b"i1", b"u2", b"i5", b"u8", b"i8", b"u16", b"i16", b"u31", b"i32", b"u33", b"i63", b"u63", b"i64"],
    *[b"u64", b"i65", b"u0", b"i0", b"U8", b"8", b"", b"u", b"i-1", b"u8\x00x", b"u 8", b"u08"],
]
_NUMBERS: Final = [
    *[b"0", b"1", b"-1", b"2", b"-2", b"127", b"128", b"-128", b"-129", b"255", b"256", b"65535", b"-32768"],
    *[b"2147483647", b"4294967296", b"4611686018427387904", b"9223372036854775807", b"-9223372036854775808"],
]
_WHOLE: Final = [b"\xff" * 40, b"\x00" * 40, b"\xff" * 7 + b"\xfe", b"\x00" * 9 + b"\x01", bytes(range(256)) * 2]


def _offset(gen: Generator) -> bytes:
    # A bit far away would make half a gigabyte; what is beyond the limit is refused.
    return gen.random.choice(_OFFSETS) if gen.random.random() < 0.2 else b"%d" % gen.random.randrange(400)


def _write_offset(gen: Generator) -> bytes:
    offset = _offset(gen)
    return b"99" if offset == b"4294967295" else offset


def _field_offset(gen: Generator) -> bytes:
    if gen.random.random() < 0.4:
        return gen.random.choice(_FIELD_OFFSETS if gen.random.random() < 0.9 else _WIDE_OFFSETS)
    return _write_offset(gen)


def _bit(gen: Generator) -> bytes:
    return (
        gen.random.choice((b"2", b"-1", b"", b"x", b"01", gen.integer()))
        if gen.random.random() < 0.1
        else b"01"[(place := gen.random.randrange(2)) : place + 1]
    )


def _range(gen: Generator) -> list[bytes]:
    arguments = [gen.position() for _ in range(gen.random.choice((0, 1, 2, 2, 2)))]
    if len(arguments) == 2 and gen.random.random() < 0.6:
        arguments.append(gen.option(b"BIT", b"BIT", b"BYTE", b"BITS"))
    return arguments


def _bitcount(gen: Generator) -> Arguments:
    return (b"BITCOUNT", gen.key(), *_range(gen))


def _bitpos(gen: Generator) -> Arguments:
    return (b"BITPOS", gen.key(), _bit(gen), *_range(gen))


def _bitop(gen: Generator) -> Arguments:
    return (b"BITOP", gen.option(b"AND", b"OR", b"XOR", b"NOT", b"NAND"), gen.key(), *gen.some_keys())


def _bitnot(gen: Generator) -> Arguments:
    return (b"BITOP", gen.option(b"NOT"), gen.key(), gen.key())


def _type(gen: Generator) -> bytes:
    if gen.random.random() < 0.6:
        return gen.random.choice((b"u%d", b"i%d")) % gen.random.randint(1, 63)
    return gen.random.choice(_TYPES)


def _number(gen: Generator) -> bytes:
    return gen.integer() if gen.random.random() < 0.2 else gen.random.choice(_NUMBERS)


def _operation(gen: Generator) -> list[bytes]:
    word = gen.option(b"GET", b"SET", b"SET", b"INCRBY", b"INCRBY", b"OVERFLOW", b"OVERFLOW", b"POKE")
    name = word.partition(b"\x00")[0].upper()
    if name == b"OVERFLOW":
        return [word, gen.option(b"WRAP", b"SAT", b"FAIL", b"NONE") if gen.random.random() < 0.2 else _mode(gen)]
    arguments = [word, _type(gen), _field_offset(gen)]
    return arguments if name == b"GET" else [*arguments, _number(gen)]


def _mode(gen: Generator) -> bytes:
    return gen.option(b"WRAP", b"SAT", b"FAIL")


def _bitfield(gen: Generator) -> Arguments:
    operations = [_operation(gen) for _ in range(gen.random.choice((0, 1, 1, 2, 3, 5)))]
    return (b"BITFIELD", gen.key(), *[argument for operation in operations for argument in operation])


def _sound_bitfield(gen: Generator) -> Arguments:
    """Return a BITFIELD of operations without a fault, which happen all at once or not at all."""
    arguments: list[bytes] = []
    for _ in range(gen.random.choice((1, 2, 4))):
        if gen.random.random() < 0.5:
            arguments += [gen.option(b"OVERFLOW"), _mode(gen)]
        kind = gen.random.choice((b"u%d", b"i%d")) % gen.random.choice((1, 2, 3, 7, 8, 13, 16, 33, 62, 63))
        offset = gen.random.choice((b"%d", b"#%d")) % gen.random.randrange(20)
        arguments += [gen.option(b"SET", b"INCRBY"), kind, offset, gen.random.choice(_NUMBERS)]
    return (b"BITFIELD", gen.key(), *arguments)


def _bitfield_ro(gen: Generator) -> Arguments:
    arguments: list[bytes] = []
    for _ in range(gen.random.choice((1, 2, 3))):
        arguments += [gen.option(b"GET"), _type(gen), _field_offset(gen)]
    return (b"BITFIELD_RO", gen.key(), *(arguments if gen.random.random() < 0.9 else _operation(gen)))


def _whole(gen: Generator) -> Arguments:
    return (b"SET", gen.key(), gen.random.choice(_WHOLE))


_KEY: Final = Generator.key
FORMS: Final[list[Form]] = [
    *[form(b"SETBIT", _KEY, _write_offset, _bit)] * 4,
    *[form(b"GETBIT", _KEY, _offset)] * 2,
    *[_bitcount, _bitcount, _bitpos, _bitpos, _bitpos, _bitop, _bitop, _bitop, _bitnot, _whole],
    *[_bitfield, _bitfield, _sound_bitfield, _sound_bitfield, _sound_bitfield, _bitfield_ro],
    form(b"GET", _KEY),
]
