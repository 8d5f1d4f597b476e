"""Finding the primary of a named group through sentinels, and a client that follows it.

    sentinels = SentinelClient(["127.0.0.1:26379", "127.0.0.1:26380"])
    address = await sentinels.primary_address("mymaster")
    async with sentinels.client("mymaster") as c:
        await c.set("key", "value")

(Redis documentation, "Guidelines for Redis clients with support for Redis Sentinel".)
"""

import random
from collections.abc import Iterable
from typing import Any, Literal, Unpack, overload

from trivet_client.client import BaseClient
from trivet_client.discovery import NoAnswer, brief_connection, first_answer
from trivet_client.options import Address, AddressLike, OptionArguments, Options, as_addresses
from trivet_client.topology import Topology, single_shard
from trivet_wire.answers import as_dict
from trivet_wire.connection import Connection, ErrorReply

_DOWN_FLAGS = frozenset({"s_down", "o_down", "disconnected"})


class SentinelClient:
    """Asks sentinels. It holds no connections; `options` apply to the connections to sentinels, see `Options`."""

    def __init__(self, sentinels: Iterable[AddressLike], **options: Unpack[OptionArguments]) -> None:
        self.sentinels = as_addresses(sentinels)
        self._options = Options(**options)

    async def primary_address(self, name: str) -> Address:
        """Return where the primary of group `name` is (SENTINEL GET-MASTER-ADDR-BY-NAME).

        Raises ClusterUnavailable where no sentinel can tell: none is up, or none knows the name.
        """

        async def ask(sentinel: Address) -> Address:
            async with brief_connection(sentinel, self._options) as connection:
                return await _ask_primary(connection, name)

        return await first_answer(self.sentinels, ask)

    async def replica_addresses(self, name: str) -> list[Address]:
        """Return where the replicas of group `name` are that are not held for down (SENTINEL REPLICAS)."""

        async def ask(sentinel: Address) -> list[Address]:
            async with brief_connection(sentinel, self._options) as connection:
                return await _ask_replicas(connection, name)

        return await first_answer(self.sentinels, ask)

    @overload
    def client(
        self, name: str, *, decode_responses: Literal[False] = False, **options: Unpack[OptionArguments]
    ) -> BaseClient[bytes]: ...

    @overload
    def client(
        self, name: str, *, decode_responses: Literal[True], **options: Unpack[OptionArguments]
    ) -> BaseClient[str]: ...

    def client(
        self, name: str, *, decode_responses: bool = False, **options: Unpack[OptionArguments]
    ) -> BaseClient[Any]:
        """Return a client that talks to the primary of group `name` and follows it through failovers."""
        return BaseClient(SentinelSource(self, name), Options(**options), decode_responses, random.Random())


class SentinelSource:
    """The topology of a group that sentinels watch: its primary and replicas."""

    clustered = False

    def __init__(self, sentinels: SentinelClient, name: str) -> None:
        self._sentinels = sentinels
        self._name = name

    async def fetch(self, known: Topology | None, options: Options) -> Topology:
        """Ask the sentinels."""
        primary = await self._sentinels.primary_address(self._name)
        if not options.read_from_replicas:
            return single_shard(primary)
        replicas = await self._sentinels.replica_addresses(self._name)
        return single_shard(primary, (address for address in replicas if address != primary))


async def _ask_primary(connection: Connection, name: str) -> Address:
    reply = await connection.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
    if isinstance(reply, ErrorReply):
        raise NoAnswer(str(reply))
    if reply is None:
        raise NoAnswer(f"it does not know {name!r}")
    host, port = reply
    return Address(host.decode(), int(port))


async def _ask_replicas(connection: Connection, name: str) -> list[Address]:
    reply = await connection.call("SENTINEL", "REPLICAS", name)
    if isinstance(reply, ErrorReply):
        raise NoAnswer(str(reply))
    replicas = [as_dict(each) for each in reply]
    return [
        Address(replica[b"ip"].decode(), int(replica[b"port"]))
        for replica in replicas
        if _DOWN_FLAGS.isdisjoint(replica[b"flags"].decode().split(","))
    ]
