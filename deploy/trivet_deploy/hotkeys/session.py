"""Sampling by HOTKEYS on every primary at once: what is started is stopped, whatever happens meanwhile.

A node keeps its session for its own sake no longer than asked for and a moment: should this process be killed, the
nodes stop by themselves.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import trio
from attrs import evolve

from trivet_client.discovery import NoAnswer, ask_topology
from trivet_client.errors import ConnectionRejected
from trivet_client.options import Address, Options
from trivet_client.pool import LOST, describe, open_connection
from trivet_deploy.hotkeys.report import HotKey, NodeReport, node_report
from trivet_wire.answers import info_fields
from trivet_wire.connection import Argument, Connection, ErrorReply, Reply, encode_request

# How much longer than asked for a node goes on by itself.
_GRACE_S: Final = 10
# A node tells of no more keys than that.
KEYS_MAX: Final = 64
# The metrics that nodes are asked for, in turn: Redis 8.6 counts no commands.
_METRICS: Final = (("CPU", "NET", "OPS"), ("CPU", "NET"))
_ALREADY_IN_PROGRESS: Final = "ERR hotkey tracking session already in progress"
_UNKNOWN_COMMAND: Final = "ERR unknown command"
# How large a value of a type is, and in what.
_SIZE_OF: Final = {
    "string": ("STRLEN", "bytes"),
    "list": ("LLEN", "elements"),
    "set": ("SCARD", "members"),
    "zset": ("ZCARD", "members"),
    "hash": ("HLEN", "fields"),
    "stream": ("XLEN", "entries"),
}


class SamplingError(Exception):
    """Hot keys cannot be told; the message says why."""


class NoHotKeysCommand(SamplingError):
    """The server knows no HOTKEYS: it is Redis before 8.6, or Valkey."""


class Node:
    """One node over one connection."""

    def __init__(self, address: Address, connection: Connection, timeout_s: float) -> None:
        self.address = address
        self._connection = connection
        self._timeout_s = timeout_s
        self._is_sampling = False

    async def call(self, *arguments: Argument) -> Reply:
        """Return the reply to one command. Raises ErrorReply, or SamplingError where there is no reply."""
        (reply,) = await self.call_all([arguments])
        if isinstance(reply, ErrorReply):
            raise reply
        return reply

    async def call_all(self, requests: Sequence[Sequence[Argument]]) -> list[Reply]:
        """Return the replies to some commands, errors among them. Raises SamplingError where they do not come."""
        try:
            with trio.fail_after(self._timeout_s):
                await self._connection.send(b"".join(encode_request(request) for request in requests))
                return [await self._connection.receive() for _ in requests]
        except LOST as error:
            # What has not come yet must not be taken for the reply to something else.
            await self._connection.close()
            raise SamplingError(f"{self.address}: {describe(error)}") from error

    async def primaries(self) -> tuple[Address, ...] | None:
        """Return all primaries of the node's cluster, None where it is in none. Raises SamplingError."""
        try:
            if info_fields(await self.call("INFO", "cluster")).get("cluster_enabled") != "1":
                return None
            with trio.fail_after(self._timeout_s):
                return (await ask_topology(self._connection, self.address)).primaries
        except (ErrorReply, NoAnswer, *LOST) as error:
            raise SamplingError(f"{self.address}: {describe(error)}") from error

    async def start(self, seconds: float, sample_ratio: int) -> None:
        """Begin to count. Raises SamplingError."""
        for metrics in _METRICS:
            limits: list[Argument] = ["COUNT", KEYS_MAX, "DURATION", int(seconds) + _GRACE_S, "SAMPLE", sample_ratio]
            try:
                await self.call("HOTKEYS", "START", "METRICS", len(metrics), *metrics, *limits)
            except ErrorReply as error:
                if metrics is _METRICS[-1] or not str(error).startswith("ERR METRICS"):
                    raise self._refusal(error) from error
            else:
                self._is_sampling = True
                return

    def _refusal(self, error: ErrorReply) -> SamplingError:
        if str(error).startswith(_UNKNOWN_COMMAND):
            return NoHotKeysCommand(f"{self.address} has no HOTKEYS")
        if str(error) == _ALREADY_IN_PROGRESS:
            return SamplingError(f"{self.address} is being sampled already; HOTKEYS STOP there ends that")
        return SamplingError(f"{self.address}: {error}")

    async def finish(self) -> NodeReport | None:
        """Stop what was started and return what was counted; nothing where nothing was started."""
        if not self._is_sampling:
            return None
        self._is_sampling = False
        await self.call("HOTKEYS", "STOP")
        report = node_report(str(self.address), await self.call("HOTKEYS", "GET"))
        await self.call("HOTKEYS", "RESET")
        return report

    async def describe(self, hot: HotKey) -> HotKey:
        """Return a key with its type and size, as far as the node tells them."""
        try:
            hot = evolve(hot, type=(await self.call("TYPE", hot.key)).decode())
            if hot.type in _SIZE_OF:
                command, unit = _SIZE_OF[hot.type]
                hot = evolve(hot, size=f"{await self.call(command, hot.key)} {unit}")
        except (SamplingError, ErrorReply):
            return hot
        return hot


@asynccontextmanager
async def connected(addresses: Sequence[Address], options: Options) -> AsyncIterator[list[Node]]:
    """Connect to nodes. Raises SamplingError where one cannot be reached, or does not let us in."""
    async with AsyncExitStack() as stack:
        nodes: list[Node] = []
        for address in addresses:
            try:
                connection = await open_connection(address, options)
            except (*LOST, ConnectionRejected) as error:
                raise SamplingError(f"{address}: {describe(error)}") from error
            stack.push_async_callback(connection.close)
            nodes.append(Node(address, connection, options.response_timeout_s))
        yield nodes


async def sample(
    nodes: Sequence[Node], seconds: float, sample_ratio: int, interrupted: trio.Event
) -> tuple[list[NodeReport], list[str]]:
    """Let all nodes count for some seconds, or until interrupted; return their reports, and what went wrong at the end.

    Raises SamplingError where a node cannot begin; the others are stopped then.
    """
    reports: list[NodeReport] = []
    failures: list[str] = []
    try:
        for node in nodes:
            await node.start(seconds, sample_ratio)
        with trio.move_on_after(seconds):
            await interrupted.wait()
    finally:
        with trio.CancelScope(shield=True):
            for node in nodes:
                try:
                    report = await node.finish()
                except (SamplingError, ErrorReply) as error:
                    failures.append(str(error))
                else:
                    reports += [report] if report is not None else []
    return reports, failures
