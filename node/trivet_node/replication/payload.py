r"""The snapshot on its way to a replica: where it ends, and where the stream begins.

The primary announces it in one line, after any number of empty lines that keep the connection alive:

    $<length>\r\n                    the snapshot has that many bytes; nothing follows it but the stream
    $EOF:<40 bytes>\r\n              the snapshot ends with those 40 bytes again (it is sent while it is made)
"""

from typing import Final, final

_MARK_BYTES: Final = 40
_EOF_ANNOUNCEMENT: Final = b"$EOF:"
_LINE_MAX: Final = 1024


class PayloadError(Exception):
    """What came is not a snapshot. The message is for the log."""


@final
class Payload:
    """Takes a snapshot's bytes as they arrive. `length` is what was announced, -1 where it was not."""

    def __init__(self) -> None:
        self.is_announced: bool = False
        self.is_complete: bool = False
        self.length: int = -1
        self.received: int = 0
        # What came behind the snapshot: the beginning of the stream.
        self.rest: bytes = b""
        self._mark: bytes = b""
        # Bytes that cannot be judged yet: of the announcement, or what may be the beginning of the mark.
        self._undecided: bytes = b""

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the primary and return those that belong to the snapshot. Raises PayloadError."""
        if not self.is_announced:
            data = self._announcement(data)
            if not self.is_announced:
                return b""
        part = self._until_mark(data) if self._mark else self._until_length(data)
        self.received += len(part)
        return part

    def _announcement(self, data: bytes) -> bytes:
        """Read the announcement and return what follows it."""
        data = (self._undecided + data).lstrip(b"\n")
        line, found, rest = data.partition(b"\r\n")
        if not found:
            if len(data) > _LINE_MAX:
                raise PayloadError("the announcement of the snapshot does not end")
            self._undecided = data
            return b""
        self._undecided = b""
        self.is_announced = True
        if line.startswith(_EOF_ANNOUNCEMENT) and len(line) == len(_EOF_ANNOUNCEMENT) + _MARK_BYTES:
            self._mark = line[len(_EOF_ANNOUNCEMENT) :]
        elif line[:1] == b"$" and line[1:].isdigit():
            self.length = int(line[1:])
        elif line[:1] == b"-":
            raise PayloadError(f"MASTER aborted replication with an error: {line[1:].decode(errors='replace')}")
        else:
            text = line[:100].decode(errors="replace")
            raise PayloadError(f"Bad protocol from MASTER, the first byte is not '$' (we received '{text}')")
        return rest

    def _until_length(self, data: bytes) -> bytes:
        missing = self.length - self.received
        if len(data) < missing:
            return data
        self.is_complete = True
        self.rest = data[missing:]
        return data[:missing]

    def _until_mark(self, data: bytes) -> bytes:
        # The mark may be split over two reads: the last bytes wait until more are there. Nothing follows the mark until
        # we acknowledge, so it is always the end of what has come.
        data = self._undecided + data
        if data.endswith(self._mark):
            self._undecided = b""
            self.is_complete = True
            return data[:-_MARK_BYTES]
        self._undecided = data[-_MARK_BYTES:]
        return data[:-_MARK_BYTES]
