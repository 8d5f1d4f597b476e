"""What commands about fields with deadlines read out of their arguments: FIELDS numfields field ..., and times.

(Redis 8.0: t_hash.c parseExpireTime and the commands themselves.)
"""

from typing import Final

from trivet_node.command import CommandError
from trivet_node.commands.arguments import INTEGER_MAX, integer, integer_in, option
from trivet_node.values.hash_deadlines import FIELD_DEADLINE_MAX_MS
from trivet_wire import errors

MS_PER_SECOND: Final = 1000
BAD_FIELD_COUNT: Final = b"ERR Number of fields must be a positive integer"


def named_fields(arguments: list[bytes], start: int, bad_count: bytes = BAD_FIELD_COUNT) -> list[bytes]:
    """Return the fields behind FIELDS at arguments[start] and their number, with which the arguments end.

    `bad_count` is the error where that number is none.
    """
    if option(arguments[start]) != b"FIELDS":
        raise CommandError(b"ERR Mandatory argument FIELDS is missing or not at the right position")
    # Redis reads on behind the last argument where the number is missing.
    count = integer_in(arguments[start + 1] if start + 1 < len(arguments) else b"", 1, INTEGER_MAX, bad_count)
    if count != len(arguments) - start - 2:
        raise CommandError(b"ERR The `numfields` parameter must match the number of arguments")
    return arguments[start + 2 :]


def field_deadline_ms(command: str, text: bytes, unit_ms: int, base_ms: int) -> int:
    """Return the Unix time in milliseconds that lies `text` units of time after `base_ms`; it may have passed."""
    time = integer(text)
    if time < 0:
        raise CommandError(b"ERR invalid expire time, must be >= 0")
    deadline = time * unit_ms + base_ms
    if deadline > FIELD_DEADLINE_MAX_MS:
        raise CommandError(errors.invalid_expire_time(command))
    return deadline
