"""Running a script or a function for a client, and its reply.

(Redis: script.c scriptPrepareForRun; eval.c evalGenericCommand; functions.c fcallCommandGeneric.)
"""

from typing import Final, final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import CommandError
from trivet_node.scripting.libraries import Function
from trivet_node.scripting.machine import Failure, Machine, TableResult
from trivet_node.scripting.programs import Script
from trivet_node.scripting.shebang import ALLOW_STALE, NO_CLUSTER, NO_WRITES, UNDECLARED
from trivet_node.scripting.values import truncate
from trivet_node.server.admission import refused_write
from trivet_node.server.scripts.gateway import ScriptGateway
from trivet_node.server.state import CHECK_STALE, Server
from trivet_wire import errors
from trivet_wire.replies import RESP2

_NO_CLUSTER: Final = b"ERR Can not run script on cluster, 'no-cluster' flag is set."
_STALE: Final = (
    b"MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set "
    b"on the script."
)
_WRITES: Final = b"ERR Can not execute a script with write flag using *_ro command."
_SHOWN_MAX: Final = 100
# Where the keys begin in a request.
_FIRST_KEY: Final = 3


@final
class Invocation:
    """A request that runs a script or a function: its first `key_count` arguments behind the number are keys."""

    def __init__(self, client: Client, arguments: list[bytes], key_count: int, is_read_only: bool) -> None:
        self.client: Client = client
        self.arguments: list[bytes] = arguments
        self.key_count: int = key_count
        self.is_read_only: bool = is_read_only


def gateway_of(server: Server) -> ScriptGateway:
    """Return the gateway of the server's scripts, made on first use."""
    gateway = server.programs.gateway
    if isinstance(gateway, ScriptGateway):
        return gateway
    made = ScriptGateway(server)
    server.programs.gateway = made
    return made


def run_script(server: Server, invocation: Invocation, script: Script) -> None:
    """Run a script and reply what it gives. Raises CommandError."""
    gateway = _begin(server, invocation, script.sha, script.flags)
    server.programs.runs_function = False
    try:
        machine = server.programs.machine(gateway)
        result = machine.run(script.body, invocation.key_count, invocation.arguments[_FIRST_KEY:])
        _reply(server, gateway, machine, result)
    finally:
        gateway.end()
    _propagate_nothing(server)


def run_function(server: Server, invocation: Invocation, function: Function) -> None:
    """Run a function of a library as run_script() does a script. Raises CommandError."""
    gateway = _begin(server, invocation, function.name, function.flags)
    server.programs.runs_function = True
    try:
        machine = server.programs.loader(gateway).machine
        result = machine.run_function(function.body, invocation.key_count, invocation.arguments[_FIRST_KEY:])
        _reply(server, gateway, machine, result)
    finally:
        gateway.end()
    _propagate_nothing(server)


def _begin(server: Server, invocation: Invocation, name: bytes, flags: int) -> ScriptGateway:
    if server.checks != 0 or flags != UNDECLARED:
        refusal = _refusal(server, invocation, flags)
        if refusal is not None:
            raise CommandError(refusal)
    gateway = gateway_of(server)
    gateway.begin(invocation.client, invocation.arguments, name, flags)
    if invocation.is_read_only or flags & NO_WRITES != 0:
        gateway.is_read_only = True
    if server.cluster is not None:
        gateway.keep_to_slot_of(invocation.arguments[_FIRST_KEY : _FIRST_KEY + invocation.key_count])
    return gateway


def _refusal(server: Server, invocation: Invocation, flags: int) -> bytes | None:
    """Return the error for a script that may not run now, or None."""
    is_stale = server.checks & CHECK_STALE != 0
    if flags & UNDECLARED != 0:
        return errors.PRIMARY_DOWN if is_stale else None
    if flags & NO_CLUSTER != 0 and server.cluster is not None:
        return _NO_CLUSTER
    if is_stale and flags & ALLOW_STALE == 0:
        return _STALE
    if flags & NO_WRITES != 0:
        return None
    refusal = refused_write(server.checks) if invocation.client.flags & PRIMARY == 0 else None
    return _WRITES if refusal is None and invocation.is_read_only else refusal


def _propagate_nothing(server: Server) -> None:
    """Let the command that has run a script leave nothing in the stream: what the script's commands did is there."""
    server.propagation.instead([])


def _reply(server: Server, gateway: ScriptGateway, machine: Machine, result: object) -> None:
    """Reply what a script has given."""
    caller = gateway.caller
    assert caller is not None
    if isinstance(result, bytes):
        caller.reply.bulk(result)
    elif isinstance(result, TableResult):
        _reply_table(server, caller, gateway, machine, result)
    elif isinstance(result, Failure):
        _reply_error(server, caller, gateway, _failure_text(gateway, result), result.is_counted)
    else:
        _reply_scalar(caller, gateway, result)


def _reply_scalar(caller: Client, gateway: ScriptGateway, result: object) -> None:
    reply = caller.reply
    if isinstance(result, bool) and gateway.client.reply.protocol != RESP2:
        reply.boolean(result)
    elif result is None or result is False:
        reply.null()
    elif isinstance(result, (int, float)):
        reply.integer(truncate(result))


def _reply_table(server: Server, caller: Client, gateway: ScriptGateway, machine: Machine, result: TableResult) -> None:
    encoded = machine.encode(result, int(caller.reply.protocol), int(gateway.client.reply.protocol))
    uncounted = encoded[1:]
    if encoded[0].startswith(b"-"):
        _reply_error(server, caller, gateway, encoded[0][1:-2], not uncounted)
        return
    caller.reply.raw(encoded[0])
    if uncounted:
        gateway.count_failure()
        for text in uncounted:
            server.stats.count_error(text)


def _failure_text(gateway: ScriptGateway, failure: Failure) -> bytes:
    if failure.is_bare:
        return b"ERR Error running script %s, %s" % (gateway.name, failure.text[:_SHOWN_MAX])
    if not failure.line or not failure.source:
        return failure.text
    return b"%s script: %s, on %s:%s." % (failure.text, gateway.name, failure.source, failure.line)


def _reply_error(server: Server, caller: Client, gateway: ScriptGateway, text: bytes, is_counted: bool) -> None:
    """Reply an error. Where commands of the script have failed, call() does not count that the script has, too."""
    if gateway.has_counted_errors():
        gateway.count_failure()
        if not is_counted:
            server.stats.count_error(text)
    caller.reply.error(text)
