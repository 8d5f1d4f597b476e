"""Commands about the connection itself. (Redis: group "connection".)"""

from typing import Final

from trivet_node.client import SUBSCRIBED, Client
from trivet_node.command import FAST, Command
from trivet_node.server import Server
from trivet_wire import errors
from trivet_wire.replies import RESP2


def ping(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PING [message]."""
    reply = client.reply
    if len(arguments) > 2:
        reply.error(errors.wrong_arity("ping"))
    elif client.flags & SUBSCRIBED and reply.protocol == RESP2:
        reply.bulk_array([b"pong", arguments[1] if len(arguments) == 2 else b""])
    elif len(arguments) == 2:
        reply.bulk(arguments[1])
    else:
        reply.simple(b"PONG")


def echo(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ECHO message."""
    client.reply.bulk(arguments[1])


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "ping",
        -1,
        ping,
        FAST,
        group="connection",
        categories="connection",
        since="1.0.0",
        summary="Ping the server",
        tips=("request_policy:all_shards", "response_policy:all_succeeded"),
    ),
    Command(
        "echo",
        2,
        echo,
        FAST,
        group="connection",
        categories="connection",
        since="1.0.0",
        summary="Echo the given string",
    ),
)
