"""The client side of one RESP connection under trio: requests out, replies in.

Replies are parsed by hiredis. A server's error is returned as an `ErrorReply`, never raised, because pipelines and
sentinels look at errors as ordinary answers; a broken connection raises trio.BrokenResourceError or ConnectionClosed.
"""

import select
import socket
from collections.abc import Sequence
from typing import Any, Final

import hiredis
import trio

from trivet_wire.replies import encode_command

Argument = bytes | str | int | float
# What hiredis makes of a reply: bytes, int, float, bool, None, list, dict, ErrorReply or PushNotification.
Reply = Any

_RECEIVE_BYTES: Final = 65536
_NOTHING: Final = object()


class ErrorReply(Exception):
    """An error that the server answered. `code` is its first word, such as `MOVED`; str() is the whole text."""

    @property
    def code(self) -> str:
        """Return the error's first word."""
        return str(self).partition(" ")[0]


class ConnectionClosed(OSError):
    """The peer closed the connection, or sent bytes that are not RESP."""


def encode_argument(argument: Argument) -> bytes:
    """Return `argument` as the bytes to send: text as UTF-8, numbers as decimal text. Raises TypeError for others."""
    if isinstance(argument, bytes):
        return argument
    if isinstance(argument, str):
        return argument.encode()
    if isinstance(argument, int | float) and not isinstance(argument, bool):
        return repr(argument).encode()
    raise TypeError(f"a command's argument is bytes, str, int or float, not {type(argument).__name__}")


def encode_request(arguments: Sequence[Argument]) -> bytes:
    """Return one request of `arguments` as RESP."""
    return encode_command([encode_argument(argument) for argument in arguments])


class Connection:
    """One connection, used by one task at a time. Pushes (RESP3) arrive from receive() as hiredis.PushNotification."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._reader = hiredis.Reader(
            protocolError=ConnectionClosed, replyError=ErrorReply, encoding=None, notEnoughData=_NOTHING
        )

    async def send(self, data: bytes) -> None:
        """Send encoded requests."""
        await self._stream.send_all(data)

    async def receive(self) -> Reply:
        """Return the next reply or push, waiting for it as long as it takes."""
        while True:
            reply = self._reader.gets()
            if reply is not _NOTHING:
                return reply
            data = await self._stream.receive_some(_RECEIVE_BYTES)
            if not data:
                raise ConnectionClosed("connection closed by the peer")
            self._reader.feed(bytes(data))

    async def call(self, *arguments: Argument) -> Reply:
        """Send one request and return its reply."""
        await self.send(encode_request(arguments))
        return await self.receive()

    def is_quiet(self) -> bool:
        """Say whether nothing waits to be received; an idle connection on which something does has been closed."""
        if not isinstance(self._stream, trio.SocketStream) or self._stream.socket.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(self._stream.socket.fileno(), select.POLLIN)
        return not poll.poll(0)

    def close_now(self) -> None:
        """Close the connection's socket without a checkpoint; nothing may be under way on it."""
        if isinstance(self._stream, trio.SocketStream):
            self._stream.socket.close()

    async def close(self) -> None:
        """Close the connection without waiting for anything."""
        await trio.aclose_forcefully(self._stream)


async def connect(host: str, port: int, timeout_s: float) -> Connection:
    """Open a TCP connection to a server.

    Raises OSError where nobody answers there, and trio.TooSlowError after `timeout_s` seconds.
    """
    with trio.fail_after(timeout_s):
        stream = await trio.open_tcp_stream(host, port, happy_eyeballs_delay=0.25)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Connection(stream)
