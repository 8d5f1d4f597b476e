"""The hash table of large collections against a dict; scanning while it changes; fair draws."""

import random

import pytest

from trivet_node.values.buckets import MEAN, Buckets


def table(count: int) -> Buckets:
    buckets = Buckets()
    for number in range(count):
        buckets.put(b"key:%d" % number, number)
    return buckets


@pytest.mark.parametrize("seed", range(4))
def test_does_what_a_dict_does(seed: int) -> None:
    chance = random.Random(seed)
    buckets = Buckets()
    model: dict[bytes, object] = {}
    for step in range(20_000):
        key = b"%d" % chance.randrange(3000)
        # First it grows, then it shrinks.
        if chance.random() < (0.8 if step < 10_000 else 0.2):
            assert buckets.put(key, step) == (key not in model)
            model[key] = step
        else:
            assert buckets.pop(key) == (model.pop(key, None) is not None)
        assert buckets.size == len(model)
    assert sorted(buckets.keys()) == sorted(model)
    assert all(buckets.get(key) == value and buckets.has(key) for key, value in model.items())
    assert buckets.get(b"missing") is None
    assert not buckets.has(b"missing")


def test_buckets_stay_small_and_disappear_again() -> None:
    buckets = table(50_000)
    assert max(len(bucket) for bucket in buckets.dicts) < 4 * MEAN
    for number in range(50_000):
        buckets.pop(b"key:%d" % number)
    assert len(buckets.dicts) == 1


def test_a_copy_is_its_own() -> None:
    buckets = table(1000)
    copy = buckets.copy()
    copy.pop(b"key:1")
    copy.put(b"new", 1)
    assert buckets.has(b"key:1")
    assert not buckets.has(b"new")
    assert copy.size == buckets.size == 1000


@pytest.mark.parametrize("seed", range(10))
def test_a_scan_returns_what_is_there_all_the_time(seed: int) -> None:
    chance = random.Random(seed)
    buckets = table(chance.choice((10, 500, 2000)))
    steady = set(buckets.keys())
    found: list[bytes] = []
    cursor = buckets.scan(0, found)
    extra = 0
    growing = True
    while cursor != 0:
        if chance.random() < 0.1:
            growing = not growing
        for _ in range(chance.randrange(100)):
            if growing:
                buckets.put(b"extra:%d" % extra, None)
                extra += 1
            elif extra:
                extra -= 1
                buckets.pop(b"extra:%d" % extra)
        cursor = buckets.scan(cursor, found)
    assert steady <= set(found)


def test_a_scan_of_a_resting_table_returns_each_key_once() -> None:
    buckets = table(1234)
    found: list[bytes] = []
    cursor = buckets.scan(0, found)
    while cursor != 0:
        cursor = buckets.scan(cursor, found)
    assert sorted(found) == sorted(buckets.keys())


def test_draws_are_fair() -> None:
    # 200 keys leave the table half divided: the buckets differ in size by a factor of two.
    buckets = table(200)
    chance = random.Random(7)
    counts: dict[bytes, int] = {}
    for _ in range(100_000):
        key = buckets.random_key(chance)
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 200
    chi_squared = sum((count - 500) ** 2 / 500 for count in counts.values())
    # 199 degrees of freedom: beyond 290 with a chance of one in 25,000.
    assert chi_squared < 290
