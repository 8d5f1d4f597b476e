"""The cluster bus over real sockets, without the rest of a process."""

import random
import socket

import trio

from tests.node.engines import QuietHost
from trivet_node.cluster.effects import Effect, Tick
from trivet_node.cluster.nodes import PRIMARY, ClusterNode
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.server import cluster_member
from trivet_node.server.state import Server
from trivet_node.shell.bus import Bus
from trivet_wire.connection import encode_request

_OTHER = "b" * 40
_HEADER = f"id={_OTHER} flags=master port=7002 bus=17002 epoch=1 current=1 offset=0"


class BusHost(QuietHost):
    """Lets the machine want what it likes."""

    def perform(self, effect: Effect) -> None:
        pass


async def test_subscribers_are_written_to_as_soon_as_a_message_has_come_over_the_bus() -> None:
    config = Config()
    config.cluster_enabled = True
    server = Server(config, BusHost(), random.Random(1), "a" * 40, 1_700_000_000_000)
    engine = Engine(server)
    cluster_member.join(server, "")
    cluster_member.happened(server, Tick(), 1000)
    assert server.cluster is not None
    other = ClusterNode(_OTHER, PRIMARY)
    other.host, other.port, other.bus_port = "127.0.0.1", 7002, 17002
    server.cluster.state.nodes[_OTHER] = other
    listener = server.add_client("127.0.0.1:1", "127.0.0.1:2")
    engine.feed(listener, encode_request(["SUBSCRIBE", "news"]))
    listener.reply.take()
    written: list[bytes] = []
    came = trio.Event()

    def flush() -> None:
        data = listener.reply.take()
        if data:
            written.append(data)
            came.set()

    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as peer:
        listening.setblocking(False)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Bus(server, [listening], flush).run)
            peer.connect(listening.getsockname())
            peer.sendall(b"".join(encode_request(["PUBLISH", _HEADER, "news", text]) for text in ("one", "two")))
            with trio.fail_after(20):
                await came.wait()
            nursery.cancel_scope.cancel()
    assert b"".join(written) == b"".join(encode_request(["message", "news", text]) for text in ("one", "two"))
