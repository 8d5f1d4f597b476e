"""Why a command is refused although its name and its number of arguments are right, in the order in which Redis asks.

Each reason is one function that returns the error, or None. The engine comes here only for clients in a special state
or while one of the server's checks is on. (Redis: server.c processCommand.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.client import (
    IN_TRANSACTION,
    MONITOR,
    PRIMARY,
    REPLICA,
    SPECIAL,
    SUBSCRIBED,
    UNAUTHENTICATED,
    Client,
)
from trivet_node.cluster.redirect import channel_redirection, redirection
from trivet_node.command import ALLOW_BUSY, LOADING, MAY_REPLICATE, NO_AUTH, NO_MULTI, READONLY, STALE, WRITE, Command
from trivet_node.scripting.shebang import ALLOW_STALE, NO_WRITES, UNDECLARED
from trivet_node.server.state import (
    CHECK_BUSY,
    CHECK_CLUSTER,
    CHECK_DISK,
    CHECK_GOOD_REPLICAS,
    CHECK_LOADING,
    CHECK_READ_ONLY,
    CHECK_STALE,
    Server,
)
from trivet_wire import errors
from trivet_wire.replies import RESP2

_SUBSCRIBER_COMMANDS: Final = frozenset(
    ["ping", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe", "quit", "reset"]
)


def refusal(server: Server, client: Client, command: Command, arguments: list[bytes]) -> bytes | None:
    """Return the error that the command meets, or None where it may run."""
    if server.checks == 0 and client.flags & SPECIAL & ~IN_TRANSACTION == 0:
        # Only its transaction sets the client apart, and nothing is on that others could ask about.
        return _refused_in_state_of_client(client, command)
    checks = server.checks if client.flags & PRIMARY == 0 else 0
    flags = effective_flags(server, client, command, arguments)
    return (
        _refused_in_state_of_client(client, command)
        or (_redirected(server, client, command, arguments, flags) if checks & CHECK_CLUSTER != 0 else None)
        or _refused_as_write(checks, command, flags)
        or _refused_while_subscribed(client, command)
        or _refused_without_data(checks, flags)
        or _refused_while_busy(server, flags)
        or _refused_to_replica(client, flags)
    )


def _refused_in_state_of_client(client: Client, command: Command) -> bytes | None:
    if client.flags & UNAUTHENTICATED != 0 and command.flags & NO_AUTH == 0:
        return errors.NO_AUTH
    if client.flags & IN_TRANSACTION != 0 and command.flags & NO_MULTI != 0:
        return b"ERR Command not allowed inside a transaction"
    return None


def _redirected(server: Server, client: Client, command: Command, arguments: list[bytes], flags: i64) -> bytes | None:
    """Return the error for keys that another node serves, or nobody; EXEC is on the keys of all that it will run."""
    machine = server.cluster
    if machine is None:
        return None
    keys = command.keys(arguments)
    if command.name == "exec":
        for queued in client.queued:
            keys += queued.command.keys(queued.arguments)
    if command.is_on_channels:
        return channel_redirection(machine.state, client, keys)
    return redirection(machine.state, client, keys, flags & WRITE != 0)


def effective_flags(server: Server, client: Client, command: Command, arguments: list[bytes]) -> i64:
    """Return the flags of a command; EXEC also has those of what it will run, because things may have changed since.

    It may run without data, or with those of long ago, only where all that it will run may.
    """
    flags = _declared_flags(server, command, arguments)
    if command.name == "exec":
        for queued in client.queued:
            its_flags = _declared_flags(server, queued.command, queued.arguments)
            flags = (flags | its_flags) & (its_flags | ~(LOADING | STALE))
    return flags


def _declared_flags(server: Server, command: Command, arguments: list[bytes]) -> i64:
    """Return the flags of a command; what a script or function declares of itself counts in place of its command's.

    (Redis: scriptFlagsToCmdFlags.)
    """
    if command.group != "scripting":
        return command.flags
    declared = server.programs.declared_flags(command.name, arguments)
    if declared & UNDECLARED != 0:
        return command.flags
    flags = command.flags & ~(STALE | WRITE | MAY_REPLICATE)
    if declared & NO_WRITES == 0:
        flags |= WRITE
    if declared & ALLOW_STALE != 0:
        flags |= STALE
    return flags


def _refused_as_write(checks: i64, command: Command, flags: i64) -> bytes | None:
    if checks & CHECK_DISK != 0 and command.name == "ping":
        return errors.MISCONFIGURED
    return refused_write(checks) if flags & WRITE != 0 else None


def refused_write(checks: i64) -> bytes | None:
    """Return the error that every write meets now, or None."""
    if checks & CHECK_DISK != 0:
        return errors.MISCONFIGURED
    if checks & CHECK_GOOD_REPLICAS != 0:
        return errors.NO_REPLICAS
    return errors.READ_ONLY if checks & CHECK_READ_ONLY != 0 else None


def _refused_without_data(checks: i64, flags: i64) -> bytes | None:
    if checks & CHECK_STALE != 0 and flags & STALE == 0:
        return errors.PRIMARY_DOWN
    if checks & CHECK_LOADING != 0 and flags & LOADING == 0:
        return errors.LOADING
    return None


def _refused_while_busy(server: Server, flags: i64) -> bytes | None:
    if server.checks & CHECK_BUSY == 0 or flags & ALLOW_BUSY != 0:
        return None
    return errors.busy(server.programs.runs_function)


def _refused_while_subscribed(client: Client, command: Command) -> bytes | None:
    if client.flags & SUBSCRIBED == 0 or client.reply.protocol != RESP2 or command.name in _SUBSCRIBER_COMMANDS:
        return None
    return errors.not_while_subscribed(command.name)


def _refused_to_replica(client: Client, flags: i64) -> bytes | None:
    """Keep replicas, and monitors, which Redis takes for such, from keys."""
    if client.flags & (REPLICA | MONITOR) == 0 or flags & (READONLY | WRITE | MAY_REPLICATE) == 0:
        return None
    return b"ERR Replica can't interact with the keyspace"
