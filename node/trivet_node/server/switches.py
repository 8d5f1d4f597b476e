"""The switches in the server that follow from its role, its settings and what is paused.

Whatever changes one of these three calls apply_role() afterwards: a role, a setting such as replica-read-only, a pause,
or the number of replicas that keep up.
"""

from trivet_node.keyspace import EXPIRE_DELETES, EXPIRE_HIDES
from trivet_node.replication.upstream import CONNECTED
from trivet_node.server.state import CHECK_GOOD_REPLICAS, CHECK_PAUSED, CHECK_READ_ONLY, CHECK_STALE, Server


def apply_role(server: Server) -> None:
    """Set the server's switches as its role and its settings demand."""
    replication = server.replication
    upstream = replication.upstream
    is_replica = upstream is not None
    has_stream = not is_replica and replication.backlog is not None
    server.propagation.enabled = has_stream
    server.keyspace.report_expired = has_stream
    # While clients are paused the data set stays as it is.
    keeps_expired = is_replica or server.checks & CHECK_PAUSED != 0
    server.keyspace.expire_mode = EXPIRE_HIDES if keeps_expired else EXPIRE_DELETES
    _switch(server, CHECK_READ_ONLY, is_replica and server.config.replica_read_only)
    is_stale = upstream is not None and upstream.state != CONNECTED
    _switch(server, CHECK_STALE, is_stale and not server.config.replica_serve_stale_data)
    _switch(server, CHECK_GOOD_REPLICAS, not is_replica and _lacks_good_replicas(server))


def count_good_replicas(server: Server) -> int:
    """Return how many replicas are online and not too far behind in time."""
    return server.replication.replicas.count_good(server.config.min_replicas_max_lag, int(server.keyspace.now_ms))


def _lacks_good_replicas(server: Server) -> bool:
    config = server.config
    if config.min_replicas_to_write == 0 or config.min_replicas_max_lag == 0:
        return False
    return count_good_replicas(server) < config.min_replicas_to_write


def _switch(server: Server, check: int, on: bool) -> None:
    server.checks = server.checks | check if on else server.checks & ~check
