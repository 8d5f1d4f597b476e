"""Hashes against a dict, in both of their forms, and where the one becomes the other."""

import random
from collections import Counter

import pytest

from trivet_node.values import listpack
from trivet_node.values.hashes import Hash, from_listpack, from_pairs
from trivet_node.values.packing import PackingLimits

LIMITS = PackingLimits()


def limits(entries: int, length: int = 64) -> PackingLimits:
    made = PackingLimits()
    made.hash_max_listpack_entries = entries
    made.hash_max_listpack_value = length
    return made


def filled(count: int) -> Hash:
    return from_pairs([b"%d" % (number // 2) for number in range(2 * count)], LIMITS)


@pytest.mark.parametrize("seed", range(8))
def test_does_what_a_dict_does(seed: int) -> None:
    chance = random.Random(seed)
    bound = limits(chance.choice((0, 3, 20, 1000)), chance.choice((3, 64)))
    hashed = Hash()
    model: dict[bytes, bytes] = {}
    for _ in range(1500):
        field = chance.choice((b"%d", b"f%d", b"field:%d")) % chance.randrange(30)
        value = chance.choice((b"", b"17", b"-5", b"x" * chance.randrange(10), field))
        if chance.random() < 0.6:
            assert hashed.put(field, value, bound) == (field not in model)
            model[field] = value
        else:
            assert hashed.remove(field) == (model.pop(field, None) is not None)
        assert hashed.get(field) == model.get(field)
        assert hashed.has(field) == (field in model)
        assert (len(hashed), hashed.is_empty()) == (len(model), not model)
    pairs = hashed.pairs()
    assert dict(zip(pairs[::2], pairs[1::2], strict=True)) == model
    assert list(zip(hashed.fields(), hashed.values(), strict=True)) == list(zip(pairs[::2], pairs[1::2], strict=True))
    assert Hash().values() == []


def test_a_listpack_keeps_fields_in_the_order_of_their_arrival() -> None:
    hashed = from_pairs([b"b", b"1", b"a", b"2", b"b", b"3"], LIMITS)
    assert hashed.pairs() == [b"b", b"3", b"a", b"2"]
    assert hashed.encoding() == b"listpack"
    assert listpack.is_valid(hashed.pack)


def test_becomes_a_table_beyond_the_limits_and_stays_one() -> None:
    hashed = from_pairs([b"a", b"1", b"b", b"2"], limits(2))
    assert hashed.encoding() == b"listpack"
    assert hashed.put(b"c", b"3", limits(2))
    assert hashed.encoding() == b"hashtable"
    assert hashed.remove(b"c")
    assert hashed.remove(b"b")
    assert (hashed.encoding(), hashed.pairs()) == (b"hashtable", [b"a", b"1"])
    for long_one in ([b"f" * 5, b""], [b"", b"v" * 5]):
        assert from_pairs(long_one, limits(9, 4)).encoding() == b"hashtable"
    unchanged = Hash()
    unchanged.make_room([b"HSET", b"k" * 99, b"f", b"v"], 2, LIMITS)
    assert unchanged.encoding() == b"listpack"
    unchanged.make_room([b"HSET", b"k", b"f", b"v" * 65], 2, LIMITS)
    assert unchanged.encoding() == b"hashtable"
    assert from_listpack(listpack.build([b"a", b"1", b"b", b"2"]), limits(1)).encoding() == b"hashtable"


@pytest.mark.parametrize("count", [5, 2000])
def test_every_field_is_drawn_as_often_as_another(count: int) -> None:
    hashed = filled(count)
    chance = random.Random(1)
    draws = Counter(hashed.random_field(chance) for _ in range(count * 40))
    assert set(draws) == set(hashed.fields())
    # Chi-squared, with count - 1 degrees of freedom, five standard deviations above its mean.
    assert sum((seen - 40) ** 2 / 40 for seen in draws.values()) < count + 5 * (2 * count) ** 0.5
    for wanted in (1, 3, count - 1, count, count + 1):
        drawn = hashed.random_fields(wanted, chance)
        assert len(drawn) == len(set(drawn)) == min(wanted, count)
        assert set(drawn) <= set(hashed.fields())


def test_a_copy_is_its_own() -> None:
    for original in (filled(3), filled(600)):
        size = len(original)
        copy = original.copy()
        copy.remove(b"1")
        copy.put(b"new", b"x", LIMITS)
        assert (original.encoding(), len(original), len(copy)) == (copy.encoding(), size, size)
        assert original.has(b"1")
        assert not original.has(b"new")
