"""One value as bytes that travel: what DUMP returns, RESTORE takes, and MIGRATE sends. Or all libraries of functions.

    form value as in an RDB file | version of the format: 2 | checksum of all before: 8         both little-endian
    F5 code ...

(Redis 7.0: cluster.c createDumpPayload, verifyDumpPayload.)
"""

import io
from typing import Final

from trivet_node.persistence.crc64 import crc64
from trivet_node.persistence.rdb_format import (
    DONE,
    OPCODE_FUNCTION2,
    OPCODE_FUNCTION_BEFORE_RELEASE,
    VERSION,
    RdbError,
)
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
    return _sealed(sink, version_of(form))


def dump_libraries(codes: list[bytes], compress: bool) -> bytes:
    """Return the payload of libraries of functions (FUNCTION DUMP)."""
    sink = RdbSink(compress)
    for code in codes:
        sink.byte(OPCODE_FUNCTION2)
        sink.string(code)
    return _sealed(sink, VERSION)


def _sealed(sink: RdbSink, version: int) -> bytes:
    sink.raw(version.to_bytes(2, "little"))
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


def restore_libraries(payload: bytes) -> list[bytes]:
    """Return the codes of the libraries in an intact payload. Raises RdbError, whose reason is that of Redis."""
    size = len(payload) - _FOOTER_BYTES
    source = RdbSource(io.BytesIO(payload[:size]).read)
    codes: list[bytes] = []
    while source.offset() < size:
        begin = source.offset()
        code = int(source.byte())
        if code == OPCODE_FUNCTION_BEFORE_RELEASE:
            raise RdbError(begin, "Pre-GA function format not supported")
        if code != OPCODE_FUNCTION2:
            raise RdbError(begin, "given type is not a function")
        codes.append(source.string())
    return codes
