"""The settings that the cluster machine works by: redis.conf's cluster-* options."""

from typing import Final, final

ENDPOINT_IP: Final = "ip"
ENDPOINT_HOSTNAME: Final = "hostname"
ENDPOINT_UNKNOWN: Final = "unknown-endpoint"


@final
class ClusterOptions:
    """Settings of one node, by the names of redis.conf without `cluster-`; times in milliseconds.

    Addresses that are empty or 0 are not announced: others then see where our connections come from.
    """

    def __init__(self) -> None:
        self.port: int = 6379
        self.bus_port: int = 16379
        self.node_timeout_ms: int = 15000
        self.announce_host: str = ""
        self.announce_port: int = 0
        self.announce_bus_port: int = 0
        self.announce_hostname: str = ""
        self.preferred_endpoint: str = ENDPOINT_IP
        self.require_full_coverage: bool = True
        self.allow_reads_when_down: bool = False
        self.allow_pubsubshard_when_down: bool = True
        self.replica_no_failover: bool = False
        self.replica_validity_factor: int = 10
        self.replica_ping_period_ms: int = 10000
        # Clients that came in through this port are told external endpoints; 0 where there is none.
        self.external_port: int = 0
        # What this node tells of itself beyond Redis' fields.
        self.metadata: dict[str, str] = {}
