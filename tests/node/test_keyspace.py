"""The keyspace against a plain model, and its promises one by one."""

import random

import pytest

from trivet_node.keyspace import (
    EXPIRE_HIDES,
    EXPIRE_WAITS,
    Database,
    Keyspace,
)
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.hashes import Hash, from_pairs
from trivet_node.values.packing import PackingLimits
from trivet_node.watches import Watch
from trivet_wire.slots import key_slot

NOW_MS = 1_000_000


def make() -> tuple[Keyspace, Database]:
    keyspace = Keyspace(16)
    keyspace.now_ms = NOW_MS
    return keyspace, keyspace.database(0)


class Model:
    """What a database is: values and deadlines, with expired keys left out when somebody looks."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.values: dict[bytes, object] = {}
        self.deadlines: dict[bytes, int] = {}

    def find(self, key: bytes) -> object:
        if self.deadlines.get(key, self.now_ms) < self.now_ms:
            self.delete(key)
        return self.values.get(key)

    def put(self, key: bytes, value: object) -> None:
        self.values[key] = value
        self.deadlines.pop(key, None)

    def delete(self, key: bytes) -> bool:
        self.deadlines.pop(key, None)
        return self.values.pop(key, None) is not None


@pytest.mark.parametrize("seed", range(5))
def test_behaves_as_a_dictionary_with_deadlines(seed: int) -> None:
    choice = random.Random(seed)
    keyspace, database = make()
    model = Model()
    for step in range(4000):
        key = b"k%d" % choice.randrange(40)
        action = choice.randrange(6)
        if action == 0:
            database.put(key, step)
            model.put(key, step)
        elif action == 1:
            assert database.find(key) == model.find(key)
        elif action == 2:
            alive = model.find(key) is not None
            assert database.delete(key) == alive
            model.delete(key)
        elif action == 3 and model.find(key) is not None:
            deadline = model.now_ms + choice.randrange(50)
            database.set_deadline(key, deadline)
            model.deadlines[key] = deadline
        elif action == 4 and model.find(key) is not None:
            assert database.clear_deadline(key) == (model.deadlines.pop(key, None) is not None)
        elif action == 5:
            model.now_ms += choice.randrange(5)
            keyspace.now_ms = model.now_ms
        assert database.volatile == sum(len(slot) for slot in database.deadlines if slot)
        assert database.size == sum(map(len, database.slots[:])) if step % 500 == 0 else True
    assert {key for key in (b"k%d" % n for n in range(40)) if database.find(key) is not None} == {
        key for key in list(model.values) if model.find(key) is not None
    }
    assert {key: database.deadline(key) for key in model.values} == {
        key: model.deadlines.get(key, NO_DEADLINE) for key in model.values
    }


def test_a_key_lives_in_the_millisecond_of_its_deadline() -> None:
    keyspace, database = make()
    database.put(b"k", 1)
    database.set_deadline(b"k", NOW_MS)
    assert database.find(b"k") == 1
    keyspace.now_ms = NOW_MS + 1
    assert database.find(b"k") is None
    assert database.size == 0
    assert keyspace.expired_total == 1


def test_a_new_value_over_an_expired_key_is_reported_as_two_changes() -> None:
    keyspace, database = make()
    keyspace.report_expired = True
    database.put(b"k", 1)
    database.set_deadline(b"k", NOW_MS)
    keyspace.now_ms = NOW_MS + 1
    database.put(b"k", 2)
    assert keyspace.expired == [(0, b"k", [])]
    assert database.find(b"k") == 2
    assert database.deadline(b"k") == NO_DEADLINE


def test_a_replica_hides_what_its_primary_has_yet_to_delete() -> None:
    keyspace, database = make()
    database.put(b"k", 1)
    database.set_deadline(b"k", NOW_MS)
    keyspace.now_ms = NOW_MS + 1
    keyspace.expire_mode = EXPIRE_HIDES
    assert database.find(b"k") is None
    assert database.size == 1
    keyspace.expire_mode = EXPIRE_WAITS
    assert database.find(b"k") == 1
    assert keyspace.expired_total == 0


def test_reads_are_counted_and_other_looks_are_not() -> None:
    keyspace, database = make()
    database.put(b"k", 1)
    database.find(b"k")
    database.find(b"none")
    assert (keyspace.hits, keyspace.misses) == (0, 0)
    database.read(b"k")
    database.glance(b"k")
    database.read(b"none")
    assert (keyspace.hits, keyspace.misses) == (2, 1)


def test_keys_lie_in_their_slots() -> None:
    _, database = make()
    for number in range(1000):
        database.put(b"key:%d" % number, number)
    for number in range(1000):
        key = b"key:%d" % number
        assert database.slots[key_slot(key)][key] == number


def test_equal_keys_of_different_identity_share_a_slot() -> None:
    _, database = make()
    database.put(b"some-key", 1)
    assert database.find(bytes(bytearray(b"some-key"))) == 1
    assert database.find(b"other") is None
    assert database.find(bytes(bytearray(b"some-key"))) == 1


@pytest.mark.parametrize("change", ["put", "replace", "modified", "delete", "set_deadline", "flush", "swap"])
def test_a_change_breaks_watches_on_the_key_only(change: str) -> None:
    keyspace, database = make()
    database.put(b"k", 1)
    database.put(b"other", 1)
    watch, bystander = Watch(), Watch()
    database.watch(b"k", watch)
    database.watch(b"missing", bystander)
    if change == "flush":
        keyspace.flush()
    elif change == "swap":
        keyspace.swap(0, 3)
    elif change == "set_deadline":
        database.set_deadline(b"k", NOW_MS + 1)
    elif change in ("put", "replace"):
        getattr(database, change)(b"k", 2)
    else:
        getattr(database, change)(b"k")
    assert watch.broken
    assert not bystander.broken


def test_an_expired_key_that_was_watched_so_may_vanish() -> None:
    keyspace, database = make()
    watches = [Watch() for _ in range(3)]
    for number, watch in enumerate(watches):
        key = b"k%d" % number
        database.put(key, 1)
        database.set_deadline(key, NOW_MS)
        keyspace.now_ms = NOW_MS + 1
        database.watch(key, watch)
        keyspace.now_ms = NOW_MS
    keyspace.now_ms = NOW_MS + 1
    assert database.find(b"k0") is None
    database.put(b"k1", 2)
    keyspace.flush()
    assert [watch.broken for watch in watches] == [False, True, False]


def test_swapped_databases_exchange_everything() -> None:
    keyspace, database = make()
    database.put(b"k", 1)
    database.set_deadline(b"k", NOW_MS + 5)
    keyspace.swap(0, 1)
    assert (database.size, database.volatile) == (0, 0)
    other = keyspace.database(1)
    assert (other.size, other.find(b"k"), other.deadline(b"k")) == (1, 1, NOW_MS + 5)


def test_flushed_values_are_freed_in_bounded_pieces() -> None:
    keyspace, database = make()
    for number in range(10_000):
        database.put(b"%d" % number, number)
    for number in range(5_000):
        database.put(b"{crowd}%d" % number, number)
    keyspace.flush()
    assert database.size == 0
    calls = 1
    while keyspace.lazyfree.free_some(1000, keyspace.holds_collections):
        calls += 1
    assert 15 <= calls <= 40
    assert not keyspace.lazyfree.free_some(1000, keyspace.holds_collections)


def huge_hash(count: int) -> Hash:
    return from_pairs([b"%d" % number for number in range(2 * count)], PackingLimits())


@pytest.mark.parametrize("lose", ["delete", "expire", "put", "flush"])
def test_huge_values_are_freed_in_bounded_pieces(lose: str) -> None:
    keyspace, database = make()
    database.put(b"small", huge_hash(10))
    database.put(b"k", huge_hash(20_000))
    if lose == "delete":
        database.delete(b"small")
        assert not keyspace.lazyfree.free_some(1000, keyspace.holds_collections)
        database.delete(b"k")
    elif lose == "expire":
        database.expire(b"k")
    elif lose == "put":
        database.put(b"k", b"another")
    else:
        database.flush()
    calls = 1
    while keyspace.lazyfree.free_some(1000, keyspace.holds_collections):
        calls += 1
    assert 15 <= calls <= 60


def test_who_still_has_a_discarded_value_keeps_it_whole() -> None:
    keyspace, database = make()
    value = huge_hash(5_000)
    database.put(b"k", value)
    database.delete(b"k")
    database.put(b"renamed", value)
    while keyspace.lazyfree.free_some(100, keyspace.holds_collections):
        pass
    assert len(value.fields()) == len(value) == 5_000
    # The same object once more is no loss of the old value.
    database.put(b"renamed", value)
    assert not keyspace.lazyfree.free_some(100, keyspace.holds_collections)
