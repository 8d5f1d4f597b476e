"""Intersections, unions and differences of sets, replied or stored. (Redis: group "set"; t_set.c.)

A missing key counts as an empty set. A result to be stored comes about member by member in the order in which Redis
forms it, so that it takes the same encoding.
"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer_in, option
from trivet_node.commands.sets.sets import read_set, reply_members
from trivet_node.keyspace import Database
from trivet_node.server.events import GENERIC, SET, notify
from trivet_node.server.state import Server
from trivet_node.values.sets import Set, from_members
from trivet_wire import errors

_UNLIMITED: Final = 0


def sinter(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SINTER key [key ...]."""
    reply_members(client, _common(_read_sets(client.database, arguments[1:]), _UNLIMITED))


def sinterstore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SINTERSTORE destination key [key ...]."""
    members = _common(_read_sets(client.database, arguments[2:]), _UNLIMITED)
    result = from_members(members, server.limits.set_max_intset_entries)
    _store(server, client, arguments[1], result, b"sinterstore")


def sintercard(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SINTERCARD numkeys key [key ...] [LIMIT limit]."""
    count = integer_in(arguments[1], 1, INTEGER_MAX, errors.NUMKEYS_NOT_POSITIVE)
    if count > len(arguments) - 2:
        raise CommandError(b"ERR Number of keys can't be greater than number of args")
    limit = _UNLIMITED
    for position in range(2 + count, len(arguments), 2):
        if option(arguments[position]) != b"LIMIT" or position + 1 == len(arguments):
            raise CommandError(errors.SYNTAX)
        limit = integer_in(arguments[position + 1], 0, INTEGER_MAX, errors.LIMIT_NEGATIVE)
    client.reply.integer(len(_common(_read_sets(client.database, arguments[2 : 2 + count]), limit)))


def sunion(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SUNION key [key ...]."""
    reply_members(client, _union(server, client.database, arguments[1:]).members())


def sunionstore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SUNIONSTORE destination key [key ...]."""
    _store(server, client, arguments[1], _union(server, client.database, arguments[2:]), b"sunionstore")


def sdiff(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SDIFF key [key ...]."""
    reply_members(client, _difference(server, client.database, arguments[1:]).members())


def sdiffstore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SDIFFSTORE destination key [key ...]."""
    _store(server, client, arguments[1], _difference(server, client.database, arguments[2:]), b"sdiffstore")


def _read_sets(database: Database, keys: list[bytes]) -> list[Set | None]:
    return [read_set(database, key) for key in keys]


def _store(server: Server, client: Client, key: bytes, result: Set, event: bytes) -> None:
    """Store a result in place of what is under `key`; an empty one deletes that."""
    if not result.is_empty():
        client.database.put(key, result)
        notify(server, SET, event, key, client.database)
    elif client.database.delete_even_expired(key):
        notify(server, GENERIC, b"del", key, client.database)
    client.reply.integer(len(result))


def _common(sets: list[Set | None], limit: int) -> list[bytes]:
    """Return the members that all sets have, at most `limit` of them unless that is _UNLIMITED."""
    present = [members for members in sets if members is not None]
    if len(present) != len(sets):
        return []
    present.sort(key=len)
    smallest = present[0]
    others = [members for members in present[1:] if members is not smallest]
    found: list[bytes] = []
    for member in smallest.members():
        if _is_in_all(member, others):
            found.append(member)
            if len(found) == limit:
                break
    return found


def _is_in_all(member: bytes, sets: list[Set]) -> bool:
    return all(members.has(member) for members in sets)


def _union(server: Server, database: Database, keys: list[bytes]) -> Set:
    limit = server.limits.set_max_intset_entries
    result = Set()
    for members in _read_sets(database, keys):
        if members is not None:
            for member in members.members():
                result.add(member, limit)
    return result


def _difference(server: Server, database: Database, keys: list[bytes]) -> Set:
    """Return the members of the first set that no other has.

    Looking every one up in all others costs their number for each. Taking all others out of a copy costs their sizes;
    what the copy holds before that decides its encoding.
    """
    first, *rest = _read_sets(database, keys)
    limit = server.limits.set_max_intset_entries
    if first is None:
        return Set()
    others = [members for members in rest if members is not None]
    size = len(first)
    if size * (len(others) + 1) // 2 <= size + sum([len(members) for members in others]):
        return from_members([member for member in first.members() if not _is_in_any(member, others)], limit)
    result = from_members(first.members(), limit)
    for members in others:
        for member in members.members():
            result.remove(member)
    return result


def _is_in_any(member: bytes, sets: list[Set]) -> bool:
    return any(members.has(member) for members in sets)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "sinter",
        -2,
        sinter,
        READONLY,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Intersect multiple sets",
        complexity="O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        keys=(KeySpec("RO access", last=-1),),
        tips=("nondeterministic_output_order",),
        arguments="key:key#0*",
    ),
    Command(
        "sinterstore",
        -3,
        sinterstore,
        WRITE | DENYOOM,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Intersect multiple sets and store the resulting set in a key",
        complexity="O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        keys=(
            KeySpec("RW update"),
            KeySpec("RO access", begin=2, last=-1),
        ),
        arguments="destination:key#0 key:key#1*",
    ),
    Command(
        "sintercard",
        -3,
        sintercard,
        READONLY,
        group="set",
        categories="set",
        since="7.0.0",
        summary="Intersect multiple sets and return the cardinality of the result",
        complexity="O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.",
        keys=(KeySpec("RO access", keynum=0, first=1),),
        arguments="numkeys:integer key:key#0* limit:integer=LIMIT?",
    ),
    Command(
        "sunion",
        -2,
        sunion,
        READONLY,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Add multiple sets",
        complexity="O(N) where N is the total number of elements in all given sets.",
        keys=(KeySpec("RO access", last=-1),),
        tips=("nondeterministic_output_order",),
        arguments="key:key#0*",
    ),
    Command(
        "sunionstore",
        -3,
        sunionstore,
        WRITE | DENYOOM,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Add multiple sets and store the resulting set in a key",
        complexity="O(N) where N is the total number of elements in all given sets.",
        keys=(
            KeySpec("OW update"),
            KeySpec("RO access", begin=2, last=-1),
        ),
        arguments="destination:key#0 key:key#1*",
    ),
    Command(
        "sdiff",
        -2,
        sdiff,
        READONLY,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Subtract multiple sets",
        complexity="O(N) where N is the total number of elements in all given sets.",
        keys=(KeySpec("RO access", last=-1),),
        tips=("nondeterministic_output_order",),
        arguments="key:key#0*",
    ),
    Command(
        "sdiffstore",
        -3,
        sdiffstore,
        WRITE | DENYOOM,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Subtract multiple sets and store the resulting set in a key",
        complexity="O(N) where N is the total number of elements in all given sets.",
        keys=(
            KeySpec("OW update"),
            KeySpec("RO access", begin=2, last=-1),
        ),
        arguments="destination:key#0 key:key#1*",
    ),
)
