"""The server as a script reaches it: one script runs at a time, for one client.

A command of a script passes checks of its own, which refuse it with other words than a client's; then it runs in the
name of a client without a connection, one level deeper than the script: its effects become part of the script's.
(Redis: script.c scriptCall, scriptInterrupt.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import CLUSTER_READONLY, PRIMARY, TRACKING, Client
from trivet_node.cluster.redirect import redirection
from trivet_node.command import (
    MAY_REPLICATE,
    NOSCRIPT,
    READONLY,
    STALE,
    WRITE,
    Command,
    look_up,
)
from trivet_node.scripting.faults import ScriptError
from trivet_node.scripting.gateway import Gateway
from trivet_node.scripting.shebang import ALLOW_CROSS_SLOT_KEYS, UNDECLARED
from trivet_node.server import invalidation, monitoring
from trivet_node.server.admission import refused_write
from trivet_node.server.call import call
from trivet_node.server.state import (
    CHECK_BUSY,
    CHECK_CLUSTER,
    CHECK_MONITORED,
    CHECK_STALE,
    Server,
)
from trivet_wire import errors
from trivet_wire.replies import RESP2
from trivet_wire.slots import key_slot

_UNKNOWN: Final = b"ERR Unknown Redis command called from script"
_WRONG_ARITY: Final = b"ERR Wrong number of args calling Redis command from script"
_NOT_IN_SCRIPTS: Final = b"ERR This Redis command is not allowed from script"
_NO_WRITES: Final = b"ERR Write commands are not allowed from read-only scripts."
_STALE: Final = b"ERR Can not execute the command on a stale replica"
_DOWN: Final = b"ERR Script attempted to execute a command while the cluster is down"
_DOWN_READ_ONLY: Final = b"ERR Script attempted to execute a write command while the cluster is down and readonly"
_NOT_LOCAL: Final = b"ERR Script attempted to access a non local key in a cluster node"
_CROSS_SLOT: Final = b"ERR Script attempted to access keys that do not hash to the same slot"
_KILLED: Final = b"ERR Script killed by user with SCRIPT KILL..."
_LOADS_TOO_LONG: Final = b"ERR FUNCTION LOAD timeout"
_LOADING_US: Final = 500_000
_LEVELS: Final = ("debug", "verbose", "notice", "warning")
# Which of the targets of redis.set_repl() our stream of effects is.
_REPLICAS: Final = 2
_NO_SLOT: Final = -1
_US_PER_MS: Final = 1000
# What runs scripts, or replaces them, never runs inside one: there is one script at a time.
_SCRIPTING: Final = "scripting"
# What the slow log shows of the commands of scripts. (Redis: genClientAddrString of a client without connection.)
_ADDRESS: Final = "?:0"


@final
class ScriptGateway(Gateway):
    """Runs the commands of the script that is running, if one is."""

    def __init__(self, server: Server) -> None:
        self._server: Server = server
        self.client: Client = Client(0, server.keyspace.database(0), _ADDRESS, "", int(server.keyspace.now_ms))
        # Who waits for the script, and what it is: None and empty while no script runs.
        self.caller: Client | None = None
        self.name: bytes = b""
        self.arguments: list[bytes] = []
        self.is_killed: bool = False
        self.has_written: bool = False
        self.is_read_only: bool = False
        self._keeps_to_slot: bool = False
        self._slot: int = _NO_SLOT
        self._is_busy: bool = False
        self._propagates: bool = True
        # Whether nothing about the caller or the script asks for more than running its commands.
        self._is_plain: bool = True
        # Until when the code of a library may run, in Unix microseconds; 0: for as long as it likes.
        self._loading_until_us: int = 0
        # How deep in commands the script runs: Server.call_depth when it began.
        self._depth: i64 = 0
        # How many errors INFO had counted when the script began.
        self._errors_before: i64 = 0

    def begin(self, caller: Client, arguments: list[bytes], name: bytes, flags: int) -> None:
        """Run commands for a script of `caller` from now on; `arguments` is the request that it comes from."""
        client = self.client
        client.database = caller.database
        client.reply.protocol = RESP2
        client.flags = caller.flags & CLUSTER_READONLY
        self.caller = caller
        self.name = name
        self.arguments = arguments
        self.is_killed = False
        self.has_written = False
        self.is_read_only = False
        self._depth = self._server.call_depth
        self._errors_before = self._server.stats.error_replies
        self._keeps_to_slot = flags & (UNDECLARED | ALLOW_CROSS_SLOT_KEYS) == 0
        self._slot = _NO_SLOT
        self._is_plain = caller.flags & TRACKING == 0

    def end(self) -> None:
        """Take note that the script is over."""
        self.caller = None
        if self._is_busy:
            self._is_busy = False
            self._server.checks &= ~CHECK_BUSY
        self._propagates = True

    def is_running(self) -> bool:
        """Say whether a script, or a function, runs now."""
        return self.caller is not None

    def has_counted_errors(self) -> bool:
        """Say whether commands of the script have failed."""
        return self._server.stats.error_replies != self._errors_before

    def count_failure(self) -> None:
        """Count that the command that runs the script has failed."""
        self._own_command().failed_calls += 1

    def keep_to_slot_of(self, keys: list[bytes]) -> None:
        """Let the script touch only the slot of its own keys, if it may touch only one."""
        if self._keeps_to_slot and keys:
            self._slot = int(key_slot(keys[0]))

    def call(self, arguments: list[bytes]) -> bytes:
        """Run a command of the script."""
        server = self._server
        command = server.table.get(arguments[0])
        if command is None or command.subcommands:
            command = look_up(server.table, arguments)
            if command is None:
                raise self._refused(None, _UNKNOWN)
        if not command.accepts(len(arguments)):
            raise self._refused(command, _WRONG_ARITY)
        if command.flags & NOSCRIPT != 0 and (command.group == _SCRIPTING or not server.debug.allows_denied_scripts):
            raise self._refused(command, _NOT_IN_SCRIPTS)
        if server.checks != 0 or self.is_read_only:
            refusal = self._refusal(command, arguments)
            if refusal is not None:
                raise self._refused(command, refusal)
        if command.flags & WRITE != 0:
            self.has_written = True
        client = self.client
        client.last_command = command
        if server.checks == 0 and self._is_plain:
            call(server, client, command, arguments)
        else:
            self._call_observed(command, arguments)
        return client.reply.take()

    def set_protocol(self, protocol: int) -> None:
        """Reply to this script in RESP 2 or 3 from now on."""
        self.client.reply.protocol = protocol

    def set_propagation(self, targets: int) -> None:
        """Propagate what this script changes, or not."""
        self._propagates = targets & _REPLICAS != 0
        self._is_plain = False

    def may_run(self, arguments: list[bytes]) -> bool:
        """Say whether the user may run a command."""
        if look_up(self._server.table, arguments) is None:
            raise ScriptError(b"ERR Invalid command passed to redis.acl_check_cmd()", 1)
        return True

    def log(self, level: int, text: bytes) -> None:
        """Write a line to the log."""
        self._server.host.log(_LEVELS[level], text.decode(errors="replace"))

    def interrupt(self) -> bytes:
        """Serve other clients if the script takes long; return an error that is to end it, or nothing."""
        server = self._server
        if self.caller is None:
            return _LOADS_TOO_LONG if 0 < self._loading_until_us < server.stopwatch.clock.now_us() else b""
        threshold_ms = server.config.busy_reply_threshold
        if threshold_ms <= 0 or self.running_ms() < threshold_ms:
            return b""
        if not self._is_busy:
            self._is_busy = True
            server.checks |= CHECK_BUSY
            command = "FUNCTION KILL" if server.programs.runs_function else "SCRIPT KILL"
            server.host.log(
                "warning",
                f"Slow script detected: still in execution after {self.running_ms()} milliseconds. "
                f"You can try killing the script using the {command} command.",
            )
        self._serve_others(self.caller)
        return _KILLED if self.is_killed else b""

    def limit_loading(self, limited: bool) -> None:
        """Let the code of a library, which is loaded next, run for a while and no longer; or let it run."""
        self._loading_until_us = self._server.stopwatch.clock.now_us() + _LOADING_US if limited else 0

    def running_ms(self) -> int:
        """Return for how long the script has been running: time stands still for the keyspace meanwhile."""
        return self._server.stopwatch.clock.now_us() // _US_PER_MS - int(self._server.keyspace.now_ms)

    def fault(self) -> None:
        """Write the exception that is being handled to the log; the script goes on without what has failed."""
        server = self._server
        server.host.log_exception("A function that a script has called failed")
        if self.caller is not None:
            server.call_depth = self._depth
            server.propagation.drop_substitute()
            self.client.reply.take()

    def _own_command(self) -> Command:
        """Return the command that runs the script."""
        return self._server.table[self.arguments[0].lower()]

    def _serve_others(self, caller: Client) -> None:
        server = self._server
        outer = server.caller
        goes_on = server.host.serve_others(caller)
        # A request that has failed may have left its own there.
        server.caller = outer
        if not goes_on:
            # What half a script has done is nothing that replicas should see.
            self.is_killed = True
            server.propagation.take()
            server.propagation.enabled = False

    def _call_observed(self, command: Command, arguments: list[bytes]) -> None:
        """Run a command whose effects are not to be propagated, or while somebody looks on.

        What it costs is not measured: the command that runs the script is, with its keys.
        """
        server = self._server
        propagation = server.propagation
        enabled = propagation.enabled
        propagation.enabled = enabled and self._propagates
        try:
            call(server, self.client, command, arguments)
        finally:
            propagation.enabled = enabled
        if server.checks & CHECK_MONITORED != 0:
            monitoring.show_call(server, self.client, b"lua", command, arguments)
        caller = self.caller
        if caller is not None and caller.flags & TRACKING != 0 and command.flags & READONLY != 0:
            # Redis remembers the keys that the script was given, whichever the command has read.
            invalidation.remember(server, caller, self._own_command(), self.arguments)

    def _refused(self, command: Command | None, text: bytes) -> ScriptError:
        if command is not None:
            command.rejected_calls += 1
        self._server.stats.count_error(text)
        return ScriptError(text)

    def _refusal(self, command: Command, arguments: list[bytes]) -> bytes | None:
        """Return the error that the command meets, or None where it may run. (Redis: scriptVerify...)"""
        caller = self.caller
        assert caller is not None
        checks = self._server.checks
        flags = command.flags
        refusal: bytes | None = None
        if checks & CHECK_STALE != 0 and flags & STALE == 0:
            refusal = _STALE
        elif self.is_read_only and flags & (WRITE | MAY_REPLICATE) != 0:
            refusal = _NO_WRITES
        elif caller.flags & PRIMARY == 0:
            if flags & WRITE != 0 and not self.has_written:
                refusal = refused_write(checks)
            if refusal is None and checks & CHECK_CLUSTER != 0:
                refusal = self._cluster_refusal(command, arguments)
        return refusal

    def _cluster_refusal(self, command: Command, arguments: list[bytes]) -> bytes | None:
        machine = self._server.cluster
        keys = command.keys(arguments)
        if machine is None or not keys:
            return None
        refused = redirection(machine.state, self.client, keys, command.flags & WRITE != 0)
        if refused is not None:
            if refused == errors.CLUSTER_DOWN:
                return _DOWN
            return _DOWN_READ_ONLY if refused == errors.CLUSTER_DOWN_READ_ONLY else _NOT_LOCAL
        if self._keeps_to_slot:
            slot = int(key_slot(keys[0]))
            if self._slot not in (_NO_SLOT, slot):
                return _CROSS_SLOT
            self._slot = slot
        return None
