r"""Bytes in double quotes, as Redis writes them for people: in its configuration, in MONITOR. (Redis: sdscatrepr.)

What is no printable ASCII stands as \n \r \t \a \b or \xHH; `split_words` of requests.py reads it back.
"""

from typing import Final

_ESCAPES: Final[dict[int, bytes]] = {
    0x5C: b"\\\\",
    0x22: b'\\"',
    0x0A: b"\\n",
    0x0D: b"\\r",
    0x09: b"\\t",
    0x07: b"\\a",
    0x08: b"\\b",
}
_SHOWN: Final[list[bytes]] = [
    _ESCAPES.get(byte) or (bytes([byte]) if 0x20 <= byte < 0x7F else b"\\x%02x" % byte) for byte in range(256)
]


def quoted(data: bytes) -> bytes:
    """Return `data` as one quoted word."""
    return b'"%s"' % b"".join([_SHOWN[byte] for byte in data])
