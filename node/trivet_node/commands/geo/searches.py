"""The search for positions: GEOSEARCH, GEOSEARCHSTORE and the older GEORADIUS family. (Redis: group "geo".)

The older commands name the centre and the radius by place, the newer ones by option words; what follows is the same.
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import double, integer, option
from trivet_node.commands.geo.geo import position, reply_distance, reply_position, unit_m
from trivet_node.commands.zsets.lookup import read_zset, store_zset
from trivet_node.server.state import Server
from trivet_node.values.geo_area import Area, Found, first_by_distance, search
from trivet_node.values.geohash import decode
from trivet_node.values.zsets import SortedSet, from_items
from trivet_wire import errors

# What a command accepts: options of the newer commands, a place to store; and that it always stores.
_BY_WORDS: Final = 1 << 0
_MAY_STORE: Final = 1 << 1
_STORES: Final = 1 << 2

_UNORDERED: Final = 0
_NEAREST: Final = 1
_FARTHEST: Final = 2

_LOWEST: Final = -(2**63)


@final
class Search:
    """One search: where, how much of what is found, in which order and form."""

    def __init__(self, members: SortedSet | None, accepts: int, name: bytes) -> None:
        self.members: SortedSet | None = members
        self.accepts: int = accepts
        self.name: bytes = name
        self.center: tuple[float, float] = (0.0, 0.0)
        self.has_center: bool = False
        self.is_from_member: bool = False
        self.has_shape: bool = False
        self.is_box: bool = False
        self.width: float = 0.0
        self.height: float = 0.0
        self.unit_m: float = 1.0
        self.order: int = _UNORDERED
        self.count: int = 0
        self.takes_any: bool = False
        self.with_distance: bool = False
        self.with_hash: bool = False
        self.with_position: bool = False
        self.target: bytes | None = None
        self.stores_distance: bool = False

    def from_member(self, member: bytes) -> None:
        """Search around a member; without a sorted set there is nothing to find, but the rest is still looked at."""
        self.has_center = True
        self.is_from_member = True
        if self.members is None:
            return
        score = self.members.score(member)
        if score is None:
            raise CommandError(b"ERR could not decode requested zset member")
        self.center = decode(score)

    def from_position(self, longitude: bytes, latitude: bytes) -> None:
        """Search around a position."""
        self.has_center = True
        self.center = position(longitude, latitude)

    def by_radius(self, radius: bytes, unit: bytes) -> None:
        """Search in a circle."""
        self.has_shape = True
        self.width = double(radius, b"ERR need numeric radius")
        self.height = self.width
        if self.width < 0:
            raise CommandError(b"ERR radius cannot be negative")
        self.unit_m = unit_m(unit)

    def by_box(self, width: bytes, height: bytes, unit: bytes) -> None:
        """Search in a box."""
        self.has_shape = True
        self.is_box = True
        self.width = double(width, b"ERR need numeric width")
        self.height = double(height, b"ERR need numeric height")
        if self.width < 0 or self.height < 0:
            raise CommandError(b"ERR height or width cannot be negative")
        self.unit_m = unit_m(unit)

    def parse(self, arguments: list[bytes], start: int) -> None:
        """Read the options from the argument at `start` on."""
        at = start
        while at < len(arguments):
            taken = self._flag(option(arguments[at])) or self._option(option(arguments[at]), arguments[at + 1 :])
            if taken == 0:
                raise CommandError(errors.SYNTAX)
            at += taken
        self._check()

    def _flag(self, word: bytes) -> int:
        """Take an option of one word, and return 1, or 0 where it is none."""
        if word == b"WITHDIST":
            self.with_distance = True
        elif word == b"WITHHASH":
            self.with_hash = True
        elif word == b"WITHCOORD":
            self.with_position = True
        elif word == b"ANY":
            self.takes_any = True
        elif word == b"ASC":
            self.order = _NEAREST
        elif word == b"DESC":
            self.order = _FARTHEST
        elif word == b"STOREDIST" and self.accepts & _STORES != 0:
            self.stores_distance = True
        else:
            return 0
        return 1

    def _option(self, word: bytes, values: list[bytes]) -> int:
        """Take an option with values behind it, and return how many arguments it has, or 0 where it is none."""
        if word == b"COUNT" and values:
            self.count = integer(values[0])
            if self.count <= 0:
                raise CommandError(errors.COUNT_OPTION_NOT_POSITIVE)
            return 2
        if word in (b"STORE", b"STOREDIST") and values and self.accepts & _MAY_STORE != 0:
            self.target = values[0]
            self.stores_distance = word == b"STOREDIST"
            return 2
        return self._place(word, values) if self.accepts & _BY_WORDS != 0 else 0

    def _place(self, word: bytes, values: list[bytes]) -> int:
        """Take an option that says where to search, like _option(). The two ways to say it exclude each other."""
        available = len(values)
        if word == b"FROMMEMBER" and available >= 1 and (self.is_from_member or not self.has_center):
            self.from_member(values[0])
            return 2
        if word == b"FROMLONLAT" and available >= 2 and not self.is_from_member:
            self.from_position(values[0], values[1])
            return 3
        if word == b"BYRADIUS" and available >= 2 and not self.is_box:
            self.by_radius(values[0], values[1])
            return 3
        if word == b"BYBOX" and available >= 3 and (self.is_box or not self.has_shape):
            self.by_box(values[0], values[1], values[2])
            return 4
        return 0

    def _check(self) -> None:
        stores = self.target is not None or self.accepts & _STORES != 0
        if stores and (self.with_distance or self.with_hash or self.with_position):
            command = b"GEOSEARCHSTORE" if self.accepts & _STORES != 0 else b"STORE option in GEORADIUS"
            raise CommandError(b"ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options" % command)
        name = self.name.partition(b"\0")[0]
        if self.accepts & _BY_WORDS != 0 and not self.has_center:
            raise CommandError(b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name)
        if self.accepts & _BY_WORDS != 0 and not self.has_shape:
            raise CommandError(b"ERR exactly one of BYRADIUS and BYBOX can be specified for " + name)
        if self.takes_any and self.count == 0:
            raise CommandError(b"ERR the ANY argument requires COUNT argument")

    def run(self) -> list[Found]:
        """Return what is found, as much as is wanted. Without an order, the nearest come where only some are wanted."""
        if self.members is None:
            return []
        area = Area(self.center, self.is_box, self.width, self.height, self.unit_m)
        found = search(self.members, area, self.count if self.takes_any else 0)
        wanted = min(self.count, len(found)) if self.count != 0 else len(found)
        order = _NEAREST if self.count != 0 and self.order == _UNORDERED and not self.takes_any else self.order
        return found[:wanted] if order == _UNORDERED else first_by_distance(found, wanted, order == _FARTHEST)


def geosearch(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit | BYBOX ... [options]."""
    search_ = Search(read_zset(client.database, arguments[1]), _BY_WORDS, arguments[0])
    search_.parse(arguments, 2)
    _answer(server, client, search_)


