"""BITFIELD and BITFIELD_RO: integers of any width within a string. (Redis: group "bitmap".)"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, integer, option
from trivet_node.commands.bitmaps.bitmaps import bit_offset, open_text, read_text
from trivet_node.server.events import STRING, notify
from trivet_node.server.state import Server
from trivet_node.values import bitmaps
from trivet_node.values.strings import parse_integer
from trivet_wire import errors

_GET: Final = 0
_SET: Final = 1
_INCREMENT: Final = 2

_ACTIONS: Final[dict[bytes, int]] = {b"GET": _GET, b"SET": _SET, b"INCRBY": _INCREMENT}

_MASK_64: Final = 2**64 - 1
_LONGEST_SIGNED: Final = 64
_LONGEST_UNSIGNED: Final = 63
_BAD_TYPE: Final = b"ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
_OVERFLOWS: Final[dict[bytes, int]] = {
    b"WRAP": bitmaps.WRAP,
    b"SAT": bitmaps.SATURATE,
    b"FAIL": bitmaps.FAIL,
}


@final
class Field:
    """A bit field of `bits` bits at bit `offset`."""

    def __init__(self, signed: bool, bits: int, offset: int) -> None:
        self.signed: bool = signed
        self.bits: int = bits
        self.offset: int = offset

    def end_byte(self) -> int:
        """Return how many bytes the string must have to hold the field."""
        return ((self.offset + self.bits - 1) >> 3) + 1

    def read(self, text: bytes | bytearray) -> int:
        """Return what a string holds here."""
        return bitmaps.read_field(text, self.offset, self.bits, self.signed)

    def write(self, text: bytearray, number: int) -> None:
        """Store a number here."""
        bitmaps.write_field(text, self.offset, self.bits, number)

    def fit(self, number: int, overflow: int) -> int | None:
        """Return what of a number fits into the field, or None."""
        return bitmaps.fit(number, self.bits, self.signed, overflow)


@final
class Operation:
    """One GET, SET or INCRBY: `number` is the value to set or the increment."""

    def __init__(self, action: int, field: Field, number: int, overflow: int) -> None:
        self.action: int = action
        self.field: Field = field
        self.number: int = number
        self.overflow: int = overflow

    def result(self, old: int) -> int | None:
        """Return what the field that holds `old` is to hold, or None where that does not fit and is to fail."""
        if self.action == _GET:
            return old
        if self.action == _INCREMENT:
            return self.field.fit(old + self.number, self.overflow)
        if not self.field.signed:
            # A negative number that is set as an unsigned one is a very large one.
            return self.field.fit(self.number & _MASK_64, self.overflow)
        largest = (1 << (self.field.bits - 1)) - 1
        if (
            self.overflow == bitmaps.SATURATE
            and self.field.bits < _LONGEST_SIGNED
            and largest - self.number > INTEGER_MAX
        ):
            # Redis' subtraction overflows here, and takes the number for one too large.
            return largest
        return self.field.fit(self.number, self.overflow)


def bitfield(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value | INCRBY ...] ..."""
    operations = _parse(server, client, arguments)
    written = [operation.field.end_byte() for operation in operations if operation.action != _GET]
    if not written:
        _read(client, arguments[1], operations)
        return
    key = arguments[1]
    database = client.database
    text, grown = open_text(database, key, max(written))
    client.reply.array(len(operations))
    changes = 0
    for operation in operations:
        old = operation.field.read(text)
        new = operation.result(old)
        if new is None:
            client.reply.null()
            continue
        client.reply.integer(new if operation.action == _INCREMENT else old)
        if operation.action != _GET and (grown or new != old):
            operation.field.write(text, new)
            changes += 1
    if changes != 0:
        database.modified(key, changes)
        notify(server, STRING, b"setbit", key, database)


def bitfield_ro(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BITFIELD_RO key [GET type offset ...]."""
    operations = _parse(server, client, arguments)
    if [operation for operation in operations if operation.action != _GET]:
        raise CommandError(b"ERR BITFIELD_RO only supports the GET subcommand")
    _read(client, arguments[1], operations)


def _read(client: Client, key: bytes, operations: list[Operation]) -> None:
    text = read_text(client.database, key) or b""
    client.reply.array(len(operations))
    for operation in operations:
        client.reply.integer(operation.field.read(text))


def _parse(server: Server, client: Client, arguments: list[bytes]) -> list[Operation]:
    operations: list[Operation] = []
    overflow = bitmaps.WRAP
    position = 2
    while position < len(arguments):
        word = option(arguments[position])
        remaining = len(arguments) - position - 1
        if word == b"OVERFLOW" and remaining >= 1:
            overflow = _overflow(arguments[position + 1])
            position += 2
            continue
        action = _ACTIONS.get(word)
        length = 2 if action == _GET else 3
        if action is None or remaining < length:
            raise CommandError(errors.SYNTAX)
        field = _field(server, client, arguments[position + 1], arguments[position + 2])
        number = 0 if action == _GET else integer(arguments[position + 3])
        operations.append(Operation(action, field, number, overflow))
        position += 1 + length
    return operations


def _field(server: Server, client: Client, kind: bytes, offset: bytes) -> Field:
    signed, bits = _field_type(kind)
    return Field(signed, bits, bit_offset(server, client, offset, bits))


def _overflow(text: bytes) -> int:
    overflow = _OVERFLOWS.get(option(text))
    if overflow is None:
        raise CommandError(b"ERR Invalid OVERFLOW type specified")
    return overflow


def _field_type(text: bytes) -> tuple[bool, int]:
    """Return whether a type such as i16 or u8 is signed, and its bits. It ends at a NUL."""
    text = text.partition(b"\0")[0]
    signed = text.startswith(b"i")
    bits = parse_integer(text[1:]) if signed or text.startswith(b"u") else None
    if bits is None or not 1 <= bits <= (_LONGEST_SIGNED if signed else _LONGEST_UNSIGNED):
        raise CommandError(_BAD_TYPE)
    return signed, bits


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "bitfield",
        -2,
        bitfield,
        WRITE | DENYOOM,
        group="bitmap",
        categories="bitmap",
        since="3.2.0",
        summary="Perform arbitrary bitfield integer operations on strings",
        complexity="O(1) for each subcommand specified",
        keys=(
            KeySpec(
                "RW access update variable_flags", notes="This command allows both access and modification of the key"
            ),
        ),
        arguments="key:key#0 operation:oneof?*(encoding_offset:block=GET(encoding:string offset:integer) "
        "write:block(wrap_sat_fail:oneof=OVERFLOW?(wrap:pure-token=WRAP sat:pure-token=SAT "
        "fail:pure-token=FAIL) write_operation:oneof(encoding_offset_value:block=SET(encoding:string "
        "offset:integer value:integer) encoding_offset_increment:block=INCRBY(encoding:string "
        "offset:integer increment:integer))))",
    ),
    Command(
        "bitfield_ro",
        -2,
        bitfield_ro,
        READONLY | FAST,
        group="bitmap",
        categories="bitmap",
        since="6.0.0",
        summary="Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD",
        complexity="O(1) for each subcommand specified",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 encoding_offset:block=GET?*+(encoding:string offset:integer)",
    ),
)
