"""Byte streams for tests of the request parser: what it makes of them, and what a real server answers to them."""

import random
import socket
from collections.abc import Iterator
from typing import Final

from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer
from trivet_wire.requests import PROTO_MAX_BULK_LEN, ProtocolError, RequestParser

# Commands are PING and ECHO, or unknown ones, which the server quotes: its replies show how it split the stream.
ARRAYS: Final = [
    b"*1\r\n$4\r\nPING\r\n",
    b"*2\r\n$4\r\nECHO\r\n$5\r\nsalve\r\n",
    b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
    b"*2\r\n$4\r\nECHO\r\n$6\r\na\r\nb\r\n\r\n",
    b"*2\r\n$4\r\nECHO\r\n$3\r\n\x00\xff\x01\r\n",
    b"*0\r\n*1\r\n$4\r\nPING\r\n",
    b"*-1\r\n*1\r\n$4\r\nPING\r\n",
    b"*-9\r\n*1\r\n$4\r\nPING\r\n",
    b"*2\r\n$4\r\nECHO\r\n$12\r\n" + b"x" * 12 + b"\r\n",
    # The two bytes behind a bulk string are skipped unseen, and so is the byte behind the CR of a length.
    b"*2\r\n$4\r\nECHOxx$2\r\nokyy",
    b"*1\rx$4\rxPING\r\n",
    b"\r\n\r\n*1\r\n$4\r\nPING\r\n",
]
INLINES: Final = [
    b"PING\r\n",
    b"PING\n",
    b"  PING  \r\n",
    b"\tPING\t\r\n",
    b"ECHO salve\r\n",
    b'ECHO "salve world"\r\n',
    b"ECHO 'salve world'\r\n",
    b'ECHO "a\\x41\\n\\r\\t\\b\\a\\\\\\"\\q"\r\n',
    b'ECHO "\\x4"\r\n',
    b'ECHO "\\xzz"\r\n',
    b"ECHO 'it\\'s'\r\n",
    b"ECHO 'a\\nb'\r\n",
    b'ECHO ""\r\n',
    b"ECHO ''\r\n",
    b'ECHO a"b"\r\n',
    b"ECHO a'b'\r\n",
    b"ECHO \xff\xfe\r\n",
    b"ECHO a\x00b c\r\n",
    b"ECHO a\vb\r\n",
    b"ECHO\va\r\n",
    b"ECHO\fa\r\n",
    b"\vECHO a\r\n",
    b'ECHO "a"\vb\r\n',
    b"ECHO a\rb\r\n",
    b"ECHO a\r\r\n",
    b'"ECHO" "a"\r\n',
    b"ECHO $5\r\n",
    b"ECHO a  b\r\nPING\r\n",
    b"\r\nPING\r\n",
    b"   \r\nPING\r\n",
    b"\x00PING\r\nPING\r\n",
    b"ECHO \\x41\r\n",
]
BROKEN: Final = [
    b'ECHO "abc\\\r\nPING\r\n',
    b"*a\r\n",
    b"*\r\n",
    b"*1a\r\n",
    b"*+1\r\n",
    b"* 1\r\n",
    b"*01\r\n",
    b"*-01\r\n",
    b"*-0\r\n",
    b"*--1\r\n",
    b"*-\r\n",
    b"*2147483648\r\n",
    b"*9223372036854775807\r\n",
    b"*9223372036854775808\r\n",
    b"*99999999999999999999999999\r\n",
    b"*-9223372036854775808\r\n*1\r\n$4\r\nPING\r\n",
    b"*-9223372036854775809\r\n",
    b"*-99999999999999999999999\r\n",
    b"*1\r\n:1\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n\r\n\r\n",
    b"*1\r\n\x00\r\n",
    b"*1\r\n\xff\r\n",
    b"*1\r\n*1\r\n",
    b"*1\r\n$a\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$01\r\n",
    b"*1\r\n$ 1\r\n",
    b"*1\r\n$+1\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$99999999999999999999\r\n",
    b"*2\r\n$4\r\nPING\r\n$b\r\n",
    b'ECHO "a\r\n',
    b"ECHO 'a\r\n",
    b'ECHO "a"b\r\n',
    b"ECHO 'a'b\r\n",
    b'ECHO "a\\"\r\n',
    b"ECHO 'a\\'\r\n",
    b'"\r\n',
    b'ECHO a"b\r\n',
    b'ECHO "a\x00"\r\n',
    b"*1\r\n$4\r\nPING\r\n*x\r\n",
    b"PING\r\n*1\r\n$4\r\nPING\r\n$4\r\nPING\r\n'\r\n",
    b"P" * (64 * 1024 + 1),
    b"*" + b"1" * (64 * 1024 + 1),
    b"*1\r\n$" + b"1" * (64 * 1024 + 1),
    b"*1\r\n" + b"x" * (64 * 1024 + 1),
]


