"""A coordinated failover: how far a primary is with giving its role to one of its replicas.

    NONE               there is none
    WAITS_FOR_SYNC     nothing is written any more; the replica, or any, has yet to acknowledge all that was
    IN_PROGRESS        this node follows the replica already, which has yet to accept that it is the primary

(Redis: FAILOVER, replication.c.)
"""

from typing import Final, final

from trivet_node.replication.replicas import ONLINE, Replica

NONE: Final = 0
WAITS_FOR_SYNC: Final = 1
IN_PROGRESS: Final = 2

_STATE_NAMES: Final = ["no-failover", "waiting-for-sync", "failover-in-progress"]
_NEVER_MS: Final = 0


@final
class Failover:
    """The failover under way, if any. The target is `host`:`port`, no host for whoever is synced first."""

    def __init__(self) -> None:
        self.state: int = NONE
        self.host: str | None = None
        self.port: int = 0
        # Unix milliseconds after which the target is waited for no longer: the failover is given up, or forced.
        self.until_ms: int = _NEVER_MS
        self.is_forced: bool = False

    def state_name(self) -> str:
        """Return the state as INFO shows it."""
        return _STATE_NAMES[self.state]

    def name(self) -> str:
        """Return the target for the log."""
        return "any replica" if self.host is None else f"{self.host}:{self.port}"

    def is_late(self, now_ms: int) -> bool:
        """Say whether the time for waiting is over."""
        return self.until_ms != _NEVER_MS and self.until_ms <= now_ms

    def is_target(self, replica: Replica) -> bool:
        """Say whether a replica may take over, once it is synced."""
        return self.host is None or is_at(replica, self.host, self.port)


def is_at(replica: Replica, host: str, port: int) -> bool:
    """Say whether a replica is to be reached at that address. (Redis: findReplica.)"""
    return replica.host().lower() == host.lower() and replica.listening_port == port


def is_synced(replica: Replica, offset: int) -> bool:
    """Say whether a replica has acknowledged the whole stream, which ends at `offset`."""
    return replica.state == ONLINE and replica.acknowledged == offset
