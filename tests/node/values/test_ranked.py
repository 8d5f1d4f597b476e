"""Ranked against a sorted list of tuples."""

import bisect
import random

import pytest

from trivet_node.values.ranked import BLOCK_MAX, Ranked


def pairs_of(ranked: Ranked) -> list[tuple[float, bytes]]:
    members: list[bytes] = []
    scores: list[float] = []
    ranked.collect(0, ranked.size, members, scores)
    return list(zip(scores, members, strict=True))


def check_blocks(ranked: Ranked) -> None:
    sizes = [len(block.scores) for block in ranked.blocks]
    assert sizes == [len(block.members) for block in ranked.blocks]
    assert sum(sizes) == ranked.size
    assert max(sizes) <= BLOCK_MAX
    assert len(sizes) == 1 or min(sizes) > 0


@pytest.mark.parametrize("seed", range(6))
def test_as_a_sorted_list(seed: int) -> None:
    chance = random.Random(seed)
    distinct = chance.choice((3, 40, 10**6))
    ranked = Ranked()
    model: list[tuple[float, bytes]] = []
    for step in range(5000):
        pair = (float(chance.randrange(distinct)), b"%d" % chance.randrange(10**6))
        place = bisect.bisect_left(model, pair)
        grows = chance.random() < (0.9 if step < 3000 else 0.2)
        if grows and pair not in model[place : place + 1]:
            ranked.insert(*pair)
            model.insert(place, pair)
        elif model and chance.random() < 0.1:
            start = chance.randrange(len(model))
            stop = min(start + chance.choice((1, 5, 1000)), len(model))
            assert ranked.remove_ranks(start, stop) == [member for _, member in model[start:stop]]
            del model[start:stop]
        elif model:
            pair = model.pop(chance.randrange(len(model)))
            assert ranked.remove(*pair) == pair[1]
        if step % 50 == 0 and model:
            probe = chance.choice((pair, chance.choice(model), (pair[0], b"")))
            assert ranked.rank(*probe) == bisect.bisect_left(model, probe)
            start = chance.randrange(len(model))
            found: list[bytes] = []
            ranked.collect(start, min(start + 700, len(model)), found, [])
            assert found == [member for _, member in model[start : start + 700]]
    check_blocks(ranked)
    assert pairs_of(ranked) == pairs_of(ranked.copy()) == model


def test_what_was_filled_at_once() -> None:
    model = [(score / 4, b"%d" % score) for score in range(5000)]
    ranked = Ranked()
    ranked.extend(model)
    check_blocks(ranked)
    assert pairs_of(ranked) == model
    assert ranked.rank(300.25, b"") == 1201
    assert ranked.remove_ranks(0, 5000) == [member for _, member in model]
    ranked.insert(1.0, b"")
    assert pairs_of(ranked) == [(1.0, b"")]
    assert ranked.low() == 1.0


def test_a_copy_is_a_structure_of_its_own() -> None:
    ranked = Ranked()
    ranked.extend([(float(score), b"m") for score in range(2000)])
    other = ranked.copy()
    other.remove_ranks(0, 1999)
    assert (ranked.size, other.size) == (2000, 1)
    assert ranked.rank(1500.0, b"") == 1500
