"""The clients: `ClusterClient` for a cluster, `Client` for one server.

    async with ClusterClient(["127.0.0.1:7000"]) as c:
        await c.set("key", "value")

A client may be used by any number of tasks at once; each call takes a connection of its own from a pool.

What a caller can rely on: a call returns when the server answered it, or raises `ServerError` with the server's error,
`ClusterUnavailable` after `retry_timeout_s` of trying, or `ConnectionLost` where the outcome is unknown and repeating
could do harm (see `Options.retry_lost`). Redirections, failovers and resharding are dealt with in between.
"""

import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from itertools import chain
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack, cast, overload

import trio

from trivet_client.commands import KeyCommands, ServerCommands, StringCommands
from trivet_client.commands.base import Key, Pairs, V, option, unchanged
from trivet_client.discovery import ClusterSource, FixedSource, Source
from trivet_client.dispatcher import Dispatcher
from trivet_client.errors import ClientError, ClusterUnavailable
from trivet_client.options import Address, AddressLike, OptionArguments, Options, as_addresses
from trivet_client.pipeline import Pipeline
from trivet_client.pool import open_connection
from trivet_client.replies import as_text
from trivet_client.router import Call
from trivet_client.subscription import Subscription
from trivet_client.topology import Topology
from trivet_wire.connection import Argument, Connection, Reply, encode_argument
from trivet_wire.slots import key_slot

T = TypeVar("T")


