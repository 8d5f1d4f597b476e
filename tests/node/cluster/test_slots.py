"""Sets of slots against Python's own sets, and the slot table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivet_node.cluster.nodes import PRIMARY, ClusterNode
from trivet_node.cluster.slots import (
    ALL_SLOTS,
    SlotTable,
    format_slots,
    parse_slots,
    range_of_slots,
    slot_ranges,
    slots_in,
)

SLOT_SETS = st.sets(st.one_of(st.integers(0, 16383), st.integers(0, 20), st.integers(16370, 16383)))


def packed(slots: set[int]) -> int:
    return sum(1 << slot for slot in slots)


@given(SLOT_SETS)
def test_a_set_survives_being_listed_and_written(slots: set[int]) -> None:
    assert set(slots_in(packed(slots))) == slots
    assert parse_slots(format_slots(packed(slots))) == packed(slots)
    ranges = slot_ranges(packed(slots))
    assert all(first <= last for first, last in ranges)
    # Ranges are as few as possible: between two of them at least one slot is missing.
    assert all(ranges[index][1] + 1 < ranges[index + 1][0] for index in range(len(ranges) - 1))


def test_all_slots_are_one_range() -> None:
    assert slot_ranges(ALL_SLOTS) == [(0, 16383)]
    assert range_of_slots(0, 16383) == ALL_SLOTS
    assert format_slots(range_of_slots(7, 7) | range_of_slots(9, 10)) == "7,9-10"


@pytest.mark.parametrize("text", ["x", "5-", "7-5", "16384", "-1", "1,,2", "0-16384"])
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_slots(text)


@given(st.lists(st.tuples(st.integers(0, 2), SLOT_SETS, st.booleans())))
def test_the_table_agrees_with_a_dictionary(changes: list[tuple[int, set[int], bool]]) -> None:
    nodes = [ClusterNode(f"{number:040x}", PRIMARY) for number in range(3)]
    table = SlotTable()
    expected: dict[int, ClusterNode] = {}
    for index, slots, is_assigned in changes:
        if is_assigned:
            table.assign(packed(slots), nodes[index])
            expected.update(dict.fromkeys(slots, nodes[index]))
        else:
            table.release(packed(slots))
            expected = {slot: node for slot, node in expected.items() if slot not in slots}
    assert {slot: node for slot, node in enumerate(table.owners) if node is not None} == expected
    assert table.assigned == packed(set(expected))
    for node in nodes:
        assert node.slots == packed({slot for slot, owner in expected.items() if owner is node})
