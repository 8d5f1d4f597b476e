"""Consumer groups as clients see them: what is pending, who waits, and what replicas are told."""

from tests.node.engines import START_MS, Node

NEW = "STREAMS s >"


def with_group(entries: int = 3) -> Node:
    node = Node()
    node.asks("XGROUP CREATE s g 0 MKSTREAM")
    for number in range(1, entries + 1):
        node.asks(f"XADD s {number}-0 f {number}")
    return node


def entry(number: int) -> list[object]:
    return [b"%d-0" % number, [b"f", b"%d" % number]]


def test_each_entry_goes_to_one_consumer_until_it_is_acknowledged() -> None:
    node = with_group()
    assert node.asks(f"XREADGROUP GROUP g anna COUNT 2 {NEW}") == [[b"s", [entry(1), entry(2)]]]
    assert node.asks(f"XREADGROUP GROUP g bert {NEW}") == [[b"s", [entry(3)]]]
    assert node.asks(f"XREADGROUP GROUP g bert {NEW}") is None
    assert node.asks("XPENDING s g") == [3, b"1-0", b"3-0", [[b"anna", b"2"], [b"bert", b"1"]]]
    assert node.asks("XACK s g 1-0 1-0 9-9") == 1
    node.asks("XDEL s 2-0")
    node.wait(7)
    assert node.asks("XREADGROUP GROUP g anna STREAMS s 0") == [[b"s", [[b"2-0", None]]]]
    assert node.asks("XREADGROUP GROUP g bert STREAMS s 0") == [[b"s", [entry(3)]]]
    assert node.asks("XPENDING s g - + 9") == [[b"2-0", b"anna", 7, 1], [b"3-0", b"bert", 0, 2]]


def test_claiming_passes_on_what_has_waited_long_enough() -> None:
    node = with_group()
    node.asks(f"XREADGROUP GROUP g anna {NEW}")
    node.asks("XDEL s 2-0")
    node.wait(100)
    assert node.asks("XCLAIM s g bert 101 1-0") == []
    assert node.asks("XCLAIM s g bert 100 1-0 JUSTID RETRYCOUNT 9") == [b"1-0"]
    assert node.asks("XAUTOCLAIM s g bert 50 0 COUNT 2") == [b"0-0", [entry(3)], [b"2-0"]]
    assert node.asks("XPENDING s g - + 9") == [[b"1-0", b"bert", 0, 9], [b"3-0", b"bert", 0, 2]]


def test_replicas_are_told_who_has_what() -> None:
    node = with_group()
    node.keep_stream()
    node.asks(f"XREADGROUP GROUP g anna COUNT 1 {NEW}")
    node.asks(f"XREADGROUP GROUP g bert NOACK COUNT 1 {NEW}")
    claim = [b"XCLAIM", b"s", b"g", b"anna", b"0", b"1-0", b"TIME", b"%d" % START_MS, b"RETRYCOUNT", b"1"]
    assert node.stream() == [
        [b"SELECT", b"0"],
        [*claim, b"FORCE", b"JUSTID", b"LASTID", b"1-0"],
        [b"MULTI"],
        [b"XGROUP", b"CREATECONSUMER", b"s", b"g", b"bert"],
        [b"XGROUP", b"SETID", b"s", b"g", b"2-0", b"ENTRIESREAD", b"2"],
        [b"EXEC"],
    ]
    node.asks("XREADGROUP GROUP g anna STREAMS s 0")
    assert node.stream() == []


def test_readers_that_wait_are_served_in_their_order() -> None:
    node = with_group(0)
    anna, bert, reader = node.client(), node.client(), node.client()
    node.send(anna, f"XREADGROUP GROUP g anna BLOCK 0 COUNT 1 {NEW}\r\n".encode())
    node.send(bert, f"XREADGROUP GROUP g bert BLOCK 100 {NEW}\r\n".encode())
    node.send(reader, b"XREAD BLOCK 0 STREAMS other s $ $\r\n")
    node.asks("XADD s 1-0 f 1")
    assert node.replies(anna.reply.take()) == node.replies(reader.reply.take()) == [[[b"s", [entry(1)]]]]
    assert bert.reply.take() == b""
    node.engine.tick(START_MS + 100)
    assert node.replies(bert.reply.take()) == [None]


def test_who_waits_for_a_group_hears_that_it_is_gone() -> None:
    outcomes = {
        "XGROUP DESTROY s g": "NOGROUP the consumer group this client was blocked on no longer exists",
        "DEL s": "UNBLOCKED the stream key no longer exists",
        "SET s x": "UNBLOCKED the stream key no longer exists",
        "FLUSHALL": "UNBLOCKED the stream key no longer exists",
    }
    for request, error in outcomes.items():
        node = with_group(0)
        waiting, reader = node.client(), node.client()
        node.send(waiting, f"XREADGROUP GROUP g anna BLOCK 0 {NEW}\r\n".encode())
        node.send(reader, b"XREAD BLOCK 0 STREAMS s $\r\n")
        node.asks(request)
        assert node.replies(waiting.reply.take()) == [error], request
        assert reader.reply.take() == b""


def test_an_old_stream_does_not_wake_its_readers_when_it_changes_otherwise() -> None:
    node = with_group(3)
    node.asks("XTRIM s MAXLEN 0")
    reader = node.client()
    node.send(reader, b"XREAD BLOCK 0 STREAMS s 0\r\n")
    node.asks("PEXPIRE s 100000")
    assert reader.reply.take() == b""
    node.asks("XADD s 9-0 f 9")
    assert node.replies(reader.reply.take()) == [[[b"s", [entry(9)]]]]


def test_maps_are_maps_in_resp3() -> None:
    node = with_group(1)
    node.asks("HELLO 3")
    assert node.asks("XREAD STREAMS s 0") == {b"s": [entry(1)]}
    assert node.asks(f"XREADGROUP GROUP g anna {NEW}") == {b"s": [entry(1)]}
    [group] = node.asks("XINFO GROUPS s")
    assert group == {
        b"name": b"g",
        b"consumers": 1,
        b"pending": 1,
        b"last-delivered-id": b"1-0",
        b"entries-read": 1,
        b"lag": 0,
    }
    full = node.asks("XINFO STREAM s FULL")
    assert full[b"groups"][0][b"consumers"][0][b"pending"] == [[b"1-0", START_MS, 1]]
