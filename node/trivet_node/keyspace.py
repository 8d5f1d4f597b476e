"""Databases: 16384 dicts each, one per hash slot, with deadlines beside them.

    read(key)            the live value or None; counts a hit or a miss, notes the access
    find(key)            the live value or None; leaves no trace (what writes look at)
    put(key, value)      stores a new value without a deadline
    replace(key, value)  stores a new value and keeps the deadline (replace_quietly: nobody is to know)
    modified(key)        a value was changed in place
    await_key(key)       somebody waits for the key: changes put it on `keyspace.ready`
    delete(key)          removes a key
    set_deadline(...)    gives a key a deadline in Unix milliseconds
    settle(key, hash)    keeps a hash after deadlines of its fields were changed
    expire_fields(...)   deletes fields of a hash that are past their deadlines

All of them count changes in `keyspace.dirty` and break the watches on the key. Time comes from outside as
`keyspace.now_ms`. A key is gone for every reader once the clock is past its deadline; in the millisecond of the
deadline itself it still lives, as in Redis. A primary deletes it when somebody looks (and reports the deletion through
`expired`, to be propagated); a replica only hides it until its primary deletes it; the link to the primary itself sees
keys as they are, because the primary decides. Fields of hashes may have deadlines of their own: values/hash_deadlines.

A string is `bytes`, an `int` where Redis would use the int encoding, or a `bytearray` once it was changed in place.
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from trivet_node.access import AccessLog
from trivet_node.lazyfree import LazyFree
from trivet_node.values.deadlines import NEVER_MS, NO_DEADLINE, Deadlines
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.watches import Watch, Watches
from trivet_wire.slots import SLOT_COUNT, key_slot

# What happens to a key whose deadline has passed when somebody looks at it.
EXPIRE_DELETES: Final = 0
EXPIRE_HIDES: Final = 1
EXPIRE_WAITS: Final = 2


@final
class Crowd:
    """The deadlines of one slot that holds too many of them for one cycle of active expiry: what is left to look at."""

    def __init__(self, slot: int, keys: list[bytes]) -> None:
        self.slot: i64 = slot
        self.keys: list[bytes] = keys
        self.earliest_ms: i64 = NEVER_MS


@mypyc_attr(allow_interpreted_subclasses=True)
class KeyspaceObserver:
    """Hears what happens to keys without a command's saying so."""

    def expired(self, database: "Database", key: bytes) -> None:
        """Hear that `key` was deleted because its deadline has passed."""
        raise NotImplementedError

    def fields_expired(self, database: "Database", key: bytes, is_gone: bool) -> None:
        """Hear that fields of `key` were deleted because of their deadlines, and whether the key is gone with them."""
        raise NotImplementedError

    def missed(self, database: "Database", key: bytes) -> None:
        """Hear that a reading command did not find `key`."""
        raise NotImplementedError

    def created(self, database: "Database", key: bytes) -> None:
        """Hear that `key` is there and was not there before."""
        raise NotImplementedError


@mypyc_attr(allow_interpreted_subclasses=True)
class KeyFollower:
    """Hears which keys change, whatever the database, so that nobody goes on with a copy of what they held."""

    def changed(self, key: bytes) -> None:
        """Hear that the value of `key` was changed or deleted."""
        raise NotImplementedError

    def vanished(self, key: bytes) -> None:
        """Hear that `key`, or fields of it, went without any client's doing: they expired, or gave way to others."""
        raise NotImplementedError

    def flushed(self) -> None:
        """Hear that a whole database was emptied, or all of them."""
        raise NotImplementedError


