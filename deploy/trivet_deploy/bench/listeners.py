"""Subscribers that read all that they are sent while PUBLISH is measured, in a thread of this process.

The publishers, redis-benchmark, are told how many subscribers heard them as soon as the server has sent the message; a
server is only as fast as its subscribers let it be where they fall behind. So they read as much at once as there is,
and a measurement is over when the last message has reached the last of them.
"""

import resource
import select
import socket
import threading
import time
from types import TracebackType
from typing import Final

from trivet_deploy.bench.cases import CHANNEL
from trivet_deploy.bench.servers import BenchError, Server
from trivet_wire.connection import encode_request

_TIMEOUT_S: Final = 60.0
_READ_BYTES: Final = 1 << 18
# How long the thread waits before it looks whether it is to end.
_LOOK_S: Final = 0.1
_LAST: Final = b"that was the last message"
_FILES_BESIDE: Final = 100


class Listeners:
    """`count` subscribers of CHANNEL on a server, possibly none, there until the with statement ends."""

    def __init__(self, server: Server, count: int) -> None:
        self._server = server
        self._sockets: dict[int, socket.socket] = {}
        self._tails: dict[int, bytes] = {}
        self._epoll = select.epoll()
        self._closing = False
        self._lost = False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        _allow_files(count + _FILES_BESIDE)
        for _ in range(count):
            self._subscribe()

    def __enter__(self) -> "Listeners":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._thread.join()
        for connection in self._sockets.values():
            connection.close()
        self._epoll.close()

    def wait_for_all(self) -> None:
        """Publish a last message and wait until all have it. Raises BenchError where one was cut off or left behind."""
        if not self._sockets:
            return
        with socket.create_connection(("127.0.0.1", self._server.port), _TIMEOUT_S) as publisher:
            publisher.sendall(encode_request([b"PUBLISH", CHANNEL.encode(), _LAST]))
            publisher.recv(100)
        deadline = time.monotonic() + _TIMEOUT_S
        while not self._done.wait(_LOOK_S):
            if self._lost or time.monotonic() > deadline:
                raise BenchError(f"{self._server.name} has cut off a subscriber, or forgotten one")

    def _subscribe(self) -> None:
        connection = socket.create_connection(("127.0.0.1", self._server.port), _TIMEOUT_S)
        connection.sendall(encode_request([b"SUBSCRIBE", CHANNEL.encode()]))
        confirmation = connection.recv(100)
        if not confirmation.endswith(b":1\r\n"):
            raise BenchError(f"{self._server.name} answers SUBSCRIBE with {confirmation!r}")
        connection.setblocking(False)
        self._sockets[connection.fileno()] = connection
        self._tails[connection.fileno()] = b""
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def _read(self) -> None:
        """Read until the with statement ends; note when everybody has the last message."""
        end = _LAST + b"\r\n"
        waiting = set(self._sockets)
        while self._sockets and not self._closing:
            for descriptor, _ in self._epoll.poll(_LOOK_S):
                data = self._receive(descriptor)
                self._tails[descriptor] = (self._tails[descriptor] + data)[-len(end) :]
                if self._tails[descriptor] == end:
                    waiting.discard(descriptor)
            if not waiting:
                self._done.set()

    def _receive(self, descriptor: int) -> bytes:
        try:
            data = self._sockets[descriptor].recv(_READ_BYTES)
        except OSError:
            data = b""
        if not data:
            self._lost = True
            self._epoll.unregister(descriptor)
        return data


def _allow_files(count: int) -> None:
    """Let this process have so many open files, if the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else min(count, hard), hard)
        )
