"""XREAD and XREADGROUP: entries behind an ID, for whoever asks or for the consumers of a group, now or when they come.

Who reads for a group changes it: `>` means what the group has not been given yet, and each such entry becomes pending
for its consumer. That is propagated as one XCLAIM for each entry, or as XGROUP SETID where nothing becomes pending. An
ID instead means what is pending for the consumer, which changes times and counts only and is not propagated.
(Redis: t_stream.c xreadCommand, blocked.c serveClientsBlockedOnStreamKey.)
"""

from typing import Final, final

from trivet_node.blocking import KeyWait
from trivet_node.client import Client
from trivet_node.command import BLOCKING, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import integer, option, timeout_deadline_ms
from trivet_node.commands.streams.arguments import EntryReply, add_entry, entry_id, read_stream
from trivet_node.commands.streams.groups import GroupEffects, active_consumer
from trivet_node.server.state import Server
from trivet_node.server.waiting import may_block
from trivet_node.values.stream_groups import UNKNOWN_READ, Consumer, Group, PendingCursor
from trivet_node.values.stream_ids import LARGEST_ID, SMALLEST_ID, id_text, signed
from trivet_node.values.streams import EntryWalk, Stream
from trivet_wire import errors
from trivet_wire.replies import RESP2, ReplyBuffer

# What `>` is kept as. The largest ID means the same, as in Redis.
_NEW_ENTRIES: Final = LARGEST_ID
# How many entries a client that has waited gets at most where it gave no COUNT.
_COUNT_AFTER_WAIT: Final = 1000

_UNBALANCED: Final = b"ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."
_GROUP_IN_XREAD: Final = b"ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead."
_NOACK_IN_XREAD: Final = b"ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."
_NO_GROUP_OPTION: Final = b"ERR Missing GROUP option for XREADGROUP"
_DOLLAR_IN_GROUP: Final = (
    b"ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by "
    b"specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set."
)
_NEW_WITHOUT_GROUP: Final = (
    b"ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."
)
_GROUP_IS_GONE: Final = b"NOGROUP the consumer group this client was blocked on no longer exists"
_BLOCK_IN_SCRIPT: Final = b"ERR %s command is not allowed with BLOCK option from scripts"
_KEY_IS_GONE: Final = b"UNBLOCKED the stream key no longer exists"


@final
class _Request:
    """The arguments of XREAD or XREADGROUP.

    There are as many `texts` as `keys`, and as many IDs that they turn out to mean, `after`.
    """

    def __init__(self, server: Server, arguments: list[bytes], for_group: bool) -> None:
        self.for_group: bool = for_group
        self.waits: bool = False
        self.deadline_ms: int = 0
        self.count: int = 0
        self.group: bytes = b""
        self.consumer: bytes = b""
        self.acknowledges: bool = False
        self.keys: list[bytes] = []
        self.texts: list[bytes] = []
        self.after: list[int] = []
        self._has_group: bool = False
        place = 1
        while place < len(arguments) and not self.keys:
            place = self._read_option(server, arguments, place)
        if not self.keys:
            raise CommandError(errors.SYNTAX)
        if for_group and not self._has_group:
            raise CommandError(_NO_GROUP_OPTION)

    def _read_option(self, server: Server, arguments: list[bytes], place: int) -> int:
        """Read the option at `place` and return where the next one stands."""
        word = option(arguments[place])
        left = len(arguments) - place - 1
        if word == b"BLOCK" and left:
            if server.programs.is_running():
                raise CommandError(_BLOCK_IN_SCRIPT % arguments[0])
            self.deadline_ms = timeout_deadline_ms(server, arguments[place + 1])
            self.waits = True
        elif word == b"COUNT" and left:
            self.count = max(integer(arguments[place + 1]), 0)
        elif word == b"STREAMS" and left:
            if left % 2 == 1:
                raise CommandError(_UNBALANCED)
            middle = place + 1 + left // 2
            self.keys = arguments[place + 1 : middle]
            self.texts = arguments[middle:]
        elif word == b"GROUP" and left >= 2:
            if not self.for_group:
                raise CommandError(_GROUP_IN_XREAD)
            self.group, self.consumer = arguments[place + 1 : place + 3]
            self._has_group = True
            return place + 3
        elif word == b"NOACK":
            if not self.for_group:
                raise CommandError(_NOACK_IN_XREAD)
            self.acknowledges = True
            return place + 1
        else:
            raise CommandError(errors.SYNTAX)
        return place + 2


@final
class _Answer:
    """The reply: for each stream that has something its name and its entries."""

    def __init__(self, reply: ReplyBuffer) -> None:
        self.streams: int = 0
        self._reply: ReplyBuffer = reply
        self._body: ReplyBuffer = ReplyBuffer()
        self._body.protocol = reply.protocol

    def add(self, key: bytes, entries: EntryReply) -> None:
        """Add the entries of one stream."""
        self.streams += 1
        if self._body.protocol == RESP2:
            self._body.array(2)
        self._body.bulk(key)
        entries.append_to(self._body)

    def finish(self) -> None:
        """Append the reply."""
        if self._reply.protocol == RESP2:
            self._reply.array(self.streams)
        else:
            self._reply.map(self.streams)
        for part in self._body.take_parts():
            self._reply.raw(part)


