"""What DEBUG LISTPACK and DEBUG QUICKLIST print: every entry with its position, its parts and its bytes.

(Redis: listpack.c lpRepr, quicklist.c quicklistRepr.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.values import listpack
from trivet_node.values.list_nodes import Node

_SHOWN_MAX: Final = 40
# Where the bytes of a bytes object begin, counted from its address.
_BYTES_OFFSET: Final = bytes.__basicsize__ - 1


def describe_listpack(pack: bytes) -> bytes:
    """Return the description of a listpack, lines of text with the strings as they are."""
    lines = [b"{total bytes %d} {num entries %d}" % (len(pack), int(listpack.count(pack)))]
    at: i64 = listpack.FIRST
    index = 0
    while at < listpack.end(pack):
        lines += _entry(pack, at, index)
        at = listpack.after(pack, at)
        index += 1
    return b"\n".join([*lines, b"{end}", b"", b""])


def _entry(pack: bytes, at: i64, index: int) -> list[bytes]:
    behind = listpack.after(pack, at)
    head, payload = listpack.parts(pack, at)
    text = listpack.text(pack, at)
    return [
        b"{",
        b"\taddr: 0x%08x," % (id(pack) + _BYTES_OFFSET + int(at)),
        b"\tindex: %2d," % index,
        b"\toffset: %d," % int(at),
        b"\thdr+entrylen+backlen: %2d," % int(behind - at),
        b"\thdrlen: %3d," % int(head),
        b"\tbacklen: %2d," % int(behind - at - head - payload),
        b"\tpayload: %d" % int(payload),
        b"\tbytes: %s|" % pack[at:behind].hex("|").encode(),
        b"\t[str]" + (text[:_SHOWN_MAX] + b"..." if len(text) > _SHOWN_MAX else text),
        b"}",
    ]


def describe_nodes(nodes: list[Node], limit: int, in_full: bool) -> bytes:
    """Return the description of a list by its nodes; `limit` is list-max-listpack-size."""
    parts = [
        b"{count : %d}\n{len : %d}\n" % (sum([int(node.count) for node in nodes]), len(nodes)),
        b"{fill : %d}\n{compress : 0}\n{bookmark_count : 0}\n" % limit,
    ]
    for number, node in enumerate(nodes):
        parts.append(
            b"{quicklist node(%d)\n{container : %s, encoding: RAW, size: %d, count: %d, recompress: 0, "
            b"attempted_compress: 0}\n"
            % (number, b"PLAIN" if node.is_plain else b"PACKED", len(node.data), int(node.count))
        )
        if in_full:
            inside = (
                b"{ entry : %s }" % node.data if node.is_plain else b"{ listpack:\n%s}" % describe_listpack(node.data)
            )
            parts.append(inside + b"\n}\n")
    return b"".join(parts)
