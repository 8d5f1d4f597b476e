"""Positions in sorted sets: GEOADD, GEODIST, GEOHASH and GEOPOS. (Redis: group "geo".)

A member's score is its position as a number, see values/geohash.py: everything else is a sorted set. Searches are in
geo_searches.py.
"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import double, option
from trivet_node.commands.zsets.lookup import read_zset
from trivet_node.commands.zsets.zsets import zadd
from trivet_node.server.state import Server
from trivet_node.values import geohash
from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer

# Metres.
_UNITS: Final[dict[bytes, float]] = {b"M": 1.0, b"KM": 1000.0, b"FT": 0.3048, b"MI": 1609.34}


def position(longitude_text: bytes, latitude_text: bytes) -> tuple[float, float]:
    """Return the longitude and latitude that two arguments spell."""
    longitude = double(longitude_text)
    latitude = double(latitude_text)
    if abs(longitude) > geohash.LONGITUDE_MAX or abs(latitude) > geohash.LATITUDE_MAX:
        raise CommandError(b"ERR invalid longitude,latitude pair %f,%f" % (longitude, latitude))
    return longitude, latitude


def unit_m(text: bytes) -> float:
    """Return how many metres a unit has."""
    unit = _UNITS.get(option(text))
    if unit is None:
        raise CommandError(b"ERR unsupported unit provided. please use M, KM, FT, MI")
    return unit


def reply_position(reply: ReplyBuffer, longitude: float, latitude: float) -> None:
    """Append a position as an array of two numbers, with all their digits."""
    reply.array(2)
    reply.number(_digits(longitude))
    reply.number(_digits(latitude))


def reply_distance(reply: ReplyBuffer, distance: float) -> None:
    """Append a distance, always as a string."""
    reply.bulk(b"%.4f" % distance)


def _digits(degrees: float) -> bytes:
    text = (b"%.17f" % degrees).rstrip(b"0").rstrip(b".")
    return b"0" if text == b"-0" else text


def geoadd(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]: a ZADD, also to replicas."""
    start = 2
    options: list[bytes] = []
    while start < len(arguments):
        word = option(arguments[start])
        if word not in (b"NX", b"XX", b"CH"):
            break
        options.append(word)
        start += 1
    if (len(arguments) - start) % 3 != 0 or (b"NX" in options and b"XX" in options):
        raise CommandError(errors.SYNTAX)
    request = [b"zadd", *arguments[1:start]]
    for index in range(start, len(arguments), 3):
        longitude, latitude = position(arguments[index], arguments[index + 1])
        request.append(b"%d" % geohash.encode(longitude, latitude))
        request.append(arguments[index + 2])
    changes = server.keyspace.dirty
    zadd(server, client, request)
    if server.keyspace.dirty != changes:
        server.propagation.instead([request])


def geodist(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEODIST key member1 member2 [M | KM | FT | MI]."""
    unit = unit_m(arguments[4]) if len(arguments) == 5 else 1.0
    if len(arguments) > 5:
        raise CommandError(errors.SYNTAX)
    zset = read_zset(client.database, arguments[1])
    score = None if zset is None else zset.score(arguments[2])
    other_score = None if zset is None else zset.score(arguments[3])
    if score is None or other_score is None:
        client.reply.null()
        return
    longitude, latitude = geohash.decode(score)
    other_longitude, other_latitude = geohash.decode(other_score)
    reply_distance(client.reply, geohash.distance_m(longitude, latitude, other_longitude, other_latitude) / unit)


def geohash_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEOHASH key [member ...]."""
    zset = read_zset(client.database, arguments[1])
    client.reply.array(len(arguments) - 2)
    for member in arguments[2:]:
        score = None if zset is None else zset.score(member)
        if score is None:
            client.reply.null()
        else:
            longitude, latitude = geohash.decode(score)
            client.reply.bulk(geohash.geohash_text(longitude, latitude))


def geopos(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEOPOS key [member ...]."""
    zset = read_zset(client.database, arguments[1])
    client.reply.array(len(arguments) - 2)
    for member in arguments[2:]:
        score = None if zset is None else zset.score(member)
        if score is None:
            client.reply.null_array()
        else:
            longitude, latitude = geohash.decode(score)
            reply_position(client.reply, longitude, latitude)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "geoadd",
        -5,
        geoadd,
        WRITE | DENYOOM,
        group="geo",
        categories="geo",
        since="3.2.0",
        summary="Add one or more geospatial items in the geospatial index represented using a sorted set",
        complexity="O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        keys=(KeySpec("RW update"),),
        history=(("6.2.0", "Added the `CH`, `NX` and `XX` options."),),
        arguments="key:key#0 condition:oneof?@6.2.0(nx:pure-token=NX xx:pure-token=XX) change:pure-token=CH?@6.2.0 "
        "longitude_latitude_member:block*(longitude:double latitude:double member:string)",
    ),
    Command(
        "geodist",
        -4,
        geodist,
        READONLY,
        group="geo",
        categories="geo",
        since="3.2.0",
        summary="Returns the distance between two members of a geospatial index",
        complexity="O(log(N))",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member1:string member2:string unit:oneof?(m:pure-token=M km:pure-token=KM "
        "ft:pure-token=FT mi:pure-token=MI)",
    ),
    Command(
        "geohash",
        -2,
        geohash_,
        READONLY,
        group="geo",
        categories="geo",
        since="3.2.0",
        summary="Returns members of a geospatial index as standard geohash strings",
        complexity="O(log(N)) for each member requested, where N is the number of elements in the sorted set.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member:string*",
    ),
    Command(
        "geopos",
        -2,
        geopos,
        READONLY,
        group="geo",
        categories="geo",
        since="3.2.0",
        summary="Returns longitude and latitude of members of a geospatial index",
        complexity="O(N) where N is the number of members requested.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member:string*",
    ),
)
