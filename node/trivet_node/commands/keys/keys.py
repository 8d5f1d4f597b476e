"""Keys of any type: delete, rename, copy, look at. (Redis: group "generic".)"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import database_at, demand_several_databases, option, small_integer
from trivet_node.keyspace import Database
from trivet_node.server.events import GENERIC, notify
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.types import copy_value, type_name
from trivet_wire import errors


def delete(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEL key [key ...]."""
    database = client.database
    count = 0
    for key in arguments[1:]:
        if database.delete(key):
            notify(server, GENERIC, b"del", key, database)
            count += 1
    client.reply.integer(count)


def unlink(server: Server, client: Client, arguments: list[bytes]) -> None:
    """UNLINK key [key ...]. A string is given back at once, so this is DEL by another name."""
    delete(server, client, arguments)


def exists(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EXISTS key [key ...]."""
    database = client.database
    count = 0
    for key in arguments[1:]:
        if database.glance(key) is not None:
            count += 1
    client.reply.integer(count)


def touch(server: Server, client: Client, arguments: list[bytes]) -> None:
    """TOUCH key [key ...]."""
    database = client.database
    count = 0
    for key in arguments[1:]:
        if database.read(key) is not None:
            count += 1
    client.reply.integer(count)


def type_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """TYPE key."""
    value = client.database.glance(arguments[1])
    client.reply.simple(b"none" if value is None else type_name(value))


def rename(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RENAME key newkey."""
    _rename(server, client, arguments, True)
    client.reply.ok()


def renamenx(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RENAMENX key newkey."""
    client.reply.integer(1 if _rename(server, client, arguments, False) else 0)


def _rename(server: Server, client: Client, arguments: list[bytes], overwrites: bool) -> bool:
    """Rename a key and say whether that was done."""
    database = client.database
    value = database.find(arguments[1])
    if value is None:
        raise CommandError(errors.NO_SUCH_KEY)
    if arguments[1] == arguments[2] or (not overwrites and database.find(arguments[2]) is not None):
        return False
    deadline = database.deadline(arguments[1])
    database.delete(arguments[1])
    _store(database, arguments[2], value, deadline)
    notify(server, GENERIC, b"rename_from", arguments[1], database)
    notify(server, GENERIC, b"rename_to", arguments[2], database)
    return True


def _store(database: Database, key: bytes, value: object, deadline: int) -> None:
    """Store a value that another key had. What is there goes first: as in Redis the key counts as new."""
    database.delete(key)
    database.put(key, value)
    if deadline != NO_DEADLINE:
        database.set_deadline(key, deadline)


@final
class CopyOptions:
    """DB destination-db and REPLACE."""

    def __init__(self, server: Server, client: Client, arguments: list[bytes]) -> None:
        self.database: Database = client.database
        self.replace: bool = False
        position = 3
        while position < len(arguments):
            word = option(arguments[position])
            if word == b"REPLACE":
                self.replace = True
            elif word == b"DB" and position + 1 < len(arguments):
                position += 1
                self.database = _copy_target(server, arguments[position])
            else:
                raise CommandError(errors.SYNTAX)
            position += 1


def _copy_target(server: Server, text: bytes) -> Database:
    if 0 < small_integer(text) < server.config.databases:
        demand_several_databases(server, b"ERR Copying to another database is not allowed in cluster mode")
    return database_at(server, text)


def copy(server: Server, client: Client, arguments: list[bytes]) -> None:
    """COPY source destination [DB destination-db] [REPLACE]."""
    options = CopyOptions(server, client, arguments)
    source = client.database
    target = options.database
    if source is target and arguments[1] == arguments[2]:
        raise CommandError(errors.SAME_OBJECT)
    value = source.read(arguments[1])
    if value is None or (target.find(arguments[2]) is not None and not options.replace):
        client.reply.integer(0)
        return
    _store(target, arguments[2], copy_value(value), source.deadline(arguments[1]))
    notify(server, GENERIC, b"copy_to", arguments[2], target)
    client.reply.integer(1)


def move(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MOVE key db."""
    demand_several_databases(server, b"ERR MOVE is not allowed in cluster mode")
    source = client.database
    target = database_at(server, arguments[2])
    if source is target:
        raise CommandError(errors.SAME_OBJECT)
    key = arguments[1]
    value = source.find(key)
    if value is None or target.find(key) is not None:
        client.reply.integer(0)
        return
    _store(target, key, value, source.deadline(key))
    source.delete(key)
    notify(server, GENERIC, b"move_from", key, source)
    notify(server, GENERIC, b"move_to", key, target)
    client.reply.integer(1)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "del",
        -2,
        delete,
        WRITE,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Delete a key",
        complexity=(
            "O(N) where N is the number of keys that will be removed. When a key to remove holds a value other "
            "than a string, the individual complexity for this key is O(M) where M is the number of elements in "
            "the list, set, sorted set or hash. Removing a single key that holds a string value is O(1)."
        ),
        keys=(KeySpec("RM delete", last=-1),),
        tips=(
            "request_policy:multi_shard",
            "response_policy:agg_sum",
        ),
        arguments="key:key#0*",
    ),
    Command(
        "unlink",
        -2,
        unlink,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="4.0.0",
        summary="Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non blocking.",
        complexity=(
            "O(1) for each key removed regardless of its size. Then the command does O(N) work in a different "
            "thread in order to reclaim memory, where N is the number of allocations the deleted objects where "
            "composed of."
        ),
        keys=(KeySpec("RM delete", last=-1),),
        tips=(
            "request_policy:multi_shard",
            "response_policy:agg_sum",
        ),
        arguments="key:key#0*",
    ),
    Command(
        "exists",
        -2,
        exists,
        READONLY | FAST,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Determine if a key exists",
        complexity="O(N) where N is the number of keys to check.",
        keys=(KeySpec("RO", last=-1),),
        tips=(
            "request_policy:multi_shard",
            "response_policy:agg_sum",
        ),
        history=(("3.0.3", "Accepts multiple `key` arguments."),),
        arguments="key:key#0*",
    ),
    Command(
        "touch",
        -2,
        touch,
        READONLY | FAST,
        group="generic",
        categories="keyspace",
        since="3.2.1",
        summary="Alters the last access time of a key(s). Returns the number of existing keys specified.",
        complexity="O(N) where N is the number of keys that will be touched.",
        keys=(KeySpec("RO", last=-1),),
        tips=(
            "request_policy:multi_shard",
            "response_policy:agg_sum",
        ),
        arguments="key:key#0*",
    ),
    Command(
        "type",
        2,
        type_,
        READONLY | FAST,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Determine the type stored at key",
        keys=(KeySpec("RO"),),
        arguments="key:key#0",
    ),
    Command(
        "rename",
        3,
        rename,
        WRITE,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Rename a key",
        keys=(
            KeySpec("RW access delete"),
            KeySpec("OW update", begin=2),
        ),
        arguments="key:key#0 newkey:key#1",
    ),
    Command(
        "renamenx",
        3,
        renamenx,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Rename a key, only if the new key does not exist",
        keys=(
            KeySpec("RW access delete"),
            KeySpec("OW insert", begin=2),
        ),
        history=(("3.2.0", "The command no longer returns an error when source and destination names are the same."),),
        arguments="key:key#0 newkey:key#1",
    ),
    Command(
        "copy",
        -3,
        copy,
        WRITE | DENYOOM,
        group="generic",
        categories="keyspace",
        since="6.2.0",
        summary="Copy a key",
        complexity="O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
        keys=(
            KeySpec("RO access"),
            KeySpec("OW update", begin=2),
        ),
        arguments="source:key#0 destination:key#1 destination-db:integer=DB? replace:pure-token=REPLACE?",
        difference="With `cluster-databases` above 1, DB is allowed in cluster mode, as in Valkey 9.",
    ),
    Command(
        "move",
        3,
        move,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Move a key to another database",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 db:integer",
        difference="With `cluster-databases` above 1 it is allowed in cluster mode, as in Valkey 9.",
    ),
)
