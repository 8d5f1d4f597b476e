"""CLUSTER SLOT-STATS: how many keys the slots of this shard hold, and what the commands on them have cost.

Keys are counted in all databases. (Valkey: cluster_slot_stats.c; Redis 8.2 took the command over.)
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.cluster.slots import range_of_slots, slots_in
from trivet_node.cluster.state import ClusterState
from trivet_node.command import CommandError
from trivet_node.commands.arguments import integer_in, option, slot_at
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.slots import SLOT_COUNT

_KEY_COUNT: Final = b"key-count"
_RANGE_ARGUMENTS: Final = 5
_FIRST_FILTER: Final = 4
_LIMIT_ERROR: Final = b"ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."


@final
class Order:
    """ORDERBY metric [LIMIT limit] [ASC | DESC]: by which metric, which way round, and how many slots."""

    def __init__(self, arguments: list[bytes], metrics: list[bytes]) -> None:
        self.metric: bytes = arguments[3].lower()
        if self.metric not in metrics:
            raise CommandError(b"ERR Unrecognized sort metric for ORDERBY.")
        self.descending: bool = True
        self.limit: int = SLOT_COUNT
        limits = directions = 0
        position = _FIRST_FILTER
        while position < len(arguments):
            word = option(arguments[position])
            if word == b"LIMIT" and position + 1 < len(arguments):
                position += 1
                limits += 1
                self.limit = integer_in(arguments[position], 1, SLOT_COUNT, _LIMIT_ERROR)
            elif word in (b"ASC", b"DESC"):
                directions += 1
                self.descending = word == b"DESC"
            else:
                raise CommandError(errors.SYNTAX)
            if limits > 1 or directions > 1:
                raise CommandError(b"ERR Multiple filters of the same type are disallowed.")
            position += 1


def reply_slot_stats(server: Server, client: Client, state: ClusterState, arguments: list[bytes]) -> None:
    """Answer CLUSTER SLOT-STATS."""
    word = option(arguments[2])
    served = state.shard_slots()
    if word == b"SLOTSRANGE" and len(arguments) == _RANGE_ARGUMENTS:
        slots = slots_in(served & _range(arguments))
    elif word == b"ORDERBY":
        slots = _ordered(server, slots_in(served), Order(arguments, _metrics(server)))
    else:
        raise CommandError(errors.subcommand_syntax("cluster", arguments[1]))
    client.reply.array(len(slots))
    for slot in slots:
        _reply_slot(server, client, slot)


def _range(arguments: list[bytes]) -> int:
    first = slot_at(arguments[3])
    last = slot_at(arguments[4])
    if first > last:
        raise CommandError(b"ERR Start slot number %d is greater than end slot number %d" % (first, last))
    return range_of_slots(first, last)


def _ordered(server: Server, slots: list[int], order: Order) -> list[int]:
    """Return the slots by a metric; those of the same value ascend, whatever the direction."""
    sign = -1 if order.descending else 1
    ranks = [(sign * _value(server, order.metric, slot), slot) for slot in slots]
    ranks.sort()
    return [slot for _, slot in ranks[: order.limit]]


def _metrics(server: Server) -> list[bytes]:
    """Return the metrics that there are, in the order in which they are told."""
    if not server.meters_slots:
        return [_KEY_COUNT]
    return [_KEY_COUNT, b"cpu-usec", b"network-bytes-in", b"network-bytes-out"]


def _value(server: Server, metric: bytes, slot: int) -> int:
    stats = server.slot_stats
    if metric == _KEY_COUNT or stats is None:
        return sum([len(database.slots[slot]) for database in server.keyspace.used_databases()])
    if metric == b"cpu-usec":
        return stats.cpu_us[slot]
    return stats.bytes_in[slot] if metric == b"network-bytes-in" else stats.bytes_out[slot]


def _reply_slot(server: Server, client: Client, slot: int) -> None:
    metrics = _metrics(server)
    client.reply.array(2)
    client.reply.integer(slot)
    client.reply.map(len(metrics))
    for metric in metrics:
        client.reply.bulk(metric)
        client.reply.integer(_value(server, metric, slot))
