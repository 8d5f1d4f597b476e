"""Streams as logs: XADD and what reads, shortens and describes them without consumer groups. (Redis: group "stream".)

IDs that the server makes up and trimming that stops early depend on the moment and on the limits of nodes: what is
propagated names the ID and exactly what was left.
"""

from typing import Final, final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.streams.arguments import (
    entry_id,
    find_stream,
    interval_end,
    interval_start,
    read_stream,
    reply_range,
)
from trivet_node.server.events import STREAM, notify
from trivet_node.server.state import Server
from trivet_node.values.stream_ids import (
    HALF_MAX,
    SMALLEST_ID,
    halves_text,
    id_text,
    milliseconds_of,
    sequence_of,
)
from trivet_node.values.streams import NODE_BYTES_MAX, Stream, Trimming, content_bytes
from trivet_wire import errors

_AUTO: Final = b"*"
_AUTO_SEQUENCE: Final = b"-*"
_NO_SEQUENCE: Final = -1
# Where trimming is approximate and no LIMIT is given: at most so many nodes' entries go at once.
_NODES_AT_ONCE: Final = 100
_LIMIT_OF_UNLIMITED: Final = 10_000
_LIMIT_MAX: Final = 1_000_000

_TWO_STRATEGIES: Final = b"ERR syntax error, MAXLEN and MINID options at the same time are not compatible"
_NEGATIVE_MAXLEN: Final = b"ERR The MAXLEN argument must be >= 0."
_NEGATIVE_LIMIT: Final = b"ERR The LIMIT argument must be >= 0."
_LIMIT_ALONE: Final = b"ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"
_LIMIT_EXACT: Final = b"ERR syntax error, LIMIT cannot be used without the special ~ option"
_NO_STRATEGY: Final = b"ERR syntax error, XTRIM must be called with a trimming strategy"
_ZERO_ID: Final = b"ERR The ID specified in XADD must be greater than 0-0"
_EXHAUSTED: Final = b"ERR The stream has exhausted the last possible ID, unable to add more items"
_SMALL_ID: Final = b"ERR The ID specified in XADD is equal or smaller than the target stream top item"
_TOO_LARGE: Final = b"ERR Elements are too large to be stored"
_NEGATIVE_ADDED: Final = b"ERR entries_added must be positive"
_BELOW_DELETED: Final = b"ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id"
_BELOW_TOP: Final = b"ERR The ID specified in XSETID is smaller than the target stream top item"
_BELOW_LENGTH: Final = b"ERR The entries_added specified in XSETID is smaller than the target stream length"


