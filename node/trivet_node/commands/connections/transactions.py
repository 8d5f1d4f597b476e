"""MULTI, EXEC, DISCARD, WATCH, UNWATCH. (Redis: group "transactions"; multi.c.)

Between MULTI and EXEC the engine queues commands instead of running them. A command that is refused then spoils the
transaction, and a change of a watched key breaks it; EXEC runs the queue only where neither has happened.
"""

from typing import Final

from trivet_node.client import IN_TRANSACTION, TRANSACTION_BROKEN, Client
from trivet_node.command import ALLOW_BUSY, FAST, LOADING, NOSCRIPT, SKIP_SLOWLOG, STALE, Command, CommandError, KeySpec
from trivet_node.server.observed_call import run_observed
from trivet_node.server.state import Server
from trivet_wire import errors


def multi(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MULTI."""
    if client.flags & IN_TRANSACTION != 0:
        raise CommandError(b"ERR MULTI calls can not be nested")
    client.flags |= IN_TRANSACTION
    client.reply.ok()


def discard(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DISCARD."""
    if client.flags & IN_TRANSACTION == 0:
        raise CommandError(b"ERR DISCARD without MULTI")
    discard_transaction(server, client)
    client.reply.ok()


def discard_transaction(server: Server, client: Client) -> None:
    """Forget what was queued and watched, and leave the transaction."""
    client.flags &= ~(IN_TRANSACTION | TRANSACTION_BROKEN)
    client.queued = []
    server.unwatch_all(client)


def execute(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EXEC."""
    if client.flags & IN_TRANSACTION == 0:
        raise CommandError(b"ERR EXEC without MULTI")
    if client.flags & TRANSACTION_BROKEN != 0:
        discard_transaction(server, client)
        raise CommandError(errors.EXEC_ABORTED)
    if client.watch.broken or _watched_key_expired(server, client):
        discard_transaction(server, client)
        client.reply.null_array()
        return
    server.unwatch_all(client)
    client.reply.array(len(client.queued))
    for item in client.queued:
        run_observed(server, client, item.command, item.arguments)
    # Until here the client was in its transaction, for CLIENT LIST for example.
    discard_transaction(server, client)
    # The commands have propagated what they did; EXEC itself has done nothing.
    server.propagation.instead([])


def _watched_key_expired(server: Server, client: Client) -> bool:
    """Say whether a key has passed its deadline since it was watched, although nobody has deleted it yet."""
    for (index, key), was_expired in client.watch.keys.items():
        if not was_expired and server.keyspace.database(index).is_past_deadline(key):
            return True
    return False


def watch(server: Server, client: Client, arguments: list[bytes]) -> None:
    """WATCH key [key ...]."""
    if client.flags & IN_TRANSACTION != 0:
        raise CommandError(b"ERR WATCH inside MULTI is not allowed")
    if not client.watch.broken:
        for key in arguments[1:]:
            client.database.watch(key, client.watch)
    client.reply.ok()


def unwatch(server: Server, client: Client, arguments: list[bytes]) -> None:
    """UNWATCH."""
    server.unwatch_all(client)
    client.reply.ok()


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "multi",
        1,
        multi,
        NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        group="transactions",
        categories="transaction",
        since="1.2.0",
        summary="Mark the start of a transaction block",
    ),
    Command(
        "exec",
        1,
        execute,
        NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG,
        group="transactions",
        categories="transaction",
        since="1.2.0",
        summary="Execute all commands issued after MULTI",
        complexity="Depends on commands in the transaction",
    ),
    Command(
        "discard",
        1,
        discard,
        NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        group="transactions",
        categories="transaction",
        since="2.0.0",
        summary="Discard all commands issued after MULTI",
        complexity="O(N), when N is the number of queued commands",
    ),
    Command(
        "watch",
        -2,
        watch,
        NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        group="transactions",
        categories="transaction",
        since="2.2.0",
        summary="Watch the given keys to determine execution of the MULTI/EXEC block",
        complexity="O(1) for every key.",
        keys=(KeySpec("RO", last=-1),),
        arguments="key:key#0*",
    ),
    Command(
        "unwatch",
        1,
        unwatch,
        NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY,
        group="transactions",
        categories="transaction",
        since="2.2.0",
        summary="Forget about all watched keys",
    ),
)
