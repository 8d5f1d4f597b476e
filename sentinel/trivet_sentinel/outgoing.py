"""Outgoing links: one task a link connects, then hands every reply to the machine.

Requests are small, so they are sent at once, without a task and without waiting; a link whose kernel buffer is full
has a peer that stopped reading long ago, and is given up.
"""

import socket
from collections.abc import Callable
from typing import Final

import attrs
import hiredis
import trio

from trivet_sentinel.events import Event, LinkLost, LinkOpened, OpenLink, Received
from trivet_sentinel.sockets import send_now
from trivet_wire.connection import ErrorReply
from trivet_wire.replies import encode_command

_RECEIVE_BYTES: Final = 65536
_NOTHING: Final = object()


@attrs.define(eq=False)
class _Outgoing:
    scope: trio.CancelScope
    connection: socket.socket | None = None
    unsent: list[bytes] = attrs.field(factory=list)


class Links:
    """All outgoing links by their ids; `deliver` takes the events that happen on them."""

    def __init__(self, nursery: trio.Nursery, deliver: Callable[[Event], None]) -> None:
        self._nursery = nursery
        self._deliver = deliver
        self._links: dict[int, _Outgoing] = {}
        self._with_unsent: set[int] = set()

    def open(self, effect: OpenLink) -> None:
        """Start to connect."""
        self._links[effect.link_id] = _Outgoing(trio.CancelScope())
        self._nursery.start_soon(self._run, effect)

    def close(self, link_id: int) -> None:
        """Close a link and tell nobody."""
        link = self._links.pop(link_id, None)
        if link is not None:
            link.scope.cancel()

    def send(self, link_id: int, arguments: tuple[str, ...]) -> None:
        """Put a request into the link's next packet; flush() sends it."""
        link = self._links.get(link_id)
        if link is not None:
            link.unsent.append(encode_command([argument.encode() for argument in arguments]))
            self._with_unsent.add(link_id)

    def flush(self) -> None:
        """Send what send() collected."""
        for link_id in self._with_unsent:
            link = self._links.get(link_id)
            if link is None or link.connection is None:
                continue
            data = b"".join(link.unsent)
            link.unsent.clear()
            try:
                is_sent = send_now(link.connection, data) == len(data)
            except OSError:
                is_sent = False
            if not is_sent:
                # The link's own task tells the machine, as for any other loss.
                link.scope.cancel()
        self._with_unsent.clear()

    async def _run(self, effect: OpenLink) -> None:
        link = self._links[effect.link_id]
        reason = "connection closed by the peer"
        try:
            with link.scope:
                await self._talk(effect, link)
        except (OSError, trio.BrokenResourceError, hiredis.HiredisError) as error:
            reason = str(error)
        finally:
            if link.connection is not None:
                link.connection.close()
        if self._links.get(effect.link_id) is link:
            del self._links[effect.link_id]
            self._deliver(LinkLost(effect.link_id, reason))

    async def _talk(self, effect: OpenLink, link: _Outgoing) -> None:
        with trio.move_on_after(effect.timeout_ms / 1000) as timeout:
            stream = await trio.open_tcp_stream(effect.host, effect.port)
        if timeout.cancelled_caught:
            raise OSError("connection timed out")
        async with stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.connection = socket.socket(fileno=socket.dup(stream.socket.fileno()))
            link.connection.setblocking(False)
            local_host, peer_host = stream.socket.getsockname()[0], stream.socket.getpeername()[0]
            self._deliver(LinkOpened(effect.link_id, local_host, peer_host))
            await self._receive(effect.link_id, stream)

    async def _receive(self, link_id: int, stream: trio.SocketStream) -> None:
        reader = hiredis.Reader(replyError=ErrorReply, encoding=None, notEnoughData=_NOTHING)
        while data := await stream.receive_some(_RECEIVE_BYTES):
            reader.feed(data)
            while (reply := reader.gets()) is not _NOTHING:
                self._deliver(Received(link_id, reply))