@final
class _Request:
    """The options of XADD and XTRIM.

    `place` is the index of XADD's ID. Its halves are given unless `is_automatic`; the sequence may be missing.
    """

    def __init__(self, server: Server, client: Client, arguments: list[bytes], adds: bool) -> None:
        self.trims: bool = False
        self.trimming: Trimming = Trimming()
        self.creates: bool = True
        self.place: int = 2
        self.is_automatic: bool = False
        self.milliseconds: int = 0
        self.sequence: int = _NO_SEQUENCE
        self._arguments: list[bytes] = arguments
        # The index of what MAXLEN or MINID gives, and whether LIMIT was given.
        self._threshold: int = 0
        self._limits: bool = False
        while self.place < len(arguments) and not self._ends_at_id(adds):
            self.place += 1
        if self.trimming.limit and not self.trims:
            raise CommandError(_LIMIT_ALONE)
        if not adds and not self.trims:
            raise CommandError(_NO_STRATEGY)
        self._settle_limit(server, client.flags & PRIMARY != 0)

    def is_rewritten(self) -> bool:
        """Say whether the request does not tell by itself what is left after trimming."""
        return self.trims and self.trimming.approximate

    def rewrite_trimming(self, arguments: list[bytes], stream: Stream) -> None:
        """Let `arguments`, a copy of the request's, say what was left of the stream. (streamRewriteTrimArgument)"""
        arguments[self._threshold - 1] = b"="
        if self.trimming.by_length:
            arguments[self._threshold] = b"%d" % stream.length
        else:
            arguments[self._threshold] = id_text(stream.edge_id(first=True, with_deleted_ones=True))

    def _ends_at_id(self, adds: bool) -> bool:
        """Read the option at `place`, move there to its last argument, and say whether it was XADD's ID instead."""
        text = self._arguments[self.place]
        if adds and errors.c_string(text) == _AUTO:
            self.is_automatic = True
            return True
        word = option(text)
        has_more = self.place + 1 < len(self._arguments)
        if word in (b"MAXLEN", b"MINID") and has_more:
            self._read_strategy(word == b"MAXLEN")
        elif word == b"LIMIT" and has_more:
            self.place += 1
            self.trimming.limit = integer(self._arguments[self.place])
            if self.trimming.limit < 0:
                raise CommandError(_NEGATIVE_LIMIT)
            self._limits = True
        elif adds and word == b"NOMKSTREAM":
            self.creates = False
        elif adds:
            self._read_id(text)
            return True
        else:
            raise CommandError(errors.SYNTAX)
        return False

    def _read_strategy(self, by_length: bool) -> None:
        if self.trims:
            raise CommandError(_TWO_STRATEGIES)
        arguments = self._arguments
        operator = errors.c_string(arguments[self.place + 1])
        self.place += 1
        if operator in (b"~", b"=") and self.place + 1 < len(arguments):
            self.trimming.approximate = operator == b"~"
            self.place += 1
        if by_length:
            self.trimming.maximum = integer(arguments[self.place])
            if self.trimming.maximum < 0:
                raise CommandError(_NEGATIVE_MAXLEN)
        else:
            self.trimming.smallest_id = entry_id(arguments[self.place])
        self.trims = True
        self.trimming.by_length = by_length
        self._threshold = self.place

    def _read_id(self, text: bytes) -> None:
        word = errors.c_string(text)
        if word.endswith(_AUTO_SEQUENCE) and word.count(b"-") == 1:
            # The sequence is checked with a zero in its place.
            self.milliseconds = milliseconds_of(entry_id(word[:-1] + b"0"))
        else:
            given = entry_id(text)
            self.milliseconds = milliseconds_of(given)
            self.sequence = sequence_of(given)

    def _settle_limit(self, server: Server, obeys: bool) -> None:
        trimming = self.trimming
        if obeys:
            # The primary has said exactly what it has left.
            trimming.limit = 0
        elif self._limits:
            if not trimming.approximate:
                raise CommandError(_LIMIT_EXACT)
        elif trimming.approximate:
            limit = _NODES_AT_ONCE * server.limits.stream_node_max_entries
            trimming.limit = min(limit, _LIMIT_MAX) if limit > 0 else _LIMIT_OF_UNLIMITED


