"""Active expiry: deletes keys whose deadline has passed although nobody looks at them.

Each slot has a time before which none of its keys expires, so a cycle looks only into slots where something is due. A
cycle does a bounded amount of work and says whether more is waiting; the shell then runs it again between bursts,
so a million keys that expire in one second never hold up clients for long. (Redis: "How Redis expires keys".)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.keyspace import EXPIRE_DELETES, Database, Keyspace
from trivet_wire.slots import SLOT_COUNT

# Keys looked at in one cycle: below 3 ms also when interpreted.
CYCLE_KEYS: Final = 2000
_NEVER: Final = 2**62


def expire_cycle(keyspace: Keyspace, budget: int = CYCLE_KEYS) -> bool:
    """Delete expired keys, looking at about `budget` keys at most; return whether more may be waiting.

    A replica deletes nothing: its primary does.
    """
    if keyspace.expire_mode != EXPIRE_DELETES:
        return False
    left: i64 = budget
    for database in keyspace.used_databases():
        if database.volatile != 0:
            left = _expire_database(database, left)
            if left <= 0:
                return True
    return False


def _expire_database(database: Database, budget: i64) -> i64:
    """Return what is left of `budget`."""
    now_ms: i64 = database.keyspace.now_ms
    quiet_until_ms = database.quiet_until_ms
    slot: i64 = 0
    while slot < SLOT_COUNT:
        if quiet_until_ms[slot] <= now_ms:
            budget -= _expire_slot(database, slot, now_ms, budget)
            if budget <= 0:
                break
        slot += 1
    return budget


def _expire_slot(database: Database, slot: i64, now_ms: i64, budget: i64) -> i64:
    """Delete what is due in one slot and return how many keys were looked at; a slot left early is looked at again."""
    deadlines = database.deadlines[slot]
    if not deadlines:
        database.quiet_until_ms[slot] = _NEVER
        return 0
    earliest: int = _NEVER
    looked: i64 = 0
    due: list[bytes] = []
    for key, deadline_ms in deadlines.items():
        looked += 1
        if deadline_ms <= now_ms:
            due.append(key)
            if len(due) >= budget:
                earliest = deadline_ms
                break
        elif deadline_ms < earliest:
            earliest = deadline_ms
    for key in due:
        database.expire(key)
    database.quiet_until_ms[slot] = earliest
    return looked
