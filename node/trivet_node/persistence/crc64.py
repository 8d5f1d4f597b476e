"""The checksum at the end of an RDB file: CRC-64/Jones, reflected, starting from 0. (Redis: crc64.c.)"""

from typing import Final

import crcmod

_JONES_POLYNOMIAL: Final = 0x1AD93D23594C935A9
_crc64 = crcmod.mkCrcFun(_JONES_POLYNOMIAL, initCrc=0, rev=True, xorOut=0)


def crc64(data: bytes, crc: int = 0) -> int:
    """Return the checksum of what `crc` is the checksum of, followed by `data`."""
    return int(_crc64(data, crc))
