"""Longest common subsequence, bit-parallel. (Redis: LCS. Method: Crochemore et al. 2001, Hyyro 2004.)

Redis fills a table of lengths, length[i][j] of the first i bytes of one string and the first j of the other. In a row
of it neighbours differ by 0 or 1, so a row is kept as one integer of differences: bit j-1 is zero where length[i][j]
is length[i][j-1] + 1. The next row follows by a few operations on whole integers. The way back through the table needs
no more than these bits: where the bytes differ, length[i-1][j] > length[i][j-1] exactly if the difference is 1.
"""

from typing import final


@final
class Match:
    """A stretch that two strings have in common; all positions are included ones, counted from 0."""

    def __init__(self, first_start: int, first_end: int, second_start: int, second_end: int) -> None:
        self.first_start: int = first_start
        self.first_end: int = first_end
        self.second_start: int = second_start
        self.second_end: int = second_end

    def length(self) -> int:
        """Return the number of bytes of the match."""
        return self.first_end - self.first_start + 1


def common_length(first: bytes, second: bytes) -> int:
    """Return the length of the longest common subsequence."""
    # The length does not depend on which string is which, and a step costs the same for a row of any length.
    if len(first) > len(second):
        first, second = second, first
    rows = _rows(first, second, False)
    return len(second) - rows[-1].bit_count()


def common_matches(first: bytes, second: bytes) -> list[Match]:
    """Return the longest common subsequence that Redis chooses, as the stretches it consists of, last one first."""
    rows = _rows(first, second, True)
    matches: list[Match] = []
    current: Match | None = None
    # Not i64: shifted by one, a row of any length would have to fit into 64 bits itself.
    at = len(first)
    other = len(second)
    while at > 0 and other > 0:
        if first[at - 1] == second[other - 1]:
            at -= 1
            other -= 1
            if current is None:
                current = Match(at, at, other, other)
                matches.append(current)
            else:
                current.first_start = at
                current.second_start = other
            continue
        current = None
        if (rows[at] >> (other - 1)) & 1 == 0:
            at -= 1
        else:
            other -= 1
    return matches


def _rows(first: bytes, second: bytes, keep_all: bool) -> list[int]:
    """Return the table's rows of differences for every prefix of `first`, or the last one only."""
    whole = (1 << len(second)) - 1
    masks: list[int] = [0] * 256
    for byte in set(second):
        masks[byte] = _positions(second, byte)
    row = whole
    rows = [row]
    for byte in first:
        matching = row & masks[byte]
        row = ((row + matching) | (row - matching)) & whole
        if keep_all:
            rows.append(row)
        else:
            rows[0] = row
    return rows


def _positions(text: bytes, byte: int) -> int:
    """Return an integer whose bit at every position is 1 where `text` holds `byte` there."""
    table = bytearray(b"0" * 256)
    table[byte] = 49
    return int(text[::-1].translate(table), 2)
