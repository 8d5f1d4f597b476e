"""A keyspace as an RDB file of version 10, in chunks.

The keyspace must not change between chunks: a snapshot is written by a forked child, or while everything waits.
(Redis 7.0: rdb.c rdbSaveRio.)
"""

from collections.abc import Iterator
from typing import Final, final

from trivet_node.keyspace import Database, Keyspace
from trivet_node.persistence.rdb_format import (
    MAGIC,
    OPCODE_AUX,
    OPCODE_DEADLINE_MS,
    OPCODE_END,
    OPCODE_RESIZE_DATABASE,
    OPCODE_SELECT_DATABASE,
    VERSION,
)
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_types import type_of

CHUNK_BYTES: Final = 256 * 1024


@final
class RdbWriter:
    """Writes `keyspace`; `facts` are the aux fields, in order. `checksum` false writes 0 in its place."""

    def __init__(self, keyspace: Keyspace, facts: list[tuple[bytes, bytes]], checksum: bool = True) -> None:
        self._keyspace: Keyspace = keyspace
        self._facts: list[tuple[bytes, bytes]] = facts
        self._checksum: bool = checksum
        self._sink: RdbSink = RdbSink()

    def chunks(self) -> Iterator[bytes]:
        """Return the file's bytes in chunks of about CHUNK_BYTES, more only where one value is larger."""
        sink = self._sink
        sink.raw(b"%s%04d" % (MAGIC, VERSION))
        for name, value in self._facts:
            sink.byte(OPCODE_AUX)
            sink.string(name)
            sink.string(value)
        for database in self._keyspace.used_databases():
            if database.size == 0:
                continue
            self._open_database(database)
            for slot in range(len(database.slots)):
                self._write_slot(database, slot)
                if len(sink) >= CHUNK_BYTES:
                    yield sink.take()
        sink.byte(OPCODE_END)
        yield sink.take()
        yield (sink.crc if self._checksum else 0).to_bytes(8, "little")

    def _open_database(self, database: Database) -> None:
        sink = self._sink
        sink.byte(OPCODE_SELECT_DATABASE)
        sink.length(database.index)
        sink.byte(OPCODE_RESIZE_DATABASE)
        sink.length(database.size)
        sink.length(database.volatile)

    def _write_slot(self, database: Database, slot: int) -> None:
        deadlines = database.deadlines[slot]
        for key, value in database.slots[slot].items():
            deadline_ms = None if deadlines is None else deadlines.get(key)
            self._write_key(key, value, deadline_ms)

    def _write_key(self, key: bytes, value: object, deadline_ms: int | None) -> None:
        sink = self._sink
        if deadline_ms is not None:
            sink.byte(OPCODE_DEADLINE_MS)
            sink.raw(deadline_ms.to_bytes(8, "little", signed=True))
        rdb_type = type_of(value)
        sink.byte(rdb_type.code)
        sink.string(key)
        rdb_type.write(sink, value)