class BaseClient(StringCommands[V], KeyCommands[V], ServerCommands[V]):
    """What all clients do, whatever `source` their topology comes from."""

    def __init__(self, source: Source, options: Options, decode_responses: bool, choice: random.Random) -> None:
        self.options = options
        self._decode: Callable[[Reply], Reply] = as_text if decode_responses else unchanged
        self._dispatcher = Dispatcher(source, options, choice)
        self._nursery_manager: Any = None
        self._nursery: trio.Nursery | None = None

    async def __aenter__(self) -> Self:
        """Learn the topology and keep it fresh. Raises ClusterUnavailable or ConnectionRejected."""
        await self._dispatcher.start()
        self._nursery_manager = trio.open_nursery()
        self._nursery = await self._nursery_manager.__aenter__()
        self._nursery.start_soon(self._dispatcher.discovery.run)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._nursery is not None
        self._nursery.cancel_scope.cancel()
        self._dispatcher.close()
        # The nursery is not shown the error: it would wrap the caller's own exception into an exception group.
        await self._nursery_manager.__aexit__(None, None, None)

    @property
    def topology(self) -> Topology:
        """The map of slots as it is known now."""
        return self._dispatcher.router.topology

    async def execute(self, *arguments: Argument) -> Any:
        """Run any command and return its reply as the server sent it (decoded with decode_responses).

        It goes to the node that serves its keys, one without keys to any primary. Raises ServerError,
        ClusterUnavailable, ConnectionLost, and ValueError for commands that concern one connection, such as MULTI; see
        connection().
        """
        return await self._run(unchanged, *arguments)

    async def execute_on_primaries(self, *arguments: Argument) -> dict[Address, Any]:
        """Run a command without keys on every primary that serves slots; return the replies by address."""
        calls = self._dispatcher.router.calls_to_all_primaries(arguments)
        outcomes = await self._dispatcher.run(calls)
        return {cast(Address, call.asked): self._answer(outcome) for call, outcome in zip(calls, outcomes, strict=True)}

    def pipeline(self) -> Pipeline[V]:
        """Return a pipeline: `async with c.pipeline() as p: p.set(...); p.get(...); results = await p.execute()`."""
        return Pipeline(self._dispatcher, self._decode)

    def subscribe(self, *channels: Key, patterns: Iterable[Key] = ()) -> Subscription[V]:
        """Return a subscription: `async with c.subscribe("news") as messages: async for message in messages: ...`."""
        encoded_channels = [encode_argument(channel) for channel in channels]
        return Subscription(
            self._dispatcher, encoded_channels, [encode_argument(each) for each in patterns], self._decode
        )

    @asynccontextmanager
    async def connection(self, key: Key | None = None) -> AsyncIterator[Connection]:
        """Lend a connection to the primary that serves `key` (None: any), for MULTI, WATCH, WAIT and the like.

        Nothing is retried or redirected on it, errors are returned as ErrorReply, replies are not decoded; it is closed
        in the end. Raises ClusterUnavailable where no connection can be had now.
        """
        call = self._dispatcher.router.call(["PING"])
        call.slot = None if key is None else int(key_slot(encode_argument(key)))
        address = self._dispatcher.router.target(call)
        if address is None:
            raise ClusterUnavailable("no live node is known to serve the key")
        try:
            connection = await open_connection(address, self.options)
        except (OSError, trio.TooSlowError, trio.BrokenResourceError) as error:
            self._dispatcher.discovery.request()
            raise ClusterUnavailable(f"{address}: {error}") from error
        try:
            yield connection
        finally:
            await connection.close()

    async def scan_iter(
        self, match: Key | None = None, count: int | None = None, type: str | None = None
    ) -> AsyncIterator[V]:
        """Yield the keys of all primaries by SCAN, `count` being a hint for how many are looked at in one step.

        A key may come twice. One that exists all the time comes at least once, unless its slot is moved meanwhile;
        after a failover the scan of that shard starts over.
        """
        arguments = [*option("MATCH", match), *option("COUNT", count), *option("TYPE", type)]
        for start in self._dispatcher.router.calls_to_all_primaries(["SCAN", 0]):
            cursor: bytes = b"0"
            node: Address | None = None
            while True:
                call = self._scan_call(cursor, arguments, start)
                (outcome,) = await self._dispatcher.run([call])
                next_cursor, keys = _raised(outcome)
                if node not in (None, call.asked):
                    # A cursor means nothing to another node than the one it came from.
                    cursor, node = b"0", None
                    continue
                for key in keys:
                    yield self._decode(key)
                cursor, node = next_cursor, call.asked
                if int(cursor) == 0:
                    break

    def _scan_call(self, cursor: bytes, arguments: list[Argument], start: Call) -> Call:
        call = self._dispatcher.router.call(["SCAN", cursor, *arguments])
        call.slot, call.primary_only = start.slot, True
        return call

    async def dbsize(self) -> int:
        """DBSIZE: return how many keys all primaries hold."""
        return sum((await self.execute_on_primaries("DBSIZE")).values())

    async def keys(self, pattern: Key = "*") -> list[V]:
        """KEYS: return all keys that match, of all primaries; for small databases only."""
        replies = await self.execute_on_primaries("KEYS", pattern)
        return [key for reply in replies.values() for key in reply]

    async def randomkey(self) -> V | None:
        """RANDOMKEY: return some key of some primary that has one, or None where there is none at all."""
        replies = (await self.execute_on_primaries("RANDOMKEY")).values()
        return next((reply for reply in replies if reply is not None), None)

    async def flushall(self) -> None:
        """FLUSHALL: remove all keys of all primaries."""
        await self.execute_on_primaries("FLUSHALL")

    async def flushdb(self) -> None:
        """FLUSHDB: remove all keys of all primaries."""
        await self.execute_on_primaries("FLUSHDB")

    async def mget_nonatomic(self, *keys: Key) -> list[V | None]:
        """MGET for keys of any slots: one MGET a slot, all at the same time, each of another moment."""
        replies = await self._by_slot("MGET", [(key,) for key in keys])
        values: dict[int, V | None] = {}
        for positions, reply in replies:
            values.update(zip(positions, reply, strict=True))
        return [values[position] for position in range(len(keys))]

    async def mset_nonatomic(self, values: Pairs) -> None:
        """MSET for keys of any slots: one MSET a slot, all at the same time; on an error some may have been stored."""
        await self._by_slot("MSET", list(values.items()))

    async def delete_nonatomic(self, *keys: Key) -> int:
        """DEL for keys of any slots; see mget_nonatomic()."""
        return await self._sum_by_slot("DEL", keys)

    async def unlink_nonatomic(self, *keys: Key) -> int:
        """UNLINK for keys of any slots; see mget_nonatomic()."""
        return await self._sum_by_slot("UNLINK", keys)

    async def exists_nonatomic(self, *keys: Key) -> int:
        """EXISTS for keys of any slots; see mget_nonatomic()."""
        return await self._sum_by_slot("EXISTS", keys)

    async def touch_nonatomic(self, *keys: Key) -> int:
        """TOUCH for keys of any slots; see mget_nonatomic()."""
        return await self._sum_by_slot("TOUCH", keys)

    async def _sum_by_slot(self, name: str, keys: tuple[Key, ...]) -> int:
        return sum(reply for _, reply in await self._by_slot(name, [(key,) for key in keys]))

    async def _by_slot(self, name: str, items: list[Any]) -> list[tuple[list[int], Any]]:
        """Run `name` once a slot with the items of that slot, an item being a key and what goes with it.

        Return the positions of the items of each slot and the reply for them.
        """
        positions_of_slot: dict[int, list[int]] = {}
        for position, item in enumerate(items):
            positions_of_slot.setdefault(int(key_slot(encode_argument(item[0]))), []).append(position)
        groups = list(positions_of_slot.values())
        calls = [self._call(name, [items[position] for position in group]) for group in groups]
        outcomes = await self._dispatcher.run(calls)
        return [(group, self._answer(outcome)) for group, outcome in zip(groups, outcomes, strict=True)]

    def _call(self, name: str, items: list[tuple[Argument, ...]]) -> Call:
        return self._dispatcher.router.call([name, *chain.from_iterable(items)])

    def _run(self, convert: Callable[[Reply], T], *arguments: Argument) -> Coroutine[Any, Any, T]:
        return self._run_call(convert, arguments)

    async def _run_call(self, convert: Callable[[Reply], T], arguments: tuple[Argument, ...]) -> T:
        (outcome,) = await self._dispatcher.run([self._dispatcher.router.call(arguments)])
        return convert(self._answer(outcome))

    def _answer(self, outcome: Any) -> Any:
        return self._decode(_raised(outcome))


