"""List values: a short list is one listpack, a longer one nodes of them between loose ends (long_lists.py).

A list becomes long when its listpack would exceed two kilobytes: beyond that, copying it at every push costs more than
the bookkeeping. It becomes short again where little of it is left. Both forms are called "quicklist", which is what
Redis 7.0 calls every list. `limit` is always the setting list-max-listpack-size.
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from trivet_node.values import listpack
from trivet_node.values.list_nodes import Node
from trivet_node.values.long_lists import LongList, Search, long_list

_SHORT_MAX_BYTES: Final = 2048
# A long list that has shrunk to so many values becomes short again, unless they are large.
_SHORT_AGAIN: Final = 16
_SHORT_AGAIN_BYTES: Final = 1024


@mypyc_attr(acyclic=True)
@final
class List:
    """The values of a list. Indices count from 0 at the head."""

    def __init__(self) -> None:
        # The short form; empty while the list is long.
        self.pack: bytes = listpack.EMPTY
        self.long: LongList | None = None

    def __len__(self) -> int:
        """Return the number of values."""
        return self.length()

    def length(self) -> i64:
        """Return the number of values."""
        long = self.long
        return listpack.count(self.pack) if long is None else long.length()

    def encoding(self) -> bytes:
        """Return what OBJECT ENCODING calls the form of every list."""
        return b"quicklist"

    def copy(self) -> "List":
        """Return another list of the same values."""
        other = List()
        other.pack = self.pack
        if self.long is not None:
            other.long = self.long.copy()
        return other

    def push(self, value: bytes, at_head: bool, limit: i64) -> None:
        """Add a value at one end."""
        long = self.long
        if long is None:
            pack = self.pack
            if len(pack) + len(value) <= _SHORT_MAX_BYTES:
                self.pack = listpack.prepend(pack, value) if at_head else listpack.append(pack, value)
                return
            long = self._taken_apart()
            self.pack = listpack.EMPTY
            self.long = long
        long.push(value, at_head, limit)

    def pop(self, at_head: bool) -> bytes:
        """Take the value at one end away and return it; there is one."""
        long = self.long
        if long is None:
            pack = self.pack
            at: i64 = listpack.FIRST if at_head else listpack.before(pack, listpack.end(pack))
            value = listpack.text(pack, at)
            self.pack = listpack.splice(pack, at, listpack.after(pack, at), b"", -1)
            return value
        value = long.pop(at_head)
        if long.length() == _SHORT_AGAIN:
            self._shorten(long)
        return value

    def drop(self, count: i64, at_head: bool) -> None:
        """Take `count` values away at one end; there are so many."""
        long = self.long
        if long is None:
            node = Node(self.pack, listpack.count(self.pack), False)
            if count == node.count:
                self.pack = listpack.EMPTY
            elif count > 0:
                node.cut(count, at_head)
                self.pack = node.data
            return
        long.drop(count, at_head)
        if long.length() <= _SHORT_AGAIN:
            self._shorten(long)

    def value(self, index: i64) -> bytes:
        """Return the value with that index; there is one."""
        long = self.long
        return listpack.text(self.pack, listpack.seek(self.pack, index)) if long is None else long.value(index)

    def values(self, start: i64, stop: i64) -> list[bytes]:
        """Return the values from `start` to before `stop`; start <= stop, and both lie in the list."""
        long = self.long
        if long is not None:
            return long.values(start, stop)
        return Node(self.pack, 0, False).values(start, stop - start)

    def replace(self, index: i64, value: bytes, limit: i64) -> None:
        """Put another value in the place of the one with that index; there is one."""
        long = self._taken_apart()
        long.replace(index, value, limit)
        self.become(long)

    def insert(self, pivot: bytes, value: bytes, behind: bool, limit: i64) -> bool:
        """Put a value before or behind the first one equal to `pivot` and say whether there is such a one."""
        long = self._taken_apart()
        found = long.insert(pivot, value, behind, limit)
        self.become(long)
        return found

    def remove(self, value: bytes, most: i64, from_tail: bool, limit: i64) -> i64:
        """Take up to `most` values equal to `value` away, searching from one end, and return how many there were."""
        long = self._taken_apart()
        removed = long.remove(value, most, from_tail, limit)
        self.become(long)
        return removed

    def positions(self, search: Search, limit: i64) -> list[int]:
        """Return the indices of the values searched for, in the order in which they are found."""
        return self._taken_apart().positions(search, limit)

    def nodes(self, limit: i64) -> list[Node]:
        """Return the values as nodes, which is how RDB files hold a list; they are not to be changed."""
        long = self._taken_apart()
        long.settle(limit)
        return long.nodes

    def _taken_apart(self) -> LongList:
        """Return the long form; that of a short list is made for the moment."""
        long = self.long
        if long is None:
            count = listpack.count(self.pack)
            return long_list([Node(self.pack, count, False)] if count > 0 else [])
        return long

    def become(self, long: LongList) -> None:
        """Keep these values, as one listpack where they are small enough."""
        nodes = long.nodes
        if long.head or long.tail or len(nodes) > 1 or (nodes and not _is_short(nodes[0])):
            self.pack = listpack.EMPTY
            self.long = long
        else:
            self.pack = nodes[0].data if nodes else listpack.EMPTY
            self.long = None

    def _shorten(self, long: LongList) -> None:
        """Keep the values of a list that was long as one listpack, if they fit."""
        values = long.values(0, long.length())
        if sum([len(value) for value in values]) <= _SHORT_AGAIN_BYTES:
            self.pack = listpack.build(values)
            self.long = None


def from_values(values: list[bytes], limit: i64) -> List:
    """Return a list of these values."""
    made = List()
    for value in values:
        made.push(value, False, limit)
    return made


def from_nodes(nodes: list[Node]) -> List:
    """Return a list of the values of these nodes, as RDB files hold them; none is empty."""
    made = List()
    made.become(long_list(nodes))
    return made


def _is_short(node: Node) -> bool:
    return not node.is_plain and len(node.data) <= _SHORT_MAX_BYTES
