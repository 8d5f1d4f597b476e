"""Random keys, for RANDOMKEY and for eviction.

A slot is drawn and accepted with a probability that grows with its keys, so that keys are drawn evenly as long as
slots are about equally full. Where that finds nothing soon, because there are few keys or a hash tag has crowded them
into few slots, all slots are counted and the draw is even.
"""

from itertools import islice
from random import Random
from typing import Final

from mypy_extensions import i64

from trivet_node.keyspace import Database
from trivet_wire.slots import SLOT_COUNT

_DRAWS: Final = 64
# With fewer keys than this most draws would meet an empty slot.
_SPARSE: Final = SLOT_COUNT // 8
# Redis gives up as well where a replica holds nothing but expired keys, which it must not delete.
_EXPIRED_MAX: Final = 100


def random_key(database: Database, random: Random) -> bytes | None:
    """Return some live key, or None where there is none; expired keys that were drawn are deleted on the way."""
    for _ in range(_EXPIRED_MAX):
        if database.size == 0:
            return None
        key = _draw(database, random)
        if database.find(key) is not None:
            return key
    return None


def _draw(database: Database, random: Random) -> bytes:
    """Return a key of a database that has some, expired or not."""
    slots = database.slots
    # Twice the mean and a few more: evenly filled slots hardly ever hold as many.
    largest = 2 * int(database.size) // SLOT_COUNT + 8
    for _ in range(_DRAWS if database.size >= _SPARSE else 0):
        keys = slots[random.randrange(SLOT_COUNT)]
        position = random.randrange(largest)
        if position < len(keys):
            return _nth(keys, position)
    return _draw_counting(database, random)


def _draw_counting(database: Database, random: Random) -> bytes:
    left: i64 = random.randrange(int(database.size))
    for keys in database.slots:
        if left < len(keys):
            return _nth(keys, left)
        left -= len(keys)
    raise AssertionError("a database holds fewer keys than it counted")


def _nth(keys: dict[bytes, object], position: int) -> bytes:
    return next(islice(keys, position, None))
