"""Commands about the connection and the process: PING, HELLO, AUTH, CLIENT, QUIT, RESET, SHUTDOWN."""

from hmac import compare_digest
from typing import Final

from trivet_sentinel.sessions import Client, Command, Server, container, text
from trivet_wire import errors
from trivet_wire.replies import RESP2, RESP3
from trivet_wire.version import REDIS_VERSION


def _ping(_server: Server, client: Client, arguments: list[bytes]) -> None:
    if len(arguments) > 2:
        client.out.error(errors.wrong_arity("ping"))
    elif client.subscriptions and client.out.protocol == RESP2:
        client.out.bulk_array([b"pong", arguments[1] if len(arguments) == 2 else b""])
    elif len(arguments) == 2:
        client.out.bulk(arguments[1])
    else:
        client.out.simple(b"PONG")


def _log_in(server: Server, client: Client, user: bytes, password: bytes) -> bool:
    """Check a password and say whether it was right."""
    if user == b"default" and (not server.password or compare_digest(password, server.password.encode())):
        client.is_authenticated = True
        return True
    client.out.error(errors.WRONG_PASSWORD)
    return False


def _auth(server: Server, client: Client, arguments: list[bytes]) -> None:
    if len(arguments) > 3:
        client.out.error(errors.SYNTAX)
    elif len(arguments) == 2 and not server.password:
        client.out.error(errors.NO_PASSWORD)
    else:
        user = arguments[1] if len(arguments) == 3 else b"default"
        if _log_in(server, client, user, arguments[-1]):
            client.out.ok()


def _hello(server: Server, client: Client, arguments: list[bytes]) -> None:
    protocol = client.out.protocol
    if len(arguments) > 1:
        if not arguments[1].isdigit():
            client.out.error(errors.PROTOCOL_NOT_AN_INTEGER)
            return
        protocol = int(arguments[1])
        if protocol not in (RESP2, RESP3):
            client.out.error(errors.NO_PROTOCOL)
            return
    name = _hello_options(server, client, arguments[2:])
    if name is None:
        return
    if not client.is_authenticated:
        client.out.error(errors.HELLO_WITHOUT_AUTH)
        return
    client.name = name
    client.out.protocol = protocol
    _greet(client)


def _hello_options(server: Server, client: Client, options: list[bytes]) -> bytes | None:
    """Obey AUTH and SETNAME; return the client's name, or None where an error was replied."""
    name = client.name
    while options:
        word = options[0].lower()
        if word == b"auth" and len(options) >= 3:
            if not _log_in(server, client, options[1], options[2]):
                return None
            options = options[3:]
        elif word == b"setname" and len(options) >= 2:
            if not _is_valid_name(options[1]):
                client.out.error(errors.BAD_CLIENT_NAME)
                return None
            name, options = options[1], options[2:]
        else:
            client.out.error(f"ERR Syntax error in HELLO option '{text(options[0])}'".encode())
            return None
    return name


def _greet(client: Client) -> None:
    out = client.out
    out.map(6)
    for key, value in ((b"server", b"redis"), (b"version", REDIS_VERSION.encode())):
        out.bulk(key)
        out.bulk(value)
    out.bulk(b"proto")
    out.integer(out.protocol)
    out.bulk(b"id")
    out.integer(client.id)
    out.bulk(b"mode")
    out.bulk(b"sentinel")
    out.bulk(b"modules")
    out.array(0)


def _is_valid_name(name: bytes) -> bool:
    return all(33 <= byte <= 126 for byte in name)


def _client_setname(_server: Server, client: Client, arguments: list[bytes]) -> None:
    if _is_valid_name(arguments[2]):
        client.name = arguments[2]
        client.out.ok()
    else:
        client.out.error(errors.BAD_CLIENT_NAME)


def _client_getname(_server: Server, client: Client, _arguments: list[bytes]) -> None:
    if client.name:
        client.out.bulk(client.name)
    else:
        client.out.null()


