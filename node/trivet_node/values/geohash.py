"""Positions as numbers of 52 bits, which are the scores of geographical sorted sets, and distances on the earth.

Longitude and latitude are each cut in half 26 times; the halves chosen are the bits, a bit of the longitude and one of
the latitude in turn. So positions with the same first bits lie in the same cell: `bits` of `step` bits a coordinate
name one cell of the world. Latitudes end where the Mercator projection is square.
(Redis: geohash.c, geohash_helper.c; Niemeyer's geohash for the text.)
"""

import math
from typing import Final

from mypy_extensions import i64

LONGITUDE_MAX: Final = 180.0
LATITUDE_MAX: Final = 85.05112878
STEP_MAX: Final = 26
EARTH_RADIUS_M: Final = 6372797.560856
# Pi / 180.
RADIANS: Final = 0.017453292519943295

# The western, southern, eastern and northern end of something, in degrees.
Bounds = tuple[float, float, float, float]

_POLE: Final = 90.0
# All longitudes and all latitudes, and the part of them that a cell of the smallest size has, 2 ** -STEP_MAX.
_WIDTH: Final = 360.0
_HEIGHT: Final = 170.10225756
_CELL: Final = 1.4901161193847656e-08
_ALPHABET: Final = b"0123456789bcdefghjkmnpqrstuvwxyz"
_TEXT_LENGTH: Final = 11
_2_63: Final = 2.0**63
_LOWEST: Final = -(2**63)


def encode(longitude: float, latitude: float, step: i64 = STEP_MAX) -> i64:
    """Return the bits of the cell that holds a position, in degrees."""
    return _interleaved(longitude, latitude, LATITUDE_MAX, step)


def decode(score: float) -> tuple[float, float]:
    """Return longitude and latitude of the middle of the cell that a score names, which may be any number."""
    bits = score_bits(score)
    return middle(column_of(bits), row_of(bits))


def middle(column: i64, row: i64) -> tuple[float, float]:
    """Return longitude and latitude of the middle of one of the smallest cells, which are counted from south-west."""
    place = float(column)
    west = place * _CELL * _WIDTH - LONGITUDE_MAX
    east = (place + 1.0) * _CELL * _WIDTH - LONGITUDE_MAX
    place = float(row)
    south = place * _CELL * _HEIGHT - LATITUDE_MAX
    north = (place + 1.0) * _CELL * _HEIGHT - LATITUDE_MAX
    # Only numbers that are no positions lie further away.
    return min((west + east) * 0.5, LONGITUDE_MAX), min((south + north) * 0.5, LATITUDE_MAX)


def score_bits(score: float) -> i64:
    """Return a score as the 64 bits that C on x86 makes of it, in a signed number.

    Scores that no position has are numbers, too: a cast to an unsigned integer wraps, and what is beyond becomes 0 or
    the lowest number.
    """
    if score >= _2_63:
        return int(score - _2_63) + _LOWEST if score < 2 * _2_63 else 0
    return int(score) if score >= -_2_63 else _LOWEST


def cell_bounds(bits: i64, step: i64) -> Bounds:
    """Return where a cell ends."""
    cells = float(1 << step)
    column = float(column_of(bits))
    row = float(row_of(bits))
    return (
        column / cells * _WIDTH - LONGITUDE_MAX,
        row / cells * _HEIGHT - LATITUDE_MAX,
        (column + 1.0) / cells * _WIDTH - LONGITUDE_MAX,
        (row + 1.0) / cells * _HEIGHT - LATITUDE_MAX,
    )


def neighbor(bits: i64, step: i64, east: i64, north: i64) -> i64:
    """Return the cell that lies so many cells (-1, 0 or 1) to the east and to the north; the world is round both ways.

    Adding one to every other bit works where all bits between are set, so that a carry runs through them.
    """
    rows: i64 = 0x5555555555555555 >> (64 - 2 * step)
    columns: i64 = rows << 1
    column: i64 = bits & ~0x5555555555555555
    row: i64 = bits & 0x5555555555555555
    if east > 0:
        column = (column + rows + 1) & columns
    elif east < 0:
        column = ((column | rows) - (rows + 1)) & columns
    if north > 0:
        row = (row + columns + 1) & rows
    elif north < 0:
        row = ((row | columns) - (columns + 1)) & rows
    return column | row


def geohash_text(longitude: float, latitude: float) -> bytes:
    """Return the standard geohash of a position, whose latitudes go to the poles. The last letter has no bits left."""
    bits = _interleaved(longitude, latitude, _POLE, STEP_MAX)
    letters = [_ALPHABET[int(bits >> (2 * STEP_MAX - 5 * place)) & 31] for place in range(1, _TEXT_LENGTH)]
    return bytes(letters) + _ALPHABET[:1]


def distance_m(longitude: float, latitude: float, other_longitude: float, other_latitude: float) -> float:
    """Return the distance of two positions in metres along a great circle (haversine)."""
    radians = latitude * RADIANS
    other_radians = other_latitude * RADIANS
    across = math.sin((other_longitude * RADIANS - longitude * RADIANS) / 2)
    if across == 0.0:
        return meridian_m(other_radians - radians)
    along = math.sin((other_radians - radians) / 2)
    return arc_m(along * along + math.cos(radians) * math.cos(other_radians) * across * across)


def meridian_m(radians: float) -> float:
    """Return the length of a part of a meridian in metres; rounding makes it another one than that of an arc."""
    return EARTH_RADIUS_M * abs(radians)


def arc_m(square: float) -> float:
    """Return the length of an arc on the earth in metres, from the square of the sine of half its angle."""
    half = math.sqrt(square)
    # Rounding may lead beyond the other side of the earth.
    return 2.0 * EARTH_RADIUS_M * math.asin(half) if half <= 1.0 else math.nan


def _interleaved(longitude: float, latitude: float, latitude_max: float, step: i64) -> i64:
    cells = float(1 << step)
    column: i64 = int((longitude + LONGITUDE_MAX) / _WIDTH * cells)
    row: i64 = int((latitude + latitude_max) / (2.0 * latitude_max) * cells)
    return _spread(row) | _spread(column) << 1


def _spread(value: i64) -> i64:
    """Return a number of 31 bits with a zero before each of its bits."""
    value = (value | value << 16) & 0x0000FFFF0000FFFF
    value = (value | value << 8) & 0x00FF00FF00FF00FF
    value = (value | value << 4) & 0x0F0F0F0F0F0F0F0F
    value = (value | value << 2) & 0x3333333333333333
    return (value | value << 1) & 0x5555555555555555


def column_of(bits: i64) -> i64:
    """Return how many cells lie to the west of one."""
    return row_of(bits >> 1)


def row_of(bits: i64) -> i64:
    """Return how many cells lie to the south of one: the number that its lowest bit, its third one, and so on, make."""
    value: i64 = bits & 0x5555555555555555
    value = (value | value >> 1) & 0x3333333333333333
    value = (value | value >> 2) & 0x0F0F0F0F0F0F0F0F
    value = (value | value >> 4) & 0x00FF00FF00FF00FF
    value = (value | value >> 8) & 0x0000FFFF0000FFFF
    return (value | value >> 16) & 0x00000000FFFFFFFF
