"""A keyspace as an RDB file, in chunks: of version 10, or 12 where fields of hashes have deadlines.

The keyspace must not change between chunks: a snapshot is written by a forked child, or while everything waits.
(Redis 7.0: rdb.c rdbSaveRio.)
"""

from collections.abc import Iterator, Sequence
from typing import Final, final

from trivet_node.access import FREQUENCY
from trivet_node.keyspace import Database, Keyspace
from trivet_node.persistence.rdb_format import (
    DONE,
    MAGIC,
    OPCODE_AUX,
    OPCODE_DEADLINE_MS,
    OPCODE_END,
    OPCODE_FREQUENCY,
    OPCODE_FUNCTION2,
    OPCODE_IDLE,
    OPCODE_RESIZE_DATABASE,
    OPCODE_SELECT_DATABASE,
    VERSION,
    VERSION_FIELD_DEADLINES,
)
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_types import form_of, write_part
from trivet_node.values.packing import PackingLimits

_MS_PER_SECOND: Final = 1000


@final
class WriterOptions:
    """Settings: `checksum` false writes 0 in its place; `keeps_access` writes with each key when, or how often, it
    was used.
    """

    def __init__(self, checksum: bool = True, compress: bool = True, keeps_access: bool = False) -> None:
        self.checksum: bool = checksum
        self.compress: bool = compress
        self.keeps_access: bool = keeps_access


@final
class RdbWriter:
    """Writes `keyspace`; `facts` are the aux fields, in order, `libraries` the codes of the libraries."""

    def __init__(
        self,
        keyspace: Keyspace,
        facts: list[tuple[bytes, bytes]],
        limits: PackingLimits,
        options: WriterOptions,
        libraries: Sequence[bytes] = (),
    ) -> None:
        self._keyspace: Keyspace = keyspace
        self._facts: list[tuple[bytes, bytes]] = facts
        self._limits: PackingLimits = limits
        self._options: WriterOptions = options
        self._libraries: Sequence[bytes] = libraries
        self._sink: RdbSink = RdbSink(options.compress)
        # How far chunks() is.
        self.keys_written: int = 0

    def chunks(self) -> Iterator[bytes]:
        """Return the file's bytes in chunks of about CHUNK_BYTES, more only where one string or node is larger."""
        sink = self._sink
        version = VERSION_FIELD_DEADLINES if self._keyspace.has_field_deadlines() else VERSION
        sink.raw(b"%s%04d" % (MAGIC, version))
        for name, fact in self._facts:
            sink.byte(OPCODE_AUX)
            sink.string(name)
            sink.string(fact)
        for code in self._libraries:
            sink.byte(OPCODE_FUNCTION2)
            sink.string(code)
        for database in self._keyspace.used_databases():
            if database.size == 0:
                continue
            self._open_database(database)
            for slot in range(len(database.slots)):
                for key in database.slots[slot]:
                    value = database.slots[slot][key]
                    self._write_head(database, slot, key, value)
                    part = write_part(sink, value, 0, self._limits)
                    while part != DONE:
                        yield sink.take()
                        part = write_part(sink, value, part, self._limits)
                    self.keys_written += 1
                    if sink.is_full():
                        yield sink.take()
        sink.byte(OPCODE_END)
        yield sink.take()
        yield (sink.crc if self._options.checksum else 0).to_bytes(8, "little")

    def _open_database(self, database: Database) -> None:
        sink = self._sink
        sink.byte(OPCODE_SELECT_DATABASE)
        sink.length(database.index)
        sink.byte(OPCODE_RESIZE_DATABASE)
        sink.length(database.size)
        sink.length(database.volatile)

    def _write_head(self, database: Database, slot: int, key: bytes, value: object) -> None:
        """Write what stands before a value."""
        sink = self._sink
        deadlines = database.deadlines[slot]
        deadline_ms = None if deadlines is None else deadlines.get(key)
        if deadline_ms is not None:
            sink.byte(OPCODE_DEADLINE_MS)
            sink.raw(deadline_ms.to_bytes(8, "little", signed=True))
        if self._options.keeps_access:
            self._write_access(database, key)
        sink.byte(form_of(value))
        sink.string(key)

    def _write_access(self, database: Database, key: bytes) -> None:
        sink = self._sink
        access = self._keyspace.access
        now_ms = int(self._keyspace.now_ms)
        if access.mode == FREQUENCY:
            sink.byte(OPCODE_FREQUENCY)
            sink.byte(access.frequency(database.index, key, now_ms))
        else:
            sink.byte(OPCODE_IDLE)
            sink.length(access.idle_ms(database.index, key, now_ms) // _MS_PER_SECOND)
