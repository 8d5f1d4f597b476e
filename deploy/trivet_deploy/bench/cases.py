"""What is measured: commands of redis-benchmark at several pipeline depths and numbers of clients, and transactions."""

import hashlib

import attrs

# Keys, fields, members and the like are drawn at random from this many, so that a data structure and not one hot cache
# line is measured.
KEY_COUNT = 100_000
# How many members the collections have that cases read.
MEMBER_COUNT = 200_000
# What is published goes here.
CHANNEL = "bench"
# What EVALSHA runs.
SCRIPT = "return redis.call('GET', KEYS[1])"


@attrs.frozen
class Case:
    """One way of running redis-benchmark.

    `requests` is a number that takes redis-server about a second. `words` are the command; __rand_int__ in them stands
    for a random number below `range` each time, in twelve digits. `data` names what is in the server before
    (datasets.py); where the case `consumes` it, it is there anew before every run, with one element a request.
    Meanwhile so many `listeners` subscribe to the channel of listeners.py and read. Where there is a `block`, a request
    is a transaction of so many times the command, which transactions.py sends in the place of redis-benchmark.
    """

    label: str
    words: tuple[str, ...]
    clients: int
    pipeline: int
    requests: int
    data: str
    consumes: bool = False
    range: int = KEY_COUNT
    listeners: int = 0
    block: int = 0

    @property
    def name(self) -> str:
        """Return what tables and files call this case, such as `GET -c 50 -P 16`."""
        return f"{self.label} -c {self.clients} -P {self.pipeline}"


# Clients, pipeline depth, requests.
_SHAPES = (
    (50, 1, 100_000),
    (50, 16, 800_000),
    (50, 128, 1_500_000),
    (1, 1, 30_000),
    (500, 1, 100_000),
)
_STRINGS = {"SET": "SET key:__rand_int__ xxx", "GET": "GET key:__rand_int__"}
_EVALSHA = f"EVALSHA {hashlib.sha1(SCRIPT.encode()).hexdigest()} 1 key:__rand_int__"
# Label, command, data, whether it consumes that, range of random numbers, requests at depths 16 and 1.
_COMMANDS = (
    ("INCR", "INCR counter:__rand_int__", "nothing", False, KEY_COUNT, 800_000, 100_000),
    ("MSET 10", "MSET" + " key:__rand_int__ xxx" * 10, "nothing", False, KEY_COUNT, 150_000, 60_000),
    ("SETBIT", "SETBIT bits:__rand_int__ 1000 1", "nothing", False, KEY_COUNT, 800_000, 100_000),
    ("PFADD", "PFADD sketch element:__rand_int__", "nothing", False, MEMBER_COUNT, 600_000, 100_000),
    ("LPUSH", "LPUSH list xxx", "empty-list", True, KEY_COUNT, 800_000, 100_000),
    ("LPOP", "LPOP list", "list", True, KEY_COUNT, 800_000, 100_000),
    ("LRANGE 100", "LRANGE range-list 0 99", "range-list", False, KEY_COUNT, 80_000, 50_000),
    ("LRANGE 600", "LRANGE range-list 0 599", "range-list", False, KEY_COUNT, 15_000, 12_000),
    ("SADD", "SADD set member:__rand_int__", "nothing", False, MEMBER_COUNT, 800_000, 100_000),
    ("SPOP", "SPOP pop-set", "pop-set", True, KEY_COUNT, 600_000, 100_000),
    ("HSET", "HSET hash field:__rand_int__ xxx", "hash", False, MEMBER_COUNT, 800_000, 100_000),
    ("HGET", "HGET hash field:__rand_int__", "hash", False, MEMBER_COUNT, 800_000, 100_000),
    ("ZADD", "ZADD zset __rand_int__ member:__rand_int__", "zset", False, MEMBER_COUNT, 300_000, 100_000),
    ("ZRANGE 10", "ZRANGE zset 100000 100009", "zset", False, MEMBER_COUNT, 300_000, 80_000),
    ("ZRANK", "ZRANK zset member:__rand_int__", "zset", False, MEMBER_COUNT, 500_000, 100_000),
    ("XADD", "XADD log * field xxx", "empty-stream", True, KEY_COUNT, 400_000, 100_000),
    ("XRANGE 10", "XRANGE stream __rand_int__ + COUNT 10", "stream", False, MEMBER_COUNT, 150_000, 60_000),
    ("EVALSHA", _EVALSHA, "script", False, KEY_COUNT, 200_000, 80_000),
    ("GEOSEARCH", "GEOSEARCH geo FROMLONLAT 10.5 47.5 BYRADIUS 20 km", "geo", False, KEY_COUNT, 30_000, 25_000),
)
# Subscribers, requests at depths 16 and 1.
_LISTENERS = ((1, 400_000, 80_000), (100, 16_000, 8_000), (1000, 1_600, 800))


def standard_cases(scale: float) -> list[Case]:
    """Return every case of the benchmark, with `scale` times the usual number of requests."""
    cases = [
        Case(label, tuple(command.split()), clients, pipeline, max(10_000, int(requests * scale)), "strings")
        for clients, pipeline, requests in _SHAPES
        for label, command in _STRINGS.items()
    ]
    for label, command, data, consumes, range_, deep, shallow in _COMMANDS:
        for pipeline, requests in ((16, deep), (1, shallow)):
            scaled = max(min(requests, 10_000), int(requests * scale))
            cases.append(Case(label, tuple(command.split()), 50, pipeline, scaled, data, consumes, range_))
    cases += _publishing_cases(scale)
    for pipeline, requests in ((16, 150_000), (1, 60_000)):
        words = tuple(_STRINGS["SET"].split())
        cases.append(Case("MULTI 10 SET", words, 50, pipeline, max(2_000, int(requests * scale)), "strings", block=10))
    return cases


def _publishing_cases(scale: float) -> list[Case]:
    """Return PUBLISH of a hundred bytes to several numbers of subscribers."""
    words = ("PUBLISH", CHANNEL, "x" * 100)
    return [
        Case(
            f"PUBLISH to {listeners}",
            words,
            50,
            pipeline,
            max(800, int(requests * scale)),
            "nothing",
            listeners=listeners,
        )
        for listeners, deep, shallow in _LISTENERS
        for pipeline, requests in ((16, deep), (1, shallow))
    ]
