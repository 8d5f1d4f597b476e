"""Sorted sets as clients see them, beyond what the comparison with a real server covers."""

import pytest

from tests.node.engines import Node
from trivet_wire.connection import encode_request


def large_and_small() -> list[Node]:
    """Return a node that keeps every sorted set packed, and one that keeps none so."""
    nodes = [Node(), Node()]
    nodes[0].asks("CONFIG SET zset-max-listpack-entries 100000")
    nodes[1].asks("CONFIG SET zset-max-listpack-entries 0")
    return nodes


@pytest.mark.parametrize("node", large_and_small(), ids=["listpack", "skiplist"])
def test_ranges_of_both_forms(node: Node) -> None:
    node.ask("ZADD", "z", *[word for number in range(300) for word in (number // 2, f"m{number:03}")])
    assert node.asks("ZRANGE z 100 101 WITHSCORES") == [b"m100", b"50", b"m101", b"50"]
    assert node.asks("ZREVRANGE z 0 1") == [b"m299", b"m298"]
    assert node.asks("ZRANGEBYSCORE z (70 +inf LIMIT 3 2") == [b"m145", b"m146"]
    assert node.asks("ZRANGE z +inf (70 BYSCORE REV LIMIT 0 1") == [b"m299"]
    assert (node.asks("ZRANK z m250"), node.asks("ZREVRANK z m250")) == (250, 49)
    assert node.asks("ZCOUNT z 10 19.5") == 20
    assert node.asks("ZREMRANGEBYSCORE z (0 (149") == 296
    assert node.asks("ZRANGE z 0 -1") == [b"m000", b"m001", b"m298", b"m299"]
    assert node.asks("ZINCRBY z -1e9 m299") == b"-999999851"
    assert node.asks("ZPOPMIN z") == [b"m299", b"-999999851"]


def test_one_score_for_ranges_by_member() -> None:
    node = Node()
    node.asks("ZADD z 0 a 0 b 0 c 0 d")
    assert node.asks("ZRANGE z [b (d BYLEX") == [b"b", b"c"]
    assert node.asks("ZREVRANGEBYLEX z + (a LIMIT 1 1") == [b"c"]
    assert node.asks("ZRANGESTORE other z - + BYLEX LIMIT 0 2") == 2
    assert node.asks("ZREMRANGEBYLEX z [b [c") == 2
    assert (node.asks("ZLEXCOUNT z - +"), node.asks("ZCARD other")) == (2, 2)


def test_scores_that_are_no_numbers() -> None:
    node = Node()
    node.asks("ZADD z inf a")
    assert node.asks("ZINCRBY z -inf a") == "ERR resulting score is not a number (NaN)"
    node.asks("ZADD y -inf a")
    assert node.asks("ZUNION 2 z y WITHSCORES") == [b"a", b"0"]
    assert node.asks("ZUNION 1 z WEIGHTS 0 WITHSCORES") == [b"a", b"0"]
    assert node.asks("ZADD z nan b") == "ERR value is not a valid float"


def test_sets_are_operands_with_score_one() -> None:
    node = Node()
    node.asks("SADD s a b c")
    node.asks("ZADD z 5 b 7 c 9 d")
    assert node.asks("ZINTER 2 s z WEIGHTS 10 1 WITHSCORES") == [b"b", b"15", b"c", b"17"]
    assert node.asks("ZDIFF 2 z s") == [b"d"]
    assert node.asks("ZINTERCARD 2 z s LIMIT 1") == 1
    assert node.asks("ZUNIONSTORE s 2 s z AGGREGATE MAX") == 4
    assert node.asks("TYPE s") == b"zset"


def test_a_set_without_members_is_gone() -> None:
    node = Node()
    for emptied_by in ("ZREM z a", "ZPOPMAX z 9", "ZREMRANGEBYRANK z 0 -1", "ZMPOP 1 z MIN", "ZDIFFSTORE z 2 z z"):
        node.asks("ZADD z 1 a")
        node.asks(emptied_by)
        assert node.asks("EXISTS z") == 0, emptied_by


def test_random_members_are_fair_and_differ() -> None:
    for node in large_and_small():
        node.ask("ZADD", "z", *[word for number in range(40) for word in (number, f"m{number}")])
        drawn = [node.asks("ZRANDMEMBER z") for _ in range(1000)]
        assert min(drawn.count(b"m%d" % number) for number in range(40)) > 5
        assert len(set(node.asks("ZRANDMEMBER z 7"))) == 7
        assert sorted(node.asks("ZRANDMEMBER z 99")) == sorted(b"m%d" % number for number in range(40))
        assert len(node.asks("ZRANDMEMBER z -99 WITHSCORES")) == 198
        pairs = node.asks("ZRANDMEMBER z -9 WITHSCORES")
        assert pairs[::2] == [b"m" + score for score in pairs[1::2]]


def test_zscan_finds_what_stays_while_others_come_and_go() -> None:
    node = Node()
    node.ask("ZADD", "z", *[word for number in range(800) for word in (number, f"stays{number}")])
    seen: set[bytes] = set()
    cursor = b"0"
    step = 0
    while step == 0 or cursor != b"0":
        cursor, found = node.ask("ZSCAN", "z", cursor, "COUNT", "60")
        seen.update(found[::2])
        node.ask("ZADD", "z", *[word for number in range(100) for word in (number, f"comes{step}:{number}")])
        node.ask("ZREM", "z", *[f"comes{step - 1}:{number}" for number in range(100)])
        step += 1
    assert {b"stays%d" % number for number in range(800)} <= seen


def test_who_waits_longest_is_served_first_and_the_effect_is_propagated() -> None:
    node = Node()
    node.keep_stream()
    one, other = node.client(), node.client()
    assert node.send(one, encode_request([b"BZPOPMIN", b"x", b"z", b"0"])) == b""
    assert node.send(other, encode_request([b"BZMPOP", b"0", b"1", b"z", b"MAX", b"COUNT", b"2"])) == b""
    assert node.asks("ZADD z 1 a 2 b 3 c 4 d") == 4
    assert node.replies(one.reply.take()) == [[b"z", b"a", b"1"]]
    assert node.replies(other.reply.take()) == [[b"z", [[b"d", b"4"], [b"c", b"3"]]]]
    assert node.stream() == [
        *[[b"SELECT", b"0"], [b"ZADD", b"z", b"1", b"a", b"2", b"b", b"3", b"c", b"4", b"d"]],
        *[[b"ZPOPMIN", b"z"], [b"ZPOPMAX", b"z", b"2"]],
    ]


def test_waiting_for_a_sorted_set_goes_on_while_the_key_is_something_else() -> None:
    node = Node()
    waiting = node.client()
    node.send(waiting, encode_request([b"BZPOPMAX", b"z", b"1.5"]))
    node.asks("SADD z a")
    assert waiting.reply.take() == b""
    node.wait(1501)
    node.engine.tick(int(node.keyspace.now_ms))
    assert node.replies(waiting.reply.take()) == [None]
