"""Numbers at the ends of 64 bits, where commands take positions and counts: what compiled code must not overflow on."""

import pytest

from tests.node.engines import Node
from trivet_node.keyspace import EXPIRE_HIDES

HIGH, LOW = str(2**63 - 1), str(-(2**63))


@pytest.mark.parametrize(
    ("request_text", "reply"),
    [
        (f"LRANGE l 0 {HIGH}", [b"a", b"b", b"c"]),
        (f"LRANGE l {LOW} {HIGH}", [b"a", b"b", b"c"]),
        (f"LRANGE l {HIGH} {HIGH}", []),
        (f"LRANGE l {LOW} {LOW}", []),
        (f"LTRIM l {LOW} {HIGH}", b"OK"),
        (f"LINDEX l {LOW}", None),
        (f"LREM l {LOW} x", 0),
        (f"LPOS l a COUNT 0 MAXLEN {HIGH}", [0]),
        (f"LPOP l {HIGH}", [b"a", b"b", b"c"]),
        (f"ZRANGE z {LOW} {HIGH}", [b"a", b"b"]),
        (f"ZREVRANGE z 0 {HIGH}", [b"b", b"a"]),
        (f"ZRANGEBYSCORE z -inf inf LIMIT 1 {HIGH}", [b"b"]),
        (f"ZRANGEBYSCORE z -inf inf LIMIT {HIGH} {HIGH}", []),
        (f"ZREMRANGEBYRANK z {HIGH} {LOW}", 0),
        (f"ZPOPMIN z {HIGH}", [b"a", b"1", b"b", b"2"]),
        (f"GETRANGE s {LOW} {HIGH}", b"text"),
        (f"BITCOUNT s {LOW} {HIGH}", 16),
        (f"BITPOS s 1 {LOW} {HIGH}", 1),
        (f"SRANDMEMBER i {HIGH}", [b"1"]),
        (f"SINTERCARD 1 i LIMIT {HIGH}", 1),
        (f"SORT l LIMIT 1 {HIGH} ALPHA", [b"b", b"c"]),
        (f"XRANGE x - + COUNT {HIGH}", [[b"1-1", [b"f", b"v"]]]),
        (f"SSCAN i 0 COUNT {HIGH}", [b"0", [b"1"]]),
        (f"HINCRBY h f {HIGH}", 2**63 - 1),
    ],
)
def test_the_largest_numbers(request_text: str, reply: object) -> None:
    node = Node()
    setup = ("RPUSH l a b c", "ZADD z 1 a 2 b", "SET s text", "SADD i 1", "XADD x 1-1 f v")
    for line in setup:
        node.asks(line)
    assert node.asks(request_text) == reply


def test_counters_of_a_restored_stream_go_on_from_the_largest_number() -> None:
    node = Node()
    node.asks("XADD x 1-1 f v")
    node.asks(f"XSETID x 1-1 ENTRIESADDED {HIGH} MAXDELETEDID 0-0")
    stream = node.database.find(b"x")
    stream.entries_added = 2**64 - 1  # type: ignore[attr-defined]
    node.asks("XADD x 2-1 f v")
    assert isinstance(node.asks("DUMP x"), bytes)


def test_a_write_on_a_replica_takes_the_passed_deadline_away() -> None:
    node = Node()
    node.asks("SET k old PX 10")
    node.wait(11)
    node.keyspace.expire_mode = EXPIRE_HIDES
    assert node.asks("GET k") is None
    node.asks("SET k new")
    assert node.asks("GET k") == b"new"


@pytest.mark.parametrize("line", ["SETBIT k 1 1", "PFADD k a", "INCRBYFLOAT k 1.5", "BITFIELD k SET u8 0 1"])
def test_nor_does_a_change_in_place_keep_it(line: str) -> None:
    node = Node()
    node.asks("SET k 1 PX 10")
    node.wait(11)
    node.keyspace.expire_mode = EXPIRE_HIDES
    node.asks(line)
    assert (node.asks("EXISTS k"), node.asks("PTTL k")) == (1, -1)
