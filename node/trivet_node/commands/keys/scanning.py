"""Which keys there are: KEYS, SCAN, RANDOMKEY. (Redis: group "generic".)

A cursor of SCAN is the slot to go on with: a key never changes its slot, so a key that exists from the first call to
the last is returned, exactly once, whatever else changes meanwhile.

SSCAN, HSCAN and ZSCAN, in the files of their types, share the options, the cursor and the reply. What they go through
is packed, and then returned whole, or in Buckets, whose cursors give the same guarantee.
(Redis: db.c scanGenericCommand.)
"""

import re
from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import READONLY, Command, CommandError
from trivet_node.commands.arguments import integer, option
from trivet_node.keyspace import Database
from trivet_node.sampling import random_key
from trivet_node.server.state import Server
from trivet_node.values.buckets import Buckets
from trivet_node.values.types import type_name
from trivet_wire import errors
from trivet_wire.glob import glob_match
from trivet_wire.slots import SLOT_COUNT

_DEFAULT_COUNT: Final = 10
_CURSOR: Final = re.compile(rb"([+-]?)0*(\d{1,20})")
_CURSOR_MAX: Final = 2**64 - 1


def keys(server: Server, client: Client, arguments: list[bytes]) -> None:
    """KEYS pattern."""
    pattern = arguments[1]
    database = client.database
    found: list[bytes] = []
    for slot in database.slots:
        for key in slot:
            if (pattern == b"*" or glob_match(pattern, key)) and not database.is_past_deadline(key):
                found.append(key)
    client.reply.bulk_array(found)


@final
class ScanOptions:
    """MATCH pattern, COUNT count and, where keys are scanned, TYPE type."""

    def __init__(self, arguments: list[bytes], start: int, allows_type: bool = False) -> None:
        self.count: int = _DEFAULT_COUNT
        self.pattern: bytes = b"*"
        self.type: bytes | None = None
        position = start
        while position < len(arguments):
            word = option(arguments[position])
            if position + 1 == len(arguments):
                raise CommandError(errors.SYNTAX)
            value = arguments[position + 1]
            if word == b"COUNT":
                self.count = integer(value)
                if self.count < 1:
                    raise CommandError(errors.SYNTAX)
            elif word == b"MATCH":
                self.pattern = value
            elif word == b"TYPE" and allows_type:
                self.type = option(value).lower()
            else:
                raise CommandError(errors.SYNTAX)
            position += 2

    def matches(self, text: bytes) -> bool:
        """Say whether `text`, a key or the name of an element, is asked for."""
        return self.pattern == b"*" or glob_match(self.pattern, text)


def scan_cursor(text: bytes) -> int:
    """Return the number that `text` is to strtoul: an empty text is 0, a minus sign wraps around 64 bits."""
    text = text.partition(b"\0")[0]
    if not text:
        return 0
    found = _CURSOR.fullmatch(text)
    number = _CURSOR_MAX + 1 if found is None else int(found.group(2))
    if found is None or number > _CURSOR_MAX:
        raise CommandError(b"ERR invalid cursor")
    return _CURSOR_MAX + 1 - number if found.group(1) == b"-" and number != 0 else number


def scan_buckets(buckets: Buckets, cursor: int, options: ScanOptions, found: list[bytes]) -> int:
    """Append the keys that one call of the SCAN family is to look at, whether they match or not; return the cursor."""
    cursor = buckets.scan(cursor, found)
    while cursor != 0 and len(found) < options.count:
        cursor = buckets.scan(cursor, found)
    return cursor


def reply_scan(client: Client, cursor: int, found: list[bytes]) -> None:
    """Append the reply of the SCAN family: where to go on, 0 at the end, and what was found."""
    client.reply.array(2)
    client.reply.bulk(b"%d" % cursor)
    client.reply.bulk_array(found)


def scan(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]."""
    cursor = scan_cursor(arguments[1])
    options = ScanOptions(arguments, 2, allows_type=True)
    database = client.database
    seen: list[bytes] = []
    slot: i64 = SLOT_COUNT if cursor >= SLOT_COUNT else cursor
    while slot < SLOT_COUNT and len(seen) < options.count:
        seen.extend(database.slots[slot])
        slot += 1
    while slot < SLOT_COUNT and not database.slots[slot]:
        slot += 1
    found = [key for key in seen if _is_wanted(database, key, options)]
    reply_scan(client, 0 if slot == SLOT_COUNT else int(slot), found)


def _is_wanted(database: Database, key: bytes, options: ScanOptions) -> bool:
    if not options.matches(key):
        return False
    if options.type is None:
        return database.find(key) is not None
    value = database.glance(key)
    return value is not None and type_name(value) == options.type


def randomkey(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RANDOMKEY."""
    key = random_key(client.database, server.random)
    if key is None:
        client.reply.null()
    else:
        client.reply.bulk(key)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "keys",
        2,
        keys,
        READONLY,
        group="generic",
        categories="dangerous keyspace",
        since="1.0.0",
        summary="Find all keys matching the given pattern",
        complexity=(
            "O(N) with N being the number of keys in the database, under the assumption that the key names in "
            "the database and the given pattern have limited length."
        ),
        tips=(
            "request_policy:all_shards",
            "nondeterministic_output_order",
        ),
        arguments="pattern:pattern",
    ),
    Command(
        "scan",
        -2,
        scan,
        READONLY,
        group="generic",
        categories="keyspace",
        since="2.8.0",
        summary="Incrementally iterate the keys space",
        complexity=(
            "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor "
            "to return back to 0. N is the number of elements inside the collection."
        ),
        tips=(
            "nondeterministic_output",
            "request_policy:special",
        ),
        history=(("6.0.0", "Added the `TYPE` subcommand."),),
        arguments="cursor:integer pattern:pattern=MATCH? count:integer=COUNT? type:string=TYPE?@6.0.0",
    ),
    Command(
        "randomkey",
        1,
        randomkey,
        READONLY,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Return a random key from the keyspace",
        tips=(
            "request_policy:all_shards",
            "nondeterministic_output",
        ),
    ),
)
