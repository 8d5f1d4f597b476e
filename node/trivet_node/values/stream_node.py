"""One node of a stream: some hundred neighbouring entries in one listpack, laid out as Redis lays it out.

    <live> <deleted> <n> <field 1> ... <field n> 0                          the master entry
    <flags> <ms> <sequence> <value 1> ... <value n> <pieces>                an entry with the master's fields
    <flags> <ms> <sequence> <n> <field 1> <value 1> ... <pieces>            any other entry

The node's ID is that of its first entry. An entry's ID is the node's plus two signed differences, one for each half.
The master's fields are those of the first entry. `pieces` is how many listpack entries make up what stands before it,
so that a node can be walked backwards; the master's is 0. Deleted entries stay, flagged, until no live one is left.

`NodeWriter` is a node to which entries are being added: its bytes are put together only when somebody reads them.
`NodeWalk` goes through the entries of one. (Redis: t_stream.c streamAppendItem, streamIteratorGetID.)
"""

from typing import Final, final

from librt.strings import BytesWriter
from mypy_extensions import i64

from trivet_node.values import listpack
from trivet_node.values.stream_ids import difference, milliseconds_of, moved, sequence_of

DELETED: Final = 1
SAME_FIELDS: Final = 2
_END: Final = 0xFF
# Below this an integer in a listpack is its own first byte.
_SMALL: Final = 0x80
_FAR: Final = 2**62
# Flags, the two halves of the ID, and the number of fields where they are not the master's.
_FIXED_PIECES: Final = 3


def live_count(pack: bytes) -> int:
    """Return how many entries of a node are not deleted."""
    return listpack.number(pack, listpack.FIRST)


def deleted_count(pack: bytes) -> int:
    """Return how many entries of a node are deleted."""
    return listpack.number(pack, listpack.after(pack, listpack.FIRST))


def with_deleted(pack: bytes, places: list[int]) -> bytes:
    """Return a node in which the live entries at these ascending positions are deleted."""
    number = len(places)
    start = listpack.after(pack, listpack.after(pack, listpack.FIRST))
    parts = [
        listpack.encoded_integer(live_count(pack) - number),
        listpack.encoded_integer(deleted_count(pack) + number),
    ]
    for place in places:
        parts.append(pack[start:place])
        parts.append(listpack.encoded_integer(listpack.number(pack, place) | DELETED))
        start = listpack.after(pack, place)
    parts.append(pack[start : listpack.end(pack)])
    return listpack.with_entries(pack, parts)


@final
class NodeWriter:
    """A node that grows. `live` and `deleted` count its entries, `fields` are the master's."""

    def __init__(self, node_id: int) -> None:
        self.live: i64 = 0
        self.deleted: i64 = 0
        self.fields: list[bytes] = []
        self._milliseconds: int = milliseconds_of(node_id)
        self._sequence: int = sequence_of(node_id)
        # Everything behind the two counters but the closing byte, and the number of listpack entries in all.
        self._body: BytesWriter = BytesWriter()
        self._pieces: i64 = 2

    def begin(self, arguments: list[bytes], first: i64) -> None:
        """Give a new node the fields of its first entry; see append()."""
        body = self._body
        number: i64 = (len(arguments) - first) >> 1
        body.write(listpack.encoded_integer(number))
        for index in range(number):
            field = arguments[first + 2 * index]
            self.fields.append(field)
            body.write(listpack.encoded(field))
        body.write(listpack.encoded_integer(0))
        self._pieces += number + 2

    def resume(self, pack: bytes) -> None:
        """Go on with a node that was put together before."""
        walk = NodeWalk(0, pack)
        self.live = live_count(pack)
        self.deleted = deleted_count(pack)
        self.fields = walk.master_fields()
        self._pieces = listpack.count(pack)
        start = listpack.after(pack, listpack.after(pack, listpack.FIRST))
        self._body.write(pack[start : listpack.end(pack)])

    def size(self) -> int:
        """Return how many bytes the node takes."""
        counters = len(listpack.encoded_integer(self.live)) + len(listpack.encoded_integer(self.deleted))
        return len(listpack.EMPTY) + counters + len(self._body)

    def append(self, milliseconds: int, sequence: int, arguments: list[bytes], first: i64) -> None:
        """Add an entry whose fields and values alternate in `arguments` from the index `first` on."""
        body = self._body
        number: i64 = (len(arguments) - first) >> 1
        same = self._has_fields(arguments, first, number)
        body.write(_FLAGS_SAME if same else _FLAGS_OTHER)
        body.write(listpack.encoded_integer(difference(milliseconds, self._milliseconds)))
        body.write(listpack.encoded_integer(difference(sequence, self._sequence)))
        pieces: i64 = _FIXED_PIECES + number
        if same:
            for index in range(number):
                body.write(listpack.encoded(arguments[first + 2 * index + 1]))
        else:
            pieces += number + 1
            body.write(listpack.encoded_integer(number))
            for index in range(2 * number):
                body.write(listpack.encoded(arguments[first + index]))
        body.write(listpack.encoded_integer(pieces))
        self._pieces += pieces + 1
        self.live += 1

    def pack(self) -> bytes:
        """Return the node as a listpack."""
        counters = listpack.encoded_integer(self.live) + listpack.encoded_integer(self.deleted)
        first = listpack.FIRST
        return listpack.splice(listpack.EMPTY, first, first, counters + self._body.getvalue(), self._pieces)

    def _has_fields(self, arguments: list[bytes], first: i64, number: i64) -> bool:
        fields = self.fields
        if len(fields) != number:
            return False
        index: i64 = 0
        while index < number and fields[index] == arguments[first + 2 * index]:
            index += 1
        return index == number


