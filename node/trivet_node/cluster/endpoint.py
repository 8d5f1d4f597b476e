"""Which address of a node a given client is told: by MOVED, CLUSTER SLOTS and CLUSTER SHARDS alike.

(Redis: cluster-preferred-endpoint-type, getPreferredEndpoint.)
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.cluster.nodes import ClusterNode
from trivet_node.cluster.options import ENDPOINT_HOSTNAME, ENDPOINT_UNKNOWN, ClusterOptions

UNKNOWN_HOSTNAME: Final = "?"


@final
class Endpoint:
    """An address. `host` is None where the client is to keep the host that it reached this node by."""

    def __init__(self, host: str | None, port: int) -> None:
        self.host: str | None = host
        self.port: int = port


def client_endpoint(node: ClusterNode, client: Client, options: ClusterOptions) -> Endpoint:
    """Return where `client` can reach `node`."""
    if options.preferred_endpoint == ENDPOINT_UNKNOWN:
        return Endpoint(None, node.port)
    if options.preferred_endpoint == ENDPOINT_HOSTNAME:
        return Endpoint(node.hostname or UNKNOWN_HOSTNAME, node.port)
    return Endpoint(node.host, node.port)
