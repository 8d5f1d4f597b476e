"""Time, snapshots and shutdown. (Redis: group "server".)"""

from typing import Final

from trivet_node.client import CLOSE_NOW, Client
from trivet_node.command import (
    ADMIN,
    ALLOW_BUSY,
    FAST,
    LOADING,
    NO_ASYNC_LOADING,
    NO_MULTI,
    NOSCRIPT,
    STALE,
    Command,
    CommandError,
)
from trivet_node.commands.arguments import option
from trivet_node.server import saving
from trivet_node.server.state import CHECK_LOADING, Server
from trivet_wire import errors

_SAVING: Final = b"ERR Background save already in progress"
_MS_PER_S: Final = 1000
_SHUTDOWN_WORDS: Final = frozenset([b"SAVE", b"NOSAVE", b"NOW", b"FORCE"])


def time(server: Server, client: Client, arguments: list[bytes]) -> None:
    """TIME."""
    microseconds = int(server.stopwatch.clock.now_us())
    client.reply.bulk_array([b"%d" % (microseconds // 1_000_000), b"%d" % (microseconds % 1_000_000)])


def save(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SAVE."""
    if server.snapshots.in_progress:
        raise CommandError(_SAVING)
    if saving.save(server):
        client.reply.ok()
    else:
        client.reply.error(b"ERR")


def bgsave(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BGSAVE [SCHEDULE]."""
    if len(arguments) > 2 or (len(arguments) == 2 and option(arguments[1]) != b"SCHEDULE"):
        raise CommandError(errors.SYNTAX)
    if server.snapshots.in_progress:
        raise CommandError(_SAVING)
    if saving.start_background_save(server):
        client.reply.simple(b"Background saving started")
    else:
        client.reply.error(b"ERR")


def lastsave(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LASTSAVE."""
    client.reply.integer(server.snapshots.last_save_ms // _MS_PER_S)


def shutdown(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE] [ABORT]: no reply where it succeeds, the connection closes."""
    words = [option(argument) for argument in arguments[1:]]
    if words == [b"ABORT"]:
        raise CommandError(b"ERR No shutdown in progress.")
    if not set(words) <= _SHUTDOWN_WORDS or (b"SAVE" in words and b"NOSAVE" in words):
        raise CommandError(errors.SYNTAX)
    wants_save = b"SAVE" in words or (bool(server.config.save) and b"NOSAVE" not in words)
    # What is in memory before the load has ended is less than what is on disk.
    wants_save = wants_save and server.checks & CHECK_LOADING == 0
    if wants_save and not saving.save(server) and b"FORCE" not in words:
        server.host.log("warning", "Error trying to save the DB, can't exit.")
        raise CommandError(b"ERR Errors trying to SHUTDOWN. Check logs.")
    server.host.request_shutdown()
    client.flags |= CLOSE_NOW


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "time",
        1,
        time,
        LOADING | STALE | FAST,
        group="server",
        since="2.6.0",
        summary="Return the current server time",
        tips=("nondeterministic_output",),
    ),
    Command(
        "save",
        1,
        save,
        ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        group="server",
        since="1.0.0",
        summary="Synchronously save the dataset to disk",
        complexity="O(N) where N is the total number of keys in all databases",
    ),
    Command(
        "bgsave",
        -1,
        bgsave,
        ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
        group="server",
        since="1.0.0",
        summary="Asynchronously save the dataset to disk",
        history=(("3.2.2", "Added the `SCHEDULE` option."),),
        arguments="schedule:pure-token=SCHEDULE?@3.2.2",
    ),
    Command(
        "lastsave",
        1,
        lastsave,
        LOADING | STALE | FAST,
        group="server",
        categories="admin dangerous",
        since="1.0.0",
        summary="Get the UNIX time stamp of the last successful save to disk",
        tips=("nondeterministic_output",),
    ),
    Command(
        "shutdown",
        -1,
        shutdown,
        ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY,
        group="server",
        since="1.0.0",
        summary="Synchronously save the dataset to disk and then shut down the server",
        complexity="O(N) when saving, where N is the total number of keys in all databases when "
        "saving data, otherwise O(1)",
        history=(("7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers."),),
        arguments="nosave_save:oneof?(nosave:pure-token=NOSAVE save:pure-token=SAVE) "
        "now:pure-token=NOW?@7.0.0 force:pure-token=FORCE?@7.0.0 "
        "abort:pure-token=ABORT?@7.0.0",
    ),
)
