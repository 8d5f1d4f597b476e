"""Listening sockets, and sending without waiting."""

import errno
import socket
from collections.abc import Sequence
from typing import Final

import trio

BACKLOG: Final = 511


class CannotListen(Exception):
    """An address that has to be listened on cannot be; str() says which and why."""


def listen(bind: Sequence[str], port: int) -> list[trio.SocketListener]:
    """Return listeners on `port` of every address of `bind`, as Redis spells them: `*`, `::*`, and `-` before
    optional ones.

    Raises CannotListen.
    """
    listeners = []
    for address in bind:
        try:
            listeners.append(_listen_on(address.removeprefix("-"), port))
        except OSError as error:
            is_missing = error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)
            if address.startswith("-") and is_missing:
                continue
            for listener in listeners:
                listener.socket.close()
            reason = f"Could not create server TCP listening socket {address}:{port}: {error.strerror}"
            raise CannotListen(f"{reason}\nFailed listening on port {port} (TCP), aborting.") from error
    return listeners


def _listen_on(address: str, port: int) -> trio.SocketListener:
    host = {"*": "0.0.0.0", "::*": "::"}.get(address, address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return trio.SocketListener(trio.socket.from_stdlib_socket(listening))


def send_now(connection: socket.socket, data: bytes) -> int:
    """Send what the kernel takes of `data` without waiting; return how many bytes. Raises OSError on a dead peer."""
    try:
        return connection.send(data)
    except BlockingIOError:
        return 0
