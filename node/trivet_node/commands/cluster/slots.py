"""CLUSTER ADDSLOTS, DELSLOTS, KEYSLOT and their kin: which slots this node serves, and what is in them.

Moving slots one by one (SETSLOT, ASKING) is not there yet. (Redis: group "cluster".)
"""

from typing import Final

from trivet_node.client import Client
from trivet_node.cluster import administration
from trivet_node.cluster.slots import range_of_slots
from trivet_node.command import ADMIN, NO_ASYNC_LOADING, STALE, Command, CommandError
from trivet_node.commands.arguments import integer, slot_at
from trivet_node.commands.cluster.access import machine_of, state_of
from trivet_node.server.cluster_member import commit
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.slots import SLOT_COUNT, key_slot


def add_slots(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER ADDSLOTS slot [slot ...]."""
    administration.add_slots(state_of(server), _slot_list(arguments))
    commit(server)
    client.reply.ok()


def add_slots_range(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER ADDSLOTSRANGE start-slot end-slot [start-slot end-slot ...]."""
    administration.add_slots(state_of(server), _slot_ranges(arguments, "cluster|addslotsrange"))
    commit(server)
    client.reply.ok()


def delete_slots(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER DELSLOTS slot [slot ...]."""
    administration.delete_slots(state_of(server), _slot_list(arguments))
    commit(server)
    client.reply.ok()


def delete_slots_range(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER DELSLOTSRANGE start-slot end-slot [start-slot end-slot ...]."""
    administration.delete_slots(state_of(server), _slot_ranges(arguments, "cluster|delslotsrange"))
    commit(server)
    client.reply.ok()


def flush_slots(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER FLUSHSLOTS."""
    state = state_of(server)
    if server.keyspace.size() != 0:
        raise CommandError(b"ERR DB must be empty to perform CLUSTER FLUSHSLOTS.")
    administration.flush_slots(state)
    commit(server)
    client.reply.ok()


def key_slot_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER KEYSLOT key."""
    machine_of(server)
    client.reply.integer(int(key_slot(arguments[2])))


def count_keys_in_slot(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER COUNTKEYSINSLOT slot."""
    machine_of(server)
    slot = integer(arguments[2])
    if not 0 <= slot < SLOT_COUNT:
        raise CommandError(b"ERR Invalid slot")
    client.reply.integer(len(client.database.slots[slot]))


def get_keys_in_slot(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLUSTER GETKEYSINSLOT slot count."""
    machine_of(server)
    slot = integer(arguments[2])
    count = integer(arguments[3])
    if not 0 <= slot < SLOT_COUNT or count < 0:
        raise CommandError(b"ERR Invalid slot or number of keys")
    client.reply.bulk_array(list(client.database.slots[slot])[:count])


def _slot_list(arguments: list[bytes]) -> int:
    return _union([range_of_slots(slot, slot) for slot in [slot_at(argument) for argument in arguments[2:]]])


def _slot_ranges(arguments: list[bytes], command: str) -> int:
    if len(arguments) % 2 == 1:
        raise CommandError(errors.wrong_arity(command))
    ranges: list[int] = []
    for index in range(2, len(arguments), 2):
        first = slot_at(arguments[index])
        last = slot_at(arguments[index + 1])
        if first > last:
            raise CommandError(b"ERR start slot number %d is greater than end slot number %d" % (first, last))
        ranges.append(range_of_slots(first, last))
    return _union(ranges)


def _union(sets: list[int]) -> int:
    union = 0
    for slots_ in sets:
        twice = union & slots_
        if twice:
            raise CommandError(b"ERR Slot %d specified multiple times" % ((twice & -twice).bit_length() - 1))
        union |= slots_
    return union


SUBCOMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "cluster|addslots",
        -3,
        add_slots,
        ADMIN | NO_ASYNC_LOADING | STALE,
        group="cluster",
        since="3.0.0",
        summary="Assign new hash slots to receiving node",
        complexity="O(N) where N is the total number of hash slot arguments",
        arguments="slot:integer*",
    ),
    Command(
        "cluster|addslotsrange",
        -4,
        add_slots_range,
        ADMIN | NO_ASYNC_LOADING | STALE,
        group="cluster",
        since="7.0.0",
        summary="Assign new hash slots to receiving node",
        complexity="O(N) where N is the total number of the slots between the start slot and end slot arguments.",
        arguments="start-slot_end-slot:block*(start-slot:integer end-slot:integer)",
    ),
    Command(
        "cluster|countkeysinslot",
        3,
        count_keys_in_slot,
        STALE,
        group="cluster",
        since="3.0.0",
        summary="Return the number of local keys in the specified hash slot",
        arguments="slot:integer",
        difference="Of several databases (`cluster-databases`) it counts in the selected one, as in Valkey 9.",
    ),
    Command(
        "cluster|delslots",
        -3,
        delete_slots,
        ADMIN | NO_ASYNC_LOADING | STALE,
        group="cluster",
        since="3.0.0",
        summary="Set hash slots as unbound in receiving node",
        complexity="O(N) where N is the total number of hash slot arguments",
        arguments="slot:integer*",
    ),
    Command(
        "cluster|delslotsrange",
        -4,
        delete_slots_range,
        ADMIN | NO_ASYNC_LOADING | STALE,
        group="cluster",
        since="7.0.0",
        summary="Set hash slots as unbound in receiving node",
        complexity="O(N) where N is the total number of the slots between the start slot and end slot arguments.",
        arguments="start-slot_end-slot:block*(start-slot:integer end-slot:integer)",
    ),
    Command(
        "cluster|flushslots",
        2,
        flush_slots,
        ADMIN | NO_ASYNC_LOADING | STALE,
        group="cluster",
        since="3.0.0",
        summary="Delete a node's own slots information",
    ),
    Command(
        "cluster|getkeysinslot",
        4,
        get_keys_in_slot,
        STALE,
        group="cluster",
        since="3.0.0",
        summary="Return local key names in the specified hash slot",
        complexity="O(log(N)) where N is the number of requested keys",
        tips=("nondeterministic_output",),
        arguments="slot:integer count:integer",
        difference="Of several databases (`cluster-databases`) it looks into the selected one, as in Valkey 9.",
    ),
    Command(
        "cluster|keyslot",
        3,
        key_slot_,
        STALE,
        group="cluster",
        since="3.0.0",
        summary="Returns the hash slot of the specified key",
        complexity="O(N) where N is the number of bytes in the key",
        arguments="key:string",
    ),
)
