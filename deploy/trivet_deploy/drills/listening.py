"""Collects what the sentinels tell: each is subscribed to, and what it publishes is handed over with its name."""

from collections.abc import Callable

import trio

from trivet_deploy.launcher.contact import UNREACHABLE
from trivet_deploy.network import Endpoint
from trivet_wire.connection import connect

_RETRY_INTERVAL_S = 0.2
_CONNECT_TIMEOUT_S = 2.0

# What a sentinel told: its name, the event, the text.
Hear = Callable[[str, str, str], None]


async def listen_to(name: str, endpoint: Endpoint, hear: Hear) -> None:
    """Hand over everything that one sentinel publishes, for ever; connect again whenever the connection breaks."""
    while True:
        try:
            await _listen_once(name, endpoint, hear)
        except UNREACHABLE:
            await trio.sleep(_RETRY_INTERVAL_S)


async def _listen_once(name: str, endpoint: Endpoint, hear: Hear) -> None:
    connection = await connect(*endpoint, _CONNECT_TIMEOUT_S)
    try:
        await connection.call("PSUBSCRIBE", "*")
        while True:
            # pmessage, pattern, channel, payload
            _, _, channel, payload = await connection.receive()
            hear(name, channel.decode(), payload.decode())
    finally:
        await connection.close()
