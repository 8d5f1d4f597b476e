"""Deadlines of keys: EXPIRE, TTL and their relatives. (Redis: group "generic"; expire.c.)

A time to live is propagated as the deadline that it means, and as the deletion where that has passed already.
"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, INTEGER_MIN, integer, option
from trivet_node.server.events import GENERIC, notify
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_wire import errors

_NX: Final = 1 << 0
_XX: Final = 1 << 1
_GT: Final = 1 << 2
_LT: Final = 1 << 3
# The words that say under which condition a deadline is set; those of hashes' fields too.
CONDITIONS: Final[dict[bytes, int]] = {b"NX": _NX, b"XX": _XX, b"GT": _GT, b"LT": _LT}
_MS_PER_SECOND: Final = 1000
# The unit of the time in milliseconds, and whether it counts from now; those of hashes' fields have an `h` before it.
FORMS: Final[dict[str, tuple[int, bool]]] = {
    "expire": (_MS_PER_SECOND, True),
    "pexpire": (1, True),
    "expireat": (_MS_PER_SECOND, False),
    "pexpireat": (1, False),
}
_NO_KEY: Final = -2


def expire(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EXPIRE key seconds [NX | XX | GT | LT]."""
    _expire(server, client, arguments, "expire")


def pexpire(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PEXPIRE key milliseconds [NX | XX | GT | LT]."""
    _expire(server, client, arguments, "pexpire")


def expireat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EXPIREAT key unix-time-seconds [NX | XX | GT | LT]."""
    _expire(server, client, arguments, "expireat")


def pexpireat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]."""
    _expire(server, client, arguments, "pexpireat")


def _expire(server: Server, client: Client, arguments: list[bytes], name: str) -> None:
    """Give a key a deadline, in the form of the command `name`."""
    flags = _conditions(arguments)
    deadline = _deadline(name, arguments[2], server.keyspace.now_ms)
    database = client.database
    key = arguments[1]
    if database.find(key) is None or not is_allowed(flags, database.deadline(key), deadline):
        client.reply.integer(0)
        return
    if server.keyspace.deletes_at_once(deadline):
        database.delete(key)
        notify(server, GENERIC, b"del", key, database)
        server.propagation.instead([[b"DEL", key]])
    else:
        database.set_deadline(key, deadline)
        notify(server, GENERIC, b"expire", key, database)
        server.propagation.instead([[b"PEXPIREAT", key, b"%d" % deadline, *arguments[3:]]])
    client.reply.integer(1)


def _deadline(name: str, text: bytes, now_ms: int) -> int:
    """Return a deadline, which may lie in the past or before 1970, in Unix milliseconds."""
    unit_ms, is_relative = FORMS[name]
    base_ms = now_ms if is_relative else 0
    time_ms = integer(text) * unit_ms
    if time_ms < INTEGER_MIN or time_ms > INTEGER_MAX - base_ms:
        raise CommandError(errors.invalid_expire_time(name))
    return time_ms + base_ms


def _conditions(arguments: list[bytes]) -> int:
    flags = 0
    for argument in arguments[3:]:
        flag = CONDITIONS.get(option(argument), 0)
        if flag == 0:
            raise CommandError(b"ERR Unsupported option " + argument.partition(b"\0")[0])
        flags |= flag
    if flags & _NX != 0 and flags != _NX:
        raise CommandError(b"ERR NX and XX, GT or LT options at the same time are not compatible")
    if flags & _GT != 0 and flags & _LT != 0:
        raise CommandError(b"ERR GT and LT options at the same time are not compatible")
    return flags


def is_allowed(flags: int, current: int, deadline: int) -> bool:
    """Say whether the conditions let `deadline` replace the current one. No deadline counts as an endless one."""
    if flags == 0:
        return True
    if current == NO_DEADLINE:
        return flags & (_XX | _GT) == 0
    if flags & _NX != 0 or (flags & _GT != 0 and deadline <= current):
        return False
    return flags & _LT == 0 or deadline < current


def persist(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PERSIST key."""
    database = client.database
    key = arguments[1]
    if database.find(key) is None or not database.clear_deadline(key):
        client.reply.integer(0)
        return
    notify(server, GENERIC, b"persist", key, database)
    client.reply.integer(1)


