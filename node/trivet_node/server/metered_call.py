"""Run one command that was admitted, and measure it while CLUSTER SLOT-STATS or HOTKEYS want to know.

A command's time is all that it takes, with what it lets happen at once. The time of EXEC is that of its transaction;
the commands inside count for hot keys only. What our primary sends is not counted: it costs the primary's clients.
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.client import PRIMARY, Client
from trivet_node.command import Command
from trivet_node.server.call import call
from trivet_node.server.metering import count_key_command, count_slot_command
from trivet_node.server.state import CHECK_METERED, Server
from trivet_wire.replies import encoded_size

# MULTI has come before it was known which slot it is about.
_MULTI_BYTES: Final = 15


def run(server: Server, client: Client, command: Command, arguments: list[bytes]) -> None:
    """Run `command`; see call()."""
    if server.checks & CHECK_METERED == 0 or client.flags & PRIMARY != 0:
        call(server, client, command, arguments)
        return
    if command.name == "exec":
        keys = [key for queued in client.queued for key in queued.command.keys(queued.arguments)]
    else:
        keys = command.keys(arguments)
    if keys:
        _run_measured(server, client, command, arguments, keys)
    else:
        call(server, client, command, arguments)


def _run_measured(server: Server, client: Client, command: Command, arguments: list[bytes], keys: list[bytes]) -> None:
    slot = client.database.slot_of(keys[0])
    history = server.replication.history
    size: i64 = len(client.reply)
    begin_offset = history.offset
    stopwatch = server.stopwatch
    begin_us = stopwatch.clock.now_us()
    call(server, client, command, arguments)
    end_us = stopwatch.clock.now_us()
    # The time of day may be set back meanwhile.
    elapsed_us: i64 = end_us - begin_us if end_us > begin_us else 0
    bytes_in = encoded_size(arguments)
    bytes_out: i64 = len(client.reply) - size
    if command.name == "exec":
        bytes_in += _MULTI_BYTES
    else:
        count_key_command(server, keys, slot, elapsed_us, bytes_in + bytes_out)
    if server.call_depth == 0:
        streamed_bytes = (history.offset - begin_offset) * len(server.replication.replicas.following)
        count_slot_command(server, slot, elapsed_us, bytes_in, bytes_out + streamed_bytes)
        # Counting is no part of the next command.
        stopwatch.start()
