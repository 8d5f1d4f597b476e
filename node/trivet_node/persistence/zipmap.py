"""Redis' zipmap, read: how versions before 2.6 packed small hashes.

    <pairs: 1> <length> field <length> <free: 1> value <free bytes> ... 0xFF        254 pairs or more: not counted

A length is one byte below 254, or 0xFE and four bytes, little-endian. Bytes that are no zipmap give MalformedPack.
(Redis: zipmap.c.)
"""

from typing import Final

from mypy_extensions import i64

from trivet_node.persistence.ziplist import MalformedPack

_END: Final = 0xFF
_LONG: Final = 0xFE


def zipmap_texts(data: bytes) -> list[bytes]:
    """Return fields and values by turns; raise MalformedPack for anything that is no zipmap."""
    size: i64 = len(data)
    if size < 2 or data[size - 1] != _END:
        raise MalformedPack("a zipmap does not end")
    found: list[bytes] = []
    at: i64 = 1
    while data[at] != _END:
        at = _append(data, at, 0, found)
        at = _append(data, at, 1, found)
    if at != size - 1:
        raise MalformedPack("a zipmap ends before its last byte")
    if data[0] < _LONG and data[0] != len(found) // 2:
        raise MalformedPack("a zipmap has another number of fields than it says")
    return found


def _append(data: bytes, at: i64, free_width: i64, found: list[bytes]) -> i64:
    """Append the string whose length stands at `at`, and return where the next one begins.

    `free_width` is 1 where the number of unused bytes behind the string stands before it.
    """
    size: i64 = len(data)
    length: i64 = data[at]
    start = at + 1
    if length == _LONG:
        start = at + 5
        length = int.from_bytes(data[at + 1 : at + 5], "little")
    elif length == _END:
        raise MalformedPack("a zipmap has a field without a value")
    free: i64 = 0
    if free_width != 0 and start < size:
        free = data[start]
    start += free_width
    stop = start + length
    # The closing byte stands behind everything.
    if stop + free >= size:
        raise MalformedPack("a string of a zipmap reaches beyond its end")
    found.append(data[start:stop])
    return stop + free
