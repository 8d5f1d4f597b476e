"""Clients of the sentinel: one task each reads and runs requests; replies and messages are sent at once if the kernel
takes them.

What the kernel does not take is kept and sent by the client's own writer task; a client that lets too much pile up is
closed.
"""

import contextlib
import socket
from collections.abc import Callable
from typing import Final

import attrs
import trio

from trivet_sentinel.sessions import Client, Server
from trivet_sentinel.sockets import send_now
from trivet_wire import errors
from trivet_wire.addresses import host_and_port
from trivet_wire.failures import first_of
from trivet_wire.requests import ProtocolError, RequestParser

_RECEIVE_BYTES: Final = 65536
_SEND_BYTES: Final = 65536
# How long a client that is sent away may take to read what it was sent.
_FAREWELL_S: Final = 1.0
# What reading and writing raise where the peer or the way to it is at fault.
_GONE: Final = (OSError, trio.BrokenResourceError)
UNSENT_MAX_BYTES: Final = 32 * 1024 * 1024


@attrs.define(eq=False)
class _Incoming:
    stream: trio.SocketStream
    connection: socket.socket
    scope: trio.CancelScope
    unsent: bytearray = attrs.field(factory=bytearray)
    has_unsent: trio.Event = attrs.field(factory=trio.Event)


class Clients:
    """The sockets of all clients of `server`; `execute` runs one request and does all that it caused but reply."""

    def __init__(
        self,
        server: Server,
        max_clients: int,
        clock_ms: Callable[[], int],
        execute: Callable[[Client, list[bytes]], None],
    ) -> None:
        self._server = server
        self._max_clients = max_clients
        self._clock_ms = clock_ms
        self._execute = execute
        self._sockets: dict[int, _Incoming] = {}

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one client until it leaves or is sent away. Whatever its connection does, it harms nobody else."""
        async with stream:
            with contextlib.suppress(*_GONE), first_of(*_GONE):
                if len(self._sockets) < self._max_clients:
                    await self._serve(stream)
                else:
                    await stream.send_all(b"-%s\r\n" % errors.TOO_MANY_CLIENTS)

    async def _serve(self, stream: trio.SocketStream) -> None:
        address = host_and_port(*stream.socket.getpeername()[:2])
        local_address = host_and_port(*stream.socket.getsockname()[:2])
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with socket.socket(fileno=socket.dup(stream.socket.fileno())) as connection:
            connection.setblocking(False)
            client = self._server.connect(address, local_address, self._clock_ms())
            incoming = _Incoming(stream, connection, trio.CancelScope())
            self._sockets[client.id] = incoming
            try:
                await self._converse(client, incoming)
            finally:
                del self._sockets[client.id]
                self._server.disconnect(client)

    async def _converse(self, client: Client, incoming: _Incoming) -> None:
        with incoming.scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, incoming)
                await self._read(client, incoming.stream)
                nursery.cancel_scope.cancel()
        with trio.move_on_after(_FAREWELL_S):
            await _send_unsent(incoming)

    async def _read(self, client: Client, stream: trio.SocketStream) -> None:
        parser = RequestParser(authenticated=client.is_authenticated)
        while data := await stream.receive_some(_RECEIVE_BYTES):
            parser.feed(data)
            try:
                while (request := parser.next()) is not None:
                    self._execute(client, request)
                    parser.authenticated = client.is_authenticated
                    if client.must_close:
                        break
            except ProtocolError as error:
                client.out.error(errors.protocol(str(error)))
                client.must_close = True
            self.flush(client)
            if client.must_close:
                return

    async def _write(self, incoming: _Incoming) -> None:
        while True:
            await incoming.has_unsent.wait()
            await _send_unsent(incoming)
            incoming.has_unsent = trio.Event()

    def flush_woken(self) -> None:
        """Send what others caused for clients: messages, and goodbyes."""
        woken, self._server.woken = self._server.woken, set()
        for client in woken:
            self.flush(client)
            incoming = self._sockets.get(client.id)
            if incoming is not None and client.must_close:
                incoming.scope.cancel()

    def flush(self, client: Client) -> None:
        """Send the client's waiting bytes."""
        incoming = self._sockets.get(client.id)
        data = client.out.take()
        if incoming is None or not data:
            return
        try:
            sent = 0 if incoming.unsent else send_now(incoming.connection, data)
        except OSError:
            incoming.scope.cancel()
            return
        if sent < len(data):
            incoming.unsent += data[sent:]
            incoming.has_unsent.set()
        if len(incoming.unsent) > UNSENT_MAX_BYTES:
            incoming.scope.cancel()


async def _send_unsent(incoming: _Incoming) -> None:
    """Send, waiting for the client, what could not be sent at once."""
    while incoming.unsent:
        await trio.lowlevel.wait_writable(incoming.connection)
        del incoming.unsent[: send_now(incoming.connection, bytes(incoming.unsent[:_SEND_BYTES]))]
