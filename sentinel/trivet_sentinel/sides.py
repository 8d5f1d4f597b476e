"""Which address of a node a client is told: the one that holds on the side that the client came in through.

A cluster in a network of containers has an inside, where nodes and sentinels know each other, and an outside that sees
published ports. Nodes tell their external endpoints in CLUSTER SHARDS; a client that came in through `external-port` is
told those, all others the addresses inside. Sentinels among themselves and events always speak of the inside.
"""

from trivet_sentinel.sessions import Client
from trivet_sentinel.state import Address, Sentinel


def told_address(sentinel: Sentinel, client: Client, address: Address) -> Address:
    """Return `address` of a node as `client` is to see it."""
    if is_external(sentinel, client) and address in sentinel.external_endpoints:
        return sentinel.external_endpoints[address]
    return Address(sentinel.shown_host(address), address.port)


def is_external(sentinel: Sentinel, client: Client) -> bool:
    """Return whether `client` came in from outside."""
    port = sentinel.options.external_port
    return port != 0 and client.local_address.endswith(f":{port}")
