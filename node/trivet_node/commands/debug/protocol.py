"""DEBUG PROTOCOL and DEBUG ERROR: replies of every kind, for the tests of clients. (Redis: debug.c debugCommand.)"""

from collections.abc import Callable
from typing import Final

from trivet_node.client import Client
from trivet_node.command import CommandError
from trivet_node.commands.arguments import option
from trivet_node.server.state import Server
from trivet_wire.replies import RESP2, ReplyBuffer

_BIG_NUMBER: Final = b"1234567999999999999999999999999999999"
_WRONG_TYPE: Final = (
    b"ERR Wrong protocol type name. Please use one of the following: "
    b"string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
)


def protocol(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG PROTOCOL type."""
    answer = _ANSWERS.get(option(arguments[2]))
    if answer is None:
        raise CommandError(_WRONG_TYPE)
    answer(client.reply)


def error(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG ERROR text: an error that no statistics count."""
    client.reply.raw(b"-" + arguments[2].replace(b"\r", b" ").replace(b"\n", b" ") + b"\r\n")


def _string(reply: ReplyBuffer) -> None:
    reply.bulk(b"Hello World")


def _integer(reply: ReplyBuffer) -> None:
    reply.integer(12345)


def _double(reply: ReplyBuffer) -> None:
    reply.double(3.141)


def _big_number(reply: ReplyBuffer) -> None:
    if reply.protocol == RESP2:
        reply.bulk(_BIG_NUMBER)
    else:
        reply.raw(b"(" + _BIG_NUMBER + b"\r\n")


def _null(reply: ReplyBuffer) -> None:
    reply.null()


def _array(reply: ReplyBuffer) -> None:
    reply.array(3)
    _three_integers(reply)


def _set(reply: ReplyBuffer) -> None:
    reply.set(3)
    _three_integers(reply)


def _three_integers(reply: ReplyBuffer) -> None:
    for number in range(3):
        reply.integer(number)


def _map(reply: ReplyBuffer) -> None:
    reply.map(3)
    for number in range(3):
        reply.integer(number)
        reply.boolean(number == 1)


def _attribute(reply: ReplyBuffer) -> None:
    if reply.protocol != RESP2:
        reply.raw(b"|1\r\n")
        reply.bulk(b"key-popularity")
        reply.array(2)
        reply.bulk(b"key:123")
        reply.integer(90)
    # An attribute is no reply: one follows it.
    reply.bulk(b"Some real reply following the attribute")


def _push(reply: ReplyBuffer) -> None:
    if reply.protocol == RESP2:
        raise CommandError(b"ERR RESP2 is not supported by this command")
    reply.push(2)
    reply.bulk(b"server-cpu-usage")
    reply.integer(42)
    # Nor is a push.
    reply.bulk(b"Some real reply following the push reply")


def _verbatim(reply: ReplyBuffer) -> None:
    reply.verbatim(b"This is a verbatim\nstring")


def _true(reply: ReplyBuffer) -> None:
    reply.boolean(True)


def _false(reply: ReplyBuffer) -> None:
    reply.boolean(False)


_ANSWERS: Final[dict[bytes, Callable[[ReplyBuffer], None]]] = {
    b"STRING": _string,
    b"INTEGER": _integer,
    b"DOUBLE": _double,
    b"BIGNUM": _big_number,
    b"NULL": _null,
    b"ARRAY": _array,
    b"SET": _set,
    b"MAP": _map,
    b"ATTRIB": _attribute,
    b"PUSH": _push,
    b"VERBATIM": _verbatim,
    b"TRUE": _true,
    b"FALSE": _false,
}
