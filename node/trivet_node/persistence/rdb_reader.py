"""An RDB file into a keyspace, some keys at a time.

    step(keys)     loads some keys; False once the file was read to its end and its checksum is right
    facts          the aux fields met so far
    libraries      the libraries met so far, which whoever loads them has to compile

Versions 1 to 12 are read, the last two as far as their values are known. Whatever cannot be loaded raises RdbError with
the byte offset, and what was loaded until then is the caller's to throw away: a keyspace half filled is never used.
(Redis 7.0: rdb.c rdbLoadRio.)
"""

from collections.abc import Callable
from typing import Final, final

from mypy_extensions import i64

from trivet_node.keyspace import Database, Keyspace
from trivet_node.persistence.rdb_format import (
    DEADLINE_MAX_MS,
    MAGIC,
    OPCODE_AUX,
    OPCODE_DEADLINE_MS,
    OPCODE_DEADLINE_S,
    OPCODE_END,
    OPCODE_FREQUENCY,
    OPCODE_FUNCTION2,
    OPCODE_FUNCTION_BEFORE_RELEASE,
    OPCODE_IDLE,
    OPCODE_MODULE_AUX,
    OPCODE_RESIZE_DATABASE,
    OPCODE_SELECT_DATABASE,
    OPCODE_SLOT_INFO,
    VERSION_FIELD_DEADLINES,
    RdbError,
)
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.persistence.rdb_types import read_value
from trivet_node.values.packing import PackingLimits

