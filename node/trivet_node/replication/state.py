"""What a server holds of replication: its point in history, the backlog, its replicas, and its primary if any."""

from typing import final

from trivet_node.replication.backlog import Backlog
from trivet_node.replication.failover import Failover
from trivet_node.replication.history import History
from trivet_node.replication.replicas import Replicas
from trivet_node.replication.upstream import Upstream


@final
class Replication:
    """The state of replication of one node. Times are Unix milliseconds."""

    def __init__(self, replication_id: bytes) -> None:
        self.history: History = History(replication_id)
        self.backlog: Backlog | None = None
        self.replicas: Replicas = Replicas()
        # The primary that this node follows; None on a primary.
        self.upstream: Upstream | None = None
        self.failover: Failover = Failover()
        # Whether the data set is a known point of `history`, so that a primary may be asked to continue from it.
        self.may_continue: bool = False
        # Which database the stream had selected where it stopped, while no link to a primary is up.
        self.stream_database: int = 0
        # Since when nobody follows: the backlog is freed after a while.
        self.no_replicas_since_ms: int = 0
        self.next_cron_ms: int = 0
        self.next_ping_ms: int = 0
        # The offset up to which all replicas were asked to acknowledge at once.
        self.acknowledgements_asked: int = -1

    def append(self, data: bytes) -> None:
        """Count bytes of the stream, and keep them for those who come back."""
        self.history.offset += len(data)
        if self.backlog is not None:
            self.backlog.append(data)

    def create_backlog(self, size: int) -> Backlog:
        """Return the backlog, an empty one where there was none."""
        if self.backlog is None:
            self.backlog = Backlog(size, self.history.offset + 1)
        return self.backlog

    def drop_backlog(self) -> None:
        """Forget the bytes kept."""
        self.backlog = None

    def selected_database(self) -> int:
        """Return which database the stream of our primary has selected."""
        if self.upstream is None or self.upstream.client is None:
            return self.stream_database
        return self.upstream.client.database.index

    def applied_offset(self) -> int:
        """Return how far this data set is, also in the middle of a batch from the primary."""
        pending = 0 if self.upstream is None else self.upstream.unpassed()
        return self.history.offset + pending

    def resume_point(self) -> tuple[bytes, int]:
        """Return the replication id and the next offset to ask a primary for; b"?" and -1 for everything."""
        if not self.may_continue:
            return b"?", -1
        return self.history.known_id(), self.history.offset + 1
