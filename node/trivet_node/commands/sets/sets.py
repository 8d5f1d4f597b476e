"""Sets by their members: SADD, SISMEMBER and their relatives. (Redis: group "set"; t_set.c.)

Draws by chance are in set_draws.py, unions, intersections and differences in set_algebra.py.
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.element_changes import finish_change, finish_removal
from trivet_node.commands.keys.scanning import ScanOptions, reply_scan, scan_buckets, scan_cursor
from trivet_node.keyspace import Database
from trivet_node.server.events import SET, notify
from trivet_node.server.state import Server
from trivet_node.values.sets import Set
from trivet_wire import errors


def find_set(database: Database, key: bytes) -> Set | None:
    """Return the set under `key` as a writing command sees it, or None where there is none."""
    return _as_set(database.find(key))


def read_set(database: Database, key: bytes) -> Set | None:
    """Return the set under `key` as a reading command sees it, or None where there is none."""
    return _as_set(database.read(key))


def _as_set(value: object) -> Set | None:
    if value is None or isinstance(value, Set):
        return value
    raise CommandError(errors.WRONG_TYPE)


def reply_members(client: Client, members: list[bytes]) -> None:
    """Append a set of these members: in RESP2 an array."""
    client.reply.set(len(members))
    for member in members:
        client.reply.bulk(member)


def sadd(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SADD key member [member ...]."""
    key = arguments[1]
    known = find_set(client.database, key)
    members = Set() if known is None else known
    limit = server.limits.set_max_intset_entries
    count: i64 = len(arguments)
    added: i64 = 0
    index: i64 = 2
    while index < count:
        if members.add(arguments[index], limit):
            added += 1
        index += 1
    if added != 0:
        finish_change(client.database, key, members, known is None, added)
        notify(server, SET, b"sadd", key, client.database)
    client.reply.integer(int(added))


def srem(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SREM key member [member ...]."""
    key = arguments[1]
    members = find_set(client.database, key)
    removed: i64 = 0
    if members is not None:
        for member in arguments[2:]:
            if members.remove(member):
                removed += 1
        if removed != 0:
            notify(server, SET, b"srem", key, client.database)
            finish_removal(server, client.database, key, members.is_empty(), removed)
    client.reply.integer(int(removed))


def smove(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SMOVE source destination member."""
    value = client.database.find(arguments[1])
    if value is None:
        client.reply.integer(0)
        return
    source = _as_set(value)
    destination = find_set(client.database, arguments[2])
    assert source is not None
    if source is destination:
        client.reply.integer(1 if source.has(arguments[3]) else 0)
    elif source.remove(arguments[3]):
        _finish_move(server, client.database, arguments, source, destination)
        client.reply.integer(1)
    else:
        client.reply.integer(0)


def _finish_move(
    server: Server, database: Database, arguments: list[bytes], source: Set, destination: Set | None
) -> None:
    """Put a member that was taken out of the source into the destination."""
    notify(server, SET, b"srem", arguments[1], database)
    finish_removal(server, database, arguments[1], source.is_empty(), 1)
    members = Set() if destination is None else destination
    if members.add(arguments[3], server.limits.set_max_intset_entries):
        finish_change(database, arguments[2], members, destination is None, 1)
        notify(server, SET, b"sadd", arguments[2], database)


def scard(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCARD key."""
    members = read_set(client.database, arguments[1])
    client.reply.integer(0 if members is None else len(members))


def sismember(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SISMEMBER key member."""
    members = read_set(client.database, arguments[1])
    client.reply.integer(1 if members is not None and members.has(arguments[2]) else 0)


def smismember(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SMISMEMBER key member [member ...]."""
    members = read_set(client.database, arguments[1])
    client.reply.array(len(arguments) - 2)
    for member in arguments[2:]:
        client.reply.integer(1 if members is not None and members.has(member) else 0)


def smembers(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SMEMBERS key."""
    members = read_set(client.database, arguments[1])
    reply_members(client, [] if members is None else members.members())


def sscan(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SSCAN key cursor [MATCH pattern] [COUNT count]."""
    cursor = scan_cursor(arguments[2])
    members = read_set(client.database, arguments[1])
    if members is None:
        reply_scan(client, 0, [])
        return
    options = ScanOptions(arguments, 3)
    looked_at: list[bytes] = []
    if members.buckets is not None:
        cursor = scan_buckets(members.buckets, cursor, options, looked_at)
    else:
        cursor = 0
        looked_at = members.members()
    reply_scan(client, cursor, [member for member in looked_at if options.matches(member)])


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "sadd",
        -3,
        sadd,
        WRITE | DENYOOM | FAST,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Add one or more members to a set",
        complexity="O(1) for each element added, so O(N) to add N elements when the command is called with multiple "
        "arguments.",
        keys=(KeySpec("RW insert"),),
        history=(("2.4.0", "Accepts multiple `member` arguments."),),
        arguments="key:key#0 member:string*",
    ),
    Command(
        "srem",
        -3,
        srem,
        WRITE | FAST,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Remove one or more members from a set",
        complexity="O(N) where N is the number of members to be removed.",
        keys=(KeySpec("RW delete"),),
        history=(("2.4.0", "Accepts multiple `member` arguments."),),
        arguments="key:key#0 member:string*",
    ),
    Command(
        "smove",
        4,
        smove,
        WRITE | FAST,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Move a member from one set to another",
        keys=(
            KeySpec("RW access delete"),
            KeySpec("RW insert", begin=2),
        ),
        arguments="source:key#0 destination:key#1 member:string",
    ),
    Command(
        "scard",
        2,
        scard,
        READONLY | FAST,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Get the number of members in a set",
        keys=(KeySpec("RO"),),
        arguments="key:key#0",
    ),
    Command(
        "sismember",
        3,
        sismember,
        READONLY | FAST,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Determine if a given value is a member of a set",
        keys=(KeySpec("RO"),),
        arguments="key:key#0 member:string",
    ),
    Command(
        "smismember",
        -3,
        smismember,
        READONLY | FAST,
        group="set",
        categories="set",
        since="6.2.0",
        summary="Returns the membership associated with the given elements for a set",
        complexity="O(N) where N is the number of elements being checked for membership",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 member:string*",
    ),
    Command(
        "smembers",
        2,
        smembers,
        READONLY,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Get all the members in a set",
        complexity="O(N) where N is the set cardinality.",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output_order",),
        arguments="key:key#0",
    ),
    Command(
        "sscan",
        -3,
        sscan,
        READONLY,
        group="set",
        categories="set",
        since="2.8.0",
        summary="Incrementally iterate Set elements",
        complexity="O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor "
        "to return back to 0. N is the number of elements inside the collection..",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments="key:key#0 cursor:integer pattern:pattern=MATCH? count:integer=COUNT?",
    ),
)
