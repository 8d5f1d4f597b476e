"""Run one command that was admitted: count it, measure it, and collect its effects for propagation."""

from trivet_node.client import Client
from trivet_node.command import Command, CommandError
from trivet_node.server.state import Server
from trivet_node.server.timekeeping import measured
from trivet_node.server.waiting import serve_ready_keys
from trivet_wire.replies import encode_command


def call(server: Server, client: Client, command: Command, arguments: list[bytes]) -> None:
    """Run `command` for `client`. Called by the engine for requests, and by EXEC for what was queued."""
    errors = client.reply.errors
    errors_counted = server.stats.error_replies
    stopwatch = server.stopwatch
    if server.call_depth != 0:
        # Outermost commands begin where the last one ended; those inside EXEC or a script do not.
        stopwatch.start()
    begin_us = stopwatch.mark_us
    server.call_depth += 1
    if server.propagation.enabled:
        _call_and_propagate(server, client, command, arguments)
    else:
        _handle(server, client, command, arguments)
    server.call_depth -= 1
    command.calls += 1
    server.stats.commands_processed += 1
    if stopwatch.runs:
        measured(server, client, command, arguments, stopwatch.lap(begin_us))
    # EXEC has not failed because a command inside it has: that one counted its error itself.
    if client.reply.errors != errors and server.stats.error_replies == errors_counted:
        command.failed_calls += 1
        server.stats.count_error(client.reply.last_error)
    if server.keyspace.ready and server.call_depth == 0:
        serve_ready_keys(server)


def _handle(server: Server, client: Client, command: Command, arguments: list[bytes]) -> None:
    try:
        command.handler(server, client, arguments)
    except CommandError as error:
        client.reply.error(error.text)


def _call_and_propagate(server: Server, client: Client, command: Command, arguments: list[bytes]) -> None:
    keyspace = server.keyspace
    propagation = server.propagation
    # A handler may select another database; what it changed lies in the one it started in.
    database = client.database.index
    dirty = keyspace.dirty
    _handle(server, client, command, arguments)
    server.collect_expired()
    if propagation.has_substitute():
        propagation.add_substitute(database)
    elif keyspace.dirty != dirty:
        raw = client.parser.raw() if server.call_depth == 1 else encode_command(arguments)
        propagation.add(database, raw)
    if server.call_depth == 1 and server.propagate():
        client.write_offset = server.replication.history.offset
