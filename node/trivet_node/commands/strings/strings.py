"""Strings as a whole: SET, GET and their relatives. (Redis: group "string".)

What has a deadline relative to now is propagated with the absolute one, so that replicas agree on it.
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import deadline_ms, option
from trivet_node.keyspace import Database
from trivet_node.server.events import GENERIC, STRING, notify
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.strings import encode_string, string_bytes
from trivet_wire import errors

# Options of SET and GETEX.
_NX: Final = 1 << 0
_XX: Final = 1 << 1
_GET: Final = 1 << 2
_KEEPTTL: Final = 1 << 3
_PERSIST: Final = 1 << 4
_EX: Final = 1 << 5
_PX: Final = 1 << 6
_EXAT: Final = 1 << 7
_PXAT: Final = 1 << 8

_TIMES: Final = _EX | _PX | _EXAT | _PXAT
_SET_OPTIONS: Final = _NX | _XX | _GET | _KEEPTTL | _TIMES
_GETEX_OPTIONS: Final = _PERSIST | _TIMES
_FLAGS: Final[dict[bytes, int]] = {
    b"NX": _NX,
    b"XX": _XX,
    b"GET": _GET,
    b"KEEPTTL": _KEEPTTL,
    b"PERSIST": _PERSIST,
    b"EX": _EX,
    b"PX": _PX,
    b"EXAT": _EXAT,
    b"PXAT": _PXAT,
}
# What may not stand before an option. Every option may be repeated; the last time given counts.
_EXCLUDED: Final[dict[int, int]] = {
    _NX: _XX,
    _XX: _NX,
    _GET: 0,
    _KEEPTTL: _PERSIST | _TIMES,
    _PERSIST: _KEEPTTL | _TIMES,
    _EX: _KEEPTTL | _PERSIST | (_TIMES & ~_EX),
    _PX: _KEEPTTL | _PERSIST | (_TIMES & ~_PX),
    _EXAT: _KEEPTTL | _PERSIST | (_TIMES & ~_EXAT),
    _PXAT: _KEEPTTL | _PERSIST | (_TIMES & ~_PXAT),
}


@final
class Options:
    """The options given: their flags, and the text of the time behind EX, PX, EXAT or PXAT."""

    def __init__(self, arguments: list[bytes], start: int, allowed: int) -> None:
        self.flags: int = 0
        self.time: bytes = b""
        position = start
        while position < len(arguments):
            flag = _FLAGS.get(option(arguments[position]), 0)
            if flag & allowed == 0 or self.flags & _EXCLUDED[flag] != 0:
                raise CommandError(errors.SYNTAX)
            self.flags |= flag
            if flag & _TIMES != 0:
                position += 1
                if position == len(arguments):
                    raise CommandError(errors.SYNTAX)
                self.time = arguments[position]
            position += 1

    def deadline(self, command: str, now_ms: int) -> int:
        """Return the deadline in Unix milliseconds, or NO_DEADLINE where no time was given."""
        if self.flags & _TIMES == 0:
            return NO_DEADLINE
        in_seconds = self.flags & (_EX | _EXAT) != 0
        return deadline_ms(command, self.time, in_seconds, now_ms if self.flags & (_EX | _PX) != 0 else 0)


def read_string(database: Database, key: bytes) -> bytes | None:
    """Return the string under `key` as a reading command sees it, or None where there is none."""
    value = database.read(key)
    if value is None:
        return None
    text = string_bytes(value)
    if text is None:
        raise CommandError(errors.WRONG_TYPE)
    return text


def _reply_old_value(client: Client, text: bytes | None) -> None:
    if text is None:
        client.reply.null()
    else:
        client.reply.bulk(text)


def get(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GET key."""
    value = client.database.read(arguments[1])
    if value is None:
        client.reply.null()
        return
    text = string_bytes(value)
    if text is None:
        client.reply.error(errors.WRONG_TYPE)
    else:
        client.reply.bulk(text)


