"""cjson, cmsgpack, struct and bit beside redis-server's, with values made from a seed: the same results and errors."""

import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.differential.test_scripts import Ours, Real
from tests.processes import start_redis_server

CASES: Final = 250
# Describes any value of Lua in full, tables in the order of their keys.
DESCRIBE: Final = """
local function describe(value, depth)
  if type(value) == 'number' then return string.format('%.17g', value) end
  if type(value) == 'string' then return string.format('%q', value) end
  if type(value) ~= 'table' or depth > 40 then return tostring(value) end
  local parts = {}
  for key, element in pairs(value) do
    parts[#parts + 1] = '[' .. describe(key, depth + 1) .. ']=' .. describe(element, depth + 1)
  end
  table.sort(parts)
  return '{' .. table.concat(parts, ',') .. '}'
end
local function tried(...)
  local parts = {}
  for index = 1, select('#', ...) do parts[index] = describe((select(index, ...)), 0) end
  return table.concat(parts, ' ')
end
local out = {}
for index, given in ipairs(ARGV) do out[index] = tried(pcall(function() BODY end)) end
return out
"""


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ours, Real]]:
    with start_redis_server(tmp_path_factory.mktemp("libraries")) as server:
        real = Real(server)
        yield Ours(), real
        real.close()


def assert_same(sides: tuple[Ours, Real], body: str, cases: list[bytes]) -> None:
    script = DESCRIBE.replace("BODY", body)
    ours, real = (side.ask("EVAL", script, 0, *cases) for side in sides)
    assert len(real.items()) == len(cases), real
    for case, one, other in zip(cases, ours.items(), real.items(), strict=True):
        assert one == other, (body, case)


def literal(chance: random.Random, depth: int = 0) -> str:
    """Return an expression of Lua."""
    kind = chance.randrange(5 if depth > 3 else 9)
    if kind == 0:
        return chance.choice(["true", "false", "nil", "cjson.null", "''"])
    if kind in (1, 2):
        return number(chance)
    if kind in (3, 4):
        return (
            '"'
            + "".join(f"\\{chance.choice((0, 10, 34, 47, 92, 127, 200, 97, 98))}" for _ in range(chance.randrange(40)))
            + '"'
        )
    parts = [literal(chance, depth + 1) for _ in range(chance.choice((0, 1, 2, 3, 17)))]
    if kind == 5:
        parts = [f"[{chance.choice((1, 2, 3, 9, 11, -1, 1.5))}]={part}" for part in parts]
    elif kind == 6:
        parts = [f"k{index}={part}" for index, part in enumerate(parts)]
    return "{" + ",".join(parts) + "}"


def number(chance: random.Random) -> str:
    """Return a number, often one at the edge of some form."""
    edge = chance.choice((0, 2**5, 2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**53, 2**63)) + chance.choice((-1, 0, 1))
    return chance.choice(
        [
            str(edge),
            str(-edge),
            str(edge / 4),
            repr(chance.uniform(-1e6, 1e6)),
            repr(chance.uniform(-1, 1) * 10.0 ** chance.randint(-300, 300)),
            chance.choice(("1/0", "-1/0", "1e308", "2^64", "0.1")),
        ]
    )


def json_text(chance: random.Random) -> bytes:
    """Return JSON, or what one or two slips have made of it."""

    def value(depth: int) -> Any:
        kind = chance.randrange(6 if depth > 3 else 8)
        if kind == 6:
            return [value(depth + 1) for _ in range(chance.randrange(5))]
        if kind == 7:
            return {chance.choice("abcde"): value(depth + 1) for _ in range(chance.randrange(5))}
        return [None, True, chance.randint(-(10**18), 10**18), chance.uniform(-1e9, 1e9), 'é\n"/\\\u0001😀', "plain"][
            kind
        ]

    text = bytearray(json.dumps(value(0), indent=chance.choice((None, 1)), ensure_ascii=chance.random() < 0.5).encode())
    for _ in range(chance.choice((0, 0, 1, 2))):
        place = chance.randrange(len(text))
        text[place : place + chance.randrange(2)] = chance.choice(
            (
                b"",
                b",",
                b"}",
                b"]",
                b'"',
                b"\\",
                b"x",
                b"-",
                b"0x1f",
                b"nan",
                b"1e5",
                b"\0",
                b"\\u12",
                b"\\ud800",
                b":",
                b"e",
                b".",
            )
        )
    return bytes(text)


def packed_bytes(chance: random.Random) -> bytes:
    """Return MessagePack, or something like it."""
    marks = (0x00, 0x7F, 0x80, 0x81, 0x90, 0x93, 0xA0, 0xA3, *range(0xC0, 0xE0), 0xE0, 0xFF)
    return b"".join(
        bytes([chance.choice(marks)])
        + chance.choice((b"", b"\1", b"\0\2", b"\xff\xfe\xfd\xfc", struct.pack(">d", 1.5)))
        for _ in range(chance.randrange(1, 12))
    )


def struct_format(chance: random.Random) -> str:
    """Return a format of struct, often a right one."""
    options = [chance.choice((*"bBhHlLTfdxs<>! ", *RARE_OPTIONS)) for _ in range(chance.randrange(1, 7))]
    return "".join(options)


def bit_operation(chance: random.Random) -> bytes:
    name = chance.choice(BIT_OPERATIONS)
    operands = ",".join(number(chance).replace("1/0", "7") for _ in range(2))
    return f"{name}({operands})".encode()


def packing(chance: random.Random) -> bytes:
    values = [chance.choice((number(chance), "'abcde'")) for _ in range(6)]
    return ",".join([f"'{struct_format(chance)}'", *values]).encode()


def data_and_format(chance: random.Random) -> bytes:
    return bytes(chance.choice((0, 1, 127, 128, 255)) for _ in range(20)) + struct_format(chance).encode()


BIT_OPERATIONS: Final = (
    *("tobit", "bnot", "band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror", "bswap", "tohex"),
)
RARE_OPTIONS: Final = ("i1", "i3", "I2", "I8", "i16", "I16", "i33", "c0", "c1", "c4", "!2", "!4", "!8", "!3", "y", "i0")
CALLS: Final[dict[str, Callable[[random.Random], bytes]]] = {
    "local text = cjson.encode(loadstring('return ' .. given)()) return text": lambda chance: literal(chance).encode(),
    "return cjson.decode(given)": json_text,
    "local text = cmsgpack.pack(loadstring('return ' .. given)()) return text": lambda chance: literal(chance).encode(),
    "return cmsgpack.unpack(given)": packed_bytes,
    "return cmsgpack.unpack_one(given, 1)": packed_bytes,
    "return cmsgpack.unpack_limit(given, 2, 1)": packed_bytes,
    "return struct.size(given)": lambda chance: struct_format(chance).encode(),
    "return loadstring('return struct.pack(' .. given .. ')')()": packing,
    "return struct.unpack(given:sub(21), given:sub(1, 20), 2)": data_and_format,
    "return loadstring('return bit.' .. given)()": bit_operation,
    "return tostring(loadstring('return ' .. given)())": lambda chance: number(chance).encode(),
    "return redis.call('ECHO', loadstring('return ' .. given)())": lambda chance: number(chance).encode(),
}


@pytest.mark.parametrize("body", CALLS)
def test_results_and_errors_are_the_same(sides: tuple[Ours, Real], body: str) -> None:
    chance = random.Random(body)
    assert_same(sides, body, [CALLS[body](chance) for _ in range(CASES)])
