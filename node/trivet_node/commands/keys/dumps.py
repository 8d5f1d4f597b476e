"""DUMP and RESTORE: one value out as bytes, and in again. (Redis: group "generic"; cluster.c.)"""

from typing import Final, final

from trivet_node.access import CLOCK
from trivet_node.client import Client
from trivet_node.command import ASKING, DENYOOM, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer, option
from trivet_node.persistence.dump import dump_value, is_intact, restore_value
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.server.events import GENERIC, notify
from trivet_node.server.state import Server
from trivet_wire import errors

_UNKNOWN: Final = -1
_FREQUENCY_MAX: Final = 255
_MS_PER_SECOND: Final = 1000
_BAD_DATA: Final = b"ERR Bad data format"


def dump(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DUMP key."""
    value = client.database.read(arguments[1])
    if value is None:
        client.reply.null()
    else:
        client.reply.bulk(dump_value(value, server.limits, server.config.rdbcompression))


@final
class RestoreOptions:
    """REPLACE, ABSTTL, IDLETIME seconds and FREQ frequency."""

    def __init__(self, arguments: list[bytes]) -> None:
        self.replace: bool = False
        self.is_absolute: bool = False
        self.idle_s: int = _UNKNOWN
        self.frequency: int = _UNKNOWN
        position = 4
        while position < len(arguments):
            word = option(arguments[position])
            has_more = position + 1 < len(arguments)
            if word == b"REPLACE":
                self.replace = True
            elif word == b"ABSTTL":
                self.is_absolute = True
            elif word == b"IDLETIME" and has_more and self.frequency == _UNKNOWN:
                position += 1
                self.idle_s = integer(arguments[position])
                if self.idle_s < 0:
                    raise CommandError(b"ERR Invalid IDLETIME value, must be >= 0")
            elif word == b"FREQ" and has_more and self.idle_s == _UNKNOWN:
                position += 1
                self.frequency = integer(arguments[position])
                if not 0 <= self.frequency <= _FREQUENCY_MAX:
                    raise CommandError(b"ERR Invalid FREQ value, must be >= 0 and <= 255")
            else:
                raise CommandError(errors.SYNTAX)
            position += 1


def restore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]."""
    options = RestoreOptions(arguments)
    database = client.database
    key = arguments[1]
    if not options.replace and database.find(key) is not None:
        raise CommandError(errors.BUSY_KEY)
    deadline_ms = _deadline(arguments[2], options, int(server.keyspace.now_ms))
    value = _value(server, arguments[3])
    deleted = options.replace and database.delete_even_expired(key)
    if deadline_ms != 0 and server.keyspace.deletes_at_once(deadline_ms):
        if deleted:
            notify(server, GENERIC, b"del", key, database)
            server.propagation.instead([[b"DEL", key]])
        client.reply.ok()
        return
    database.put(key, value)
    if deadline_ms != 0:
        database.set_deadline(key, deadline_ms)
        if not options.is_absolute:
            server.propagation.instead([[*arguments[:2], b"%d" % deadline_ms, *arguments[3:], b"ABSTTL"]])
    _recall_access(server, client, key, options)
    notify(server, GENERIC, b"restore", key, database)
    client.reply.ok()


def _deadline(text: bytes, options: RestoreOptions, now_ms: int) -> int:
    """Return the deadline in Unix milliseconds, 0 for none."""
    ttl_ms = integer(text)
    if ttl_ms < 0:
        raise CommandError(b"ERR Invalid TTL value, must be >= 0")
    if ttl_ms == 0 or options.is_absolute:
        return ttl_ms
    # What no clock reaches lies before 1970 for Redis, whose numbers wrap around.
    return ttl_ms + now_ms if ttl_ms <= INTEGER_MAX - now_ms else -1


def _value(server: Server, payload: bytes) -> object:
    if not is_intact(payload, not server.debug.skips_checksums):
        raise CommandError(b"ERR DUMP payload version or checksum are wrong")
    try:
        value = restore_value(payload, server.limits)
    except RdbError:
        raise CommandError(_BAD_DATA) from None
    if value is None:
        raise CommandError(_BAD_DATA)
    server.stats.payloads_checked += 1
    return value


def _recall_access(server: Server, client: Client, key: bytes, options: RestoreOptions) -> None:
    """Note when, or how often, the key was used before; times of access are kept from the first such request on."""
    keyspace = server.keyspace
    now_ms = int(keyspace.now_ms)
    idle_ms = _UNKNOWN
    if options.idle_s != _UNKNOWN:
        idle_ms = options.idle_s * _MS_PER_SECOND
        if not server.config.maxmemory_policy.endswith("-lfu"):
            keyspace.access.switch(CLOCK, now_ms)
    keyspace.access.recall(client.database.index, key, idle_ms, options.frequency, now_ms)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "dump",
        2,
        dump,
        READONLY,
        group="generic",
        categories="keyspace",
        since="2.6.0",
        summary="Return a serialized version of the value stored at the specified key.",
        complexity="O(1) to access the key and additional O(N*M) to serialize it, where N is the number of Redis "
        "objects composing the value and M their average size. For small string values the time complexity "
        "is thus O(1)+O(1*M) where M is small, so simply O(1).",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments="key:key#0",
    ),
    Command(
        "restore",
        -4,
        restore,
        WRITE | DENYOOM,
        group="generic",
        categories="keyspace dangerous",
        since="2.6.0",
        summary="Create a key using the provided serialized value, previously obtained using DUMP.",
        complexity="O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is "
        "the number of Redis objects composing the value and M their average size. For small string values "
        "the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set "
        "values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
        keys=(KeySpec("OW update"),),
        difference="Payloads whose elements are not in the order of their type, or hold one twice, are always refused; "
        "Redis does so with `sanitize-dump-payload yes` only.",
        history=(
            ("3.0.0", "Added the `REPLACE` modifier."),
            ("5.0.0", "Added the `ABSTTL` modifier."),
            ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
        ),
        arguments="key:key#0 ttl:integer serialized-value:string replace:pure-token=REPLACE?@3.0.0 "
        "absttl:pure-token=ABSTTL?@5.0.0 seconds:integer=IDLETIME?@5.0.0 frequency:integer=FREQ?@5.0.0",
    ),
    Command(
        "restore-asking",
        -4,
        restore,
        WRITE | DENYOOM | ASKING,
        group="server",
        categories="keyspace dangerous",
        since="3.0.0",
        summary="An internal command for migrating keys in a cluster",
        complexity="O(1) to create the new key and additional O(N*M) to reconstruct the serialized value, where N is "
        "the number of Redis objects composing the value and M their average size. For small string values "
        "the time complexity is thus O(1)+O(1*M) where M is small, so simply O(1). However for sorted set "
        "values the complexity is O(N*M*log(N)) because inserting values into sorted sets is O(log(N)).",
        keys=(KeySpec("OW update"),),
        doc_flags=("syscmd",),
        history=(
            ("3.0.0", "Added the `REPLACE` modifier."),
            ("5.0.0", "Added the `ABSTTL` modifier."),
            ("5.0.0", "Added the `IDLETIME` and `FREQ` options."),
        ),
        arguments="key:key#0 ttl:integer serialized-value:string replace:pure-token=REPLACE?@3.0.0 "
        "absttl:pure-token=ABSTTL?@5.0.0 seconds:integer=IDLETIME?@5.0.0 frequency:integer=FREQ?@5.0.0",
    ),
)
