"""Sorted sets of both forms against a dict."""

import random

import pytest

from trivet_node.values import listpack, zset_packs
from trivet_node.values.lex_range import LexRange
from trivet_node.values.packing import PackingLimits
from trivet_node.values.zsets import ADDED, UNCHANGED, UPDATED, SortedSet, from_items, from_listpack


def limits_of(entries: int, value: int = 64) -> PackingLimits:
    limits = PackingLimits()
    limits.zset_max_listpack_entries = entries
    limits.zset_max_listpack_value = value
    return limits


def in_order(model: dict[bytes, float]) -> list[tuple[bytes, float]]:
    return sorted(model.items(), key=lambda item: (item[1], item[0]))


@pytest.mark.parametrize("entries", [0, 60, 10**6])
def test_as_a_dict(entries: int) -> None:
    chance = random.Random(entries)
    limits = limits_of(entries)
    zset = from_items([], limits)
    model: dict[bytes, float] = {}
    for step in range(2000):
        member = b"%d" % chance.randrange(100)
        score = chance.choice((float(chance.randrange(10)), chance.random(), float("inf"), float("-inf")))
        if chance.random() < 0.6:
            did = UNCHANGED if model.get(member) == score else UPDATED if member in model else ADDED
            model[member] = score
            assert zset.add(member, score, limits) == did
        elif chance.random() < 0.9:
            assert zset.remove(member) == (model.pop(member, None) is not None)
        elif model:
            start = chance.randrange(len(model))
            stop = min(start + 3, len(model))
            for gone, _ in in_order(model)[start:stop]:
                del model[gone]
            zset.remove_ranks(start, stop)
        if step % 20 == 0:
            assert zset.items() == in_order(model)
            assert zset.score(member) == model.get(member)
            assert zset.rank(member) == ([name for name, _ in in_order(model)].index(member) if member in model else -1)
            assert zset.rank_of_score(score, False) == len([1 for other in model.values() if other < score])
            assert zset.rank_of_score(score, True) == len([1 for other in model.values() if other <= score])
    assert len(zset) == len(model)
    copied = zset.copy()
    copied.add(b"another", 1.0, limits)
    assert zset.items() == in_order(model)


def test_the_limits_decide_when_a_member_is_added() -> None:
    zset = from_items([(b"a", 1.0), (b"b", 2.0)], limits_of(2))
    assert zset.encoding() == b"listpack"
    zset.add(b"b", 5.0, limits_of(1))
    assert zset.encoding() == b"listpack", "a new score is no new member"
    zset.add(b"c", 0.0, limits_of(2))
    assert zset.encoding() == b"skiplist"
    zset.remove(b"c")
    assert zset.encoding() == b"skiplist"
    assert from_items(zset.items(), limits_of(2)).encoding() == b"listpack"
    assert from_items([(b"x" * 5, 1.0)], limits_of(9, 4)).encoding() == b"skiplist"


def test_the_listpack_is_that_of_redis() -> None:
    zset = from_items([(b"b", 1.5), (b"7", -2.0)], limits_of(9))
    assert listpack.texts(zset.pack) == [b"7", b"-2", b"b", b"1.5"]
    assert from_listpack(zset.pack).items() == [(b"7", -2.0), (b"b", 1.5)]


def test_what_is_no_sorted_set() -> None:
    def is_valid(*texts: bytes) -> bool:
        return zset_packs.is_valid(listpack.build(list(texts)))

    assert is_valid(b"a", b"1", b"b", b"inf")
    assert not is_valid(b"a", b"1", b"b")
    assert not is_valid(b"a", b"1", b"a", b"2")
    assert not is_valid(b"a", b"x")
    assert not is_valid(b"a", b"nan")


@pytest.mark.parametrize("entries", [0, 100])
def test_ranges_by_member(entries: int) -> None:
    zset = from_items([(bytes((byte,)), 3.0) for byte in b"bdfh"], limits_of(entries))

    def ranks(low: bytes, high: bytes, excludes: bool = False, from_highest: bool = False) -> tuple[int, int]:
        wanted = LexRange(low, high)
        wanted.excludes_low = wanted.excludes_high = excludes
        start, stop = zset.lex_ranks(wanted, from_highest)
        return (0, 0) if start >= stop else (start, stop)

    for from_highest in (False, True):
        assert ranks(b"b", b"f", False, from_highest) == (0, 3)
        assert ranks(b"b", b"f", True, from_highest) == (1, 2)
        assert ranks(b"c", b"g", True, from_highest) == (1, 3)
        assert ranks(b"i", b"z", False, from_highest) == (0, 0)
        assert ranks(b"", b"a", False, from_highest) == (0, 0)
    everything = LexRange(b"", b"")
    everything.low_is_open = everything.high_is_open = True
    assert zset.lex_ranks(everything, False) == (0, 4)
    assert SortedSet(listpack.EMPTY).lex_ranks(everything, False) == (0, 0)
