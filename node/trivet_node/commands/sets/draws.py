"""Members of a set by chance: SPOP, SRANDMEMBER. (Redis: group "set"; t_set.c.)

Every member has the same chance, at a cost that does not grow with the set. What SPOP took is propagated as SREM.
"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer_in
from trivet_node.commands.element_changes import finish_removal
from trivet_node.commands.sets.sets import find_set, read_set, reply_members
from trivet_node.server.events import SET, notify
from trivet_node.server.state import Server
from trivet_node.values.sets import Set, from_members
from trivet_wire import errors

# Where not more than this part of a set stays, what stays is drawn instead of what goes, and becomes a new set.
_STAYING_PART: Final = 5


def spop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SPOP key [count]."""
    if len(arguments) > 2:
        _pop_some(server, client, arguments)
        return
    key = arguments[1]
    members = find_set(client.database, key)
    if members is None:
        client.reply.null()
        return
    member = members.random_member(server.random)
    members.remove(member)
    client.reply.bulk(member)
    notify(server, SET, b"spop", key, client.database)
    finish_removal(server, client.database, key, members.is_empty(), 1)
    if server.propagation.enabled:
        server.propagation.instead([[b"SREM", key, member]])


def _pop_some(server: Server, client: Client, arguments: list[bytes]) -> None:
    if len(arguments) > 3:
        raise CommandError(errors.SYNTAX)
    count = integer_in(arguments[2], 0, INTEGER_MAX, errors.NOT_POSITIVE)
    key = arguments[1]
    members = find_set(client.database, key)
    if members is None or count == 0:
        reply_members(client, [])
        return
    notify(server, SET, b"spop", key, client.database)
    if count >= len(members):
        popped = _pop_all(client, key, members)
        finish_removal(server, client.database, key, True, len(popped))
        effects = [[b"DEL", key]]
    else:
        popped = _pop_part(server, client, key, members, count)
        effects = [[b"SREM", key, member] for member in popped] if server.propagation.enabled else []
    reply_members(client, popped)
    server.propagation.instead(effects)


def _pop_all(client: Client, key: bytes, members: Set) -> list[bytes]:
    """Return all members of a set that is to be deleted. Redis reads them as SUNION does, which counts as a hit."""
    client.database.read(key)
    return members.members()


def _pop_part(server: Server, client: Client, key: bytes, members: Set, count: int) -> list[bytes]:
    """Take `count` of the members, which are more than that."""
    staying = len(members) - count
    popped: list[bytes]
    if staying * _STAYING_PART > count:
        popped = members.random_members(count, server.random)
        for member in popped:
            members.remove(member)
        client.database.modified(key, count)
        return popped
    # As in Redis the new set may be an intset, even where the old one was not.
    rest = from_members(members.random_members(staying, server.random), server.limits.set_max_intset_entries)
    popped = [member for member in members.members() if not rest.has(member)]
    client.database.replace(key, rest)
    client.database.keyspace.dirty += count - 1
    return popped


def srandmember(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SRANDMEMBER key [count]. A negative count may draw the same member again."""
    if len(arguments) > 3:
        raise CommandError(errors.SYNTAX)
    count = integer_in(arguments[2], -INTEGER_MAX, INTEGER_MAX) if len(arguments) == 3 else 0
    members = read_set(client.database, arguments[1])
    if len(arguments) == 2:
        if members is None:
            client.reply.null()
        else:
            client.reply.bulk(members.random_member(server.random))
    elif members is None:
        client.reply.array(0)
    elif count < 0:
        client.reply.array(-count)
        for _ in range(-count):
            client.reply.bulk(members.random_member(server.random))
    else:
        client.reply.bulk_array(members.random_members(count, server.random))


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "spop",
        -2,
        spop,
        WRITE | FAST,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Remove and return one or multiple random members from a set",
        complexity="Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
        keys=(KeySpec("RW access delete"),),
        tips=("nondeterministic_output",),
        history=(("3.2.0", "Added the `count` argument."),),
        arguments="key:key#0 count:integer?@3.2.0",
    ),
    Command(
        "srandmember",
        -2,
        srandmember,
        READONLY,
        group="set",
        categories="set",
        since="1.0.0",
        summary="Get one or multiple random members from a set",
        complexity="Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        history=(("2.6.0", "Added the optional `count` argument."),),
        arguments="key:key#0 count:integer?@2.6.0",
    ),
)
