"""Lists against Python's own, which are too simple to be wrong."""

import random

import pytest

from trivet_node.values.list_nodes import Node, nodes_of
from trivet_node.values.lists import List, from_nodes, from_values
from trivet_node.values.long_lists import Search

# Small integers, short strings that repeat, a string that fills a quarter of a node, and one that fills it alone.
SHAPES = [b"7", b"-12345", b"a", b"bb", b"b" * 40, b"c" * 2000, b"d" * 9000]


def contents(made: List) -> list[bytes]:
    return made.values(0, made.length())


def drawn(chance: random.Random) -> bytes:
    if chance.random() < 0.4:
        return b"%d" % chance.randrange(300)
    return chance.choices(SHAPES, [8, 8, 8, 8, 8, 1, 1])[0]


def step(chance: random.Random, made: List, model: list[bytes], limit: int) -> None:
    """Do the same random thing to both and compare what it returns."""
    at_head = chance.random() < 0.5
    value = drawn(chance)
    choice = chance.randrange(12)
    if choice <= 3:
        for _ in range(chance.choice((1, 5, 100))):
            value = drawn(chance)
            made.push(value, at_head, limit)
            model.insert(0 if at_head else len(model), value)
    elif choice <= 5 and model:
        for _ in range(min(len(model), chance.choice((1, 5, 90)))):
            assert made.pop(at_head) == model.pop(0 if at_head else -1)
    elif choice == 6:
        count = min(len(model), chance.choice((0, 1, 3, 40, 500)))
        made.drop(count, at_head)
        del model[: count if at_head else 0]
        del model[len(model) - (0 if at_head else count) :]
    elif choice == 7 and model:
        index = chance.randrange(len(model))
        made.replace(index, value, limit)
        model[index] = value
    elif choice == 8:
        behind = chance.random() < 0.5
        assert made.insert(value, b"new", behind, limit) == (value in model)
        if value in model:
            model.insert(model.index(value) + behind, b"new")
    elif choice == 9:
        check_remove(chance, made, model, value, limit)
    elif choice == 10:
        check_positions(chance, made, model, value, limit)
    elif model:
        index = chance.randrange(len(model))
        stop = chance.randint(index, len(model))
        assert made.value(index) == model[index]
        assert made.values(index, stop) == model[index:stop]


def check_remove(chance: random.Random, made: List, model: list[bytes], value: bytes, limit: int) -> None:
    most, from_tail = chance.choice((1, 2, 10**9)), chance.random() < 0.5
    found = [index for index, item in enumerate(model) if item == value]
    chosen = found[-most:] if from_tail else found[:most]
    assert made.remove(value, most, from_tail, limit) == len(chosen)
    for index in reversed(chosen):
        del model[index]


def check_positions(chance: random.Random, made: List, model: list[bytes], value: bytes, limit: int) -> None:
    from_tail = chance.random() < 0.5
    skip, most, within = chance.choice((0, 0, 2)), chance.choice((1, 3, 10**9)), chance.choice((5, 50, 10**9))
    order = range(len(model))[::-1] if from_tail else range(len(model))
    wanted = [index for index in order[:within] if model[index] == value][skip : skip + most]
    assert made.positions(Search(value, skip, most, within, from_tail), limit) == wanted


@pytest.mark.parametrize("limit", [-2, -1, 1, 50, 0])
def test_every_operation_does_what_a_python_list_does(limit: int) -> None:
    for seed in range(8):
        chance = random.Random(f"{limit} {seed}")
        made, model = List(), list[bytes]()
        for _ in range(150):
            step(chance, made, model, limit)
            assert made.length() == len(model)
        assert contents(made) == model
        assert contents(from_nodes([node.copy() for node in made.nodes(limit)])) == model


def test_a_list_is_one_listpack_while_it_is_short_and_becomes_one_again() -> None:
    made = from_values([b"value %d" % number for number in range(1000)], -2)
    assert made.long is not None
    made.drop(990, True)
    assert made.long is None
    assert contents(made) == [b"value %d" % number for number in range(990, 1000)]


def test_a_copy_shares_nothing_that_changes() -> None:
    made = from_values([b"%d" % number for number in range(2000)], -2)
    other = made.copy()
    made.replace(1000, b"changed", -2)
    made.drop(100, True)
    made.push(b"more", False, -2)
    assert contents(other) == [b"%d" % number for number in range(2000)]


def test_nodes_keep_to_their_limit() -> None:
    values = [b"x" * 100] * 500
    for limit, largest in ((-1, 4096), (-2, 8192), (-5, 65536), (-9, 65536), (60, 8192)):
        made = from_values(values, limit)
        sizes = [len(node.data) for node in made.nodes(limit)]
        assert largest * 0.6 < max(sizes) <= largest + 7
    counts = [node.count for node in from_values([b"x"] * 5000, 70).nodes(70)]
    assert sum(counts) == 5000
    assert max(counts[1:]) == 64


def test_a_value_that_fills_a_node_is_kept_unpacked() -> None:
    large = b"x" * 10_000
    nodes = nodes_of([b"1", large, b"2", b"3"], -2)
    assert [(node.is_plain, node.count) for node in nodes] == [(False, 1), (True, 1), (False, 2)]
    assert Node(large, 1, True).values(0, 1)[0] is large
