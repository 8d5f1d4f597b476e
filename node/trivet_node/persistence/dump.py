"""One value as bytes that travel: what DUMP returns, RESTORE takes, and MIGRATE sends.

    form value as in an RDB file | version of the format: 2 | checksum of all before: 8         both little-endian

(Redis 7.0: cluster.c createDumpPayload, verifyDumpPayload.)
"""

import io
from typing import Final

from trivet_node.persistence.crc64 import crc64
from trivet_node.persistence.rdb_format import DONE
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.persistence.rdb_types import form_of, read_value, version_of, write_part
from trivet_node.values.packing import PackingLimits

_CHECKSUM_BYTES: Final = 8
_FOOTER_BYTES: Final = 10


def dump_value(value: object, limits: PackingLimits, compress: bool) -> bytes:
    """Return the payload of a value; `compress` is the setting rdbcompression."""
    sink = RdbSink(compress)
    form = form_of(value)
    sink.byte(form)
    _write(sink, value, limits)
    sink.raw(version_of(form).to_bytes(2, "little"))
    body = sink.take()
    return body + sink.crc.to_bytes(_CHECKSUM_BYTES, "little")


def serialized_bytes(value: object, limits: PackingLimits, compress: bool) -> int:
    """Return the size of a value in an RDB file, without its form and key. (Redis: rdbSavedObjectLen.)"""
    sink = RdbSink(compress)
    _write(sink, value, limits)
    return len(sink)


def _write(sink: RdbSink, value: object, limits: PackingLimits) -> None:
    part = write_part(sink, value, 0, limits)
    while part != DONE:
        part = write_part(sink, value, part, limits)


def is_intact(payload: bytes, checks_sum: bool = True) -> bool:
    """Say whether a payload is of a version that is known, and, where its sum is checked, arrived as it was sent."""
    if len(payload) < _FOOTER_BYTES:
        return False
    body = payload[:-_CHECKSUM_BYTES]
    if int.from_bytes(body[-2:], "little") > version_of(payload[0]):
        return False
    return not checks_sum or crc64(body) == int.from_bytes(payload[-_CHECKSUM_BYTES:], "little")


def restore_value(payload: bytes, limits: PackingLimits) -> object:
    """Return the value in an intact payload, or None where it is a collection without elements. Raises RdbError."""
    source = RdbSource(io.BytesIO(payload[:-_FOOTER_BYTES]).read)
    form = source.byte()
    return read_value(int(form), source, limits)
