"""CLIENT: what a connection says of itself, and what others do to it. (Redis: group "connection", networking.c.)

The subcommands that list and kill connections or pause them, and those of client-side caching, have files of their own.
SETINFO is Redis 7.2's: client libraries of today send it.
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.client import NO_EVICT, REPLY_OFF, REPLY_SKIP_NEXT, Client
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError, container
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.connections import client_lists, client_pauses, client_tracking
from trivet_node.commands.connections.connection import is_client_text, set_client_name
from trivet_node.server.state import Server
from trivet_node.server.timekeeping import wait_ended
from trivet_wire import errors
from trivet_wire.help import reply_help

_UNBLOCKED: Final = b"UNBLOCKED client unblocked via CLIENT UNBLOCK"


def id_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT ID."""
    client.reply.integer(client.id)


def getname(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT GETNAME."""
    if client.name:
        client.reply.bulk(client.name)
    else:
        client.reply.null()


def setname(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT SETNAME connection-name."""
    set_client_name(client, arguments[2])
    client.reply.ok()


def setinfo(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT SETINFO LIB-NAME|LIB-VER value."""
    name, value = option(arguments[2]), arguments[3]
    if name not in (b"LIB-NAME", b"LIB-VER"):
        raise CommandError(b"ERR Unrecognized option '%s'" % arguments[2])
    if not is_client_text(value):
        raise CommandError(b"ERR %s cannot contain spaces, newlines or special characters." % name.lower())
    if name == b"LIB-NAME":
        client.library_name = value
    else:
        client.library_version = value
    client.reply.ok()


def no_evict(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT NO-EVICT ON|OFF."""
    word = option(arguments[2])
    if word == b"ON":
        client.flags |= NO_EVICT
    elif word == b"OFF":
        client.flags &= ~NO_EVICT
    else:
        raise CommandError(errors.SYNTAX)
    client.reply.ok()


def reply_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT REPLY ON|OFF|SKIP."""
    word = option(arguments[2])
    if word == b"ON":
        client.flags &= ~(REPLY_OFF | REPLY_SKIP_NEXT)
        client.reply.unmute()
        client.reply.ok()
    elif word == b"OFF":
        client.flags |= REPLY_OFF
        if server.call_depth > 1:
            # It counts for the rest of a transaction already; the engine asks for the flag when EXEC is over.
            client.reply.mute()
    elif word == b"SKIP":
        if client.flags & REPLY_OFF == 0:
            client.flags |= REPLY_SKIP_NEXT
    else:
        raise CommandError(errors.SYNTAX)


def unblock(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT UNBLOCK client-id [TIMEOUT|ERROR]."""
    if len(arguments) > 4:
        raise CommandError(errors.subcommand_syntax("client", arguments[1]))
    reason = option(arguments[3]) if len(arguments) == 4 else b"TIMEOUT"
    if reason not in (b"TIMEOUT", b"ERROR"):
        raise CommandError(b"ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    wait = server.blocking.wait_of(integer(arguments[2]))
    if wait is None or not wait.may_be_cut_short:
        client.reply.integer(0)
        return
    size: i64 = len(wait.client.reply)
    if reason == b"ERROR":
        wait.client.reply.error(_UNBLOCKED)
        server.stats.count_error(_UNBLOCKED)
    else:
        wait.time_out()
    # Redis counts it as failed, whatever is replied.
    wait_ended(server, wait, 0, True)
    server.blocking.release(wait, size)
    client.reply.integer(1)


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT HELP."""
    reply_help(client.reply, "CLIENT", _HELP)


_HELP: Final = (
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made from the specified address",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made to specified local address",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Kill connections by type.",
    "    * USER <username>",
    "      Kill connections authenticated by <username>.",
    "    * SKIPME (YES|NO)",
    "      Skip killing current connection (default: yes).",
    "LIST [options ...]",
    "    Return information about client connections. Options:",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Return clients of specified type.",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend all, or just write, clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETINFO <option> <value>",
    "    Set client meta attr. Options are:",
    "    * LIB-NAME: the client lib name.",
    "    * LIB-VER: the client lib version.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "client",
        -2,
        container,
        0,
        group="connection",
        since="2.4.0",
        summary="A container for client connection commands",
        complexity="Depends on subcommand.",
        subcommands=(
            *client_lists.SUBCOMMANDS,
            *client_pauses.SUBCOMMANDS,
            *client_tracking.SUBCOMMANDS,
            Command(
                "client|getname",
                2,
                getname,
                NOSCRIPT | LOADING | STALE,
                group="connection",
                categories="connection",
                since="2.6.9",
                summary="Get the current connection name",
            ),
            Command(
                "client|help",
                2,
                help_,
                LOADING | STALE,
                group="connection",
                categories="connection",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "client|id",
                2,
                id_,
                NOSCRIPT | LOADING | STALE,
                group="connection",
                categories="connection",
                since="5.0.0",
                summary="Returns the client ID for the current connection",
            ),
            Command(
                "client|no-evict",
                3,
                no_evict,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="connection",
                categories="connection",
                since="7.0.0",
                summary="Set client eviction mode for the current connection",
                arguments="enabled:oneof(on:pure-token=ON off:pure-token=OFF)",
            ),
            Command(
                "client|reply",
                3,
                reply_,
                NOSCRIPT | LOADING | STALE,
                group="connection",
                categories="connection",
                since="3.2.0",
                summary="Instruct the server whether to reply to commands",
                arguments="on_off_skip:oneof(on:pure-token=ON off:pure-token=OFF skip:pure-token=SKIP)",
            ),
            Command(
                "client|setinfo",
                4,
                setinfo,
                NOSCRIPT | LOADING | STALE,
                group="connection",
                categories="connection",
                since="7.2.0",
                summary="Sets information specific to the client or connection.",
                tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
                arguments="attr:oneof(libname:string=LIB-NAME libver:string=LIB-VER)",
                difference="From Redis 7.2: clients of today send it.",
            ),
            Command(
                "client|setname",
                3,
                setname,
                NOSCRIPT | LOADING | STALE,
                group="connection",
                categories="connection",
                since="2.6.9",
                summary="Set the current connection name",
                arguments="connection-name:string",
            ),
            Command(
                "client|unblock",
                -3,
                unblock,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="connection",
                categories="connection",
                since="5.0.0",
                summary="Unblock a client blocked in a blocking command from a different connection",
                complexity="O(log N) where N is the number of client connections",
                arguments="client-id:integer timeout_error:oneof?(timeout:pure-token=TIMEOUT error:pure-token=ERROR)",
            ),
        ),
    ),
)
