"""Reply encoders against real redis-server, byte for byte, and against hiredis."""

import random
import socket
from collections.abc import Callable, Iterator

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import require_redis_server
from tests.processes import ServerProcess, start_redis_server
from trivet_wire.connection import encode_request
from trivet_wire.replies import RESP2, RESP3, ReplyBuffer, encode_command, format_double
from trivet_wire.requests import RequestParser


def write_numbers(reply: ReplyBuffer, open_collection: Callable[[int], None]) -> None:
    open_collection(3)
    for number in range(3):
        reply.integer(number)


def write_map(reply: ReplyBuffer) -> None:
    reply.map(3)
    for number in range(3):
        reply.integer(number)
        reply.boolean(number == 1)


# What DEBUG PROTOCOL answers, encoded by us (Redis 7.0, debug.c).
SHAPES: dict[str, Callable[[ReplyBuffer], None]] = {
    "string": lambda reply: reply.bulk(b"Hello World"),
    "integer": lambda reply: reply.integer(12345),
    "double": lambda reply: reply.double(3.141),
    "null": lambda reply: reply.null(),
    "array": lambda reply: write_numbers(reply, reply.array),
    "set": lambda reply: write_numbers(reply, reply.set),
    "map": write_map,
    "verbatim": lambda reply: reply.verbatim(b"This is a verbatim\nstring", b"txt"),
    "true": lambda reply: reply.boolean(True),
    "false": lambda reply: reply.boolean(False),
}


def buffer(protocol: int) -> ReplyBuffer:
    reply = ReplyBuffer()
    reply.protocol = protocol
    return reply


def encoded(protocol: int, write: Callable[[ReplyBuffer], None]) -> bytes:
    reply = buffer(protocol)
    write(reply)
    return reply.take()


def parsed(data: bytes) -> object:
    reader = hiredis.Reader()
    reader.feed(data)
    return reader.gets()


