"""Ports, and one question to a server: what the launcher, the drills and the benchmark all need of the network."""

import random
import socket
from typing import NamedTuple

import trio

from trivet_wire.addresses import BUS_PORT_OFFSET
from trivet_wire.connection import Argument, ErrorReply, Reply, connect

LOOPBACK = "127.0.0.1"
# Free ports are looked for below the range that systems hand out to outgoing connections (32768 on Linux, 49152
# elsewhere): a port from that range can be taken by anyone between being found and being listened on. The bus ports
# that belong to these stay below it too.
_FIRST_CANDIDATE = 11000
_LAST_CANDIDATE = 22500


class Endpoint(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def can_listen(port: int, host: str = LOOPBACK) -> bool:
    """Return whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return `count` different ports on loopback that are free now, as are the bus ports that belong to them."""
    candidates = random.SystemRandom().sample(range(_FIRST_CANDIDATE, _LAST_CANDIDATE), 50 + 4 * count)
    usable = (port for port in candidates if can_listen(port) and can_listen(port + BUS_PORT_OFFSET))
    ports = [port for port, _ in zip(usable, range(count), strict=False)]
    if len(ports) < count:
        raise OSError(f"no {count} free ports between {_FIRST_CANDIDATE} and {_LAST_CANDIDATE}")
    return ports


def free_port() -> int:
    """Return a port on loopback that is free now."""
    return free_ports(1)[0]


async def ask(port: int, *arguments: Argument, host: str = LOOPBACK, timeout_s: float = 5.0) -> Reply:
    """Return the reply to one command, over a connection of its own.

    Raises ErrorReply for an error reply, OSError where nobody answers, trio.TooSlowError after `timeout_s` seconds.
    """
    connection = await connect(host, port, timeout_s)
    try:
        with trio.fail_after(timeout_s):
            reply = await connection.call(*arguments)
    except trio.BrokenResourceError as error:
        raise ConnectionResetError(f"{host}:{port} broke the connection") from error
    finally:
        await connection.close()
    if isinstance(reply, ErrorReply):
        raise reply
    return reply
