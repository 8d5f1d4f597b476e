"""What commands cost, for CLUSTER SLOT-STATS and HOTKEYS: who counts, and what is counted.

CHECK_METERED is on while one of them does: every command then takes the slow path through admission, to
metered_call.py, which measures it. While it is off nothing of this is ever reached.
(Redis 8.6: hotkeys.c; Valkey: cluster_slot_stats.c.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.client import PRIMARY, Client
from trivet_node.command import Command
from trivet_node.metering.hot_keys import HotKeys
from trivet_node.metering.slot_stats import SlotStats
from trivet_node.server.state import CHECK_METERED, Server
from trivet_wire.replies import encoded_size
from trivet_wire.slots import key_slot

# `+QUEUED` with its line break.
_QUEUED_BYTES: Final = 9


def follow(server: Server) -> None:
    """Switch metering on or off, as the settings and HOTKEYS want it now."""
    machine = server.cluster
    server.meters_slots = machine is not None and server.config.cluster_slot_stats_enabled
    if machine is not None and server.meters_slots and server.slot_stats is None:
        server.slot_stats = SlotStats(machine.state.shard_slots())
    if server.meters_slots or current_hot_keys(server) is not None:
        server.checks |= CHECK_METERED
    else:
        server.checks &= ~CHECK_METERED


def current_hot_keys(server: Server) -> HotKeys | None:
    """Return the session of HOTKEYS if it is under way; one whose time is over ends here."""
    hot_keys = server.hot_keys
    if hot_keys is None or not hot_keys.is_active:
        return None
    hot_keys.end_if_due(int(server.keyspace.now_ms))
    if hot_keys.is_active:
        return hot_keys
    follow(server)
    return None


def count_key_command(server: Server, keys: list[bytes], slot: i64, elapsed_us: i64, net_bytes: i64) -> None:
    """Count a command on keys of `slot` for the hot keys; `net_bytes` are those of its request and its reply."""
    hot_keys = current_hot_keys(server)
    if hot_keys is not None:
        ratio = hot_keys.sample_ratio
        is_sampled = ratio == 1 or server.random.random() * ratio < 1
        hot_keys.count_command(keys, slot, elapsed_us, net_bytes, is_sampled)


def count_slot_command(server: Server, slot: i64, elapsed_us: i64, bytes_in: i64, bytes_out: i64) -> None:
    """Count what a command on keys of `slot` has cost."""
    stats = server.slot_stats
    if server.meters_slots and stats is not None:
        stats.cpu_us[slot] += elapsed_us
        stats.bytes_in[slot] += bytes_in
        stats.bytes_out[slot] += bytes_out


def note_queued(server: Server, client: Client, command: Command, arguments: list[bytes]) -> None:
    """Count the bytes of a command that was queued for EXEC, and of its reply."""
    if server.meters_slots and client.flags & PRIMARY == 0:
        keys = command.keys(arguments)
        if keys:
            count_slot_command(server, key_slot(keys[0]), 0, encoded_size(arguments), _QUEUED_BYTES)


def note_served(server: Server, key: bytes, reply_bytes: i64) -> None:
    """Count the reply to a client that has waited for `key`; the time is in that of the command which brought it."""
    if server.meters_slots:
        count_slot_command(server, key_slot(key), 0, 0, reply_bytes)
