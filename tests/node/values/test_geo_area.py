"""The search in areas, against measuring every member."""

import math
import random

import pytest

from trivet_node.values import geohash
from trivet_node.values.geo_area import OUTSIDE, Area, Found, first_by_distance, search
from trivet_node.values.packing import PackingLimits
from trivet_node.values.zsets import SortedSet, from_items


def _members(choice: random.Random, count: int, spread: float) -> SortedSet:
    """Return members around (10, 50), or, with a spread of 180, all over the world."""
    items = []
    for number in range(count):
        longitude = (10 + choice.uniform(-spread, spread) + 180) % 360 - 180
        latitude = max(-85.0, min(85.0, 50 + choice.uniform(-spread, spread)))
        items.append((b"%d" % number, float(geohash.encode(longitude, latitude))))
    return from_items(items, PackingLimits())


@pytest.mark.parametrize(("count", "spread"), [(50, 0.5), (2000, 0.5), (2000, 20.0), (500, 180.0)])
def test_everything_inside_is_found_once(count: int, spread: float) -> None:
    choice = random.Random(count)
    members = _members(choice, count, spread)
    found_any = False
    for _ in range(30):
        center = (10 + choice.uniform(-spread, spread) / 2, 50 + choice.uniform(-spread, spread) / 10)
        width = choice.uniform(0.1, 2.0) * spread * 50
        is_box = choice.random() < 0.5
        area = Area(center, is_box, width, choice.uniform(0.5, 1.5) * width if is_box else width, 1000.0)
        inside = {}
        for member, score in members.items():
            distance_m = area.distance_m(*geohash.decode(score))
            if distance_m != OUTSIDE:
                inside[member] = distance_m
        found = search(members, area, 0)
        # Redis' cells do not always cover what is inside of huge areas.
        assert len({item.member for item in found}) == len(found)
        if spread < 100:
            assert {item.member: item.distance_m for item in found} == inside
        found_any = found_any or len(found) > 3
    assert found_any


def test_a_limit_ends_the_search() -> None:
    members = _members(random.Random(1), 2000, 0.5)
    area = Area((10.0, 50.0), False, 100.0, 100.0, 1000.0)
    everything = search(members, area, 0)
    assert len(everything) > 100
    assert [item.member for item in search(members, area, 7)] == [item.member for item in everything[:7]]


def test_areas_without_end_or_without_size() -> None:
    members = _members(random.Random(2), 100, 180.0)
    assert len(search(members, Area((0.0, 0.0), False, math.inf, math.inf, 1.0), 0)) == 100
    middle = geohash.decode(float(geohash.encode(3.0, 4.0)))
    one = from_items([(b"one", float(geohash.encode(3.0, 4.0)))], PackingLimits())
    assert len(search(one, Area(middle, False, 0.0, 0.0, 1.0), 0)) == 1
    assert len(search(one, Area((3.0, 4.0), False, 0.0, 0.0, 1.0), 0)) == 0


def test_a_whole_sort_is_stable_in_both_directions() -> None:
    found = [Found(b"%d" % number, 0.0, 0.0, 0.0, float(number % 3)) for number in range(9)]
    assert [item.member for item in first_by_distance(found, 9, False)] == [
        b"%d" % n for n in (0, 3, 6, 1, 4, 7, 2, 5, 8)
    ]
    assert [item.member for item in first_by_distance(found, 9, True)] == [
        b"%d" % n for n in (2, 5, 8, 1, 4, 7, 0, 3, 6)
    ]
