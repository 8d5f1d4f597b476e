"""What a server answers to lines of inline commands."""

import socket
from typing import Final

from tests.differential.replies import Reply, ReplyReader
from tests.processes import ServerProcess

TIMEOUT_S: Final = 20.0
# What a PING is answered with that is sent behind everything else.
MARK: Final = b"the-last-one"


def converse(server: ServerProcess, lines: list[str], resp3: bool = False) -> list[Reply]:
    """Send inline commands over one new connection and return all that comes back, until it closes or falls silent."""
    reader = ReplyReader()
    found: list[Reply] = []
    with socket.create_connection(server.address, TIMEOUT_S) as connection:
        connection.settimeout(TIMEOUT_S)
        first = ["HELLO 3"] if resp3 else []
        connection.sendall("".join(f"{line}\r\n" for line in first + lines).encode() + b"PING " + MARK + b"\r\n")
        while not (found and is_mark(found[-1])):
            try:
                data = connection.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            if not data:
                return [*found, Reply(b"", b"closed")]
            reader.feed(data)
            found += reader.replies()
    return found[len(first) :]


def is_mark(reply: Reply) -> bool:
    """Say whether a reply answers that PING, of a subscriber's or of anybody's."""
    return reply.value == MARK or reply.words()[1:] == [MARK]
