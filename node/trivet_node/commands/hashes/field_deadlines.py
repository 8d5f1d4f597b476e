"""Deadlines of a hash's fields: HEXPIRE, HTTL, HPERSIST and their relatives. (Redis 7.4: group "hash"; t_hash.c.)

Each replies with an array of one number for each field. A time to live is propagated as the deadline that it means, for
those fields that were given it, and as their deletion where that has passed already.
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, KeySpec
from trivet_node.commands.arguments import option
from trivet_node.commands.element_changes import finish_removal
from trivet_node.commands.hashes.field_arguments import MS_PER_SECOND, field_deadline_ms, named_fields
from trivet_node.commands.hashes.lookup import as_expiring, find_expiring, without_past
from trivet_node.commands.keys.deadlines import CONDITIONS, FORMS, is_allowed
from trivet_node.server.events import HASH, notify
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash

NO_FIELD: Final = -2
_REFUSED: Final = 0
_DONE: Final = 1
_DELETED: Final = 2
_BAD_COUNT: Final = b"ERR Parameter `numFields` should be greater than 0"


def hexpire(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]."""
    _expire(server, client, arguments, "hexpire")


def hpexpire(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]."""
    _expire(server, client, arguments, "hpexpire")


def hexpireat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]."""
    _expire(server, client, arguments, "hexpireat")


def hpexpireat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]."""
    _expire(server, client, arguments, "hpexpireat")


def _expire(server: Server, client: Client, arguments: list[bytes], name: str) -> None:
    """Give fields a deadline, in the form of the command `name`."""
    key = arguments[1]
    known = find_expiring(client.database, key)
    unit_ms, is_relative = FORMS[name.removeprefix("h")]
    deadline = field_deadline_ms(name, arguments[2], unit_ms, int(server.keyspace.now_ms) if is_relative else 0)
    condition = CONDITIONS.get(option(arguments[3]), 0)
    fields = named_fields(arguments, 4 if condition else 3, _BAD_COUNT)
    hashed = None if known is None else without_past(client.database, key, known, fields)
    if hashed is None:
        _reply_no_fields(client, fields)
        return
    change = DeadlineChange(server, client, key, hashed, deadline)
    client.reply.array(len(fields))
    for field in fields:
        if not hashed.hash.has(field):
            client.reply.integer(NO_FIELD)
        elif not is_allowed(condition, hashed.deadlines.get(field), deadline):
            client.reply.integer(_REFUSED)
        else:
            change.apply_to(field)
            client.reply.integer(_DELETED if change.deletes else _DONE)
    change.finish()


@final
class DeadlineChange:
    """Gives fields of a hash, which are there, one deadline; where that has passed already, it deletes them."""

    def __init__(self, server: Server, client: Client, key: bytes, hashed: ExpiringHash, deadline: int) -> None:
        self.deletes: bool = server.keyspace.deletes_at_once(deadline)
        self._server: Server = server
        self._client: Client = client
        self._key: bytes = key
        self._hash: ExpiringHash = hashed
        self._deadline: int = deadline
        self._fields: list[bytes] = []

    def apply_to(self, field: bytes) -> None:
        """Change one field."""
        self._fields.append(field)
        if self.deletes:
            self._hash.remove(field)
        else:
            self._hash.deadlines.put(field, self._deadline)

    def finish(self) -> None:
        """Report and propagate what was done, if anything was."""
        fields = self._fields
        if not fields:
            return
        notify(self._server, HASH, b"hdel" if self.deletes else b"hexpire", self._key, self._client.database)
        finish_fields(self._server, self._client, self._key, self._hash, len(fields))
        effect = [b"HDEL", self._key, *fields]
        if not self.deletes:
            effect = [b"HPEXPIREAT", self._key, b"%d" % self._deadline, b"FIELDS", b"%d" % len(fields), *fields]
        self._server.propagation.instead([effect])


def finish_fields(server: Server, client: Client, key: bytes, hashed: ExpiringHash, changes: int) -> None:
    """Keep a hash after so many of its fields, or of their deadlines, have changed; without fields it is no key."""
    is_empty = hashed.hash.is_empty()
    if not is_empty:
        client.database.settle(key, hashed)
    finish_removal(server, client.database, key, is_empty, changes)


def _reply_no_fields(client: Client, fields: list[bytes]) -> None:
    client.reply.array(len(fields))
    for _ in fields:
        client.reply.integer(NO_FIELD)


def hpersist(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HPERSIST key FIELDS numfields field [field ...]."""
    key = arguments[1]
    known = find_expiring(client.database, key)
    fields = named_fields(arguments, 2)
    hashed = None if known is None else without_past(client.database, key, known, fields)
    if hashed is None:
        _reply_no_fields(client, fields)
        return
    persisted = False
    client.reply.array(len(fields))
    for field in fields:
        if not hashed.hash.has(field):
            client.reply.integer(NO_FIELD)
        elif hashed.deadlines.drop(field):
            persisted = True
            client.reply.integer(_DONE)
        else:
            client.reply.integer(NO_DEADLINE)
    if persisted:
        notify(server, HASH, b"hpersist", key, client.database)
        finish_fields(server, client, key, hashed, 1)


