"""What the commands on the keys of each slot have cost, for CLUSTER SLOT-STATS. (Valkey: cluster_slot_stats.c.)"""

from typing import final

from trivet_wire.slots import SLOT_COUNT


@final
class SlotStats:
    """Counters by slot: time in microseconds, and bytes of requests, and of replies and the replication stream."""

    def __init__(self, slots: int) -> None:
        self.cpu_us: list[int] = []
        self.bytes_in: list[int] = []
        self.bytes_out: list[int] = []
        # The slots that this node's shard served when somebody last looked, as a set of cluster/slots.py.
        self.slots: int = slots
        self.reset()

    def reset(self) -> None:
        """Begin all counters at zero."""
        self.cpu_us = [0] * SLOT_COUNT
        self.bytes_in = [0] * SLOT_COUNT
        self.bytes_out = [0] * SLOT_COUNT

    def forget(self, slots: list[int]) -> None:
        """Begin the counters of some slots at zero."""
        for slot in slots:
            self.cpu_us[slot] = 0
            self.bytes_in[slot] = 0
            self.bytes_out[slot] = 0
