"""The engine: bytes of clients in, replies in their buffers, no I/O and no clock.

    feed(client, data)   parse every complete request in `data`, run it, append the replies to client.reply
    tick(now_ms)         what happens by itself as time passes
    server.pending       clients other than the fed one that the shell must look at afterwards

A request passes four gates: its name and arity, the state of its client, the checks of the server (both in
admission.py), and, inside MULTI, the queue. A plain client of a plain primary meets none but the first: the fast path
makes one test of the client's flags and one of the server's checks.
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import (
    BLOCKED,
    CLOSE_AFTER_REPLY,
    CLOSE_NOW,
    CLOSING,
    IN_TRANSACTION,
    PRIMARY,
    REPLY_SKIP_NEXT,
    SILENT,
    SPECIAL,
    TRANSACTION_BROKEN,
    Client,
    QueuedCommand,
)
from trivet_node.command import Command, look_up
from trivet_node.commands.connections.transactions import discard_transaction
from trivet_node.commands.table import COMMANDS
from trivet_node.keyspace import EXPIRE_HIDES, EXPIRE_WAITS
from trivet_node.replication.upstream import Upstream
from trivet_node.server import invalidation, pausing, shutting_down
from trivet_node.server.admission import refusal
from trivet_node.server.call import call
from trivet_node.server.client_memory import evict_clients
from trivet_node.server.metering import note_queued
from trivet_node.server.observed_call import run_observed
from trivet_node.server.replicating.cron import acknowledge
from trivet_node.server.replicating.cron import tick as replication_tick
from trivet_node.server.replicating.divergence import report_errors
from trivet_node.server.saving import replace_snapshot, save_if_due
from trivet_node.server.setting_effects import apply_at_start
from trivet_node.server.state import CHECK_CLUSTER, CHECK_PAUSED, Server
from trivet_node.server.timekeeping import expire_some
from trivet_node.server.waiting import redirect_waiting, serve_ready_keys
from trivet_node.shutdown import OVER
from trivet_wire import errors
from trivet_wire.requests import ProtocolError

# What MULTI does not queue. (Redis: processCommand.)
_NOT_QUEUED: Final = frozenset(["exec", "discard", "multi", "watch", "quit", "reset"])
# Values and elements of what was deleted that are given back in one tick: about a millisecond's work.
_FREED_EACH_TICK: Final = 10_000
# What a browser that was lured here would send: nothing behind it may be run.
_HTTP_WORDS: Final = frozenset([b"post", b"host:"])
_CROSS_PROTOCOL_ATTACK: Final = (
    "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. This is "
    "likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. "
    "Connection aborted."
)


@final
class Engine:
    """Executes requests on one Server."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self._table: dict[bytes, Command] = server.table
        apply_at_start(server)
        for command in COMMANDS:
            self._table[command.name.encode()] = command
            self._table[command.name.upper().encode()] = command
        # The command of the last request: requests come in runs, and comparing a name is cheaper than looking it up.
        self._recent_name: bytes = b"ping"
        self._recent_command: Command = self._table[b"ping"]

    def feed(self, client: Client, data: bytes) -> None:
        """Run every request that `data` completes."""
        client.parser.feed(data)
        client.last_active_ms = self.server.keyspace.now_ms
        if client.flags & PRIMARY != 0:
            self._apply(client, data)
        else:
            self.resume(client)
        if self.server.blocking.released:
            self._resume_released()
        if self.server.snapshots.must_be_replaced:
            replace_snapshot(self.server)

    def resume(self, client: Client) -> None:
        """Run what a client has sent, until bytes are missing or the client may not go on."""
        parser = client.parser
        self.server.stopwatch.start()
        # More than 0 where a script that runs for long lets others do something meanwhile.
        depth = self.server.call_depth
        try:
            while client.flags & (BLOCKED | CLOSING) == 0:
                arguments = parser.next()
                if arguments is None:
                    return
                self._execute(client, arguments)
        except ProtocolError as error:
            client.reply.error(errors.protocol(str(error)))
            self.server.stats.count_error(client.reply.last_error)
            client.flags |= CLOSE_AFTER_REPLY
        except Exception:
            self._contain_fault(client, depth)

    def tick(self, now_ms: int) -> bool:
        """Let time pass; return whether more work is waiting that should not wait for the next tick."""
        if self.server.shutdown.state == OVER:
            return False
        keyspace = self.server.keyspace
        keyspace.now_ms = now_ms
        if self.server.debug.cron_paused:
            self.server.blocking.tick(now_ms)
            self._resume_released()
            return False
        if self.server.checks & CHECK_PAUSED != 0:
            pausing.pass_time(self.server)
        more = expire_some(self.server)
        more = keyspace.lazyfree.free_some(_FREED_EACH_TICK, keyspace.holds_collections) or more
        if keyspace.expired:
            self._propagate_expired()
        if keyspace.ready:
            serve_ready_keys(self.server)
        redirect_waiting(self.server)
        self.server.blocking.tick(now_ms)
        if self.server.tracking.clients != 0:
            invalidation.limit(self.server)
        save_if_due(self.server)
        if self.server.config.maxmemory_clients != 0:
            evict_clients(self.server)
        self.server.stats.sample(now_ms)
        replication_tick(self.server)
        shutting_down.look(self.server)
        self._resume_released()
        if self.server.snapshots.must_be_replaced:
            replace_snapshot(self.server)
        return more

    def is_time_pressing(self) -> bool:
        """Say whether keys, fields or clients wait for time to pass."""
        return len(self.server.blocking) > 0 or self.server.keyspace.has_deadlines()

    def _apply(self, client: Client, data: bytes) -> None:
        """Run what our primary sent, pass it on byte for byte to our own replicas, and acknowledge it if asked to."""
        server = self.server
        upstream = server.replication.upstream
        if upstream is None or upstream.client is not client:
            return
        upstream.receive(data)
        server.keyspace.expire_mode = EXPIRE_WAITS
        server.stopwatch.start()
        try:
            while client.flags & (BLOCKED | CLOSING) == 0:
                arguments = client.parser.next()
                if arguments is None:
                    break
                errors_before = client.reply.errors
                self._execute(client, arguments)
                if client.reply.errors != errors_before:
                    self._pass_on(upstream)
                    report_errors(server, client, arguments, client.reply.errors - errors_before)
                if client.flags & IN_TRANSACTION == 0:
                    upstream.applied_to(client.parser.consumed())
        except ProtocolError as error:
            server.host.log("warning", f"Protocol error from master: {error}")
            client.flags |= CLOSE_NOW
        except Exception:
            self._contain_fault(client, 0)
            client.flags |= CLOSE_NOW
        server.keyspace.expire_mode = EXPIRE_HIDES
        self._pass_on(upstream)
        if upstream.acknowledgement_due:
            # The request that asks is part of the stream: with it applied, the replica has everything.
            upstream.acknowledgement_due = False
            acknowledge(server, upstream, server.replication.history.offset)

    def _pass_on(self, upstream: Upstream) -> None:
        """Feed our own replicas with what we have applied."""
        if upstream.unpassed():
            self.server.feed_stream(upstream.take_applied())

    def _resume_released(self) -> None:
        """Let clients go on whose waiting has ended; what they run may release others."""
        blocking = self.server.blocking
        while blocking.released:
            client = blocking.released.popleft()
            self.server.mark_pending(client)
            if client.flags & PRIMARY != 0:
                self._apply(client, b"")
            else:
                self.resume(client)

    def _execute(self, client: Client, arguments: list[bytes]) -> None:
        command: Command | None = self._recent_command
        if arguments[0] != self._recent_name:
            command = self._look_up(arguments)
        if command is None:
            self._answer_unknown(client, arguments)
            return
        if not command.accepts(len(arguments)):
            self._reject(client, command, errors.wrong_arity(command.name))
            return
        client.last_command = command
        checks = self.server.checks
        if client.flags & SPECIAL == 0 and (
            checks == 0 or (checks == CHECK_CLUSTER and self._is_served_here(client, command, arguments))
        ):
            call(self.server, client, command, arguments)
        else:
            self._execute_checked(client, command, arguments)

    def _is_served_here(self, client: Client, command: Command, arguments: list[bytes]) -> bool:
        """Say whether a command plainly concerns no other node of the cluster; admission looks at what is not plain."""
        if command.has_single_key:
            return self.server.served_slots[client.database.slot_of(arguments[1])] != 0
        return command.is_keyless

    def _execute_checked(self, client: Client, command: Command, arguments: list[bytes]) -> None:
        """Run, queue or refuse a command of a client in a special state, or while checks are on."""
        server = self.server
        refused = refusal(server, client, command, arguments)
        if (
            refused is None
            and server.checks & CHECK_PAUSED != 0
            and pausing.must_wait(server, client, command, arguments)
        ):
            pausing.postpone(server, client, arguments)
            return
        # A script that runs for long lets others do a few things meanwhile.
        outer_caller = server.caller
        server.caller = client
        skip = _take_skip(client)
        if skip or client.flags & SILENT != 0:
            client.reply.mute()
        if refused is not None:
            self._reject(client, command, refused)
        elif client.flags & IN_TRANSACTION != 0 and command.name not in _NOT_QUEUED:
            # What will never run is not kept, and its keys do not count for EXEC. (Redis: queueMultiCommand.)
            if client.flags & TRANSACTION_BROKEN == 0 and not client.watch.broken:
                client.queued.append(QueuedCommand(command, arguments))
            client.reply.simple(b"QUEUED")
            note_queued(server, client, command, arguments)
        else:
            run_observed(server, client, command, arguments)
        client.reply.unmute()
        if skip:
            server.blocking.silence(client)
        server.caller = outer_caller
        if outer_caller is None and server.own_invalidations:
            invalidation.send_own(server)
        if client.tracking is not None and client.flags & IN_TRANSACTION == 0:
            invalidation.command_is_over(client, command)

    def _reject(self, client: Client, command: Command, text: bytes) -> None:
        """Refuse a command that exists; where EXEC itself is refused, the transaction is over."""
        command.rejected_calls += 1
        if command.name == "exec":
            discard_transaction(self.server, client)
            text = errors.exec_aborted(text)
        self._refuse(client, text)

    def _refuse(self, client: Client, text: bytes) -> None:
        """Answer an error to a request that does not run; it spoils the transaction it was to be part of."""
        if client.flags & IN_TRANSACTION != 0:
            client.flags |= TRANSACTION_BROKEN
        elif client.tracking is not None:
            client.tracking.has_spoken = False
        if _take_skip(client) or client.flags & SILENT != 0:
            client.reply.mute()
        client.reply.error(text)
        client.reply.unmute()
        self.server.stats.count_error(client.reply.last_error)

    def _answer_unknown(self, client: Client, arguments: list[bytes]) -> None:
        if arguments[0].lower() in _HTTP_WORDS:
            self.server.host.log("warning", _CROSS_PROTOCOL_ATTACK)
            client.flags |= CLOSE_NOW
            return
        self._refuse(client, _unknown(self._table, arguments))

    def _look_up(self, arguments: list[bytes]) -> Command | None:
        """Return the command or subcommand that a request names, in letters of any case."""
        name = arguments[0]
        command = self._table.get(name)
        if command is None or command.subcommands:
            return look_up(self._table, arguments)
        self._recent_name = name
        self._recent_command = command
        return command

    def _contain_fault(self, client: Client, depth: i64) -> None:
        """A handler has failed, a fault of ours: the log gets the traceback, the client an error.

        What was done before the fault, by other commands of the same transaction, is in memory and stays there: it is
        propagated as at the end of any command, or replicas would differ from then on. `depth` is Server.call_depth
        before: what a script around the handler has caused so far is left to it.
        """
        server = self.server
        server.host.log_exception(f"Command '{_name(client)}' failed; closing the connection it came by")
        server.call_depth = depth
        server.propagation.drop_substitute()
        if depth == 0:
            server.collect_expired()
            server.propagate()
            server.caller = None
            server.own_invalidations.clear()
        client.reply.unmute()
        client.reply.error(b"ERR internal error, see the log of the server")
        client.flags |= CLOSE_AFTER_REPLY

    def _propagate_expired(self) -> None:
        server = self.server
        for index, key, fields in server.keyspace.expired:
            server.propagation.add_deletion(index, key, fields)
            server.propagate()
        server.keyspace.expired.clear()


def _unknown(table: dict[bytes, Command], arguments: list[bytes]) -> bytes:
    """Return the error for a command or subcommand that does not exist."""
    container = table.get(arguments[0].lower())
    if container is not None:
        return errors.unknown_subcommand(container.name, arguments[1])
    return errors.unknown_command(arguments)


def _take_skip(client: Client) -> bool:
    """Say whether CLIENT REPLY SKIP is for the present request; it is for one only."""
    if client.flags & REPLY_SKIP_NEXT == 0:
        return False
    client.flags &= ~REPLY_SKIP_NEXT
    return True


def _name(client: Client) -> str:
    return client.last_command.name if client.last_command is not None else "?"
