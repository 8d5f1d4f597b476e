"""MEMORY DOCTOR: what may be wrong with the memory of a node, for people. (Redis: getMemoryDoctorReport.)"""

from typing import Final

from trivet_node.server.information.fields import ratio
from trivet_node.server.memory import MemoryOverview
from trivet_node.server.state import Server

_MB: Final = 2**20
# Below so much nothing can be told.
_SMALL_BYTES: Final = 5 * _MB
_PEAK_RATIO: Final = 1.5
_RESIDENT_RATIO: Final = 1.4
_RESIDENT_EXCESS_BYTES: Final = 10 * _MB
_REPLICA_BYTES: Final = 10 * _MB
_CLIENT_BYTES: Final = 200 * 1024

_EMPTY: Final = (
    "Hi Sam, this instance is empty or is using very little memory, my issues detector can't be used in these "
    "conditions. Please, leave for your mission on Earth and fill it with some data. The new Sam and I will be back to "
    "our programming as soon as I finished rebooting.\n"
)
_HEALTHY: Final = (
    "Hi Sam, I can't find any memory issue in your instance. I can only account for what occurs on this base.\n"
)
_FOUND: Final = "Sam, I detected a few issues in this Redis instance memory implants:\n\n"
_END: Final = "I'm here to keep you safe, Sam. I want to help you.\n"
_PEAK: Final = (
    "Peak memory: In the past this instance used more than 150% of the memory that it uses now. Not all of it went "
    "back to the system; what is left will be used as soon as there is more data. MEMORY PURGE may give some of it "
    "back, a restart gives back all."
)
_RESIDENT: Final = (
    "High total RSS: The process is more than 1.4 times as large as the memory of its own. Files mapped into it and "
    "memory that it shares with its children count, and the rest of a large peak does."
)
_REPLICAS: Final = (
    "Big replica buffers: More than 10 MB wait for each replica on average. Some replica is too slow, or the network "
    "is: see slave0 and its neighbours in INFO replication, and CLIENT LIST TYPE replica."
)
_CLIENTS: Final = (
    "Big client buffers: More than 200 kB wait for each client on average. Some send large requests, or do not read "
    "their replies or messages fast enough: see omem and qbuf in CLIENT LIST."
)


def report(server: Server) -> str:
    """Return the report."""
    memory = MemoryOverview(server)
    if memory.used - memory.at_start < _SMALL_BYTES:
        return _EMPTY
    issues = _issues(server, memory)
    if not issues:
        return _HEALTHY
    return _FOUND + "".join([f" * {issue}\n\n" for issue in issues]) + _END


def _issues(server: Server, memory: MemoryOverview) -> list[str]:
    replicas = len(server.replication.replicas.following)
    waits_for_replicas = memory.replica_clients + memory.held_for_replicas
    found: list[str] = []
    if ratio(memory.peak, memory.used) > _PEAK_RATIO:
        found.append(_PEAK)
    excess = memory.resident - memory.used
    if ratio(memory.resident, memory.used) > _RESIDENT_RATIO and excess > _RESIDENT_EXCESS_BYTES:
        found.append(_RESIDENT)
    if ratio(waits_for_replicas, replicas) > _REPLICA_BYTES:
        found.append(_REPLICAS)
    if ratio(memory.clients, len(server.clients) - replicas) > _CLIENT_BYTES:
        found.append(_CLIENTS)
    return found
