"""Parts of strings: APPEND, GETRANGE, SETRANGE, STRLEN and LCS. (Redis: group "string".)"""

from typing import Final, final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer, option
from trivet_node.server.events import STRING, notify
from trivet_node.server.state import Server
from trivet_node.values.lcs import Match, common_length, common_matches
from trivet_node.values.strings import encode_string, mutable_string, string_bytes, string_length
from trivet_wire import errors

# What Redis' table for LCS takes for each pair of bytes; it counts against proto-max-bulk-len.
_LCS_CELL_BYTES: Final = 4


def append(server: Server, client: Client, arguments: list[bytes]) -> None:
    """APPEND key value."""
    database = client.database
    key = arguments[1]
    tail = arguments[2]
    value = database.find(key)
    if value is None:
        database.put(key, encode_string(tail))
        notify(server, STRING, b"append", key, database)
        client.reply.integer(len(tail))
        return
    length = _length(value)
    _check_length(server, client, length, len(tail))
    text = mutable_string(value)
    text += tail
    database.replace(key, text)
    notify(server, STRING, b"append", key, database)
    client.reply.integer(length + len(tail))


def strlen(server: Server, client: Client, arguments: list[bytes]) -> None:
    """STRLEN key."""
    value = client.database.read(arguments[1])
    client.reply.integer(0 if value is None else _length(value))


def setrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SETRANGE key offset value."""
    offset = integer(arguments[2])
    if offset < 0:
        raise CommandError(b"ERR offset is out of range")
    database = client.database
    key = arguments[1]
    part = arguments[3]
    value = database.find(key)
    length = 0 if value is None else _length(value)
    if not part:
        client.reply.integer(length)
        return
    _check_length(server, client, offset, len(part))
    end = offset + len(part)
    text = bytearray() if value is None else mutable_string(value)
    if end > len(text):
        text.extend(bytes(end - len(text)))
    text[offset:end] = part
    if value is None:
        database.put(key, text)
    else:
        database.replace(key, text)
    notify(server, STRING, b"setrange", key, database)
    client.reply.integer(len(text))


def getrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GETRANGE key start end. Negative positions count from the end; `end` is included."""
    start = integer(arguments[2])
    end = integer(arguments[3])
    value = client.database.read(arguments[1])
    length = 0 if value is None else _length(value)
    if start < 0 and end < 0 and start > end:
        client.reply.bulk(b"")
        return
    start = max(0, start + length if start < 0 else start)
    end = max(0, end + length if end < 0 else end)
    client.reply.bulk(_slice(value, start, min(end + 1, length)))


def _slice(value: object, start: int, stop: int) -> bytes:
    """Return a part of a string value, without copying the whole of a long one."""
    if start >= stop:
        return b""
    if isinstance(value, bytearray):
        return bytes(value[start:stop])
    text = string_bytes(value)
    return b"" if text is None else text[start:stop]


def _length(value: object) -> int:
    length = string_length(value)
    if length < 0:
        raise CommandError(errors.WRONG_TYPE)
    return length


def _check_length(server: Server, client: Client, length: int, added: int) -> None:
    """Refuse a string that would become too long; our primary's word is law."""
    total = length + added
    if client.flags & PRIMARY == 0 and (total > server.config.proto_max_bulk_len or total > INTEGER_MAX):
        raise CommandError(errors.STRING_TOO_LONG)


@final
class LcsOptions:
    """LEN, IDX, MINMATCHLEN length and WITHMATCHLEN."""

    def __init__(self, arguments: list[bytes]) -> None:
        self.length_only: bool = False
        self.indexes: bool = False
        self.with_lengths: bool = False
        self.shortest: int = 0
        position = 3
        while position < len(arguments):
            word = option(arguments[position])
            if word == b"IDX":
                self.indexes = True
            elif word == b"LEN":
                self.length_only = True
            elif word == b"WITHMATCHLEN":
                self.with_lengths = True
            elif word == b"MINMATCHLEN" and position + 1 < len(arguments):
                position += 1
                self.shortest = integer(arguments[position])
            else:
                raise CommandError(errors.SYNTAX)
            position += 1
        if self.indexes and self.length_only:
            raise CommandError(b"ERR If you want both the length and indexes, please just use IDX.")


