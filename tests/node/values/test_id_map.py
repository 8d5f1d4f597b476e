"""The ordered map against a dictionary and its sorted keys."""

import random

import pytest

from trivet_node.values.id_map import CHUNK_KEYS, Cursor, IdMap


def walked(entries: IdMap) -> list[tuple[int, object]]:
    cursor = Cursor(entries)
    found = []
    more = cursor.seek_first()
    while more:
        found.append((cursor.key, cursor.value()))
        more = cursor.next()
    return found


@pytest.mark.parametrize("seed", range(4))
def test_it_holds_what_a_dictionary_holds(seed: int) -> None:
    choice = random.Random(seed)
    entries, model = IdMap(), dict[int, object]()
    for step in range(12_000):
        grows = step % 4_000 < 2_500
        key = choice.randrange(5_000) if seed % 2 else (step if grows else step - 2_500)
        if choice.random() < (0.9 if grows else 0.1):
            entries.put(key, step)
            model[key] = step
        else:
            assert entries.pop(key) == model.pop(key, None)
    assert walked(entries) == sorted(model.items()) == entries.items()
    assert len(entries) == len(model) > CHUNK_KEYS
    assert all(chunk.keys and len(chunk.keys) <= CHUNK_KEYS for chunk in entries.chunks)
    assert all(entries.get(key) == model.get(key) for key in range(5_000))


def test_cursors_find_neighbours_and_walk_both_ways() -> None:
    entries = IdMap()
    cursor = Cursor(entries)
    assert not (cursor.seek_first() or cursor.seek_last() or cursor.seek_floor(1) or cursor.seek_ceiling(1))
    keys = list(range(10, 10_000, 10))
    for key in keys:
        entries.put(key, None)
    for key in keys:
        assert cursor.seek_floor(key) and cursor.key == key
        assert cursor.seek_floor(key + 9) and cursor.key == key
        assert cursor.seek_ceiling(key - 9) and cursor.key == key
    assert not cursor.seek_floor(9)
    assert not cursor.seek_ceiling(9_991)
    backwards = []
    more = cursor.seek_last()
    while more:
        backwards.append(cursor.key)
        more = cursor.previous()
    assert backwards == keys[::-1]


def test_what_is_added_at_the_end_fills_chunks() -> None:
    entries = IdMap()
    for key in range(10 * CHUNK_KEYS):
        entries.put(key, None)
    assert len(entries.chunks) == 10


def test_a_copy_goes_its_own_way() -> None:
    entries = IdMap()
    entries.put(1, "one")
    other = entries.copy()
    other.put(2, "two")
    entries.pop(1)
    assert (len(entries), other.items()) == (0, [(1, "one"), (2, "two")])
