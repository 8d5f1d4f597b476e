"""How values of each type are written to an RDB file and read from it.

A type is one class here and one line in each table: `RDB_TYPES` by the byte in the file (a type may be read from
several forms, old and new), `_by_class` by the Python class of the value. `UNSUPPORTED` names what files of Redis may
hold and this version does not, so that a refusal can say it.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.values.strings import encode_string


@mypyc_attr(allow_interpreted_subclasses=True)
class RdbType:
    """One form of a value in a file."""

    code: int = -1

    def write(self, sink: RdbSink, value: object) -> None:
        """Write `value` without the type's byte and the key."""
        raise NotImplementedError

    def read(self, source: RdbSource) -> object:
        """Return the value that begins here."""
        raise NotImplementedError


@final
class StringType(RdbType):
    """Strings: `bytes`, `int` or `bytearray` in memory."""

    code = 0

    def write(self, sink: RdbSink, value: object) -> None:
        """Write a string; numbers in their short form."""
        if isinstance(value, int):
            sink.integer_string(value)
        elif isinstance(value, bytes):
            sink.string(value)
        elif isinstance(value, bytearray):
            sink.string(bytes(value))
        else:
            raise TypeError(type(value))

    def read(self, source: RdbSource) -> object:
        """Return a string as it is kept in memory."""
        return encode_string(source.string())


_STRING: Final = StringType()

RDB_TYPES: Final[dict[int, RdbType]] = {_STRING.code: _STRING}

_by_class: Final[dict[type, RdbType]] = {bytes: _STRING, int: _STRING, bytearray: _STRING}

UNSUPPORTED: Final[dict[int, str]] = {
    1: "list",
    2: "set",
    3: "sorted set",
    4: "hash",
    5: "sorted set (binary scores)",
    6: "module value (before release)",
    7: "module value",
    9: "hash (zipmap)",
    10: "list (ziplist)",
    11: "set (intset)",
    12: "sorted set (ziplist)",
    13: "hash (ziplist)",
    14: "list (quicklist)",
    15: "stream",
    16: "hash (listpack)",
    17: "sorted set (listpack)",
    18: "list (quicklist of listpacks)",
    19: "stream (2)",
    20: "set (listpack)",
    21: "stream (3)",
}


def type_of(value: object) -> RdbType:
    """Return how `value` is written."""
    return _by_class[type(value)]