@pytest.fixture(scope="module")
def debug_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that answers DEBUG PROTOCOL."""
    require_redis_server()
    with start_redis_server(tmp_path_factory.mktemp("debug"), "--enable-debug-command", "yes") as server:
        yield server


def bytes_answered(server: ServerProcess, protocol: int, *requests: tuple[str | bytes | float, ...]) -> bytes:
    """Return the bytes that answer `requests` on a connection that speaks `protocol`."""
    with socket.create_connection(server.address, 5) as connection:
        connection.sendall(encode_request(["HELLO", protocol]) + encode_request(["PING"]))
        received = b""
        while not received.endswith(b"+PONG\r\n"):
            received += connection.recv(65536)
        connection.sendall(b"".join(encode_request(request) for request in requests))
        connection.shutdown(socket.SHUT_WR)
        answer = bytearray()
        while data := connection.recv(65536):
            answer += data
    return bytes(answer)


@pytest.mark.parametrize("protocol", [RESP2, RESP3])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_shapes_are_the_servers(shape: str, protocol: int, debug_server: ServerProcess) -> None:
    assert encoded(protocol, SHAPES[shape]) == bytes_answered(debug_server, protocol, ("DEBUG", "PROTOCOL", shape))


@pytest.mark.parametrize("protocol", [RESP2, RESP3])
def test_doubles_are_the_servers(protocol: int, redis_server: ServerProcess) -> None:
    choice = random.Random(64)
    doubles = [0.0, 1.0, -1.5, 0.1, 1e21, 1e-7, 123456789.123, float("inf"), float("-inf"), 5e-324, 2.0**63]
    doubles += [choice.uniform(-1, 1) * 10.0 ** choice.randint(-300, 300) for _ in range(500)]
    doubles += [float(choice.randint(-(2**53), 2**53)) for _ in range(100)]
    requests: list[tuple[str | bytes | float, ...]] = [("DEL", "doubles")]
    for number, value in enumerate(doubles):
        requests.append(("ZADD", "doubles", value, str(number)))
        requests.append(("ZSCORE", "doubles", str(number)))
    requests.append(("DEL", "doubles"))
    reply = buffer(protocol)
    reply.integer(0)
    for value in doubles:
        reply.integer(1)
        reply.double(value)
    reply.integer(1)
    assert reply.take() == bytes_answered(redis_server, protocol, *requests)


def test_nan_is_lower_case() -> None:
    assert format_double(float("nan")) == b"nan"


@pytest.mark.parametrize("protocol", [RESP2, RESP3])
def test_nulls_of_commands_are_the_servers(protocol: int, redis_server: ServerProcess) -> None:
    request = ("GET", "no such key")
    assert encoded(protocol, ReplyBuffer.null) == bytes_answered(redis_server, protocol, request)
    request_of_many = ("LPOP", "no such key", 2)
    assert encoded(protocol, ReplyBuffer.null_array) == bytes_answered(redis_server, protocol, request_of_many)


def test_an_error_keeps_to_its_line() -> None:
    assert encoded(RESP2, lambda reply: reply.error(b"ERR a\r\nb\nc")) == b"-ERR a  b c\r\n"


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers(value: int) -> None:
    assert parsed(encoded(RESP2, lambda reply: reply.integer(value))) == value


@given(st.binary(max_size=300))
def test_bulk_strings(value: bytes) -> None:
    assert encoded(RESP2, lambda reply: reply.bulk(value)) == b"$%d\r\n%s\r\n" % (len(value), value)


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 65536])
def test_lengths_of_any_number_of_digits(length: int) -> None:
    assert encoded(RESP2, lambda reply: reply.bulk(b"x" * length)) == b"$%d\r\n%s\r\n" % (length, b"x" * length)
    assert encoded(RESP2, lambda reply: reply.array(length)) == b"*%d\r\n" % length
    assert encoded(RESP2, lambda reply: reply.map(length)) == b"*%d\r\n" % (2 * length)
    assert encoded(RESP3, lambda reply: reply.map(length)) == b"%%%d\r\n" % length
    assert encoded(RESP3, lambda reply: reply.set(length)) == b"~%d\r\n" % length
    assert encoded(RESP3, lambda reply: reply.push(length)) == b">%d\r\n" % length


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_arrays_of_bulk_strings(values: list[bytes]) -> None:
    assert parsed(encoded(RESP2, lambda reply: reply.bulk_array(values))) == values


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=20))
def test_requests(arguments: list[bytes]) -> None:
    parser = RequestParser()
    parser.feed(encode_command(arguments))
    assert parser.next() == arguments


def test_taking_empties_the_buffer() -> None:
    reply = buffer(RESP2)
    reply.ok()
    assert len(reply) == 5
    assert reply.take() == b"+OK\r\n"
    assert len(reply) == 0
    assert reply.take() == b""


def test_truncating_takes_back_what_was_appended_last() -> None:
    reply = buffer(RESP2)
    reply.ok()
    size = len(reply)
    reply.array(2)
    reply.bulk(b"x")
    reply.truncate(size)
    reply.integer(7)
    assert reply.take() == b"+OK\r\n:7\r\n"


def test_raw_bytes_go_between_encoded_ones() -> None:
    reply = buffer(RESP2)
    reply.simple(b"PONG")
    reply.raw(b"*0\r\n")
    reply.bulk_text("ü")
    assert reply.take() == b"+PONG\r\n*0\r\n$2\r\n\xc3\xbc\r\n"


def test_large_values_are_not_copied() -> None:
    large = b"x" * 100_000
    reply = ReplyBuffer()
    reply.bulk(b"small")
    reply.bulk(large)
    reply.raw(large)
    reply.ok()
    assert reply.is_large()
    expected = b"$5\r\nsmall\r\n$100000\r\n" + large + b"\r\n" + large + b"+OK\r\n"
    assert len(reply) == len(expected)
    parts = reply.take_parts()
    assert b"".join(parts) == expected
    assert [part is large for part in parts].count(True) == 2
    assert (len(reply), reply.is_large(), reply.take()) == (0, False, b"")


def test_large_values_can_be_cut_off_again() -> None:
    large = b"x" * 100_000
    for kept in (0, 3, 4, 50, 100_004, 100_013, 100_015):
        reply = ReplyBuffer()
        reply.raw(b"+OK\r")
        reply.raw(b"\n")
        reply.bulk(large)
        whole = b"+OK\r\n$100000\r\n" + large + b"\r\n"
        reply.truncate(kept)
        assert len(reply) == kept
        reply.ok()
        assert reply.take() == whole[:kept] + b"+OK\r\n"
