"""Memory beside redis-server's: by how much a fresh server's resident set grows for each key or member.

Every kind of data gets a server of its own, so that nothing is counted that an earlier kind has left behind.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from trivet_deploy.bench.datasets import fill, grouped, template
from trivet_deploy.bench.servers import Server, running

COUNT: Final = 1_000_000
# Smaller ones would be lost in what a server needs for itself.
QUICK_COUNT: Final = 100_000
_ELEMENTS: Final = 8
_CALM_S: Final = 0.2
_CALM_TIMEOUT_S: Final = 20.0
_CALM_BYTES: Final = 64 * 1024


@attrs.frozen
class Kind:
    """One kind of data: what each of `count` units is, and the requests that make them."""

    name: str
    make: Callable[[int], Iterator[bytes]]


@attrs.frozen
class Growth:
    """Bytes of resident memory for each unit, in both servers."""

    kind: str
    count: int
    node_bytes: float
    redis_bytes: float

    @property
    def ratio(self) -> float:
        """Return how much more the node needs."""
        return self.node_bytes / self.redis_bytes


def _small(*words: str) -> Callable[[int], Iterator[bytes]]:
    """Return what makes one collection of eight elements for each key of 16 bytes."""
    request = template(words[0], "key:%012d", *words[1:] * _ELEMENTS)
    places = sum(word.count("%") for word in words)

    def make(count: int) -> Iterator[bytes]:
        for number in range(count):
            first = number * _ELEMENTS
            elements = [element for element in range(first, first + _ELEMENTS) for _ in range(places)]
            yield request % (number, *elements)

    return make


def _strings(count: int) -> Iterator[bytes]:
    request = template("SET", "key:%012d", "value:%026d")
    return (request % (number, number) for number in range(count))


# Elements, fields, members and values of the small collections have 8 bytes, those of the large ones 16.
KINDS: Final = (
    Kind("string of 32 bytes", _strings),
    Kind("hash of 8 fields", _small("HSET", "f%07d", "v%07d")),
    Kind("list of 8 elements", _small("RPUSH", "e%07d")),
    Kind("set of 8 members", _small("SADD", "m%07d")),
    Kind("set of 8 integers", _small("SADD", "1%07d")),
    Kind("sorted set of 8 members", _small("ZADD", "%07d", "m%07d")),
    Kind("field of one hash", grouped("HSET", "hash", "field:%010d", "value:%010d")),
    Kind("member of one set", grouped("SADD", "set", "member:%09d")),
    Kind("member of one sorted set", grouped("ZADD", "zset", "%09d", "member:%09d")),
)


def measure_growth(kind: Kind, count: int, node_command: Sequence[str], redis_command: Sequence[str]) -> Growth:
    """Fill both servers, one after the other, with `count` units of a kind."""
    node_bytes, redis_bytes = (
        _growth(name, list(command), kind, count) / count
        for name, command in (("node", node_command), ("redis-server", redis_command))
    )
    return Growth(kind.name, count, node_bytes, redis_bytes)


def _growth(name: str, command: list[str], kind: Kind, count: int) -> int:
    with tempfile.TemporaryDirectory(prefix="trivet-bench-") as folder, running(name, command, Path(folder)) as server:
        before = _calm_resident_bytes(server)
        fill(server, kind.make(count))
        return _calm_resident_bytes(server) - before


def _calm_resident_bytes(server: Server) -> int:
    """Return the resident memory of a server once it has stopped changing: tables are rehashed a while after."""
    deadline = time.monotonic() + _CALM_TIMEOUT_S
    resident = server.resident_bytes()
    while True:
        time.sleep(_CALM_S)
        before, resident = resident, server.resident_bytes()
        if abs(resident - before) < _CALM_BYTES or time.monotonic() > deadline:
            return resident
