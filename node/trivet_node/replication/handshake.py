"""What a replica says before the stream begins, one request at a time, each after the answer to the one before.

    PING, AUTH, REPLCONF listening-port, REPLCONF ip-address, REPLCONF capa, PSYNC

A primary that does not know REPLCONF answers an error, which does no harm. (Redis: replication.c syncWithMaster.)
"""

from typing import Final, final

from trivet_wire.replies import encode_command

ASKS: Final = 0
FULL: Final = 1
CONTINUES: Final = 2

_PSYNC_ANSWER_WORDS: Final = 3


class HandshakeError(Exception):
    """The primary will not serve us, now or at all. The message is for the log."""


@final
class Introduction:
    """What a replica tells its primary. `password` is empty where none is needed, `user` for the default one."""

    def __init__(self, user: str, password: str, listening_port: int, announced_host: str) -> None:
        self.user: str = user
        self.password: str = password
        self.listening_port: int = listening_port
        self.announced_host: str = announced_host


@final
class Handshake:
    """The replica's side. `replication_id` is b"?" where there is no data set to continue with.

    With `takes_over` the other node, a replica so far, is told to be the primary from now on.
    `outcome` is ASKS until PSYNC is answered; then it is FULL or CONTINUES, and `replication_id` is the primary's, and
    in the case of FULL `offset` as well.
    """

    def __init__(
        self, introduction: Introduction, replication_id: bytes, next_offset: int, takes_over: bool = False
    ) -> None:
        self.outcome: int = ASKS
        self.replication_id: bytes = replication_id
        self.offset: int = next_offset
        self._requests: list[list[bytes]] = _requests(introduction, replication_id, next_offset, takes_over)
        self._asked: bytes = b""

    def next_request(self) -> bytes:
        """Return the next request, encoded; nothing is left to say where it is empty."""
        if not self._requests:
            return b""
        request = self._requests.pop(0)
        self._asked = request[0] if request[0] != b"REPLCONF" else request[1]
        return encode_command(request)

    def asks_for_stream(self) -> bool:
        """Say whether the last request was PSYNC."""
        return self._asked == b"PSYNC"

    def answered(self, line: bytes) -> None:
        """Take the answer to the last request: one line, without its CRLF. Raises HandshakeError."""
        text = line.decode(errors="replace")
        if self._asked == b"PSYNC":
            self._psync_answered(line, text)
        elif line.startswith(b"-") and self._asked == b"PING":
            if not line.startswith((b"-NOAUTH", b"-NOPERM", b"-ERR operation not permitted")):
                raise HandshakeError(f"Error reply to PING from master: '{text}'")
        elif line.startswith(b"-") and self._asked == b"AUTH":
            raise HandshakeError(f"Unable to AUTH to MASTER: {text}")

    def _psync_answered(self, line: bytes, text: str) -> None:
        words = line.split(b" ")
        if words[0] == b"+FULLRESYNC" and len(words) == _PSYNC_ANSWER_WORDS and words[2].isdigit():
            self.outcome = FULL
            self.replication_id = words[1]
            self.offset = int(words[2])
        elif words[0] == b"+CONTINUE":
            self.outcome = CONTINUES
            if len(words) > 1:
                self.replication_id = words[1]
        elif line.startswith((b"-NOMASTERLINK", b"-LOADING")):
            raise HandshakeError(f"Master is currently unable to PSYNC but should be in the future: {text}")
        else:
            raise HandshakeError(f"Unexpected reply to PSYNC from master: {text}")


def _requests(
    introduction: Introduction, replication_id: bytes, next_offset: int, takes_over: bool
) -> list[list[bytes]]:
    requests = [[b"PING"]]
    if introduction.password:
        password = introduction.password.encode(errors="surrogateescape")
        user = [introduction.user.encode(errors="surrogateescape")] if introduction.user else []
        requests.append([b"AUTH", *user, password])
    requests.append([b"REPLCONF", b"listening-port", b"%d" % introduction.listening_port])
    if introduction.announced_host:
        requests.append([b"REPLCONF", b"ip-address", introduction.announced_host.encode()])
    requests.append([b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"])
    requests.append([b"PSYNC", replication_id, b"%d" % next_offset, *([b"FAILOVER"] if takes_over else [])])
    return requests