def httl(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HTTL key FIELDS numfields field [field ...]."""
    _reply_times(client, arguments, MS_PER_SECOND, int(server.keyspace.now_ms))


def hpttl(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HPTTL key FIELDS numfields field [field ...]."""
    _reply_times(client, arguments, 1, int(server.keyspace.now_ms))


def hexpiretime(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HEXPIRETIME key FIELDS numfields field [field ...]."""
    _reply_times(client, arguments, MS_PER_SECOND, 0)


def hpexpiretime(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HPEXPIRETIME key FIELDS numfields field [field ...]."""
    _reply_times(client, arguments, 1, 0)


def _reply_times(client: Client, arguments: list[bytes], unit_ms: int, base_ms: int) -> None:
    """Reply how long after `base_ms` the deadlines of fields lie, rounded up to whole units."""
    value = client.database.read(arguments[1])
    hashed = None if value is None else value if isinstance(value, Hash) else as_expiring(value)
    fields = named_fields(arguments, 2)
    hidden_before_ms = client.database.keyspace.hides_before_ms()
    client.reply.array(len(fields))
    for field in fields:
        deadline = _deadline(hashed, field, hidden_before_ms)
        client.reply.integer(deadline if deadline < 0 else max(deadline - base_ms + unit_ms - 1, 0) // unit_ms)


def _deadline(hashed: Hash | ExpiringHash | None, field: bytes, hidden_before_ms: int) -> int:
    """Return the deadline of a field, NO_DEADLINE where it has none, or NO_FIELD."""
    if hashed is None:
        return NO_FIELD
    if isinstance(hashed, Hash):
        return NO_DEADLINE if hashed.has(field) else NO_FIELD
    if hashed.is_past(field, hidden_before_ms) or not hashed.hash.has(field):
        return NO_FIELD
    return hashed.deadlines.get(field)


_EXPIRE_ARGUMENTS: Final = (
    "condition:oneof?(nx:pure-token=NX xx:pure-token=XX gt:pure-token=GT lt:pure-token=LT) "
    "fields:block=FIELDS(numfields:integer field:string*)"
)
_FIELDS_ARGUMENTS: Final = "key:key#0 fields:block=FIELDS(numfields:integer field:string*)"
_COMPLEXITY: Final = "O(N) where N is the number of specified fields"
_DIFFERENCE: Final = (
    "Reading hides a field past its deadline but does not delete it: active expiry does, or a command that writes the "
    "field. Without deadlines of fields a hash is a listpack again. Fields of small hashes stay in the order of their "
    "arrival."
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "hexpire",
        -6,
        hexpire,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Set expiry for hash field using relative time to expire (seconds)",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 seconds:integer " + _EXPIRE_ARGUMENTS,
        difference=_DIFFERENCE,
    ),
    Command(
        "hpexpire",
        -6,
        hpexpire,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Set expiry for hash field using relative time to expire (milliseconds)",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 milliseconds:integer " + _EXPIRE_ARGUMENTS,
    ),
    Command(
        "hexpireat",
        -6,
        hexpireat,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Set expiry for hash field using an absolute Unix timestamp (seconds)",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 unix-time-seconds:unix-time " + _EXPIRE_ARGUMENTS,
    ),
    Command(
        "hpexpireat",
        -6,
        hpexpireat,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Set expiry for hash field using an absolute Unix timestamp (milliseconds)",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 unix-time-milliseconds:unix-time " + _EXPIRE_ARGUMENTS,
    ),
    Command(
        "hpersist",
        -5,
        hpersist,
        WRITE | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Removes the expiration time for each specified field",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RW update"),),
        arguments=_FIELDS_ARGUMENTS,
    ),
    Command(
        "httl",
        -5,
        httl,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Returns the TTL in seconds of a hash field.",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments=_FIELDS_ARGUMENTS,
    ),
    Command(
        "hpttl",
        -5,
        hpttl,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Returns the TTL in milliseconds of a hash field.",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments=_FIELDS_ARGUMENTS,
    ),
    Command(
        "hexpiretime",
        -5,
        hexpiretime,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Returns the expiration time of a hash field as a Unix timestamp, in seconds.",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RO access"),),
        arguments=_FIELDS_ARGUMENTS,
    ),
    Command(
        "hpexpiretime",
        -5,
        hpexpiretime,
        READONLY | FAST,
        group="hash",
        categories="hash",
        since="7.4.0",
        summary="Returns the expiration time of a hash field as a Unix timestamp, in msec.",
        complexity=_COMPLEXITY,
        keys=(KeySpec("RO access"),),
        arguments=_FIELDS_ARGUMENTS,
    ),
)
