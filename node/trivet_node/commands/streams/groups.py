"""Consumer groups: who there is, what is pending for whom, what passes from one to another. (Redis: group "stream".)

XCLAIM and XAUTOCLAIM depend on how long entries have waited: what is propagated is one XCLAIM for each entry that
changed, with its owner, time and count. That also tells of entries that are gone: claimed anew, they are forgotten.
Changes of groups do not break a WATCH on the key, as in Redis.
"""

from typing import Final, final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import (
    DENYOOM,
    FAST,
    LOADING,
    READONLY,
    STALE,
    WRITE,
    Command,
    CommandError,
    KeySpec,
    container,
)
from trivet_node.commands.arguments import INTEGER_MAX, integer, integer_in, option
from trivet_node.commands.streams.arguments import (
    EntryReply,
    add_entry,
    entry_id,
    entry_id_or_end,
    find_stream,
    group_of,
    interval_end,
    interval_start,
    read_stream,
)
from trivet_node.server.events import STREAM, notify
from trivet_node.server.state import Server
from trivet_node.values.stream_groups import UNKNOWN_READ, Consumer, Group, Pending, PendingCursor
from trivet_node.values.stream_ids import SMALLEST_ID, id_text, parse_id, signed
from trivet_node.values.streams import Stream
from trivet_node.values.strings import parse_integer
from trivet_wire import errors
from trivet_wire.help import reply_help
from trivet_wire.replies import ReplyBuffer

_NO_KEY: Final = (
    b"ERR The XGROUP subcommand requires the key to exist. "
    b"Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
)
_BUSY: Final = b"BUSYGROUP Consumer Group name already exists"
_BAD_ENTRIES_READ: Final = b"ERR value for ENTRIESREAD must be positive or -1"
_COUNT_TOO_HIGH: Final = b"ERR Insufficient memory, failed allocating transient memory, COUNT too high."
_NOT_GIVEN: Final = -1
_MOST_CREATE_ARGUMENTS: Final = 8
_DEFAULT_CLAIMS: Final = 100
# How many entries are looked at for each that may be claimed.
_ATTEMPTS: Final = 10
_ID_BYTES: Final = 16
_MOST_CLAIMS: Final = (2**63 - 1) // _ID_BYTES
# Redis has room for so many IDs on no machine.
_ADDRESSABLE_IDS: Final = 2**47 // _ID_BYTES
_HELP: Final = (
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
)


@final
class GroupEffects:
    """What one command does to one group, counted, and as commands that do the same elsewhere if anybody follows."""

    def __init__(self, server: Server, key: bytes, name: bytes, group: Group) -> None:
        self.changes: int = 0
        self.commands: list[list[bytes]] = []
        self._is_followed: bool = server.propagation.enabled
        self._key: bytes = key
        self._name: bytes = name
        self._group: Group = group

    def claim(self, wanted: int, pending: Pending, text: bytes = b"") -> None:
        """Add an XCLAIM that makes the entry with the ID `wanted`, or as a client put it, pending as it is here.

        (streamPropagateXCLAIM)
        """
        self.changes += 1
        if not self._is_followed:
            return
        time, count = b"%d" % pending.delivered_ms, b"%d" % signed(pending.deliveries)
        self.commands.append(
            [
                *(b"XCLAIM", self._key, self._name, pending.consumer, b"0", text or id_text(wanted), b"TIME", time),
                *(b"RETRYCOUNT", count, b"FORCE", b"JUSTID", b"LASTID", id_text(self._group.last_id)),
            ]
        )

    def move(self) -> None:
        """Add an XGROUP SETID: the group has read on. (streamPropagateGroupID)"""
        self.changes += 1
        group = self._group
        last_id, entries_read = id_text(group.last_id), b"%d" % group.entries_read
        self.commands.append([b"XGROUP", b"SETID", self._key, self._name, last_id, b"ENTRIESREAD", entries_read])

    def create(self, consumer: bytes) -> None:
        """Add an XGROUP CREATECONSUMER. (streamPropagateConsumerCreation)"""
        self.commands.append([b"XGROUP", b"CREATECONSUMER", self._key, self._name, consumer])