def _client_id(_server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.integer(client.id)


def _describe(server: Server, client: Client) -> str:
    now = server.sentinel.now_ms
    fields = {
        "id": client.id,
        "addr": client.address,
        "laddr": client.local_address,
        "name": text(client.name),
        "age": (now - client.created_ms) // 1000,
        "idle": (now - client.last_command_ms) // 1000,
        "flags": "P" if client.subscriptions else "N",
        "db": 0,
        "sub": len(client.channels),
        "psub": len(client.patterns),
        "multi": -1,
        "omem": len(client.out),
        "cmd": client.last_command,
        "user": "default",
        "resp": client.out.protocol,
        "lib-name": text(client.library_name),
        "lib-ver": text(client.library_version),
    }
    return " ".join(f"{name}={value}" for name, value in fields.items())


def _client_list(server: Server, client: Client, _arguments: list[bytes]) -> None:
    lines = [_describe(server, other) + "\n" for other in server.clients.values()]
    client.out.verbatim("".join(lines).encode())


def _client_info(server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.verbatim((_describe(server, client) + "\n").encode())


def _client_setinfo(_server: Server, client: Client, arguments: list[bytes]) -> None:
    name, value = arguments[2].lower(), arguments[3]
    if name not in (b"lib-name", b"lib-ver"):
        client.out.error(b"ERR Unrecognized option '%s'" % arguments[2])
    elif not _is_valid_name(value):
        client.out.error(b"ERR %s cannot contain spaces, newlines or special characters." % name)
    else:
        if name == b"lib-name":
            client.library_name = value
        else:
            client.library_version = value
        client.out.ok()


def _client_kill(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Close clients: CLIENT KILL ADDRESS, or filters ID, ADDR, LADDR, SKIPME that must all fit."""
    if len(arguments) == 3:
        victims = [other for other in server.clients.values() if other.address == text(arguments[2])]
        if not victims:
            client.out.error(b"ERR No such client")
            return
        _kill(server, victims)
        client.out.ok()
        return
    selected = _select_clients(server, client, arguments[2:])
    if selected is None:
        client.out.error(errors.SYNTAX)
        return
    _kill(server, selected)
    client.out.integer(len(selected))


def _select_clients(server: Server, client: Client, filters: list[bytes]) -> list[Client] | None:
    """Return the clients that fit all filters, or None where they are not understood."""
    selected = list(server.clients.values())
    skip_me = True
    for name, value in zip(filters[::2], filters[1::2], strict=False):
        wanted = text(value)
        if name.lower() == b"id":
            selected = [other for other in selected if str(other.id) == wanted]
        elif name.lower() == b"addr":
            selected = [other for other in selected if other.address == wanted]
        elif name.lower() == b"laddr":
            selected = [other for other in selected if other.local_address == wanted]
        elif name.lower() == b"skipme" and value.lower() in (b"yes", b"no"):
            skip_me = value.lower() == b"yes"
        else:
            return None
    if len(filters) % 2:
        return None
    return [other for other in selected if other is not client or not skip_me]


def _kill(server: Server, victims: list[Client]) -> None:
    for victim in victims:
        victim.must_close = True
        server.woken.add(victim)


def _quit(_server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.ok()
    client.must_close = True


def _reset(server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.channels.clear()
    client.patterns.clear()
    client.name = b""
    client.is_authenticated = not server.password
    client.out.protocol = RESP2
    client.out.simple(b"RESET")


def _shutdown(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Stop the process; the state is on disk already, whatever the options say."""
    if any(option.lower() not in (b"save", b"nosave", b"now", b"force", b"abort") for option in arguments[1:]):
        client.out.error(errors.SYNTAX)
    elif any(option.lower() == b"abort" for option in arguments[1:]):
        client.out.error(b"ERR No shutdown in progress.")
    else:
        server.shutdown_requested = True


_FLAGS: Final = ("noscript", "loading", "stale", "fast")

COMMANDS: Final = (
    Command("ping", -1, _ping, "Returns the server's liveliness response.", ("fast",)),
    Command("auth", -2, _auth, "Authenticates the connection.", _FLAGS),
    Command("hello", -1, _hello, "Handshakes with the server.", _FLAGS),
    Command("quit", -1, _quit, "Closes the connection.", _FLAGS),
    Command("reset", 1, _reset, "Resets the connection.", _FLAGS),
    Command("shutdown", -1, _shutdown, "Stops the sentinel.", ("admin", "noscript", "loading", "stale")),
    container(
        "client",
        "A container for client connection commands.",
        (
            Command("client|id", 2, _client_id, "Returns the client's connection id."),
            Command("client|getname", 2, _client_getname, "Returns the connection's name."),
            Command("client|setname", 3, _client_setname, "Sets the connection's name."),
            Command("client|setinfo", 4, _client_setinfo, "Sets information about the client library."),
            Command("client|list", -2, _client_list, "Lists open connections."),
            Command("client|info", 2, _client_info, "Returns information about the connection."),
            Command("client|kill", -3, _client_kill, "Closes open connections."),
        ),
    ),
)