def geosearchstore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEOSEARCHSTORE destination source, the rest as in GEOSEARCH, [STOREDIST]."""
    search_ = Search(read_zset(client.database, arguments[2]), _BY_WORDS | _STORES, arguments[0])
    search_.target = arguments[1]
    search_.parse(arguments, 3)
    _answer(server, client, search_)


def georadius(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEORADIUS key longitude latitude radius unit [options] [STORE | STOREDIST key]."""
    _search_around_position(server, client, arguments, _MAY_STORE)


def georadius_ro(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEORADIUS_RO key longitude latitude radius unit [options]."""
    _search_around_position(server, client, arguments, 0)


def georadiusbymember(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEORADIUSBYMEMBER key member radius unit [options] [STORE | STOREDIST key]."""
    _search_around_member(server, client, arguments, _MAY_STORE)


def georadiusbymember_ro(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GEORADIUSBYMEMBER_RO key member radius unit [options]."""
    _search_around_member(server, client, arguments, 0)


def _search_around_position(server: Server, client: Client, arguments: list[bytes], accepts: int) -> None:
    search_ = Search(read_zset(client.database, arguments[1]), accepts, arguments[0])
    search_.from_position(arguments[2], arguments[3])
    search_.by_radius(arguments[4], arguments[5])
    search_.parse(arguments, 6)
    _answer(server, client, search_)


def _search_around_member(server: Server, client: Client, arguments: list[bytes], accepts: int) -> None:
    members = read_zset(client.database, arguments[1])
    search_ = Search(members, accepts, arguments[0])
    if members is not None:
        search_.from_member(arguments[2])
        search_.by_radius(arguments[3], arguments[4])
    search_.parse(arguments, 5)
    _answer(server, client, search_)


def _answer(server: Server, client: Client, search_: Search) -> None:
    found = search_.run()
    if search_.target is None:
        _reply(client, search_, found)
    else:
        _store(server, client, search_, search_.target, found)


def _reply(client: Client, search_: Search, found: list[Found]) -> None:
    reply = client.reply
    details = int(search_.with_distance) + int(search_.with_hash) + int(search_.with_position)
    reply.array(len(found))
    for item in found:
        if details != 0:
            reply.array(1 + details)
        reply.bulk(item.member)
        if search_.with_distance:
            reply_distance(reply, item.distance_m / search_.unit_m)
        if search_.with_hash:
            reply.integer(_hash(item.score))
        if search_.with_position:
            reply_position(reply, item.longitude, item.latitude)


def _hash(score: float) -> int:
    """Return a score as an integer; those beyond 64 bits are the lowest one, as on x86."""
    return int(score) if abs(score) < 2.0**63 else _LOWEST


def _store(server: Server, client: Client, search_: Search, target: bytes, found: list[Found]) -> None:
    by_distance = search_.stores_distance
    items = [(item.member, item.distance_m / search_.unit_m if by_distance else item.score) for item in found]
    event = b"geosearchstore" if search_.accepts & _BY_WORDS != 0 else b"georadiusstore"
    store_zset(server, client.database, target, from_items(items, server.limits), event)
    # Each member counts as a change, of which one was counted.
    server.keyspace.dirty += max(len(items) - 1, 0)
    client.reply.integer(len(items))


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "geosearch",
        -7,
        geosearch,
        READONLY,
        group="geo",
        categories="geo",
        since="6.2.0",
        summary="Query a sorted set representing a geospatial index to fetch members inside an area of a box or a "
        "circle.",
        complexity="O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the "
        "shape provided as the filter and M is the number of items inside the shape",
        keys=(KeySpec("RO access"),),
        history=(("7.0.0", "Added support for uppercase unit names."),),
        arguments="key:key#0 from:oneof(member:string=FROMMEMBER longitude_latitude:block=FROMLONLAT(longitude:double "
        "latitude:double)) by:oneof(circle:block(radius:double=BYRADIUS unit:oneof(m:pure-token=M "
        "km:pure-token=KM ft:pure-token=FT mi:pure-token=MI)) box:block(width:double=BYBOX height:double "
        "unit:oneof(m:pure-token=M km:pure-token=KM ft:pure-token=FT mi:pure-token=MI))) "
        "order:oneof?(asc:pure-token=ASC desc:pure-token=DESC) count:block?(count:integer=COUNT "
        "any:pure-token=ANY?) withcoord:pure-token=WITHCOORD? withdist:pure-token=WITHDIST? "
        "withhash:pure-token=WITHHASH?",
    ),
    Command(
        "geosearchstore",
        -8,
        geosearchstore,
        WRITE | DENYOOM,
        group="geo",
        categories="geo",
        since="6.2.0",
        summary="Query a sorted set representing a geospatial index to fetch members inside an area of a box or a "
        "circle, and store the result in another key.",
        complexity="O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the "
        "shape provided as the filter and M is the number of items inside the shape",
        keys=(
            KeySpec("OW update"),
            KeySpec("RO access", begin=2),
        ),
        history=(("7.0.0", "Added support for uppercase unit names."),),
        arguments="destination:key#0 source:key#1 from:oneof(member:string=FROMMEMBER "
        "longitude_latitude:block=FROMLONLAT(longitude:double latitude:double)) "
        "by:oneof(circle:block(radius:double=BYRADIUS unit:oneof(m:pure-token=M km:pure-token=KM "
        "ft:pure-token=FT mi:pure-token=MI)) box:block(width:double=BYBOX height:double "
        "unit:oneof(m:pure-token=M km:pure-token=KM ft:pure-token=FT mi:pure-token=MI))) "
        "order:oneof?(asc:pure-token=ASC desc:pure-token=DESC) count:block?(count:integer=COUNT "
        "any:pure-token=ANY?) storedist:pure-token=STOREDIST?",
    ),
    Command(
        "georadius",
        -6,
        georadius,
        WRITE | DENYOOM,
        group="geo",
        categories="geo",
        since="3.2.0",
        summary="Query a sorted set representing a geospatial index to fetch members matching a given maximum "
        "distance from a point",
        complexity="O(N+log(M)) where N is the number of elements inside the bounding box of the circular area "
        "delimited by center and radius and M is the number of items inside the index.",
        keys=(
            KeySpec("RO access"),
            KeySpec("OW update", keyword="STORE", begin=6),
            KeySpec("OW update", keyword="STOREDIST", begin=6),
        ),
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
        history=(
            ("6.2.0", "Added the `ANY` option for `COUNT`."),
            ("7.0.0", "Added support for uppercase unit names."),
        ),
        arguments="key:key#0 longitude:double latitude:double radius:double unit:oneof(m:pure-token=M "
        "km:pure-token=KM ft:pure-token=FT mi:pure-token=MI) withcoord:pure-token=WITHCOORD? "
        "withdist:pure-token=WITHDIST? withhash:pure-token=WITHHASH? count:block?(count:integer=COUNT "
        "any:pure-token=ANY?@6.2.0) order:oneof?(asc:pure-token=ASC desc:pure-token=DESC) key:key=STORE#1? "
        "key:key=STOREDIST#2?",
    ),
    Command(
        "georadius_ro",
        -6,
        georadius_ro,
        READONLY,
        group="geo",
        categories="geo",
        since="3.2.10",
        summary="A read-only variant for GEORADIUS",
        complexity="O(N+log(M)) where N is the number of elements inside the bounding box of the circular area "
        "delimited by center and radius and M is the number of items inside the index.",
        keys=(KeySpec("RO access"),),
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` with the `BYRADIUS` argument",
        history=(("6.2.0", "Added the `ANY` option for `COUNT`."),),
        arguments="key:key#0 longitude:double latitude:double radius:double unit:oneof(m:pure-token=M "
        "km:pure-token=KM ft:pure-token=FT mi:pure-token=MI) withcoord:pure-token=WITHCOORD? "
        "withdist:pure-token=WITHDIST? withhash:pure-token=WITHHASH? count:block?(count:integer=COUNT "
        "any:pure-token=ANY?@6.2.0) order:oneof?(asc:pure-token=ASC desc:pure-token=DESC)",
    ),
    Command(
        "georadiusbymember",
        -5,
        georadiusbymember,
        WRITE | DENYOOM,
        group="geo",
        categories="geo",
        since="3.2.0",
        summary="Query a sorted set representing a geospatial index to fetch members matching a given maximum "
        "distance from a member",
        complexity="O(N+log(M)) where N is the number of elements inside the bounding box of the circular area "
        "delimited by center and radius and M is the number of items inside the index.",
        keys=(
            KeySpec("RO access"),
            KeySpec("OW update", keyword="STORE", begin=5),
            KeySpec("OW update", keyword="STOREDIST", begin=5),
        ),
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
        history=(("7.0.0", "Added support for uppercase unit names."),),
        arguments="key:key#0 member:string radius:double unit:oneof(m:pure-token=M km:pure-token=KM ft:pure-token=FT "
        "mi:pure-token=MI) withcoord:pure-token=WITHCOORD? withdist:pure-token=WITHDIST? "
        "withhash:pure-token=WITHHASH? count:block?(count:integer=COUNT any:pure-token=ANY?) "
        "order:oneof?(asc:pure-token=ASC desc:pure-token=DESC) key:key=STORE#1? key:key=STOREDIST#2?",
    ),
    Command(
        "georadiusbymember_ro",
        -5,
        georadiusbymember_ro,
        READONLY,
        group="geo",
        categories="geo",
        since="3.2.10",
        summary="A read-only variant for GEORADIUSBYMEMBER",
        complexity="O(N+log(M)) where N is the number of elements inside the bounding box of the circular area "
        "delimited by center and radius and M is the number of items inside the index.",
        keys=(KeySpec("RO access"),),
        deprecated_since="6.2.0",
        replaced_by="`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
        arguments="key:key#0 member:string radius:double unit:oneof(m:pure-token=M km:pure-token=KM ft:pure-token=FT "
        "mi:pure-token=MI) withcoord:pure-token=WITHCOORD? withdist:pure-token=WITHDIST? "
        "withhash:pure-token=WITHHASH? count:block?(count:integer=COUNT any:pure-token=ANY?) "
        "order:oneof?(asc:pure-token=ASC desc:pure-token=DESC)",
    ),
)
