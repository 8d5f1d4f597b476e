"""The shell around the router: sends calls to nodes, follows the verdicts, and keeps pools and topology.

Calls are run in rounds. A round groups the calls that are still open by the node they go to, sends all groups at the
same time, and lets the router judge what came back. Then those to be sent again go into the next round, after a pause
if the router says so, until none is left or `retry_timeout_s` is over.
"""

import math
import random
from collections.abc import Sequence
from typing import Final

import trio

from trivet_client.command_table import CommandTable
from trivet_client.discovery import Discovery, Source
from trivet_client.errors import (
    ClientError,
    ClusterUnavailable,
    ConnectionLost,
    ConnectionRejected,
    DatabaseRefused,
    ServerError,
    server_error,
)
from trivet_client.options import Address, Options
from trivet_client.pool import Exchange, NodePool
from trivet_client.router import Call, Outcome, Router, Verdict
from trivet_client.topology import EMPTY, Topology
from trivet_wire.connection import ErrorReply, encode_request

_ASKING: Final = encode_request(["ASKING"])


def _is_of_the_connection(error: ServerError) -> bool:
    return isinstance(error, DatabaseRefused) or error.code in ("NOAUTH", "WRONGPASS")


class Dispatcher:
    """Runs calls for one client. start() learns the topology; `discovery.run` keeps it fresh."""

    def __init__(self, source: Source, options: Options, choice: random.Random) -> None:
        self.options = options
        self._source = source
        self._pools: dict[Address, NodePool] = {}
        self._is_running = False
        self.discovery = Discovery(source, options, self._adopt, self._somebody_waits)
        self.router = Router(EMPTY, options, choice, source.clustered)

    async def start(self) -> None:
        """Learn the topology and the commands. Raises ClusterUnavailable or ConnectionRejected."""
        await self.discovery.start()
        self._is_running = True
        (outcome,) = await self.run([self.router.call(["COMMAND"])])
        if not isinstance(outcome, ClientError):
            self.router.table = CommandTable(outcome)
        elif not isinstance(outcome, ServerError) or _is_of_the_connection(outcome):
            raise outcome
        # A server that keeps COMMAND to itself (NOPERM) is used by the rule of the first argument.

    def close(self) -> None:
        """Close all connections."""
        self._is_running = False
        for pool in self._pools.values():
            pool.forget_idle()
        self._pools.clear()

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """Run the calls and return their outcomes in order; RuntimeError where the client was not entered."""
        if not self._is_running:
            raise RuntimeError("a client is used inside of `async with`")
        deadline = trio.current_time() + self.options.retry_timeout_s
        open_calls = list(calls)
        while open_calls:
            await self._round(open_calls)
            open_calls = [call for call in open_calls if call.verdict is not Verdict.ANSWER]
            waiting = [call for call in open_calls if call.verdict is Verdict.LATER]
            if waiting:
                pause_s = max(self.router.backoff_s(call) for call in waiting)
                if trio.current_time() + pause_s >= deadline:
                    break
                await self.discovery.wait_for_change(pause_s)
        for call in open_calls:
            call.outcome = self._give_up(call)
        return [call.outcome for call in calls]

    def _give_up(self, call: Call) -> ClientError:
        timeout_s = self.options.retry_timeout_s
        return ClusterUnavailable(f"{call.name} could not be done within {timeout_s:g} s; last: {call.last_cause}")

    async def _round(self, calls: list[Call]) -> None:
        """Send every call once to where it goes now, and judge it."""
        groups: dict[Address, list[Call]] = {}
        for call in calls:
            address = self.router.target(call)
            if address is None:
                self._judge_loss(call, None, False, "no live node is known to serve its slot")
            else:
                groups.setdefault(address, []).append(call)
        if len(groups) == 1:
            for address, group in groups.items():
                await self._send(address, group)
            return
        async with trio.open_nursery() as nursery:
            for address, group in groups.items():
                nursery.start_soon(self._send, address, group)

    async def _send(self, address: Address, calls: list[Call]) -> None:
        """Send calls to one node and judge what came back."""
        requests: list[bytes] = []
        reply_indices: list[int] = []
        for call in calls:
            call.asked = address
            if call.asking_at is not None:
                requests.append(_ASKING)
            reply_indices.append(len(requests))
            requests.append(call.request)
        blocks = any(call.info.blocks for call in calls)
        timeout_s = math.inf if blocks else self.options.response_timeout_s
        try:
            exchange = await self._pool(address).exchange(requests, timeout_s)
        except ConnectionRejected as error:
            for call in calls:
                call.verdict, call.outcome = Verdict.ANSWER, error
            return
        for call, index in zip(calls, reply_indices, strict=True):
            self._judge(call, address, exchange, index)

    def _judge(self, call: Call, address: Address, exchange: Exchange, index: int) -> None:
        if index >= len(exchange.replies):
            self._judge_loss(call, address, index < exchange.sent, exchange.failure or "no reply")
            return
        reply = exchange.replies[index]
        if not isinstance(reply, ErrorReply):
            call.verdict, call.outcome = Verdict.ANSWER, reply
            return
        if self.router.map_may_be_stale(reply):
            self.discovery.request()
        call.verdict, call.outcome = self.router.judge_error(call, reply, address), server_error(reply)
        self.discovery.learn(self.router.topology)

    def _judge_loss(self, call: Call, address: Address | None, sent: bool, cause: str) -> None:
        self.discovery.request()
        call.verdict = self.router.judge_loss(call, address, sent, cause)
        if sent:
            call.outcome = ConnectionLost(f"{call.name} was sent, its outcome is unknown: {call.last_cause}")
        else:
            call.outcome = ClusterUnavailable(f"{call.name} could not be sent: {call.last_cause}")

    def _pool(self, address: Address) -> NodePool:
        pool = self._pools.get(address)
        if pool is None:
            read_only = self.options.read_from_replicas and self._source.clustered
            pool = self._pools[address] = NodePool(address, self.options, read_only)
        return pool

    def _adopt(self, topology: Topology) -> None:
        """Take over a topology just fetched; give up on nodes that failed or are gone."""
        self.router.topology = topology
        alive = topology.addresses - topology.failed
        for address in self._pools.keys() - alive:
            self._pools.pop(address).abandon()

    def _somebody_waits(self) -> bool:
        return any(pool.keeps_waiting() for pool in self._pools.values())
