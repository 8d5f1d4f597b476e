"""Keyspaces to RDB bytes and back; broken bytes are refused with their offset, or load, but never crash."""

import io
import random
import struct
from collections.abc import Callable

import pytest

from tests.amount import part_of
from trivet_node.access import CLOCK, FREQUENCY
from trivet_node.keyspace import Keyspace
from trivet_node.persistence.crc64 import crc64
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.persistence.rdb_reader import KEEP_EXPIRED, RdbReader
from trivet_node.persistence.rdb_sink import CHUNK_BYTES
from trivet_node.persistence.rdb_writer import RdbWriter, WriterOptions
from trivet_node.values.lists import from_values
from trivet_node.values.packing import PackingLimits
from trivet_node.values.strings import encode_string

FACTS = [(b"redis-ver", b"7.0.15"), (b"redis-bits", b"64"), (b"repl-offset", b"1234")]
LONG_AGO_MS = 1000
FAR_AWAY_MS = 4_000_000_000_000
STRINGS = [
    b"",
    b"a",
    b"0",
    b"-1",
    b"127",
    b"128",
    b"-128",
    b"-129",
    b"32767",
    b"32768",
    b"2147483647",
    b"2147483648",
    b"-2147483648",
    b"-2147483649",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"007",
    b"+1",
    b"x" * 63,
    b"x" * 64,
    b"y" * 16383,
    b"y" * 16384,
    bytes(range(256)),
]


