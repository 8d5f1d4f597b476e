"""Messages of channels, through failovers.

A subscription is one connection to one node; the nodes of a cluster pass messages on to each other. When the connection
breaks, the subscription goes to another node and subscribes again; messages published in between are lost, as always
with Redis' pub/sub.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Generic, Self

import trio
from attrs import frozen

from trivet_client.commands.base import V
from trivet_client.dispatcher import Dispatcher
from trivet_client.errors import ClusterUnavailable, server_error
from trivet_client.options import Address
from trivet_client.pool import LOST, describe, open_connection
from trivet_wire.connection import Connection, ErrorReply, Reply, encode_request

PING_AFTER_S: Final = 5.0

_CONFIRMATIONS: Final = (b"subscribe", b"psubscribe")
_PING: Final = encode_request(["PING"])


@frozen
class Message(Generic[V]):
    """One published message; `pattern` is the pattern that matched, None for a subscription to the channel itself."""

    channel: V
    data: V
    pattern: V | None = None


class Subscription(Generic[V]):
    """An async context manager and iterator of `Message`, made by a client's subscribe()."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        channels: Sequence[bytes],
        patterns: Sequence[bytes],
        decode: Callable[[Reply], Any],
    ) -> None:
        if not channels and not patterns:
            raise ValueError("at least one channel or pattern is needed")
        self._dispatcher = dispatcher
        self._channels = channels
        self._patterns = patterns
        self._decode = decode
        self._connection: Connection | None = None
        # Messages that came before all channels were confirmed.
        self._early: deque[Message[V]] = deque()

    async def __aenter__(self) -> Self:
        await self._subscribe()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.close()

    def __aiter__(self) -> AsyncIterator[Message[V]]:
        return self

    async def __anext__(self) -> Message[V]:
        """Return the next message. Raises ClusterUnavailable where no node takes the subscription in time."""
        while not self._early:
            try:
                message = self._message(await self._receive())
            except LOST:
                await self._subscribe()
                continue
            if message is not None:
                return message
        return self._early.popleft()

    async def _receive(self) -> Reply:
        """Return whatever comes next; in a long silence ask by PING if the node is still there."""
        assert self._connection is not None, "use the subscription in an async with statement"
        with trio.move_on_after(PING_AFTER_S):
            return await self._connection.receive()
        with trio.fail_after(self._dispatcher.options.response_timeout_s):
            await self._connection.send(_PING)
            return await self._connection.receive()

    def _message(self, reply: Reply) -> Message[V] | None:
        if not isinstance(reply, list):
            return None
        kind, *rest = reply
        if kind == b"message":
            channel, data = rest
            return Message(self._decode(channel), self._decode(data))
        if kind == b"pmessage":
            pattern, channel, data = rest
            return Message(self._decode(channel), self._decode(data), self._decode(pattern))
        return None

    async def _subscribe(self) -> None:
        """Subscribe at some node, trying until `retry_timeout_s` is over."""
        deadline = trio.current_time() + self._dispatcher.options.retry_timeout_s
        # A call that is never sent: it chooses the node where PUBLISH to the first channel goes as well.
        call = self._dispatcher.router.call(["PUBLISH", *(self._channels or self._patterns)[:1], b""])
        while True:
            address = self._dispatcher.router.target(call)
            cause = "no live node is known"
            if address is not None:
                try:
                    return await self._subscribe_at(address)
                except LOST as error:
                    cause = f"{address}: {describe(error)}"
            call.attempts += 1
            pause_s = self._dispatcher.router.backoff_s(call)
            if trio.current_time() + pause_s >= deadline:
                raise ClusterUnavailable(f"no node takes the subscription; last: {cause}")
            self._dispatcher.discovery.request()
            await self._dispatcher.discovery.wait_for_change(pause_s)

    async def _subscribe_at(self, address: Address) -> None:
        options = self._dispatcher.options
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
        connection = await open_connection(address, options)
        try:
            with trio.fail_after(options.connect_timeout_s):
                await self._introduce(connection)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection

    async def _introduce(self, connection: Connection) -> None:
        if self._channels:
            await connection.send(encode_request(["SUBSCRIBE", *self._channels]))
        if self._patterns:
            await connection.send(encode_request(["PSUBSCRIBE", *self._patterns]))
        confirmations = 0
        while confirmations < len(self._channels) + len(self._patterns):
            reply = await connection.receive()
            if isinstance(reply, ErrorReply):
                raise server_error(reply)
            message = self._message(reply)
            if message is not None:
                self._early.append(message)
            elif isinstance(reply, list) and reply[0] in _CONFIRMATIONS:
                confirmations += 1
