"""CLIENT TRACKING and its kin: client-side caching as the client asks for it. (Redis: networking.c, tracking.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import LOADING, NOSCRIPT, STALE, Command, CommandError
from trivet_node.commands.arguments import integer, option
from trivet_node.server.invalidation import start
from trivet_node.server.state import Server
from trivet_node.tracking import NOBODY, Tracking, overlap
from trivet_wire import errors

_NOT_TRACKING: Final = (
    b"ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
)
_BEFORE_DISABLING: Final = b" before disabling tracking for this client, and then re-enabling it with a different mode."


def tracking(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT TRACKING ON|OFF [REDIRECT client-id] [PREFIX prefix ...] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]."""
    wanted, prefixes = _read(server, arguments)
    word = option(arguments[2])
    if word == b"ON":
        _check_modes(client.tracking, wanted, prefixes)
        if wanted.is_broadcast:
            _add_prefixes(client.tracking, wanted, prefixes)
        start(server, client, wanted)
    elif word == b"OFF":
        server.stop_tracking(client)
    else:
        raise CommandError(errors.SYNTAX)
    client.reply.ok()


def caching(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT CACHING YES|NO."""
    present = client.tracking
    if present is None:
        raise CommandError(_NOT_TRACKING)
    word = option(arguments[2])
    if word == b"YES" and not present.is_opt_in:
        raise CommandError(b"ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
    if word == b"NO" and not present.is_opt_out:
        raise CommandError(b"ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
    if word not in (b"YES", b"NO"):
        raise CommandError(errors.SYNTAX)
    present.has_spoken = True
    client.reply.ok()


def getredir(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT GETREDIR."""
    client.reply.integer(redirection_of(client))


def trackinginfo(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT TRACKINGINFO."""
    reply = client.reply
    reply.map(3)
    reply.bulk(b"flags")
    words = _flag_words(client.tracking)
    reply.set(len(words))
    for word in words:
        reply.bulk(word)
    reply.bulk(b"redirect")
    reply.integer(redirection_of(client))
    reply.bulk(b"prefixes")
    reply.bulk_array([] if client.tracking is None else sorted(client.tracking.prefixes))


def redirection_of(client: Client) -> int:
    """Return the id of the client that is told in this one's place, NOBODY, or -1 where it does not track."""
    return -1 if client.tracking is None else client.tracking.redirect


def _read(server: Server, arguments: list[bytes]) -> tuple[Tracking, list[bytes]]:
    """Return the way of tracking that the options ask for, and the prefixes given."""
    wanted = Tracking(NOBODY)
    prefixes: list[bytes] = []
    position = 3
    while position < len(arguments):
        word = option(arguments[position])
        has_value = position + 1 < len(arguments)
        if word == b"REDIRECT" and has_value:
            position += 1
            wanted.redirect = _redirection(server, wanted.redirect, arguments[position])
        elif word == b"PREFIX" and has_value:
            position += 1
            prefixes.append(arguments[position])
        elif word == b"BCAST":
            wanted.is_broadcast = True
        elif word == b"OPTIN":
            wanted.is_opt_in = True
        elif word == b"OPTOUT":
            wanted.is_opt_out = True
        elif word == b"NOLOOP":
            wanted.skips_own = True
        else:
            raise CommandError(errors.SYNTAX)
        position += 1
    return wanted, prefixes


def _redirection(server: Server, given: int, text: bytes) -> int:
    """Return the id that `text` spells, which must be a client's; `given` is that of a REDIRECT before."""
    if given != NOBODY:
        raise CommandError(b"ERR A client can only redirect to a single other client")
    client_id = integer(text)
    if client_id not in server.clients:
        raise CommandError(b"ERR The client ID you want redirect to does not exist")
    return client_id


def _check_modes(present: Tracking | None, wanted: Tracking, prefixes: list[bytes]) -> None:
    """Raise CommandError for modes that exclude each other, or the present one."""
    if prefixes and not wanted.is_broadcast:
        raise CommandError(b"ERR PREFIX option requires BCAST mode to be enabled")
    if present is not None and present.is_broadcast != wanted.is_broadcast:
        raise CommandError(b"ERR You can't switch BCAST mode on/off" + _BEFORE_DISABLING)
    if wanted.is_broadcast and (wanted.is_opt_in or wanted.is_opt_out):
        raise CommandError(b"ERR OPTIN and OPTOUT are not compatible with BCAST")
    if wanted.is_opt_in and wanted.is_opt_out:
        raise CommandError(b"ERR You can't specify both OPTIN mode and OPTOUT mode")
    if present is not None and ((wanted.is_opt_in and present.is_opt_out) or (wanted.is_opt_out and present.is_opt_in)):
        raise CommandError(b"ERR You can't switch OPTIN/OPTOUT mode" + _BEFORE_DISABLING)


def _add_prefixes(present: Tracking | None, wanted: Tracking, prefixes: list[bytes]) -> None:
    """Give `wanted` the prefixes named now, the empty one for none, besides those that the client has already."""
    taken = set() if present is None else present.prefixes
    found = overlap(prefixes, taken)
    if found is not None:
        prefix, other, is_taken = found
        kind = b"an existing prefix" if is_taken else b"another provided prefix"
        raise CommandError(
            b"ERR Prefix '%s' overlaps with %s '%s'. Prefixes for a single client must not overlap."
            % (errors.c_string(prefix), kind, errors.c_string(other))
        )
    wanted.prefixes = taken | set(prefixes or [b""])


def _flag_words(present: Tracking | None) -> list[bytes]:
    if present is None:
        return [b"off"]
    words = [b"on"]
    if present.is_broadcast:
        words.append(b"bcast")
    if present.is_opt_in:
        words += [b"optin", b"caching-yes"] if present.has_spoken else [b"optin"]
    if present.is_opt_out:
        words += [b"optout", b"caching-no"] if present.has_spoken else [b"optout"]
    if present.skips_own:
        words.append(b"noloop")
    if present.is_broken:
        words.append(b"broken_redirect")
    return words


SUBCOMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "client|caching",
        3,
        caching,
        NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="6.0.0",
        summary="Instruct the server about tracking or not keys in the next request",
        arguments="mode:oneof(yes:pure-token=YES no:pure-token=NO)",
    ),
    Command(
        "client|getredir",
        2,
        getredir,
        NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="6.0.0",
        summary="Get tracking notifications redirection client ID if any",
    ),
    Command(
        "client|tracking",
        -3,
        tracking,
        NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="6.0.0",
        summary="Enable or disable server assisted client side caching support",
        complexity="O(1). Some options may introduce additional complexity.",
        arguments="status:oneof(on:pure-token=ON off:pure-token=OFF) client-id:integer=REDIRECT? "
        "prefix:string=PREFIX?*+ bcast:pure-token=BCAST? "
        "optin:pure-token=OPTIN? optout:pure-token=OPTOUT? noloop:pure-token=NOLOOP?",
        difference="Prefixes that overlap each other are refused in any order; Redis 7.0 answers twice and takes them "
        "where the first one is not concerned.",
    ),
    Command(
        "client|trackinginfo",
        2,
        trackinginfo,
        NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="6.2.0",
        summary="Return information about server assisted client side caching for the current connection",
    ),
)
