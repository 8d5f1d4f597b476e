"""The client side of a connection: replies of any fragmentation, errors as values, ends as exceptions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import hiredis
import pytest
import trio
import trio.testing

from tests.processes import HOST, ServerProcess, free_port
from trivet_wire.connection import Connection, ConnectionClosed, ErrorReply, connect, encode_argument, encode_request


def connected_pair() -> tuple[Connection, trio.abc.Stream]:
    """Return a connection and the stream of its peer, both in memory."""
    ours, theirs = trio.testing.memory_stream_pair()
    return Connection(ours), theirs


@asynccontextmanager
async def open_to(server: ServerProcess) -> AsyncIterator[Connection]:
    connection = await connect(*server.address, 5)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("argument", "encoded"),
    [(b"\xff\x00", b"\xff\x00"), ("ü", b"\xc3\xbc"), (-7, b"-7"), (2**63, b"9223372036854775808"), (0.1, b"0.1")],
)
def test_arguments_are_encoded(argument: bytes | str | int | float, encoded: bytes) -> None:
    assert encode_argument(argument) == encoded
    assert encode_request([argument]) == b"*1\r\n$%d\r\n%s\r\n" % (len(encoded), encoded)


@pytest.mark.parametrize("argument", [None, True, [1], bytearray(b"x"), {"a": 1}])
def test_other_arguments_are_refused(argument: object) -> None:
    with pytest.raises(TypeError):
        encode_argument(argument)  # type: ignore[arg-type]


async def test_replies_may_come_in_any_pieces() -> None:
    connection, peer = connected_pair()
    stream = b"+OK\r\n:7\r\n$5\r\nhello\r\n*2\r\n$1\r\na\r\n$-1\r\n%1\r\n$1\r\nk\r\n,1.5\r\n_\r\n#t\r\n"

    async def trickle() -> None:
        for byte in stream:
            await peer.send_all(bytes([byte]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trickle)
        replies = [await connection.receive() for _ in range(7)]
    assert replies == [b"OK", 7, b"hello", [b"a", None], {b"k": 1.5}, None, True]


async def test_errors_are_values_also_inside_of_arrays() -> None:
    connection, peer = connected_pair()
    await peer.send_all(b"-MOVED 1 a:2\r\n*1\r\n-ERR inner\r\n")
    error = await connection.receive()
    assert isinstance(error, ErrorReply)
    assert (error.code, str(error)) == ("MOVED", "MOVED 1 a:2")
    (inner,) = await connection.receive()
    assert isinstance(inner, ErrorReply)


async def test_pushes_are_told_from_replies() -> None:
    connection, peer = connected_pair()
    await peer.send_all(b">2\r\n$7\r\nmessage\r\n$1\r\nx\r\n*1\r\n:1\r\n")
    assert isinstance(await connection.receive(), hiredis.PushNotification)
    assert not isinstance(await connection.receive(), hiredis.PushNotification)


async def test_the_end_of_the_stream_is_an_error() -> None:
    connection, peer = connected_pair()
    await peer.send_all(b"$5\r\nhel")
    await peer.aclose()
    with pytest.raises(ConnectionClosed):
        await connection.receive()


async def test_bytes_that_are_not_resp_are_an_error() -> None:
    connection, peer = connected_pair()
    await peer.send_all(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(ConnectionClosed):
        await connection.receive()


async def test_receiving_can_be_given_up_and_taken_up_again() -> None:
    connection, peer = connected_pair()
    await peer.send_all(b"$5\r\nhel")
    with trio.move_on_after(0.01) as scope:
        await connection.receive()
    assert scope.cancelled_caught
    await peer.send_all(b"lo\r\n")
    assert await connection.receive() == b"hello"


async def test_calls_to_a_real_server(redis_server: ServerProcess) -> None:
    async with open_to(redis_server) as connection:
        assert await connection.call("PING") == b"PONG"
        assert await connection.call("ECHO", b"x" * 1_000_000) == b"x" * 1_000_000
        assert isinstance(await connection.call("NOSUCH"), ErrorReply)


async def test_an_idle_connection_is_quiet_until_its_server_closes_it(own_redis_server: ServerProcess) -> None:
    async with open_to(own_redis_server) as connection:
        assert await connection.call("PING") == b"PONG"
        assert connection.is_quiet()
        own_redis_server.kill()
        with trio.fail_after(5):
            while connection.is_quiet():  # noqa: ASYNC110 (what is asked about happens in the kernel)
                await trio.sleep(0.01)


async def test_closing_twice_is_once(redis_server: ServerProcess) -> None:
    connection = await connect(*redis_server.address, 5)
    connection.close_now()
    assert not connection.is_quiet()
    await connection.close()


async def test_nobody_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="connect"):
        await connect(HOST, free_port(), 5)


async def test_connecting_takes_no_longer_than_its_timeout() -> None:
    """A listener whose queue is full does not answer."""
    listener = trio.socket.socket()
    await listener.bind((HOST, 0))
    listener.listen(0)
    _, port = listener.getsockname()
    connections = []
    with listener, pytest.raises(trio.TooSlowError):
        for _ in range(5):
            connections.append(await connect(HOST, port, 0.2))
    for connection in connections:
        await connection.close()
