"""Listening sockets, made as redis.conf's `bind`, `port`, `unixsocket` and `tcp-backlog` say."""

import contextlib
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

from trivet_node.config import Config


class ListenError(Exception):
    """A listening socket could not be opened; the message names the address and the reason."""


def open_listeners(config: Config) -> list[socket.socket]:
    """Return the listening sockets for clients. Raises ListenError; none is left open then."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(listener)
            for port in (config.port, config.external_port)
            for listener in open_tcp(config.bind, port, config.tcp_backlog)
        ]
        if config.unixsocket:
            sockets.append(stack.enter_context(_open_unix(config)))
        stack.pop_all()
    return sockets


def open_tcp(addresses: Sequence[str], port: int, backlog: int) -> list[socket.socket]:
    """Return a listening socket for each of `addresses`; none where `port` is 0.

    `*` means every address, and an address with a leading `-` may be one that this machine does not have.
    Raises ListenError.
    """
    if port == 0:
        return []
    with contextlib.ExitStack() as stack:
        sockets = []
        for address in addresses:
            host = address.removeprefix("-")
            try:
                sockets.append(stack.enter_context(_open_tcp(host, port, backlog)))
            except OSError as error:
                if address.startswith("-") and not isinstance(error, PermissionError):
                    continue
                raise ListenError(f"{host}:{port}: bind: {error.strerror}") from error
        if not sockets:
            raise ListenError(f"port {port}: none of the addresses {' '.join(addresses)} can be bound")
        stack.pop_all()
    return sockets


def _open_tcp(host: str, port: int, backlog: int) -> socket.socket:
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


def _open_unix(config: Config) -> socket.socket:
    path = Path(config.unixsocket)
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        if config.unixsocketperm:
            os.chmod(path, config.unixsocketperm)
        sock.listen(config.tcp_backlog)
    except OSError as error:
        sock.close()
        raise ListenError(f"unix:{path}: {error.strerror}") from error
    return sock
