"""What the commands add to the values: who hears of a change, and that nobody does where nothing changed."""

import pytest

from tests.node.engines import Node


def test_a_write_without_effect_is_none() -> None:
    node = Node()
    node.asks("SET number 12")
    node.keep_stream()
    assert node.asks("SETBIT number 0 0") == 0
    assert node.asks("BITFIELD number GET u8 0 SET u8 0 49") == [49, 49]
    assert node.asks("OBJECT ENCODING number") == b"raw"
    assert node.asks("BITFIELD missing OVERFLOW FAIL INCRBY u2 0 4") == [None]
    assert node.asks("GET missing") == b"\0"
    assert node.stream() == []
    assert node.asks("SETBIT number 100 0") == 0
    assert node.stream() == [[b"SELECT", b"0"], [b"SETBIT", b"number", b"100", b"0"]]


def test_bitop_of_nothing_deletes_its_destination() -> None:
    node = Node()
    node.asks("SET destination x")
    assert node.asks("BITOP AND destination none neither") == 0
    assert node.asks("EXISTS destination") == 0
    node.asks("SET one abc")
    assert node.asks("BITOP NOT destination one") == 3
    assert node.asks("BITOP XOR destination destination one") == 3
    assert node.asks("GET destination") == b"\xff\xff\xff"


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("SETBIT key 4294967296 1", "ERR bit offset is not an integer or out of range"),
        ("SETBIT key 0 2", "ERR bit is not an integer or out of range"),
        ("GETBIT key -1", "ERR bit offset is not an integer or out of range"),
        ("BITFIELD key GET u64 0", "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not"),
        ("BITFIELD key SET i64 #67108864 1", "ERR bit offset is not an integer or out of range"),
        ("BITFIELD_RO key SET i8 0 1", "ERR BITFIELD_RO only supports the GET subcommand"),
        ("BITPOS key 2", "ERR The bit argument must be 1 or 0."),
        ("BITCOUNT list", "WRONGTYPE Operation against a key holding the wrong kind of value"),
    ],
)
def test_errors(request_: str, reply: str) -> None:
    node = Node()
    node.asks("RPUSH list a")
    assert node.asks(request_).startswith(reply)
    assert node.asks("EXISTS key") == 0


def test_the_first_zero_may_lie_behind_the_string() -> None:
    node = Node()
    node.ask("SET", "ones", b"\xff\xff")
    assert node.asks("BITPOS ones 0") == 16
    assert node.asks("BITPOS ones 0 0") == 16
    assert node.asks("BITPOS ones 0 0 -1") == -1
    assert node.asks("BITPOS ones 0 5") == -1
    assert node.asks("BITPOS ones 1 3 8 BIT") == 3
    assert node.asks("BITCOUNT ones 3 8 BIT") == 6
