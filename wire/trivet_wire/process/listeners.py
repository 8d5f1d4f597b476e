"""Listening sockets, for addresses as redis.conf's `bind` spells them."""

import contextlib
import errno
import socket
from collections.abc import Sequence
from typing import Final

# What a machine answers that does not have an address, or not its family.
_MISSING: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT})


class ListenError(Exception):
    """A listening socket could not be opened; the message names the address and the reason."""


def open_tcp(addresses: Sequence[str], port: int, backlog: int) -> list[socket.socket]:
    """Return a listening socket for each of `addresses`; none where `port` is 0.

    `*` and `::*` mean every address, and an address with a leading `-` may be one that this machine does not have.
    Raises ListenError; none is left open then.
    """
    if port == 0:
        return []
    with contextlib.ExitStack() as stack:
        sockets = []
        for address in addresses:
            host = address.removeprefix("-")
            try:
                sockets.append(stack.enter_context(_open_one(host, port, backlog)))
            except OSError as error:
                if address.startswith("-") and error.errno in _MISSING:
                    continue
                raise ListenError(f"{host}:{port}: bind: {error.strerror}") from error
        if not sockets:
            raise ListenError(f"port {port}: none of the addresses {' '.join(addresses)} can be bound")
        stack.pop_all()
    return sockets


def _open_one(host: str, port: int, backlog: int) -> socket.socket:
    if host in ("*", "::*"):
        host = "0.0.0.0" if host == "*" else "::"
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock
