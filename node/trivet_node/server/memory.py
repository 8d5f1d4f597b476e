"""What memory a node uses, and for what: the numbers behind INFO memory, MEMORY STATS and MEMORY DOCTOR.

The process is measured by the shell: its private memory counts as used, what the kernel keeps resident for it is more.
What clients, the backlog and the tables of keys take is counted or estimated here; the rest is the data itself.
(Redis: getMemoryOverheadData in object.c.)
"""

import sys
from typing import Final, final

from trivet_node.keyspace import Database
from trivet_node.limits import NORMAL_CLASS, PUBSUB_CLASS, REPLICA_CLASS, client_class
from trivet_node.server.client_memory import memory_bytes
from trivet_node.server.state import Server
from trivet_node.values.sizes import value_bytes
from trivet_wire.slots import SLOT_COUNT

# Tables are weighed by every so many of the slots.
_SLOT_STEP: Final = 256
_EMPTY_TABLE_BYTES: Final = sys.getsizeof({})


def key_bytes(database: Database, key: bytes, samples: int) -> int:
    """Return about how many bytes a key takes with its value and its places in tables; it is there."""
    slot = database.slot_of(key)
    keys = database.slots[slot]
    deadlines = database.deadlines[slot]
    size = sys.getsizeof(key) + value_bytes(keys[key], samples) + sys.getsizeof(keys) // len(keys)
    if deadlines is not None and key in deadlines:
        size += sys.getsizeof(deadlines[key]) + sys.getsizeof(deadlines) // len(deadlines)
    return size


@final
class TableSizes:
    """What the tables of one database take without keys and values, in bytes."""

    def __init__(self, database: Database) -> None:
        self.index: int = database.index
        self.keys: int = 0
        self.deadlines: int = 0
        for slot in range(0, SLOT_COUNT, _SLOT_STEP):
            # An empty table for every slot was there from the start.
            self.keys += (sys.getsizeof(database.slots[slot]) - _EMPTY_TABLE_BYTES) * _SLOT_STEP
            deadlines = database.deadlines[slot]
            self.deadlines += 0 if deadlines is None else sys.getsizeof(deadlines) * _SLOT_STEP


@final
class MemoryOverview:
    """All in bytes, as it is now."""

    def __init__(self, server: Server) -> None:
        facts = server.host.process_facts()
        replication = server.replication
        clients = list(server.clients.values())
        self.used: int = facts.get("used_memory", 0)
        self.resident: int = facts.get("used_memory_rss", 0)
        self.peak: int = max(facts.get("used_memory_peak", 0), self.used)
        self.at_start: int = facts.get("used_memory_startup", 0)
        self.system: int = facts.get("total_system_memory", 0)
        self.backlog: int = 0 if replication.backlog is None else replication.backlog.length
        self.held_for_replicas: int = sum([replica.held_bytes for replica in replication.replicas.following])
        self.replica_clients: int = sum([memory_bytes(each) for each in clients if client_class(each) == REPLICA_CLASS])
        self.clients: int = sum(
            [memory_bytes(each) for each in clients if client_class(each) in (NORMAL_CLASS, PUBSUB_CLASS)]
        )
        self.scripts: int = server.programs.script_bytes()
        self.libraries: int = server.programs.library_bytes()
        self.keys: int = server.keyspace.size()
        self.tables: list[TableSizes] = [
            TableSizes(database) for database in server.keyspace.used_databases() if database.size
        ]

    def overhead(self) -> int:
        """Return what is used for anything but keys and values."""
        tables = sum([table.keys + table.deadlines for table in self.tables])
        buffers = self.backlog + self.held_for_replicas + self.replica_clients + self.clients
        return self.at_start + buffers + tables + self.scripts + self.libraries

    def dataset(self) -> int:
        """Return what keys and values use."""
        return max(0, self.used - self.overhead())

    def fields_before_tables(self) -> list[tuple[str, int]]:
        """Return what MEMORY STATS shows first."""
        return [
            ("peak.allocated", self.peak),
            ("total.allocated", self.used),
            ("startup.allocated", self.at_start),
            ("replication.backlog", self.backlog),
            ("clients.slaves", self.replica_clients),
            ("clients.normal", self.clients),
            ("aof.buffer", 0),
            ("lua.caches", self.scripts),
            ("functions.caches", self.libraries),
        ]

    def fields_behind_tables(self) -> list[tuple[str, int | float]]:
        """Return what MEMORY STATS shows last."""
        grown = max(0, self.used - self.at_start)
        return [
            ("overhead.total", self.overhead()),
            ("keys.count", self.keys),
            ("keys.bytes-per-key", grown // self.keys if self.keys else 0),
            ("dataset.bytes", self.dataset()),
            ("dataset.percentage", self.dataset_percentage()),
            ("peak.percentage", 100 * self.used / self.peak if self.peak else 0.0),
            ("fragmentation", self.resident / self.used if self.used else 0.0),
            ("fragmentation.bytes", self.resident - self.used),
        ]

    def dataset_percentage(self) -> float:
        """Return how many of a hundred bytes that came since the start are data."""
        grown = self.used - self.at_start
        return 100 * self.dataset() / grown if grown > 0 else 0.0
