"""The last bytes of the replication stream, kept for replicas whose connection broke.

A ring of fixed size. Offsets count the bytes of the stream: the first byte ever has offset 1, as in Redis.
"""

from typing import Final, final

from mypy_extensions import i64

SMALLEST_BYTES: Final = 16 * 1024


@final
class Backlog:
    """At most `size` bytes; the first byte appended will have the offset `next_offset`."""

    def __init__(self, size: int, next_offset: int) -> None:
        self.size: i64 = max(size, SMALLEST_BYTES)
        self.next_offset: i64 = next_offset
        self.length: i64 = 0
        self._ring: bytearray = bytearray(self.size)
        # Where the next byte goes.
        self._end: i64 = 0

    def first_offset(self) -> int:
        """Return the offset of the oldest byte kept, or of the next one where none is."""
        return int(self.next_offset - self.length)

    def append(self, data: bytes) -> None:
        """Add bytes of the stream; the oldest give way."""
        count: i64 = len(data)
        self.next_offset += count
        self.length = min(self.length + count, self.size)
        if count >= self.size:
            data = data[count - self.size :]
            count = self.size
        room: i64 = self.size - self._end
        if count <= room:
            self._ring[self._end : self._end + count] = data
            self._end = 0 if count == room else self._end + count
        else:
            self._ring[self._end :] = data[:room]
            self._ring[: count - room] = data[room:]
            self._end = count - room

    def has(self, offset: int) -> bool:
        """Say whether the stream can be continued with the byte at `offset`."""
        return self.first_offset() <= offset <= self.next_offset

    def since(self, offset: int) -> bytes:
        """Return the bytes from `offset` on; has(offset) is true."""
        count: i64 = self.next_offset - offset
        if count == 0:
            return b""
        start: i64 = self._end - count
        if start >= 0:
            return bytes(self._ring[start : start + count])
        return bytes(self._ring[start:]) + bytes(self._ring[: self._end])

    def resize(self, size: int) -> None:
        """Keep up to `size` bytes from now on. Unlike Redis, the newest of those kept so far stay."""
        kept = self.since(self.first_offset())
        self.size = max(size, SMALLEST_BYTES)
        self.next_offset -= len(kept)
        self.length = 0
        self._ring = bytearray(self.size)
        self._end = 0
        self.append(kept)
