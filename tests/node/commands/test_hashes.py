"""Hashes as clients see them, beyond what the comparison with a real server covers."""

from tests.node.engines import Node
from trivet_node.client import Client


def hash_of(node: Node, fields: int) -> None:
    node.ask("HSET", "h", *[word for number in range(fields) for word in (f"f{number}", number)])


def test_fields_keep_the_order_of_their_arrival_while_they_are_packed() -> None:
    node = Node()
    assert node.asks("HSET h b 1 a 2 c 3") == 3
    assert node.asks("HSET h a 4 d 5") == 1
    assert node.asks("HGETALL h") == [b"b", b"1", b"a", b"4", b"c", b"3", b"d", b"5"]
    assert node.asks("HMGET h a nothing b") == [b"4", None, b"1"]
    assert node.asks("HINCRBY h a 6") == 10
    assert node.asks("OBJECT ENCODING h") == b"listpack"


def test_a_hash_without_fields_is_gone() -> None:
    node = Node()
    hash_of(node, 2)
    assert node.asks("HDEL h f0 f1 f2") == 2
    assert node.asks("EXISTS h") == 0


def test_settings_decide_when_a_hash_becomes_a_table() -> None:
    node = Node()
    node.asks("CONFIG SET hash-max-listpack-entries 3 hash-max-listpack-value 5")
    hash_of(node, 3)
    assert node.asks("OBJECT ENCODING h") == b"listpack"
    # A request with a long value somewhere converts, whatever becomes of the value.
    node.asks("HSET h f0 123456 f0 1")
    assert node.asks("OBJECT ENCODING h") == b"hashtable"
    node.asks("DEL h")
    hash_of(node, 4)
    assert node.asks("OBJECT ENCODING h") == b"hashtable"


def heard(node: Node, listener: Client) -> list[bytes]:
    return [message[3] for message in node.replies(listener.reply.take())]


def test_events_name_what_was_done() -> None:
    node = Node()
    node.asks("CONFIG SET notify-keyspace-events KA")
    listener = node.client()
    node.asks("PSUBSCRIBE *", client=listener)
    expected = {
        "HSET h a 1 b 2": [b"hset"],
        "HMSET h a 1": [b"hset"],
        "HSETNX h a 1": [],
        "HSETNX h c 1": [b"hset"],
        "HINCRBY h a 1": [b"hincrby"],
        "HINCRBYFLOAT h a 1": [b"hincrbyfloat"],
        "HDEL h x": [],
        "HDEL h a": [b"hdel"],
        "HDEL h b c": [b"hdel", b"del"],
    }
    for request, events in expected.items():
        node.asks(request)
        assert heard(node, listener) == events, request


def test_the_sum_of_floats_is_propagated() -> None:
    node = Node()
    node.keep_stream()
    assert node.asks("HINCRBYFLOAT h f 0.1") == b"0.1"
    assert node.asks("HINCRBYFLOAT h f 2.5e2") == b"250.10000000000000001"
    assert node.stream() == [
        [b"SELECT", b"0"],
        [b"HSET", b"h", b"f", b"0.1"],
        [b"HSET", b"h", b"f", b"250.10000000000000001"],
    ]


def test_drawn_fields_come_with_their_values() -> None:
    node = Node()
    for fields in (20, 2000):
        hash_of(node, fields)
        for count, length in ((5, 5), (-50, 50), (fields - 1, fields - 1), (9999, fields)):
            drawn = node.ask("HRANDFIELD", "h", count, "WITHVALUES")
            pairs = list(zip(drawn[::2], drawn[1::2], strict=True))
            assert len(pairs) == length
            assert all(field == b"f" + value for field, value in pairs)
            assert count < 0 or len(set(drawn[::2])) == length


def test_pairs_are_nested_in_resp3() -> None:
    node = Node()
    node.asks("HSET h a 1")
    assert node.send(node.first, b"HRANDFIELD h 1 WITHVALUES\r\n") == b"*2\r\n$1\r\na\r\n$1\r\n1\r\n"
    node.asks("HELLO 3")
    assert node.send(node.first, b"HRANDFIELD h 1 WITHVALUES\r\n") == b"*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n"
    assert node.send(node.first, b"HGETALL h\r\n") == b"%1\r\n$1\r\na\r\n$1\r\n1\r\n"


def test_a_scan_meets_every_field_that_stays() -> None:
    node = Node()
    hash_of(node, 1000)
    found: dict[bytes, bytes] = {}
    cursor, calls = b"0", 0
    while calls == 0 or cursor != b"0":
        cursor, pairs = node.ask("HSCAN", "h", cursor, "COUNT", 20, "MATCH", "f*")
        found.update(zip(pairs[::2], pairs[1::2], strict=True))
        node.ask("HDEL", "h", *[f"new{calls}:{number}" for number in range(50)])
        calls += 1
        node.ask("HSET", "h", *[word for number in range(50) for word in (f"new{calls}:{number}", "x")])
    assert found == {b"f%d" % number: b"%d" % number for number in range(1000)}
    assert calls > 10
