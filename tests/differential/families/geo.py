"""Positions and the search for them. Distances that are stored as scores are compared to the last digit."""

from typing import Final

from tests.differential.generator import Arguments, Form, Generator, form

_LONGITUDES: Final = [b"180", b"-180", b"0", b"179.9999", b"-179.9999", b"180.1", b"1e-10", b"inf", b"nan", b"x", b""]
_LATITUDES: Final = [b"85.05112878", b"-85.05112878", b"0", b"85.06", b"85.0511287", b"-66.1", b"80.5", b"-inf", b"1 "]
_MEMBERS: Final = [b"p%d" % number for number in range(60)]
_RADII: Final = [b"0", b"1", b"100", b"2500.5", b"1e4", b"1e7", b"3e7", b"1e300", b"inf", b"-1", b"x", b"0.0001"]
_UNITS: Final = (b"m", b"m", b"km", b"km", b"ft", b"mi")
# Scores that are no positions.
_SCORES: Final = [
    *[b"0", b"-1", b"0.5", b"-5.5", b"4503599627370496", b"9007199254740993", b"9223372036854775808", b"inf", b"-inf"],
    *[b"18446744073709551616", b"-9223372036854775808", b"1e300", b"-1e300", b"3479099956230698"],
]


def _longitude(gen: Generator) -> bytes:
    if gen.random.random() < 0.1:
        return gen.random.choice(_LONGITUDES)
    return b"%.6f" % gen.random.choice((gen.random.uniform(-180, 180), gen.random.uniform(10, 11), 10.5))


def _latitude(gen: Generator) -> bytes:
    if gen.random.random() < 0.1:
        return gen.random.choice(_LATITUDES)
    return b"%.6f" % gen.random.choice((gen.random.uniform(-85, 85), gen.random.uniform(45, 46), 45.5))


def _member(gen: Generator) -> bytes:
    return gen.member() if gen.random.random() < 0.1 else gen.random.choice(_MEMBERS)


def _unit(gen: Generator) -> bytes:
    return gen.option(*_UNITS) if gen.random.random() < 0.95 else gen.text()


def _radius(gen: Generator) -> bytes:
    if gen.random.random() < 0.4:
        return gen.random.choice(_RADII)
    return b"%.3f" % 10 ** gen.random.uniform(0, 5)


def _geoadd(gen: Generator) -> Arguments:
    options = [gen.option(b"NX", b"XX", b"CH") for _ in range(gen.random.choice((0, 0, 0, 1, 2)))]
    points: list[bytes] = []
    for _ in range(gen.random.choice((1, 1, 2, 5, 20, 60))):
        points += [_longitude(gen), _latitude(gen), _member(gen)]
    return (b"GEOADD", gen.key(), *options, *points)


def _geodist(gen: Generator) -> Arguments:
    units = [_unit(gen) for _ in range(gen.random.choice((0, 1, 1)))]
    return (b"GEODIST", gen.key(), _member(gen), _member(gen), *units)


def _some_members(name: bytes) -> Form:
    return lambda gen: (name, gen.key(), *[_member(gen) for _ in range(gen.random.choice((0, 1, 3, 8)))])


def _center(gen: Generator) -> list[bytes]:
    if gen.random.random() < 0.4:
        return [gen.option(b"FROMMEMBER"), _member(gen)]
    return [gen.option(b"FROMLONLAT"), _longitude(gen), _latitude(gen)]


def _shape(gen: Generator) -> list[bytes]:
    if gen.random.random() < 0.6:
        return [gen.option(b"BYRADIUS"), _radius(gen), _unit(gen)]
    return [gen.option(b"BYBOX"), _radius(gen), _radius(gen), _unit(gen)]


def _refinements(gen: Generator, *words: bytes) -> list[list[bytes]]:
    options: list[list[bytes]] = []
    if gen.random.random() < 0.4:
        options.append([gen.option(b"ASC", b"DESC")])
    if gen.random.random() < 0.4:
        count = gen.count() if gen.random.random() < 0.3 else b"%d" % gen.random.randint(1, 20)
        options.append([gen.option(b"COUNT"), count])
        if gen.random.random() < 0.3:
            options.append([gen.option(b"ANY")])
    options += [[gen.option(word)] for word in words if gen.random.random() < 0.4]
    return options


def _search(gen: Generator, *words: bytes) -> list[bytes]:
    options = [_center(gen), _shape(gen), *_refinements(gen, *words)]
    if gen.random.random() < 0.05:
        options.append(gen.random.choice((_center, _shape))(gen))
    if gen.random.random() < 0.05:
        options.pop(gen.random.randrange(len(options)))
    gen.random.shuffle(options)
    return [argument for option in options for argument in option]


def _geosearch(gen: Generator) -> Arguments:
    return (b"GEOSEARCH", gen.key(), *_search(gen, b"WITHCOORD", b"WITHDIST", b"WITHHASH"))


def _geosearchstore(gen: Generator) -> Arguments:
    words = (b"STOREDIST",) if gen.random.random() < 0.95 else (b"WITHDIST", b"STOREDIST")
    return (b"GEOSEARCHSTORE", gen.key(), gen.key(), *_search(gen, *words))


def _old_options(gen: Generator) -> list[bytes]:
    options = _refinements(gen, b"WITHCOORD", b"WITHDIST", b"WITHHASH")
    if gen.random.random() < 0.4:
        options = [*_refinements(gen), [gen.option(b"STORE", b"STOREDIST"), gen.key()]]
        if gen.random.random() < 0.1:
            options.append([gen.option(b"WITHDIST")])
    return [argument for option in options for argument in option]


def _georadius(gen: Generator) -> Arguments:
    name = gen.random.choice((b"GEORADIUS", b"GEORADIUS", b"GEORADIUS_RO"))
    return (name, gen.key(), _longitude(gen), _latitude(gen), _radius(gen), _unit(gen), *_old_options(gen))


def _georadiusbymember(gen: Generator) -> Arguments:
    name = gen.random.choice((b"GEORADIUSBYMEMBER", b"GEORADIUSBYMEMBER", b"GEORADIUSBYMEMBER_RO"))
    return (name, gen.key(), _member(gen), _radius(gen), _unit(gen), *_old_options(gen))


def _zadd(gen: Generator) -> Arguments:
    return (b"ZADD", gen.key(), gen.random.choice(_SCORES), _member(gen))


_KEY: Final = Generator.key
FORMS: Final[list[Form]] = [
    *[_geoadd] * 6,
    *[_geodist, _some_members(b"GEOHASH"), _some_members(b"GEOPOS"), _zadd, form(b"ZREM", _KEY, _member)],
    *[_geosearch, _geosearch, _geosearch, _geosearch, _geosearchstore, _geosearchstore],
    *[_georadius, _georadius, _georadiusbymember],
    form(b"ZRANGE", _KEY, lambda gen: b"0", lambda gen: b"-1", lambda gen: b"WITHSCORES"),
]
