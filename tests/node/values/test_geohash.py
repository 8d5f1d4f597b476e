"""Positions as numbers. The expected values are replies of redis-server 7.0.15."""

import math
import random

import pytest

from trivet_node.values import geohash

_PALERMO = (13.361389, 38.115556)
_CATANIA = (15.087269, 37.502669)


def test_scores_texts_and_distances_of_known_places() -> None:
    assert geohash.encode(*_PALERMO) == 3479099956230698
    assert geohash.encode(*_CATANIA) == 3479447370796909
    palermo = geohash.decode(3479099956230698.0)
    catania = geohash.decode(3479447370796909.0)
    assert palermo == (13.36138933897018433, 38.11555639549629859)
    assert geohash.geohash_text(*palermo) == b"sqc8b49rny0"
    assert geohash.geohash_text(*catania) == b"sqdtr74hyu0"
    assert f"{geohash.distance_m(*palermo, *catania):.4f}" == "166274.1516"


def test_a_position_comes_back_within_its_cell() -> None:
    choice = random.Random(1)
    for _ in range(500):
        longitude = choice.uniform(-180, 180)
        latitude = choice.uniform(-85, 85)
        bits = geohash.encode(longitude, latitude)
        west, south, east, north = geohash.cell_bounds(bits, geohash.STEP_MAX)
        assert west <= longitude <= east
        assert south <= latitude <= north
        assert geohash.encode(*geohash.decode(float(bits))) == bits


@pytest.mark.parametrize("step", [1, 2, 9, 26])
def test_neighbors_touch_and_the_world_is_round(step: int) -> None:
    choice = random.Random(step)
    for _ in range(50):
        bits = geohash.encode(choice.uniform(-180, 180), choice.uniform(-85, 85), step)
        west, south, east, north = geohash.cell_bounds(bits, step)
        eastern = geohash.cell_bounds(geohash.neighbor(bits, step, 1, 0), step)
        northern = geohash.cell_bounds(geohash.neighbor(bits, step, 0, 1), step)
        assert eastern[0] == (east if east < 180 else -180)
        assert (eastern[1], eastern[3]) == (south, north)
        assert northern[1] == (north if north < geohash.LATITUDE_MAX else -geohash.LATITUDE_MAX)
        assert (northern[0], northern[2]) == (west, east)
        for east_, north_ in ((1, 0), (0, 1), (1, 1), (1, -1)):
            there = geohash.neighbor(bits, step, east_, north_)
            assert geohash.neighbor(there, step, -east_, -north_) == bits


def test_scores_that_are_no_positions_are_read_as_c_reads_them() -> None:
    assert geohash.score_bits(-1.5) == -1
    assert geohash.score_bits(2.0**63) == -(2**63)
    assert geohash.score_bits(2.0**64) == 0
    assert geohash.score_bits(math.inf) == 0
    assert geohash.score_bits(-math.inf) == -(2**63)
    assert geohash.decode(-math.inf) == (180.0, -85.05112751263942528)


def test_no_arc_is_longer_than_half_the_earth() -> None:
    assert math.isclose(geohash.distance_m(0, 0, 180, 0), math.pi * geohash.EARTH_RADIUS_M)
    assert math.isnan(geohash.arc_m(1.0000000000000009))