# Pieces that random streams are made of: whole requests, and the parts where parsers go wrong.
PIECES: Final = [
    *ARRAYS,
    *INLINES,
    *(case for case in BROKEN if len(case) < 100),
    *(b"*", b"$", b"\r", b"\n", b"\r\n", b"0", b"-", b" ", b'"', b"'", b"\\", b"\0", b"*3\r\n", b"$4\r\n", b"PING"),
]


def answer_of_server(address: tuple[str, int], stream: bytes) -> bytes:
    """Return all that a real server answers to `stream` before it, or we, end the connection."""
    with socket.create_connection(address, 5) as connection:
        connection.sendall(stream)
        connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        while data := connection.recv(65536):
            received += data
    return bytes(received)


def expected_answer(requests: list[list[bytes] | str]) -> bytes:
    """Return what a server that knows PING and ECHO answers to the results of parse()."""
    reply = ReplyBuffer()
    for request in requests:
        if isinstance(request, str):
            reply.error(errors.protocol(request))
        elif request[0].upper() == b"PING" and len(request) <= 2:
            reply.simple(b"PONG") if len(request) == 1 else reply.bulk(request[1])
        elif request[0].upper() == b"ECHO" and len(request) == 2:
            reply.bulk(request[1])
        elif request[0].upper() in (b"PING", b"ECHO"):
            reply.error(errors.wrong_arity(request[0].decode().lower()))
        else:
            reply.error(_unknown_command(request))
    return reply.take()


def _unknown_command(request: list[bytes]) -> bytes:
    arguments = b""
    for argument in request[1:]:
        if len(arguments) >= 128:
            break
        arguments += b"'%s' " % _as_text(argument)[: 128 - len(arguments)]
    return b"ERR unknown command '%s', with args beginning with: %s" % (_as_text(request[0])[:128], arguments)


def _as_text(argument: bytes) -> bytes:
    """Return what C takes for the text: all before the first NUL."""
    return argument.partition(b"\0")[0]


def parse(
    stream: bytes, sizes: Iterator[int] | None = None, authenticated: bool = True, bulk_max: int = PROTO_MAX_BULK_LEN
) -> list[list[bytes] | str]:
    """Return the requests that the parser makes of `stream`, fed in pieces; a ProtocolError last, as its text."""
    parser = RequestParser(authenticated, bulk_max)
    requests: list[list[bytes] | str] = []
    position = 0
    while position < len(stream):
        size = next(sizes) if sizes is not None else len(stream)
        parser.feed(stream[position : position + size])
        position += size
        try:
            while (request := parser.next()) is not None:
                requests.append(request)
        except ProtocolError as error:
            return [*requests, str(error)]
    return requests


def random_stream(choice: random.Random) -> bytes:
    """Return a stream that is sound at first and then perhaps not."""
    pieces = [choice.choice(ARRAYS + INLINES) for _ in range(choice.randint(0, 3))]
    pieces += [choice.choice(PIECES) for _ in range(choice.randint(0, 4))]
    stream = bytearray(b"".join(pieces))
    for _ in range(choice.choice((0, 0, 1, 2))):
        if stream:
            stream[choice.randrange(len(stream))] = choice.choice(b"*$\r\n\0 '\"\\-0159aPx\xff")
    return bytes(stream)


def random_sizes(choice: random.Random) -> Iterator[int]:
    """Yield sizes of pieces, mostly small."""
    while True:
        yield choice.choice((1, 1, 2, 3, 5, 8, 13, 100, 1000))
