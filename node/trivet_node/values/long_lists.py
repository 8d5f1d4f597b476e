"""Long lists: nodes of packed values, as Redis' quicklist has them, between two loose ends.

    head (the first value last)  |  node node node ... node  |  tail (the last value last)

Pushes and pops touch only the loose ends, Python lists of a few dozen values at most: when an end is full, its inner
half is packed into the outermost node; when it is empty, it is refilled from there. So the cost of packing is shared by
many pushes, no values are packed and unpacked in turn, and nearly all of a long list stays as small as in Redis.

Every node knows the place of its first value: pushes at the head count downwards, pushes at the tail upwards. Places
rise from node to node, so that an index is found by bisection. What changes the number of values in the middle
(LINSERT, LREM) has walked over them anyway and counts anew.
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from trivet_node.values.list_nodes import Node, joined, nodes_of

# A loose end that has grown to so many values keeps only its outer half; an empty one is refilled to that half.
_LOOSE_MAX: Final = 64
_LOOSE_KEPT: Final = 32


@final
class Search:
    """What LPOS asks for: values equal to `value`, from the head or from the tail on.

    The first `skip` of them are passed over, at most `most` found, and only `within` values are looked at.
    """

    def __init__(self, value: bytes, skip: i64, most: i64, within: i64, from_tail: bool) -> None:
        self.value: bytes = value
        self.skip: i64 = skip
        self.most: i64 = most
        self.within: i64 = within
        self.from_tail: bool = from_tail


@mypyc_attr(acyclic=True)
@final
class LongList:
    """The values of a long list. `limit` is always list-max-listpack-size."""

    def __init__(self) -> None:
        self.head: list[bytes] = []
        self.nodes: list[Node] = []
        self.tail: list[bytes] = []

    def length(self) -> i64:
        """Return the number of values."""
        return len(self.head) + self._packed_length() + len(self.tail)

    def copy(self) -> "LongList":
        """Return another list of the same values."""
        other = LongList()
        other.head = self.head[:]
        other.nodes = [node.copy() for node in self.nodes]
        other.tail = self.tail[:]
        return other

    def push(self, value: bytes, at_head: bool, limit: i64) -> None:
        """Add a value at one end."""
        loose = self.head if at_head else self.tail
        loose.append(value)
        if len(loose) >= _LOOSE_MAX:
            self._pack(at_head, _LOOSE_KEPT, limit)

    def pop(self, at_head: bool) -> bytes:
        """Take the value at one end away and return it; there is one."""
        loose = self.head if at_head else self.tail
        if not loose:
            if not self.nodes:
                return self.tail.pop(0) if at_head else self.head.pop(0)
            self._unpack(at_head)
            loose = self.head if at_head else self.tail
        return loose.pop()

    def drop(self, count: i64, at_head: bool) -> None:
        """Take `count` values away at one end; there are so many."""
        outer = self.head if at_head else self.tail
        dropped = min(count, i64(len(outer)))
        del outer[i64(len(outer)) - dropped :]
        count = self._drop_nodes(count - dropped, at_head)
        if count > 0 and self.nodes:
            self._unpack(at_head)
            self.drop(count, at_head)
        elif count > 0:
            inner = self.tail if at_head else self.head
            del inner[:count]

    def value(self, index: i64) -> bytes:
        """Return the value with that index; there is one."""
        loose: i64 = len(self.head)
        if index < loose:
            return self.head[loose - 1 - index]
        index -= loose
        packed = self._packed_length()
        if index >= packed:
            return self.tail[index - packed]
        node = self.nodes[self._node_of(index)]
        return node.value(self._inside(node, index))

    def values(self, start: i64, stop: i64) -> list[bytes]:
        """Return the values from `start` to before `stop`; start <= stop, and both lie in the list."""
        loose: i64 = len(self.head)
        found = self.head[loose - min(stop, loose) : loose - min(start, loose)]
        found.reverse()
        packed = self._packed_length()
        start = max(start - loose, 0)
        stop = max(stop - loose, 0)
        if start < min(stop, packed):
            self._extend(found, start, min(stop, packed))
        if stop > packed:
            found.extend(self.tail[max(start - packed, 0) : stop - packed])
        return found

    def replace(self, index: i64, value: bytes, limit: i64) -> None:
        """Put another value in the place of the one with that index; there is one."""
        loose: i64 = len(self.head)
        packed = self._packed_length()
        if index < loose:
            self.head[loose - 1 - index] = value
        elif index - loose >= packed:
            self.tail[index - loose - packed] = value
        else:
            number = self._node_of(index - loose)
            node = self.nodes[number]
            inside = self._inside(node, index - loose)
            if not node.replace(inside, value, limit):
                values = node.values(0, node.count)
                values[inside] = value
                self._remake(number, values, limit)

    def insert(self, pivot: bytes, value: bytes, behind: bool, limit: i64) -> bool:
        """Put a value before or behind the first one equal to `pivot` and say whether there is such a one."""
        self.settle(limit)
        for number, node in enumerate(self.nodes):
            found = node.matches(pivot)
            if found:
                inside: i64 = found[0] + (1 if behind else 0)
                if node.insert(inside, value, limit):
                    self.renumber()
                else:
                    values = node.values(0, node.count)
                    values.insert(inside, value)
                    self._remake(number, values, limit)
                return True
        return False

    def remove(self, value: bytes, most: i64, from_tail: bool, limit: i64) -> i64:
        """Take up to `most` values equal to `value` away, searching from one end, and return how many there were."""
        self.settle(limit)
        left = most
        for node in self.nodes[::-1] if from_tail else self.nodes:
            found = node.matches(value)
            count: i64 = len(found)
            if count > left:
                found = found[count - left :] if from_tail else found[:left]
            if found:
                left -= len(found)
                node.remove(found)
            if left == 0:
                break
        if left != most:
            self._tidy(limit)
        return most - left

    def positions(self, search: Search, limit: i64) -> list[int]:
        """Return the indices of the values searched for, in the order in which they are found."""
        self.settle(limit)
        from_tail = search.from_tail
        skip = search.skip
        last = self.length() - 1
        found: list[int] = []
        passed: i64 = 0
        for node in self.nodes[::-1] if from_tail else self.nodes:
            if passed >= search.within:
                break
            matches = node.matches(search.value)
            if from_tail:
                matches.reverse()
            for index in matches:
                distance: i64 = passed + (node.count - 1 - index if from_tail else index)
                if distance >= search.within:
                    break
                if skip > 0:
                    skip -= 1
                    continue
                found.append(last - distance if from_tail else distance)
                if len(found) == search.most:
                    return found
            passed += node.count
        return found

    def settle(self, limit: i64) -> None:
        """Pack the loose ends."""
        if self.head:
            self._pack(True, 0, limit)
        if self.tail:
            self._pack(False, 0, limit)

    def _packed_length(self) -> i64:
        nodes = self.nodes
        if not nodes:
            return 0
        last = nodes[-1]
        return last.place + last.count - nodes[0].place

    def _node_of(self, index: i64) -> i64:
        """Return the number of the node that holds the packed value with that index."""
        nodes = self.nodes
        place = nodes[0].place + index
        low: i64 = 0
        high: i64 = len(nodes)
        while high - low > 1:
            middle = (low + high) >> 1
            if nodes[middle].place <= place:
                low = middle
            else:
                high = middle
        return low

    def _inside(self, node: Node, index: i64) -> i64:
        """Return the index within its node of the packed value with the index `index`."""
        return index - (node.place - self.nodes[0].place)

    def _extend(self, found: list[bytes], start: i64, stop: i64) -> None:
        """Append the packed values from `start` to before `stop`."""
        number = self._node_of(start)
        while start < stop:
            node = self.nodes[number]
            inside = self._inside(node, start)
            count = min(node.count - inside, stop - start)
            node.extend(found, inside, count)
            start += count
            number += 1

    def _pack(self, at_head: bool, kept: i64, limit: i64) -> None:
        """Pack all values of a loose end but the `kept` outermost ones."""
        loose = self.head if at_head else self.tail
        count = len(loose) - kept
        values = loose[:count]
        del loose[:count]
        if at_head:
            values.reverse()
            self._add_before(nodes_of(values, limit), limit)
        else:
            self._add_behind(nodes_of(values, limit), limit)

    def _add_before(self, made: list[Node], limit: i64) -> None:
        nodes = self.nodes
        place: i64 = nodes[0].place if nodes else 0
        for node in made[::-1]:
            place -= node.count
            node.place = place
        node_of_both = joined(made[-1], nodes[0], limit) if nodes else None
        if node_of_both is not None:
            nodes[0] = node_of_both
            made.pop()
        nodes[0:0] = made

    def _add_behind(self, made: list[Node], limit: i64) -> None:
        nodes = self.nodes
        place: i64 = nodes[-1].place + nodes[-1].count if nodes else 0
        for node in made:
            node.place = place
            place += node.count
        node_of_both = joined(nodes[-1], made[0], limit) if nodes else None
        if node_of_both is not None:
            nodes[-1] = node_of_both
            made.pop(0)
        nodes.extend(made)

    def _unpack(self, at_head: bool) -> None:
        """Refill an empty end from the outermost node."""
        node = self.nodes[0 if at_head else -1]
        count = min(node.count, _LOOSE_KEPT)
        values = node.values(0 if at_head else node.count - count, count)
        if at_head:
            values.reverse()
            self.head = values
        else:
            self.tail = values
        if count == node.count:
            self.nodes.pop(0 if at_head else -1)
        else:
            node.cut(count, at_head)

    def _drop_nodes(self, count: i64, at_head: bool) -> i64:
        """Take up to `count` packed values away at one end, unless so few are left that an end is to be refilled.

        Returns how many are left to be taken away.
        """
        nodes = self.nodes
        whole: i64 = 0
        while whole < len(nodes):
            node = nodes[whole if at_head else -1 - whole]
            if node.count > count:
                break
            count -= node.count
            whole += 1
        if at_head:
            del nodes[:whole]
        else:
            del nodes[len(nodes) - whole :]
        if count > _LOOSE_KEPT and nodes:
            nodes[0 if at_head else -1].cut(count, at_head)
            return 0
        return count

    def _remake(self, number: i64, values: list[bytes], limit: i64) -> None:
        """Put nodes of these values in the place of one that they do not fit into: of two halves, to leave room."""
        half = len(values) >> 1
        self.nodes[number : number + 1] = nodes_of(values[:half], limit) + nodes_of(values[half:], limit)
        self.renumber()

    def _tidy(self, limit: i64) -> None:
        """Forget empty nodes, join those that have become small, and count anew."""
        nodes: list[Node] = []
        for node in self.nodes:
            if node.count == 0:
                continue
            node_of_both = joined(nodes[-1], node, limit) if nodes else None
            if node_of_both is not None:
                nodes[-1] = node_of_both
            else:
                nodes.append(node)
        self.nodes = nodes
        self.renumber()

    def renumber(self) -> None:
        """Set the places of all nodes."""
        place: i64 = 0
        for node in self.nodes:
            node.place = place
            place += node.count


def long_list(nodes: list[Node]) -> LongList:
    """Return a list of the values of these nodes, none of which is empty."""
    made = LongList()
    made.nodes = nodes
    made.renumber()
    return made
