"""LZF against redis-server's own LibLZF, and against itself."""

import random

import pytest

from tests.processes import ServerProcess
from trivet_node.persistence.lzf import Compressor, LzfError, decompress

WORDS = (b"hello", b"world", b"x", b"12345678901234567890", b"\x00\xff")


def sample(chance: random.Random) -> bytes:
    """Return a string that can be compressed more or less well."""
    size = chance.choice((21, 22, 40, 100, 300, 1000, 9000, 20_000))
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(chance.choices(b"ab", k=size))
    if kind == 1:
        return chance.choice((b"a", b"ab", b"abc", b"abcde")) * size
    if kind == 2:
        return b"".join(chance.choice((*WORDS, chance.randbytes(3))) for _ in range(size // 4))
    return chance.randbytes(size)


@pytest.mark.parametrize("seed", range(3))
def test_is_what_redis_writes(own_redis_server: ServerProcess, seed: int) -> None:
    chance = random.Random(seed)
    compressor = Compressor()
    compressed_count = 0
    for _ in range(200):
        text = sample(chance)
        own_redis_server.call("SET", "key", text)
        payload = own_redis_server.call("DUMP", "key")
        compressed = compressor.compress(text, len(text) - 4)
        # 0xC3: a string in LZF follows.
        assert (payload[1] == 0xC3) == (compressed != b"")
        if compressed:
            assert payload[:-10].endswith(compressed)
            compressed_count += 1
    assert 50 < compressed_count < 200


@pytest.mark.parametrize("seed", range(10))
def test_what_was_compressed_is_decompressed(seed: int) -> None:
    chance = random.Random(seed)
    compressor = Compressor()
    for _ in range(30):
        text = sample(chance)[: chance.randrange(1, 20_000)]
        compressed = compressor.compress(text, len(text) + len(text) // 32 + 4)
        assert decompress(compressed, len(text)) == text
        assert compressor.compress(text, len(compressed) - 1) == b""


def test_nothing_comes_of_nothing() -> None:
    assert Compressor().compress(b"", 100) == b""
    assert Compressor().compress(b"abc", 0) == b""


@pytest.mark.parametrize("data", [b"\x05ab", b"\x20", b"\xe0\x00", b"\x20\x00", b"\x00a\x20\x05", b"\x02abc"])
def test_refuses(data: bytes) -> None:
    with pytest.raises(LzfError):
        decompress(data, 4)


def test_makes_no_more_than_announced() -> None:
    with pytest.raises(LzfError):
        decompress(b"\x00a" + b"\xe0\xff\x00" * 100_000, 1000)


@pytest.mark.parametrize("seed", range(10))
def test_broken_bytes_are_refused_or_decompressed(seed: int) -> None:
    chance = random.Random(seed)
    text = sample(chance)
    intact = Compressor().compress(text, len(text) * 2)
    for _ in range(200):
        data = bytearray(intact)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            assert len(decompress(bytes(data), len(text))) == len(text)
        except LzfError:
            continue
