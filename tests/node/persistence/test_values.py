"""Values of every type as payloads: to redis-server and back, from old versions' forms, and out of broken bytes."""

import math
import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import require_redis_server
from tests.node.engines import Node
from tests.node.persistence.old_packs import ziplist, zipmap
from tests.processes import ServerProcess, start_redis_server
from tests.value_samples import requests_for
from trivet_node.persistence.crc64 import crc64
from trivet_node.persistence.dump import dump_value, is_intact, restore_value
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.values.hashes import Hash
from trivet_node.values.lists import List
from trivet_node.values.packing import PackingLimits
from trivet_node.values.sets import Set
from trivet_node.values.stream_groups import Consumer, PendingCursor
from trivet_node.values.stream_ids import LARGEST_ID, SMALLEST_ID
from trivet_node.values.streams import EntryWalk, Stream
from trivet_node.values.types import copy_value, encoding_name, type_name
from trivet_node.values.zsets import SortedSet

LIMITS = PackingLimits()
# The seeds, which stand in the tests' names, begin here.
SEED = int(os.environ.get("TRIVET_SEED", "0"))


def footed(body: bytes, version: int = 10) -> bytes:
    """Return a payload with a right checksum."""
    data = body + struct.pack("<H", version)
    return data + struct.pack("<Q", crc64(data))


def string(text: bytes) -> bytes:
    sink = RdbSink(False)
    sink.string(text)
    return sink.take()


def restored(form: int, *parts: bytes, limits: PackingLimits = LIMITS) -> object:
    payload = footed(bytes((form,)) + b"".join(parts))
    assert is_intact(payload)
    return restore_value(payload, limits)


def contents(value: object) -> object:
    """Return what a value holds as plain objects."""
    if isinstance(value, List):
        return value.values(0, value.length())
    if isinstance(value, Set):
        return set(value.members())
    if isinstance(value, Hash):
        pairs = value.pairs()
        return dict(zip(pairs[::2], pairs[1::2], strict=True))
    if isinstance(value, Stream):
        return stream_contents(value)
    return value.items() if isinstance(value, SortedSet) else value


def stream_contents(value: Stream) -> object:
    groups = [
        (name, group.last_id, group.entries_read, group.pending.keys(),
         [(consumer.name, consumer.seen_ms, pending_of(consumer)) for consumer in group.consumers_by_name()])
        for name, group in value.groups_by_name()
    ]  # fmt: skip
    counters = (value.length, value.last_id(), value.first_id, value.max_deleted_id, value.entries_added)
    return value.closed_nodes().items(), counters, groups


def pending_of(consumer: Consumer) -> list[tuple[int, int, int, bytes]]:
    cursor = PendingCursor(consumer.pending)
    found = []
    more = cursor.seek_first()
    while more:
        pending = cursor.pending()
        found.append((cursor.entry_id(), pending.delivered_ms, pending.deliveries, pending.consumer))
        more = cursor.next()
    return found


@pytest.fixture
def debugged_redis(tmp_path: Path) -> Iterator[ServerProcess]:
    require_redis_server()
    with start_redis_server(tmp_path, "--enable-debug-command", "yes") as server:
        yield server


@pytest.mark.parametrize("seed", range(SEED, SEED + 4))
def test_values_travel_to_redis_and_back(debugged_redis: ServerProcess, seed: int) -> None:
    redis = debugged_redis
    chance = random.Random(seed)
    node = Node()
    for number in range(150):
        redis.call("DEL", "theirs", "back")
        for request in requests_for(chance, b"theirs"):
            redis.call(*request)
        redis.call("CONFIG", "SET", "rdbcompression", chance.choice(("yes", "no")))
        assert node.ask("RESTORE", "ours", 0, redis.call("DUMP", "theirs"), "REPLACE") == b"OK", number
        assert redis.call("RESTORE", "back", "0", node.ask("DUMP", "ours")) == b"OK", number
        assert redis.call("OBJECT", "ENCODING", "back") == node.ask("OBJECT", "ENCODING", "ours")
        theirs, back = redis.call("DEBUG", "DIGEST-VALUE", "theirs", "back")
        assert theirs == back, number


PAIRS = [b"f1", b"1", b"f2", b"two"]


