"""Commands about the connection itself. (Redis: group "connection".)

The only user is `default`, whose password is the setting `requirepass`; without one everybody is that user. A client
that must still say the password carries the flag UNAUTHENTICATED, and its parser keeps the smaller limits.
"""

from hmac import compare_digest
from typing import Final

from trivet_node.client import (
    CLOSE_AFTER_REPLY,
    CLUSTER_READONLY,
    IN_TRANSACTION,
    PRIMARY,
    REPLICA,
    REPLY_OFF,
    REPLY_SKIP_NEXT,
    SUBSCRIBED,
    TRANSACTION_BROKEN,
    UNAUTHENTICATED,
    Client,
)
from trivet_node.command import ALLOW_BUSY, FAST, LOADING, NO_AUTH, NOSCRIPT, STALE, Command, CommandError
from trivet_node.commands.arguments import option
from trivet_node.server.state import Server
from trivet_node.settings.text import to_bytes
from trivet_node.values.strings import parse_integer
from trivet_wire import errors
from trivet_wire.replies import RESP2, RESP3
from trivet_wire.version import REDIS_VERSION

_FIRST_PRINTABLE: Final = 33
_LAST_PRINTABLE: Final = 126


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


def quit_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """QUIT."""
    client.reply.ok()
    client.flags |= CLOSE_AFTER_REPLY


def auth(server: Server, client: Client, arguments: list[bytes]) -> None:
    """AUTH [username] password."""
    if len(arguments) > 3:
        raise CommandError(errors.SYNTAX)
    if len(arguments) == 2 and not server.config.requirepass:
        raise CommandError(errors.NO_PASSWORD)
    user = b"default" if len(arguments) == 2 else arguments[1]
    _authenticate(server, client, user, arguments[-1])
    client.reply.ok()


def hello(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HELLO [protover [AUTH username password] [SETNAME clientname]]."""
    protocol = client.reply.protocol
    if len(arguments) > 1:
        protocol = _protocol_version(arguments[1])
    credentials: list[bytes] = []
    name: bytes | None = None
    position = 2
    while position < len(arguments):
        word = option(arguments[position])
        if word == b"AUTH" and position + 2 < len(arguments):
            credentials = arguments[position + 1 : position + 3]
            position += 3
        elif word == b"SETNAME" and position + 1 < len(arguments):
            name = arguments[position + 1]
            if not is_client_text(name):
                raise CommandError(errors.BAD_CLIENT_NAME)
            position += 2
        else:
            raise CommandError(b"ERR Syntax error in HELLO option '%s'" % arguments[position])
    if credentials:
        _authenticate(server, client, credentials[0], credentials[1])
    if client.flags & UNAUTHENTICATED:
        raise CommandError(errors.HELLO_WITHOUT_AUTH)
    if name is not None:
        client.name = name
    client.reply.protocol = protocol
    _introduce(server, client)


def reset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RESET."""
    if client.flags & (PRIMARY | REPLICA):
        raise CommandError(b"ERR can only reset normal client connections")
    server.pubsub.forget(client)
    server.unwatch_all(client)
    server.stop_tracking(client)
    server.stop_monitoring(client)
    client.queued.clear()
    client.flags &= ~(IN_TRANSACTION | TRANSACTION_BROKEN | SUBSCRIBED | CLUSTER_READONLY | REPLY_OFF | REPLY_SKIP_NEXT)
    client.database = server.keyspace.database(0)
    client.reply.protocol = RESP2
    client.name = b""
    server.demand_password(client)
    client.reply.unmute()
    client.reply.simple(b"RESET")


def is_client_text(text: bytes) -> bool:
    """Say whether `text` may be the name of a client or its library: printable ASCII without spaces."""
    return all(_FIRST_PRINTABLE <= byte <= _LAST_PRINTABLE for byte in text)


def set_client_name(client: Client, name: bytes) -> None:
    """Name a client; CommandError where it may not be called so."""
    if not is_client_text(name):
        raise CommandError(errors.BAD_CLIENT_NAME)
    client.name = name


def _authenticate(server: Server, client: Client, user: bytes, password: bytes) -> None:
    required = to_bytes(server.config.requirepass)
    if user != b"default" or (required and not compare_digest(password, required)):
        raise CommandError(errors.WRONG_PASSWORD)
    client.flags &= ~UNAUTHENTICATED
    client.parser.authenticated = True


def _protocol_version(text: bytes) -> int:
    version = parse_integer(text)
    if version is None:
        raise CommandError(errors.PROTOCOL_NOT_AN_INTEGER)
    if not RESP2 <= version <= RESP3:
        raise CommandError(errors.NO_PROTOCOL)
    return version


def _introduce(server: Server, client: Client) -> None:
    reply = client.reply
    config = server.config
    reply.map(7)
    for name, value in (
        (b"server", b"redis"),
        (b"version", REDIS_VERSION.encode()),
        (b"proto", int(reply.protocol)),
        (b"id", client.id),
        (b"mode", b"cluster" if config.cluster_enabled else b"standalone"),
        (b"role", b"master" if server.replication.upstream is None else b"replica"),
    ):
        reply.bulk(name)
        if isinstance(value, int):
            reply.integer(value)
        else:
            reply.bulk(value)
    reply.bulk(b"modules")
    reply.array(0)


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
        tips=(
            "request_policy:all_shards",
            "response_policy:all_succeeded",
        ),
        arguments="message:string?",
    ),
    Command(
        "echo",
        2,
        echo,
        LOADING | STALE | FAST,
        group="connection",
        categories="connection",
        since="1.0.0",
        summary="Echo the given string",
        arguments="message:string",
    ),
    Command(
        "quit",
        -1,
        quit_,
        NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        group="connection",
        categories="connection",
        since="1.0.0",
        summary="Close the connection",
    ),
    Command(
        "auth",
        -2,
        auth,
        NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        group="connection",
        categories="connection",
        since="1.0.0",
        summary="Authenticate to the server",
        complexity="O(N) where N is the number of passwords defined for the user",
        history=(("6.0.0", "Added ACL style (username and password)."),),
        arguments="username:string?@6.0.0 password:string",
    ),
    Command(
        "hello",
        -1,
        hello,
        NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        group="connection",
        categories="connection",
        since="6.0.0",
        summary="Handshake with Redis",
        history=(
            (
                "6.2.0",
                "`protover` made optional; when called without arguments the command reports the "
                "current connection's context.",
            ),
        ),
        arguments="arguments:block?(protover:integer username_password:block=AUTH?(username:string "
        "password:string) clientname:string=SETNAME?)",
    ),
    Command(
        "reset",
        1,
        reset,
        NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        group="connection",
        categories="connection",
        since="6.2.0",
        summary="Reset the connection",
    ),
)