@final
class NodeWalk:
    """Goes through the entries of one node, deleted ones included.

    Where first(), next(), last() or previous() has returned True, an entry is there: `milliseconds` and `sequence` are
    its ID, `number` its fields, which begin at `content` (values only where has_same_fields()), `at` its position.
    """

    def __init__(self, node_id: int, pack: bytes) -> None:
        self.pack: bytes = pack
        self.at: i64 = 0
        self.flags: i64 = 0
        self.milliseconds: int = 0
        self.sequence: int = 0
        self.number: i64 = 0
        self.content: i64 = 0
        self._base_milliseconds: int = milliseconds_of(node_id)
        self._base_sequence: int = sequence_of(node_id)
        counters_end = listpack.after(pack, listpack.after(pack, listpack.FIRST))
        self._master_number: i64 = listpack.number(pack, counters_end)
        self._master_fields: i64 = listpack.after(pack, counters_end)

    def master_fields(self) -> list[bytes]:
        """Return the fields of the master entry."""
        return listpack.some_texts(self.pack, self._master_fields, self._master_number)

    def contents(self) -> list[bytes]:
        """Return the fields and values of the entry, or only its values where has_same_fields()."""
        pieces = self.number if self.has_same_fields() else 2 * self.number
        return listpack.some_texts(self.pack, self.content, pieces)

    def is_deleted(self) -> bool:
        """Say whether the entry is deleted."""
        return self.flags & DELETED != 0

    def has_same_fields(self) -> bool:
        """Say whether the entry has the fields of the master entry, so that they are not repeated."""
        return self.flags & SAME_FIELDS != 0

    def first(self) -> bool:
        """Go to the first entry."""
        # The master's terminator stands between its fields and the first entry.
        return self._enter(listpack.skip(self.pack, self._master_fields, self._master_number + 1))

    def first_from(self, milliseconds: int, sequence: int) -> bool:
        """Go to the first entry whose ID is not smaller than this one.

        Ranges mostly begin in the middle of a node, so what comes before is passed over by the first halves alone.
        """
        # An ID far from the node's, of which there are none but odd ones, is looked for from its beginning.
        wanted: i64 = max(min(milliseconds - self._base_milliseconds, _FAR), 0)
        more = self._enter(self._passed(wanted))
        while more and (self.milliseconds, self.sequence) < (milliseconds, sequence):
            more = self.next()
        return more

    def _passed(self, wanted: i64) -> i64:
        """Return the position of the first entry whose first half differs from the node's by `wanted` or more."""
        pack = self.pack
        at = listpack.skip(pack, self._master_fields, self._master_number + 1)
        while pack[at] != _END:
            flags: i64 = listpack.number(pack, at)
            place = listpack.after(pack, at)
            change: i64 = pack[place]
            if change >= _SMALL:
                change = listpack.number(pack, place)
                if change < 0:
                    # More than 63 bits: beyond whatever is wanted.
                    return at
            if change >= wanted:
                return at
            place = listpack.skip(pack, place, 2)
            pieces = self._master_number
            if flags & SAME_FIELDS == 0:
                pieces = 2 * listpack.number(pack, place) + 1
            at = listpack.skip(pack, place, pieces + 1)
        return at

    def next(self) -> bool:
        """Go to the following entry."""
        pieces = self.number if self.has_same_fields() else 2 * self.number
        return self._enter(listpack.skip(self.pack, self.content, pieces + 1))

    def last(self) -> bool:
        """Go to the last entry."""
        return self._enter_before(listpack.end(self.pack))

    def previous(self) -> bool:
        """Go to the preceding entry."""
        return self._enter_before(self.at)

    def _enter_before(self, at: i64) -> bool:
        pack = self.pack
        at = listpack.before(pack, at)
        pieces: i64 = listpack.number(pack, at)
        if pieces == 0:
            return False
        while pieces > 0:
            at = listpack.before(pack, at)
            pieces -= 1
        return self._enter(at)

    def _enter(self, at: i64) -> bool:
        pack = self.pack
        if pack[at] == _END:
            return False
        self.at = at
        self.flags = listpack.number(pack, at)
        at = listpack.after(pack, at)
        self.milliseconds = moved(self._base_milliseconds, listpack.number(pack, at))
        at = listpack.after(pack, at)
        self.sequence = moved(self._base_sequence, listpack.number(pack, at))
        at = listpack.after(pack, at)
        if self.flags & SAME_FIELDS != 0:
            self.number = self._master_number
        else:
            self.number = listpack.number(pack, at)
            at = listpack.after(pack, at)
        self.content = at
        return True


