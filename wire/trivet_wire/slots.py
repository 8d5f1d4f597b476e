"""Hash slots: which of the 16384 slots of a cluster a key belongs to.

A slot is CRC16/XMODEM of the key, modulo 16384. Where a key holds a non-empty hash tag, `{tag}`, only the
tag is hashed, so that related keys can be put into one slot. The table comes from crcmod; the loop is ours
because it is on the path of every command and compiles to plain C.
(Redis Cluster specification, "Key distribution model".)
"""

import struct
from typing import Final

import crcmod
from librt.strings import read_i16_le, read_i32_be
from mypy_extensions import i64

SLOT_COUNT: Final = 16384

_SLOT_MASK: Final = 16383
_OPENING_BRACE: Final = 123
_XMODEM_POLYNOMIAL: Final = 0x11021
_BYTE_TABLE: Final[list[int]] = list(crcmod.Crc(_XMODEM_POLYNOMIAL, initCrc=0, rev=False).table)


def _advance(table: list[int]) -> list[int]:
    """Return what each entry becomes when one more zero byte follows."""
    return [_BYTE_TABLE[entry >> 8] ^ (entry << 8 & 0xFFFF) for entry in table]


def _pack(table: list[int]) -> bytes:
    """Return a table as bytes, which compiled code reads without making Python numbers."""
    return struct.pack("<256H", *table)


# What a byte contributes with zero to three bytes behind it: four bytes are taken in one step.
_TABLE: Final[bytes] = _pack(_BYTE_TABLE)
_TABLE_1: Final[bytes] = _pack(_advance(_BYTE_TABLE))
_TABLE_2: Final[bytes] = _pack(_advance(_advance(_BYTE_TABLE)))
_TABLE_3: Final[bytes] = _pack(_advance(_advance(_advance(_BYTE_TABLE))))


def key_slot(key: bytes) -> i64:
    """Return the hash slot (0 to 16383) of `key`, as CLUSTER KEYSLOT does."""
    position: i64 = 0
    length: i64 = len(key)
    while position < length:
        byte: i64 = key[position]
        if byte == _OPENING_BRACE:
            return _crc16(_hashed_part(key)) & _SLOT_MASK
        position += 1
    return _crc16(key) & _SLOT_MASK


def _hashed_part(key: bytes) -> bytes:
    """Return what lies between the first `{` and the first `}` behind it, or the whole key where that is nothing."""
    opening = key.find(b"{")
    closing = key.find(b"}", opening + 1)
    return key[opening + 1 : closing] if closing > opening + 1 else key


def _crc16(data: bytes) -> i64:
    crc: i64 = 0
    position: i64 = 0
    length: i64 = len(data)
    while position + 4 <= length:
        word = i64(read_i32_be(data, position)) ^ (crc << 16)
        crc = (
            i64(read_i16_le(_TABLE_3, (word >> 23) & 0x1FE))
            ^ i64(read_i16_le(_TABLE_2, (word >> 15) & 0x1FE))
            ^ i64(read_i16_le(_TABLE_1, (word >> 7) & 0x1FE))
            ^ i64(read_i16_le(_TABLE, (word << 1) & 0x1FE))
        ) & 0xFFFF
        position += 4
    while position < length:
        byte: i64 = data[position]
        index = ((crc >> 7) & 0x1FE) ^ (byte << 1)
        crc = (i64(read_i16_le(_TABLE, index)) ^ (crc << 8)) & 0xFFFF
        position += 1
    return crc