@final
class _Delivery:
    """Gives `entries` of one stream to one consumer of a group; `commands` do the same elsewhere."""

    def __init__(self, server: Server, client: Client, key: bytes, stream: Stream, request: _Request) -> None:
        self.entries: EntryReply = EntryReply(client.reply.protocol)
        self._stream: Stream = stream
        self._group: Group = stream.groups[request.group]
        self._acknowledges: bool = request.acknowledges
        self._now_ms: int = int(server.keyspace.now_ms)
        self._effects: GroupEffects = GroupEffects(server, key, request.group, self._group)
        self.commands: list[list[bytes]] = self._effects.commands
        is_known = request.consumer in self._group.consumers
        self._consumer: Consumer = active_consumer(server, client, key, self._group, request.consumer)
        if self._acknowledges and not is_known:
            self._effects.create(request.consumer)

    def give_new(self, walk: EntryWalk, more: bool, count: int) -> None:
        """Give the consumer what the group has not been given, at most `count` entries unless it is 0.

        `walk` stands at the first of them, where there are any `more`.
        """
        group = self._group
        moves = more
        while more:
            wanted = walk.entry_id()
            self._move_to(wanted)
            self.entries.add(walk.node)
            if not self._acknowledges:
                # It may be pending already: XGROUP SETID can send a group back.
                pending = group.assign(wanted, group.find(wanted), self._consumer)
                pending.delivered_ms = self._now_ms
                pending.deliveries = 1
                self._effects.claim(wanted, pending)
            more = (count == 0 or self.entries.number < count) and walk.next()
        if self._acknowledges and moves:
            self._effects.move()

    def give_pending(self, start: int, count: int) -> None:
        """Give the consumer once more what is pending for it from `start` on, at most `count` unless it is 0."""
        entries = self.entries
        cursor = PendingCursor(self._consumer.pending)
        more = cursor.seek(start)
        while more and (count == 0 or entries.number < count):
            wanted = cursor.entry_id()
            if add_entry(entries, self._stream, wanted):
                pending = cursor.pending()
                pending.delivered_ms = self._now_ms
                pending.deliveries += 1
            else:
                # It was deleted, and nobody has acknowledged it.
                entries.number += 1
                entries.elements.array(2)
                entries.elements.bulk(id_text(wanted))
                entries.elements.null_array()
            more = cursor.next()

    def _move_to(self, wanted: int) -> None:
        """Let the group have been given the entry with the ID `wanted`."""
        group = self._group
        stream = self._stream
        if group.entries_read != UNKNOWN_READ and not stream.has_deleted_behind(wanted):
            group.entries_read = signed(group.entries_read + 1)
        elif stream.entries_added:
            group.entries_read = stream.entries_until(wanted)
        group.last_id = wanted


