"""Looking up sorted sets, storing them and replying their members: what all commands of sorted sets share."""

from mypy_extensions import i64

from trivet_node.command import CommandError
from trivet_node.keyspace import Database
from trivet_node.server.events import GENERIC, ZSET, notify
from trivet_node.server.state import Server
from trivet_node.values.zsets import SortedSet
from trivet_wire import errors
from trivet_wire.replies import RESP2, ReplyBuffer


def find_zset(database: Database, key: bytes) -> SortedSet | None:
    """Return the sorted set under `key` for a command that may change it, or None where there is none."""
    return _as_zset(database.find(key))


def read_zset(database: Database, key: bytes) -> SortedSet | None:
    """Return the sorted set under `key` as a reading command sees it, or None where there is none."""
    return _as_zset(database.read(key))


def _as_zset(value: object) -> SortedSet | None:
    if value is None or isinstance(value, SortedSet):
        return value
    raise CommandError(errors.WRONG_TYPE)


def reply_pairs(reply: ReplyBuffer, members: list[bytes], scores: list[float]) -> None:
    """Append members with their scores: a flat array in RESP2, an array of pairs in RESP3."""
    length: i64 = len(members)
    is_flat = reply.protocol == RESP2
    reply.array(length * 2 if is_flat else length)
    index: i64 = 0
    while index < length:
        if not is_flat:
            reply.array(2)
        reply.bulk(members[index])
        reply.double(scores[index])
        index += 1


def store_zset(server: Server, database: Database, key: bytes, zset: SortedSet, event: bytes) -> None:
    """Store a sorted set in place of what is under `key`; one without members only deletes that."""
    if len(zset) != 0:
        database.put(key, zset)
        notify(server, ZSET, event, key, database)
    elif database.delete_even_expired(key):
        notify(server, GENERIC, b"del", key, database)
