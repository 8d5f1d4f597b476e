"""What is in a server before something is measured, as requests that are sent over one pipeline.

Requests of one kind differ in numbers only, which have a fixed width: so they are made by one formatting each, fast
enough to fill a server with a million keys in seconds.
"""

import random
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from trivet_deploy.bench.cases import KEY_COUNT, MEMBER_COUNT, SCRIPT
from trivet_deploy.bench.servers import BenchError, Server
from trivet_wire.connection import encode_request

_TIMEOUT_S: Final = 60.0
_CHUNK_BYTES: Final = 1 << 20
_PER_REQUEST: Final = 100
_MARK: Final = b"that was all"
_RANGE_LIST_LENGTH: Final = 1000
# A part of the earth in which positions are spread evenly: longitudes, latitudes.
_AREA: Final = ((-10.0, 30.0), (35.0, 60.0))


def fill(server: Server, requests: Iterable[bytes]) -> None:
    """Send requests, encoded, at once; BenchError where one of them is refused."""
    with socket.create_connection(("127.0.0.1", server.port), _TIMEOUT_S) as connection:
        chunk: list[bytes] = []
        length = 0
        for request in requests:
            chunk.append(request)
            length += len(request)
            if length > _CHUNK_BYTES:
                _exchange(connection, b"".join(chunk), server.name)
                chunk, length = [], 0
        _exchange(connection, b"".join(chunk), server.name)


def _exchange(connection: socket.socket, data: bytes, name: str) -> None:
    """Send some requests and wait for the replies to all of them."""
    connection.sendall(data + encode_request([b"ECHO", _MARK]))
    end = b"$%d\r\n%s\r\n" % (len(_MARK), _MARK)
    replies = b""
    while not replies.endswith(end):
        received = connection.recv(1 << 20)
        if not received:
            raise BenchError(f"{name} closed the connection while it was filled")
        replies += received
    if replies.startswith(b"-") or b"\n-" in replies:
        error = replies[replies.find(b"-") :].split(b"\r\n")[0]
        raise BenchError(f"{name} refuses what it is filled with: {error.decode()}")


def data(name: str, count: int) -> Iterator[bytes]:
    """Return the requests that make the data of this name, what it was before being gone; `count` elements of it."""
    for key in _KEYS.get(name, ()):
        yield encode_request([b"DEL", key])
    yield from _DATA[name](count)


def template(*words: str) -> bytes:
    """Return a request with places for numbers, which must have a fixed width, as `%08d` has."""
    parts = [b"$%d\r\n%s\r\n" % (len(word % ((0,) * word.count("%"))), word.encode()) for word in words]
    return b"*%d\r\n%s" % (len(words), b"".join(parts))


def grouped(*words: str) -> Callable[[int], Iterator[bytes]]:
    """Return what makes requests of a name and a key, and then a group of words for each of many numbers."""

    def make(count: int) -> Iterator[bytes]:
        request = template(*words[:2], *words[2:] * _PER_REQUEST)
        places = sum(word.count("%") for word in words)
        for first in range(0, count, _PER_REQUEST):
            numbers = range(first, first + _PER_REQUEST)
            yield request % tuple(number for number in numbers for _ in range(places))

    return make


def _nothing(count: int) -> Iterator[bytes]:
    return iter(())


def _strings(count: int) -> Iterator[bytes]:
    request = template("SET", "key:%012d", "xxx")
    return (request % number for number in range(count))


def _script(count: int) -> Iterator[bytes]:
    yield from _strings(count)
    yield encode_request(["SCRIPT", "LOAD", SCRIPT])


def _stream(count: int) -> Iterator[bytes]:
    for number in range(1, count + 1):
        yield encode_request([b"XADD", b"stream", b"%d-0" % number, b"field", b"xxx"])


def _positions(count: int) -> Iterator[bytes]:
    chance = random.Random(1)
    for number in range(count):
        position = [b"%.6f" % chance.uniform(*bounds) for bounds in _AREA]
        yield encode_request([b"GEOADD", b"geo", *position, b"place:%012d" % number])


_KEYS: Final[dict[str, tuple[bytes, ...]]] = {
    "empty-list": (b"list",),
    "list": (b"list",),
    "range-list": (b"range-list",),
    "pop-set": (b"pop-set",),
    "hash": (b"hash",),
    "zset": (b"zset",),
    "empty-stream": (b"log",),
    "stream": (b"stream",),
    "geo": (b"geo",),
}
_DATA: Final[dict[str, Callable[[int], Iterator[bytes]]]] = {
    "nothing": _nothing,
    "strings": _strings,
    "script": _script,
    "empty-list": _nothing,
    "empty-stream": _nothing,
    "list": grouped("RPUSH", "list", "xxx"),
    "range-list": grouped("RPUSH", "range-list", "element:%08d"),
    "pop-set": grouped("SADD", "pop-set", "member:%012d"),
    "hash": grouped("HSET", "hash", "field:%012d", "xxx"),
    "zset": grouped("ZADD", "zset", "%012d", "member:%012d"),
    "stream": _stream,
    "geo": _positions,
}
_SIZES: Final = {"strings": KEY_COUNT, "script": KEY_COUNT, "range-list": _RANGE_LIST_LENGTH}


def standard_size(name: str) -> int:
    """Return how many elements the data of this name has where it is only read."""
    return _SIZES.get(name, MEMBER_COUNT)
