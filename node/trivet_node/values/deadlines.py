"""Names with deadlines: which of them are due is known without looking at the others.

A ticket is a deadline with a serial number behind it, so that tickets differ and are ordered as the deadlines are. Each
name has its ticket; and beyond a few names, which are looked at one by one, an ordered map leads from tickets to names.
No step takes long, however many names there are: both maps grow and shrink in small pieces.

A hash keeps such a map of its fields, a database one of the keys whose hashes have fields with deadlines.
(Redis: ebuckets.c.)
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from trivet_node.values.buckets import Buckets
from trivet_node.values.id_map import Cursor, IdMap

NO_DEADLINE: Final = -1
# Later than every deadline.
NEVER_MS: Final = 2**62
_SERIAL_BITS: Final = 40
# So few names are looked at as quickly as an order is kept, and that takes several hundred bytes.
_UNORDERED_MAX: Final = 32


@final
@mypyc_attr(acyclic=True)
class Deadlines:
    """Deadlines by name, in milliseconds from 0 on."""

    def __init__(self) -> None:
        self._tickets: Buckets = Buckets()
        self._order: IdMap | None = None
        self._serial: int = 0

    def __len__(self) -> int:
        """Return the number of names."""
        return int(self._tickets.size)

    def get(self, name: bytes) -> int:
        """Return the deadline of `name`, or NO_DEADLINE."""
        ticket = self._ticket(name)
        return NO_DEADLINE if ticket < 0 else ticket >> _SERIAL_BITS

    def put(self, name: bytes, deadline_ms: int) -> None:
        """Give `name` a deadline in place of the one it may have."""
        old = self._ticket(name)
        self._serial += 1
        ticket = (deadline_ms << _SERIAL_BITS) | self._serial
        self._tickets.put(name, ticket)
        if self._order is not None:
            if old >= 0:
                self._order.pop(old)
            self._order.put(ticket, name)
        elif self._tickets.size > _UNORDERED_MAX:
            self._order = _ordered(self._all_tickets())

    def drop(self, name: bytes) -> bool:
        """Take the deadline of `name` away and say whether it had one."""
        ticket = self._ticket(name)
        if ticket < 0:
            return False
        self._tickets.pop(name)
        if self._order is not None:
            self._order.pop(ticket)
        return True

    def first_ms(self) -> int:
        """Return the earliest deadline, NEVER_MS where there is none."""
        if self._tickets.size == 0:
            return NEVER_MS
        if self._order is not None:
            return self._order.first_key() >> _SERIAL_BITS
        return min([ticket for ticket, _ in self._all_tickets()]) >> _SERIAL_BITS

    def last_ms(self) -> int:
        """Return the latest deadline; there is one."""
        if self._order is not None:
            return self._order.last_key() >> _SERIAL_BITS
        return max([ticket for ticket, _ in self._all_tickets()]) >> _SERIAL_BITS

    def due(self, now_ms: int, limit: int) -> list[bytes]:
        """Return names whose deadline lies before `now_ms`, the earliest first, `limit` of them at most."""
        end = now_ms << _SERIAL_BITS
        if self._order is None:
            tickets = [item for item in self._all_tickets() if item[0] < end]
            tickets.sort()
            return [name for _, name in tickets[:limit]]
        found: list[bytes] = []
        cursor = Cursor(self._order)
        more = cursor.seek_first()
        while more and cursor.key < end and len(found) < limit:
            name = cursor.value()
            assert isinstance(name, bytes)
            found.append(name)
            more = cursor.next()
        return found

    def copy(self) -> "Deadlines":
        """Return a map of its own with the same deadlines."""
        other = Deadlines()
        other._tickets = self._tickets.copy()
        other._order = None if self._order is None else self._order.copy()
        other._serial = self._serial
        return other

    def pieces(self) -> list[object]:
        """Return what the map consists of, in pieces of some names."""
        found: list[object] = []
        found.extend(self._tickets.dicts)
        if self._order is not None:
            found.extend(self._order.chunks)
        return found

    def _ticket(self, name: bytes) -> int:
        """Return the ticket of `name`, a negative number where it has none."""
        ticket = self._tickets.get(name)
        return ticket if isinstance(ticket, int) else -1

    def _all_tickets(self) -> list[tuple[int, bytes]]:
        found: list[tuple[int, bytes]] = []
        for bucket in self._tickets.dicts:
            for name, ticket in bucket.items():
                assert isinstance(ticket, int)
                found.append((ticket, name))
        return found


def _ordered(tickets: list[tuple[int, bytes]]) -> IdMap:
    order = IdMap()
    tickets.sort()
    for ticket, name in tickets:
        order.put(ticket, name)
    return order
