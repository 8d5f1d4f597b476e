"""Connections to the instances that MIGRATE sends keys to. The whole node waits for their answers, as Redis does.

A connection is kept for a while, because keys are often sent one after the other. The other side may have closed it
since: where that shows before the first answer has come, the exchange is tried once more on a new one.
(Redis: cluster.c migrateGetSocket, migrateCommand.)
"""

import socket
import time
from typing import Final

from trivet_node.host import ANSWERED, NOT_CONNECTED, NOT_READ, NOT_WRITTEN, Exchange

_KEPT_S: Final = 10.0
_KEPT_MAX: Final = 64
_PIECE_BYTES: Final = 64 * 1024
_MS_PER_S: Final = 1000


class OtherInstances:
    """Kept connections by address."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], tuple[socket.socket, float]] = {}

    def __len__(self) -> int:
        """Return how many connections are kept."""
        return len(self._kept)

    def exchange(self, host: str, port: int, requests: bytes, answers: int, timeout_ms: int) -> Exchange:
        """Do what Host.exchange() promises."""
        address = (host, port)
        for _ in range(2):
            kept = self._kept.pop(address, None)
            try:
                connection = kept[0] if kept else socket.create_connection(address, timeout_ms / _MS_PER_S)
            except ConnectionRefusedError:
                # Redis connects without waiting, and notices when it writes.
                return Exchange(NOT_WRITTEN, [])
            except (OSError, OverflowError, UnicodeError):
                return Exchange(NOT_CONNECTED, [])
            connection.settimeout(timeout_ms / _MS_PER_S)
            result, timed_out = _talk(connection, requests, answers)
            if result.outcome == ANSWERED:
                self._keep(address, connection)
                return result
            connection.close()
            if timed_out or result.lines:
                break
        return result

    def close_unused(self) -> None:
        """Close what was not used for a while."""
        used_since = time.monotonic() - _KEPT_S
        for address, (connection, used) in list(self._kept.items()):
            if used < used_since:
                connection.close()
                del self._kept[address]

    def close_all(self) -> None:
        """Close everything that is kept."""
        for connection, _ in self._kept.values():
            connection.close()
        self._kept.clear()

    def _keep(self, address: tuple[str, int], connection: socket.socket) -> None:
        if len(self._kept) >= _KEPT_MAX:
            oldest = next(iter(self._kept))
            self._kept.pop(oldest)[0].close()
        self._kept[address] = (connection, time.monotonic())


def _talk(connection: socket.socket, requests: bytes, answers: int) -> tuple[Exchange, bool]:
    """Return what came of an exchange, and whether it ended because time was up."""
    lines: list[bytes] = []
    outcome = NOT_WRITTEN
    try:
        view = memoryview(requests)
        while view:
            view = view[connection.send(view[:_PIECE_BYTES]) :]
        outcome = NOT_READ
        rest = b""
        while len(lines) < answers:
            data = connection.recv(_PIECE_BYTES)
            if not data:
                return Exchange(outcome, lines), False
            *complete, rest = (rest + data).split(b"\r\n")
            lines += complete
    except TimeoutError:
        return Exchange(outcome, lines), True
    except OSError:
        return Exchange(outcome, lines), False
    return Exchange(ANSWERED, lines), False
