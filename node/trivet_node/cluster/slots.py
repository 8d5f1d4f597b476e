"""Sets of hash slots, and the table that says who owns each slot.

A set of slots is an int whose bit n stands for slot n: union, intersection and difference are single operations on
2 KB, and conflicts between claims are found without a loop over 16384 slots. As text a set is its ranges,
`0-5460,5462`.
"""

from typing import Final, final

from trivet_node.cluster.nodes import ClusterNode
from trivet_wire.slots import SLOT_COUNT


def slot_ranges(slots: int) -> list[tuple[int, int]]:
    """Return the ranges (first, last) of a set, in ascending order."""
    ranges: list[tuple[int, int]] = []
    offset = 0
    while slots:
        gap = (slots & -slots).bit_length() - 1
        slots >>= gap
        run = (~slots & (slots + 1)).bit_length() - 1
        ranges.append((offset + gap, offset + gap + run - 1))
        slots >>= run
        offset += gap + run
    return ranges


def range_of_slots(first: int, last: int) -> int:
    """Return the set of the slots from `first` to `last`."""
    return ((1 << (last - first + 1)) - 1) << first


# Computed when the module is loaded: a literal of 2 KB is more than mypyc can take.
ALL_SLOTS: Final[int] = range_of_slots(0, SLOT_COUNT - 1)


def slots_in(slots: int) -> list[int]:
    """Return the slots of a set, in ascending order."""
    return [slot for first, last in slot_ranges(slots) for slot in range(first, last + 1)]


def format_slots(slots: int, separator: str = ",") -> str:
    """Return a set as text."""
    return separator.join([str(first) if first == last else f"{first}-{last}" for first, last in slot_ranges(slots)])


def parse_slots(text: str) -> int:
    """Return the set that format_slots() printed; ValueError where it is not such a text."""
    slots = 0
    for part in text.split(",") if text else []:
        slots |= parse_range(part)
    return slots


def parse_range(text: str) -> int:
    """Return the set that one range such as `5` or `0-5460` names; ValueError where it is none."""
    first_text, dash, last_text = text.partition("-")
    if first_text.isdecimal() and (last_text.isdecimal() or not dash):
        first = int(first_text)
        last = int(last_text) if dash else first
        if first <= last < SLOT_COUNT:
            return range_of_slots(first, last)
    raise ValueError(f"{text!r} is not a range of slots")


@final
class SlotTable:
    """Who owns each slot. Every node's own `slots` are kept true by this table."""

    def __init__(self) -> None:
        self.owners: list[ClusterNode | None] = [None] * SLOT_COUNT
        self.assigned: int = 0
        # Counts changes: whoever derives something from the table compares it.
        self.version: int = 0

    def assign(self, slots: int, node: ClusterNode) -> None:
        """Give slots to a node, whoever owned them."""
        self.release(slots & self.assigned & ~node.slots)
        node.slots |= slots
        self.assigned |= slots
        for slot in slots_in(slots):
            self.owners[slot] = node
        self.version += 1

    def release(self, slots: int) -> None:
        """Leave slots without an owner."""
        released = slots & self.assigned
        for slot in slots_in(released):
            owner = self.owners[slot]
            if owner is not None and owner.slots & released:
                owner.slots &= ~released
            self.owners[slot] = None
        self.assigned &= ~released
        self.version += 1
