"""What an RDB file says of itself besides its keys: the aux fields, and the point in history that its keys are.

(Redis: rdb.c rdbSaveInfoAuxFields, rdbPopulateSaveInfo.)
"""

from typing import final

from trivet_node.replication.state import Replication
from trivet_node.values.strings import parse_integer
from trivet_wire.version import REDIS_VERSION

_ID_LENGTH = 40


@final
class HistoryPoint:
    """A replication id and offset, and the database that the stream had selected there."""

    def __init__(self, replication_id: bytes, offset: int, database: int) -> None:
        self.replication_id: bytes = replication_id
        self.offset: int = offset
        self.database: int = database


def facts_to_write(
    replication: Replication, selected: int, now_ms: int, memory_bytes: int
) -> list[tuple[bytes, bytes]]:
    """Return the aux fields of a snapshot taken now; `selected` is the database of a primary's stream, -1 for none."""
    facts = [
        (b"redis-ver", REDIS_VERSION.encode()),
        (b"redis-bits", b"64"),
        (b"ctime", b"%d" % (now_ms // 1000)),
        (b"used-mem", b"%d" % memory_bytes),
    ]
    if replication.backlog is not None and (replication.upstream is None or replication.may_continue):
        database = max(0, selected) if replication.upstream is None else replication.selected_database()
        facts += [
            (b"repl-stream-db", b"%d" % database),
            (b"repl-id", replication.history.id),
            (b"repl-offset", b"%d" % replication.history.offset),
        ]
    facts.append((b"aof-base", b"0"))
    return facts


def history_point(facts: dict[bytes, bytes]) -> HistoryPoint | None:
    """Return the point in history that a file's aux fields name, or None where they name none."""
    replication_id = facts.get(b"repl-id", b"")
    offset = parse_integer(facts.get(b"repl-offset", b""))
    if len(replication_id) != _ID_LENGTH or offset is None or offset < 0:
        return None
    return HistoryPoint(replication_id, offset, stream_database(facts))


def stream_database(facts: dict[bytes, bytes]) -> int:
    """Return which database the stream behind a snapshot has selected at its beginning."""
    return max(0, parse_integer(facts.get(b"repl-stream-db", b"0")) or 0)