def set_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]."""
    if len(arguments) == 3:
        client.database.put(arguments[1], encode_string(arguments[2]))
        notify(server, STRING, b"set", arguments[1], client.database)
        client.reply.ok()
    else:
        _set_with_options(server, client, arguments)


def _set_with_options(server: Server, client: Client, arguments: list[bytes]) -> None:
    options = Options(arguments, 3, _SET_OPTIONS)
    deadline = options.deadline("set", server.keyspace.now_ms)
    database = client.database
    key = arguments[1]
    returns_old = options.flags & _GET != 0
    if returns_old:
        _reply_old_value(client, read_string(database, key))
    if options.flags & (_NX | _XX) != 0 and (database.find(key) is None) == (options.flags & _XX != 0):
        if not returns_old:
            client.reply.null()
        return
    value = encode_string(arguments[2])
    if options.flags & _KEEPTTL != 0 and database.find(key) is not None:
        database.replace(key, value)
    else:
        database.put(key, value)
    notify(server, STRING, b"set", key, database)
    if not returns_old:
        client.reply.ok()
    if deadline != NO_DEADLINE:
        database.set_deadline(key, deadline)
        notify(server, GENERIC, b"expire", key, database)
        _propagate_set(server, arguments, deadline)
    elif returns_old:
        kept = [argument for argument in arguments[3:] if argument.upper() != b"GET"]
        server.propagation.instead([arguments[:3] + kept])


def _propagate_set(server: Server, arguments: list[bytes], deadline: int) -> None:
    """Propagate what stored arguments[2] under arguments[1], with its deadline as a time."""
    server.propagation.instead([[b"SET", arguments[1], arguments[2], b"PXAT", b"%d" % deadline]])


def setnx(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SETNX key value."""
    database = client.database
    if database.find(arguments[1]) is not None:
        client.reply.integer(0)
        return
    database.put(arguments[1], encode_string(arguments[2]))
    notify(server, STRING, b"set", arguments[1], database)
    client.reply.integer(1)


def setex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SETEX key seconds value."""
    _set_expiring(server, client, arguments, deadline_ms("setex", arguments[2], True, server.keyspace.now_ms))


def psetex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PSETEX key milliseconds value."""
    _set_expiring(server, client, arguments, deadline_ms("psetex", arguments[2], False, server.keyspace.now_ms))


def _set_expiring(server: Server, client: Client, arguments: list[bytes], deadline: int) -> None:
    key = arguments[1]
    client.database.put(key, encode_string(arguments[3]))
    client.database.set_deadline(key, deadline)
    notify(server, STRING, b"set", key, client.database)
    notify(server, GENERIC, b"expire", key, client.database)
    client.reply.ok()
    _propagate_set(server, [b"SET", key, arguments[3]], deadline)


def getset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GETSET key value."""
    _reply_old_value(client, read_string(client.database, arguments[1]))
    client.database.put(arguments[1], encode_string(arguments[2]))
    notify(server, STRING, b"set", arguments[1], client.database)
    server.propagation.instead([[b"SET", arguments[1], arguments[2]]])


def getdel(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GETDEL key."""
    text = read_string(client.database, arguments[1])
    _reply_old_value(client, text)
    if text is not None:
        client.database.delete(arguments[1])
        notify(server, GENERIC, b"del", arguments[1], client.database)
        server.propagation.instead([[b"DEL", arguments[1]]])


def getex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST]."""
    options = Options(arguments, 2, _GETEX_OPTIONS)
    database = client.database
    key = arguments[1]
    text = read_string(database, key)
    if text is None:
        client.reply.null()
        return
    deadline = options.deadline("getex", server.keyspace.now_ms)
    client.reply.bulk(text)
    if deadline == NO_DEADLINE:
        if options.flags & _PERSIST != 0 and database.clear_deadline(key):
            notify(server, GENERIC, b"persist", key, database)
            server.propagation.instead([[b"PERSIST", key]])
    elif options.flags & (_EXAT | _PXAT) != 0 and server.keyspace.deletes_at_once(deadline):
        database.delete(key)
        notify(server, GENERIC, b"del", key, database)
        server.propagation.instead([[b"DEL", key]])
    else:
        database.set_deadline(key, deadline)
        notify(server, GENERIC, b"expire", key, database)
        server.propagation.instead([[b"PEXPIREAT", key, b"%d" % deadline]])


def mget(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MGET key [key ...]."""
    reply = client.reply
    database = client.database
    reply.array(len(arguments) - 1)
    for key in arguments[1:]:
        text = string_bytes(database.read(key))
        if text is None:
            reply.null()
        else:
            reply.bulk(text)


def mset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MSET key value [key value ...]."""
    if len(arguments) % 2 == 0:
        raise CommandError(errors.wrong_arity("mset"))
    _put_all(server, client.database, arguments)
    client.reply.ok()


def msetnx(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MSETNX key value [key value ...]."""
    if len(arguments) % 2 == 0:
        raise CommandError(errors.wrong_arity("msetnx"))
    database = client.database
    for index in range(1, len(arguments), 2):
        if database.find(arguments[index]) is not None:
            client.reply.integer(0)
            return
    _put_all(server, database, arguments)
    client.reply.integer(1)


