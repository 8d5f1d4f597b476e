"""A range of members of a sorted set whose scores are equal. (Redis: zlexrangespec.)"""

from typing import final


@final
class LexRange:
    """Which members lie in the range: between two ends, each of which may be excluded or open."""

    def __init__(self, low: bytes, high: bytes) -> None:
        self.low: bytes = low
        self.high: bytes = high
        self.excludes_low: bool = False
        self.excludes_high: bool = False
        # Open ends: every member is above the low one, and below the high one.
        self.low_is_open: bool = False
        self.high_is_open: bool = False
        # No member can be in it, whatever the rest says.
        self.is_empty: bool = False

    def is_above_low(self, member: bytes) -> bool:
        """Say whether a member does not lie below the range."""
        return self.low_is_open or member > self.low or (member == self.low and not self.excludes_low)

    def is_below_high(self, member: bytes) -> bool:
        """Say whether a member does not lie above the range."""
        return self.high_is_open or member < self.high or (member == self.high and not self.excludes_high)
