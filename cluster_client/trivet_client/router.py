"""Decisions: where a command goes, and what to do with what came of it. Pure; topology in, decisions out.

A command is a `Call`. The shell asks target(call), sends it there, and hands what came back to judge_error() or
judge_loss(), which answer with a `Verdict`:

    ANSWER   give the outcome to the caller
    AGAIN    the call knows a better address now (MOVED, ASK): send it again at once
    LATER    nobody can answer yet (failover, loading, resharding): send it again after backoff_s(), or as soon as the
             map of the cluster changes

What a server says before it ran a command (MOVED, CLUSTERDOWN, LOADING ...) can be retried without harm. A connection
that broke after the command was sent leaves open if it ran: the option `retry_lost` decides.
(Redis Cluster specification, "Redirection and resharding".)
"""

import enum
import random
from collections.abc import Sequence
from typing import Final

from attrs import define, field

from trivet_client.command_table import CommandInfo, CommandTable
from trivet_client.errors import ClientError, CrossSlotError
from trivet_client.options import Address, Options, parse_address
from trivet_client.topology import Topology
from trivet_wire import errors
from trivet_wire.connection import Argument, ErrorReply, Reply, encode_argument
from trivet_wire.replies import encode_command
from trivet_wire.slots import key_slot

BACKOFF_FIRST_S: Final = 0.008
# A failover is over within a second or two; asking twenty times a second notices its end without loading anybody.
BACKOFF_MAX_S: Final = 0.1
# Two nodes that redirect to each other are waited for, not hunted.
REDIRECTIONS_AT_ONCE: Final = 5

# Errors that say: not now, or not here; and nothing has run.
_TRY_LATER: Final = frozenset({"CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN", "READONLY", "UNBLOCKED"})
# Those of them that another slot map may cure.
_MAP_IS_STALE: Final = frozenset({"CLUSTERDOWN", "MASTERDOWN", "READONLY", "UNBLOCKED"})

