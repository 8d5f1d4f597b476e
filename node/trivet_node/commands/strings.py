"""Strings. (Redis: group "string".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, KeySpec
from trivet_node.server import Server
from trivet_node.values.strings import encode_string, string_bytes
from trivet_wire import errors


def get(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GET key."""
    value = client.database.read(arguments[1])
    if value is None:
        client.reply.null()
        return
    text = string_bytes(value)
    if text is None:
        client.reply.error(errors.WRONG_TYPE)
    else:
        client.reply.bulk(text)


def set_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SET key value."""
    client.database.put(arguments[1], encode_string(arguments[2]))
    client.reply.ok()


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "get",
        2,
        get,
        READONLY | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Get the value of a key",
        keys=(KeySpec("RO access"),),
    ),
    Command(
        "set",
        -3,
        set_,
        WRITE | DENYOOM,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Set the string value of a key",
        keys=(KeySpec("RW access update variable_flags"),),
    ),
)