def is_valid_node(pack: bytes) -> bool:
    """Say whether bytes from anywhere are a node that everything else here may walk over.

    (Redis: streamValidateListpackIntegrity.)
    """
    return listpack.is_valid(pack) and _Check(pack).passes()


@final
class _Check:
    """Walks over a listpack that is well formed, whatever its entries are."""

    def __init__(self, pack: bytes) -> None:
        self._pack: bytes = pack
        self._at: i64 = listpack.FIRST

    def passes(self) -> bool:
        """Say whether the entries are those of a node."""
        live = self._integer()
        deleted = self._integer()
        number = self._integer()
        if live < 0 or deleted < 0 or not self._skip(number) or self._integer() != 0:
            return False
        for _ in range(live + deleted):
            if not self._is_entry(number):
                return False
        return self._pack[self._at] == _END

    def _is_entry(self, master_number: int) -> bool:
        if self._pack[self._at] == _END:
            return False
        flags = self._integer()
        if flags < 0 or not self._is_integer() or not self._skip(1) or not self._is_integer() or not self._skip(1):
            return False
        number = master_number
        pieces = number + _FIXED_PIECES
        if flags & SAME_FIELDS == 0:
            number = self._integer()
            pieces = 2 * number + _FIXED_PIECES + 1
            if not self._skip(number):
                return False
        return self._skip(number) and self._integer() == pieces

    def _is_integer(self) -> bool:
        return self._pack[self._at] != _END and listpack.is_integer(self._pack, self._at)

    def _integer(self) -> int:
        """Return the integer that comes next, or -1 where none does: all that are asked for are not negative."""
        if not self._is_integer():
            return -1
        value = listpack.number(self._pack, self._at)
        self._at = listpack.after(self._pack, self._at)
        return value

    def _skip(self, number: int) -> bool:
        """Pass over so many entries and say whether that was possible."""
        if number < 0:
            return False
        left = number
        while left > 0:
            if self._pack[self._at] == _END:
                return False
            self._at = listpack.after(self._pack, self._at)
            left -= 1
        return True


_FLAGS_SAME: Final = listpack.encoded_integer(SAME_FIELDS)
_FLAGS_OTHER: Final = listpack.encoded_integer(0)