def xadd(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XADD key [NOMKSTREAM] [MAXLEN|MINID [=|~] threshold [LIMIT count]] *|id field value [field value ...]."""
    request = _Request(server, client, arguments, True)
    first = request.place + 1
    if len(arguments) - first < 2 or (len(arguments) - first) % 2 == 1:
        raise CommandError(errors.wrong_arity("xadd"))
    if not request.is_automatic and request.milliseconds == 0 and request.sequence == 0:
        raise CommandError(_ZERO_ID)
    database = client.database
    key = arguments[1]
    stream = find_stream(database, key)
    is_new = stream is None
    if stream is None:
        if not request.creates:
            client.reply.null()
            return
        stream = Stream()
    milliseconds, sequence = _id_to_add(server, stream, request)
    if content_bytes(arguments, first) > NODE_BYTES_MAX:
        raise CommandError(_TOO_LARGE)
    stream.append(milliseconds, sequence, arguments, first, server.limits)
    text = halves_text(milliseconds, sequence)
    client.reply.bulk(text)
    if is_new:
        database.put(key, stream)
    else:
        database.modified(key)
    notify(server, STREAM, b"xadd", key, database)
    if request.trims and stream.trim(request.trimming):
        notify(server, STREAM, b"xtrim", key, database)
    if server.propagation.enabled:
        _propagate_addition(server, stream, request, arguments, text)


def _id_to_add(server: Server, stream: Stream, request: _Request) -> tuple[int, int]:
    """Return the halves of the ID that XADD gives its entry."""
    last_milliseconds = stream.last_milliseconds
    last_sequence = stream.last_sequence
    if last_milliseconds == HALF_MAX and last_sequence == HALF_MAX:
        raise CommandError(_EXHAUSTED)
    if request.is_automatic:
        return stream.next_id(server.keyspace.now_ms)
    milliseconds = request.milliseconds
    sequence = request.sequence
    if sequence == _NO_SEQUENCE:
        sequence = last_sequence + 1 if milliseconds == last_milliseconds else 0
    if sequence > HALF_MAX or milliseconds < last_milliseconds:
        raise CommandError(_SMALL_ID)
    if milliseconds == last_milliseconds and sequence <= last_sequence:
        raise CommandError(_SMALL_ID)
    return milliseconds, sequence


def _propagate_addition(server: Server, stream: Stream, request: _Request, arguments: list[bytes], text: bytes) -> None:
    is_complete = not request.is_automatic and request.sequence != _NO_SEQUENCE
    if is_complete and not request.is_rewritten():
        return
    rewritten = arguments[:]
    if request.is_rewritten():
        request.rewrite_trimming(rewritten, stream)
    if not is_complete:
        rewritten[request.place] = text
    server.propagation.instead([rewritten])


def xtrim(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XTRIM key MAXLEN|MINID [=|~] threshold [LIMIT count]."""
    request = _Request(server, client, arguments, False)
    key = arguments[1]
    stream = find_stream(client.database, key)
    deleted = 0 if stream is None else stream.trim(request.trimming)
    if stream is not None and deleted:
        notify(server, STREAM, b"xtrim", key, client.database)
        if request.is_rewritten():
            rewritten = arguments[:]
            request.rewrite_trimming(rewritten, stream)
            server.propagation.instead([rewritten])
        client.database.modified(key, deleted)
    client.reply.integer(deleted)


def xdel(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XDEL key id [id ...]."""
    key = arguments[1]
    stream = find_stream(client.database, key)
    deleted = 0
    if stream is not None:
        deleted = stream.delete([entry_id(text) for text in arguments[2:]])
    if deleted:
        client.database.modified(key, deleted)
        notify(server, STREAM, b"xdel", key, client.database)
    client.reply.integer(deleted)


def xlen(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XLEN key."""
    stream = read_stream(client.database, arguments[1])
    client.reply.integer(0 if stream is None else stream.length)


def xrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XRANGE key start end [COUNT count]."""
    _range(client, arguments, arguments[2], arguments[3], False)


def xrevrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XREVRANGE key end start [COUNT count]."""
    _range(client, arguments, arguments[3], arguments[2], True)


def _range(client: Client, arguments: list[bytes], first: bytes, last: bytes, backwards: bool) -> None:
    start = interval_start(first)
    end = interval_end(last)
    count = -1
    for place in range(4, len(arguments), 2):
        if option(arguments[place]) != b"COUNT" or place + 1 == len(arguments):
            raise CommandError(errors.SYNTAX)
        count = max(integer(arguments[place + 1]), 0)
    stream = read_stream(client.database, arguments[1])
    if stream is None:
        client.reply.array(0)
    elif count == 0:
        client.reply.null_array()
    else:
        reply_range(client.reply, stream, start, end, max(count, 0), backwards=backwards)


def xsetid(server: Server, client: Client, arguments: list[bytes]) -> None:
    """XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]."""
    last_id = entry_id(arguments[2])
    entries_added = -1
    max_deleted_id = SMALLEST_ID
    for place in range(3, len(arguments), 2):
        word = option(arguments[place])
        if word not in (b"ENTRIESADDED", b"MAXDELETEDID") or place + 1 == len(arguments):
            raise CommandError(errors.SYNTAX)
        if word == b"ENTRIESADDED":
            entries_added = integer(arguments[place + 1])
            if entries_added < 0:
                raise CommandError(_NEGATIVE_ADDED)
        else:
            max_deleted_id = entry_id(arguments[place + 1])
            if last_id < max_deleted_id:
                raise CommandError(_BELOW_DELETED)
    key = arguments[1]
    stream = find_stream(client.database, key)
    if stream is None:
        raise CommandError(errors.NO_SUCH_KEY)
    if stream.length > 0:
        if last_id < stream.edge_id(first=False, with_deleted_ones=False):
            raise CommandError(_BELOW_TOP)
        if -1 < entries_added < stream.length:
            raise CommandError(_BELOW_LENGTH)
    stream.set_last_id(last_id)
    if entries_added != -1:
        stream.entries_added = entries_added
    if max_deleted_id != SMALLEST_ID:
        stream.max_deleted_id = max_deleted_id
    client.reply.ok()
    server.keyspace.dirty += 1
    notify(server, STREAM, b"xsetid", key, client.database)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "xadd",
        -5,
        xadd,
        WRITE | DENYOOM | FAST,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Appends a new entry to a stream",
        complexity="O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
        keys=(KeySpec("RW update", notes="UPDATE instead of INSERT because of the optional trimming feature"),),
        tips=("nondeterministic_output",),
        history=(
            ("6.2.0", "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
            ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
        ),
        arguments="key:key#0 nomkstream:pure-token=NOMKSTREAM?@6.2.0 "
        "trim:block?(strategy:oneof(maxlen:pure-token=MAXLEN minid:pure-token=MINID@6.2.0) "
        "operator:oneof?(equal:pure-token== approximately:pure-token=~) threshold:string "
        'count:integer=LIMIT?@6.2.0) id_or_auto:oneof(auto_id:pure-token="*" id:string) '
        "field_value:block*(field:string value:string)",
    ),
    Command(
        "xdel",
        -3,
        xdel,
        WRITE | FAST,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Removes the specified entries from the stream. Returns the number of items actually deleted, that "
        "may be different from the number of IDs passed in case certain IDs do not exist.",
        complexity="O(1) for each single item to delete in the stream, regardless of the stream size.",
        keys=(KeySpec("RW delete"),),
        arguments="key:key#0 id:string*",
    ),
    Command(
        "xlen",
        2,
        xlen,
        READONLY | FAST,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Return the number of entries in a stream",
        keys=(KeySpec("RO"),),
        arguments="key:key#0",
    ),
    Command(
        "xrange",
        -4,
        xrange,
        READONLY,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Return a range of elements in a stream, with IDs matching the specified IDs interval",
        complexity="O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for "
        "the first 10 elements with COUNT), you can consider it O(1).",
        keys=(KeySpec("RO access"),),
        history=(("6.2.0", "Added exclusive ranges."),),
        arguments="key:key#0 start:string end:string count:integer=COUNT?",
    ),
    Command(
        "xrevrange",
        -4,
        xrevrange,
        READONLY,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Return a range of elements in a stream, with IDs matching the specified IDs interval, in reverse "
        "order (from greater to smaller IDs) compared to XRANGE",
        complexity="O(N) with N being the number of elements returned. If N is constant (e.g. always asking for the "
        "first 10 elements with COUNT), you can consider it O(1).",
        keys=(KeySpec("RO access"),),
        history=(("6.2.0", "Added exclusive ranges."),),
        arguments="key:key#0 end:string start:string count:integer=COUNT?",
    ),
    Command(
        "xsetid",
        -3,
        xsetid,
        WRITE | DENYOOM | FAST,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="An internal command for replicating stream values",
        keys=(KeySpec("RW update"),),
        history=(("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments."),),
        arguments="key:key#0 last-id:string entries_added:integer=ENTRIESADDED?@7.0.0 "
        "max_deleted_entry_id:string=MAXDELETEDID?@7.0.0",
    ),
    Command(
        "xtrim",
        -4,
        xtrim,
        WRITE,
        group="stream",
        categories="stream",
        since="5.0.0",
        summary="Trims the stream to (approximately if '~' is passed) a certain size",
        complexity="O(N), with N being the number of evicted entries. Constant times are very small however, since "
        "entries are organized in macro nodes containing multiple entries that can be released with a "
        "single deallocation.",
        keys=(KeySpec("RW delete"),),
        tips=("nondeterministic_output",),
        history=(("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."),),
        arguments="key:key#0 trim:block(strategy:oneof(maxlen:pure-token=MAXLEN minid:pure-token=MINID@6.2.0) "
        "operator:oneof?(equal:pure-token== approximately:pure-token=~) threshold:string "
        "count:integer=LIMIT?@6.2.0)",
    ),
)
