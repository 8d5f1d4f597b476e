"""What the geo commands add to positions and areas: options, what is stored, propagated and told."""

import pytest

from tests.node.engines import Node


def _sicily() -> Node:
    node = Node()
    assert node.asks("GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania") == 2
    assert node.asks("GEOADD Sicily CH 12.758489 38.788135 edge1 17.241510 38.788135 edge2") == 2
    return node


def test_positions_are_members_of_a_sorted_set() -> None:
    node = _sicily()
    assert node.asks("ZSCORE Sicily Palermo") == b"3479099956230698"
    assert node.asks("GEOPOS Sicily Palermo none") == [[b"13.36138933897018433", b"38.11555639549629859"], None]
    assert node.asks("GEOHASH Sicily Palermo none Catania") == [b"sqc8b49rny0", None, b"sqdtr74hyu0"]
    assert node.asks("GEODIST Sicily Palermo Catania km") == b"166.2742"
    assert node.asks("GEODIST Sicily Palermo none") is None
    assert node.asks("GEODIST Sicily Palermo Catania yd") == "ERR unsupported unit provided. please use M, KM, FT, MI"


def test_adding_is_propagated_as_a_zadd() -> None:
    node = _sicily()
    node.keep_stream()
    assert node.asks("GEOADD Sicily XX CH 13.4 38.1 Palermo") == 1
    assert node.asks("GEOADD Sicily XX 13.4 38.1 Palermo") == 0
    assert node.stream() == [[b"SELECT", b"0"], [b"zadd", b"Sicily", b"XX", b"CH", b"3479099937378871", b"Palermo"]]
    assert node.asks("GEOADD Sicily NX XX 13.4 38.1 Palermo") == "ERR syntax error"
    assert node.asks("GEOADD Sicily 181 38.1 a") == "ERR invalid longitude,latitude pair 181.000000,38.100000"


def test_searches_by_circle_and_box() -> None:
    node = _sicily()
    circle = "GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC"
    assert node.asks(circle) == [b"Catania", b"Palermo"]
    box = "GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 400 400 km DESC WITHDIST WITHHASH"
    assert node.asks(box) == [
        [b"edge1", b"279.7405", 3479273021651468],
        [b"edge2", b"279.7403", 3481342659049484],
        [b"Palermo", b"190.4424", 3479099956230698],
        [b"Catania", b"56.4413", 3479447370796909],
    ]
    assert node.asks("GEOSEARCH Sicily FROMMEMBER Palermo BYRADIUS 1 m WITHCOORD") == [
        [b"Palermo", [b"13.36138933897018433", b"38.11555639549629859"]]
    ]
    assert node.asks(f"{circle} COUNT 1") == [b"Catania"]
    assert node.asks("GEORADIUS Sicily 15 37 200 km COUNT 1 WITHDIST") == [[b"Catania", b"56.4413"]]
    assert node.asks("GEORADIUSBYMEMBER_RO Sicily Palermo 1 mi") == [b"Palermo"]


def test_what_is_found_may_be_stored() -> None:
    node = _sicily()
    assert node.asks("GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST") == 2
    assert node.asks("ZRANGE near 0 -1 WITHSCORES") == [
        b"Catania",
        b"56.441257870158204",
        b"Palermo",
        b"190.44242984775784",
    ]
    assert node.asks("GEORADIUS Sicily 15 37 200 km STORE near") == 2
    assert node.asks("ZSCORE near Palermo") == b"3479099956230698"
    assert node.asks("GEORADIUS Sicily 0 0 1 km STORE near") == 0
    assert node.asks("EXISTS near") == 0


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        ("GEOSEARCH Sicily FROMMEMBER none BYRADIUS 1 m", "ERR could not decode requested zset member"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS 1 m BYBOX 1 1 m", "ERR syntax error"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 ASC COUNT 1", "ERR exactly one of BYRADIUS and BYBOX can be specified for"),
        (
            "GEOSEARCH Sicily BYRADIUS 1 m ASC COUNT 1",
            "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for",
        ),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS 1 m ANY", "ERR the ANY argument requires COUNT argument"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS 1 m COUNT 0", "ERR COUNT must be > 0"),
        ("GEOSEARCHSTORE a Sicily FROMLONLAT 1 1 BYRADIUS 1 m WITHDIST", "ERR GEOSEARCHSTORE is not compatible with"),
        ("GEORADIUS Sicily 1 1 1 m STORE a WITHHASH", "ERR STORE option in GEORADIUS is not compatible with"),
        ("GEORADIUS_RO Sicily 1 1 1 m STORE a", "ERR syntax error"),
        ("GEORADIUS Sicily 1 1 -1 m", "ERR radius cannot be negative"),
        ("GEORADIUS Sicily 1 1 x m", "ERR need numeric radius"),
    ],
)
def test_errors(request_: str, reply: str) -> None:
    assert _sicily().asks(request_).startswith(reply)