def _raised(outcome: Any) -> Any:
    """Return a reply, raise an error."""
    if isinstance(outcome, ClientError):
        raise outcome
    return outcome


class ClusterClient(BaseClient[V]):
    """A client of a cluster.

    startup_nodes     some nodes of it, as "host:port" or (host, port); any one that answers is enough
    decode_responses  replies are str instead of bytes
    choice            the source of randomness, for reproducible tests
    options           see `Options`
    """

    @overload
    def __init__(
        self: "ClusterClient[bytes]",
        startup_nodes: Iterable[AddressLike],
        *,
        decode_responses: Literal[False] = False,
        choice: random.Random | None = None,
        **options: Unpack[OptionArguments],
    ) -> None: ...

    @overload
    def __init__(
        self: "ClusterClient[str]",
        startup_nodes: Iterable[AddressLike],
        *,
        decode_responses: Literal[True],
        choice: random.Random | None = None,
        **options: Unpack[OptionArguments],
    ) -> None: ...

    def __init__(
        self,
        startup_nodes: Iterable[AddressLike],
        *,
        decode_responses: bool = False,
        choice: random.Random | None = None,
        **options: Unpack[OptionArguments],
    ) -> None:
        choice = choice or random.Random()
        source = ClusterSource(as_addresses(startup_nodes), choice)
        super().__init__(source, Options(**options), decode_responses, choice)


class Client(BaseClient[V]):
    """A client of one server out of cluster mode. The arguments are those of `ClusterClient`."""

    @overload
    def __init__(
        self: "Client[bytes]",
        host: str,
        port: int,
        *,
        decode_responses: Literal[False] = False,
        **options: Unpack[OptionArguments],
    ) -> None: ...

    @overload
    def __init__(
        self: "Client[str]",
        host: str,
        port: int,
        *,
        decode_responses: Literal[True],
        **options: Unpack[OptionArguments],
    ) -> None: ...

    def __init__(
        self, host: str, port: int, *, decode_responses: bool = False, **options: Unpack[OptionArguments]
    ) -> None:
        super().__init__(FixedSource(Address(host, port)), Options(**options), decode_responses, random.Random())
