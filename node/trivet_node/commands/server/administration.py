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
from trivet_node.server import saving, shutting_down
from trivet_node.server.state import CHECK_BUSY, Server
from trivet_node.shutdown import FORCE, NO_SAVE, NOW, SAVE, WAITING
from trivet_wire import errors

_SAVING: Final = b"ERR Background save already in progress"
_MS_PER_S: Final = 1000
_WISHES: Final = {b"SAVE": SAVE, b"NOSAVE": NO_SAVE, b"NOW": NOW, b"FORCE": FORCE}


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
    if server.call_depth > 1:
        # What a transaction or a script has done so far is in memory, but not in the stream yet.
        server.snapshots.scheduled = True
        client.reply.simple(b"Background saving scheduled")
    elif saving.start_background_save(server):
        client.reply.simple(b"Background saving started")
    else:
        client.reply.error(b"ERR")


def lastsave(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LASTSAVE."""
    client.reply.integer(server.snapshots.last_save_ms // _MS_PER_S)


def shutdown(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE] [ABORT]: no reply where it succeeds, the connection closes with the node."""
    words = frozenset([option(argument) for argument in arguments[1:]])
    if words == frozenset([b"ABORT"]):
        if not shutting_down.abort(server):
            raise CommandError(b"ERR No shutdown in progress.")
        client.reply.ok()
        return
    if not words <= _WISHES.keys() or (b"SAVE" in words and b"NOSAVE" in words):
        raise CommandError(errors.SYNTAX)
    if server.checks & CHECK_BUSY != 0 and b"NOSAVE" not in words:
        raise CommandError(errors.busy(server.programs.runs_function))
    if shutting_down.begin(server, frozenset([_WISHES[word] for word in words])):
        client.flags |= CLOSE_NOW
    elif server.shutdown.state == WAITING:
        shutting_down.wait_for_end(server, client)
    else:
        raise CommandError(shutting_down.FAILED)


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
