"""Streams against a list of entries."""

import random

import pytest

from trivet_node.values.packing import PackingLimits
from trivet_node.values.stream_groups import Group, Pending
from trivet_node.values.stream_ids import LARGEST_ID, SMALLEST_ID, id_bytes, make_id
from trivet_node.values.streams import EntryWalk, Stream, Trimming

LIMITS = PackingLimits()


def add(stream: Stream, milliseconds: int, sequence: int = 0, limits: PackingLimits = LIMITS) -> None:
    stream.append(milliseconds, sequence, [b"f", b"%d" % milliseconds], 0, limits)


def filled(number: int) -> Stream:
    stream = Stream()
    for milliseconds in range(1, number + 1):
        add(stream, milliseconds)
    return stream


def ids(stream: Stream, start: int = SMALLEST_ID, end: int = LARGEST_ID, *, backwards: bool = False) -> list[int]:
    walk = EntryWalk(stream, start, end, backwards=backwards)
    found = []
    while walk.next():
        found.append(walk.entry_id())
    return found


@pytest.mark.parametrize("seed", range(6))
def test_entries_are_those_of_a_list(seed: int) -> None:
    choice = random.Random(seed)
    limits = PackingLimits()
    limits.stream_node_max_entries = choice.choice((0, 1, 7, 100, 300))
    limits.stream_node_max_bytes = choice.choice((0, 100, 4096))
    stream, model = Stream(), list[int]()
    for step in range(1, 1_500):
        add(stream, step // 3, step % 3, limits)
        model.append(make_id(step // 3, step % 3))
        if step % 10 == 0:
            gone = [choice.choice(model), make_id(step, 9)]
            assert stream.delete(gone) == 1
            model.remove(gone[0])
        if step % 97 == 0:
            trimming = Trimming()
            trimming.maximum = max(len(model) - choice.randrange(20), 0)
            assert stream.trim(trimming) == len(model) - trimming.maximum
            model = model[len(model) - trimming.maximum :]
        if step % 101 == 0:
            start, end = sorted(make_id(choice.randrange(step // 3 + 2), choice.randrange(3)) for _ in range(2))
            assert ids(stream, start, end) == [wanted for wanted in model if start <= wanted <= end]
            assert ids(stream, start, end, backwards=True) == ids(stream, start, end)[::-1]
    assert ids(stream) == model
    assert (stream.length, stream.first_id, stream.last_id()) == (len(model), model[0], make_id(499, 2))


def test_approximate_trimming_takes_whole_nodes_up_to_its_limit() -> None:
    stream = filled(1_000)
    trimming = Trimming()
    trimming.approximate = True
    trimming.maximum = 450
    trimming.limit = 250
    assert [stream.trim(trimming) for _ in range(4)] == [200, 200, 100, 0]
    trimming.by_length = False
    trimming.smallest_id = make_id(799, 0)
    trimming.limit = 0
    assert stream.trim(trimming) == 200
    assert (stream.length, stream.first_id, stream.node_count()) == (300, make_id(701, 0), 3)


def test_a_range_in_the_middle_looks_at_one_node() -> None:
    stream = filled(100_000)
    walk = EntryWalk(stream, make_id(54_321, 0), LARGEST_ID, backwards=False)
    assert walk.next()
    assert (walk.entry_id(), walk.node_id) == (make_id(54_321, 0), make_id(54_301, 0))
    assert stream.node_count() == 1_000


def test_nodes_make_the_same_stream_again() -> None:
    stream = filled(250)
    stream.delete([make_id(5, 0)])
    other = Stream()
    nodes = [(id_bytes(node_id), pack) for node_id, pack in stream.closed_nodes().items()]
    assert all(other.add_node(node_id, pack) for node_id, pack in nodes)
    assert not other.add_node(*nodes[0])
    other.length = stream.length
    assert ids(other) == ids(stream)


def test_a_copy_goes_its_own_way() -> None:
    stream = filled(3)
    group = stream.groups[b"g"] = Group(0, 0)
    group.restore(1, Pending(5, 1, b""), group.add_consumer(b"anna", 7))
    other = stream.copy()
    add(stream, 9)
    pending = group.find(1)
    assert pending is not None
    group.drop(1, pending)
    copied = other.groups[b"g"].find(1)
    assert copied is not None
    assert (copied.delivered_ms, copied.deliveries, copied.consumer) == (5, 1, b"anna")
    assert (other.length, len(other.groups[b"g"].consumers[b"anna"].pending)) == (3, 1)
    assert (len(group.pending), len(group.consumers[b"anna"].pending)) == (0, 0)


def test_how_far_a_group_is_behind_is_known_without_counting_or_not_at_all() -> None:
    stream = filled(10)
    group = Group(make_id(4, 0), 4)
    assert stream.lag_of(group) == 6
    stream.delete([make_id(7, 0)])
    assert stream.lag_of(group) is None
    group.last_id = make_id(8, 0)
    assert stream.lag_of(group) == 6
    assert [stream.entries_until(wanted) for wanted in (make_id(10, 0), make_id(11, 0), 1)] == [10, -1, -1]
    assert filled(10).entries_until(1) == 0
    assert filled(10).entries_until(make_id(1, 0)) == 1
