"""Listpacks against a plain list, and against what redis-server itself writes."""

import random

import pytest

from tests.processes import ServerProcess
from trivet_node.values import listpack

SAMPLES = [
    *[b"", b"a", b"0", b"127", b"128", b"-1", b"-4096", b"4095", b"4096", b"-4097", b"32767", b"-32768", b"32768"],
    *[b"8388607", b"-8388608", b"8388608", b"2147483647", b"-2147483648", b"2147483648", b"9223372036854775807"],
    *[b"-9223372036854775808", b"9223372036854775808", b"01", b"-0", b"+1", b"x" * 20, b"x" * 21, b"x" * 63, b"x" * 64],
    *[b"x" * 4095, b"x" * 4096, b"x" * 16_380, b"x" * 16_390, b"\x00\xff\r\n", b"x" * 124, b"x" * 125, b"x" * 126],
]


def test_holds_every_kind_of_entry() -> None:
    pack = listpack.build(SAMPLES)
    assert listpack.texts(pack) == SAMPLES
    assert listpack.count(pack) == len(SAMPLES)
    assert listpack.is_valid(pack)
    for index, sample in enumerate(SAMPLES):
        at = listpack.seek(pack, index)
        assert listpack.text(pack, at) == sample
        assert listpack.seek(pack, index - len(SAMPLES)) == at
        assert listpack.find(pack, sample) == at
        assert listpack.before(pack, listpack.after(pack, at)) == at
    assert listpack.seek(pack, len(SAMPLES)) == -1
    assert listpack.seek(pack, -len(SAMPLES) - 1) == -1


def test_is_what_redis_writes(own_redis_server: ServerProcess) -> None:
    own_redis_server.call("CONFIG", "SET", "rdbcompression", "no", "hash-max-listpack-value", "100000")
    for sample in SAMPLES:
        own_redis_server.call("HSET", "hash", sample, sample[::-1])
    pack = listpack.build([text for sample in SAMPLES for text in (sample, sample[::-1])])
    assert pack in own_redis_server.call("DUMP", "hash")


@pytest.mark.parametrize("seed", range(5))
def test_random_changes_are_those_of_a_list(seed: int) -> None:
    chance = random.Random(seed)
    pack = listpack.EMPTY
    model: list[bytes] = []
    for _ in range(1000):
        value = chance.choice(SAMPLES[:30]) if chance.random() < 0.5 else b"%d" % chance.randrange(-(2**40), 2**40)
        index = chance.randrange(len(model) + 1)
        at = listpack.seek(pack, index) if index < len(model) else listpack.end(pack)
        if chance.random() < 0.55 or index == len(model):
            pack = listpack.splice(pack, at, at, listpack.encoded(value), 1)
            model.insert(index, value)
        elif chance.random() < 0.5:
            pack = listpack.splice(pack, at, listpack.after(pack, at), listpack.encoded(value), 0)
            model[index] = value
        else:
            pack = listpack.splice(pack, at, listpack.after(pack, at), b"", -1)
            del model[index]
    assert listpack.texts(pack) == model
    assert pack == listpack.build(model)
    assert listpack.prepend(listpack.append(pack, b"tail"), b"head") == listpack.build([b"head", *model, b"tail"])


def test_finds_only_where_it_looks() -> None:
    pack = listpack.build([b"a", b"b", b"b", b"c", b"c", b"a"])
    assert listpack.find(pack, b"b", listpack.FIRST, 1) == listpack.seek(pack, 2)
    assert listpack.find(pack, b"b", listpack.seek(pack, 3), 1) == -1
    assert listpack.find(pack, b"missing") == -1


def test_numbers() -> None:
    pack = listpack.build([b"-5", b"five", b"-9223372036854775808", b"-8388608"])
    assert [listpack.integer(pack, listpack.seek(pack, index)) for index in range(4)] == [
        -5,
        None,
        -(2**63),
        -(2**23),
    ]


def test_more_entries_than_the_header_counts() -> None:
    pack = listpack.build([b"1"] * 70_000)
    assert listpack.count(pack) == 70_000
    assert listpack.is_valid(pack)
    pack = listpack.splice(pack, listpack.FIRST, listpack.FIRST + 2 * 10_000, b"", -10_000)
    assert listpack.count(pack) == 60_000
    assert listpack.is_valid(pack)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_found_valid_can_be_walked(seed: int) -> None:
    chance = random.Random(seed)
    valid = listpack.build(SAMPLES[:35])
    found = 0
    for _ in range(500):
        damaged = bytearray(valid)
        for _ in range(chance.choice((1, 1, 2, 8))):
            damaged[chance.randrange(len(damaged))] = chance.choice((chance.randrange(256), 0xFF, 0xF0, 0xF4))
        if chance.random() < 0.2:
            del damaged[chance.randrange(len(damaged)) :]
        pack = bytes(damaged)
        if listpack.is_valid(pack):
            found += 1
            assert len(listpack.texts(pack)) == listpack.count(pack)
    assert found < 500
