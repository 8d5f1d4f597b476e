"""Values of a hash's fields read or set together with their deadlines: HGETDEL, HGETEX, HSETEX.

They are propagated as what they do: HDEL, HPEXPIREAT or HPERSIST, and HSETEX with its deadline as a time.
(Redis 8.0: group "hash"; t_hash.c.)
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import integer_in, option
from trivet_node.commands.hashes.field_arguments import MS_PER_SECOND, field_deadline_ms, named_fields
from trivet_node.commands.hashes.field_deadlines import DeadlineChange, finish_fields
from trivet_node.commands.hashes.lookup import find_expiring, without_past
from trivet_node.server.events import HASH, notify
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer

_INT_MAX: Final = 2**31 - 1
# The words before a time: its unit in milliseconds, and whether it counts from now.
_TIMES: Final[dict[bytes, tuple[int, bool]]] = {
    b"EX": (MS_PER_SECOND, True),
    b"PX": (1, True),
    b"EXAT": (MS_PER_SECOND, False),
    b"PXAT": (1, False),
}


def hgetdel(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HGETDEL key FIELDS numfields field [field ...]."""
    key = arguments[1]
    known = find_expiring(client.database, key)
    fields = named_fields(arguments, 2)
    hashed = None if known is None else without_past(client.database, key, known, fields)
    deleted: list[bytes] = []
    client.reply.array(len(fields))
    for field in fields:
        if _reply_value(client.reply, hashed, field) and hashed is not None:
            hashed.remove(field)
            deleted.append(field)
    if hashed is not None and deleted:
        notify(server, HASH, b"hdel", key, client.database)
        finish_fields(server, client, key, hashed, len(deleted))
        server.propagation.instead([[b"HDEL", key, *deleted]])


def _reply_value(reply: ReplyBuffer, hashed: ExpiringHash | None, field: bytes) -> bool:
    """Reply the value of a field and say whether it is there."""
    value = None if hashed is None else hashed.hash.get(field)
    if value is None:
        reply.null()
        return False
    reply.bulk(value)
    return True


def hgetex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HGETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST] FIELDS numfields field [field ...]

    The value of a field is that from before it is deleted because the time has passed.
    """
    key = arguments[1]
    known = find_expiring(client.database, key)
    word = option(arguments[2])
    deadline = NO_DEADLINE
    start = 2
    if word in _TIMES:
        deadline = _deadline_ms(server, "hgetex", word, arguments[3])
        start = 4
    elif word == b"PERSIST":
        start = 3
    fields = named_fields(arguments, start)
    hashed = None if known is None else without_past(client.database, key, known, fields)
    client.reply.array(len(fields))
    there = [field for field in fields if _reply_value(client.reply, hashed, field)]
    if hashed is not None and deadline != NO_DEADLINE:
        change = DeadlineChange(server, client, key, hashed, deadline)
        for field in there:
            change.apply_to(field)
        change.finish()
    elif hashed is not None and word == b"PERSIST":
        _persist(server, client, key, hashed, there)


def _persist(server: Server, client: Client, key: bytes, hashed: ExpiringHash, fields: list[bytes]) -> None:
    persisted = [field for field in fields if hashed.deadlines.drop(field)]
    if persisted:
        notify(server, HASH, b"hpersist", key, client.database)
        finish_fields(server, client, key, hashed, len(persisted))
        server.propagation.instead([[b"HPERSIST", key, b"FIELDS", b"%d" % len(persisted), *persisted]])


def _deadline_ms(server: Server, command: str, word: bytes, text: bytes) -> int:
    unit_ms, is_relative = _TIMES[word]
    return field_deadline_ms(command, text, unit_ms, int(server.keyspace.now_ms) if is_relative else 0)


@final
class SetOptions:
    """FNX or FXX, and EX, PX, EXAT or PXAT with a time or KEEPTTL, in any order; behind FIELDS numfields the fields.

    (Redis: hsetexParseArgs.)
    """

    def __init__(self, server: Server, arguments: list[bytes]) -> None:
        self.deadline: int = NO_DEADLINE
        self.keeps_deadlines: bool = False
        self.condition: bytes = b""
        position = 2
        while (word := option(arguments[position])) != b"FIELDS":
            if word in _TIMES or word == b"KEEPTTL":
                if self.deadline != NO_DEADLINE or self.keeps_deadlines:
                    raise CommandError(b"ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified")
                position += self._take_time(server, word, arguments[position + 1 : position + 2])
            elif word in (b"FNX", b"FXX"):
                if self.condition:
                    raise CommandError(b"ERR Only one of FXX or FNX arguments can be specified")
                self.condition = word
            else:
                raise CommandError(b"ERR unknown argument: " + errors.c_string(arguments[position]))
            position += 1
        # The index of the first field.
        self.first: int = position + 2
        self._check_count(arguments)

    def _take_time(self, server: Server, word: bytes, texts: list[bytes]) -> int:
        """Return how many arguments stand behind the word."""
        if word == b"KEEPTTL":
            self.keeps_deadlines = True
            return 0
        if not texts:
            raise CommandError(b"ERR missing expire time")
        self.deadline = _deadline_ms(server, "hsetex", word, texts[0])
        return 1

    def _check_count(self, arguments: list[bytes]) -> None:
        if self.first > len(arguments) - 2:
            raise CommandError(errors.wrong_arity("hsetex"))
        count = integer_in(arguments[self.first - 1], 1, _INT_MAX, b"ERR invalid number of fields")
        if count * 2 != len(arguments) - self.first:
            raise CommandError(errors.wrong_arity("hsetex"))

    def refuse(self, hashed: Hash, fields: list[bytes]) -> bool:
        """Say whether FNX or FXX forbids to set the fields: all of them or none."""
        if self.condition == b"FNX":
            return any(hashed.has(field) for field in fields)
        return self.condition == b"FXX" and not all(hashed.has(field) for field in fields)


def hsetex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL] FIELDS numfields
    field value [field value ...].
    """
    options = SetOptions(server, arguments)
    key = arguments[1]
    fields = arguments[options.first :: 2]
    known = find_expiring(client.database, key)
    if known is not None:
        known = without_past(client.database, key, known, fields)
    hashed = ExpiringHash(Hash()) if known is None else known
    if options.refuse(hashed.hash, fields):
        client.reply.integer(0)
        return
    client.reply.integer(1)
    if known is None:
        client.database.put(key, hashed.hash)
        # Its fields are counted as the changes, in a moment.
        server.keyspace.dirty -= 1
    _set_values(server, hashed, arguments, options)
    notify(server, HASH, b"hset", key, client.database)
    if options.deadline == NO_DEADLINE:
        finish_fields(server, client, key, hashed, len(fields))
        return
    change = DeadlineChange(server, client, key, hashed, options.deadline)
    for field in fields:
        change.apply_to(field)
    change.finish()
    if not change.deletes:
        server.propagation.instead([_with_time(arguments, options)])


