"""Redis' ziplist, read: how versions before 7.0 packed small lists, hashes and sorted sets.

    <bytes: 4> <offset of the last entry: 4> <entries: 2> entry ... entry 0xFF      65535 entries or more: not counted

    entry: <length of the previous entry: 1, or 0xFE and 4> then
    00xxxxxx                a string of up to 63 bytes
    01xxxxxx +1             a string of up to 16383 bytes, length big-endian
    10______ +4             a string of up to 2**32 - 1 bytes, length big-endian
    11000000 11010000 11100000 11110000 11111110        an integer of 16, 32, 64, 24 or 8 bits
    1111xxxx                an integer from 0 to 12, plus one

All other numbers are little-endian. Bytes that are no ziplist, down to the last length, give MalformedPack.
(Redis: ziplist.c.)
"""

from typing import Final

from mypy_extensions import i64

_HEADER: Final = 10
_END: Final = 0xFF
_LONG_PREVIOUS: Final = 0xFE
_UNCOUNTED: Final = 0xFFFF
_FIRST_IMMEDIATE: Final = 0xF1
_LAST_IMMEDIATE: Final = 0xFD
_INTEGER_BYTES: Final[dict[int, int]] = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}


class MalformedPack(Exception):
    """Bytes that were to be a packed collection of an old form are none."""


def ziplist_texts(data: bytes) -> list[bytes]:
    """Return all entries as strings, integers in decimal; raise MalformedPack for anything that is no ziplist."""
    size: i64 = len(data)
    if size < _HEADER + 1 or _little(data, 0, 4) != size or data[size - 1] != _END:
        raise MalformedPack("a ziplist's size is wrong")
    found: list[bytes] = []
    at: i64 = _HEADER
    previous: i64 = _HEADER
    while data[at] != _END:
        body = _after_previous(data, at, at - previous)
        previous = at
        at = _append_entry(data, body, found)
        if at >= size:
            raise MalformedPack("an entry of a ziplist reaches beyond its end")
    if at != size - 1 or _little(data, 4, 4) != previous:
        raise MalformedPack("a ziplist ends elsewhere than it says")
    counted = _little(data, 8, 2)
    if counted not in (_UNCOUNTED, len(found)):
        raise MalformedPack("a ziplist has another number of entries than it says")
    return found


def _after_previous(data: bytes, at: i64, expected: i64) -> i64:
    """Return where the entry at `at` goes on behind the length of the previous one, which should be `expected`."""
    if data[at] < _LONG_PREVIOUS:
        length: i64 = data[at]
        body = at + 1
    else:
        body = at + 5
        length = _little(data, at + 1, 4)
    if length != expected:
        raise MalformedPack("an entry of a ziplist has a wrong length of the previous one")
    return body


def _append_entry(data: bytes, at: i64, found: list[bytes]) -> i64:
    """Append the entry whose encoding stands at `at`, and return where it ends."""
    head = _little(data, at, 1)
    if head >= 0xC0:
        return _append_integer(data, at, head, found)
    if head < 0x40:
        start = at + 1
        length = head
    elif head < 0x80:
        start = at + 2
        length = ((head & 0x3F) << 8) | _little(data, at + 1, 1)
    else:
        start = at + 5
        if start > len(data):
            raise MalformedPack("a ziplist is cut short")
        length = int.from_bytes(data[at + 1 : at + 5], "big")
    stop = start + length
    if stop >= len(data):
        raise MalformedPack("a string of a ziplist reaches beyond its end")
    found.append(data[start:stop])
    return stop


def _append_integer(data: bytes, at: i64, head: i64, found: list[bytes]) -> i64:
    if _FIRST_IMMEDIATE <= head <= _LAST_IMMEDIATE:
        found.append(b"%d" % (head - _FIRST_IMMEDIATE))
        return at + 1
    width: i64 = _INTEGER_BYTES.get(int(head), 0)
    stop = at + 1 + width
    if width == 0 or stop >= len(data):
        raise MalformedPack("an integer of a ziplist is none")
    found.append(b"%d" % int.from_bytes(data[at + 1 : stop], "little", signed=True))
    return stop


def _little(data: bytes, at: i64, width: i64) -> i64:
    """Return the unsigned number of `width` bytes at `at`, of which not all may be there."""
    if at + width > len(data):
        raise MalformedPack("a ziplist is cut short")
    return int.from_bytes(data[at : at + width], "little")
