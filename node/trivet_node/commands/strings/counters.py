"""Strings that are numbers: INCR and its relatives. (Redis: group "string".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, INTEGER_MIN, integer
from trivet_node.server.events import STRING, notify
from trivet_node.server.state import Server
from trivet_node.values import long_double
from trivet_node.values.strings import string_bytes, string_integer
from trivet_wire import errors


def incr(server: Server, client: Client, arguments: list[bytes]) -> None:
    """INCR key."""
    _add(server, client, arguments[1], 1)


def decr(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DECR key."""
    _add(server, client, arguments[1], -1)


def incrby(server: Server, client: Client, arguments: list[bytes]) -> None:
    """INCRBY key increment."""
    _add(server, client, arguments[1], integer(arguments[2]))


def decrby(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DECRBY key decrement."""
    decrement = integer(arguments[2])
    if decrement == INTEGER_MIN:
        raise CommandError(b"ERR decrement would overflow")
    _add(server, client, arguments[1], -decrement)


def _add(server: Server, client: Client, key: bytes, increment: int) -> None:
    database = client.database
    value = database.find(key)
    if value is None:
        database.put(key, increment)
        notify(server, STRING, b"incrby", key, database)
        client.reply.integer(increment)
        return
    number = value if isinstance(value, int) else _spelled_integer(value)
    number += increment
    if number > INTEGER_MAX or number < INTEGER_MIN:
        raise CommandError(errors.OVERFLOW)
    database.replace(key, number)
    notify(server, STRING, b"incrby", key, database)
    client.reply.integer(number)


def _spelled_integer(value: object) -> int:
    """Return the number that a value not stored as an int spells nevertheless."""
    number = string_integer(value)
    if number is not None:
        return number
    raise CommandError(errors.WRONG_TYPE if string_bytes(value) is None else errors.NOT_AN_INTEGER)


def incrbyfloat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """INCRBYFLOAT key increment. The result is propagated, so that every machine stores the same digits."""
    database = client.database
    key = arguments[1]
    number = _float_value(database.find(key))
    increment = long_double.parse(arguments[2])
    if number is None or increment is None:
        raise CommandError(errors.NOT_A_FLOAT)
    total = long_double.add(number, increment)
    if total is None:
        raise CommandError(errors.NOT_FINITE)
    text = long_double.format_fixed(total)
    # Redis never stores this result as an integer.
    database.replace(key, text)
    notify(server, STRING, b"incrbyfloat", key, database)
    client.reply.bulk(text)
    server.propagation.instead([[b"SET", key, text, b"KEEPTTL"]])


def _float_value(value: object) -> long_double.LongDouble | None:
    """Return the number under a key, zero where there is none, or None where the string is no number."""
    if value is None:
        return long_double.from_integer(0)
    if isinstance(value, int):
        return long_double.from_integer(value)
    text = string_bytes(value)
    if text is None:
        raise CommandError(errors.WRONG_TYPE)
    return long_double.parse(text)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "incr",
        2,
        incr,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Increment the integer value of a key by one",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0",
    ),
    Command(
        "decr",
        2,
        decr,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Decrement the integer value of a key by one",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0",
    ),
    Command(
        "incrby",
        3,
        incrby,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Increment the integer value of a key by the given amount",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 increment:integer",
    ),
    Command(
        "decrby",
        3,
        decrby,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Decrement the integer value of a key by the given number",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 decrement:integer",
    ),
    Command(
        "incrbyfloat",
        3,
        incrbyfloat,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="2.6.0",
        summary="Increment the float value of a key by the given amount",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 increment:double",
    ),
)
