"""Listening sockets, made as redis.conf's `bind`, `port`, `unixsocket` and `tcp-backlog` say."""

import contextlib
import os
import socket
import stat
from pathlib import Path

from trivet_node.config import Config
from trivet_wire.process.listeners import ListenError, open_tcp


def open_listeners(config: Config) -> list[socket.socket]:
    """Return the listening sockets for clients. Raises ListenError; none is left open then."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(listener) for listener in open_tcp_listeners(config)]
        if config.unixsocket:
            sockets.append(stack.enter_context(_open_unix(config)))
        stack.pop_all()
    return sockets


def open_tcp_listeners(config: Config) -> list[socket.socket]:
    """Return those of them that listen on addresses of the network. Raises ListenError; none is left open then."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(listener)
            for port in (config.port, config.external_port)
            for listener in open_tcp(config.bind, port, config.tcp_backlog)
        ]
        stack.pop_all()
    return sockets


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