@pytest.mark.parametrize(
    ("form", "parts", "expected"),
    [
        (1, [b"\x03", string(b"a"), string(b"-7"), string(b"c" * 300)], [b"a", b"-7", b"c" * 300]),
        (10, [string(ziplist([b"a", b"1", b"b" * 100]))], [b"a", b"1", b"b" * 100]),
        (14, [b"\x03", *[string(ziplist(texts)) for texts in ([b"a", b"1"], [], [b"b"])]], [b"a", b"1", b"b"]),
        (18, [b"\x02\x01", string(b"plain"), b"\x02", string(b"\x0a\0\0\0\1\0\x81x\x02\xff")], [b"plain", b"x"]),
        (2, [b"\x02", string(b"a"), string(b"1")], {b"a", b"1"}),
        (11, [string(struct.pack("<IIhh", 2, 2, -1, 5))], {b"-1", b"5"}),
        (11, [string(struct.pack("<IIq", 8, 1, 5))], {b"5"}),
        (4, [b"\x02", *map(string, PAIRS)], {b"f1": b"1", b"f2": b"two"}),
        (9, [string(zipmap(PAIRS, 2))], {b"f1": b"1", b"f2": b"two"}),
        (13, [string(ziplist(PAIRS))], {b"f1": b"1", b"f2": b"two"}),
        (3, [b"\x03", string(b"a"), b"\xfe", string(b"b"), b"\xff", string(b"c"), b"\x032.5"],
         [(b"b", -math.inf), (b"c", 2.5), (b"a", math.inf)]),
        (5, [b"\x02", string(b"a"), struct.pack("<d", 2.5), string(b"b"), struct.pack("<d", -1)],
         [(b"b", -1.0), (b"a", 2.5)]),
        (12, [string(ziplist([b"b", b"-1", b"a", b"2.5"]))], [(b"b", -1.0), (b"a", 2.5)]),
    ],
)  # fmt: skip
def test_every_form_is_read(form: int, parts: list[bytes], expected: object) -> None:
    assert contents(restored(form, *parts)) == expected


def test_limits_decide_what_stays_packed() -> None:
    small = PackingLimits()
    small.hash_max_listpack_entries = 1
    small.set_max_intset_entries = 1
    small.zset_max_listpack_entries = 1
    payload = dump_value(restored(13, string(ziplist(PAIRS))), LIMITS, True)
    assert encoding_name(restore_value(payload, LIMITS)) == b"listpack"
    assert encoding_name(restore_value(payload, small)) == b"hashtable"
    assert encoding_name(restored(13, string(ziplist(PAIRS)), limits=small)) == b"hashtable"
    assert encoding_name(restored(11, string(struct.pack("<IIhh", 2, 2, -1, 5)), limits=small)) == b"hashtable"
    assert encoding_name(restored(12, string(ziplist([b"b", b"-1", b"a", b"2.5"])), limits=small)) == b"skiplist"
    assert encoding_name(restored(5, b"\x01", string(b"m" * 65), struct.pack("<d", 1))) == b"skiplist"


@pytest.mark.parametrize("form", [1, 2, 3, 4, 5, 14, 18])
def test_collections_without_elements_are_none(form: int) -> None:
    assert restored(form, b"\x00") is None


def test_packs_without_entries_are_none() -> None:
    listpack = string(b"\x07\0\0\0\0\0\xff")
    for form in (16, 17):
        assert restored(form, listpack) is None
    for form in (10, 12, 13):
        assert restored(form, string(ziplist([]))) is None
    assert restored(18, b"\x01\x02", listpack) is None
    assert restored(11, string(struct.pack("<II", 2, 0))) is None


@pytest.mark.parametrize(
    ("form", "parts", "words"),
    [
        (2, [b"\x02", string(b"a"), string(b"a")], "a member twice"),
        (2, [b"\x02", string(b"1"), string(b"1")], "a member twice"),
        (4, [b"\x02", *map(string, [b"f", b"1", b"f", b"2"])], "a field twice"),
        (9, [string(zipmap([b"f", b"1", b"f", b"2"]))], "a field twice"),
        (13, [string(ziplist([b"f", b"1", b"f", b"2"]))], "a field twice"),
        (13, [string(ziplist([b"f"]))], "without a value"),
        (16, [string(b"\x0a\0\0\0\1\0\x81x\x02\xff")], "without a value"),
        (16, [string(b"\x12\0\0\0\4\0" + b"\x81x\x02\x01\x01" * 2 + b"\xff\xff")], "listpack"),
        # An integer stored as a string: nobody would find it.
        (16, [string(b"\x0d\0\0\0\2\0\x811\x02\x81x\x02\xff")], "listpack"),
        (5, [b"\x02", *[string(b"a"), struct.pack("<d", 2.5)] * 2], "a member twice"),
        (5, [b"\x01", string(b"a"), struct.pack("<d", math.nan)], "not a number"),
        (3, [b"\x01", string(b"a"), b"\xfd"], "not a number"),
        (3, [b"\x01", string(b"a"), b"\x03abc"], "not a number"),
        (12, [string(ziplist([b"a", b"x"]))], "no sorted set"),
        (12, [string(ziplist([b"a"]))], "no sorted set"),
        (17, [string(b"\x11\0\0\0\4\0" + b"\x81x\x02\x02\x01" + b"\x81y\x02\x01\x01" + b"\xff")], "not in order"),
        (17, [string(b"\x11\0\0\0\4\0" + b"\x81x\x02\x01\x01" * 2 + b"\xff")], "no sorted set"),
        (11, [string(struct.pack("<IIhh", 2, 2, 5, 5))], "intset"),
        (11, [string(struct.pack("<IIh", 2, 2, 5))], "intset"),
        (11, [string(struct.pack("<IIh", 3, 1, 5))], "intset"),
        (18, [b"\x01\x03", string(b"x")], "unknown kind"),
        (1, [b"\x81\x00\x00\x7f" + b"\xff" * 5, string(b"x")], "unexpected end"),
        (6, [], "module"),
        (22, [], "unknown value type 22"),
        (255, [], "unknown value type 255"),
    ],
)
def test_refusals(form: int, parts: list[bytes], words: str) -> None:
    with pytest.raises(RdbError) as caught:
        restored(form, *parts)
    assert words in str(caught.value)


