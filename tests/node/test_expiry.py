"""Active expiry does a bounded amount of work, whatever is due."""

import pytest

from tests.amount import part_of
from trivet_node.expiry import CYCLE_KEYS, expire_cycle
from trivet_node.keyspace import EXPIRE_HIDES, Database, Keyspace

NOW_MS = 1_000_000


def make() -> tuple[Keyspace, Database]:
    keyspace = Keyspace(16)
    keyspace.now_ms = NOW_MS
    return keyspace, keyspace.database(0)


def fill(database: Database, count: int, deadline_ms: int, form: bytes = b"key:%d") -> None:
    for number in range(count):
        key = form % number
        database.put(key, number)
        database.set_deadline(key, deadline_ms)


def cycles_until_done(keyspace: Keyspace, most_in_a_slot: int) -> int:
    """Run cycles until nothing is due, and check that none has deleted more than it may."""
    cycles = 0
    while True:
        before = keyspace.expired_total
        more = expire_cycle(keyspace)
        cycles += 1
        assert keyspace.expired_total - before <= CYCLE_KEYS + most_in_a_slot
        if not more:
            return cycles


def test_a_million_keys_of_one_second_go_in_small_pieces() -> None:
    keyspace, database = make()
    count = part_of(1_000_000)
    fill(database, count, NOW_MS + 500)
    assert not expire_cycle(keyspace)
    assert database.size == count
    keyspace.now_ms = NOW_MS + 501
    cycles = cycles_until_done(keyspace, max(map(len, database.slots)))
    assert cycles > count // (2 * CYCLE_KEYS)
    assert (database.size, database.volatile, keyspace.expired_total) == (0, 0, count)


def test_a_slot_crowded_by_a_hash_tag_is_worked_off_as_well() -> None:
    keyspace, database = make()
    fill(database, 50_000, NOW_MS + 500, b"{tag}%d")
    fill(database, 50_000, NOW_MS + 900, b"{tag}later:%d")
    fill(database, 50_000, NOW_MS + 500, b"{other}%d")
    keyspace.now_ms = NOW_MS + 501
    cycles = cycles_until_done(keyspace, 0)
    assert cycles >= 150_000 // CYCLE_KEYS
    assert database.size == 50_000
    keyspace.now_ms = NOW_MS + 901
    cycles_until_done(keyspace, 0)
    assert (database.size, database.volatile) == (0, 0)


def test_deadlines_set_while_a_crowd_is_worked_off_are_not_forgotten() -> None:
    keyspace, database = make()
    fill(database, 3 * CYCLE_KEYS, NOW_MS + 10, b"{tag}%d")
    keyspace.now_ms = NOW_MS + 11
    assert expire_cycle(keyspace)
    fill(database, 10, NOW_MS + 20, b"{tag}new:%d")
    cycles_until_done(keyspace, 0)
    assert database.size == 10
    keyspace.now_ms = NOW_MS + 21
    cycles_until_done(keyspace, 0)
    assert database.size == 0


def test_a_crowd_that_is_flushed_or_swapped_meanwhile() -> None:
    keyspace, database = make()
    fill(database, 3 * CYCLE_KEYS, NOW_MS + 10, b"{tag}%d")
    keyspace.now_ms = NOW_MS + 11
    assert expire_cycle(keyspace)
    keyspace.swap(0, 1)
    other = keyspace.database(1)
    assert expire_cycle(keyspace)
    assert other.size == CYCLE_KEYS
    other.flush()
    assert not expire_cycle(keyspace)
    assert keyspace.size() == 0


def test_only_what_is_due_is_deleted_in_every_database() -> None:
    keyspace, database = make()
    other = keyspace.database(5)
    fill(database, 500, NOW_MS + 10)
    fill(other, 500, NOW_MS + 20)
    for number in range(500):
        database.put(b"stays:%d" % number, number)
    keyspace.now_ms = NOW_MS + 11
    cycles_until_done(keyspace, 10)
    assert (database.size, other.size) == (500, 500)
    keyspace.now_ms = NOW_MS + 21
    cycles_until_done(keyspace, 10)
    assert (database.size, other.size) == (500, 0)


def test_a_deadline_brought_forward_is_noticed() -> None:
    keyspace, database = make()
    fill(database, 100, NOW_MS + 1000)
    assert not expire_cycle(keyspace)
    database.set_deadline(b"key:7", NOW_MS + 1)
    keyspace.now_ms = NOW_MS + 2
    assert not expire_cycle(keyspace)
    assert database.size == 99


@pytest.mark.parametrize("later_ms", [1, 10_000])
def test_a_replica_deletes_nothing(later_ms: int) -> None:
    keyspace, database = make()
    fill(database, 100, NOW_MS)
    keyspace.expire_mode = EXPIRE_HIDES
    keyspace.now_ms = NOW_MS + later_ms
    assert not expire_cycle(keyspace)
    assert database.size == 100
