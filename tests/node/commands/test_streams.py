"""Streams as clients see them, beyond what the comparison with a real server covers."""

from typing import Any

from tests.node.engines import START_MS, Node
from trivet_node.client import PRIMARY
from trivet_node.commands.streams.streams import xtrim


def test_ids_follow_the_clock_and_never_go_back() -> None:
    node = Node()
    assert node.asks("XADD s * f 1") == b"%d-0" % START_MS
    assert node.asks("XADD s * f 2") == b"%d-1" % START_MS
    node.wait(5)
    assert node.asks("XADD s * f 3") == b"%d-0" % (START_MS + 5)
    node.wait(-5)
    assert node.asks("XADD s * f 4") == b"%d-1" % (START_MS + 5)
    assert node.asks("XADD s 99999999999999-* f 5") == b"99999999999999-0"
    assert node.asks("XADD s * f 6") == b"99999999999999-1"


def test_what_is_propagated_leaves_nothing_to_decide() -> None:
    node = Node()
    node.keep_stream()
    for number in range(1, 251):
        node.ask("XADD", "s", f"{number}-1", "f", number)
    node.stream()
    for request in (
        "XADD s * f v",
        "XADD s MAXLEN ~ 200 LIMIT 1000 * f v",
        "XTRIM s MINID ~ 201",
        "XTRIM s MAXLEN 40",
        "XTRIM s MAXLEN ~ 1",
    ):
        node.asks(request)
    start = b"%d" % START_MS
    assert node.stream() == [
        [b"XADD", b"s", start + b"-0", b"f", b"v"],
        [b"XADD", b"s", b"MAXLEN", b"=", b"252", b"LIMIT", b"1000", start + b"-1", b"f", b"v"],
        [b"XTRIM", b"s", b"MINID", b"=", b"201-1"],
        [b"XTRIM", b"s", b"MAXLEN", b"40"],
    ]


def test_a_replica_trims_as_far_as_its_primary_says() -> None:
    node = Node()
    for number in range(1, 301):
        node.ask("XADD", "s", f"{number}-1", "f", number)
    request = [b"XTRIM", b"s", b"MAXLEN", b"=", b"10", b"LIMIT", b"100"]
    assert node.ask(*request) == "ERR syntax error, LIMIT cannot be used without the special ~ option"
    primary = node.client()
    primary.flags |= PRIMARY
    xtrim(node.server, primary, request)
    assert node.asks("XLEN s") == 10


def test_group_changes_do_not_break_a_watch_but_entries_do() -> None:
    node = Node()
    node.asks("XADD s 1-1 f v")
    other = node.client()

    def outcome(*requests: str) -> Any:
        node.asks("WATCH s", client=other)
        for request in requests:
            node.asks(request)
        node.asks("MULTI", client=other)
        return node.asks("EXEC", client=other)

    assert outcome("XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >", "XACK s g 1-1") == []
    assert outcome("XGROUP DESTROY s g", "XSETID s 5-5") == []
    assert outcome("XADD s * f v") is None
    assert outcome("XDEL s 1-1") is None


def test_a_bad_id_among_good_ones_changes_nothing() -> None:
    node = Node()
    node.asks("XADD s 1-1 f v")
    assert node.asks("XDEL s 1-1 x") == "ERR Invalid stream ID specified as stream command argument"
    assert node.asks("XLEN s") == 1