# No key of the file is thrown away because its deadline has passed.
KEEP_EXPIRED: Final = -1
_CHECKSUM_SINCE_VERSION: Final = 5
_QUOTED_KEY_MAX: Final = 128
_NO_DEADLINE: Final = -(2**63)
_UNKNOWN: Final = -1
_MS_PER_SECOND: Final = 1000
# A longer idle time is as good as this one.
_IDLE_MAX_S: Final = 2**32
_MODULE_NAME_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@final
class RdbReader:
    """Loads the bytes that `read(count)` returns into an empty keyspace; `limits` say which values are kept packed.

    Keys whose deadline lies before `now_ms` (Unix milliseconds) are left out, unless it is KEEP_EXPIRED. So are
    collections without elements, which Redis once wrote. When, or how often, keys were used is kept where the
    keyspace keeps such a log. The checksum counts only if `checks_sum`.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        keyspace: Keyspace,
        limits: PackingLimits,
        now_ms: int = KEEP_EXPIRED,
        checks_sum: bool = True,
    ) -> None:
        self.source: RdbSource = RdbSource(read)
        self.facts: dict[bytes, bytes] = {}
        # Where in the file a library stands, and its code.
        self.libraries: list[tuple[int, bytes]] = []
        self.keys_loaded: int = 0
        self.keys_expired: int = 0
        self.empty_keys_skipped: int = 0
        self._keyspace: Keyspace = keyspace
        self._limits: PackingLimits = limits
        self._now_ms: int = now_ms
        self._checks_sum: bool = checks_sum
        self._database: Database = keyspace.database(0)
        self._deadline_ms: int = _NO_DEADLINE
        self._frequency: int = _UNKNOWN
        self._idle_s: int = _UNKNOWN
        self._version: int = 0

    def step(self, keys: int) -> bool:
        """Load about `keys` more keys; return whether there are more to load."""
        if self._version == 0:
            self._read_header()
        while keys > 0:
            begin = self.source.offset()
            code = self.source.byte()
            if code == OPCODE_END:
                self._check_end()
                return False
            if code >= OPCODE_SLOT_INFO:
                self._read_opcode(code, begin)
            else:
                self._read_key(int(code), begin)
                keys -= 1
        return True

    def _read_header(self) -> None:
        header = self.source.take(len(MAGIC) + 4)
        digits = header[len(MAGIC) :]
        if not header.startswith(MAGIC) or not digits.isdigit():
            raise RdbError(0, "not an RDB file: it does not begin with REDIS and a version")
        version = int(digits)
        if not 1 <= version <= VERSION_FIELD_DEADLINES:
            raise RdbError(len(MAGIC), f"can't handle RDB format version {version}")
        self._version = version

    def _read_opcode(self, code: i64, begin: int) -> None:
        source = self.source
        if code == OPCODE_DEADLINE_MS:
            self._deadline_ms = source.integer(8, signed=True)
        elif code == OPCODE_DEADLINE_S:
            self._deadline_ms = source.integer(4, signed=True) * 1000
        elif code == OPCODE_SELECT_DATABASE:
            self._select(source.length(), begin)
        elif code == OPCODE_RESIZE_DATABASE:
            source.length()
            source.length()
        elif code == OPCODE_SLOT_INFO:
            for _ in range(3):
                source.length()
        elif code == OPCODE_AUX:
            name = source.string()
            self.facts[name] = source.string()
        elif code == OPCODE_FUNCTION2:
            self.libraries.append((begin, source.string()))
        elif code == OPCODE_FREQUENCY:
            self._frequency = int(source.byte())
        elif code == OPCODE_IDLE:
            self._idle_s = min(source.length(), _IDLE_MAX_S)
        else:
            self._refuse_opcode(code, begin)

    def _refuse_opcode(self, code: i64, begin: int) -> None:
        if code == OPCODE_MODULE_AUX:
            raise RdbError(begin, f"data of the module type {_module_name(self.source.length())} cannot be loaded")
        if code == OPCODE_FUNCTION_BEFORE_RELEASE:
            raise RdbError(begin, "a library of functions in the form of a Redis before its release")
        raise RdbError(begin, f"unknown opcode 0x{int(code):02x}")

    def _select(self, index: int, begin: int) -> None:
        if index >= self._keyspace.database_count():
            raise RdbError(
                begin, f"database {index} is out of range: this node has {self._keyspace.database_count()} databases"
            )
        self._database = self._keyspace.database(index)

    def _read_key(self, form: int, begin: int) -> None:
        key = self.source.string()
        try:
            value = read_value(form, self.source, self._limits)
        except RdbError as error:
            raise RdbError(error.offset, f"key {_quoted(key)}: {error.reason}") from None
        deadline_ms = self._deadline_ms
        if value is None:
            self.empty_keys_skipped += 1
        elif deadline_ms != _NO_DEADLINE and deadline_ms < self._now_ms and self._now_ms != KEEP_EXPIRED:
            self.keys_expired += 1
        else:
            self._store(key, value, deadline_ms, begin)
        self._deadline_ms = _NO_DEADLINE
        self._frequency = _UNKNOWN
        self._idle_s = _UNKNOWN

    def _store(self, key: bytes, value: object, deadline_ms: int, begin: int) -> None:
        database = self._database
        if database.find_raw(key) is not None:
            raise RdbError(begin, f"key {_quoted(key)} is there twice")
        database.put(key, value)
        if deadline_ms != _NO_DEADLINE:
            database.set_deadline(key, min(max(deadline_ms, 0), DEADLINE_MAX_MS))
        keyspace = self._keyspace
        idle_ms = self._idle_s * _MS_PER_SECOND if self._idle_s != _UNKNOWN else _UNKNOWN
        keyspace.access.recall(database.index, key, idle_ms, self._frequency, int(keyspace.now_ms))
        self.keys_loaded += 1

    def _check_end(self) -> None:
        if self._version < _CHECKSUM_SINCE_VERSION:
            return
        computed = self.source.crc()
        begin = self.source.offset()
        stored = self.source.integer(8)
        if self._checks_sum and stored not in (0, computed):
            raise RdbError(begin, f"wrong checksum: computed {computed:016x}, the file says {stored:016x}")


def _quoted(key: bytes) -> str:
    text = repr(key[:_QUOTED_KEY_MAX])[1:]
    return text if len(key) <= _QUOTED_KEY_MAX else text + "..."


def _module_name(identifier: int) -> str:
    """Return the nine letters of 6 bits each that a module type's identifier begins with."""
    return "".join([_MODULE_NAME_ALPHABET[(identifier >> shift) & 63] for shift in range(58, 4, -6)])
