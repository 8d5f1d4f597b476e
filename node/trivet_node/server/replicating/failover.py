"""FAILOVER as the running primary does it: writes pause, a replica catches up, the two exchange their roles.

    start()              pause whatever writes, and wait for the target
    look()               is the target synced, or the time over? looked at in every tick and after acknowledgements
    target_accepted()    the target has answered PSYNC ... FAILOVER: it is the primary, this node its replica
    target_refused()     it has not: this node is the primary again
    abort()              FAILOVER ABORT

Clients whose writes have waited go on when it is over: on a replica by then they are refused. No ping is added to the
stream meanwhile. (Redis: replication.c failoverCommand, updateFailoverStatus.)
"""

from trivet_node.pauses import BY_FAILOVER, FOR_EVER_MS, WRITES
from trivet_node.replication.failover import IN_PROGRESS, NONE, WAITS_FOR_SYNC, Failover, is_synced
from trivet_node.server import pausing
from trivet_node.server.replicating import roles
from trivet_node.server.state import Server


def start(server: Server, failover: Failover) -> None:
    """Begin a failover that was found possible."""
    server.host.log("notice", f"FAILOVER requested to {failover.name()}.")
    failover.state = WAITS_FOR_SYNC
    server.replication.failover = failover
    pausing.pause(server, BY_FAILOVER, WRITES, FOR_EVER_MS)
    look(server)


def look(server: Server) -> None:
    """Give the role away if that is due."""
    failover = server.replication.failover
    if failover.state != WAITS_FOR_SYNC:
        return
    if failover.is_late(int(server.keyspace.now_ms)):
        if failover.is_forced:
            server.host.log("notice", f"FAILOVER to {failover.name()} time out exceeded, failing over.")
            _follow_target(server, failover, failover.host or "", failover.port)
        else:
            abort(server, "Replica never caught up before timeout")
        return
    for replica in server.replication.replicas.following:
        if failover.is_target(replica) and is_synced(replica, server.replication.history.offset):
            server.host.log("notice", f"Failover target {replica.name()} is synced, failing over.")
            _follow_target(server, failover, replica.host(), replica.listening_port)
            return


def target_accepted(server: Server) -> None:
    """Note that the target serves this node as its replica; nothing happens where there is no failover."""
    if server.replication.failover.state == IN_PROGRESS:
        _end(server)


def target_refused(server: Server) -> None:
    """Note that the target did not accept to be the primary; nothing happens where there is no failover."""
    if server.replication.failover.state == IN_PROGRESS:
        abort(server, "Failover target rejected psync request")


def abort(server: Server, reason: str) -> None:
    """Give the failover under way up; this node is, or becomes again, the primary."""
    failover = server.replication.failover
    server.host.log("notice", f"FAILOVER to {failover.name()} aborted: {reason}")
    if failover.state == IN_PROGRESS:
        server.config.replicaof = None
        roles.lead(server)
    _end(server)


def is_under_way(server: Server) -> bool:
    """Say whether this node is giving its role away."""
    return server.replication.failover.state != NONE


def _follow_target(server: Server, failover: Failover, host: str, port: int) -> None:
    failover.state = IN_PROGRESS
    failover.host, failover.port = host, port
    server.config.replicaof = (host, port)
    roles.follow(server, host, port)


def _end(server: Server) -> None:
    server.replication.failover = Failover()
    pausing.unpause(server, BY_FAILOVER)
