"""Settings of a node: the one list of them."""

import attrs


@attrs.define
class Config:
    """Every setting, by its redis.conf name with underscores."""

    port: int = 6379
    bind: list[str] = attrs.Factory(lambda: ["127.0.0.1"])
    databases: int = 16
    requirepass: str = ""
    maxclients: int = 10000
    tcp_keepalive: int = 300
    proto_max_bulk_len: int = 512 * 1024 * 1024
    cluster_enabled: bool = False
