"""Strings as arrays of bits: SETBIT, GETBIT, BITCOUNT, BITPOS and BITOP. (Redis: group "bitmap".)"""

from typing import Final

from trivet_node.client import PRIMARY, Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer, option
from trivet_node.keyspace import Database
from trivet_node.server.events import GENERIC, STRING, notify
from trivet_node.server.state import Server
from trivet_node.values import bitmaps
from trivet_node.values.strings import mutable_string, parse_integer, string_text
from trivet_wire import errors

_BAD_OFFSET: Final = b"ERR bit offset is not an integer or out of range"
_BAD_BIT: Final = b"ERR bit is not an integer or out of range"
# Bits that the longest string has, however short proto-max-bulk-len makes it.
_ALWAYS_WITHIN: Final = 8 * 2**20
_OPERATIONS: Final[dict[bytes, int]] = {
    b"AND": bitmaps.AND,
    b"OR": bitmaps.OR,
    b"XOR": bitmaps.XOR,
    b"NOT": bitmaps.NOT,
}


def bit_offset(server: Server, client: Client, text: bytes, field_bits: int = 0) -> int:
    """Return the position of a bit, which must lie within the longest string; our primary's word is law.

    With `field_bits` an offset behind `#` counts in fields of so many bits, and overflows as C's numbers do.
    """
    counts_fields = field_bits > 0 and text.startswith(b"#")
    offset = parse_integer(text[1:] if counts_fields else text)
    if offset is None:
        raise CommandError(_BAD_OFFSET)
    if counts_fields:
        offset = offset * field_bits & 2**64 - 1
    if 0 <= offset < _ALWAYS_WITHIN:
        return offset
    within = client.flags & PRIMARY != 0 or offset >> 3 < server.config.proto_max_bulk_len
    if offset < 0 or offset > INTEGER_MAX or not within:
        raise CommandError(_BAD_OFFSET)
    return offset


def read_text(database: Database, key: bytes) -> bytes | bytearray | None:
    """Return the string under `key` as a reading command sees it, uncopied, or None where there is none."""
    value = database.read(key)
    if value is None:
        return None
    text = string_text(value)
    if text is None:
        raise CommandError(errors.WRONG_TYPE)
    return text


def open_text(database: Database, key: bytes, length: int) -> tuple[bytearray, bool]:
    """Return the string under `key`, made at least `length` bytes long to be changed, and whether it was shorter.

    Whoever changes it says so by modified(): up to then nobody knows. (Redis: lookupStringForBitCommand.)
    """
    value = database.find(key)
    if isinstance(value, bytearray):
        return value, bitmaps.make_room(value, length)
    if value is None:
        text = bytearray(length)
        database.replace_quietly(key, text)
        return text, True
    if string_text(value) is None:
        raise CommandError(errors.WRONG_TYPE)
    text = mutable_string(value)
    grown = bitmaps.make_room(text, length)
    database.replace_quietly(key, text)
    return text, grown


