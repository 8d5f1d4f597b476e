"""Learning who serves what, and keeping it true.

A `Source` knows whom to ask and how to read the answer; `Discovery` decides when: at the start, whenever somebody calls
request(), at most once in REFRESH_PAUSE_S, and now and then to learn of new replicas. Through a failover every caller
that waits requests a refresh with each attempt, so the map is asked for about twenty times a second until it names a
living node, and hardly ever in quiet times.

first_answer() asks several servers: the next one as soon as the last one failed, or has not answered for STAGGER_S,
without giving up on it. So one dead server costs a moment, never a timeout.
"""

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, Protocol, TypeVar

import trio

from trivet_client.errors import ClusterUnavailable, ConnectionRejected
from trivet_client.options import Address, Options
from trivet_client.pool import LOST, describe, open_connection
from trivet_client.topology import NoSlots, Topology, parse_shards, parse_slots, single_shard
from trivet_wire.connection import Connection, ErrorReply, Reply

REFRESH_PAUSE_S: Final = 0.05
REFRESH_EVERY_S: Final = 15.0
CHECK_EVERY_S: Final = 0.25
STAGGER_S: Final = 0.1

T = TypeVar("T")


class NoAnswer(Exception):
    """A server was reached but could not tell what was asked."""


class Source(Protocol):
    """Where a client learns its topology."""

    clustered: bool

    async def fetch(self, known: Topology | None, options: Options) -> Topology:
        """Ask for the present topology. Raises ClusterUnavailable where nobody can tell, ConnectionRejected."""


async def first_answer(candidates: Iterable[Address], ask: Callable[[Address], Awaitable[T]]) -> T:
    """Return the first answer of any candidate, asked in this order without waiting long for any.

    Raises ClusterUnavailable that names what each one said, or ConnectionRejected if one of them said that.
    """
    answers: list[T] = []
    failures: dict[Address, Exception] = {}

    async def ask_one(address: Address, done: trio.Event) -> None:
        try:
            answers.append(await ask(address))
            nursery.cancel_scope.cancel()
        except (*LOST, NoAnswer, ConnectionRejected) as error:
            failures[address] = error
        done.set()

    async with trio.open_nursery() as nursery:
        for address in candidates:
            done = trio.Event()
            nursery.start_soon(ask_one, address, done)
            with trio.move_on_after(STAGGER_S):
                await done.wait()
    if answers:
        return answers[0]
    refusal = next((error for error in failures.values() if isinstance(error, ConnectionRejected)), None)
    if refusal is not None:
        raise refusal
    causes = "; ".join(f"{address}: {describe(error)}" for address, error in failures.items())
    raise ClusterUnavailable(f"no server could be asked: {causes}")


@contextlib.asynccontextmanager
async def brief_connection(address: Address, options: Options) -> AsyncIterator[Connection]:
    """Connect for a few questions, each of which is answered within `connect_timeout_s` or not at all."""
    connection = await open_connection(address, options)
    try:
        with trio.fail_after(options.connect_timeout_s):
            yield connection
    finally:
        await connection.close()


class FixedSource:
    """One server, which is always the primary."""

    clustered = False

    def __init__(self, address: Address) -> None:
        self._topology = single_shard(address)

    async def fetch(self, known: Topology | None, options: Options) -> Topology:
        """Return the server; there is nobody to ask."""
        return self._topology


class ClusterSource:
    """The nodes of a cluster: those that are known and those that the user named."""

    clustered = True

    def __init__(self, startup_nodes: tuple[Address, ...], choice: random.Random) -> None:
        self._startup_nodes = startup_nodes
        self._random = choice

    async def fetch(self, known: Topology | None, options: Options) -> Topology:
        """Ask nodes in random order, those held for failed last."""

        async def ask(address: Address) -> Topology:
            async with brief_connection(address, options) as connection:
                return await ask_topology(connection, address)

        return await first_answer(self._candidates(known), ask)

    def _candidates(self, known: Topology | None) -> list[Address]:
        # Sorted first, because the order of a set of addresses differs from process to process.
        candidates = sorted({*self._startup_nodes, *(known.addresses if known is not None else ())})
        self._random.shuffle(candidates)
        failed = known.failed if known is not None else frozenset()
        return sorted(candidates, key=failed.__contains__)


async def ask_topology(connection: Connection, address: Address) -> Topology:
    """Ask one node by CLUSTER SHARDS, or by CLUSTER SLOTS where that is not known (before Redis 7). Raises NoAnswer."""
    reply = await connection.call("CLUSTER", "SHARDS")
    parse: Callable[[Reply, Address], Topology] = parse_shards
    if isinstance(reply, ErrorReply) and reply.code == "ERR":
        reply = await connection.call("CLUSTER", "SLOTS")
        parse = parse_slots
    if isinstance(reply, ErrorReply):
        raise NoAnswer(str(reply))
    try:
        return parse(reply, address)
    except (NoSlots, LookupError, TypeError, ValueError) as error:
        raise NoAnswer(f"its slot map cannot be used: {error!r}") from error


class Discovery:
    """Refreshes a topology on request and tells who waits for it.

    `adopt` is called with every topology fetched. `is_wanted` is asked regularly; true is as good as a request.
    """

    def __init__(
        self, source: Source, options: Options, adopt: Callable[[Topology], None], is_wanted: Callable[[], bool]
    ) -> None:
        self._source = source
        self._options = options
        self._adopt = adopt
        self._is_wanted = is_wanted
        self._refreshed_at = 0.0
        self._known: Topology | None = None
        self._requested = trio.Event()
        self._changed = trio.Event()
        self.last_failure = ""

    async def start(self) -> None:
        """Fetch the first topology, trying again until `retry_timeout_s` is over. Raises ClusterUnavailable."""
        deadline = trio.current_time() + self._options.retry_timeout_s
        while True:
            try:
                return await self._refresh()
            except ClusterUnavailable:
                if trio.current_time() + REFRESH_PAUSE_S >= deadline:
                    raise
            await trio.sleep(REFRESH_PAUSE_S)

    def request(self) -> None:
        """Have the topology refreshed soon."""
        self._requested.set()

    async def run(self) -> None:
        """Serve requests until cancelled."""
        while True:
            await self._wait_until_wanted()
            self._requested = trio.Event()
            try:
                await self._refresh()
            except (ClusterUnavailable, ConnectionRejected) as error:
                self.last_failure = describe(error)
            await trio.sleep(REFRESH_PAUSE_S)

    async def _wait_until_wanted(self) -> None:
        while not (self._requested.is_set() or self._is_wanted()):
            if trio.current_time() - self._refreshed_at > REFRESH_EVERY_S:
                return
            with trio.move_on_after(CHECK_EVERY_S):
                await self._requested.wait()

    async def wait_for_change(self, longest_s: float) -> None:
        """Wait until the topology changes, or for `longest_s`."""
        with trio.move_on_after(longest_s):
            await self._changed.wait()

    def learn(self, topology: Topology) -> None:
        """Take over what a redirection taught, and wake who waits."""
        if topology != self._known:
            self._known = topology
            self._changed.set()
            self._changed = trio.Event()

    async def _refresh(self) -> None:
        self._refreshed_at = trio.current_time()
        topology = await self._source.fetch(self._known, self._options)
        self._adopt(topology)
        self.learn(topology)
