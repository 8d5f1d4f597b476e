"""The bytes of an RDB file that its writer and its reader agree on.

    REDIS0010                                           magic and version
    FA name value                                       facts about the file ("aux fields"), any number
    F5 code                                             a library of functions, any number
    FE database  FB keys volatile-keys                  a database begins; how large its tables will be
    [FC deadline-ms | FD deadline-s] [F8 idle | F9 frequency] type key value
    FF checksum                                         the end; the checksum is 0 where it was not computed

A length is 6 bits, 14 bits, 32 or 64 bits, as its first two bits say; where both are set, a string follows in a special
encoding: an integer of 1, 2 or 4 bytes, or LZF. Integers of that kind are little-endian, lengths are big-endian.
(Redis 7.0: rdb.h, rdb.c; "RDB File Format".)
"""

from typing import Final

MAGIC: Final = b"REDIS"
# Written where that will do, so that Redis 7.0 loads it; and for hashes whose fields have deadlines, as Redis 7.4 does.
VERSION: Final = 10
VERSION_FIELD_DEADLINES: Final = 12

OPCODE_SLOT_INFO: Final = 0xF4
OPCODE_FUNCTION2: Final = 0xF5
OPCODE_FUNCTION_BEFORE_RELEASE: Final = 0xF6
OPCODE_MODULE_AUX: Final = 0xF7
OPCODE_IDLE: Final = 0xF8
OPCODE_FREQUENCY: Final = 0xF9
OPCODE_AUX: Final = 0xFA
OPCODE_RESIZE_DATABASE: Final = 0xFB
OPCODE_DEADLINE_MS: Final = 0xFC
OPCODE_DEADLINE_S: Final = 0xFD
OPCODE_SELECT_DATABASE: Final = 0xFE
OPCODE_END: Final = 0xFF

LENGTH_6_BITS: Final = 0
LENGTH_14_BITS: Final = 1
LENGTH_32_BITS: Final = 0x80
LENGTH_64_BITS: Final = 0x81
ENCODED: Final = 3

ENCODING_INT8: Final = 0
ENCODING_INT16: Final = 1
ENCODING_INT32: Final = 2
ENCODING_LZF: Final = 3

# Where writing a value goes on when all of it is written.
DONE: Final = -1

# A key with a later deadline than this never expires for all that it matters.
DEADLINE_MAX_MS: Final = 2**62


class RdbError(Exception):
    """An RDB file cannot be loaded. `offset` is the byte at which that shows."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"{reason}, at byte offset {offset}")
        self.offset = offset
        self.reason = reason
