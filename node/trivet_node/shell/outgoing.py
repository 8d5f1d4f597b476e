"""Connections that a node makes to other nodes. (Redis: redis.conf "bind-source-addr".)"""

import contextlib

import trio


async def open_stream(host: str, port: int, source_address: str) -> trio.SocketStream:
    """Connect, from `source_address` where it is given and possible. Raises OSError."""
    if source_address:
        with contextlib.suppress(OSError):
            return await trio.open_tcp_stream(host, port, local_address=source_address)
    return await trio.open_tcp_stream(host, port)