def _set_values(server: Server, hashed: ExpiringHash, arguments: list[bytes], options: SetOptions) -> None:
    hashed.hash.make_room(arguments, options.first, server.limits)
    for index in range(options.first, len(arguments), 2):
        hashed.hash.put(arguments[index], arguments[index + 1], server.limits)
        if not options.keeps_deadlines:
            hashed.deadlines.drop(arguments[index])


def _with_time(arguments: list[bytes], options: SetOptions) -> list[bytes]:
    """Return the request with its deadline as a time, whatever its form was."""
    condition = [options.condition] if options.condition else []
    time = [b"PXAT", b"%d" % options.deadline]
    return [b"HSETEX", arguments[1], *condition, *time, *arguments[options.first - 2 :]]


_FIELDS_ARGUMENTS: Final = "fields:block=FIELDS(numfields:integer field:string*)"
_TIME_ARGUMENTS: Final = (
    "seconds:integer=EX milliseconds:integer=PX unix-time-seconds:unix-time=EXAT unix-time-milliseconds:unix-time=PXAT"
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "hgetdel",
        -5,
        hgetdel,
        WRITE | FAST,
        group="hash",
        categories="hash",
        since="8.0.0",
        summary="Returns the value of a field and deletes it from the hash.",
        complexity="O(N) where N is the number of specified fields",
        keys=(KeySpec("RW access delete"),),
        arguments="key:key#0 " + _FIELDS_ARGUMENTS,
    ),
    Command(
        "hgetex",
        -5,
        hgetex,
        WRITE | FAST,
        group="hash",
        categories="hash",
        since="8.0.0",
        summary="Get the value of one or more fields of a given hash key, and optionally set their expiration.",
        complexity="O(N) where N is the number of specified fields",
        keys=(KeySpec("RW access update", notes="RW and UPDATE because it changes the TTL"),),
        arguments=f"key:key#0 expiration:oneof?({_TIME_ARGUMENTS} persist:pure-token=PERSIST) " + _FIELDS_ARGUMENTS,
    ),
    Command(
        "hsetex",
        -6,
        hsetex,
        WRITE | DENYOOM | FAST,
        group="hash",
        categories="hash",
        since="8.0.0",
        summary="Set the value of one or more fields of a given hash key, and optionally set their expiration.",
        complexity="O(N) where N is the number of fields being set.",
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 condition:oneof?(fnx:pure-token=FNX fxx:pure-token=FXX) "
        f"expiration:oneof?({_TIME_ARGUMENTS} keepttl:pure-token=KEEPTTL) "
        "fields:block=FIELDS(numfields:integer data:block*(field:string value:string))",
    ),
)
