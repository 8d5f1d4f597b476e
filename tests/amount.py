"""How much a run does of what tests do many times, from seeds or with many keys."""

import os


def part_of(count: int) -> int:
    """Return how many of `count` to do: all, or one of TRIVET_PART in a run that repeats another one (tests/run.py)."""
    return max(1, count // int(os.environ.get("TRIVET_PART", "1")))
