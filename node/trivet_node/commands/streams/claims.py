"""Pending entries that pass from one consumer to another. (Redis: group "stream".)

XCLAIM and XAUTOCLAIM depend on how long entries have waited: what is propagated is one XCLAIM for each entry that
changed, with its owner, time and count. That also tells of entries that are gone: claimed anew, they are forgotten.
"""

from typing import Final, final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import FAST, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer_in, option
from trivet_node.commands.streams.arguments import (
    EntryReply,
    add_entry,
    entry_id,
    group_of,
    interval_start,
    read_stream,
)
from trivet_node.commands.streams.groups import GroupEffects, active_consumer
from trivet_node.server.state import Server
from trivet_node.values.stream_groups import PendingCursor
from trivet_node.values.stream_ids import SMALLEST_ID, id_text, parse_id
from trivet_node.values.streams import Stream
from trivet_node.values.strings import parse_integer
from trivet_wire import errors

_COUNT_TOO_HIGH: Final = b"ERR Insufficient memory, failed allocating transient memory, COUNT too high."
_NOT_GIVEN: Final = -1
_DEFAULT_CLAIMS: Final = 100
# How many entries are looked at for each that may be claimed.
_ATTEMPTS: Final = 10
_ID_BYTES: Final = 16
_MOST_CLAIMS: Final = (2**63 - 1) // _ID_BYTES
# Redis has room for so many IDs on no machine.
_ADDRESSABLE_IDS: Final = 2**47 // _ID_BYTES


@final
class _Claim:
    """The options of XCLAIM. What is not given is -1, the last ID 0-0; `last` is the index behind the IDs.

    An entry delivered after `latest_ms` counts as delivered now: that is now itself, unless our primary says so, whose
    clock may be ahead of ours.
    """

    def __init__(self, arguments: list[bytes], now_ms: int, latest_ms: int) -> None:
        self.min_idle_ms: int = max(_integer_or(arguments[4], b"min-idle-time"), 0)
        self.ids: list[int] = []
        self.delivered_ms: int = _NOT_GIVEN
        self.deliveries: int = _NOT_GIVEN
        self.forces: bool = False
        self.just_ids: bool = False
        self.last_id: int = SMALLEST_ID
        self._now_ms: int = now_ms
        place = 5
        while place < len(arguments):
            wanted = parse_id(arguments[place], 0)
            if wanted is None:
                break
            self.ids.append(wanted)
            place += 1
        while place < len(arguments):
            place = self._read_option(arguments, place)
        if self.delivered_ms == _NOT_GIVEN or not 0 <= self.delivered_ms <= latest_ms:
            self.delivered_ms = now_ms

    def _read_option(self, arguments: list[bytes], place: int) -> int:
        """Read the option at `place` and return where the next one stands."""
        word = option(arguments[place])
        if word == b"FORCE":
            self.forces = True
            return place + 1
        if word == b"JUSTID":
            self.just_ids = True
            return place + 1
        if word not in (b"IDLE", b"TIME", b"RETRYCOUNT", b"LASTID") or place + 1 == len(arguments):
            raise CommandError(b"ERR Unrecognized XCLAIM option '%s'" % errors.c_string(arguments[place]))
        value = arguments[place + 1]
        if word == b"IDLE":
            self.delivered_ms = self._now_ms - _integer_or(value, b"IDLE option")
        elif word == b"TIME":
            self.delivered_ms = _integer_or(value, b"TIME option")
        elif word == b"RETRYCOUNT":
            self.deliveries = _integer_or(value, b"RETRYCOUNT option")
        else:
            self.last_id = entry_id(value)
        return place + 2


def _integer_or(text: bytes, what: bytes, command: bytes = b"XCLAIM") -> int:
    value = parse_integer(text)
    if value is None:
        raise CommandError(b"ERR Invalid %s argument for %s" % (what, command))
    return value


