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
from trivet_wire.slots import SLOT_COUNT

# Tables are weighed by every so many of the slots.
_SLOT_STEP: Final = 256


@final
class TableSizes:
    """What the tables of one database take without keys and values, in bytes."""

    def __init__(self, database: Database) -> None:
        self.index: int = database.index
        self.keys: int = 0
        self.deadlines: int = 0
        for slot in range(0, SLOT_COUNT, _SLOT_STEP):
            self.keys += sys.getsizeof(database.slots[slot]) * _SLOT_STEP
            self.deadlines += sys.getsizeof(database.deadlines[slot]) * _SLOT_STEP if database.deadlines[slot] else 0


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
        self.tables: list[TableSizes] = [
            TableSizes(database) for database in server.keyspace.used_databases() if database.size
        ]

    def overhead(self) -> int:
        """Return what is used for anything but keys and values."""
        tables = sum([table.keys + table.deadlines for table in self.tables])
        buffers = self.backlog + self.held_for_replicas + self.replica_clients + self.clients
        return self.at_start + buffers + tables

    def dataset(self) -> int:
        """Return what keys and values use."""
        return max(0, self.used - self.overhead())

    def dataset_percentage(self) -> float:
        """Return how many of a hundred bytes that came since the start are data."""
        grown = self.used - self.at_start
        return 100 * self.dataset() / grown if grown > 0 else 0.0
