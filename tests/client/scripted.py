"""A server that does what a test wants: fakes for failures that a real server cannot be made to show on demand."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from tests.processes import HOST
from trivet_client.options import Address
from trivet_wire.requests import RequestParser

# Returns the bytes to answer, or None to close the connection without an answer.
Handler = Callable[[list[bytes]], Awaitable[bytes | None]]

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"
UNKNOWN = b"-ERR unknown command\r\n"


def shards(address: Address, health: str = "online") -> bytes:
    """Return a reply to CLUSTER SHARDS: one shard of one node."""
    node = f"*8\r\n$4\r\nport\r\n:{address.port}\r\n$8\r\nendpoint\r\n${len(address.host)}\r\n{address.host}\r\n"
    node += f"$4\r\nrole\r\n$6\r\nmaster\r\n$6\r\nhealth\r\n${len(health)}\r\n{health}\r\n"
    return f"*1\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*1\r\n{node}".encode()


class ScriptedServer:
    """One fake node. `answer` decides about every request but HELLO; `requests` is what came, HELLO and all."""

    def __init__(self, answer: Handler) -> None:
        self.answer = answer
        self.requests: list[list[bytes]] = []
        self.connections = 0
        self.address = Address("", 0)

    def names(self) -> list[bytes]:
        """Return the names of the commands that came, handshakes and discovery left out."""
        names = [request[0] for request in self.requests]
        return [name for name in names if name not in (b"HELLO", b"COMMAND", b"CLUSTER")]

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection."""
        self.connections += 1
        parser = RequestParser()
        try:
            async for data in stream:
                parser.feed(bytes(data))
                while (request := parser.next()) is not None:
                    self.requests.append(request)
                    reply = await self._reply(request)
                    if reply is None:
                        return
                    await stream.send_all(reply)
        except trio.BrokenResourceError:
            return
        finally:
            await trio.aclose_forcefully(stream)

    async def _reply(self, request: list[bytes]) -> bytes | None:
        reply = await self.answer(request)
        if reply == UNKNOWN and request[0] == b"HELLO":
            return HELLO
        if reply == UNKNOWN and request[0] == b"CLUSTER":
            return shards(self.address)
        return reply


@asynccontextmanager
async def scripted(answer: Handler) -> AsyncIterator[ScriptedServer]:
    """Run a fake node at a port of its own. For HELLO and CLUSTER SHARDS, UNKNOWN stands for an ordinary answer."""
    server = ScriptedServer(answer)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host=HOST)
        server.address = Address(HOST, listeners[0].socket.getsockname()[1])
        nursery.start_soon(trio.serve_listeners, server.serve, listeners)
        yield server
        nursery.cancel_scope.cancel()
