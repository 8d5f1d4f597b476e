"""How commands that changed elements of a collection report it: to watches, statistics and whoever listens to events.

Every element counts as a change. A collection that has lost its last element is no key any more.
"""

from mypy_extensions import i64

from trivet_node.keyspace import Database
from trivet_node.server.events import GENERIC, notify
from trivet_node.server.state import Server


def finish_change(database: Database, key: bytes, value: object, is_new: bool, changes: i64) -> None:
    """Report that `changes` elements of the value of `key` were set, which is stored if it is new."""
    if is_new:
        database.put(key, value)
        database.keyspace.dirty += changes - 1
    else:
        database.modified(key, changes)


def finish_removal(server: Server, database: Database, key: bytes, is_empty: bool, removed: i64) -> None:
    """Report that elements were removed; the event of that, which comes first, is the caller's."""
    if not is_empty:
        database.modified(key, removed)
        return
    database.delete(key)
    database.keyspace.dirty += removed - 1
    notify(server, GENERIC, b"del", key, database)
