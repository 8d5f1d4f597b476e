import math

import pytest

from trivet_node.values import listpack
from trivet_node.values.doubles import parse_bound, parse_double, score_at, score_entry

_NUMBERS = {
    b"0": 0.0,
    b"-7": -7.0,
    b"007": 7.0,
    b"123456789012345": 123456789012345.0,
    b"12345678901234567890": 12345678901234567000.0,
    b".5": 0.5,
    b"5.": 5.0,
    b"+1e3": 1000.0,
    b"4.9e-324": 5e-324,
    b"0x10": 16.0,
    b"-0x.8p1": -1.0,
    b"INF": math.inf,
    b"-infinity": -math.inf,
    b"0e999": 0.0,
}
_NO_NUMBERS = [
    *[b"", b"-", b".", b"1e", b"nan", b"1_0", b" 1", b"1 ", b"1\0", b"\x001", b"0x", b"infi", b"1e400", b"1e-400"],
    *[b"0x1p-1080", b"0x1p99999999999999999999", b"-1e999", "٣".encode()],
]


def test_arguments_are_read_as_redis_does() -> None:
    assert {text: parse_double(text) for text in _NUMBERS} == _NUMBERS
    assert [text for text in _NO_NUMBERS if parse_double(text) is not None] == []
    negative_zero = parse_double(b"-0")
    assert negative_zero is not None and math.copysign(1, negative_zero) == -1


def test_bounds_are_read_as_strtod_does() -> None:
    bounds = {b"": 0.0, b" \t1": 1.0, b"1\0x": 1.0, b"1e400": math.inf, b"-0x1p5000": -math.inf, b"1e-400": 0.0}
    assert {text: parse_bound(text) for text in bounds} == bounds
    assert [text for text in (b" ", b"1 ", b"nan", b"x", b"1x") if parse_bound(text) is not None] == []


@pytest.mark.parametrize(
    ("score", "text"),
    [
        *[(0.0, b"0"), (-0.0, b"0"), (-5.0, b"-5"), (1e17, b"100000000000000000"), (2.0**62, b"4611686018427387904")],
        *[(9.3e18, b"9.3000000000000000e+18"), (0.1, b"0.10000000000000001"), (math.inf, b"inf"), (-math.inf, b"-inf")],
    ],
)
def test_scores_stand_in_listpacks_as_redis_writes_them(score: float, text: bytes) -> None:
    entry = score_entry(score)
    pack = listpack.splice(listpack.EMPTY, listpack.FIRST, listpack.FIRST, entry, 1)
    assert float(listpack.text(pack, listpack.FIRST)) == score_at(pack, listpack.FIRST) == score
    if b"e+18" not in text:
        assert listpack.texts(pack) == [text]
    assert listpack.is_integer(pack, listpack.FIRST) == text.lstrip(b"-").isdigit()