class OneByteAtATime(io.BytesIO):
    """A file that gives one byte, whatever it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1)


CHUNKINGS: list[Callable[[bytes], Callable[[int], bytes]]] = [
    lambda data: io.BytesIO(data).read,
    lambda data: OneByteAtATime(data).read,
]


def sample_keyspace() -> Keyspace:
    keyspace = Keyspace(16)
    for index, text in enumerate(STRINGS):
        keyspace.database(0).put(b"key:%d" % index, encode_string(text))
        keyspace.database(0).put(text, encode_string(b"named like a value"))
    keyspace.database(0).set_deadline(b"key:3", FAR_AWAY_MS)
    keyspace.database(0).set_deadline(b"key:4", LONG_AGO_MS)
    keyspace.database(7).put(b"changed in place", bytearray(b"123"))
    keyspace.database(15).put(b"12", b"z" * (CHUNK_BYTES + 1))
    return keyspace


def written(keyspace: Keyspace, checksum: bool = True) -> bytes:
    return b"".join(RdbWriter(keyspace, FACTS, PackingLimits(), WriterOptions(checksum)).chunks())


def load(read: Callable[[int], bytes], now_ms: int = KEEP_EXPIRED) -> tuple[Keyspace, RdbReader]:
    keyspace = Keyspace(16)
    reader = RdbReader(read, keyspace, PackingLimits(), now_ms)
    while reader.step(3):
        pass
    return keyspace, reader


def contents(keyspace: Keyspace) -> dict[tuple[int, bytes], tuple[bytes, int]]:
    return {
        (database.index, key): (value if isinstance(value, bytes) else str(value).encode(), database.deadline(key))
        for database in keyspace.used_databases()
        for slot in database.slots
        for key, value in (
            (key, bytes(value) if isinstance(value, bytearray) else value) for key, value in slot.items()
        )
    }


@pytest.mark.parametrize("chunking", CHUNKINGS)
def test_what_is_written_is_read(chunking: Callable[[bytes], Callable[[int], bytes]]) -> None:
    keyspace = sample_keyspace()
    loaded, reader = load(chunking(written(keyspace)))
    assert contents(loaded) == contents(keyspace)
    assert reader.facts == dict(FACTS)
    assert reader.keys_loaded == keyspace.size()
    for original, copy in zip(keyspace.used_databases(), loaded.used_databases(), strict=True):
        assert (original.index, original.size, original.volatile) == (copy.index, copy.size, copy.volatile)


def test_strings_are_kept_in_memory_as_if_they_were_set() -> None:
    loaded, _ = load(io.BytesIO(written(sample_keyspace())).read)
    for index, text in enumerate(STRINGS):
        assert loaded.database(0).find_raw(b"key:%d" % index) == encode_string(text)


def test_the_empty_keyspace() -> None:
    loaded, reader = load(io.BytesIO(written(Keyspace(16))).read)
    assert loaded.size() == 0
    assert reader.keys_loaded == 0


def test_keys_past_their_deadline_are_left_out_by_a_primary() -> None:
    loaded, reader = load(io.BytesIO(written(sample_keyspace())).read, now_ms=LONG_AGO_MS + 1)
    assert loaded.database(0).find_raw(b"key:4") is None
    assert loaded.database(0).find_raw(b"key:3") is not None
    assert reader.keys_expired == 1


def test_large_keyspaces_come_in_chunks() -> None:
    keyspace = Keyspace(1)
    for number in range(20_000):
        keyspace.database(0).put(b"key:%d" % number, b"v" * 100)
    chunks = list(RdbWriter(keyspace, FACTS, PackingLimits(), WriterOptions(compress=False)).chunks())
    assert len(chunks) > 5
    assert max(len(chunk) for chunk in chunks) < 2 * CHUNK_BYTES
    assert contents(load(io.BytesIO(b"".join(chunks)).read)[0]) == contents(keyspace)


def test_without_a_checksum_zero_stands_in_its_place() -> None:
    data = written(sample_keyspace(), checksum=False)
    assert data[-8:] == bytes(8)
    load(io.BytesIO(data).read)


def test_the_checksum_is_known() -> None:
    # The check value of Redis' crc64.c.
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA
    assert crc64(b"6789", crc64(b"12345")) == crc64(b"123456789")


def rdb(body: bytes, version: int = 10) -> bytes:
    data = b"REDIS%04d" % version + body + b"\xff"
    return data + struct.pack("<Q", crc64(data)) if version >= 5 else data


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        (b"\x03abc", b"abc"),
        (b"\x40\x03abc", b"abc"),
        (b"\x80\x00\x00\x00\x03abc", b"abc"),
        (b"\x81" + bytes(7) + b"\x03abc", b"abc"),
        (b"\xc0\xff", b"-1"),
        (b"\xc1\x00\x80", b"-32768"),
        (b"\xc2\xff\xff\xff\x7f", b"2147483647"),
        (b"\xc3\x05\x0a\x00a\xe0\x00\x00", b"a" * 10),
    ],
)
def test_every_encoding_of_a_string(encoded: bytes, text: bytes) -> None:
    loaded, _ = load(io.BytesIO(rdb(b"\xfe\x00\x00\x01k" + encoded)).read)
    assert loaded.database(0).find_raw(b"k") == encode_string(text)


@pytest.mark.parametrize(
    ("prefix", "deadline_ms"),
    [
        (b"\xfc" + struct.pack("<q", 1234567), 1234567),
        (b"\xfd" + struct.pack("<i", 1234), 1234000),
        (b"\xf8\x05", -1),
        (b"\xf9\x07", -1),
        (b"\xfc" + struct.pack("<q", 99) + b"\xf9\x07", 99),
    ],
)
def test_what_may_stand_before_a_key(prefix: bytes, deadline_ms: int) -> None:
    loaded, _ = load(io.BytesIO(rdb(prefix + b"\x00\x01k\x01v")).read)
    assert loaded.database(0).find_raw(b"k") == b"v"
    assert loaded.database(0).deadline(b"k") == deadline_ms


def test_old_versions_have_no_checksum() -> None:
    loaded, _ = load(io.BytesIO(rdb(b"\x00\x01k\x01v", version=3)).read)
    assert loaded.size() == 1


@pytest.mark.parametrize(
    ("data", "offset", "words"),
    [
        (b"", 0, "unexpected end of file"),
        (b"NOTREDIS0", 0, "not an RDB file"),
        (b"REDIS0013\xff", 5, "version 13"),
        (rdb(b"\x07\x04list\x01x"), 15, "key 'list': a value of a module cannot be loaded"),
        (rdb(b"\x63\x01k\x01v"), 12, "key 'k': unknown value type 99"),
        (rdb(b"\xfe\x10"), 9, "database 16"),
        (rdb(b"\x00\x01k\x01v\x00\x01k\x01v"), 14, "key 'k' is there twice"),
        (rdb(b"\xf6\x01x"), 9, "functions"),
        (rdb(b"\xf7\x81" + bytes(8)), 9, "module type AAAAAAAAA"),
        (rdb(b"\xfe\xc0\x00"), 10, "expected a length"),
        (rdb(b"\x00\x01k\xc4\x00"), 12, "unknown string encoding 4"),
        (rdb(b"\x00\x01k\x82"), 12, "unknown form of a length"),
        (rdb(b"\x00\x01k\xc3\x03\x09\x00ab"), 12, "compressed string is broken"),
        (rdb(b"\x00\x01k\x81\x7f" + b"\xff" * 7), 12, "a length of"),
        (rdb(b"\x00\x01k\x81\x00\x00\x7f" + b"\xff" * 5), 30, "unexpected end of file"),
        (rdb(b"\x00\x01k\x01v")[:-1], 22, "unexpected end of file"),
        (rdb(b"\x00\x01k\x01v")[:-8] + b"12345678", 15, "wrong checksum"),
    ],
)
def test_refusals_name_the_reason_and_the_offset(data: bytes, offset: int, words: str) -> None:
    for chunking in CHUNKINGS:
        with pytest.raises(RdbError) as caught:
            load(chunking(data))
        assert words in str(caught.value)
        assert caught.value.offset == offset


@pytest.mark.parametrize("seed", range(part_of(10)))
def test_broken_bytes_are_refused_or_load(seed: int) -> None:
    choice = random.Random(seed)
    # Without a checksum every byte counts for itself.
    intact = written(sample_keyspace(), checksum=False)[:3000]
    refused = 0
    for _ in range(100):
        data = bytearray(intact)
        for _ in range(choice.randint(1, 4)):
            data[choice.randrange(len(data))] = choice.randrange(256)
        try:
            load(io.BytesIO(bytes(data[: choice.randrange(len(data))])).read)
        except RdbError as error:
            assert 0 <= error.offset <= len(data)
            refused += 1
    assert refused > 75


def test_any_single_wrong_byte_is_noticed_by_the_checksum() -> None:
    keyspace = Keyspace(16)
    keyspace.database(0).put(b"key", b"value of some length")
    intact = written(keyspace)
    for index in range(len(intact)):
        data = bytearray(intact)
        data[index] ^= 0x01
        with pytest.raises(RdbError):
            load(io.BytesIO(bytes(data)).read)


@pytest.mark.parametrize("mode", [CLOCK, FREQUENCY])
def test_when_and_how_often_keys_were_used_is_written_and_read(mode: int) -> None:
    keyspace = Keyspace(1)
    keyspace.now_ms = FAR_AWAY_MS
    keyspace.access.switch(mode, FAR_AWAY_MS)
    keyspace.database(0).put(b"key", b"value")
    keyspace.database(0).put(b"list", from_values([b"a"], -2))
    keyspace.access.recall(0, b"key", 5_000, 77, FAR_AWAY_MS)
    options = WriterOptions(keeps_access=True)
    data = b"".join(RdbWriter(keyspace, FACTS, PackingLimits(), options).chunks())
    assert (b"\xf9\x4d\x00\x03key" in data) == (mode == FREQUENCY)
    assert (b"\xf8\x05\x00\x03key" in data) == (mode == CLOCK)
    other = keyspace.beside()
    reader = RdbReader(io.BytesIO(data).read, other, PackingLimits())
    while reader.step(1):
        pass
    adopting = Keyspace(1)
    adopting.access.switch(mode, FAR_AWAY_MS)
    adopting.adopt(other)
    for name, idle_ms, frequency in ((b"key", 5_000, 77), (b"list", 0, 5)):
        if mode == CLOCK:
            assert adopting.access.idle_ms(0, name, FAR_AWAY_MS) == idle_ms
        else:
            assert adopting.access.frequency(0, name, FAR_AWAY_MS) == frequency


def test_collections_without_elements_are_skipped() -> None:
    keyspace, reader = load(io.BytesIO(rdb(b"\x02\x05empty\x00\x00\x01k\x01v")).read)
    assert keyspace.size() == 1
    assert (reader.keys_loaded, reader.empty_keys_skipped) == (1, 1)
