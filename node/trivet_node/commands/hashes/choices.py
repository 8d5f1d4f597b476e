"""Some of a hash's fields: by chance (HRANDFIELD) and a part at a time (HSCAN). (Redis: group "hash"; t_hash.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import READONLY, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer_in, option
from trivet_node.commands.hashes.lookup import as_expiring
from trivet_node.commands.keys.scanning import ScanOptions, reply_scan, scan_buckets, scan_cursor
from trivet_node.server.state import Server
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash
from trivet_wire import errors
from trivet_wire.replies import RESP2, ReplyBuffer


def hrandfield(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HRANDFIELD key [count [WITHVALUES]]. A negative count may draw the same field again."""
    if len(arguments) > 2:
        _draw(server, client, arguments)
        return
    value = client.database.read(arguments[1])
    if isinstance(value, Hash):
        client.reply.bulk(value.random_field(server.random))
        return
    drawn = [] if value is None else _drawn_from(server, as_expiring(value), -1)
    if drawn:
        client.reply.bulk(drawn[0])
    else:
        client.reply.null()


def _draw(server: Server, client: Client, arguments: list[bytes]) -> None:
    count = integer_in(arguments[2], -INTEGER_MAX, INTEGER_MAX)
    with_values = len(arguments) == 4 and option(arguments[3]) == b"WITHVALUES"
    if len(arguments) > 3 and not with_values:
        raise CommandError(errors.SYNTAX)
    if with_values and abs(count) > INTEGER_MAX // 2:
        raise CommandError(errors.OUT_OF_RANGE)
    value = client.database.read(arguments[1])
    if value is None:
        client.reply.array(0)
        return
    if isinstance(value, Hash):
        hashed = value
        drawn = hashed.draws(-count, server.random) if count < 0 else hashed.random_fields(count, server.random)
    else:
        hashed = as_expiring(value).hash
        drawn = _drawn_from(server, as_expiring(value), count)
    if with_values:
        _reply_pairs(client.reply, drawn, hashed.values_of(drawn))
    else:
        client.reply.bulk_array(drawn)


def _drawn_from(server: Server, expiring: ExpiringHash, count: int) -> list[bytes]:
    """Return fields of a hash some of which may be past their deadlines; `count` is that of HRANDFIELD."""
    now_ms = server.keyspace.hides_before_ms()
    if expiring.is_hidden(now_ms):
        return []
    if count < 0:
        return expiring.draws(-count, now_ms, server.random)
    return expiring.random_fields(count, now_ms, server.random)


def _reply_pairs(reply: ReplyBuffer, fields: list[bytes], values: list[bytes]) -> None:
    """Append fields with their values: a flat array in RESP2, an array of pairs in RESP3."""
    is_flat = reply.protocol == RESP2
    reply.array(len(fields) * 2 if is_flat else len(fields))
    for field, value in zip(fields, values, strict=True):
        if not is_flat:
            reply.array(2)
        reply.bulk(field)
        reply.bulk(value)


def hscan(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HSCAN key cursor [MATCH pattern] [COUNT count]."""
    cursor = scan_cursor(arguments[2])
    value = client.database.read(arguments[1])
    if value is None:
        reply_scan(client, 0, [])
        return
    hashed = value if isinstance(value, Hash) else as_expiring(value).hash
    options = ScanOptions(arguments, 3)
    looked_at: list[bytes] = []
    if hashed.buckets is not None:
        cursor = scan_buckets(hashed.buckets, cursor, options, looked_at)
    else:
        cursor = 0
        looked_at = hashed.fields()
    if isinstance(value, ExpiringHash):
        hidden = frozenset(value.past_among(looked_at, server.keyspace.hides_before_ms()))
        looked_at = [field for field in looked_at if field not in hidden]
    reply_scan(client, cursor, _matching_pairs(hashed, looked_at, options))


def _matching_pairs(hashed: Hash, fields: list[bytes], options: ScanOptions) -> list[bytes]:
    """Return those of `fields` that match, each followed by its value."""
    matching = [field for field in fields if options.matches(field)]
    pairs: list[bytes] = []
    for field, value in zip(matching, hashed.values_of(matching), strict=True):
        pairs.append(field)
        pairs.append(value)
    return pairs


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "hrandfield",
        -2,
        hrandfield,
        READONLY,
        group="hash",
        categories="hash",
        since="6.2.0",
        summary="Get one or multiple random fields from a hash",
        complexity="O(N) where N is the number of fields returned",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments="key:key#0 options:block?(count:integer withvalues:pure-token=WITHVALUES?)",
    ),
    Command(
        "hscan",
        -3,
        hscan,
        READONLY,
        group="hash",
        categories="hash",
        since="2.8.0",
        summary="Incrementally iterate hash fields and associated values",
        complexity="O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor "
        "to return back to 0. N is the number of elements inside the collection..",
        keys=(KeySpec("RO access"),),
        tips=("nondeterministic_output",),
        arguments="key:key#0 cursor:integer pattern:pattern=MATCH? count:integer=COUNT?",
    ),
)