def setbit(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SETBIT key offset value."""
    offset = bit_offset(server, client, arguments[2])
    bit = parse_integer(arguments[3])
    if bit is None or not 0 <= bit <= 1:
        raise CommandError(_BAD_BIT)
    key = arguments[1]
    database = client.database
    text, grown = open_text(database, key, (offset >> 3) + 1)
    old = bitmaps.set_bit(text, offset, bit)
    if grown or old != bit:
        database.modified(key)
        notify(server, STRING, b"setbit", key, database)
    client.reply.integer(old)


def getbit(server: Server, client: Client, arguments: list[bytes]) -> None:
    """GETBIT key offset."""
    offset = bit_offset(server, client, arguments[2])
    text = read_text(client.database, arguments[1])
    client.reply.integer(0 if text is None else bitmaps.get_bit(text, offset))


def bitcount(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BITCOUNT key [start end [BYTE | BIT]]. Negative positions count from the end; `end` is included."""
    text = read_text(client.database, arguments[1])
    if text is None:
        client.reply.integer(0)
        return
    if len(arguments) == 2:
        client.reply.integer(bitmaps.count_ones(text, 0, len(text) * 8 - 1))
        return
    if len(arguments) not in (4, 5):
        raise CommandError(errors.SYNTAX)
    start = integer(arguments[2])
    end = integer(arguments[3])
    if start < 0 and end < 0 and start > end:
        client.reply.integer(0)
        return
    in_bits = len(arguments) == 5 and _is_in_bits(arguments[4])
    first, last = _bit_range(len(text), start, end, in_bits)
    client.reply.integer(bitmaps.count_ones(text, first, last))


def bitpos(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BITPOS key bit [start [end [BYTE | BIT]]]. Where no end is given, the string is followed by zeros."""
    bit = integer(arguments[2])
    if bit not in (0, 1):
        raise CommandError(b"ERR The bit argument must be 1 or 0.")
    text = read_text(client.database, arguments[1])
    if text is None:
        client.reply.integer(-1 if bit else 0)
        return
    if len(arguments) > 6:
        raise CommandError(errors.SYNTAX)
    start = integer(arguments[3]) if len(arguments) > 3 else 0
    in_bits = len(arguments) == 6 and _is_in_bits(arguments[5])
    end = integer(arguments[4]) if len(arguments) > 4 else len(text) - 1
    first, last = _bit_range(len(text), start, end, in_bits)
    position = bitmaps.find_bit(text, bit, first, last)
    if position < 0 and bit == 0 and len(arguments) < 5 and first <= last:
        position = len(text) * 8
    client.reply.integer(position)


def _is_in_bits(text: bytes) -> bool:
    word = option(text)
    if word not in (b"BIT", b"BYTE"):
        raise CommandError(errors.SYNTAX)
    return word == b"BIT"


def _bit_range(length: int, start: int, end: int, in_bits: bool) -> tuple[int, int]:
    """Return the first and the last bit from `start` to `end`, which count bytes unless they count bits."""
    total = length * 8 if in_bits else length
    start = max(0, start + total if start < 0 else start)
    end = min(max(0, end + total if end < 0 else end), total - 1)
    return (start, end) if in_bits else (start * 8, end * 8 + 7)


def bitop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BITOP AND | OR | XOR | NOT destination key [key ...]."""
    operation = _OPERATIONS.get(option(arguments[1]))
    if operation is None:
        raise CommandError(errors.SYNTAX)
    if operation == bitmaps.NOT and len(arguments) != 4:
        raise CommandError(b"ERR BITOP NOT must be called with a single source key.")
    database = client.database
    texts = [read_text(database, key) or b"" for key in arguments[3:]]
    result = bitmaps.combine(operation, texts)
    target = arguments[2]
    if result:
        database.put(target, result)
        notify(server, STRING, b"set", target, database)
    elif database.delete_even_expired(target):
        notify(server, GENERIC, b"del", target, database)
    client.reply.integer(len(result))


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "setbit",
        4,
        setbit,
        WRITE | DENYOOM,
        group="bitmap",
        categories="bitmap",
        since="2.2.0",
        summary="Sets or clears the bit at offset in the string value stored at key",
        keys=(KeySpec("RW access update"),),
        arguments="key:key#0 offset:integer value:integer",
    ),
    Command(
        "getbit",
        3,
        getbit,
        READONLY | FAST,
        group="bitmap",
        categories="bitmap",
        since="2.2.0",
        summary="Returns the bit value at offset in the string value stored at key",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 offset:integer",
    ),
    Command(
        "bitcount",
        -2,
        bitcount,
        READONLY,
        group="bitmap",
        categories="bitmap",
        since="2.6.0",
        summary="Count set bits in a string",
        complexity="O(N)",
        keys=(KeySpec("RO access"),),
        history=(("7.0.0", "Added the `BYTE|BIT` option."),),
        arguments="key:key#0 index:block?(start:integer end:integer index_unit:oneof?@7.0.0(byte:pure-token=BYTE "
        "bit:pure-token=BIT))",
    ),
    Command(
        "bitpos",
        -3,
        bitpos,
        READONLY,
        group="bitmap",
        categories="bitmap",
        since="2.8.7",
        summary="Find first bit set or clear in a string",
        complexity="O(N)",
        keys=(KeySpec("RO access"),),
        history=(("7.0.0", "Added the `BYTE|BIT` option."),),
        arguments="key:key#0 bit:integer index:block?(start:integer end_index:block?(end:integer "
        "index_unit:oneof?@7.0.0(byte:pure-token=BYTE bit:pure-token=BIT)))",
    ),
    Command(
        "bitop",
        -4,
        bitop,
        WRITE | DENYOOM,
        group="bitmap",
        categories="bitmap",
        since="2.6.0",
        summary="Perform bitwise operations between strings",
        complexity="O(N)",
        keys=(
            KeySpec("OW update", begin=2),
            KeySpec("RO access", begin=3, last=-1),
        ),
        arguments="operation:string destkey:key#0 key:key#1*",
    ),
)
