"""Sets against Python's own, in all of their forms, and where one becomes another."""

import random
from collections import Counter

import pytest

from trivet_node.values import intset
from trivet_node.values.sets import Set, from_intset, from_members

LIMIT = 512


def filled(count: int, form: bytes = b"%d") -> Set:
    return from_members([form % number for number in range(count)], LIMIT)


@pytest.mark.parametrize("seed", range(8))
def test_does_what_a_set_does(seed: int) -> None:
    chance = random.Random(seed)
    limit = chance.choice((0, 3, 20, LIMIT))
    made = Set()
    model: set[bytes] = set()
    forms = [b"%d", b"-%d", b"0%d", b"", b"x" * 3000, b"m:%d"]
    del forms[chance.randrange(1, 7) :]
    for _ in range(2000):
        form = chance.choice(forms)
        member = form % chance.randrange(1, 60) if b"%" in form else form
        if chance.random() < 0.7:
            assert made.add(member, limit) == (member not in model)
            model.add(member)
        else:
            assert made.remove(member) == (member in model)
            model.discard(member)
        assert made.has(member) == (member in model)
        assert (len(made), made.is_empty()) == (len(model), not model)
    assert sorted(made.members()) == sorted(model)
    assert made.encoding() == (b"intset" if made.is_intset else b"hashtable")


def test_leaves_the_intset_when_redis_does_and_never_returns() -> None:
    full = filled(LIMIT)
    assert full.encoding() == b"intset"
    assert not full.add(b"7", LIMIT)
    assert full.encoding() == b"intset"
    assert full.add(b"512", LIMIT)
    assert full.encoding() == b"hashtable"
    mixed = from_members([b"1", b"2", b"03"], LIMIT)
    assert mixed.remove(b"03")
    assert (mixed.encoding(), sorted(mixed.members())) == (b"hashtable", [b"1", b"2"])
    assert from_members([b"1"], 0).encoding() == b"hashtable"
    pack = intset.add(intset.add(intset.add(intset.EMPTY, 1), 2), 3)
    assert from_intset(pack, 2).encoding() == b"hashtable"
    assert from_intset(pack, 3).members() == [b"1", b"2", b"3"]


def test_small_ones_are_packed_whatever_they_hold() -> None:
    assert filled(8, b"member:%d").buckets is None
    assert filled(1000, b"member:%d").buckets is not None
    assert from_members([b"x" * 5000, b"y"], LIMIT).buckets is not None


@pytest.mark.parametrize(("count", "form"), [(7, b"%d"), (7, b"m%d"), (2000, b"%d")])
def test_every_member_is_drawn_as_often_as_another(count: int, form: bytes) -> None:
    made = filled(count, form)
    chance = random.Random(1)
    draws = Counter(made.random_member(chance) for _ in range(count * 40))
    assert set(draws) == set(made.members())
    # Chi-squared, with count - 1 degrees of freedom, five standard deviations above its mean.
    assert sum((seen - 40) ** 2 / 40 for seen in draws.values()) < count + 5 * (2 * count) ** 0.5
    for wanted in (1, 3, count - 1, count, count + 1):
        drawn = made.random_members(wanted, chance)
        assert len(drawn) == len(set(drawn)) == min(wanted, count)
        assert set(drawn) <= set(made.members())


def test_a_copy_is_its_own() -> None:
    for original in (filled(3), filled(3, b"m%d"), filled(600)):
        copy = original.copy()
        members = original.members()
        copy.remove(members[0])
        assert (original.encoding(), original.members()) == (copy.encoding(), members)
        assert len(copy) == len(members) - 1
