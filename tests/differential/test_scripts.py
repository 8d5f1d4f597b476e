"""Scripts beside redis-server 7.0: what they reply, refuse, and write."""

import socket
from collections.abc import Iterator
from typing import Final, Protocol

import pytest

from tests.differential import script_cases
from tests.differential.replies import Reply, ReplyReader
from tests.node.engines import Node
from tests.processes import ServerProcess, start_redis_server
from trivet_wire.connection import encode_request

_TIMEOUT_S: Final = 20.0
Words = tuple[bytes | str | int, ...]


class Side(Protocol):
    """One of the two that are compared."""

    def ask(self, *words: bytes | str | int) -> Reply:
        """Send a request and return its reply."""


class Ours:
    """An engine in this process."""

    def __init__(self) -> None:
        self.node = Node()

    def ask(self, *words: bytes | str | int) -> Reply:
        return one_reply(self.node.send(self.node.first, encode_request(words)))


class Real:
    """A connection to redis-server."""

    def __init__(self, server: ServerProcess) -> None:
        self._connection = socket.create_connection(server.address, _TIMEOUT_S)

    def ask(self, *words: bytes | str | int) -> Reply:
        self._connection.sendall(encode_request(words))
        reader = ReplyReader()
        while True:
            data = self._connection.recv(1 << 20)
            assert data, f"redis-server has closed the connection after {words}"
            reader.feed(data)
            if replies := reader.replies():
                return replies[0]

    def close(self) -> None:
        self._connection.close()


def one_reply(data: bytes) -> Reply:
    reader = ReplyReader()
    reader.feed(data)
    (reply,) = reader.replies()
    return reply


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A redis-server whose states of Lua nobody else changes."""
    with start_redis_server(tmp_path_factory.mktemp("scripts")) as real:
        yield real


@pytest.fixture
def sides(server: ServerProcess) -> Iterator[tuple[Ours, Real]]:
    ours, real = Ours(), Real(server)
    for line in (*script_cases.SETUP, "FUNCTION FLUSH"):
        for side in (ours, real):
            side.ask(*line.split())
    yield ours, real
    real.close()


def assert_same(sides: tuple[Side, Side], requests: list[Words]) -> None:
    ours, real = sides
    for request in requests:
        assert ours.ask(*request) == real.ask(*request), request


@pytest.mark.parametrize("name", ["ERRORS", "VALUES", "SANDBOX", "JSON", "MESSAGE_PACK", "STRUCT", "BIT"])
def test_scripts(sides: tuple[Ours, Real], name: str) -> None:
    lines = getattr(script_cases, name).strip("\n").split("\n")
    assert_same(sides, [("EVAL", line, 0) for line in lines])


@pytest.mark.parametrize("protocol", [2, 3])
def test_values_in_both_protocols(sides: tuple[Ours, Real], protocol: int) -> None:
    for side in sides:
        side.ask("HELLO", protocol)
    lines = script_cases.VALUES.strip("\n").split("\n")
    assert_same(sides, [("EVAL", line, 0) for line in lines])


def test_requests(sides: tuple[Ours, Real]) -> None:
    assert_same(sides, script_cases.REQUESTS)


def test_function_requests(sides: tuple[Ours, Real]) -> None:
    assert_same(sides, script_cases.FUNCTION_REQUESTS)


def test_code_of_libraries(sides: tuple[Ours, Real]) -> None:
    for line in script_cases.LIBRARIES.strip("\n").split("\n"):
        code = f"#!lua name=l\n{line}"
        assert_same(sides, [("FUNCTION", "LOAD", code), ("FUNCTION", "LIST"), ("FCALL", "x", 0), ("FUNCTION", "FLUSH")])


def test_payloads_of_libraries_are_exchangeable(sides: tuple[Ours, Real]) -> None:
    ours, real = sides
    one = "#!lua name=one\nredis.register_function{function_name='f', callback=function() return 1 end}"
    two = "#!lua name=two\nredis.register_function('g', function() return 2 end)"
    assert_same(sides, [("FUNCTION", "LOAD", one), ("FUNCTION", "DUMP")])
    payload = real.ask("FUNCTION", "DUMP").value
    assert isinstance(payload, bytes)
    clash = two.replace("'g'", "'f'")
    damaged = payload[:-1] + bytes([payload[-1] ^ 1])
    no_library = real_payload(real)
    assert_same(
        sides,
        [
            ("FUNCTION", "RESTORE", payload),
            ("FUNCTION", "RESTORE", payload, "APPEND"),
            ("FUNCTION", "RESTORE", payload, "replace"),
            ("FUNCTION", "RESTORE", damaged, "flush"),
            ("FUNCTION", "RESTORE", no_library, "flush"),
            ("FCALL", "f", 0),
            ("FUNCTION", "FLUSH"),
            ("FUNCTION", "LOAD", clash),
            ("FUNCTION", "RESTORE", payload, "replace"),
            ("FUNCTION", "RESTORE", payload, "flush"),
            ("FUNCTION", "LIST", "WITHCODE"),
            ("FUNCTION", "LOAD", two),
            ("FCALL", "g", 0),
        ],
    )
    ours.ask("FUNCTION", "FLUSH")
    payload_of_both = real.ask("FUNCTION", "DUMP").value
    assert isinstance(payload_of_both, bytes)
    assert ours.ask("FUNCTION", "RESTORE", payload_of_both).value == b"OK"
    assert ours.ask("FCALL", "g", 0) == real.ask("FCALL", "g", 0)


def real_payload(real: Real) -> bytes:
    """Return the payload of a string."""
    payload = real.ask("DUMP", "s").value
    assert isinstance(payload, bytes)
    return payload
