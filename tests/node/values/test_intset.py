"""Intsets against Python's own sets, and against bytes that redis-server 7.0 dumps."""

import random

import pytest

from trivet_node.values import intset

EDGES = [0, -1, 1, 2**15 - 1, 2**15, -(2**15), -(2**15) - 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize("seed", range(10))
def test_does_what_a_set_does(seed: int) -> None:
    chance = random.Random(seed)
    pack = intset.EMPTY
    model: set[int] = set()
    values = [*EDGES[: chance.randrange(1, 13)], *[chance.randrange(-200, 200) for _ in range(40)]]
    for _ in range(400):
        value = chance.choice(values)
        if chance.random() < 0.6:
            changed = intset.add(pack, value)
            assert (changed is pack) == (value in model)
            model.add(value)
        else:
            changed = intset.remove(pack, value)
            assert (changed is pack) == (value not in model)
            model.discard(value)
        pack = changed
        assert intset.texts(pack) == [b"%d" % number for number in sorted(model)]
        assert intset.is_valid(pack) == bool(model)
        assert [intset.has(pack, number) for number in values] == [number in model for number in values]


def test_has_the_layout_of_redis() -> None:
    pack = intset.add(intset.add(intset.EMPTY, 5), -2)
    assert pack == bytes.fromhex("02000000 02000000 feff 0500")
    wide = intset.add(pack, 70_000)
    assert wide == bytes.fromhex("04000000 03000000 feffffff 05000000 70110100")
    assert intset.remove(wide, 70_000) == bytes.fromhex("04000000 02000000 feffffff 05000000")


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "02000000 00000000",
        "03000000 01000000 010000",
        "02000000 02000000 0100",
        "02000000 02000000 0100 0100",
        "02000000 02000000 0200 0100",
        "02000000 01000000 0200 0100",
    ],
)
def test_broken_bytes_are_not_valid(broken: str) -> None:
    assert not intset.is_valid(bytes.fromhex(broken))
