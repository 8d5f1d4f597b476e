"""HyperLogLogs. What they are stored as is compared by GET, byte for byte."""

from typing import Final

from tests.differential.generator import Arguments, Form, Generator, form, many_keys

_HEADER: Final = b"HYLL\x01\x00\x00\x00" + b"\x00" * 7 + b"\x80"
# Sketches, sound and broken, that were not made by PFADD.
_TEXTS: Final = [
    *[
        _HEADER + b"\x7f\xff",
        _HEADER + b"\x7f\xfe\x80",
        _HEADER + b"\x3f" * 255 + b"\x3e\xfc",
        _HEADER + b"\x83" * 4096,
    ],
    *[
        _HEADER + b"\x84\x7f\xfb\x88\x8c\x90",
        _HEADER,
        _HEADER + b"\x7f\xff\x80",
        _HEADER + b"\x00" * 9,
    ],
    *[_HEADER + b"\x88\x88\x88\x88\x7f\xfb", _HEADER[:15], b"HYLL", b"HYLK" + _HEADER[4:] + b"\x7f\xff"],
    *[b"HYLL\x02" + _HEADER[5:] + b"\x7f\xff", b"HYLL\x00" + _HEADER[5:] + b"\x00" * 12288],
    *[b"HYLL\x00" + _HEADER[5:] + b"\x41\x10\x04" * 4096, b"HYLL\x00" + _HEADER[5:] + b"\x00" * 12287],
    *[b"HYLL\x00" + _HEADER[5:] + b"\xff" * 12288, b"HYLL\x00" + _HEADER[5:] + b"\xf3\x3c\xcf" * 4096],
    *[
        b"HYLL\x01\x01\x02\x03" + b"\x05" + b"\x00" * 7 + b"\x7f\xff",
        b"HYLL\x00" + _HEADER[5:] + bytes(range(192)) * 64,
    ],
]


def _elements(gen: Generator) -> list[bytes]:
    if gen.random.random() < 0.2:
        return [gen.value() for _ in range(gen.random.choice((0, 1, 3)))]
    length = gen.random.choice((1, 1, 2, 5, 20, 100, 600))
    return [b"%d" % gen.random.randrange(10**5) for _ in range(length)]


def _pfadd(gen: Generator) -> Arguments:
    return (b"PFADD", gen.key(), *_elements(gen))


def _pfmerge(gen: Generator) -> Arguments:
    return (b"PFMERGE", gen.key(), *gen.some_keys())


def _pfdebug(gen: Generator) -> Arguments:
    return (
        b"PFDEBUG",
        gen.option(b"GETREG", b"DECODE", b"DECODE", b"ENCODING", b"ENCODING", b"TODENSE", b"X"),
        gen.key(),
    )


def _set(gen: Generator) -> Arguments:
    return (b"SET", gen.key(), gen.random.choice(_TEXTS))


_KEY: Final = Generator.key
FORMS: Final[list[Form]] = [
    *[_pfadd] * 6,
    *[_pfmerge, _pfmerge, _pfdebug, _pfdebug, many_keys(b"PFCOUNT"), form(b"PFMERGE", _KEY), _set],
    *[form(name, _KEY) for name in (b"PFCOUNT", b"PFCOUNT", b"PFCOUNT", b"GET", b"GET", b"STRLEN")],
]
