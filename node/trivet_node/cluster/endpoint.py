"""Which address of a node a given client is told: by MOVED, CLUSTER SLOTS, SHARDS and NODES alike.

One cluster can be reached from two sides: from inside its network, where nodes know each other by the addresses of the
bus, and from outside, through published ports or address translation, where those addresses mean nothing. A client is
told the addresses of the side that it came in through: on `external-port` each node's `external-endpoint`, which
travels with gossip, on the other port the address inside. That holds whatever the network in between does; guessing
by the client's address would not, because a published port can make every client look like the gateway.

(Redis: cluster-preferred-endpoint-type, getPreferredEndpoint. The two sides are Trivet's own.)
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.cluster.nodes import ClusterNode
from trivet_node.cluster.options import ENDPOINT_HOSTNAME, ENDPOINT_UNKNOWN, ClusterOptions

UNKNOWN_HOSTNAME: Final = "?"
# The name under which a node's external endpoint stands among its metadata.
EXTERNAL_ENDPOINT: Final = "external-endpoint"


@final
class Endpoint:
    """An address. `host` is None where the client is to keep the host that it reached this node by."""

    def __init__(self, host: str | None, port: int) -> None:
        self.host: str | None = host
        self.port: int = port


def client_endpoint(node: ClusterNode, client: Client, options: ClusterOptions) -> Endpoint:
    """Return where `client` can reach `node`."""
    if is_external(client, options) and EXTERNAL_ENDPOINT in node.metadata:
        host, _, port = node.metadata[EXTERNAL_ENDPOINT].rpartition(":")
        return Endpoint(host, int(port))
    if options.preferred_endpoint == ENDPOINT_UNKNOWN:
        return Endpoint(None, node.port)
    if options.preferred_endpoint == ENDPOINT_HOSTNAME:
        return Endpoint(node.hostname or UNKNOWN_HOSTNAME, node.port)
    return Endpoint(node.host, node.port)


def is_external(client: Client, options: ClusterOptions) -> bool:
    """Say whether `client` came in from outside."""
    return options.external_port != 0 and client.local_address.endswith(f":{options.external_port}")
