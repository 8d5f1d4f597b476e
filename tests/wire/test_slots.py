"""key_slot() against real CLUSTER KEYSLOT."""

import random
import socket

import pytest

from tests.processes import ServerProcess, read_replies
from trivet_wire.connection import encode_request
from trivet_wire.slots import SLOT_COUNT, key_slot

CORNER_CASES = [
    b"",
    b"foo",
    b"{}",
    b"{}foo",
    b"foo{}",
    b"foo{}{bar}",
    b"foo{{bar}}zap",
    b"foo{bar}{zap}",
    b"{user1000}.following",
    b"{",
    b"}",
    b"{{",
    b"}{",
    b"}{a}",
    b"a}b{c}d",
    b"{a",
    b"a}",
    b"{\x00}",
    b"\x00{\xff}\x00",
    b"{ }",
    b"{}}",
    b"{{}",
    b"{{}}",
]


def random_key(choice: random.Random) -> bytes:
    """Return a key in which braces are likely."""
    length = choice.choice((0, 1, 2, 5, 10, 40, 200))
    alphabet = choice.choice((b"{}", b"{}ab", b"abc", bytes(range(256))))
    return bytes(choice.choice(alphabet) for _ in range(length))


def test_equals_cluster_keyslot_for_ten_thousand_keys(redis_cluster_node: ServerProcess) -> None:
    choice = random.Random(16384)
    keys = CORNER_CASES + [random_key(choice) for _ in range(10_000)]
    with socket.create_connection(redis_cluster_node.address, 10) as connection:
        connection.sendall(b"".join(encode_request([b"CLUSTER", b"KEYSLOT", key]) for key in keys))
        slots = read_replies(connection, len(keys))
    assert [key_slot(key) for key in keys] == slots


@pytest.mark.parametrize(("one", "other"), [(b"{a}1", b"{a}2"), (b"x{a}", b"a"), (b"{}a{b}", b"{}a{b}")])
def test_a_tag_decides_alone(one: bytes, other: bytes) -> None:
    assert key_slot(one) == key_slot(other)


def test_slots_spread_over_the_whole_range() -> None:
    slots = {key_slot(b"key:%d" % number) for number in range(200_000)}
    assert min(slots) >= 0
    assert max(slots) < SLOT_COUNT
    assert len(slots) > SLOT_COUNT * 0.99
