"""WAIT: clients that wait until enough replicas have their writes."""

from typing import final

from mypy_extensions import i64

from trivet_node.blocking import Wait
from trivet_node.client import Client
from trivet_node.replication.replicas import Replicas
from trivet_node.server.state import CHECK_PAUSED, Server
from trivet_wire.replies import encode_command


@final
class ReplicaWait(Wait):
    """Waits until `wanted` replicas have acknowledged `offset`."""

    def __init__(self, client: Client, deadline_ms: int, replicas: Replicas, offset: int, wanted: int) -> None:
        super().__init__(client, deadline_ms)
        self.replicas: Replicas = replicas
        self.offset: int = offset
        self.wanted: int = wanted

    def count(self) -> int:
        """Return how many replicas have it by now."""
        return self.replicas.count_acknowledged(self.offset)

    def time_out(self) -> None:
        """Reply how many replicas have it."""
        self.client.reply.integer(self.count())


def ask_for_acknowledgements(server: Server) -> None:
    """Let every replica acknowledge at once, unless the last such request covers all that was written.

    While clients are paused nothing is added to the stream: the replicas acknowledge by themselves once a second.
    """
    replication = server.replication
    if server.checks & CHECK_PAUSED == 0 and replication.acknowledgements_asked < replication.history.offset:
        server.feed_stream(encode_command([b"REPLCONF", b"GETACK", b"*"]))
        replication.acknowledgements_asked = replication.history.offset


def serve_waits(server: Server) -> None:
    """Release the clients whose writes enough replicas have now."""
    if len(server.blocking) == 0:
        return
    for wait in server.blocking.waits():
        if isinstance(wait, ReplicaWait):
            count = wait.count()
            if count >= wait.wanted:
                size: i64 = len(wait.client.reply)
                wait.client.reply.integer(count)
                server.blocking.release(wait, size)
