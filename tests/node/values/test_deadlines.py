"""Names with deadlines against a plain dict, below and above the number from which on they are ordered."""

import random

import pytest

from trivet_node.values.deadlines import NEVER_MS, NO_DEADLINE, Deadlines
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash, from_pairs
from trivet_node.values.packing import PackingLimits


def check(deadlines: Deadlines, model: dict[bytes, int], now_ms: int) -> None:
    assert len(deadlines) == len(model)
    assert deadlines.first_ms() == min(model.values(), default=NEVER_MS)
    due = deadlines.due(now_ms, len(model))
    assert sorted(due) == sorted(name for name, deadline in model.items() if deadline < now_ms)
    assert [model[name] for name in due] == sorted(model[name] for name in due)
    assert deadlines.due(now_ms, 3) == due[:3]


@pytest.mark.parametrize(("names", "seed"), [(5, 1), (33, 2), (400, 3), (3000, 4)])
def test_names_are_due_in_the_order_of_their_deadlines(names: int, seed: int) -> None:
    chance = random.Random(seed)
    deadlines, model = Deadlines(), dict[bytes, int]()
    for step in range(4 * names):
        name = b"name:%d" % chance.randrange(names)
        if chance.random() < 0.7:
            # Few different deadlines, so that many names share one.
            model[name] = chance.randrange(names)
            deadlines.put(name, model[name])
        else:
            assert deadlines.drop(name) == (model.pop(name, None) is not None)
        assert deadlines.get(name) == model.get(name, NO_DEADLINE)
        if step % names == 0:
            check(deadlines, model, chance.randrange(names))
    copy = deadlines.copy()
    for name in list(model):
        deadlines.drop(name)
    check(deadlines, {}, names)
    check(copy, model, names // 2)


def test_the_latest_deadlines_keep_their_order() -> None:
    deadlines = Deadlines()
    for number in range(100):
        deadlines.put(b"%d" % number, 2**48 - 2 - number % 2)
    assert deadlines.first_ms() == 2**48 - 3
    assert len(deadlines.due(2**48 - 2, 1000)) == 50
    assert deadlines.get(b"0") == 2**48 - 2


@pytest.mark.parametrize("fields", [10, 600])
def test_whoever_reads_sees_no_field_past_its_deadline(fields: int) -> None:
    names = [b"f%d" % number for number in range(fields)]
    hashed = ExpiringHash(from_pairs([word for name in names for word in (name, b"v" + name)], PackingLimits()))
    assert hashed.encoding() == (b"listpackex" if fields == 10 else b"hashtable")
    for number in range(fields // 2):
        hashed.deadlines.put(names[number], number)
    copy = hashed.copy()
    now_ms = fields // 4
    live = hashed.live(now_ms)
    assert sorted(live.fields()) == sorted(names[now_ms:])
    assert live.get(names[now_ms]) == b"v" + names[now_ms]
    assert hashed.live(0) is hashed.hash
    named = hashed.named([names[0], names[-1], b"missing"], now_ms)
    assert (named.get(names[0]), named.get(names[-1]), named.get(b"missing")) == (None, b"v" + names[-1], None)
    assert hashed.named([names[-1], b"missing"], now_ms) is hashed.hash
    assert hashed.past_among([names[0], names[-1], names[0]], now_ms) == [names[0]]
    assert len(hashed) == fields
    assert hashed.remove(names[0])
    assert not hashed.remove(names[0])
    assert (len(copy), len(copy.deadlines), copy.hash.get(names[0])) == (fields, fields // 2, b"v" + names[0])


def test_a_field_is_past_its_deadline_when_the_clock_is() -> None:
    hashed = ExpiringHash(Hash())
    hashed.deadlines.put(b"f", 5)
    assert [hashed.is_past(b"f", now_ms) for now_ms in (4, 5, 6)] == [False, False, True]
    assert not hashed.is_past(b"other", 6)
