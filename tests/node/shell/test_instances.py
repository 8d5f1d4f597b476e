"""Exchanges with other instances over real sockets: kept connections, second attempts, timeouts."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.processes import HOST, free_port
from trivet_node.host import ANSWERED, NOT_CONNECTED, NOT_READ, NOT_WRITTEN
from trivet_node.shell.instances import OtherInstances

TIMEOUT_MS = 2000


class Listener:
    """Serves one connection after the other, each by the next one of `behaviours`."""

    def __init__(self, *behaviours: Callable[[socket.socket], None]) -> None:
        self.accepted = 0
        self._socket = socket.create_server((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self._behaviours = behaviours
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        for behave in self._behaviours:
            connection, _ = self._socket.accept()
            self.accepted += 1
            with connection:
                behave(connection)

    def stop(self) -> None:
        self._thread.join()
        self._socket.close()


@pytest.fixture
def instances() -> Iterator[OtherInstances]:
    made = OtherInstances()
    yield made
    made.close_all()


def answer_once(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"+OK\r\n-E")
    connection.sendall(b"RR no\r\n")


def hang_up(connection: socket.socket) -> None:
    connection.recv(1000)


def answer_half(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"+OK\r\n")


def answer_twice(connection: socket.socket) -> None:
    answer_once(connection)
    answer_once(connection)


def test_connections_are_kept(instances: OtherInstances) -> None:
    listener = Listener(answer_twice, answer_once)
    for _ in range(3):
        # The third one finds that the other side has closed the connection kept.
        result = instances.exchange(HOST, listener.port, b"PING\r\n", 2, TIMEOUT_MS)
        assert (result.outcome, result.lines) == (ANSWERED, [b"+OK", b"-ERR no"])
    assert listener.accepted == 2
    listener.stop()


def test_one_more_attempt(instances: OtherInstances) -> None:
    listener = Listener(hang_up, hang_up)
    assert instances.exchange(HOST, listener.port, b"PING\r\n", 1, TIMEOUT_MS).outcome == NOT_READ
    assert listener.accepted == 2
    listener.stop()


def test_no_more_attempt_once_something_was_answered(instances: OtherInstances) -> None:
    listener = Listener(answer_half)
    result = instances.exchange(HOST, listener.port, b"PING\r\n", 2, TIMEOUT_MS)
    assert (result.outcome, result.lines) == (NOT_READ, [b"+OK"])
    listener.stop()


def test_silence(instances: OtherInstances) -> None:
    # Nobody accepts, but the kernel connects.
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1]
        assert instances.exchange(HOST, port, b"PING\r\n", 1, 50).outcome == NOT_READ


def test_nobody_there(instances: OtherInstances) -> None:
    assert instances.exchange(HOST, free_port(), b"PING\r\n", 1, TIMEOUT_MS).outcome == NOT_WRITTEN
    for name in ("no.such.host.invalid", "\xff" * 70, ""):
        assert instances.exchange(name, 1, b"PING\r\n", 1, TIMEOUT_MS).outcome in (NOT_CONNECTED, NOT_WRITTEN)
