"""A server that is asked again and again: one connection, opened when needed and again after it broke."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import trio

from trivet_deploy.network import Endpoint
from trivet_wire.answers import as_dict
from trivet_wire.connection import Argument, Connection, ErrorReply, Reply, connect

# What call() raises for a server that cannot answer now, but may later.
UNREACHABLE = (OSError, trio.BrokenResourceError, trio.TooSlowError)


class Contact:
    """One server by its name in messages. Not for two tasks at a time."""

    def __init__(self, name: str, endpoint: Endpoint, timeout_s: float = 2.0) -> None:
        self.name = name
        self.endpoint = endpoint
        self._timeout_s = timeout_s
        self._connection: Connection | None = None

    async def call(self, *arguments: Argument) -> Reply:
        """Return the reply to one command. Raises ErrorReply for an error, one of UNREACHABLE where there is none."""
        try:
            with trio.fail_after(self._timeout_s):
                if self._connection is None:
                    self._connection = await connect(*self.endpoint, self._timeout_s)
                reply = await self._connection.call(*arguments)
        except BaseException:
            # The reply may still be on its way, and must not be taken for that of the next command.
            await self.close()
            raise
        if isinstance(reply, ErrorReply):
            raise reply
        return reply

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()


@asynccontextmanager
async def contacts(servers: Iterable[tuple[str, Endpoint]]) -> AsyncIterator[list[Contact]]:
    """Make contacts of (name, endpoint) pairs, and close them in the end."""
    opened = [Contact(name, endpoint) for name, endpoint in servers]
    try:
        yield opened
    finally:
        with trio.CancelScope(shield=True):
            for contact in opened:
                await contact.close()


def pairs(flat: list[bytes]) -> dict[str, str]:
    """Return a flat list of names and values, as sentinels answer, as a dictionary."""
    return {name.decode(): value.decode() for name, value in as_dict(flat).items()}
