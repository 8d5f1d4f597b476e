"""XINFO: what a stream, its groups and their consumers look like. (Redis: group "stream".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import LOADING, READONLY, STALE, Command, CommandError, KeySpec, container
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.streams.arguments import EntryReply, read_stream, reply_range
from trivet_node.commands.streams.groups import named_group
from trivet_node.server.state import Server
from trivet_node.values.id_map import IdMap
from trivet_node.values.stream_groups import UNKNOWN_READ, Consumer, Group, PendingCursor
from trivet_node.values.stream_ids import LARGEST_ID, SMALLEST_ID, id_text, signed
from trivet_node.values.streams import EntryWalk, Stream
from trivet_wire import errors
from trivet_wire.help import reply_help
from trivet_wire.replies import ReplyBuffer

_DEFAULT_COUNT: Final = 10
_HELP: Final = (
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
)


def xinfo_help(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XINFO HELP."""
    reply_help(client.reply, "XINFO", _HELP)


def _stream_asked_for(client: Client, arguments: list[bytes]) -> Stream:
    stream = read_stream(client.database, arguments[2])
    if stream is None:
        raise CommandError(errors.NO_SUCH_KEY)
    return stream


def xinfo_consumers(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XINFO CONSUMERS key group."""
    group = named_group(_stream_asked_for(client, arguments), arguments[2], arguments[3])
    reply = client.reply
    consumers = group.consumers_by_name()
    reply.array(len(consumers))
    for consumer in consumers:
        reply.map(3)
        _bulk_field(reply, b"name", consumer.name)
        _integer_field(reply, b"pending", len(consumer.pending))
        _integer_field(reply, b"idle", max(int(server.keyspace.now_ms) - consumer.seen_ms, 0))


def xinfo_groups(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XINFO GROUPS key."""
    stream = _stream_asked_for(client, arguments)
    reply = client.reply
    groups = stream.groups_by_name()
    reply.array(len(groups))
    for name, group in groups:
        reply.map(6)
        _bulk_field(reply, b"name", name)
        _integer_field(reply, b"consumers", len(group.consumers))
        _integer_field(reply, b"pending", len(group.pending))
        _bulk_field(reply, b"last-delivered-id", id_text(group.last_id))
        _reply_progress(reply, stream, group)


def xinfo_stream(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XINFO STREAM key [FULL [COUNT count]]."""
    stream = _stream_asked_for(client, arguments)
    reply = client.reply
    if len(arguments) == 3:
        reply.map(10)
        _reply_facts(reply, stream)
        _integer_field(reply, b"groups", len(stream.groups))
        _reply_edge(reply, b"first-entry", stream, False)
        _reply_edge(reply, b"last-entry", stream, True)
        return
    count = _full_count(arguments)
    reply.map(9)
    _reply_facts(reply, stream)
    reply.bulk(b"entries")
    reply_range(reply, stream, SMALLEST_ID, LARGEST_ID, count, backwards=False)
    reply.bulk(b"groups")
    groups = stream.groups_by_name()
    reply.array(len(groups))
    for name, group in groups:
        _reply_group(reply, stream, name, group, count)


def _full_count(arguments: list[bytes]) -> int:
    """Return how many entries FULL shows of everything; 0: all."""
    is_full = option(arguments[3]) == b"FULL"
    if len(arguments) == 4 and is_full:
        return _DEFAULT_COUNT
    if len(arguments) != 6 or not is_full or option(arguments[4]) != b"COUNT":
        raise CommandError(errors.subcommand_syntax("xinfo", arguments[1]))
    count = integer(arguments[5])
    return _DEFAULT_COUNT if count < 0 else count


def _reply_facts(reply: ReplyBuffer, stream: Stream) -> None:
    _integer_field(reply, b"length", stream.length)
    _integer_field(reply, b"radix-tree-keys", stream.node_count())
    _integer_field(reply, b"radix-tree-nodes", stream.radix_node_count())
    _bulk_field(reply, b"last-generated-id", id_text(stream.last_id()))
    _bulk_field(reply, b"max-deleted-entry-id", id_text(stream.max_deleted_id))
    _integer_field(reply, b"entries-added", signed(stream.entries_added))
    _bulk_field(reply, b"recorded-first-entry-id", id_text(stream.first_id))


def _reply_edge(reply: ReplyBuffer, name: bytes, stream: Stream, is_last: bool) -> None:
    """Append the first or the last entry, or null."""
    reply.bulk(name)
    walk = EntryWalk(stream, SMALLEST_ID, LARGEST_ID, backwards=is_last)
    if not walk.next():
        reply.null()
        return
    entry = EntryReply(reply.protocol)
    entry.add(walk.node)
    reply.raw(entry.elements.take())


def _reply_progress(reply: ReplyBuffer, stream: Stream, group: Group) -> None:
    reply.bulk(b"entries-read")
    if group.entries_read == UNKNOWN_READ:
        reply.null()
    else:
        reply.integer(group.entries_read)
    reply.bulk(b"lag")
    lag = stream.lag_of(group)
    if lag is None:
        reply.null()
    else:
        reply.integer(lag)


def _reply_group(reply: ReplyBuffer, stream: Stream, name: bytes, group: Group, count: int) -> None:
    reply.map(7)
    _bulk_field(reply, b"name", name)
    _bulk_field(reply, b"last-delivered-id", id_text(group.last_id))
    _reply_progress(reply, stream, group)
    _integer_field(reply, b"pel-count", len(group.pending))
    reply.bulk(b"pending")
    _reply_pending(reply, group.pending, count, True)
    reply.bulk(b"consumers")
    consumers = group.consumers_by_name()
    reply.array(len(consumers))
    for consumer in consumers:
        _reply_consumer(reply, consumer, count)


def _reply_consumer(reply: ReplyBuffer, consumer: Consumer, count: int) -> None:
    reply.map(4)
    _bulk_field(reply, b"name", consumer.name)
    _integer_field(reply, b"seen-time", consumer.seen_ms)
    _integer_field(reply, b"pel-count", len(consumer.pending))
    reply.bulk(b"pending")
    _reply_pending(reply, consumer.pending, count, False)


def _reply_pending(reply: ReplyBuffer, entries: IdMap, count: int, names_consumer: bool) -> None:
    shown = len(entries) if count == 0 else min(count, len(entries))
    reply.array(shown)
    cursor = PendingCursor(entries)
    more = cursor.seek_first()
    while shown > 0 and more:
        pending = cursor.pending()
        reply.array(4 if names_consumer else 3)
        reply.bulk(id_text(cursor.entry_id()))
        if names_consumer:
            reply.bulk(pending.consumer)
        reply.integer(pending.delivered_ms)
        reply.integer(signed(pending.deliveries))
        shown -= 1
        more = cursor.next()


def _bulk_field(reply: ReplyBuffer, name: bytes, value: bytes) -> None:
    reply.bulk(name)
    reply.bulk(value)


def _integer_field(reply: ReplyBuffer, name: bytes, value: int) -> None:
    reply.bulk(name)
    reply.integer(value)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "xinfo",
        -2,
        container,
        0,
        group="stream",
        since="5.0.0",
        summary="A container for stream introspection commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "xinfo|consumers",
                4,
                xinfo_consumers,
                READONLY,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="List the consumers in a consumer group",
                keys=(KeySpec("RO access", begin=2),),
                tips=("nondeterministic_output",),
                arguments="key:key#0 groupname:string",
            ),
            Command(
                "xinfo|groups",
                3,
                xinfo_groups,
                READONLY,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="List the consumer groups of a stream",
                keys=(KeySpec("RO access", begin=2),),
                history=(("7.0.0", "Added the `entries-read` and `lag` fields"),),
                arguments="key:key#0",
            ),
            Command(
                "xinfo|help",
                2,
                xinfo_help,
                LOADING | STALE,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "xinfo|stream",
                -3,
                xinfo_stream,
                READONLY,
                group="stream",
                categories="stream",
                since="5.0.0",
                summary="Get information about a stream",
                keys=(KeySpec("RO access", begin=2),),
                history=(
                    ("6.0.0", "Added the `FULL` modifier."),
                    (
                        "7.0.0",
                        "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, "
                        "`entries-read` and `lag` fields",
                    ),
                ),
                arguments="key:key#0 full:block=FULL?(count:integer=COUNT?)",
            ),
        ),
    ),
)
