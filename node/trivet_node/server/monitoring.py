r"""MONITOR: clients that are shown every request that is run, right behind what it does; a script right before.

    +1700000000.123456 [0 127.0.0.1:50000] "SET" "key" "a \"quoted\" value\n"

Requests of administrators and refused ones are not shown, passwords are left out. CHECK_MONITORED is on while anybody
looks on: every command then takes the slow path, to observed_call.py. (Redis: replicationFeedMonitors.)
"""

from typing import Final

from trivet_node.client import MONITOR, REPLY_OFF, Client
from trivet_node.command import ADMIN, SKIP_MONITOR, Command
from trivet_node.server.redaction import redacted
from trivet_node.server.state import CHECK_MONITORED, Server
from trivet_wire.quoting import quoted

_US_PER_S: Final = 1_000_000


def start(server: Server, client: Client) -> None:
    """Show every request to `client` from now on."""
    client.flags |= MONITOR
    server.monitors[client.id] = client
    server.checks |= CHECK_MONITORED


def show_call(server: Server, client: Client, source: bytes, command: Command, arguments: list[bytes]) -> None:
    """Show a request that was run, if it may be seen; see show()."""
    if command.flags & (ADMIN | SKIP_MONITOR) == 0:
        show(server, client, source, command, arguments)


def show(server: Server, client: Client, source: bytes, command: Command, arguments: list[bytes]) -> None:
    """Show a request that came from `source`; the database is the one that `client` has selected."""
    now_us = int(server.stopwatch.clock.now_us())
    words = b" ".join([quoted(argument) for argument in redacted(command, arguments)])
    line = b"%d.%06d [%d %s] %s" % (now_us // _US_PER_S, now_us % _US_PER_S, client.database.index, source, words)
    for monitor in server.monitors.values():
        if monitor.flags & REPLY_OFF == 0 and not monitor.is_closing():
            monitor.reply.simple(line)
            server.mark_pending(monitor)


def source_of(client: Client) -> bytes:
    """Return where a client's requests come from: its address, or the path of the unix socket."""
    if client.is_on_unix_socket():
        return b"unix:" + client.local_address.removesuffix(":0").encode()
    return client.address.encode()
