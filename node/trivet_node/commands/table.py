"""All commands of a node."""

from typing import Final

from trivet_node.command import Command
from trivet_node.commands.bitmaps import bitfields, bitmaps
from trivet_node.commands.cluster import cluster
from trivet_node.commands.connections import clients, connection, listeners, pubsub, transactions
from trivet_node.commands.debug import debug
from trivet_node.commands.geo import geo
from trivet_node.commands.geo import searches as geo_searches
from trivet_node.commands.hashes import choices as hash_choices
from trivet_node.commands.hashes import expiring_values, field_deadlines, hashes
from trivet_node.commands.keys import databases, deadlines, dumps, keys, migration, objects, scanning, sorting
from trivet_node.commands.lists import blocking as list_blocking
from trivet_node.commands.lists import edits as list_edits
from trivet_node.commands.lists import lists
from trivet_node.commands.lists import moves as list_moves
from trivet_node.commands.scripting import eval as script_eval
from trivet_node.commands.scripting import fcall, functions, scripts
from trivet_node.commands.server import (
    administration,
    configuration,
    failover,
    hotkeys,
    introspection,
    latency,
    lolwut,
    memory,
    monitor,
    replication,
    slowlog,
)
from trivet_node.commands.server import info as server_info
from trivet_node.commands.sets import algebra as set_algebra
from trivet_node.commands.sets import draws as set_draws
from trivet_node.commands.sets import sets
from trivet_node.commands.streams import claims as stream_claims
from trivet_node.commands.streams import groups as stream_groups
from trivet_node.commands.streams import info as stream_info
from trivet_node.commands.streams import pending as stream_pending
from trivet_node.commands.streams import reading as stream_reading
from trivet_node.commands.streams import streams
from trivet_node.commands.strings import counters, hyperloglogs, strings, substrings
from trivet_node.commands.zsets import algebra as zset_algebra
from trivet_node.commands.zsets import choices as zset_choices
from trivet_node.commands.zsets import pops as zset_pops
from trivet_node.commands.zsets import ranges as zset_ranges
from trivet_node.commands.zsets import zsets

COMMANDS: Final[list[Command]] = [
    *bitfields.COMMANDS,
    *bitmaps.COMMANDS,
    *clients.COMMANDS,
    *connection.COMMANDS,
    *pubsub.COMMANDS,
    *listeners.COMMANDS,
    *transactions.COMMANDS,
    *debug.COMMANDS,
    *geo.COMMANDS,
    *geo_searches.COMMANDS,
    *expiring_values.COMMANDS,
    *field_deadlines.COMMANDS,
    *hash_choices.COMMANDS,
    *hashes.COMMANDS,
    *hyperloglogs.COMMANDS,
    *databases.COMMANDS,
    *deadlines.COMMANDS,
    *dumps.COMMANDS,
    *keys.COMMANDS,
    *migration.COMMANDS,
    *objects.COMMANDS,
    *scanning.COMMANDS,
    *sorting.COMMANDS,
    *list_blocking.COMMANDS,
    *list_edits.COMMANDS,
    *lists.COMMANDS,
    *list_moves.COMMANDS,
    *script_eval.COMMANDS,
    *fcall.COMMANDS,
    *functions.COMMANDS,
    *scripts.COMMANDS,
    *administration.COMMANDS,
    *cluster.COMMANDS,
    *configuration.COMMANDS,
    *failover.COMMANDS,
    *hotkeys.COMMANDS,
    *server_info.COMMANDS,
    *introspection.COMMANDS,
    *latency.COMMANDS,
    *lolwut.COMMANDS,
    *memory.COMMANDS,
    *monitor.COMMANDS,
    *replication.COMMANDS,
    *slowlog.COMMANDS,
    *set_algebra.COMMANDS,
    *set_draws.COMMANDS,
    *sets.COMMANDS,
    *stream_claims.COMMANDS,
    *stream_groups.COMMANDS,
    *stream_info.COMMANDS,
    *stream_pending.COMMANDS,
    *stream_reading.COMMANDS,
    *streams.COMMANDS,
    *counters.COMMANDS,
    *strings.COMMANDS,
    *substrings.COMMANDS,
    *zset_algebra.COMMANDS,
    *zset_pops.COMMANDS,
    *zset_ranges.COMMANDS,
    *zsets.COMMANDS,
    *zset_choices.COMMANDS,
]