def ttl(server: Server, client: Client, arguments: list[bytes]) -> None:
    """TTL key."""
    left_ms = _time_ms(client, arguments[1], server.keyspace.now_ms)
    client.reply.integer(_rounded_seconds(left_ms) if left_ms >= 0 else left_ms)


def pttl(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PTTL key."""
    client.reply.integer(_time_ms(client, arguments[1], server.keyspace.now_ms))


def expiretime(server: Server, client: Client, arguments: list[bytes]) -> None:
    """EXPIRETIME key."""
    deadline = _time_ms(client, arguments[1], 0)
    client.reply.integer(_rounded_seconds(deadline) if deadline >= 0 else deadline)


def pexpiretime(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PEXPIRETIME key."""
    client.reply.integer(_time_ms(client, arguments[1], 0))


def _time_ms(client: Client, key: bytes, base_ms: int) -> int:
    """Return how long after `base_ms` the deadline of `key` lies, NO_DEADLINE without one, or -2 without a key."""
    if client.database.glance(key) is None:
        return _NO_KEY
    deadline = client.database.deadline(key)
    return NO_DEADLINE if deadline == NO_DEADLINE else max(0, deadline - base_ms)


def _rounded_seconds(time_ms: int) -> int:
    return (time_ms + _MS_PER_SECOND // 2) // _MS_PER_SECOND


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "expire",
        -3,
        expire,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Set a key's time to live in seconds",
        keys=(KeySpec("RW update"),),
        history=(("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."),),
        arguments="key:key#0 seconds:integer condition:oneof?@7.0.0(nx:pure-token=NX "
        "xx:pure-token=XX gt:pure-token=GT lt:pure-token=LT)",
    ),
    Command(
        "pexpire",
        -3,
        pexpire,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="2.6.0",
        summary="Set a key's time to live in milliseconds",
        keys=(KeySpec("RW update"),),
        history=(("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."),),
        arguments="key:key#0 milliseconds:integer condition:oneof?@7.0.0(nx:pure-token=NX "
        "xx:pure-token=XX gt:pure-token=GT lt:pure-token=LT)",
    ),
    Command(
        "expireat",
        -3,
        expireat,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="1.2.0",
        summary="Set the expiration for a key as a UNIX timestamp",
        keys=(KeySpec("RW update"),),
        history=(("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."),),
        arguments="key:key#0 unix-time-seconds:unix-time condition:oneof?@7.0.0(nx:pure-token=NX "
        "xx:pure-token=XX gt:pure-token=GT lt:pure-token=LT)",
    ),
    Command(
        "pexpireat",
        -3,
        pexpireat,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="2.6.0",
        summary="Set the expiration for a key as a UNIX timestamp specified in milliseconds",
        keys=(KeySpec("RW update"),),
        history=(("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`."),),
        arguments="key:key#0 unix-time-milliseconds:unix-time "
        "condition:oneof?@7.0.0(nx:pure-token=NX xx:pure-token=XX gt:pure-token=GT "
        "lt:pure-token=LT)",
    ),
    Command(
        "ttl",
        2,
        ttl,
        READONLY | FAST,
        group="generic",
        categories="keyspace",
        since="1.0.0",
        summary="Get the time to live for a key in seconds",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        history=(("2.8.0", "Added the -2 reply."),),
        arguments="key:key#0",
    ),
    Command(
        "pttl",
        2,
        pttl,
        READONLY | FAST,
        group="generic",
        categories="keyspace",
        since="2.6.0",
        summary="Get the time to live for a key in milliseconds",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        history=(("2.8.0", "Added the -2 reply."),),
        arguments="key:key#0",
    ),
    Command(
        "expiretime",
        2,
        expiretime,
        READONLY | FAST,
        group="generic",
        categories="keyspace",
        since="7.0.0",
        summary="Get the expiration Unix timestamp for a key",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0",
    ),
    Command(
        "pexpiretime",
        2,
        pexpiretime,
        READONLY | FAST,
        group="generic",
        categories="keyspace",
        since="7.0.0",
        summary="Get the expiration Unix timestamp for a key in milliseconds",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0",
    ),
    Command(
        "persist",
        2,
        persist,
        WRITE | FAST,
        group="generic",
        categories="keyspace",
        since="2.2.0",
        summary="Remove the expiration from a key",
        keys=(KeySpec("RW update"),),
        arguments="key:key#0",
    ),
)
