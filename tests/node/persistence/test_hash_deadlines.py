"""Hashes with deadlines of fields in RDB files and payloads, byte for byte as Redis 7.4 lays them out."""

import io
import random
import struct
from pathlib import Path

import pytest

from tests.conftest import require_redis_server
from tests.node.engines import START_MS, Node
from tests.processes import start_redis_server
from trivet_node.keyspace import Keyspace
from trivet_node.persistence.crc64 import crc64
from trivet_node.persistence.dump import dump_value, is_intact, restore_value
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.persistence.rdb_reader import RdbReader
from trivet_node.persistence.rdb_writer import RdbWriter, WriterOptions
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash, from_pairs
from trivet_node.values.packing import PackingLimits

LIMITS = PackingLimits()
FIRST_MS = START_MS + 500
LAST_MS = 2**48 - 2
METADATA, LISTPACK_EX = 24, 25


def entry(text: bytes) -> bytes:
    """Return an entry of a listpack that holds a short string."""
    return bytes((0x80 | len(text),)) + text + bytes((len(text) + 1,))


def number(value: int) -> bytes:
    """Return an entry of a listpack that holds an integer."""
    return bytes((value, 1)) if value < 128 else b"\xf4" + struct.pack("<q", value) + b"\x09"


def pack(*entries: bytes) -> bytes:
    """Return a listpack as a string of an RDB file."""
    body = b"".join(entries)
    data = struct.pack("<IH", len(body) + 7, len(entries)) + body + b"\xff"
    return string(data)


def string(text: bytes) -> bytes:
    """Return a string of less than 64 bytes."""
    assert len(text) < 64
    return bytes((len(text),)) + text


def footed(body: bytes, version: int = 12) -> bytes:
    data = body + struct.pack("<H", version)
    return data + struct.pack("<Q", crc64(data))


def ms(time: int) -> bytes:
    return struct.pack("<Q", time)


SMALL = ms(FIRST_MS) + pack(
    *(entry(b"soon"), entry(b"x"), number(FIRST_MS)),
    *(entry(b"later"), entry(b"y"), number(FIRST_MS + 300)),
    *(entry(b"never"), entry(b"z"), number(0)),
)
LARGE = (
    *(ms(FIRST_MS), b"\x03"),
    *(b"\x41\x2d", string(b"later"), string(b"y")),
    *(b"\x00", string(b"never"), string(b"z")),
    *(b"\x01", string(b"soon"), string(b"x")),
)
SMALL_PAYLOAD = footed(bytes((LISTPACK_EX,)) + SMALL)
LARGE_PAYLOAD = footed(bytes((METADATA,)) + b"".join(LARGE))


def contents(value: object) -> dict[bytes, tuple[bytes, int]]:
    assert isinstance(value, ExpiringHash)
    texts = value.hash.pairs()
    return {field: (text, value.deadlines.get(field)) for field, text in zip(texts[::2], texts[1::2], strict=True)}


def sample(limits: PackingLimits = LIMITS) -> ExpiringHash:
    made = ExpiringHash(from_pairs([b"later", b"y", b"never", b"z", b"soon", b"x"], limits))
    made.deadlines.put(b"later", FIRST_MS + 300)
    made.deadlines.put(b"soon", FIRST_MS)
    return made


def tables() -> PackingLimits:
    """Return limits under which every hash is a table."""
    limits = PackingLimits()
    limits.hash_max_listpack_entries = 0
    return limits


@pytest.mark.parametrize("payload", [SMALL_PAYLOAD, LARGE_PAYLOAD])
def test_both_forms_are_read(payload: bytes) -> None:
    assert is_intact(payload)
    value = restore_value(payload, LIMITS)
    assert contents(value) == contents(sample())
    assert isinstance(value, ExpiringHash)
    assert value.encoding() == b"listpackex"
    table = restore_value(payload, tables())
    assert contents(table) == contents(sample())
    assert isinstance(table, ExpiringHash)
    assert table.encoding() == b"hashtable"


def test_both_forms_are_written() -> None:
    assert dump_value(sample(), LIMITS, False) == SMALL_PAYLOAD
    assert dump_value(sample(tables()), LIMITS, False) == LARGE_PAYLOAD


def test_other_payloads_stay_as_they_were() -> None:
    for value in (b"text", from_pairs([b"a", b"1"], LIMITS), from_pairs([b"a", b"1"], tables())):
        payload = dump_value(value, LIMITS, True)
        assert struct.unpack("<H", payload[-10:-8]) == (10,)
        assert is_intact(footed(payload[:-10], 10))
        assert not is_intact(footed(payload[:-10], 12))
    assert not is_intact(footed(SMALL_PAYLOAD[:-10], 13))


def test_without_deadlines_a_hash_is_a_plain_one() -> None:
    small = restore_value(footed(bytes((LISTPACK_EX,)) + ms(0) + pack(entry(b"a"), entry(b"b"), number(0))), LIMITS)
    large = restore_value(footed(bytes((METADATA,)) + ms(0) + b"\x01\x00" + string(b"a") + string(b"b")), LIMITS)
    for value in (small, large):
        assert isinstance(value, Hash)
        assert value.pairs() == [b"a", b"b"]
    assert restore_value(footed(bytes((METADATA,)) + ms(0) + b"\x00"), LIMITS) is None
    assert restore_value(footed(bytes((LISTPACK_EX,)) + ms(0) + pack()), LIMITS) is None


