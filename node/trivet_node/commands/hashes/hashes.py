"""Hashes by their fields: HSET, HGET and their relatives. (Redis: group "hash"; t_hash.c.)"""

from typing import Final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, INTEGER_MIN, integer
from trivet_node.commands.element_changes import finish_change, finish_removal
from trivet_node.commands.hashes.lookup import as_expiring, find_hash, find_to_overwrite, read_all, read_fields
from trivet_node.server.events import HASH, notify
from trivet_node.server.state import Server
from trivet_node.values import long_double
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_node.values.strings import parse_integer
from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer


def hset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HSET key field value [field value ...]."""
    client.reply.integer(_set_fields(server, client, arguments, "hset"))


def hmset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HMSET key field value [field value ...]."""
    _set_fields(server, client, arguments, "hmset")
    client.reply.ok()


def _set_fields(server: Server, client: Client, arguments: list[bytes], command: str) -> int:
    """Set all fields and return how many of them are new."""
    count: i64 = len(arguments)
    if count & 1 != 0:
        raise CommandError(errors.wrong_arity(command))
    key = arguments[1]
    known = find_to_overwrite(client.database, arguments, 2)
    hashed = Hash() if known is None else known
    hashed.make_room(arguments, 2, server.limits)
    created: i64 = 0
    index: i64 = 2
    while index < count:
        if hashed.put(arguments[index], arguments[index + 1], server.limits):
            created += 1
        index += 2
    finish_change(client.database, key, hashed, known is None, (count - 2) >> 1)
    notify(server, HASH, b"hset", key, client.database)
    return int(created)


