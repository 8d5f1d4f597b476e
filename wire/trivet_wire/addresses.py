"""Where servers listen, and how that is written."""

from typing import Final

# A node's bus listens this far above its port. (Redis Cluster specification.)
BUS_PORT_OFFSET: Final = 10000


def host_and_port(host: str, port: int) -> str:
    """Return `host:port`, or `[host]:port` where the host is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
