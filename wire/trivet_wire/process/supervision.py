"""Telling systemd or upstart how far this process is, as `supervised` asks for.

systemd listens on the datagram socket that NOTIFY_SOCKET names (sd_notify(3)); upstart waits until the process stops
itself. (Redis: server.c redisIsSupervised, redisCommunicateSystemd.)
"""

import os
import signal
import socket
from typing import Final

from trivet_wire.process import log

_ADDRESS: Final = "NOTIFY_SOCKET"
_JOB: Final = "UPSTART_JOB"


def supervisor_of(setting: str) -> str:
    """Return who supervises this process, `systemd`, `upstart` or `no`; `setting` is the value of `supervised`."""
    found = {"systemd": _ADDRESS in os.environ, "upstart": _JOB in os.environ}
    if setting == "auto":
        return next((name for name, is_there in found.items() if is_there), "no")
    if setting == "no" or found[setting]:
        return setting
    log.log("warning", f"{setting} supervision requested, but {_JOB if setting == 'upstart' else _ADDRESS} not found!")
    return "no"


def stop_for_upstart() -> None:
    """Stop until upstart, which is told thereby that the process is there, lets it go on."""
    log.log("notice", "supervised by upstart, will stop to signal readiness.")
    os.environ.pop(_JOB, None)
    signal.raise_signal(signal.SIGSTOP)


def notify_systemd(text: str) -> None:
    """Tell systemd `NAME=value`, or several of that, one a line; that nobody listens is no error."""
    address = os.environ.get(_ADDRESS, "")
    if not address.startswith(("/", "@")):
        return
    # A name with @ stands for one in the abstract namespace.
    name = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(text.encode(), name)
        except OSError as error:
            log.log("warning", f"Can't notify systemd: {error.strerror}")
