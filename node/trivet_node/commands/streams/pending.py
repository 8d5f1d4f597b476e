"""What is pending for whom in a consumer group, and what is no more. (Redis: group "stream".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.streams.arguments import (
    EntryReply,
    entry_id,
    group_of,
    interval_end,
    interval_start,
    read_stream,
)
from trivet_node.server.state import Server
from trivet_node.values.stream_groups import Group, Pending, PendingCursor
from trivet_node.values.stream_ids import id_text, signed
from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer


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