def lcs(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]."""
    first_value = client.database.read(arguments[1])
    second_value = client.database.read(arguments[2])
    first = b"" if first_value is None else string_bytes(first_value)
    second = b"" if second_value is None else string_bytes(second_value)
    if first is None or second is None:
        raise CommandError(b"ERR The specified keys must contain string values")
    options = LcsOptions(arguments)
    if (len(first) + 1) * (len(second) + 1) * _LCS_CELL_BYTES > server.config.proto_max_bulk_len:
        raise CommandError(b"ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
    if options.length_only:
        client.reply.integer(common_length(first, second))
        return
    matches = common_matches(first, second)
    if options.indexes:
        _reply_matches(client, matches, options)
    else:
        client.reply.bulk(b"".join([first[match.first_start : match.first_end + 1] for match in reversed(matches)]))


def _reply_matches(client: Client, matches: list[Match], options: LcsOptions) -> None:
    reply = client.reply
    shown = [match for match in matches if match.length() >= options.shortest]
    reply.map(2)
    reply.bulk(b"matches")
    reply.array(len(shown))
    for match in shown:
        reply.array(3 if options.with_lengths else 2)
        reply.array(2)
        reply.integer(match.first_start)
        reply.integer(match.first_end)
        reply.array(2)
        reply.integer(match.second_start)
        reply.integer(match.second_end)
        if options.with_lengths:
            reply.integer(match.length())
    reply.bulk(b"len")
    reply.integer(sum([match.length() for match in matches]))


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "append",
        3,
        append,
        WRITE | DENYOOM | FAST,
        group="string",
        categories="string",
        since="2.0.0",
        summary="Append a value to a key",
        complexity=(
            "O(1). The amortized time complexity is O(1) assuming the appended value is small and the already "
            "present value is of any size, since the dynamic string library used by Redis will double the free "
            "space available on every reallocation."
        ),
        keys=(KeySpec("RW insert"),),
        arguments="key:key#0 value:string",
    ),
    Command(
        "strlen",
        2,
        strlen,
        READONLY | FAST,
        group="string",
        categories="string",
        since="2.2.0",
        summary="Get the length of the value stored in a key",
        keys=(KeySpec("RO"),),
        arguments="key:key#0",
    ),
    Command(
        "setrange",
        4,
        setrange,
        WRITE | DENYOOM,
        group="string",
        categories="string",
        since="2.2.0",
        summary="Overwrite part of a string at key starting at the specified offset",
        complexity=(
            "O(1), not counting the time taken to copy the new string in place. Usually, this string is very "
            "small so the amortized complexity is O(1). Otherwise, complexity is O(M) with M being the length of "
            "the value argument."
        ),
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 offset:integer value:string",
    ),
    Command(
        "getrange",
        4,
        getrange,
        READONLY,
        group="string",
        categories="string",
        since="2.4.0",
        summary="Get a substring of the string stored at a key",
        complexity=(
            "O(N) where N is the length of the returned string. The complexity is ultimately determined by the "
            "returned length, but because creating a substring from an existing string is very cheap, it can be "
            "considered O(1) for small strings."
        ),
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 start:integer end:integer",
    ),
    Command(
        "substr",
        4,
        getrange,
        READONLY,
        group="string",
        categories="string",
        since="1.0.0",
        summary="Get a substring of the string stored at a key",
        complexity=(
            "O(N) where N is the length of the returned string. The complexity is ultimately determined by the "
            "returned length, but because creating a substring from an existing string is very cheap, it can be "
            "considered O(1) for small strings."
        ),
        keys=(KeySpec("RO access"),),
        deprecated_since="2.0.0",
        replaced_by="`GETRANGE`",
        arguments="key:key#0 start:integer end:integer",
    ),
    Command(
        "lcs",
        -3,
        lcs,
        READONLY,
        group="string",
        categories="string",
        since="7.0.0",
        summary="Find longest common substring",
        complexity="O(N*M) where N and M are the lengths of s1 and s2, respectively",
        keys=(KeySpec("RO access", last=1),),
        arguments="key1:key#0 key2:key#0 len:pure-token=LEN? idx:pure-token=IDX? "
        "len:integer=MINMATCHLEN? withmatchlen:pure-token=WITHMATCHLEN?",
    ),
)
