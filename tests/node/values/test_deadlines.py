"""Names with deadlines against a plain dict, below and above the number from which on they are ordered."""

import random
from collections import Counter

import pytest

from trivet_node.values.deadlines import NEVER_MS, NO_DEADLINE, Deadlines
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash, from_pairs
from trivet_node.values.packing import PackingLimits


class CountingRandom(random.Random):
    """Chance that knows how often it was asked."""

    calls = 0

    def random(self) -> float:
        self.calls += 1
        return super().random()


def check(deadlines: Deadlines, model: dict[bytes, int], now_ms: int) -> None:
    assert len(deadlines) == len(model)
    assert deadlines.first_ms() == min(model.values(), default=NEVER_MS)
    assert not model or deadlines.last_ms() == max(model.values())
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
    hidden = hashed.hidden(now_ms)
    assert hidden == frozenset(names[:now_ms])
    visible = hashed.hash.fields(hidden)
    assert sorted(visible) == sorted(names[now_ms:])
    assert hashed.hash.values(hidden) == [b"v" + name for name in visible]
    assert hashed.hash.pairs(hidden) == [word for name in visible for word in (name, b"v" + name)]
    assert hashed.hidden(0) == frozenset()
    assert len(hashed.hash.fields(hashed.hidden(0))) == fields
    named = hashed.named([names[0], names[-1], b"missing"], now_ms)
    assert (named.get(names[0]), named.get(names[-1]), named.get(b"missing")) == (None, b"v" + names[-1], None)
    assert hashed.named([names[-1], b"missing"], now_ms) is hashed.hash
    assert hashed.past_among([names[0], names[-1], names[0]], now_ms) == [names[0]]
    assert len(hashed) == fields
    assert hashed.remove(names[0])
    assert not hashed.remove(names[0])
    assert (len(copy), len(copy.deadlines), copy.hash.get(names[0])) == (fields, fields // 2, b"v" + names[0])


@pytest.mark.parametrize("fields", [12, 900])
@pytest.mark.parametrize("past_share", [0.1, 0.5, 0.99])
def test_every_field_that_is_not_past_its_deadline_is_drawn_as_often_as_another(fields: int, past_share: float) -> None:
    names = [b"f%d" % number for number in range(fields)]
    hashed = ExpiringHash(from_pairs([word for name in names for word in (name, b"v")], PackingLimits()))
    past = int(fields * past_share)
    for number, name in enumerate(names):
        hashed.deadlines.put(name, 1 if number < past else 100)
    visible = names[past:]
    chance = random.Random(1)
    rounds = 60
    draws = Counter(hashed.draws(rounds * len(visible), 50, chance))
    single = Counter(hashed.draws(1, 50, chance)[0] for _ in range(rounds * len(visible)))
    different = Counter(name for _ in range(rounds * 2) for name in hashed.random_fields(len(visible) // 2, 50, chance))
    for counted, each in (
        (draws, rounds),
        (single, rounds),
        (different, rounds * 2 * (len(visible) // 2) / len(visible)),
    ):
        assert set(counted) <= set(visible)
        # Chi-squared, five standard deviations above its mean.
        deviation = sum((counted[name] - each) ** 2 / each for name in visible) if each else 0
        assert deviation < len(visible) - 1 + 5 * (2 * len(visible)) ** 0.5
    for count in (1, 2, len(visible) - 1, len(visible), len(visible) + 1, fields * 2):
        drawn = hashed.random_fields(count, 50, chance)
        assert len(drawn) == len(set(drawn)) == min(count, len(visible))
        assert set(drawn) <= set(visible)
    assert sorted(hashed.random_fields(fields, 0, chance)) == sorted(names)
    assert [hashed.is_hidden(now_ms) for now_ms in (0, 50, 100, 101)] == [False, False, False, True]


def test_a_few_fields_are_drawn_without_looking_at_all() -> None:
    names = [b"f%d" % number for number in range(5000)]
    hashed = ExpiringHash(from_pairs([word for name in names for word in (name, b"v")], PackingLimits()))
    hashed.deadlines.put(names[0], 1)
    looked_up = CountingRandom(1)
    assert len(hashed.draws(10, 50, looked_up)) == len(hashed.random_fields(10, 50, looked_up)) == 10
    # A bucket's largest size limits how often a place in it is empty: some draws a field, not one for each of 5000.
    assert 20 <= looked_up.calls < 1000


def test_a_field_is_past_its_deadline_when_the_clock_is() -> None:
    hashed = ExpiringHash(Hash())
    hashed.deadlines.put(b"f", 5)
    assert [hashed.is_past(b"f", now_ms) for now_ms in (4, 5, 6)] == [False, False, True]
    assert not hashed.is_past(b"other", 6)
