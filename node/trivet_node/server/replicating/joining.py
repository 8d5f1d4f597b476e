"""What a replica does with its primary's answer to PSYNC: go on where it stopped, or exchange its data set.

Either way our own replicas are disconnected where they have something to learn: another history id, or other data. They
come back at once. (Redis: slaveTryPartialResynchronization, readSyncBulkPayload.)
"""

from trivet_node.keyspace import Keyspace
from trivet_node.persistence.facts import stream_database
from trivet_node.persistence.rdb_reader import RdbReader
from trivet_node.server.replicating.roles import disconnect_replicas
from trivet_node.server.scripts.loading import compiled
from trivet_node.server.state import Server


def go_on(server: Server, replication_id: bytes) -> None:
    """Continue the stream of a primary whose history has this id from here on."""
    history = server.replication.history
    server.host.log("notice", "Successful partial resynchronization with master.")
    if replication_id != history.id:
        server.host.log("notice", f"Master replication ID changed to {replication_id.decode()}")
        history.continue_as(replication_id)
        disconnect_replicas(server)
    server.host.log("notice", "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.")


def exchange(server: Server, keyspace: Keyspace, reader: RdbReader, replication_id: bytes, offset: int) -> None:
    """Put a snapshot, which is that point of the primary's history, in place of the present data.

    `reader` has read it into `keyspace`. Raises RdbError where it holds libraries that cannot be compiled.
    """
    libraries = compiled(server, reader)
    server.host.log("notice", "MASTER <-> REPLICA sync: Flushing old data")
    server.keyspace.adopt(keyspace)
    server.programs.libraries = libraries
    server.replication.history.restart(replication_id, offset)
    disconnect_replicas(server)
    # Nothing in it leads to the new data set.
    server.replication.drop_backlog()
    server.replication.stream_database = min(stream_database(reader.facts), server.config.database_count() - 1)
    server.host.log("notice", "MASTER <-> REPLICA sync: Finished with success")
