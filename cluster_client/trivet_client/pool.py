"""Connections to one node: opened when needed, kept when idle, thrown away at the first doubt.

A connection is used by one exchange at a time: some requests out, as many replies in. Whatever ends an exchange early
(a broken connection, a timeout, the caller's cancellation) closes the connection, because replies are under way on it
that nobody will read. abandon() ends exchanges that hang; the client calls it when it learns that the node failed.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

import hiredis
import trio
from attrs import define, field

from trivet_client.errors import AuthenticationError, DatabaseRefused, server_error
from trivet_client.options import Address, Options
from trivet_wire.connection import Connection, ErrorReply, Reply, connect

# What connecting, sending and receiving raise when the peer or the way to it is at fault.
LOST: Final = (OSError, trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError)
# Replies are read after so many requests at the latest, so that a huge pipeline does not pile up in the server.
_REQUESTS_PER_TURN: Final = 2000
SUSPECT_AFTER_S: Final = 0.25
_NO_HELLO: Final = ("NOPROTO", "ERR")


class Refused(ConnectionError):
    """The server let us connect but refused to serve: too many clients, or still loading."""


@define
class Exchange:
    """What came of some requests: the replies that arrived, and why there are no more of them.

    The requests from `len(replies)` to `sent` may have run; those behind `sent` have not.
    """

    replies: list[Reply] = field(factory=list)
    sent: int = 0
    failure: str | None = None


async def open_connection(address: Address, options: Options, read_only: bool = False) -> Connection:
    """Open a connection, speak RESP3 where the server can, authenticate, and select the database of the options.

    `read_only` sends READONLY. Raises ConnectionRejected, or one of LOST; never takes longer than `connect_timeout_s`.
    """
    with trio.fail_after(options.connect_timeout_s):
        connection = await connect(address.host, address.port, options.connect_timeout_s)
        try:
            await _introduce(connection, options)
            if options.database:
                await _select(connection, options.database)
            if read_only:
                await connection.call("READONLY")
        except BaseException:
            await connection.close()
            raise
    return connection


async def _introduce(connection: Connection, options: Options) -> None:
    hello: list[str] = ["HELLO", "3"]
    if options.password is not None:
        hello += ["AUTH", options.username or "default", options.password]
    if options.client_name is not None:
        hello += ["SETNAME", options.client_name]
    reply = await connection.call(*hello)
    if isinstance(reply, ErrorReply):
        if reply.code not in _NO_HELLO or "max number of clients" in str(reply):
            raise _refusal(reply)
        await _introduce_without_hello(connection, options)


async def _introduce_without_hello(connection: Connection, options: Options) -> None:
    """Do what HELLO would have done, for servers older than Redis 6."""
    requests: list[list[str]] = []
    if options.password is not None:
        requests.append(["AUTH", *([options.username] if options.username else []), options.password])
    if options.client_name is not None:
        requests.append(["CLIENT", "SETNAME", options.client_name])
    for request in requests:
        reply = await connection.call(*request)
        if isinstance(reply, ErrorReply):
            raise _refusal(reply) if request[0] != "AUTH" else AuthenticationError(str(reply))


async def _select(connection: Connection, database: int) -> None:
    reply = await connection.call("SELECT", database)
    if isinstance(reply, ErrorReply):
        raise DatabaseRefused(str(reply)) if reply.code == "ERR" else _refusal(reply)


def _refusal(reply: ErrorReply) -> Exception:
    error = server_error(reply)
    return error if isinstance(error, AuthenticationError) else Refused(str(reply))


class NodePool:
    """The connections to one node."""

    def __init__(self, address: Address, options: Options, read_only: bool = False) -> None:
        self.address = address
        self._options = options
        self._read_only = read_only
        self._idle: list[Connection] = []
        self._places = trio.Semaphore(options.max_connections_per_node)
        # The exchanges under way, and when they began.
        self._under_way: dict[trio.CancelScope, float] = {}
        # Connections of an earlier generation are closed when they come back.
        self._generation = 0

    async def exchange(self, requests: Sequence[bytes], response_timeout_s: float) -> Exchange:
        """Send encoded requests and return the replies, each of which may take `response_timeout_s`.

        Raises ConnectionRejected; every other failure is in the result.
        """
        exchange = Exchange()
        with trio.CancelScope() as scope:
            self._under_way[scope] = trio.current_time()
            try:
                async with self._places:
                    await self._exchange(exchange, requests, response_timeout_s)
            except LOST as error:
                exchange.failure = describe(error)
                self.forget_idle()
            finally:
                del self._under_way[scope]
        if scope.cancelled_caught:
            exchange.failure = "the node is given up for failed"
        return exchange

    async def _exchange(self, exchange: Exchange, requests: Sequence[bytes], response_timeout_s: float) -> None:
        async with self._connection() as connection:
            for first in range(0, len(requests), _REQUESTS_PER_TURN):
                turn = requests[first : first + _REQUESTS_PER_TURN]
                exchange.sent += len(turn)
                with trio.fail_after(response_timeout_s):
                    await connection.send(b"".join(turn))
                for _ in turn:
                    with trio.fail_after(response_timeout_s):
                        exchange.replies.append(await _receive(connection))

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        generation = self._generation
        connection = self._take_idle() or await open_connection(self.address, self._options, self._read_only)
        clean = False
        try:
            yield connection
            clean = True
        finally:
            if clean and generation == self._generation:
                self._idle.append(connection)
            else:
                await connection.close()

    def _take_idle(self) -> Connection | None:
        """Return an idle connection that its server has not closed meanwhile, the most recently used first."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_quiet():
                return connection
            connection.close_now()
        return None

    def forget_idle(self) -> None:
        """Close all idle connections, and those in use when they come back."""
        self._generation += 1
        while self._idle:
            self._idle.pop().close_now()

    def keeps_waiting(self) -> bool:
        """Say whether some exchange has been under way for so long that the node may be in trouble."""
        return any(self._waiting_long())

    def abandon(self) -> None:
        """End every exchange that has been under way for long as lost, and close the idle connections.

        A younger one goes on: news of a node's failure can be older than its return.
        """
        for scope in self._waiting_long():
            scope.cancel()
        self.forget_idle()

    def _waiting_long(self) -> list[trio.CancelScope]:
        latest = trio.current_time() - SUSPECT_AFTER_S
        return [scope for scope, started in self._under_way.items() if started <= latest]


async def _receive(connection: Connection) -> Reply:
    """Return the next reply that is not a push."""
    while isinstance(reply := await connection.receive(), hiredis.PushNotification):
        pass
    return reply


def describe(error: BaseException) -> str:
    """Return what went wrong in words, also for exceptions that have none."""
    return str(error) or type(error).__name__
