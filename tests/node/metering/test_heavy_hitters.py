"""The sketch of heavy keys against exact counts, on streams from seeds."""

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from trivet_node.metering.heavy_hitters import HeavyHitters

CAPACITY = 512


def zipf(seed: int, exponent: float, keys: int, length: int) -> Iterator[bytes]:
    """Yield keys of which the n-th is drawn as often as 1 / n ** exponent, in an order of their own."""
    generator = random.Random(seed)
    names = [b"key:%d" % number for number in range(keys)]
    generator.shuffle(names)
    weights = [1 / (rank + 1) ** exponent for rank in range(keys)]
    yield from generator.choices(names, weights, k=length)


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.3])
@pytest.mark.parametrize("seed", range(3))
def test_the_heaviest_keys_of_a_zipf_stream_are_found(seed: int, exponent: float) -> None:
    exact: Counter[bytes] = Counter()
    sketch = HeavyHitters(CAPACITY)
    for key in zipf(seed, exponent, 20_000, 60_000):
        exact[key] += 1
        sketch.add(key, 1)
    assert len(sketch) <= CAPACITY
    assert sketch.floor <= 2 * exact.total() / CAPACITY
    estimates = dict(sketch.top(CAPACITY))
    # An estimate is never too low, and too high by the floor at most.
    assert all(exact[key] <= estimate <= exact[key] + sketch.floor for key, estimate in estimates.items())
    assert all(key in estimates for key, count in exact.items() if count > sketch.floor)
    truth = [key for key, _ in exact.most_common(20)]
    assert len(set(truth) & {key for key, _ in sketch.top(20)}) >= 18
    # Whoever is heavy from the beginning is never dropped: the estimate is exact.
    heaviest = truth[0]
    assert estimates[heaviest] == exact[heaviest]


def test_weights_are_counted_as_such() -> None:
    generator = random.Random(1)
    exact: Counter[bytes] = Counter()
    sketch = HeavyHitters(CAPACITY)
    for key in zipf(1, 1.0, 20_000, 40_000):
        # A few rare keys are expensive.
        weight = 5000 if key.endswith(b"77") and generator.random() < 0.2 else generator.randint(1, 20)
        exact[key] += weight
        sketch.add(key, weight)
    assert sketch.floor <= 2 * exact.total() / CAPACITY
    truth = {key for key, _ in exact.most_common(10)}
    assert len(truth & {key for key, _ in sketch.top(10)}) >= 9


def test_a_key_that_becomes_hot_late_is_found() -> None:
    sketch = HeavyHitters(CAPACITY)
    for number in range(50_000):
        sketch.add(b"cold:%d" % number, 1)
    for _ in range(2000):
        sketch.add(b"late", 1)
    (key, estimate), *_ = sketch.top(1)
    assert key == b"late"
    assert 2000 <= estimate <= 2000 + sketch.floor


def test_few_keys_are_counted_exactly() -> None:
    sketch = HeavyHitters(4)
    for key in b"abcabaad":
        sketch.add(bytes([key]), 3)
    assert sketch.top(3) == [(b"a", 12), (b"b", 6), (b"c", 3)]
    assert sketch.floor == 0


def test_equally_light_keys_leave_nothing_behind() -> None:
    sketch = HeavyHitters(8)
    for number in range(900):
        sketch.add(b"%d" % number, 1)
    assert len(sketch) <= 8
    assert sketch.floor == 100
