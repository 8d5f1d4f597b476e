"""IDs, nodes and radix trees of streams."""

import random

import pytest

from trivet_node.values import listpack
from trivet_node.values.stream_ids import (
    HALF_MAX,
    difference,
    id_bytes,
    id_from_bytes,
    id_text,
    make_id,
    moved,
    parse_id,
    signed,
)
from trivet_node.values.stream_node import NodeWalk, NodeWriter, is_valid_node, live_count, with_deleted
from trivet_node.values.stream_radix import radix_nodes


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        (b"5", (5, 77)),
        (b"5-6", (5, 6)),
        (b"18446744073709551615-18446744073709551615", (HALF_MAX, HALF_MAX)),
        (b" 5-+6", (5, 6)),
        (b"05--01", (5, HALF_MAX)),
        (b"5-6\x00 and more", (5, 6)),
        *[(text, None) for text in (b"", b"-", b"5-", b"-5", b"5-6-7", b"5 -6", b"5-*", b"x", b"18446744073709551616")],
        (b"0" * 127, (0, 77)),
        (b"0" * 128, None),
    ],
)
def test_ids_are_read_as_c_reads_them(text: bytes, halves: tuple[int, int] | None) -> None:
    assert parse_id(text, 77) == (None if halves is None else make_id(*halves))


def test_an_id_is_shown_and_kept_as_it_is() -> None:
    wanted = make_id(1_700_000_000_000, HALF_MAX)
    assert id_text(wanted) == b"1700000000000-18446744073709551615"
    assert id_from_bytes(id_bytes(wanted)) == wanted
    assert id_bytes(make_id(1, 2)) < id_bytes(make_id(1, 3)) < id_bytes(make_id(2, 0))


def test_differences_of_halves_wrap_around() -> None:
    for half, base in ((0, HALF_MAX), (HALF_MAX, 0), (5, 7), (2**63, 1), (7, 7), (1, 2**63 + 1)):
        assert -(2**63) <= difference(half, base) < 2**63
        assert moved(base, difference(half, base)) == half
    assert [signed(2**63 - 1), signed(2**63), signed(-(2**63) - 1)] == [2**63 - 1, -(2**63), 2**63 - 1]


def node_of(contents: list[list[bytes]], node_id: int = make_id(100, 5)) -> bytes:
    writer = NodeWriter(node_id)
    writer.begin(contents[0], 0)
    for index, content in enumerate(contents):
        writer.append(100 + index, 0 if index else 5, content, 0)
    assert writer.size() == len(writer.pack())
    return writer.pack()


CONTENTS = [[b"f", b"1"], [b"f", b"x" * 70], [b"g", b"1", b"h", b"2"], [b"f", b""]]


def test_a_node_can_be_walked_both_ways() -> None:
    walk = NodeWalk(make_id(100, 5), node_of(CONTENTS))
    found = []
    more = walk.first()
    while more:
        found.append((walk.milliseconds, walk.sequence, walk.has_same_fields(), walk.contents()))
        more = walk.next()
    assert found == [
        (100, 5, True, [b"1"]),
        (101, 0, True, [b"x" * 70]),
        (102, 0, False, CONTENTS[2]),
        (103, 0, True, [b""]),
    ]
    backwards = [walk.milliseconds for more in [walk.last()] if more]
    while walk.previous():
        backwards.append(walk.milliseconds)
    assert backwards == [103, 102, 101, 100]


def test_a_node_goes_on_where_it_was_left() -> None:
    half = NodeWriter(make_id(100, 5))
    half.resume(node_of(CONTENTS[:2]))
    for index in (2, 3):
        half.append(100 + index, 0, CONTENTS[index], 0)
    assert half.pack() == node_of(CONTENTS)


def test_deleted_entries_are_flagged_and_counted() -> None:
    pack = node_of([[b"f", b"%d" % number] for number in range(200)])
    walk = NodeWalk(make_id(100, 5), pack)
    places = []
    more = walk.first()
    while more:
        places.append(int(walk.at))
        more = walk.next()
    left = with_deleted(pack, places[::2])
    assert is_valid_node(left)
    assert live_count(left) == 100
    assert listpack.texts(left)[:2] == [b"100", b"100"]


def test_a_malformed_node_is_refused_and_never_trips_the_check() -> None:
    pack = node_of(CONTENTS)
    assert is_valid_node(pack)
    choice = random.Random(3)
    accepted = 0
    for _ in range(4_000):
        data = bytearray(pack)
        for _ in range(choice.choice((1, 1, 2, 5))):
            data[choice.randrange(len(data))] = choice.choice((0, 1, 2, 127, 128, 255, choice.randrange(256)))
        if is_valid_node(bytes(data[: choice.choice((len(data), choice.randrange(len(data) + 1)))])):
            accepted += 1
            walk = NodeWalk(0, bytes(data))
            more = walk.first()
            while more:
                more = walk.next()
    # Other values, flags and IDs are as good as these; most changes are to what holds the node together.
    assert accepted < 2_000
    texts = listpack.texts(pack)
    for index, wrong in (
        (0, b"3"),
        (0, b"5"),
        (1, b"1"),
        (2, b"0"),
        (2, b"-1"),
        (2, b"x"),
        (3, b""),
        (4, b"1"),
        (9, b"3"),
    ):
        changed = [*texts[:index], wrong, *texts[index + 1 :]]
        assert is_valid_node(listpack.build(changed)) == (index == 3), (index, wrong)


def uncompressed_nodes(keys: list[bytes]) -> int:
    """Count nodes of the tree that rax.c makes, from the tree itself."""
    if len(keys) <= 1 and (not keys or not keys[0]):
        return 1
    common = 0
    while all(key[: common + 1] == keys[0][: common + 1] for key in keys) and common < len(keys[0]):
        common += 1
    if common == len(keys[0]):
        return 2
    heads = sorted({key[common] for key in keys})
    below = [uncompressed_nodes([key[common + 1 :] for key in keys if key[common] == head]) for head in heads]
    return (1 if common else 0) + 1 + sum(below)


@pytest.mark.parametrize("seed", range(20))
def test_radix_trees_are_counted_from_common_prefixes(seed: int) -> None:
    choice = random.Random(seed)
    ids = {
        make_id(choice.randrange(1 << choice.choice((1, 9, 40))), choice.randrange(1 << 10)) for _ in range(seed * 3)
    }
    assert radix_nodes(sorted(ids)) == uncompressed_nodes([id_bytes(wanted) for wanted in sorted(ids)])