def hsetnx(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HSETNX key field value."""
    known = find_hash(client.database, arguments)
    if known is not None and known.has(arguments[2]):
        client.reply.integer(0)
        return
    _set_one(server, client, arguments, known, arguments[3])
    notify(server, HASH, b"hset", arguments[1], client.database)
    client.reply.integer(1)


def _set_one(server: Server, client: Client, arguments: list[bytes], known: Hash | None, value: bytes) -> None:
    """Set the field arguments[2] of the hash under arguments[1], which is made where it is not known."""
    hashed = Hash() if known is None else known
    hashed.put(arguments[2], value, server.limits)
    finish_change(client.database, arguments[1], hashed, known is None, 1)


def hincrby(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HINCRBY key field increment."""
    number = integer(arguments[3])
    known = find_hash(client.database, arguments)
    text = None if known is None else known.get(arguments[2])
    if text is not None:
        value = parse_integer(text)
        if value is None:
            raise CommandError(b"ERR hash value is not an integer")
        number += value
        if number > INTEGER_MAX or number < INTEGER_MIN:
            raise CommandError(errors.OVERFLOW)
    _set_one(server, client, arguments, known, b"%d" % number)
    notify(server, HASH, b"hincrby", arguments[1], client.database)
    client.reply.integer(number)


def hincrbyfloat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HINCRBYFLOAT key field increment. The result is propagated, so that every machine stores the same digits."""
    total: long_double.LongDouble | None = long_double.parse(arguments[3])
    if total is None:
        raise CommandError(errors.NOT_A_FLOAT)
    if total.infinite:
        raise CommandError(b"ERR value is NaN or Infinity")
    known = find_hash(client.database, arguments)
    old = None if known is None else known.get(arguments[2])
    if old is not None:
        number = long_double.parse(old)
        if number is None:
            raise CommandError(b"ERR hash value is not a float")
        total = long_double.add(number, total)
        if total is None:
            raise CommandError(errors.NOT_FINITE)
    text = long_double.format_fixed(total)
    _set_one(server, client, arguments, known, text)
    notify(server, HASH, b"hincrbyfloat", arguments[1], client.database)
    client.reply.bulk(text)
    _propagate_value(server, client, arguments, text)


def _propagate_value(server: Server, client: Client, arguments: list[bytes], text: bytes) -> None:
    """Propagate the value of the field arguments[2] that keeps its deadline, by HSET where it has none: Redis 7.0 knows
    nothing else.
    """
    hashed = client.database.find(arguments[1])
    if isinstance(hashed, ExpiringHash) and hashed.deadlines.get(arguments[2]) != NO_DEADLINE:
        server.propagation.instead([[b"HSETEX", arguments[1], b"KEEPTTL", b"FIELDS", b"1", arguments[2], text]])
    else:
        server.propagation.instead([[b"HSET", arguments[1], arguments[2], text]])


def hdel(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HDEL key field [field ...]."""
    key = arguments[1]
    hashed = find_to_overwrite(client.database, arguments, 1)
    removed: i64 = 0
    if hashed is not None:
        for field in arguments[2:]:
            if hashed.remove(field):
                removed += 1
        if removed != 0:
            notify(server, HASH, b"hdel", key, client.database)
            finish_removal(server, client.database, key, hashed.is_empty(), removed)
    client.reply.integer(int(removed))


def hget(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HGET key field."""
    _reply_value(client.reply, read_fields(client.database, arguments), arguments[2])


def hmget(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HMGET key field [field ...]."""
    hashed = read_fields(client.database, arguments)
    client.reply.array(len(arguments) - 2)
    for field in arguments[2:]:
        _reply_value(client.reply, hashed, field)


def _reply_value(reply: ReplyBuffer, hashed: Hash | None, field: bytes) -> None:
    value = None if hashed is None else hashed.get(field)
    if value is None:
        reply.null()
    else:
        reply.bulk(value)


def hexists(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HEXISTS key field."""
    hashed = read_fields(client.database, arguments)
    client.reply.integer(1 if hashed is not None and hashed.has(arguments[2]) else 0)


def hstrlen(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HSTRLEN key field."""
    hashed = read_fields(client.database, arguments)
    value = None if hashed is None else hashed.get(arguments[2])
    client.reply.integer(0 if value is None else len(value))


def hlen(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HLEN key. Fields past their deadlines count until they are deleted, as in Redis."""
    value = client.database.read(arguments[1])
    if value is None:
        client.reply.integer(0)
    else:
        client.reply.integer(len(value) if isinstance(value, Hash) else len(as_expiring(value)))


def hgetall(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HGETALL key."""
    hashed, hidden = read_all(client.database, arguments[1])
    pairs: list[bytes] = [] if hashed is None else hashed.pairs(hidden)
    client.reply.map(len(pairs) >> 1)
    for text in pairs:
        client.reply.bulk(text)


def hkeys(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HKEYS key."""
    hashed, hidden = read_all(client.database, arguments[1])
    client.reply.bulk_array([] if hashed is None else hashed.fields(hidden))


def hvals(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HVALS key."""
    hashed, hidden = read_all(client.database, arguments[1])
    client.reply.bulk_array([] if hashed is None else hashed.values(hidden))


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "hset",
        -4,
        hset,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Set the string value of a hash field",
        complexity="O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is "
        "called with multiple field/value pairs.",
        keys=(KeySpec("RW update"),),
        history=(("4.0.0", "Accepts multiple `field` and `value` arguments."),),
        arguments="key:key#0 field_value:block*(field:string value:string)",
    ),
    Command(
        "hmset",
        -4,
        hmset,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Set multiple hash fields to multiple values",
        complexity="O(N) where N is the number of fields being set.",
        keys=(KeySpec("RW update"),),
        deprecated_since="4.0.0",
        replaced_by="`HSET` with multiple field-value pairs",
        arguments="key:key#0 field_value:block*(field:string value:string)",
    ),
    Command(
        "hsetnx",
        4,
        hsetnx,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Set the value of a hash field, only if the field does not exist",
        keys=(KeySpec("RW insert"),),
        arguments="key:key#0 field:string value:string",
    ),
    Command(
        "hincrby",
        4,
        hincrby,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Increment the integer value of a hash field by the given number",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 field:string increment:integer",
    ),
    Command(
        "hincrbyfloat",
        4,
        hincrbyfloat,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="2.6.0",
        summary="Increment the float value of a hash field by the given amount",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 field:string increment:double",
    ),
    Command(
        "hdel",
        -3,
        hdel,
        WRITE | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Delete one or more hash fields",
        complexity="O(N) where N is the number of fields to be removed.",
        keys=(KeySpec("RW delete"),),
        history=(("2.4.0", "Accepts multiple `field` arguments."),),
        arguments="key:key#0 field:string*",
    ),
    Command(
        "hget",
        3,
        hget,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Get the value of a hash field",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 field:string",
    ),
    Command(
        "hmget",
        -3,
        hmget,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Get the values of all the given hash fields",
        complexity="O(N) where N is the number of fields being requested.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 field:string*",
    ),
    Command(
        "hexists",
        3,
        hexists,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Determine if a hash field exists",
        keys=(KeySpec("RO"),),
        arguments="key:key#0 field:string",
    ),
    Command(
        "hstrlen",
        3,
        hstrlen,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="3.2.0",
        summary="Get the length of the value of a hash field",
        keys=(KeySpec("RO"),),
        arguments="key:key#0 field:string",
    ),
    Command(
        "hlen",
        2,
        hlen,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Get the number of fields in a hash",
        keys=(KeySpec("RO"),),
        arguments="key:key#0",
    ),
    Command(
        "hgetall",
        2,
        hgetall,
        READONLY,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Get all the fields and values in a hash",
        complexity="O(N) where N is the size of the hash.",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output_order",),
        arguments="key:key#0",
    ),
    Command(
        "hkeys",
        2,
        hkeys,
        READONLY,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Get all the fields in a hash",
        complexity="O(N) where N is the size of the hash.",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output_order",),
        arguments="key:key#0",
    ),
    Command(
        "hvals",
        2,
        hvals,
        READONLY,
        group="hash",
        categories="hash",
        since="2.0.0",
        summary="Get all the values in a hash",
        complexity="O(N) where N is the size of the hash.",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output_order",),
        arguments="key:key#0",
    ),
)
