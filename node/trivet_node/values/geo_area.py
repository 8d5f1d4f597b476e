"""Areas, circles or boxes around a centre, and the search for the members of a sorted set that lie in one.

An area is covered by at most nine cells of one size: that of the centre and those around it. The members of a cell are
those whose scores begin with the cell's bits, a range of scores. Each member found there is measured. Without an order
asked for, results come cell by cell, in the order in which Redis looks at the cells, and by score within one.
(Redis: geo.c, geohash_helper.c geohashCalculateAreasByShapeWGS84.)
"""

import math
from typing import Final, final

from mypy_extensions import i64

from trivet_node.values import geohash
from trivet_node.values.geohash import EARTH_RADIUS_M, LATITUDE_MAX, LONGITUDE_MAX, RADIANS, STEP_MAX, Bounds
from trivet_node.values.partial_sort import PartialSort
from trivet_node.values.ranked import Block
from trivet_node.values.zsets import SortedSet

OUTSIDE: Final = -1.0

# Half of the earth's circumference in the Mercator projection, in metres.
_MERCATOR_MAX: Final = 20037726.37
# From these latitudes on cells are too narrow for what their size at the equator promises.
_NARROW_LATITUDE: Final = 66.0
_VERY_NARROW_LATITUDE: Final = 80.0
# Where the eight cells around lie, as (east, north), in the order in which they are searched.
_DIRECTIONS: Final[list[tuple[int, int]]] = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)]
# More than rounding errors, of a part and in degrees.
_SLACK: Final = 1e-9
_RIGHT_ANGLE: Final = math.pi / 2
_EVERYWHERE: Final = 360.0
# Rows and columns of the smallest cells are less than this.
_NO_ROW: Final = 1 << STEP_MAX


@final
class Area:
    """A circle, or a box along the meridians, around a centre in degrees.

    Sizes are in a unit of `unit_m` metres: of a circle the radius, as both `width` and `height`; of a box its sides.
    """

    def __init__(self, center: tuple[float, float], is_box: bool, width: float, height: float, unit_m: float) -> None:
        self.longitude: float = center[0]
        self.latitude: float = center[1]
        self.is_box: bool = is_box
        self.width: float = width
        self.height: float = height
        self.unit_m: float = unit_m
        self._radians: float = self.latitude * RADIANS
        self._cosine: float = math.cos(self._radians)
        # What is surely outside is told so before its distance is known, which takes long.
        self._surely_outside: float = 2.0
        self._low_row: i64 = 0
        self._high_row: i64 = _NO_ROW
        self._low_column: i64 = 0
        self._high_column: i64 = _NO_ROW
        self._set_reach()

    def _set_reach(self) -> None:
        angle = (self.height / 2 if self.is_box else self.height) * self.unit_m / EARTH_RADIUS_M
        reach = angle / RADIANS * (1.0 + _SLACK) + _SLACK
        if reach < _EVERYWHERE:
            self._low_row = _row(self.latitude - reach) - 1
            self._high_row = _row(self.latitude + reach) + 1
        if self.is_box or angle >= math.pi:
            return
        sine = math.sin(angle / 2)
        self._surely_outside = sine * sine * (1.0 + _SLACK)
        # A circle that holds no pole ends between two meridians.
        if angle + abs(self._radians) < _RIGHT_ANGLE - _SLACK:
            half_width = math.asin(math.sin(angle) / self._cosine)
            reach = half_width / RADIANS * (1.0 + _SLACK) + _SLACK
            # Nor does it here where it lies on both sides of the meridian at which longitudes begin.
            if abs(self.longitude) + reach < LONGITUDE_MAX:
                self._low_column = _column(self.longitude - reach) - 1
                self._high_column = _column(self.longitude + reach) + 1

    def distance_m(self, longitude: float, latitude: float) -> float:
        """Return the distance of a position from the centre in metres, or OUTSIDE where the area does not hold it."""
        if self.is_box and self._is_outside_of_box(longitude, latitude):
            return OUTSIDE
        distance_m = self._measure(longitude, latitude)
        return OUTSIDE if not self.is_box and distance_m > self.width * self.unit_m else distance_m

    def may_hold(self, column: i64, row: i64) -> bool:
        """Say whether the middle of one of the smallest cells may be in the area. Beyond all rows are no positions."""
        if row < self._low_row or (row > self._high_row and row < _NO_ROW):
            return False
        return self._low_column <= column <= self._high_column or column >= _NO_ROW

    def _is_outside_of_box(self, longitude: float, latitude: float) -> bool:
        along_m = geohash.meridian_m(self._radians - latitude * RADIANS)
        across_m = geohash.distance_m(longitude, latitude, self.longitude, latitude)
        return across_m > self.width * self.unit_m / 2 or along_m > self.height * self.unit_m / 2

    def _measure(self, longitude: float, latitude: float) -> float:
        """Return the distance from the centre, or that it is infinite where that is clear before the last step.

        Everything but that is geohash.distance_m(), for a centre about which more is known.
        """
        radians = latitude * RADIANS
        across = math.sin((longitude * RADIANS - self.longitude * RADIANS) / 2)
        if across == 0.0:
            return geohash.meridian_m(radians - self._radians)
        along = math.sin((radians - self._radians) / 2)
        square = along * along + self._cosine * math.cos(radians) * across * across
        return math.inf if square > self._surely_outside else geohash.arc_m(square)

    def cells(self) -> list[tuple[int, int]]:
        """Return the cells to be searched as (bits, step). A cell may come twice, as in Redis."""
        bounds = self._bounds()
        west, south, east, north = bounds
        step = self._first_step()
        bits = geohash.encode(self.longitude, self.latitude, step)
        if step > 1 and _is_too_small(bits, step, bounds):
            step -= 1
            bits = geohash.encode(self.longitude, self.latitude, step)
        center_west, center_south, center_east, center_north = geohash.cell_bounds(bits, step)
        cells = [(int(bits), int(step))]
        for towards_east, towards_north in _DIRECTIONS:
            # A neighbour is of no use where the centre's own cell reaches beyond the area in its direction.
            if step >= 2 and (
                (towards_north < 0 and center_south < south)
                or (towards_north > 0 and center_north > north)
                or (towards_east < 0 and center_west < west)
                or (towards_east > 0 and center_east > east)
            ):
                continue
            neighbor = geohash.neighbor(bits, step, towards_east, towards_north)
            # The first neighbour is searched even where it is the centre's cell again.
            if len(cells) == 1 or cells[-1][0] != neighbor:
                cells.append((int(neighbor), int(step)))
        return cells

    def _bounds(self) -> Bounds:
        """Return about where the area ends."""
        height_m = self.unit_m * (self.height / 2 if self.is_box else self.height)
        width_m = self.unit_m * (self.width / 2 if self.is_box else self.width)
        latitude_delta = height_m / EARTH_RADIUS_M / RADIANS
        widest = self.latitude - latitude_delta if self.latitude < 0 else self.latitude + latitude_delta
        longitude_delta = width_m / EARTH_RADIUS_M / _cosine(widest * RADIANS) / RADIANS
        return (
            self.longitude - longitude_delta,
            self.latitude - latitude_delta,
            self.longitude + longitude_delta,
            self.latitude + latitude_delta,
        )

    def _first_step(self) -> i64:
        """Return the step whose cells are about as large as the area."""
        if self.is_box:
            half_width = self.width / 2
            half_height = self.height / 2
            reach_m = math.sqrt(half_width * half_width + half_height * half_height) * self.unit_m
        else:
            reach_m = self.width * self.unit_m
        if reach_m == 0.0:
            return STEP_MAX
        step: i64 = -1
        while reach_m < _MERCATOR_MAX:
            reach_m *= 2.0
            step += 1
        latitude = abs(self.latitude)
        if latitude > _NARROW_LATITUDE:
            step -= 2 if latitude > _VERY_NARROW_LATITUDE else 1
        return min(max(step, 1), STEP_MAX)


