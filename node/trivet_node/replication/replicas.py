"""The primary's side: which replicas follow, in which state, and how far they are.

A replica introduces itself (REPLCONF), then asks for the stream (PSYNC). Without a partial resynchronization it waits
for a snapshot to begin, for that snapshot to end, and for its bytes to arrive; what is written meanwhile is held. Then
the stream goes straight to its reply buffer, and it acknowledges offsets (REPLCONF ACK).
"""

from typing import Final, final

from trivet_node.client import Client

# A client that sent REPLCONF but did not ask for the stream.
INTRODUCED: Final = 0
WAITS_FOR_SNAPSHOT: Final = 1
SNAPSHOT_UNDER_WAY: Final = 2
RECEIVES_SNAPSHOT: Final = 3
ONLINE: Final = 4

_STATE_NAMES: Final = ["", "wait_bgsave", "wait_bgsave", "send_bulk", "online"]
_MS_PER_S: Final = 1000


@final
class Replica:
    """One replica as its primary sees it. Times are Unix milliseconds."""

    def __init__(self, client: Client) -> None:
        self.client: Client = client
        self.state: int = INTRODUCED
        self.listening_port: int = 0
        self.announced_host: str = ""
        self.understands_psync2: bool = False
        # SYNC instead of PSYNC: an old replica that wants no +FULLRESYNC line and never acknowledges.
        self.is_old: bool = False
        self.acknowledged: int = 0
        self.acknowledged_ms: int = 0
        # The offset that its snapshot has, and what was written since, while it cannot be sent yet.
        self.snapshot_offset: int = 0
        self.held: list[bytes] = []
        self.held_bytes: int = 0

    def host(self) -> str:
        """Return the address to reach the replica at."""
        return self.announced_host or self.client.address.rpartition(":")[0].strip("[]")

    def name(self) -> str:
        """Return the replica's address for the log."""
        port = str(self.listening_port) if self.listening_port else "<unknown-replica-port>"
        return f"{self.host()}:{port}"

    def state_name(self) -> str:
        """Return the state as INFO shows it."""
        return _STATE_NAMES[self.state]

    def lag_s(self, now_ms: int) -> int:
        """Return how many seconds ago the replica was heard of last."""
        return max(0, (now_ms - self.acknowledged_ms) // _MS_PER_S)

    def hold(self, data: bytes) -> None:
        """Keep a part of the stream until the snapshot was sent."""
        self.held.append(data)
        self.held_bytes += len(data)

    def acknowledge(self, offset: int, now_ms: int) -> None:
        """Note that the replica has applied the stream up to `offset`."""
        self.acknowledged = max(self.acknowledged, offset)
        self.acknowledged_ms = now_ms


@final
class Replicas:
    """All replicas, in the order in which they came."""

    def __init__(self) -> None:
        # Who follows, and of them the ones that are sent the stream as it is written.
        self.following: list[Replica] = []
        self._by_client: dict[int, Replica] = {}

    def of(self, client: Client) -> Replica:
        """Return the replica that a client is, or may become."""
        replica = self._by_client.get(client.id)
        if replica is None:
            replica = Replica(client)
            self._by_client[client.id] = replica
        return replica

    def find(self, client: Client) -> Replica | None:
        """Return the replica that a client is, or None."""
        return self._by_client.get(client.id)

    def add(self, replica: Replica, state: int) -> None:
        """Let a replica follow."""
        replica.state = state
        self.following.append(replica)

    def forget(self, client: Client) -> Replica | None:
        """Drop the replica that a client was and return it, if it did follow."""
        replica = self._by_client.pop(client.id, None)
        if replica is None or replica.state == INTRODUCED:
            return None
        self.following = [other for other in self.following if other is not replica]
        return replica

    def in_state(self, state: int) -> list[Replica]:
        """Return the replicas in one state."""
        return [replica for replica in self.following if replica.state == state]

    def count_acknowledged(self, offset: int) -> int:
        """Return how many replicas have applied the stream up to `offset`. (Redis: WAIT.)"""
        return sum([1 for replica in self.following if replica.state == ONLINE and replica.acknowledged >= offset])

    def count_good(self, max_lag_s: int, now_ms: int) -> int:
        """Return how many replicas were heard of within `max_lag_s` seconds. (Redis: min-replicas-max-lag.)"""
        return sum([1 for replica in self.following if replica.state == ONLINE and replica.lag_s(now_ms) <= max_lag_s])