def active_consumer(server: Server, client: Client, key: bytes, group: Group, name: bytes) -> Consumer:
    """Return the consumer with that name, seen now and created where it was not there."""
    consumer = group.consumers.get(name)
    if consumer is None:
        return create_consumer(server, client, key, group, name)
    consumer.seen_ms = int(server.keyspace.now_ms)
    return consumer


def create_consumer(server: Server, client: Client, key: bytes, group: Group, name: bytes) -> Consumer:
    """Create a consumer that is not there yet."""
    consumer = group.add_consumer(name, int(server.keyspace.now_ms))
    server.keyspace.dirty += 1
    notify(server, STREAM, b"xgroup-createconsumer", key, client.database)
    return consumer


def xgroup_create(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XGROUP CREATE key group id|$ [MKSTREAM] [ENTRIESREAD entries-read]."""
    entries_read, creates = _group_options(arguments, True)
    key = arguments[2]
    stream = find_stream(client.database, key)
    if stream is None and not creates:
        raise CommandError(_NO_KEY)
    if len(arguments) > _MOST_CREATE_ARGUMENTS:
        raise CommandError(errors.subcommand_syntax("xgroup", arguments[1]))
    if errors.c_string(arguments[4]) == b"$":
        last_id = SMALLEST_ID if stream is None else stream.last_id()
    else:
        last_id = entry_id(arguments[4])
    if stream is None:
        stream = Stream()
        client.database.put(key, stream)
    elif arguments[3] in stream.groups:
        raise CommandError(_BUSY)
    else:
        server.keyspace.dirty += 1
    stream.groups[arguments[3]] = Group(last_id, entries_read)
    client.reply.ok()
    notify(server, STREAM, b"xgroup-create", key, client.database)


def xgroup_setid(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XGROUP SETID key group id|$ [ENTRIESREAD entries-read]."""
    entries_read, _ = _group_options(arguments, False)
    stream, group = _existing_group(client, arguments)
    if len(arguments) not in (5, 7):
        raise CommandError(errors.subcommand_syntax("xgroup", arguments[1]))
    if errors.c_string(arguments[4]) == b"$":
        group.last_id = stream.last_id()
    else:
        group.last_id = entry_id_or_end(arguments[4], 0)
    group.entries_read = entries_read
    client.reply.ok()
    server.keyspace.dirty += 1
    notify(server, STREAM, b"xgroup-setid", arguments[2], client.database)


def _group_options(arguments: list[bytes], creates: bool) -> tuple[int, bool]:
    """Return what ENTRIESREAD says, and whether MKSTREAM is there."""
    entries_read = UNKNOWN_READ
    makes_stream = False
    place = 5
    while place < len(arguments):
        word = option(arguments[place])
        if creates and word == b"MKSTREAM":
            makes_stream = True
        elif word == b"ENTRIESREAD" and place + 1 < len(arguments):
            place += 1
            entries_read = integer(arguments[place])
            if entries_read < 0 and entries_read != UNKNOWN_READ:
                raise CommandError(_BAD_ENTRIES_READ)
        else:
            raise CommandError(errors.subcommand_syntax("xgroup", arguments[1]))
        place += 1
    return entries_read, makes_stream


def _existing_group(client: Client, arguments: list[bytes]) -> tuple[Stream, Group]:
    """Return the stream and the group that a subcommand of XGROUP names."""
    stream = find_stream(client.database, arguments[2])
    if stream is None:
        raise CommandError(_NO_KEY)
    return stream, named_group(stream, arguments[2], arguments[3])


def named_group(stream: Stream, key: bytes, name: bytes) -> Group:
    """Return a group of a stream that is there."""
    group = stream.groups.get(name)
    if group is None:
        raise CommandError(
            b"NOGROUP No such consumer group '%s' for key name '%s'" % (errors.c_string(name), errors.c_string(key))
        )
    return group


def xgroup_destroy(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XGROUP DESTROY key group."""
    key = arguments[2]
    stream = find_stream(client.database, key)
    if stream is None:
        raise CommandError(_NO_KEY)
    if stream.groups.pop(arguments[3], None) is None:
        client.reply.integer(0)
        return
    client.reply.integer(1)
    server.keyspace.dirty += 1
    notify(server, STREAM, b"xgroup-destroy", key, client.database)
    # Who waits for entries of this group is told that it is gone.
    client.database.signal(key)


def xgroup_createconsumer(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XGROUP CREATECONSUMER key group consumer."""
    _, group = _existing_group(client, arguments)
    is_new = arguments[4] not in group.consumers
    if is_new:
        create_consumer(server, client, arguments[2], group, arguments[4])
    client.reply.integer(1 if is_new else 0)


def xgroup_delconsumer(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XGROUP DELCONSUMER key group consumer."""
    _, group = _existing_group(client, arguments)
    consumer = group.consumers.get(arguments[4])
    if consumer is None:
        client.reply.integer(0)
        return
    client.reply.integer(len(consumer.pending))
    group.remove_consumer(consumer)
    server.keyspace.dirty += 1
    notify(server, STREAM, b"xgroup-delconsumer", arguments[2], client.database)


def xgroup_help(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XGROUP HELP."""
    reply_help(client.reply, "XGROUP", _HELP)


def xack(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XACK key group id [id ...]."""
    stream = read_stream(client.database, arguments[1])
    group = None if stream is None else stream.groups.get(arguments[2])
    acknowledged = 0
    if group is not None:
        for wanted in [entry_id(text) for text in arguments[3:]]:
            pending = group.find(wanted)
            if pending is not None:
                group.drop(wanted, pending)
                acknowledged += 1
        server.keyspace.dirty += acknowledged
    client.reply.integer(acknowledged)


def xpending(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XPENDING key group [[IDLE min-idle-time] start end count [consumer]]."""
    if len(arguments) != 3 and not 6 <= len(arguments) <= 9:
        raise CommandError(errors.SYNTAX)
    if len(arguments) == 3:
        group = group_of(read_stream(client.database, arguments[1]), arguments[1], arguments[2])
        _reply_summary(client.reply, group)
        return
    place = 3
    min_idle_ms = 0
    if option(arguments[3]) == b"IDLE":
        min_idle_ms = integer(arguments[4])
        if len(arguments) < 8:
            raise CommandError(errors.SYNTAX)
        place = 5
    count = integer(arguments[place + 2])
    start = interval_start(arguments[place])
    end = interval_end(arguments[place + 1])
    group = group_of(read_stream(client.database, arguments[1]), arguments[1], arguments[2])
    entries = group.pending
    if place + 3 < len(arguments):
        consumer = group.consumers.get(arguments[place + 3])
        if consumer is None:
            client.reply.array(0)
            return
        entries = consumer.pending
    cursor = PendingCursor(entries)
    more = cursor.seek(start)
    found = EntryReply(client.reply.protocol)
    now_ms = int(server.keyspace.now_ms)
    while found.number < count and more and cursor.entry_id() <= end:
        pending = cursor.pending()
        idle_ms = now_ms - pending.delivered_ms
        if min_idle_ms == 0 or idle_ms >= min_idle_ms:
            _add_pending(found, cursor.entry_id(), pending, max(idle_ms, 0))
        more = cursor.next()
    found.append_to(client.reply)


def _add_pending(found: EntryReply, wanted: int, pending: Pending, idle_ms: int) -> None:
    found.number += 1
    reply = found.elements
    reply.array(4)
    reply.bulk(id_text(wanted))
    reply.bulk(pending.consumer)
    reply.integer(idle_ms)
    reply.integer(signed(pending.deliveries))


def _reply_summary(reply: ReplyBuffer, group: Group) -> None:
    reply.array(4)
    reply.integer(len(group.pending))
    if len(group.pending) == 0:
        reply.null()
        reply.null()
        reply.null_array()
        return
    reply.bulk(id_text(group.pending.first_key()))
    reply.bulk(id_text(group.pending.last_key()))
    waiting = [consumer for consumer in group.consumers_by_name() if len(consumer.pending) > 0]
    reply.array(len(waiting))
    for consumer in waiting:
        reply.bulk_array([consumer.name, b"%d" % len(consumer.pending)])


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
        "xack",
        -4,
        xack,
        WRITE | FAST,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Marks a pending message as correctly processed, effectively removing it from the pending entries "
        "list of the consumer group. Return value of the command is the number of messages successfully "
        "acknowledged, that is, the IDs we were actually able to resolve in the PEL.",
        complexity="O(1) for each message ID processed.",
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 group:string id:string*",
    ),
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
    Command(
        "xgroup",
        -2,
        container,
        0,
        group="stream",
        since="5.0.0",
        summary="A container for consumer groups commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "xgroup|create",
                -5,
                xgroup_create,
                WRITE | DENYOOM,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="Create a consumer group.",
                keys=(KeySpec("RW insert", begin=2),),
                history=(("7.0.0", "Added the `entries_read` named argument."),),
                arguments="key:key#0 groupname:string id:oneof(id:string new_id:pure-token=$) "
                "mkstream:pure-token=MKSTREAM? entries_read:integer=ENTRIESREAD?",
            ),
            Command(
                "xgroup|createconsumer",
                5,
                xgroup_createconsumer,
                WRITE | DENYOOM,
                group="stream",
                categories="stream",
                since="6.2.0",
                summary="Create a consumer in a consumer group.",
                keys=(KeySpec("RW insert", begin=2),),
                arguments="key:key#0 groupname:string consumername:string",
            ),
            Command(
                "xgroup|delconsumer",
                5,
                xgroup_delconsumer,
                WRITE,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="Delete a consumer from a consumer group.",
                keys=(KeySpec("RW delete", begin=2),),
                arguments="key:key#0 groupname:string consumername:string",
            ),
            Command(
                "xgroup|destroy",
                4,
                xgroup_destroy,
                WRITE,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="Destroy a consumer group.",
                complexity="O(N) where N is the number of entries in the group's pending entries list (PEL).",
                keys=(KeySpec("RW delete", begin=2),),
                arguments="key:key#0 groupname:string",
            ),
            Command(
                "xgroup|help",
                2,
                xgroup_help,
                LOADING | STALE,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "xgroup|setid",
                -5,
                xgroup_setid,
                WRITE,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="Set a consumer group to an arbitrary last delivered ID value.",
                keys=(KeySpec("RW update", begin=2),),
                history=(("7.0.0", "Added the optional `entries_read` argument."),),
                arguments="key:key#0 groupname:string id:oneof(id:string new_id:pure-token=$) "
                "entries_read:integer=ENTRIESREAD?",
            ),
        ),
    ),
    Command(
        "xpending",
        -3,
        xpending,
        READONLY,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Return information and entries from a stream consumer group pending entries list, that are messages "
        "fetched but never acknowledged.",
        complexity="O(N) with N being the number of elements returned, so asking for a small fixed number of entries "
        "per call is O(1). O(M), where M is the total number of entries scanned when used with the IDLE "
        "filter. When the command returns just the summary and the list of consumers is small, it runs in "
        "O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        history=(("6.2.0", "Added the `IDLE` option and exclusive range intervals."),),
        arguments="key:key#0 group:string filters:block?(min-idle-time:integer=IDLE?@6.2.0 start:string end:string "
        "count:integer consumer:string?)",
    ),
)