def xclaim(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XCLAIM key group consumer min-idle-time id ... [IDLE|TIME ms] [RETRYCOUNT n] [FORCE] [JUSTID] [LASTID id]."""
    key = arguments[1]
    stream = read_stream(client.database, key)
    group = group_of(stream, key, arguments[2])
    assert stream is not None
    now_ms = int(server.keyspace.now_ms)
    claim = _Claim(arguments, now_ms, INTEGER_MAX if client.flags & PRIMARY != 0 else now_ms)
    effects = GroupEffects(server, key, arguments[2], group)
    moves = claim.last_id > group.last_id
    if moves:
        group.last_id = claim.last_id
    claimed = EntryReply(client.reply.protocol)
    for place, wanted in enumerate(claim.ids, 5):
        pending = group.find(wanted)
        if not stream.has(wanted):
            if pending is not None:
                effects.claim(wanted, pending, arguments[place])
                group.drop(wanted, pending)
            continue
        if pending is None and not claim.forces:
            continue
        if pending is not None and claim.min_idle_ms and now_ms - pending.delivered_ms < claim.min_idle_ms:
            continue
        deliveries = 1 if pending is None else pending.deliveries
        consumer = active_consumer(server, client, key, group, arguments[3])
        pending = group.assign(wanted, pending, consumer)
        pending.delivered_ms = claim.delivered_ms
        if claim.deliveries >= 0:
            pending.deliveries = claim.deliveries
        else:
            pending.deliveries = deliveries if claim.just_ids else deliveries + 1
        _add_claimed(claimed, stream, wanted, claim.just_ids)
        effects.claim(wanted, pending, arguments[place])
    if moves and not effects.changes:
        effects.move()
    server.keyspace.dirty += effects.changes
    server.propagation.instead(effects.commands)
    claimed.append_to(client.reply)


def _add_claimed(claimed: EntryReply, stream: Stream, wanted: int, just_id: bool) -> None:
    if just_id:
        claimed.add_text(id_text(wanted))
    else:
        add_entry(claimed, stream, wanted)


def xautoclaim(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]."""
    key = arguments[1]
    value = client.database.read(key)
    min_idle_ms = max(_integer_or(arguments[4], b"min-idle-time", b"XAUTOCLAIM"), 0)
    start = interval_start(arguments[5])
    count, just_ids = _autoclaim_options(arguments)
    if value is not None and not isinstance(value, Stream):
        raise CommandError(errors.WRONG_TYPE)
    group = group_of(value, key, arguments[2])
    assert value is not None
    if count > _ADDRESSABLE_IDS:
        raise CommandError(_COUNT_TOO_HIGH)
    now_ms = int(server.keyspace.now_ms)
    effects = GroupEffects(server, key, arguments[2], group)
    claimed = EntryReply(client.reply.protocol)
    gone: list[bytes] = []
    attempts = count * _ATTEMPTS
    cursor = PendingCursor(group.pending)
    more = cursor.seek(start)
    while attempts > 0 and count > 0 and more:
        attempts -= 1
        wanted = cursor.entry_id()
        pending = cursor.pending()
        if not value.has(wanted):
            effects.claim(wanted, pending)
            group.drop(wanted, pending)
            gone.append(id_text(wanted))
            count -= 1
            more = cursor.seek(wanted)
            continue
        if not min_idle_ms or now_ms - pending.delivered_ms >= min_idle_ms:
            consumer = active_consumer(server, client, key, group, arguments[3])
            group.assign(wanted, pending, consumer)
            pending.delivered_ms = now_ms
            if not just_ids:
                pending.deliveries += 1
            _add_claimed(claimed, value, wanted, just_ids)
            effects.claim(wanted, pending)
            count -= 1
        more = cursor.next()
    server.keyspace.dirty += effects.changes
    server.propagation.instead(effects.commands)
    client.reply.array(3)
    client.reply.bulk(id_text(cursor.entry_id() if more else SMALLEST_ID))
    claimed.append_to(client.reply)
    client.reply.bulk_array(gone)


def _autoclaim_options(arguments: list[bytes]) -> tuple[int, bool]:
    count = _DEFAULT_CLAIMS
    just_ids = False
    place = 6
    while place < len(arguments):
        word = option(arguments[place])
        if word == b"COUNT" and place + 1 < len(arguments):
            place += 1
            count = integer_in(arguments[place], 1, _MOST_CLAIMS, errors.COUNT_OPTION_NOT_POSITIVE)
        elif word == b"JUSTID":
            just_ids = True
        else:
            raise CommandError(errors.SYNTAX)
        place += 1
    return count, just_ids


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "xautoclaim",
        -6,
        xautoclaim,
        WRITE | FAST,
        group="stream",
        categories="stream",
        since="6.2.0",
        summary="Changes (or acquires) ownership of messages in a consumer group, as if the messages were delivered "
        "to the specified consumer.",
        complexity="O(1) if COUNT is small.",
        keys=(KeySpec("RW delete"),),
        tips=("nondeterministic_output",),
        history=(
            (
                "7.0.0",
                "Added an element to the reply array, containing deleted entries the command cleared from the PEL",
            ),
        ),
        arguments="key:key#0 group:string consumer:string min-idle-time:string start:string count:integer=COUNT? "
        "justid:pure-token=JUSTID?",
    ),
    Command(
        "xclaim",
        -6,
        xclaim,
        WRITE | FAST,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Changes (or acquires) ownership of a message in a consumer group, as if the message was delivered to "
        "the specified consumer.",
        complexity="O(log N) with N being the number of messages in the PEL of the consumer group.",
        keys=(KeySpec("RW update"),),
        tips=("nondeterministic_output",),
        arguments="key:key#0 group:string consumer:string min-idle-time:string id:string* ms:integer=IDLE? "
        "unix-time-milliseconds:unix-time=TIME? count:integer=RETRYCOUNT? force:pure-token=FORCE? "
        "justid:pure-token=JUSTID? id:string=LASTID?",
    ),
)
