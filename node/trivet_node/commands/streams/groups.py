"""Consumer groups: who there is, and how what happens to a group is propagated. (Redis: group "stream".)

Changes of groups do not break a WATCH on the key, as in Redis.
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import (
    DENYOOM,
    LOADING,
    STALE,
    WRITE,
    Command,
    CommandError,
    KeySpec,
    container,
)
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.streams.arguments import entry_id, entry_id_or_end, find_stream
from trivet_node.server.events import STREAM, notify
from trivet_node.server.state import Server
from trivet_node.values.stream_groups import UNKNOWN_READ, Consumer, Group, Pending
from trivet_node.values.stream_ids import SMALLEST_ID, id_text, signed
from trivet_node.values.streams import Stream
from trivet_wire import errors
from trivet_wire.help import reply_help

_NO_KEY: Final = (
    b"ERR The XGROUP subcommand requires the key to exist. "
    b"Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically."
)
_BUSY: Final = b"BUSYGROUP Consumer Group name already exists"
_BAD_ENTRIES_READ: Final = b"ERR value for ENTRIESREAD must be positive or -1"
_MOST_CREATE_ARGUMENTS: Final = 8
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


COMMANDS: Final[tuple[Command, ...]] = (
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
)
