"""Replies as they stand on the wire: every one keeps its type, so RESP2 and RESP3 forms are told apart."""

from typing import Final, NamedTuple

_AGGREGATES: Final = b"*%~>"
_BLOBS: Final = b"$=!"


class Reply(NamedTuple):
    """`kind` is the first byte; `value` the bytes of a line or a blob, a list of replies, or None for a null."""

    kind: bytes
    value: "bytes | list[Reply] | None"

    def items(self) -> "list[Reply]":
        """Return the elements of an array, of a map flattened, of a set; none for anything else."""
        return self.value if isinstance(self.value, list) else []

    def words(self) -> list[bytes]:
        """Return the elements that are strings."""
        return [item.value for item in self.items() if isinstance(item.value, bytes)]

    def integer(self) -> int | None:
        """Return the number of an integer reply, or None."""
        return int(self.value) if self.kind == b":" and isinstance(self.value, bytes) else None


def without_client_ids(reply: Reply) -> Reply:
    """Return a reply in which the number behind every word "id" is 0: HELLO tells the ids of clients."""
    items = reply.items()
    if not items:
        return reply
    shown = [without_client_ids(item) for item in items]
    for place, item in enumerate(items[:-1]):
        if item.value == b"id" and items[place + 1].kind == b":":
            shown[place + 1] = Reply(b":", b"0")
    return Reply(reply.kind, shown)


class ReplyReader:
    """Bytes in, whole replies out."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def replies(self) -> list[Reply]:
        """Return all replies that are there whole."""
        found: list[Reply] = []
        position = 0
        while (parsed := _parse(self._buffer, position)) is not None:
            reply, position = parsed
            found.append(reply)
        self._buffer = self._buffer[position:]
        return found


def _parse(data: bytes, position: int) -> tuple[Reply, int] | None:
    end = data.find(b"\r\n", position)
    if end < 0:
        return None
    kind = data[position : position + 1]
    line = data[position + 1 : end]
    position = end + 2
    if kind in _AGGREGATES:
        return _parse_items(data, position, kind, int(line))
    if kind not in _BLOBS:
        return Reply(kind, line), position
    if int(line) < 0:
        return Reply(kind, None), position
    end = position + int(line)
    return None if len(data) < end + 2 else (Reply(kind, data[position:end]), end + 2)


def _parse_items(data: bytes, position: int, kind: bytes, length: int) -> tuple[Reply, int] | None:
    if length < 0:
        return Reply(kind, None), position
    items: list[Reply] = []
    for _ in range(length * 2 if kind == b"%" else length):
        parsed = _parse(data, position)
        if parsed is None:
            return None
        item, position = parsed
        items.append(item)
    return Reply(kind, items), position
