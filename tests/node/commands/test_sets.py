"""Sets as clients see them, beyond what the comparison with a real server covers."""

import pytest

from tests.node.engines import Node
from trivet_node.client import Client


def set_of(node: Node, members: int, form: str = "m%d") -> set[bytes]:
    names = [(form % number).encode() for number in range(members)]
    node.asks("DEL s")
    node.ask("SADD", "s", *names)
    return set(names)


def heard(node: Node, listener: Client) -> list[tuple[bytes, bytes]]:
    return [(message[2].partition(b":")[2], message[3]) for message in node.replies(listener.reply.take())]


def test_events_name_what_was_done() -> None:
    node = Node()
    node.asks("CONFIG SET notify-keyspace-events KA")
    listener = node.client()
    node.asks("PSUBSCRIBE *", client=listener)
    expected: list[tuple[str, list[tuple[bytes, bytes]]]] = [
        ("SADD s a b", [(b"s", b"sadd")]),
        ("SADD s a", []),
        ("SREM s a x", [(b"s", b"srem")]),
        ("SMOVE s t b", [(b"s", b"srem"), (b"s", b"del"), (b"t", b"sadd")]),
        ("SADD s b c", [(b"s", b"sadd")]),
        ("SMOVE s t b", [(b"s", b"srem")]),
        ("SUNIONSTORE u s t", [(b"u", b"sunionstore")]),
        ("SINTERSTORE u s t", [(b"u", b"del")]),
        ("SINTERSTORE u t t", [(b"u", b"sinterstore")]),
        ("SDIFFSTORE u t s", [(b"u", b"sdiffstore")]),
        ("SPOP u", [(b"u", b"spop"), (b"u", b"del")]),
        ("SPOP t 5", [(b"t", b"spop"), (b"t", b"del")]),
    ]
    for request, events in expected:
        node.asks(request)
        assert heard(node, listener) == events, request


@pytest.mark.parametrize("members", [8, 60, 1000])
@pytest.mark.parametrize("form", ["m%d", "%d"])
def test_popped_members_are_removed_one_by_one_on_replicas(members: int, form: str) -> None:
    node = Node()
    node.keep_stream()
    for count in (1, members // 2, members - 1):
        everything = set_of(node, members, form)
        node.asks("EXPIRE s 100")
        node.stream()
        popped = node.ask("SPOP", "s", count)
        stream = node.stream()
        removed = [command[2] for command in stream if command[0] == b"SREM"]
        assert removed == popped
        assert len(set(popped)) == count
        framing = [command for command in stream if command[0] != b"SREM"]
        assert framing == ([[b"MULTI"], [b"EXEC"]] if count > 1 else [])
        assert set(node.asks("SMEMBERS s")) == everything - set(popped)
        assert node.asks("TTL s") == 100


def test_a_set_that_is_popped_whole_is_deleted_on_replicas() -> None:
    node = Node()
    everything = set_of(node, 5)
    node.keep_stream()
    assert set(node.asks("SPOP s 5")) == everything
    set_of(node, 1)
    assert node.asks("SPOP s") == b"m0"
    assert node.stream() == [
        [b"SELECT", b"0"],
        [b"DEL", b"s"],
        [b"SADD", b"s", b"m0"],
        [b"SREM", b"s", b"m0"],
    ]
    assert node.asks("EXISTS s") == 0


def test_what_stays_of_a_popped_set_may_be_an_intset_again() -> None:
    node = Node()
    node.ask("SADD", "s", "a", *range(9))
    while node.asks("SPOP s 9") and node.asks("OBJECT ENCODING s") != b"intset":
        node.ask("SADD", "s", "a", *range(9))
        assert node.asks("OBJECT ENCODING s") == b"hashtable"
    assert node.asks("SCARD s") == 1


def test_a_difference_keeps_the_encoding_that_it_went_through() -> None:
    node = Node()
    node.asks("SADD small 1 2 a")
    node.asks("SADD other a b")
    # Looked up one by one: only what stays is ever in the result.
    node.asks("SDIFFSTORE result small other")
    assert node.asks("OBJECT ENCODING result") == b"intset"
    # Taken out of a copy, because that is less work.
    for number in range(8):
        node.ask("SADD", f"tiny{number}", "a")
    node.ask("SDIFFSTORE", "result", "small", *[f"tiny{number}" for number in range(8)])
    assert node.asks("OBJECT ENCODING result") == b"hashtable"
    assert sorted(node.asks("SMEMBERS result")) == [b"1", b"2"]


def test_intsets_end_with_the_setting() -> None:
    node = Node()
    node.asks("CONFIG SET set-max-intset-entries 3")
    set_of(node, 3, "%d")
    assert node.asks("OBJECT ENCODING s") == b"intset"
    node.asks("SADD s 3")
    assert node.asks("OBJECT ENCODING s") == b"hashtable"


@pytest.mark.parametrize("members", [10, 2000])
def test_drawn_members_stay(members: int) -> None:
    node = Node()
    everything = set_of(node, members)
    assert node.asks("SRANDMEMBER s") in everything
    for count, length in ((3, 3), (-30, 30), (members - 1, members - 1), (members + 1, members)):
        drawn = node.ask("SRANDMEMBER", "s", count)
        assert len(drawn) == length
        assert set(drawn) <= everything
        assert count < 0 or len(set(drawn)) == length
    assert node.asks("SCARD s") == members


def test_replies_are_sets_in_resp3() -> None:
    node = Node()
    node.asks("SADD s a")
    node.asks("HELLO 3")
    for request in (b"SMEMBERS s", b"SINTER s s", b"SUNION s no", b"SDIFF s no", b"SPOP s 1"):
        assert node.send(node.first, request + b"\r\n") == b"~1\r\n$1\r\na\r\n"
    assert node.send(node.first, b"SPOP s 1\r\n") == b"~0\r\n"
    assert node.send(node.first, b"SRANDMEMBER s 1\r\n") == b"*0\r\n"


def test_a_scan_meets_every_member_that_stays() -> None:
    node = Node()
    everything = set_of(node, 1000)
    found: list[bytes] = []
    cursor, calls = b"0", 0
    while calls == 0 or cursor != b"0":
        cursor, members = node.ask("SSCAN", "s", cursor, "COUNT", 20)
        found += members
        node.ask("SREM", "s", *[f"new{calls}:{number}" for number in range(50)])
        calls += 1
        node.ask("SADD", "s", *[f"new{calls}:{number}" for number in range(50)])
    assert everything <= set(found)
    assert calls > 10
