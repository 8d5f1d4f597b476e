"""DEBUG CLIENT-EVICTION: clients by the memory that they hold. (Redis: debug.c debugCommand.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import CommandError
from trivet_node.server.client_memory import evictable_clients, limit_bytes, memory_bytes
from trivet_node.server.state import Server

# Each bucket reaches to twice as many bytes as the one before.
_SMALLEST_LOG: Final = 15
_BUCKETS: Final = 19


def client_eviction(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG CLIENT-EVICTION."""
    if limit_bytes(server) == 0:
        raise CommandError(b"ERR maxmemory-clients is disabled.")
    sizes: list[list[int]] = [[] for _ in range(_BUCKETS)]
    for other in evictable_clients(server):
        size = memory_bytes(other)
        sizes[min((size >> _SMALLEST_LOG).bit_length(), _BUCKETS - 1)].append(size)
    lines = [
        f"bucket {_range(bucket)}: tot-mem: {sum(held):10d}, clients: {len(held)}\n"
        for bucket, held in enumerate(sizes)
    ]
    client.reply.verbatim("".join(lines).encode())


def _range(bucket: int) -> str:
    first = 1 << (bucket - 1 + _SMALLEST_LOG) if bucket else 0
    if bucket == _BUCKETS - 1:
        return f"{first:10d}+            "
    return f"{first:10d} - {(1 << (bucket + _SMALLEST_LOG)) - 1:10d}"