def xread(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id|$ [id|$ ...]."""
    request = _Request(server, arguments, False)
    for key, text in zip(request.keys, request.texts, strict=True):
        stream = read_stream(client.database, key)
        word = errors.c_string(text)
        if word == b"$":
            request.after.append(SMALLEST_ID if stream is None else stream.last_id())
        elif word == b">":
            raise CommandError(_NEW_WITHOUT_GROUP)
        else:
            request.after.append(entry_id(text))
    answer = _Answer(client.reply)
    for key, last_read in zip(request.keys, request.after, strict=True):
        stream = read_stream(client.database, key)
        entries = None if stream is None else _entries_behind(client, stream, last_read, request.count)
        if entries is not None and entries.number > 0:
            answer.add(key, entries)
    _finish(server, client, answer, request)


def xreadgroup(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XREADGROUP GROUP group consumer [COUNT count] [BLOCK ms] [NOACK] STREAMS key [key ...] id|> [id|> ...]."""
    request = _Request(server, arguments, True)
    for key, text in zip(request.keys, request.texts, strict=True):
        stream = read_stream(client.database, key)
        if stream is None or request.group not in stream.groups:
            raise CommandError(
                b"NOGROUP No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option"
                % (errors.c_string(key), errors.c_string(request.group))
            )
        word = errors.c_string(text)
        if word == b"$":
            raise CommandError(_DOLLAR_IN_GROUP)
        request.after.append(_NEW_ENTRIES if word == b">" else entry_id(text))
    answer = _Answer(client.reply)
    commands: list[list[bytes]] = []
    for key, last_read in zip(request.keys, request.after, strict=True):
        # Looked up once more, as Redis does: that counts as another hit.
        stream = read_stream(client.database, key)
        if stream is None:
            continue
        if last_read == _NEW_ENTRIES:
            walk = _walk_behind(stream, stream.groups[request.group].last_id)
            if not walk.next():
                continue
            delivery = _Delivery(server, client, key, stream, request)
            delivery.give_new(walk, True, request.count)
        else:
            delivery = _Delivery(server, client, key, stream, request)
            delivery.give_pending(last_read + 1, request.count)
        answer.add(key, delivery.entries)
        commands += delivery.commands
        server.keyspace.dirty += 1
    server.propagation.instead(commands)
    _finish(server, client, answer, request)


def _walk_behind(stream: Stream, last_read: int) -> EntryWalk:
    """Return a walk through the entries with larger IDs; it ends at once behind the largest of all."""
    return EntryWalk(stream, last_read + 1, LARGEST_ID, backwards=False)


def _entries_behind(client: Client, stream: Stream, last_read: int, count: int) -> EntryReply:
    entries = EntryReply(client.reply.protocol)
    if last_read < stream.last_id():
        walk = _walk_behind(stream, last_read)
        while (count == 0 or entries.number < count) and walk.next():
            entries.add(walk.node)
    return entries


def _finish(server: Server, client: Client, answer: _Answer, request: _Request) -> None:
    """Answer with what was found, wait where nothing was, or say that there is nothing."""
    if answer.streams:
        answer.finish()
    elif request.waits and may_block(server):
        server.blocking.block_on_keys(_StreamWait(client, request))
    else:
        client.reply.null_array()


@final
class _StreamWait(KeyWait):
    """Waits for entries behind an ID in each stream, or for those that a group has not been given."""

    def __init__(self, client: Client, request: _Request) -> None:
        super().__init__(client, request.deadline_ms, client.database, request.keys)
        self.ends_with_key = request.for_group
        self._request: _Request = request
        # The last ID read of each stream, and the last that it had when the wait began.
        self._after: dict[bytes, int] = {}
        self._had: dict[bytes, int] = {}
        for key, last_read in zip(request.keys, request.after, strict=True):
            # A key that is named twice waits for what its first mention says.
            self._after.setdefault(key, last_read)
            value = self.database.find(key)
            self._had[key] = value.last_id() if isinstance(value, Stream) else SMALLEST_ID

    def time_out(self) -> None:
        """Append the reply for a wait that was in vain."""
        self.client.reply.null_array()

    def serve(self, server: Server, key: bytes, value: object) -> bool:
        """Answer with the entries of one stream, or with why there will be none."""
        request = self._request
        if not isinstance(value, Stream):
            return request.for_group and self._refuse(_KEY_IS_GONE)
        last_read = self._after[key]
        if request.for_group:
            group = value.groups.get(request.group)
            if group is None:
                return self._refuse(_GROUP_IS_GONE)
            last_read = group.last_id
        if not self._is_due(key, value, last_read):
            return False
        count = request.count or _COUNT_AFTER_WAIT
        answer = _Answer(self.client.reply)
        if request.for_group:
            walk = _walk_behind(value, last_read)
            delivery = _Delivery(server, self.client, key, value, request)
            delivery.give_new(walk, walk.next(), count)
            answer.add(key, delivery.entries)
            server.propagation.instead(delivery.commands)
        else:
            answer.add(key, _entries_behind(self.client, value, last_read, count))
        answer.finish()
        return True

    def _refuse(self, error: bytes) -> bool:
        self.client.reply.error(error)
        return True

    def _is_due(self, key: bytes, stream: Stream, last_read: int) -> bool:
        """Say whether an entry has come: even where it is gone again, Redis answers, with none.

        A stream may have had a larger last ID than what was read all the time, its entries deleted: other changes of
        it than an addition, which alone moves the last ID, are no reason to answer.
        """
        last_id = stream.last_id()
        return last_id > last_read and (last_id != self._had[key] or _walk_behind(stream, last_read).next())


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "xread",
        -4,
        xread,
        READONLY | BLOCKING,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Return never seen elements in multiple streams, with IDs greater than the ones reported by the "
        "caller for each stream. Can block.",
        complexity="For each stream mentioned: O(N) with N being the number of elements being returned, it means that "
        "XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK option is used, XADD will pay O(M) "
        "time in order to serve the M clients blocked on the stream getting new data.",
        keys=(KeySpec("RO access", keyword="STREAMS", last=-1, limit=2),),
        arguments="count:integer=COUNT? milliseconds:integer=BLOCK? streams:block=STREAMS(key:key#0* id:string*)",
    ),
    Command(
        "xreadgroup",
        -7,
        xreadgroup,
        WRITE | BLOCKING,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Return new entries from a stream using a consumer group, or access the history of the pending "
        "entries for a given consumer. Can block.",
        complexity="For each stream mentioned: O(M) with M being the number of elements returned. If M is constant "
        "(e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). On the other "
        "side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N clients blocked "
        "on the stream getting new data.",
        keys=(KeySpec("RO access", keyword="STREAMS", begin=4, last=-1, limit=2),),
        arguments="group_consumer:block=GROUP(group:string consumer:string) count:integer=COUNT? "
        "milliseconds:integer=BLOCK? noack:pure-token=NOACK? streams:block=STREAMS(key:key#0* id:string*)",
    ),
)