def _put_all(server: Server, database: Database, arguments: list[bytes]) -> None:
    for index in range(1, len(arguments), 2):
        database.put(arguments[index], encode_string(arguments[index + 1]))
        notify(server, STRING, b"set", arguments[index], database)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "set",
        -3,
        set_,
        WRITE | DENYOOM,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Set the string value of a key",
        keys=(KeySpec("RW access update variable_flags", notes="RW and ACCESS due to the optional `GET` argument"),),
        history=(
            ("2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."),
            ("6.0.0", "Added the `KEEPTTL` option."),
            ("6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."),
            ("7.0.0", "Allowed the `NX` and `GET` options to be used together."),
        ),
        arguments="key:key#0 value:string condition:oneof?@2.6.12(nx:pure-token=NX xx:pure-token=XX) "
        "get:pure-token=GET?@6.2.0 expiration:oneof?(seconds:integer=EX@2.6.12 "
        "milliseconds:integer=PX@2.6.12 unix-time-seconds:unix-time=EXAT@6.2.0 "
        "unix-time-milliseconds:unix-time=PXAT@6.2.0 keepttl:pure-token=KEEPTTL@6.0.0)",
    ),
    Command(
        "get",
        2,
        get,
        READONLY | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Get the value of a key",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0",
    ),
    Command(
        "getex",
        -2,
        getex,
        WRITE | FAST,
        group="string",
        categories="string",
        since="6.2.0",
        summary="Get the value of a key and optionally set its expiration",
        keys=(KeySpec("RW access update", notes="RW and UPDATE because it changes the TTL"),),
        arguments="key:key#0 expiration:oneof?(seconds:integer=EX milliseconds:integer=PX "
        "unix-time-seconds:unix-time=EXAT unix-time-milliseconds:unix-time=PXAT "
        "persist:pure-token=PERSIST)",
    ),
    Command(
        "getdel",
        2,
        getdel,
        WRITE | FAST,
        group="string",
        categories="string",
        since="6.2.0",
        summary="Get the value of a key and delete the key",
        keys=(KeySpec("RW access delete"),),
        arguments="key:key#0",
    ),
    Command(
        "getset",
        3,
        getset,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Set the string value of a key and return its old value",
        keys=(KeySpec("RW access update"),),
        deprecated_since="6.2.0",
        replaced_by="`SET` with the `!GET` argument",
        arguments="key:key#0 value:string",
    ),
    Command(
        "mget",
        -2,
        mget,
        READONLY | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Get the values of all the given keys",
        complexity="O(N) where N is the number of keys to retrieve.",
        keys=(KeySpec("RO access", last=-1),),
        tips=("request_policy:multi_shard",),
        arguments="key:key#0*",
    ),
    Command(
        "mset",
        -3,
        mset,
        WRITE | DENYOOM,
        group="string",
        categories="string",
        since="1.0.1",
        summary="Set multiple keys to multiple values",
        complexity="O(N) where N is the number of keys to set.",
        keys=(KeySpec("OW update", last=-1, step=2),),
        tips=(
            "request_policy:multi_shard",
            "response_policy:all_succeeded",
        ),
        arguments="key_value:block*(key:key#0 value:string)",
    ),
    Command(
        "msetnx",
        -3,
        msetnx,
        WRITE | DENYOOM,
        group="string",
        categories="string",
        since="1.0.1",
        summary="Set multiple keys to multiple values, only if none of the keys exist",
        complexity="O(N) where N is the number of keys to set.",
        keys=(KeySpec("OW insert", last=-1, step=2),),
        tips=(
            "request_policy:multi_shard",
            "response_policy:agg_min",
        ),
        arguments="key_value:block*(key:key#0 value:string)",
    ),
    Command(
        "setnx",
        3,
        setnx,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Set the value of a key, only if the key does not exist",
        keys=(KeySpec("OW insert"),),
        arguments="key:key#0 value:string",
    ),
    Command(
        "setex",
        4,
        setex,
        WRITE | DENYOOM,
        group="string",
        categories="string",
        since="2.0.0",
        summary="Set the value and expiration of a key",
        keys=(KeySpec("OW update"),),
        arguments="key:key#0 seconds:integer value:string",
    ),
    Command(
        "psetex",
        4,
        psetex,
        WRITE | DENYOOM,
        group="string",
        categories="string",
        since="2.6.0",
        summary="Set the value and expiration in milliseconds of a key",
        keys=(KeySpec("OW update"),),
        arguments="key:key#0 milliseconds:integer value:string",
    ),
)
