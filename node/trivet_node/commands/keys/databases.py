"""Whole databases: SELECT, DBSIZE, FLUSHDB, FLUSHALL, SWAPDB. (Redis: groups "connection" and "server".)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import FAST, LOADING, READONLY, STALE, WRITE, Command, CommandError
from trivet_node.commands.arguments import database_at, demand_several_databases, option, small_integer
from trivet_node.server import saving
from trivet_node.server.state import Server
from trivet_wire import errors


def select(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SELECT index."""
    index = small_integer(arguments[1])
    if index != 0:
        demand_several_databases(server, b"ERR SELECT is not allowed in cluster mode")
    client.database = database_at(server, arguments[1])
    client.reply.ok()


def dbsize(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DBSIZE."""
    client.reply.integer(client.database.size)


def flushdb(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FLUSHDB [ASYNC | SYNC]. It is propagated even where there was nothing to delete, as in Redis."""
    _check_mode(arguments)
    client.database.flush()
    server.propagation.instead([arguments])
    client.reply.ok()


def flushall(server: Server, client: Client, arguments: list[bytes]) -> None:
    """FLUSHALL [ASYNC | SYNC]. It is propagated even where there was nothing to delete, as in Redis."""
    _check_mode(arguments)
    server.keyspace.flush()
    saving.forget_saved(server)
    # One more change, as in Redis: a snapshot taken before is out of date even where nothing was deleted.
    server.keyspace.dirty += 1
    server.propagation.instead([arguments])
    client.reply.ok()


def _check_mode(arguments: list[bytes]) -> None:
    """Accept both modes: the keys are gone at once, and their memory is always given back piece by piece."""
    if len(arguments) > 2 or (len(arguments) == 2 and option(arguments[1]) not in (b"ASYNC", b"SYNC")):
        raise CommandError(errors.SYNTAX)


def swapdb(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SWAPDB index1 index2."""
    if server.config.cluster_enabled:
        raise CommandError(b"ERR SWAPDB is not allowed in cluster mode")
    one = small_integer(arguments[1], b"ERR invalid first DB index")
    other = small_integer(arguments[2], b"ERR invalid second DB index")
    count = server.keyspace.database_count()
    if not (0 <= one < count and 0 <= other < count):
        raise CommandError(errors.DB_INDEX_OUT_OF_RANGE)
    server.keyspace.swap(one, other)
    client.reply.ok()


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "select",
        2,
        select,
        LOADING | STALE | FAST,
        group="connection",
        categories="connection",
        since="1.0.0",
        summary="Change the selected database for the current connection",
        arguments="index:integer",
        difference="In cluster mode databases below `cluster-databases` (default 1) may be selected, as in Valkey 9.",
    ),
    Command(
        "dbsize",
        1,
        dbsize,
        READONLY | FAST,
        group="server",
        categories="keyspace",
        since="1.0.0",
        summary="Return the number of keys in the selected database",
        tips=(
            "request_policy:all_shards",
            "response_policy:agg_sum",
        ),
    ),
    Command(
        "flushdb",
        -1,
        flushdb,
        WRITE,
        group="server",
        categories="dangerous keyspace",
        since="1.0.0",
        summary="Remove all keys from the current database",
        complexity="O(N) where N is the number of keys in the selected database",
        tips=(
            "request_policy:all_shards",
            "response_policy:all_succeeded",
        ),
        history=(
            ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
            ("6.2.0", "Added the `SYNC` flushing mode modifier."),
        ),
        arguments="async:oneof?(async:pure-token=ASYNC@4.0.0 sync:pure-token=SYNC@6.2.0)",
    ),
    Command(
        "flushall",
        -1,
        flushall,
        WRITE,
        group="server",
        categories="dangerous keyspace",
        since="1.0.0",
        summary="Remove all keys from all databases",
        complexity="O(N) where N is the total number of keys in all databases",
        tips=(
            "request_policy:all_shards",
            "response_policy:all_succeeded",
        ),
        history=(
            ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
            ("6.2.0", "Added the `SYNC` flushing mode modifier."),
        ),
        arguments="async:oneof?(async:pure-token=ASYNC@4.0.0 sync:pure-token=SYNC@6.2.0)",
    ),
    Command(
        "swapdb",
        3,
        swapdb,
        WRITE | FAST,
        group="server",
        categories="dangerous keyspace",
        since="4.0.0",
        summary="Swaps two Redis databases",
        complexity="O(N) where N is the count of clients watching or blocking on keys from both databases.",
        arguments="index1:integer index2:integer",
    ),
)