@final
class Keyspace:
    """All databases of a node, and what they share: the clock, the change counter and the watches."""

    def __init__(self, database_count: int) -> None:
        self.now_ms: i64 = 0
        self.dirty: i64 = 0
        self.expire_mode: i64 = EXPIRE_DELETES
        # Whether keys are deleted that nobody looks at.
        self.active_expiry: bool = True
        self.hits: i64 = 0
        self.misses: i64 = 0
        self.expired_total: i64 = 0
        self.expired_fields_total: i64 = 0
        # What was deleted because of its deadline since somebody last emptied the list, as (database index, key,
        # fields), without fields where it was the key itself; only while asked for.
        self.report_expired: bool = False
        self.expired: list[tuple[int, bytes, list[bytes]]] = []
        self.access: AccessLog = AccessLog()
        self.observer: KeyspaceObserver | None = None
        self.follower: KeyFollower | None = None
        # Keys that somebody waits for and that were changed, deleted or exchanged since the list was last emptied.
        self.ready: list[tuple[Database, bytes]] = []
        # Whether any value was ever stored that is no string: strings are given back at once.
        self.holds_collections: bool = False
        self.lazyfree: LazyFree = LazyFree()
        self._databases: list[Database | None] = [None] * database_count
        self.database(0)

    def database_count(self) -> int:
        """Return how many databases may be selected."""
        return len(self._databases)

    def database(self, index: int) -> "Database":
        """Return a database, made on its first use; `index` lies in range(database_count())."""
        database = self._databases[index]
        if database is None:
            database = Database(self, index)
            self._databases[index] = database
        return database

    def used_databases(self) -> "list[Database]":
        """Return the databases that were ever used, by index."""
        return [database for database in self._databases if database is not None]

    def follow(self, follower: KeyFollower | None) -> None:
        """Let `follower` hear of changes from now on; None: nobody."""
        self.follower = follower
        for database in self.used_databases():
            database.note_listeners()

    def has_deadlines(self) -> bool:
        """Say whether any key or field has a deadline."""
        return any(database.volatile != 0 for database in self.used_databases()) or self.has_field_deadlines()

    def has_field_deadlines(self) -> bool:
        """Say whether any field of a hash has a deadline."""
        return any(len(database.field_deadlines) != 0 for database in self.used_databases())

    def hides_before_ms(self) -> int:
        """Return the time before which a deadline lies that hides a field from whoever looks now."""
        return 0 if self.expire_mode == EXPIRE_WAITS else int(self.now_ms)

    def deletes_at_once(self, deadline_ms: int) -> bool:
        """Say whether a key or field that is given this deadline is deleted instead. Only a primary does that.

        (Redis: checkAlreadyExpired.)
        """
        return deadline_ms <= self.now_ms and self.expire_mode == EXPIRE_DELETES

    def size(self) -> int:
        """Return the number of keys in all databases."""
        return sum([int(database.size) for database in self.used_databases()])

    def beside(self) -> "Keyspace":
        """Return an empty keyspace with the same clock, for keys that this one is to adopt."""
        other = Keyspace(len(self._databases))
        other.now_ms = self.now_ms
        other.access.switch(int(self.access.mode), int(self.now_ms))
        return other

    def adopt(self, other: "Keyspace") -> None:
        """Take over the keys of another keyspace, which is given up, in place of those in this one."""
        for index in range(len(self._databases)):
            if self._databases[index] is not None or (
                index < len(other._databases) and other._databases[index] is not None
            ):
                self.database(index).adopt(other.database(index))
        if self.follower is not None:
            self.follower.flushed()
        self.access.adopt(other.access)
        self.holds_collections = self.holds_collections or other.holds_collections

    def flush(self) -> int:
        """Delete every key of every database and return how many there were."""
        if self.follower is not None:
            self.follower.flushed()
        return sum([database.empty() for database in self.used_databases()])

    def swap(self, one: int, other: int) -> None:
        """Exchange the contents of two databases: who has selected the one sees the keys of the other. (SWAPDB)"""
        if one != other:
            self.database(one).swap(self.database(other))
            self.access.swap_databases(one, other)
        self.dirty += 1


