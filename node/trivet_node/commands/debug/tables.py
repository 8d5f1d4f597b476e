"""DEBUG HTSTATS and HTSTATS-KEY: how evenly keys are spread over the tables that hold them.

What Redis says of the buckets of a hash table is said here of the dicts that stand in their place: the 16384 of a
database, one for each hash slot, and those of a large hash, set or sorted set. The length of a chain is the number of
keys in one of them. (Redis: dict.c dictGetStats.)
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from trivet_node.client import Client
from trivet_node.command import CommandError
from trivet_node.commands.arguments import integer
from trivet_node.server.state import Server
from trivet_node.values.buckets import Buckets
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_node.values.sets import Set
from trivet_node.values.zsets import SortedSet
from trivet_wire import errors

# Longer chains are counted together.
_LENGTHS: Final = 50
_TITLE: Final = b"Hash table 0 stats (main hash table):\n"


def table_stats(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG HTSTATS database."""
    index = integer(arguments[2])
    if not 0 <= index < server.keyspace.database_count():
        raise CommandError(b"ERR Out of range database")
    database = server.keyspace.database(index)
    keys = _described([len(slot) for slot in database.slots])
    deadlines = _described([0 if slot is None else len(slot) for slot in database.deadlines])
    client.reply.verbatim(b"[Dictionary HT]\n" + keys + b"[Expires HT]\n" + deadlines)


def table_stats_of_key(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG HTSTATS-KEY key."""
    value = client.database.find(arguments[2])
    if value is None:
        raise CommandError(errors.NO_SUCH_KEY)
    lengths = _bucket_lengths(value)
    if not lengths:
        raise CommandError(b"ERR The value stored at the specified key is not represented using an hash table")
    client.reply.verbatim(_described(lengths))


def _bucket_lengths(value: object) -> list[int]:
    """Return the lengths of the chains of a collection, none where its encoding is not that of a table."""
    buckets: Buckets | None = None
    if isinstance(value, (Hash, Set)):
        buckets = value.buckets
    elif isinstance(value, ExpiringHash):
        buckets = value.hash.buckets
    elif isinstance(value, SortedSet):
        buckets = value.scores
    if buckets is not None:
        return [len(bucket) for bucket in buckets.dicts]
    # A small set that is no intset calls itself a table, but lies in one piece.
    return [len(value)] if isinstance(value, Set) and not value.is_intset else []


def _described(lengths: list[int]) -> bytes:
    """Return the statistics of a table of chains with these lengths."""
    elements = sum(lengths)
    if elements == 0:
        return _TITLE + b"No stats available for empty dictionaries\n"
    used = sum([1 for length in lengths if length > 0])
    lines = [
        f" table size: {len(lengths)}",
        f" number of elements: {elements}",
        f" different slots: {used}",
        f" max chain length: {max(lengths)}",
        f" avg chain length (counted): {elements / used:.02f}",
        f" avg chain length (computed): {elements / used:.02f}",
        " Chain length distribution:",
        *_distribution(lengths),
    ]
    return _TITLE + "\n".join([*lines, ""]).encode()


def _distribution(lengths: Iterable[int]) -> list[str]:
    counts = Counter([min(length, _LENGTHS - 1) for length in lengths])
    total = sum(counts.values())
    return [
        f"   {'>= ' if length == _LENGTHS - 1 else ''}{length}: {counts[length]} ({counts[length] * 100 / total:.02f}%)"
        for length in sorted(counts)
    ]
