"""What handlers read out of their arguments: numbers, option words, times. A malformed one raises CommandError.

(Redis: object.c getLongLongFromObjectOrReply, t_string.c getExpireMillisecondsOrReply.)
"""

import math
import re
from typing import Final

from mypy_extensions import i64

from trivet_node.blocking import FOREVER
from trivet_node.command import CommandError
from trivet_node.keyspace import Database
from trivet_node.server.state import Server
from trivet_node.values import long_double
from trivet_node.values.doubles import parse_double
from trivet_node.values.strings import parse_integer
from trivet_wire import errors
from trivet_wire.slots import SLOT_COUNT

INTEGER_MAX: Final = 2**63 - 1
INTEGER_MIN: Final = -(2**63)
_INT_MAX: Final = 2**31 - 1
_INT_MIN: Final = -(2**31)
_LEADING_INTEGER: Final = re.compile(rb"[ \t\n\v\f\r]*[+-]?[0-9]+")
_DIGITS_MAX: Final = 100
_MS_PER_SECOND: Final = 1000


def integer(text: bytes) -> int:
    """Return the signed 64-bit number that `text` spells."""
    value = parse_integer(text)
    if value is None:
        raise CommandError(errors.NOT_AN_INTEGER)
    return value


def integer_in(text: bytes, smallest: int, largest: int, error: bytes = b"") -> int:
    """Return the number that `text` spells, both ends of its range included; `error` replaces Redis' own two texts.

    (Redis: getRangeLongFromObjectOrReply, getPositiveLongFromObjectOrReply.)
    """
    value = parse_integer(text)
    if value is None:
        raise CommandError(error or errors.NOT_AN_INTEGER)
    if value < smallest or value > largest:
        raise CommandError(error or errors.outside(smallest, largest))
    return value


def small_integer(text: bytes, error: bytes = b"") -> int:
    """Return the signed 32-bit number that `text` spells; `error` replaces both of Redis' own texts."""
    return integer_in(text, _INT_MIN, _INT_MAX, error)


def leading_integer(text: bytes) -> int:
    """Return the number that `text` begins with, 0 where there is none, within 32 bits: C's atoi decides in Redis."""
    found = _LEADING_INTEGER.match(text)
    return max(_INT_MIN, min(int(found[0][:_DIGITS_MAX]), _INT_MAX)) if found else 0


def double(text: bytes, error: bytes = errors.NOT_A_FLOAT) -> float:
    """Return the double-precision number that `text` spells."""
    value = parse_double(text)
    if value is None:
        raise CommandError(error)
    return value


def option(text: bytes) -> bytes:
    """Return an option's word in upper case. It ends at a NUL, because Redis compares it as a C string."""
    if 0 in text:
        text = text[: text.index(0)]
    return text.upper()


def deadline_ms(command: str, text: bytes, in_seconds: bool, base_ms: int) -> int:
    """Return the positive Unix time in milliseconds that lies `text` seconds or milliseconds after `base_ms`."""
    time = integer(text)
    if time <= 0 or (in_seconds and time > INTEGER_MAX // _MS_PER_SECOND):
        raise CommandError(errors.invalid_expire_time(command))
    deadline = base_ms + (time * _MS_PER_SECOND if in_seconds else time)
    if deadline > INTEGER_MAX:
        raise CommandError(errors.invalid_expire_time(command))
    return deadline


def index_range(first: int, last: int, size: int) -> tuple[i64, i64]:
    """Return the first index and the one behind the last of a range in which negative numbers count from the end.

    Both ends become what there is before they become C integers: a client may ask up to the last 64-bit number.
    """
    if first < 0:
        first = max(first + size, 0)
    if last < 0:
        last += size
    if first > last or first >= size:
        return 0, 0
    return first, min(last, size - 1) + 1


def timeout_deadline(server: Server, text: bytes) -> int:
    """Return when a wait of `text` seconds, which may have a fraction, ends in Unix milliseconds; FOREVER for zero.

    (Redis: timeout.c getTimeoutFromObjectOrReply.)
    """
    number = long_double.parse(text)
    if number is None:
        raise CommandError(b"ERR timeout is not a float or out of range")
    seconds = math.inf if number.infinite else long_double.to_float(number)
    if seconds * _MS_PER_SECOND > INTEGER_MAX:
        # What does not fit becomes the lowest integer in redis-server.
        raise CommandError(errors.TIMEOUT_NEGATIVE)
    timeout_ms = math.ceil(seconds * _MS_PER_SECOND)
    # What is next to nothing is a millisecond, not forever.
    return _wait_deadline(server, 1 if timeout_ms == 0 and number.mantissa > 0 else timeout_ms)


def timeout_deadline_ms(server: Server, text: bytes) -> int:
    """Return when a wait of `text` milliseconds ends in Unix milliseconds; FOREVER for zero."""
    timeout_ms = parse_integer(text)
    if timeout_ms is None:
        raise CommandError(errors.TIMEOUT_NOT_AN_INTEGER)
    return _wait_deadline(server, timeout_ms)


def _wait_deadline(server: Server, timeout_ms: int) -> int:
    if timeout_ms < 0:
        raise CommandError(errors.TIMEOUT_NEGATIVE)
    if timeout_ms == 0 or timeout_ms > INTEGER_MAX - server.keyspace.now_ms:
        # Redis lets a time beyond the last one overflow, and never comes to it.
        return FOREVER
    return int(server.keyspace.now_ms) + timeout_ms


def slot_at(text: bytes) -> int:
    """Return the hash slot whose number `text` spells. (Redis: getSlotOrReply.)"""
    slot = parse_integer(text)
    if slot is None or not 0 <= slot < SLOT_COUNT:
        raise CommandError(b"ERR Invalid or out of range slot")
    return slot


def demand_several_databases(server: Server, error: bytes) -> None:
    """Refuse what leads from one database to another, by `error`, where a node of a cluster has only one."""
    if server.config.cluster_enabled and server.config.cluster_databases == 1:
        raise CommandError(error)


def database_at(server: Server, text: bytes) -> Database:
    """Return the database whose index `text` spells."""
    index = small_integer(text)
    if not 0 <= index < server.keyspace.database_count():
        raise CommandError(errors.DB_INDEX_OUT_OF_RANGE)
    return server.keyspace.database(index)
