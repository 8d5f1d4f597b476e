"""Sending without waiting."""

import socket


def send_now(connection: socket.socket, data: bytes) -> int:
    """Send what the kernel takes of `data` without waiting; return how many bytes. Raises OSError on a dead peer."""
    try:
        return connection.send(data)
    except BlockingIOError:
        return 0