# Commands that leave the same state and give the same reply when they run twice in a row, besides those that only read.
_REPEATABLE: Final = frozenset(
    {b"SETEX", b"PSETEX", b"MSET", b"HMSET", b"SETRANGE", b"LSET", b"PFMERGE"}
    | {b"PING", b"ECHO", b"INFO", b"TIME", b"ROLE", b"LASTSAVE", b"COMMAND"}
)
# These are too, unless an option makes the second reply differ from the first.
_REPEATABLE_WITHOUT_OPTIONS: Final = frozenset({b"SET", b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT"})
_ONCE_ONLY_OPTIONS: Final = frozenset({b"NX", b"XX", b"GT", b"LT", b"GET"})


# What comes of a call: the server's reply, or the exception to raise.
Outcome = Reply | ClientError


# Commands that change the state of the connection, or whose meaning depends on what it did before.
_CONCERNING_CONNECTION: Final = frozenset(
    {b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH", b"WAIT", b"SELECT", b"AUTH", b"HELLO", b"RESET", b"QUIT"}
    | {b"SUBSCRIBE", b"PSUBSCRIBE", b"SSUBSCRIBE", b"UNSUBSCRIBE", b"PUNSUBSCRIBE", b"SUNSUBSCRIBE", b"MONITOR"}
    | {b"SYNC", b"PSYNC", b"ASKING", b"READONLY", b"READWRITE"}
)
_CONCERNING_CONNECTION_OF_CLIENT: Final = frozenset({b"REPLY", b"TRACKING", b"CACHING", b"SETNAME", b"NO-EVICT"})


class Verdict(enum.Enum):
    """What to do with the outcome of a call."""

    ANSWER = enum.auto()
    AGAIN = enum.auto()
    LATER = enum.auto()


@define(eq=False)
class Call:
    """One command on its way. `slot` is None for a command without keys, which any primary may answer."""

    arguments: Sequence[bytes]
    slot: int | None
    info: CommandInfo
    # The node named by ASK, which answers only behind ASKING; None: the map says where it goes.
    asking_at: Address | None = None
    # A call that must not go to a replica, though it only reads.
    primary_only: bool = False
    # The node that the last attempt went to.
    asked: Address | None = None
    attempts: int = 0
    redirections: int = 0
    last_cause: str = ""
    # What came of the last attempt: the server's reply or the exception to raise; final where the verdict is ANSWER.
    outcome: Outcome = None
    verdict: Verdict = Verdict.AGAIN
    request: bytes = field(init=False, repr=False)

    @request.default
    def _encode(self) -> bytes:
        return encode_command(list(self.arguments))

    @property
    def name(self) -> str:
        """The command's name, for messages."""
        return self.arguments[0].decode(errors="replace").upper()


class Router:
    """Routing of one client. The shell replaces `topology` and `table` as it learns better ones.

    `clustered` is False for servers out of cluster mode, which take keys of any slots in one command.
    """

    def __init__(self, topology: Topology, options: Options, choice: random.Random, clustered: bool = True) -> None:
        self.topology = topology
        self.table = CommandTable()
        self._options = options
        self._random = choice
        self._clustered = clustered

    def call(self, arguments: Sequence[Argument]) -> Call:
        """Return the call of a command.

        Raises CrossSlotError where its keys belong to several slots, ValueError for a command that changes or concerns
        the connection it is sent over, because a client's connections are shared.
        """
        if not arguments:
            raise ValueError("a command needs a name")
        encoded = [encode_argument(argument) for argument in arguments]
        if concerns_connection(encoded):
            raise ValueError(f"{encoded[0].decode(errors='replace')} concerns one connection: use connection()")
        info = self.table.info(encoded)
        return Call(encoded, self._slot(encoded, info), info)

    def calls_to_all_primaries(self, arguments: Sequence[Argument]) -> list[Call]:
        """Return one call of a command without keys for every primary that serves slots."""
        encoded = [encode_argument(argument) for argument in arguments]
        info = self.table.info(encoded)
        # A call goes to who serves a slot, not to an address, so that it follows a failover.
        first_slots = {shard: slot for slot, shard in reversed(self.topology.stretches) if shard is not None}
        return [Call(encoded, first_slots[shard], info, primary_only=True) for shard in self.topology.shards]

    def _slot(self, arguments: Sequence[bytes], info: CommandInfo) -> int | None:
        slots = {int(key_slot(arguments[position])) for position in info.key_positions(arguments)}
        if len(slots) > 1:
            if self._clustered:
                raise CrossSlotError(errors.CROSS_SLOT.decode())
            return None
        if not slots and self._clustered and arguments[0].upper() == b"PUBLISH" and len(arguments) > 1:
            # Not asked for by the protocol, but publisher and subscriber meet on one node, whatever the bus does.
            return int(key_slot(arguments[1]))
        return slots.pop() if slots else None

    def target(self, call: Call) -> Address | None:
        """Return where to send `call` now, or None while nobody is known to serve its slot."""
        if call.asking_at is not None:
            return call.asking_at
        if call.slot is None:
            alive = [address for address in self.topology.primaries if address not in self.topology.failed]
            return self._random.choice(alive) if alive else None
        shard = self.topology.owners[call.slot]
        if shard is None:
            return None
        if shard.replicas and self._may_ask_replica(call):
            return self._random.choice(shard.replicas)
        return None if shard.primary in self.topology.failed else shard.primary

    def _may_ask_replica(self, call: Call) -> bool:
        # A replica that failed this call once is not asked again: the primary has the last word.
        return self._options.read_from_replicas and call.info.reads_only and not (call.primary_only or call.attempts)

    def judge_error(self, call: Call, error: ErrorReply, asked: Address) -> Verdict:
        """Decide about a server's error; a redirection changes the map or the call."""
        call.last_cause = f"{asked} answered {str(error)!r}"
        code = error.code
        if code in ("MOVED", "ASK") and call.slot is not None:
            return self._redirect(call, error, asked)
        if code not in _TRY_LATER:
            return Verdict.ANSWER
        return self._later(call)

    def map_may_be_stale(self, error: ErrorReply) -> bool:
        """Say whether a refreshed map may help against this error."""
        return error.code in _MAP_IS_STALE or error.code == "MOVED"

    def judge_loss(self, call: Call, asked: Address | None, sent: bool, cause: str) -> Verdict:
        """Decide about a call that got no reply; `sent` tells whether the node may have received it."""
        call.last_cause = f"{asked}: {cause}" if asked is not None else cause
        if sent and not self._may_repeat(call):
            return Verdict.ANSWER
        return self._later(call)

    def backoff_s(self, call: Call) -> float:
        """Return how long to wait before the next attempt: doubling, capped, and jittered by half."""
        longest = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** min(call.attempts - 1, 20))
        return longest * self._random.uniform(0.5, 1.0)

    def _redirect(self, call: Call, error: ErrorReply, asked: Address) -> Verdict:
        words = str(error).split(" ")
        try:
            slot, address = int(words[1]), parse_address(words[2], asked.host)
        except (IndexError, ValueError):
            return Verdict.ANSWER
        call.redirections += 1
        if words[0] == "ASK":
            call.asking_at = address
        else:
            call.asking_at = None
            self.topology = self.topology.moved(slot, address)
        if call.redirections % REDIRECTIONS_AT_ONCE == 0:
            return self._later(call)
        # Counted as an attempt, so that a replica that redirects is not asked a second time.
        call.attempts += 1
        return Verdict.AGAIN

    def _later(self, call: Call) -> Verdict:
        call.attempts += 1
        call.asking_at = None
        return Verdict.LATER

    def _may_repeat(self, call: Call) -> bool:
        if self._options.retry_lost != "safe":
            return self._options.retry_lost == "always"
        return call.info.reads_only or is_repeatable(call.arguments)


def is_repeatable(arguments: Sequence[bytes]) -> bool:
    """Say whether running this command twice gives the same state and the same reply as running it once."""
    name = arguments[0].upper()
    if name in _REPEATABLE_WITHOUT_OPTIONS:
        return not any(argument.upper() in _ONCE_ONLY_OPTIONS for argument in arguments[3:])
    return name in _REPEATABLE


def concerns_connection(arguments: Sequence[bytes]) -> bool:
    """Say whether the command makes sense only on a connection of one's own."""
    name = arguments[0].upper()
    if name == b"CLIENT" and len(arguments) > 1:
        return arguments[1].upper() in _CONCERNING_CONNECTION_OF_CLIENT
    return name in _CONCERNING_CONNECTION