@final
class Database:
    """The keys of one database by slot."""

    def __init__(self, keyspace: Keyspace, index: int) -> None:
        self.keyspace: Keyspace = keyspace
        self.index: int = index
        self.slots: list[dict[bytes, object]] = [{} for _ in range(SLOT_COUNT)]
        self.size: i64 = 0
        # Keys with a deadline, per slot; allocated with the slot's first one.
        self.deadlines: list[dict[bytes, int] | None] = [None] * SLOT_COUNT
        self.volatile: i64 = 0
        # For each slot a time before which none of its keys expires: what active expiry may skip.
        self.quiet_until_ms: list[int] = [NEVER_MS] * SLOT_COUNT
        # The same for all slots together.
        self.all_quiet_until_ms: i64 = NEVER_MS
        self.crowd: Crowd | None = None
        # The keys of hashes with deadlines of fields, each with the first of these.
        self.field_deadlines: Deadlines = Deadlines()
        self.watches: Watches = Watches(index)
        # The keys that clients wait for, each with whether it is on the list of ready keys.
        self.awaited: dict[bytes, bool] = {}
        # Whether anybody wants to hear of changes: watches, clients that wait, the keyspace's follower.
        self._is_heard: bool = keyspace.follower is not None
        # The slot of the key asked for last: commands look and then write, and the same object has the same slot.
        self._last_key: bytes = b""
        self._last_slot: i64 = key_slot(b"")

    def slot_of(self, key: bytes) -> i64:
        """Return the slot of `key`."""
        if key is self._last_key:
            return self._last_slot
        slot = key_slot(key)
        self._last_key = key
        self._last_slot = slot
        return slot

    def read(self, key: bytes) -> object:
        """Return the live value of `key` for a reading command, or None."""
        slot = self.slot_of(key)
        value = self.slots[slot].get(key)
        keyspace = self.keyspace
        if value is None or (self.volatile != 0 and self._is_gone(slot, key)):
            keyspace.misses += 1
            if keyspace.observer is not None:
                keyspace.observer.missed(self, key)
            return None
        keyspace.hits += 1
        if keyspace.access.mode != 0:
            keyspace.access.touch(self.index, key, keyspace.now_ms)
        return value

    def find(self, key: bytes) -> object:
        """Return the live value of `key`, or None, without counting a hit, a miss or an access."""
        slot = self.slot_of(key)
        value = self.slots[slot].get(key)
        if value is None or (self.volatile != 0 and self._is_gone(slot, key)):
            return None
        return value

    def glance(self, key: bytes, reports_miss: bool = True) -> object:
        """Return the live value of `key`, or None, for a command that looks at it but does not use it.

        That counts as a hit or a miss, but not as an access; `reports_miss` says whether the observer hears of a miss.
        (Redis: LOOKUP_NOTOUCH, LOOKUP_NONOTIFY.)
        """
        value = self.find(key)
        if value is None:
            self.keyspace.misses += 1
            if reports_miss and self.keyspace.observer is not None:
                self.keyspace.observer.missed(self, key)
        else:
            self.keyspace.hits += 1
        return value

    def put(self, key: bytes, value: object) -> None:
        """Store a value under `key`; a deadline it had is gone."""
        slot = self.slot_of(key)
        keys = self.slots[slot]
        if self.volatile != 0:
            # What was past it is deleted, or where this node must not do that its deadline goes before the new value.
            self._is_gone(slot, key)
            self._drop_deadline(slot, key)
        self._store(keys, key, value)
        self._changed(key, 1)

    def replace(self, key: bytes, value: object) -> None:
        """Store a value under `key`, which keeps its deadline if it has one."""
        self.replace_quietly(key, value)
        self._changed(key, 1)

    def replace_quietly(self, key: bytes, value: object) -> None:
        """Do what replace() does, but as no change: for a value in another form that means the same."""
        slot = self.slot_of(key)
        if self.volatile != 0 and self._is_gone(slot, key):
            self._drop_deadline(slot, key)
        self._store(self.slots[slot], key, value)

    def modified(self, key: bytes, changes: i64 = 1) -> None:
        """Say that the value of `key` was changed in place; `changes` is how many elements of it were."""
        self._changed(key, changes)

    def delete(self, key: bytes) -> bool:
        """Delete `key` and say whether it was there alive."""
        slot = self.slot_of(key)
        if key not in self.slots[slot] or (self.volatile != 0 and self._is_gone(slot, key)):
            return False
        self._remove(slot, key)
        self._changed(key, 1)
        return True

    def delete_even_expired(self, key: bytes) -> bool:
        """Delete `key` without looking whether its deadline has passed; say whether anything was there.

        So the commands that store a result do when it is empty. (Redis: dbDelete without a look-up before.)
        """
        slot = self.slot_of(key)
        if key not in self.slots[slot]:
            return False
        self._remove(slot, key)
        self._changed(key, 1)
        return True

    def deadline(self, key: bytes) -> int:
        """Return the deadline of `key` in Unix milliseconds, or NO_DEADLINE."""
        if self.volatile == 0:
            return NO_DEADLINE
        deadlines = self.deadlines[self.slot_of(key)]
        return NO_DEADLINE if deadlines is None else deadlines.get(key, NO_DEADLINE)

    def some_deadlines(self, count: int) -> list[int]:
        """Return about `count` deadlines or a few more, those of whole slots; all where there are fewer."""
        found: list[int] = []
        for deadlines in self.deadlines:
            if deadlines:
                found += deadlines.values()
                if len(found) >= count:
                    break
        return found

    def set_deadline(self, key: bytes, deadline_ms: int) -> None:
        """Give an existing key a deadline in Unix milliseconds."""
        slot = self.slot_of(key)
        deadlines = self.deadlines[slot]
        if deadlines is None:
            deadlines = {}
            self.deadlines[slot] = deadlines
        if key not in deadlines:
            self.volatile += 1
        deadlines[key] = deadline_ms
        if deadline_ms < self.quiet_until_ms[slot]:
            self.quiet_until_ms[slot] = deadline_ms
            self.all_quiet_until_ms = min(self.all_quiet_until_ms, deadline_ms)
        self._changed(key, 1)

    def clear_deadline(self, key: bytes) -> bool:
        """Take the deadline of `key` away and say whether it had one."""
        if self.volatile == 0 or not self._drop_deadline(self.slot_of(key), key):
            return False
        self._changed(key, 1)
        return True

    def is_past_deadline(self, key: bytes) -> bool:
        """Say whether `key` has a deadline and it has passed, whoever asks."""
        deadline_ms = self.deadline(key)
        return deadline_ms != NO_DEADLINE and deadline_ms < self.keyspace.now_ms

    def expire(self, key: bytes) -> None:
        """Delete a key because its deadline has passed, and report it."""
        keyspace = self.keyspace
        self._remove(self.slot_of(key), key)
        keyspace.expired_total += 1
        if keyspace.report_expired:
            keyspace.expired.append((self.index, key, []))
        if keyspace.observer is not None:
            keyspace.observer.expired(self, key)
        self._tell_of_expiry(key)

    def settle(self, key: bytes, hashed: ExpiringHash) -> None:
        """Keep the hash under `key` in the form that its deadlines demand: with them, or plain where none is left."""
        keys = self.slots[self.slot_of(key)]
        first_ms = hashed.deadlines.first_ms()
        if first_ms == NEVER_MS:
            keys[key] = hashed.hash
            self.field_deadlines.drop(key)
            return
        keys[key] = hashed
        if self.field_deadlines.get(key) != first_ms:
            self.field_deadlines.put(key, first_ms)

    def expire_fields(self, key: bytes, hashed: ExpiringHash, fields: list[bytes]) -> bool:
        """Delete fields of the hash under `key` because their deadlines have passed, and report it.

        The key goes with the last field; say whether it is still there.
        """
        keyspace = self.keyspace
        for field in fields:
            hashed.remove(field)
        keyspace.expired_fields_total += len(fields)
        if keyspace.report_expired and keyspace.expire_mode == EXPIRE_DELETES:
            keyspace.expired.append((self.index, key, fields))
        is_gone = hashed.hash.is_empty()
        if is_gone:
            self._remove(self.slot_of(key), key)
        else:
            self.settle(key, hashed)
        if keyspace.observer is not None:
            keyspace.observer.fields_expired(self, key, is_gone)
        self._tell_of_expiry(key)
        return not is_gone

    def flush(self) -> int:
        """Delete every key and return how many there were."""
        if self.keyspace.follower is not None:
            self.keyspace.follower.flushed()
        return self.empty()

    def empty(self) -> int:
        """Do what flush() does, as a part of something that the keyspace's follower hears of anyway."""
        count = int(self.size)
        for key in self.watches.watched_keys():
            if self.find_raw(key) is not None:
                self.watches.changed(key, True)
        self._signal_all()
        self.keyspace.lazyfree.discard(self.slots)
        self.slots = [{} for _ in range(SLOT_COUNT)]
        self.deadlines = [None] * SLOT_COUNT
        self.quiet_until_ms = [NEVER_MS] * SLOT_COUNT
        self.all_quiet_until_ms = NEVER_MS
        self.crowd = None
        self.field_deadlines = Deadlines()
        self.size = 0
        self.volatile = 0
        self.keyspace.dirty += count
        self.keyspace.access.forget_database(self.index)
        return count

    def swap(self, other: "Database") -> None:
        """Exchange the keys of two databases; clients and watches stay with the index."""
        watched = [
            *[(self, key) for key in self.watches.watched_keys()],
            *[(other, key) for key in other.watches.watched_keys()],
        ]
        before = [database.find_raw(key) is not None for database, key in watched]
        self.slots, other.slots = other.slots, self.slots
        self.deadlines, other.deadlines = other.deadlines, self.deadlines
        self.quiet_until_ms, other.quiet_until_ms = other.quiet_until_ms, self.quiet_until_ms
        self.all_quiet_until_ms, other.all_quiet_until_ms = other.all_quiet_until_ms, self.all_quiet_until_ms
        self.crowd, other.crowd = other.crowd, self.crowd
        self.field_deadlines, other.field_deadlines = other.field_deadlines, self.field_deadlines
        self.size, other.size = other.size, self.size
        self.volatile, other.volatile = other.volatile, self.volatile
        for (database, key), existed in zip(watched, before, strict=True):
            exists = database.find_raw(key) is not None
            database.watches.swapped(key, existed, exists, database.is_past_deadline(key))
        self._signal_all()
        other._signal_all()

    def adopt(self, other: "Database") -> None:
        """Take over the keys of another database, which is given up, in place of those in this one."""
        self.empty()
        self.swap(other)

    def watch(self, key: bytes, watch: Watch) -> None:
        """Break `watch` when `key` changes."""
        self.watches.add(key, watch, self.is_past_deadline(key))
        self._is_heard = True

    def unwatch(self, key: bytes, watch: Watch) -> None:
        """Undo watch()."""
        self.watches.remove(key, watch)
        self.note_listeners()

    def await_key(self, key: bytes) -> None:
        """Put `key` on the list of ready keys when it changes next."""
        self.awaited[key] = False
        self._is_heard = True

    def await_no_more(self, key: bytes) -> None:
        """Undo await_key()."""
        self.awaited.pop(key, None)
        self.note_listeners()

    def note_listeners(self) -> None:
        """Find out anew whether anybody wants to hear of changes."""
        self._is_heard = len(self.watches) != 0 or bool(self.awaited) or self.keyspace.follower is not None

    def _store(self, keys: dict[bytes, object], key: bytes, value: object) -> None:
        """Store a value in its slot, in place of the one that is there."""
        keyspace = self.keyspace
        if keyspace.holds_collections:
            old = keys.get(key)
            if old is not value:
                self._let_go(key, old)
            self._follow_fields(key, value)
        elif not isinstance(value, (bytes, int, bytearray)):
            keyspace.holds_collections = True
            self._follow_fields(key, value)
        before: i64 = len(keys)
        keys[key] = value
        if len(keys) != before:
            self._created(key)

    def _let_go(self, key: bytes, value: object) -> None:
        """Give back a value that is no longer under `key`."""
        if isinstance(value, ExpiringHash):
            self.field_deadlines.drop(key)
        self.keyspace.lazyfree.discard_value(value)

    def _follow_fields(self, key: bytes, value: object) -> None:
        """See to it that the fields of a value that was stored are expired in time."""
        if isinstance(value, ExpiringHash):
            self.field_deadlines.put(key, value.deadlines.first_ms())

    def _created(self, key: bytes) -> None:
        self.size += 1
        if self.keyspace.observer is not None:
            self.keyspace.observer.created(self, key)

    def signal(self, key: bytes) -> None:
        """Put `key` on the list of ready keys if anybody waits for it and it is not there yet.

        What changes a key does this by itself.
        """
        if self.awaited.get(key, True):
            return
        self.awaited[key] = True
        self.keyspace.ready.append((self, key))

    def _signal_all(self) -> None:
        for key in list(self.awaited):
            self.signal(key)

    def _changed(self, key: bytes, changes: i64) -> None:
        keyspace = self.keyspace
        keyspace.dirty += changes
        if keyspace.access.mode != 0 and self.find_raw(key) is not None:
            keyspace.access.touch(self.index, key, keyspace.now_ms)
        if self._is_heard:
            self._tell(key)

    def _tell(self, key: bytes) -> None:
        """Let those who want to know hear that `key` was changed."""
        self._break_watches(key)
        self.signal(key)
        if self.keyspace.follower is not None:
            self.keyspace.follower.changed(key)

    def _tell_of_expiry(self, key: bytes) -> None:
        """Let those who want to know hear that `key`, or a part of it, is gone without any client's doing."""
        self._break_watches(key)
        self.signal(key)
        if self.keyspace.follower is not None:
            self.keyspace.follower.vanished(key)

    def _is_gone(self, slot: i64, key: bytes) -> bool:
        """Say whether `key` has expired for whoever looks now, and delete it where this node decides about that."""
        deadlines = self.deadlines[slot]
        if deadlines is None:
            return False
        deadline_ms = deadlines.get(key)
        keyspace = self.keyspace
        if deadline_ms is None or deadline_ms >= keyspace.now_ms or keyspace.expire_mode == EXPIRE_WAITS:
            return False
        if keyspace.expire_mode == EXPIRE_DELETES:
            self.expire(key)
        return True

    def _remove(self, slot: i64, key: bytes) -> None:
        keys = self.slots[slot]
        if self.keyspace.holds_collections:
            self._let_go(key, keys[key])
        del keys[key]
        self.size -= 1
        if self.volatile != 0:
            self._drop_deadline(slot, key)
        if self.keyspace.access.mode != 0:
            self.keyspace.access.forget(self.index, key)

    def _drop_deadline(self, slot: i64, key: bytes) -> bool:
        deadlines = self.deadlines[slot]
        if deadlines is None or deadlines.pop(key, None) is None:
            return False
        self.volatile -= 1
        return True

    def _break_watches(self, key: bytes) -> None:
        if key in self.watches:
            self.watches.changed(key, self.find_raw(key) is None)

    def find_raw(self, key: bytes) -> object:
        """Return what is stored under `key`, expired or not, or None."""
        return self.slots[self.slot_of(key)].get(key)
