"""Hash slots: which of the 16384 slots of a cluster a key belongs to.

A slot is CRC16/XMODEM of the key, modulo 16384. Where a key holds a non-empty hash tag, `{tag}`, only the
tag is hashed, so that related keys can be put into one slot. The table comes from crcmod; the loop is ours
because it is on the path of every command and compiles to plain C.
(Redis Cluster specification, "Key distribution model".)
"""

from typing import Final

import crcmod
from mypy_extensions import i64

SLOT_COUNT: Final = 16384

_SLOT_MASK: Final = 16383
_OPENING_BRACE: Final = 123
_XMODEM_POLYNOMIAL: Final = 0x11021
_TABLE: Final[list[int]] = list(crcmod.Crc(_XMODEM_POLYNOMIAL, initCrc=0, rev=False).table)
# The table's high and low bytes: compiled code reads bytes objects without making Python numbers.
_HIGH: Final[bytes] = bytes([entry >> 8 for entry in _TABLE])
_LOW: Final[bytes] = bytes([entry & 0xFF for entry in _TABLE])


def key_slot(key: bytes) -> i64:
    """Return the hash slot (0 to 16383) of `key`, as CLUSTER KEYSLOT does."""
    crc: i64 = 0
    position: i64 = 0
    length: i64 = len(key)
    high_bytes = _HIGH
    low_bytes = _LOW
    while position < length:
        byte: i64 = key[position]
        if byte == _OPENING_BRACE:
            return _crc16(_hashed_part(key)) & _SLOT_MASK
        index: i64 = (crc >> 8) ^ byte
        high: i64 = high_bytes[index]
        low: i64 = low_bytes[index]
        crc = (((crc & 0xFF) ^ high) << 8) | low
        position += 1
    return crc & _SLOT_MASK


def _hashed_part(key: bytes) -> bytes:
    """Return what lies between the first `{` and the first `}` behind it, or the whole key where that is nothing."""
    opening = key.find(b"{")
    closing = key.find(b"}", opening + 1)
    return key[opening + 1 : closing] if closing > opening + 1 else key


def _crc16(data: bytes) -> i64:
    crc: i64 = 0
    for byte in data:
        entry: i64 = _TABLE[((crc >> 8) ^ byte) & 0xFF]
        crc = ((crc << 8) & 0xFFFF) ^ entry
    return crc
