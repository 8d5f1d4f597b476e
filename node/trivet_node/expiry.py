"""Active expiry: deletes keys and fields of hashes whose deadline has passed although nobody looks at them.

Each slot has a time before which none of its keys expires, and so has the database, so a cycle looks only where
something is due. A cycle does a bounded amount of work and says whether more is waiting; the shell then runs it again
between bursts, so a million keys that expire in one second never hold up clients for long. A slot in which a hash tag
crowds more keys than one cycle may look at is copied into a Crowd and worked off over several cycles.

Fields of hashes have a budget of their own, so that neither holds up the other. The database knows which hash has the
field that is due first, and the hash knows the field: no other is looked at.
(Redis: "How Redis expires keys"; expire.c activeExpireHashFieldCycle.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.keyspace import EXPIRE_DELETES, Crowd, Database, Keyspace
from trivet_node.values.deadlines import NEVER_MS
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_wire.slots import SLOT_COUNT

# Keys looked at in one cycle: below 3 ms also when interpreted.
CYCLE_KEYS: Final = 1000
# Fields deleted in one cycle: below 5 ms also when interpreted.
CYCLE_FIELDS: Final = 200
# Each step of active-expire-effort adds this part of that.
_EFFORT_PART: Final = 4


def cycle_keys(effort: int) -> int:
    """Return how many keys a cycle looks at; `effort` is the setting active-expire-effort, 1 to 10."""
    return CYCLE_KEYS + (effort - 1) * CYCLE_KEYS // _EFFORT_PART


def expire_cycle(keyspace: Keyspace, budget: int = CYCLE_KEYS) -> bool:
    """Delete expired keys and fields, looking at about `budget` keys at most; return whether more may be waiting.

    A replica deletes nothing: its primary does.
    """
    if keyspace.expire_mode != EXPIRE_DELETES or not keyspace.active_expiry:
        return False
    more = _expire_keys(keyspace, budget)
    return _expire_fields(keyspace) or more


def _expire_fields(keyspace: Keyspace) -> bool:
    """Delete expired fields of hashes, CYCLE_FIELDS at most; return whether more may be waiting."""
    now_ms = int(keyspace.now_ms)
    left = CYCLE_FIELDS
    for database in keyspace.used_databases():
        for key in database.field_deadlines.due(now_ms, left):
            hashed = database.find_raw(key)
            assert isinstance(hashed, ExpiringHash), "what has no deadlines of fields is not followed"
            fields = hashed.deadlines.due(now_ms, left)
            database.expire_fields(key, hashed, fields)
            left -= len(fields)
            if left <= 0:
                return True
    return False


def _expire_keys(keyspace: Keyspace, budget: i64) -> bool:
    left: i64 = budget
    for database in keyspace.used_databases():
        if database.crowd is not None or database.all_quiet_until_ms < keyspace.now_ms:
            left = _expire_database(database, left)
            if left <= 0:
                return True
    return False


def _expire_database(database: Database, budget: i64) -> i64:
    """Return what is left of `budget`."""
    now_ms: i64 = database.keyspace.now_ms
    if database.crowd is not None:
        budget -= _expire_crowd(database, database.crowd, now_ms, budget)
    quiet_until_ms = database.quiet_until_ms
    earliest_ms: i64 = NEVER_MS
    slot: i64 = 0
    while slot < SLOT_COUNT and budget > 0:
        slot_quiet_until_ms: i64 = quiet_until_ms[slot]
        if slot_quiet_until_ms < now_ms:
            budget -= _expire_slot(database, slot, now_ms, budget)
            slot_quiet_until_ms = quiet_until_ms[slot]
        earliest_ms = min(earliest_ms, slot_quiet_until_ms)
        slot += 1
    if slot == SLOT_COUNT:
        database.all_quiet_until_ms = earliest_ms
    return budget


def _expire_slot(database: Database, slot: i64, now_ms: i64, budget: i64) -> i64:
    """Delete what is due in one slot and return how many keys were looked at; a slot left early is looked at again."""
    deadlines = database.deadlines[slot]
    if not deadlines:
        database.quiet_until_ms[slot] = NEVER_MS
        return 0
    if len(deadlines) > CYCLE_KEYS:
        if database.crowd is not None:
            return 0
        # From now on the crowd knows what is due, and the slot only what is set while it is worked off.
        database.quiet_until_ms[slot] = NEVER_MS
        crowd = Crowd(slot, list(deadlines))
        database.crowd = crowd
        return _expire_crowd(database, crowd, now_ms, budget)
    earliest_ms: i64 = NEVER_MS
    due: list[bytes] = []
    for key, deadline_ms in deadlines.items():
        if deadline_ms < now_ms:
            due.append(key)
        elif deadline_ms < earliest_ms:
            earliest_ms = deadline_ms
    looked: i64 = len(deadlines)
    for key in due:
        database.expire(key)
    database.quiet_until_ms[slot] = earliest_ms
    return looked


def _expire_crowd(database: Database, crowd: Crowd, now_ms: i64, budget: i64) -> i64:
    """Look at `budget` keys of a crowd at most, delete what is due, and return how many were looked at."""
    slot = crowd.slot
    deadlines = database.deadlines[slot]
    looked: i64 = 0
    while crowd.keys and looked < budget:
        key = crowd.keys.pop()
        looked += 1
        deadline_ms = None if deadlines is None else deadlines.get(key)
        if deadline_ms is None:
            continue
        if deadline_ms < now_ms:
            database.expire(key)
        elif deadline_ms < crowd.earliest_ms:
            crowd.earliest_ms = deadline_ms
    if not crowd.keys:
        database.crowd = None
        database.quiet_until_ms[slot] = min(database.quiet_until_ms[slot], crowd.earliest_ms)
        database.all_quiet_until_ms = min(database.all_quiet_until_ms, crowd.earliest_ms)
    return looked
