"""What the commands add to the sketches: what is propagated, and errors."""

from tests.node.engines import Node


def test_counting_is_a_write_where_it_keeps_its_result() -> None:
    node = Node()
    node.keep_stream()
    assert node.asks("PFADD visitors a b c") == 1
    assert node.asks("PFADD visitors a") == 0
    assert node.asks("PFCOUNT visitors") == 3
    assert node.asks("PFCOUNT visitors") == 3
    assert node.asks("PFCOUNT visitors missing") == 3
    expected = [b"PFADD visitors a b c", b"PFCOUNT visitors"]
    assert node.stream() == [[b"SELECT", b"0"], *[line.split() for line in expected]]


def test_merging_counts_each_element_once() -> None:
    node = Node()
    node.ask("PFADD", "one", *range(1000))
    node.ask("PFADD", "other", *range(500, 2500))
    assert node.asks("PFDEBUG ENCODING one") == b"sparse"
    assert node.asks("PFDEBUG ENCODING other") == b"dense"
    assert node.asks("PFMERGE both one other") == b"OK"
    assert node.asks("PFDEBUG ENCODING both") == b"dense"
    assert node.asks("PFCOUNT both") == node.asks("PFCOUNT one other")
    assert abs(node.asks("PFCOUNT both") - 2500) < 2500 * 0.03


def test_strings_that_are_no_sketches() -> None:
    node = Node()
    node.asks("SET text hello")
    node.asks("SET number 5")
    node.asks("RPUSH list a")
    for key in ("text", "number"):
        for request in (f"PFADD {key} a", f"PFCOUNT {key}", f"PFMERGE new {key}", f"PFDEBUG DECODE {key}"):
            assert node.asks(request) == "WRONGTYPE Key is not a valid HyperLogLog string value."
    assert node.asks("PFADD list a") == "WRONGTYPE Operation against a key holding the wrong kind of value"
    node.ask("SET", "broken", b"HYLL\x01" + bytes(10) + b"\x80\x7f\xfe")
    assert node.asks("PFCOUNT broken") == "INVALIDOBJ Corrupted HLL object detected"
    assert node.asks("PFCOUNT broken missing") == "INVALIDOBJ Corrupted HLL object detected"
    assert node.asks("PFMERGE new broken") == "INVALIDOBJ Corrupted HLL object detected"
    assert node.asks("EXISTS new") == 0


def test_the_self_test_finds_nothing() -> None:
    assert Node().asks("PFSELFTEST") == b"OK"