@pytest.mark.parametrize(
    ("form", "body", "reason"),
    [
        (METADATA, ms(LAST_MS + 1) + b"\x00", "first deadline"),
        (METADATA, ms(LAST_MS) + b"\x01\x02" + string(b"a") + string(b"b"), "too late"),
        (METADATA, ms(1) + b"\x02" + (b"\x01" + string(b"a") + string(b"b")) * 2, "twice"),
        (METADATA, ms(1) + b"\x02" + b"\x01" + string(b"a") + string(b"b"), "unexpected end"),
        (LISTPACK_EX, ms(1) + pack(entry(b"a"), entry(b"b")), "without a value or a deadline"),
        (LISTPACK_EX, ms(1) + pack(entry(b"a"), entry(b"b"), entry(b"c")), "not a time"),
        (LISTPACK_EX, ms(1) + pack(entry(b"a"), entry(b"b"), number(LAST_MS + 1)), "too late"),
        (LISTPACK_EX, ms(1) + pack(entry(b"a"), entry(b"b"), b"\xdf\xff\x02"), "not a time"),
        (LISTPACK_EX, ms(1) + pack(*(entry(b"a"), entry(b"b"), number(5)) * 2), "twice"),
        (LISTPACK_EX, ms(1) + string(b"nonsense"), "malformed"),
    ],
)
def test_what_cannot_be_is_refused(form: int, body: bytes, reason: str) -> None:
    with pytest.raises(RdbError, match=reason):
        restore_value(footed(bytes((form,)) + body), LIMITS)


def written(keyspace: Keyspace) -> bytes:
    return b"".join(RdbWriter(keyspace, [], LIMITS, WriterOptions()).chunks())


def loaded(data: bytes) -> Keyspace:
    keyspace = Keyspace(16)
    reader = RdbReader(io.BytesIO(data).read, keyspace, LIMITS)
    while reader.step(10):
        pass
    return keyspace


def test_a_snapshot_is_of_the_newer_version_only_while_it_must_be() -> None:
    keyspace = Keyspace(16)
    keyspace.database(3).put(b"plain", from_pairs([b"a", b"1"], LIMITS))
    assert written(keyspace).startswith(b"REDIS0010")
    keyspace.database(3).put(b"h", sample())
    data = written(keyspace)
    assert data.startswith(b"REDIS0012")
    copy = loaded(data).database(3)
    assert contents(copy.find_raw(b"h")) == contents(sample())
    assert copy.field_deadlines.get(b"h") == FIRST_MS
    keyspace.database(3).delete(b"h")
    assert written(keyspace).startswith(b"REDIS0010")


def test_a_large_hash_is_written_in_parts() -> None:
    chance = random.Random(1)
    keyspace = Keyspace(1)
    made = ExpiringHash(Hash())
    for index in range(6000):
        made.hash.put(b"field:%d" % index, chance.randbytes(100), LIMITS)
        if chance.random() < 0.7:
            made.deadlines.put(b"field:%d" % index, FIRST_MS + chance.randrange(10**9))
    keyspace.database(0).put(b"h", made)
    writer = RdbWriter(keyspace, [], LIMITS, WriterOptions())
    chunks = list(writer.chunks())
    assert len(chunks) > 3
    copy = loaded(b"".join(chunks)).database(0)
    assert contents(copy.find_raw(b"h")) == contents(made)


def test_a_file_of_redis_74_may_tell_the_sizes_of_slots() -> None:
    body = b"REDIS0012\xfe\x00\xf4\x40\x64\x01\x01\xfb\x01\x00" + bytes((LISTPACK_EX,)) + string(b"h") + SMALL + b"\xff"
    keyspace = loaded(body + struct.pack("<Q", crc64(body)))
    assert contents(keyspace.database(0).find_raw(b"h")) == contents(sample())


def test_fields_that_expired_meanwhile_are_loaded_and_then_deleted() -> None:
    node = Node()
    node.keep_stream()
    node.keyspace.now_ms = FIRST_MS + 100
    assert node.ask("RESTORE", "h", 0, SMALL_PAYLOAD) == b"OK"
    assert (node.asks("HLEN h"), sorted(node.asks("HKEYS h"))) == (3, [b"later", b"never"])
    node.stream()
    node.engine.tick(FIRST_MS + 100)
    assert node.stream() == [[b"HDEL", b"h", b"soon"]]


def test_redis_loads_a_snapshot_once_the_deadlines_are_gone(tmp_path: Path) -> None:
    require_redis_server()
    node = Node()
    node.asks("HSET h a 1 b 2")
    node.asks("HEXPIRE h 10 FIELDS 1 a")
    node.asks("HPERSIST h FIELDS 1 a")
    (tmp_path / "dump.rdb").write_bytes(written(node.keyspace))
    with start_redis_server(tmp_path, "--dir", str(tmp_path)) as redis:
        assert redis.call("HGETALL", "h") == [b"a", b"1", b"b", b"2"]


@pytest.mark.parametrize("payload", [SMALL_PAYLOAD, LARGE_PAYLOAD])
def test_broken_bytes_are_refused_or_make_a_sound_value(payload: bytes) -> None:
    chance = random.Random(2)
    body = payload[:-10]
    for _ in range(2000):
        data = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(1, len(data))] = chance.randrange(256)
        try:
            value = restore_value(footed(bytes(data)), LIMITS)
        except RdbError:
            continue
        if isinstance(value, ExpiringHash):
            assert all(value.hash.has(field) for field in value.deadlines.due(LAST_MS + 1, 100))
            dump_value(value, LIMITS, True)