def sample_payloads(chance: random.Random) -> list[bytes]:
    """Return payloads of all forms."""
    node = Node()
    payloads = [
        footed(b"\x0d" + string(ziplist([b"f1", b"v" * 30, b"f2", b"123456"]))),
        footed(b"\x0c" + string(ziplist([b"b", b"-1", b"a", b"2.5"]))),
        footed(b"\x09" + string(zipmap([b"f1", b"1", b"f2", b"two"], 2))),
        footed(b"\x0e\x02" + string(ziplist([b"a", b"1"])) + string(ziplist([b"b" * 70]))),
        footed(b"\x03\x02" + string(b"a") + b"\x032.5" + string(b"b") + b"\xfe"),
    ]
    while len(payloads) < 60:
        for request in requests_for(chance, b"key"):
            node.ask(*request)
        payload = node.ask("DUMP", "key")
        node.ask("DEL", "key")
        if payload is not None and len(payload) < 1000:
            payloads.append(payload)
    return payloads


def damaged(chance: random.Random, body: bytes) -> bytes:
    data = bytearray(body)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(data))
        choice = chance.random()
        if choice < 0.7:
            data[at] = chance.choice((chance.randrange(256), data[at] ^ 1, 0xFF, 0, 0x80, 0x81, 0xC3))
        elif choice < 0.85:
            del data[at : at + chance.randrange(1, 5)]
        else:
            data[at:at] = data[chance.randrange(len(data)) :][: chance.randrange(1, 9)]
        if not data:
            return b"\x00"
    return bytes(data)


@pytest.mark.parametrize("seed", range(SEED, SEED + 5))
def test_whatever_the_bytes_are_they_make_a_sound_value_or_none(seed: int) -> None:
    chance = random.Random(seed)
    made = refused = 0
    for payload in sample_payloads(chance):
        for _ in range(40):
            broken = footed(damaged(chance, payload[:-10]))
            try:
                value = restore_value(broken, LIMITS)
            except RdbError:
                refused += 1
                continue
            if value is not None:
                made += 1
                check_soundness(value)
    assert made > 100
    assert refused > 500


def check_soundness(value: object) -> None:
    """Use a value in every way; what it holds is what its payload brings back."""
    type_name(value)
    payload = dump_value(value, LIMITS, True)
    again = restore_value(payload, LIMITS)
    assert contents(again) == contents(value) == contents(copy_value(value))
    check_members_are_found(value)


def check_members_are_found(value: object) -> None:
    if isinstance(value, Set):
        assert all(value.has(member) for member in value.members())
        assert len(value) == len(set(value.members()))
    elif isinstance(value, Hash):
        assert all(value.get(field) == text for field, text in zip(value.fields(), value.values(), strict=True))
    elif isinstance(value, SortedSet):
        items = value.items()
        assert [value.rank(member) for member, _ in items] == list(range(len(items)))
        assert all(value.score(member) == score for member, score in items)
    elif isinstance(value, Stream):
        for backwards in (False, True):
            walk = EntryWalk(value, SMALLEST_ID, LARGEST_ID, backwards=backwards)
            ids = []
            while walk.next():
                ids.append(walk.entry_id())
            assert ids == sorted(ids, reverse=backwards)
            assert len(ids) == len(value)
        assert all(value.has(entry_id) for entry_id in ids)


@pytest.mark.parametrize(
    "make", [lambda data: data[:-1], lambda data: data[:-1] + b"\0", lambda data: b"", bytes.lower]
)
def test_payloads_that_are_not_intact(make: Callable[[bytes], bytes]) -> None:
    payload = dump_value(b"VALUE", LIMITS, True)
    assert is_intact(payload)
    assert not is_intact(make(payload))
    assert not is_intact(footed(payload[:-10], 11))
    assert is_intact(footed(payload[:-10], 9))
