"""Lists in RDB files: written as nodes of listpacks, read from those, from nodes of ziplists, one ziplist and values.

(Redis 7.0: rdb.c, RDB_TYPE_LIST_QUICKLIST_2 and its kin.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.persistence.rdb_format import DONE
from trivet_node.persistence.rdb_sink import RdbSink
from trivet_node.persistence.rdb_source import RdbSource
from trivet_node.values import listpack
from trivet_node.values.list_nodes import Node
from trivet_node.values.lists import List, from_nodes, from_values
from trivet_node.values.packing import PackingLimits

LIST: Final = 1
LIST_ZIPLIST: Final = 10
LIST_QUICKLIST: Final = 14
LIST_QUICKLIST_2: Final = 18
_PLAIN: Final = 1
_PACKED: Final = 2


def write_list(sink: RdbSink, value: List, part: i64, limits: PackingLimits) -> i64:
    """Write a list from the node with the number `part` on; return where to go on, or DONE."""
    nodes = value.nodes(limits.list_max_listpack_size)
    if part == 0:
        sink.length(len(nodes))
    while part < len(nodes):
        node = nodes[part]
        sink.length(_PLAIN if node.is_plain else _PACKED)
        sink.string(node.data)
        part += 1
        if sink.is_full():
            return part
    return DONE


def read_list(code: int, source: RdbSource, limits: PackingLimits) -> List:
    """Return the list that begins here in the form `code`; it may be empty."""
    limit = limits.list_max_listpack_size
    if code == LIST_ZIPLIST:
        return from_values(source.ziplist(), limit)
    length = source.length()
    if code == LIST_QUICKLIST_2:
        return from_nodes(_nodes(source, length))
    values: list[bytes] = []
    while length > 0:
        if code == LIST:
            values.append(source.string())
        else:
            values.extend(source.ziplist())
        length -= 1
    return from_values(values, limit)


def _nodes(source: RdbSource, length: int) -> list[Node]:
    """Return `length` nodes without the empty ones, which Redis once wrote."""
    nodes: list[Node] = []
    while length > 0:
        container = source.length()
        if container == _PLAIN:
            nodes.append(Node(source.string(), 1, True))
        elif container == _PACKED:
            pack = source.listpack()
            count = listpack.count(pack)
            if count > 0:
                nodes.append(Node(pack, count, False))
        else:
            raise source.refuse(f"a list has a node of the unknown kind {container}")
        length -= 1
    return nodes