@final
class Found:
    """A member in an area: its position in degrees and its distance from the centre in metres."""

    def __init__(self, member: bytes, score: float, longitude: float, latitude: float, distance_m: float) -> None:
        self.member: bytes = member
        self.score: float = score
        self.longitude: float = longitude
        self.latitude: float = latitude
        self.distance_m: float = distance_m


def search(members: SortedSet, area: Area, limit: int) -> list[Found]:
    """Return the members that lie in an area; with a `limit` other than 0 the search ends with so many."""
    found: list[Found] = []
    for bits, step in area.cells():
        shift = 2 * (STEP_MAX - step)
        start = members.rank_of_score(float(bits << shift), False)
        stop = members.rank_of_score(float((bits + 1) << shift), False)
        while start < stop:
            block, place = members.block_at(start)
            end = min(place + stop - start, len(block.members))
            _measure(block, place, end, area, found)
            if limit != 0 and len(found) >= limit:
                return found[:limit]
            start += end - place
    return found


def first_by_distance(found: list[Found], wanted: int, descending: bool) -> list[Found]:
    """Return the `wanted` first by distance: the nearest, or, `descending`, the farthest; all of them sorted stably."""
    sign = -1.0 if descending else 1.0
    if wanted >= len(found):
        places = [(sign * item.distance_m, place) for place, item in enumerate(found)]
        places.sort()
        return [found[place] for _, place in places]
    sorting = PartialSort([sign * item.distance_m for item in found], 0, wanted)
    sorting.sort(0, len(found))
    return [found[place] for place in sorting.places[:wanted]]


def _measure(block: Block, place: i64, end: i64, area: Area, found: list[Found]) -> None:
    """Append those of a block's members from `place` to before `end` that lie in the area."""
    scores = block.scores
    while place < end:
        score = scores[place]
        bits = geohash.score_bits(score)
        column = geohash.column_of(bits)
        row = geohash.row_of(bits)
        if area.may_hold(column, row):
            longitude, latitude = geohash.middle(column, row)
            distance_m = area.distance_m(longitude, latitude)
            if distance_m != OUTSIDE:
                found.append(Found(block.members[place], score, longitude, latitude, distance_m))
        place += 1


def _is_too_small(bits: i64, step: i64, area: Bounds) -> bool:
    """Say whether the cells around one do not reach as far as an area."""
    west, south, east, north = area
    northern = geohash.cell_bounds(geohash.neighbor(bits, step, 0, 1), step)
    southern = geohash.cell_bounds(geohash.neighbor(bits, step, 0, -1), step)
    eastern = geohash.cell_bounds(geohash.neighbor(bits, step, 1, 0), step)
    western = geohash.cell_bounds(geohash.neighbor(bits, step, -1, 0), step)
    return northern[3] < north or southern[1] > south or eastern[2] < east or western[0] > west


def _row(latitude: float) -> i64:
    return int((latitude + LATITUDE_MAX) / (2.0 * LATITUDE_MAX) * float(_NO_ROW))


def _column(longitude: float) -> i64:
    return int((longitude + LONGITUDE_MAX) / (2.0 * LONGITUDE_MAX) * float(_NO_ROW))


def _cosine(angle: float) -> float:
    """Return the cosine, which of an infinite angle is not a number in C and an error in Python."""
    return math.nan if math.isinf(angle) else math.cos(angle)
