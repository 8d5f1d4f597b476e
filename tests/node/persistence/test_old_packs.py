"""Ziplists and zipmaps are read, and what is none is refused."""

import random
from collections.abc import Callable

import pytest

from tests.node.persistence.old_packs import ziplist, zipmap
from trivet_node.persistence.ziplist import MalformedPack, ziplist_texts
from trivet_node.persistence.zipmap import zipmap_texts

TEXTS = [
    *[b"", b"a", b"0", b"12", b"13", b"-1", b"127", b"128", b"-128", b"-129", b"32767", b"32768", b"-8388608"],
    *[b"8388608", b"2147483647", b"2147483648", b"-9223372036854775808", b"01", b"-0", b"x" * 63, b"x" * 64],
    *[b"y" * 253, b"y" * 254, b"z" * 16383, b"z" * 16384, b"\xff\x00\xfe", b"tail"],
]


def test_ziplists_hold_every_kind_of_entry() -> None:
    assert ziplist_texts(ziplist(TEXTS)) == TEXTS
    assert ziplist_texts(ziplist([])) == []
    assert ziplist_texts(ziplist([b"1"] * 70_000)) == [b"1"] * 70_000


def test_a_ziplist_that_redis_wrote() -> None:
    # The example of ziplist.c: the numbers 2 and 5.
    assert ziplist_texts(bytes.fromhex("0f0000000c000000020000f302f6ff")) == [b"2", b"5"]


def test_zipmaps() -> None:
    pairs = [*TEXTS, b"odd"]
    assert zipmap_texts(zipmap(pairs)) == pairs
    assert zipmap_texts(zipmap(pairs, 3)) == pairs
    assert zipmap_texts(zipmap([])) == []
    assert len(zipmap_texts(zipmap([b"f", b"v"] * 300))) == 600
    # The example of zipmap.c.
    assert zipmap_texts(b"\x02\x03foo\x03\x00bar\x05hello\x05\x00world\xff") == [b"foo", b"bar", b"hello", b"world"]


@pytest.mark.parametrize("make", [ziplist, zipmap])
@pytest.mark.parametrize("seed", range(10))
def test_broken_ones_are_refused_or_read(make: Callable[[list[bytes]], bytes], seed: int) -> None:
    chance = random.Random(seed)
    read = ziplist_texts if make is ziplist else zipmap_texts
    intact = make([text[:70] for text in TEXTS[:24]])
    refused = 0
    for _ in range(500):
        data = bytearray(intact)
        for _ in range(chance.choice((0, 1, 1, 2, 8))):
            data[chance.randrange(len(data))] = chance.choice((chance.randrange(256), 0xFF, 0xFE))
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        try:
            texts = read(bytes(data))
            assert sum(map(len, texts)) < 3 * len(data)
        except MalformedPack:
            refused += 1
    assert 100 < refused < 500


@pytest.mark.parametrize("size", range(15))
def test_cut_short(size: int) -> None:
    with pytest.raises(MalformedPack):
        ziplist_texts(ziplist([b"2", b"5"])[:size])
    with pytest.raises(MalformedPack):
        zipmap_texts(zipmap([b"field", b"a value"])[:size])
