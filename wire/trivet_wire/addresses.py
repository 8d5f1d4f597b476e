"""Addresses as text."""


def host_and_port(host: str, port: int) -> str:
    """Return `host:port`, or `[host]:port` where the host is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
