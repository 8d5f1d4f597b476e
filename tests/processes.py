"""Server processes for tests: started on free ports, waited for by PING, ended by their own pid.

Ports are drawn from below the range that the system gives to outgoing connections. A port that the system chose itself
(bind to 0) lies inside that range, so any client may be given it between our asking and the server's listening, or
while a killed server is to come back on the same port. Who has drawn a port holds a lock on it as long as the process
lives, so that several runs of tests beside each other do not take each other's.
"""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import hiredis

from trivet_wire.connection import encode_request

HOST: Final = "127.0.0.1"
BUS_PORT_OFFSET: Final = 10000
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 10.0

_LOWEST_PORT: Final = 10000
_HIGHEST_PORT: Final = 22700
T = TypeVar("T")

_NOTHING: Final = object()
_given_ports: set[int] = set()
# The byte of a port's number is locked; the file has no contents. Closing it would end all locks.
_PORT_LOCKS: Final = Path(__file__).parent.parent / ".pytest_cache/ports"
_PORT_LOCKS.parent.mkdir(exist_ok=True)
_port_locks: Final = _PORT_LOCKS.open("ab")


def free_port() -> int:
    """Return a port on which nothing listens, nor on the bus port 10000 above it; no port is returned twice."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """Return the first of `count` free ports in a row; see free_port()."""
    choice = random.SystemRandom()
    while True:
        first = choice.randint(_LOWEST_PORT, _HIGHEST_PORT)
        ports = range(first, first + count)
        if all(_is_ours(port) and _is_ours(port + BUS_PORT_OFFSET) for port in ports):
            return first


def _is_ours(port: int) -> bool:
    """Take a port that nobody listens on and no process of tests has taken, this one included."""
    if port in _given_ports:
        return False
    with contextlib.suppress(OSError):
        fcntl.lockf(_port_locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        _given_ports.add(port)
    return port in _given_ports and _is_free(port)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def call(port: int, *arguments: str | bytes | int, timeout_s: float = 30.0) -> Any:
    """Send one command to the server at `port` over a new connection and return its reply.

    Errors of the server are returned as hiredis.ReplyError; OSError where nobody answers in time.
    """
    with socket.create_connection((HOST, port), timeout_s) as connection:
        connection.sendall(encode_request(arguments))
        return read_reply(connection)


def read_reply(connection: socket.socket) -> Any:
    """Return the next reply from a connection that has no other reply under way."""
    return read_replies(connection, 1)[0]


def read_replies(connection: socket.socket, count: int) -> list[Any]:
    """Return the next `count` replies from a connection that has no others under way."""
    reader = hiredis.Reader(notEnoughData=_NOTHING)
    replies: list[Any] = []
    while len(replies) < count:
        reply = reader.gets()
        if reply is not _NOTHING:
            replies.append(reply)
            continue
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("closed by the server")
        reader.feed(data)
    return replies


class ServerProcess:
    """One running server. `command` starts it again after kill() or stop(); its output goes to `log_path`."""

    def __init__(self, command: Sequence[str], port: int, directory: Path) -> None:
        self.command = list(command)
        self.port = port
        self.directory = directory
        self.log_path = directory / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        """The host and port to connect to."""
        return HOST, self.port

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None, "the server is not running"
        return self.process.pid

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Start the process and wait until it answers PING with anything but LOADING."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + timeout_s
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.command} did not start:\n{self.log()[-4000:]}")
            time.sleep(0.01)

    def call(self, *arguments: str | bytes | int, timeout_s: float = 30.0) -> Any:
        """Send one command over a new connection and return its reply; see call()."""
        return call(self.port, *arguments, timeout_s=timeout_s)

    def log(self) -> str:
        """Return all that the server has printed."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal such as SIGSTOP to the running process."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End the process at once (SIGKILL) and wait until it is gone; nothing if it does not run."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> int | None:
        """End the process with SIGTERM, after a while by force; return its exit status, None if it did not run."""
        if self.process is None:
            return None
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_TIMEOUT_S)
        status = self.process.poll()
        self.kill()
        return status

    def _answers(self) -> bool:
        try:
            reply = self.call("PING", timeout_s=1.0)
        except OSError:
            return False
        return not (isinstance(reply, hiredis.ReplyError) and str(reply).startswith("LOADING"))

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def start_server(program: Sequence[str], directory: Path, *options: str, port: int | None = None) -> ServerProcess:
    """Start any server that takes redis.conf options as `--name value`; it has its own directory below `directory`.

    `program` is what comes before the options, such as `["redis-server"]` or `[sys.executable, "-m", "trivet_node"]`.
    Without `port` a free one is used. The caller ends the server: kill(), stop() or a with statement.
    """
    port = free_port() if port is None else port
    place = directory / str(port)
    command = [*program, "--port", str(port), "--bind", HOST, "--dir", str(place), "--save", "", *options]
    server = ServerProcess(command, port, place)
    server.start()
    return server


def has_redis_server() -> bool:
    """Say whether real redis-server and redis-cli are on this machine."""
    return shutil.which("redis-server") is not None and shutil.which("redis-cli") is not None


def start_redis_server(directory: Path, *options: str, port: int | None = None) -> ServerProcess:
    """Start a real redis-server with the given further options; see start_server()."""
    return start_server(["redis-server"], directory, "--daemonize", "no", *options, port=port)


def start_trivet_node(directory: Path, *options: str, port: int | None = None) -> ServerProcess:
    """Start a node of ours with the given further options; see start_server()."""
    return start_server([sys.executable, "-m", "trivet_node"], directory, *options, port=port)


def start_redis_sentinel(directory: Path, *lines: str, port: int | None = None) -> ServerProcess:
    """Start a real redis-sentinel whose configuration file holds `lines` besides its port and directory."""
    # The same binary, asked to be a sentinel: not every machine that has it has the link named redis-sentinel.
    return _start_with_sentinel_conf(lambda path: ["redis-server", path, "--sentinel"], directory, lines, port)


def start_sentinel(directory: Path, *lines: str, port: int | None = None) -> ServerProcess:
    """Start a sentinel of ours whose configuration file holds `lines` besides its port and directory."""
    return _start_with_sentinel_conf(
        lambda path: [sys.executable, "-m", "trivet_sentinel", path], directory, lines, port
    )


def _start_with_sentinel_conf(
    command: Callable[[str], list[str]], directory: Path, lines: Sequence[str], port: int | None
) -> ServerProcess:
    port = free_port() if port is None else port
    place = directory / str(port)
    place.mkdir(parents=True)
    configuration = place / "sentinel.conf"
    configuration.write_text("\n".join([f"port {port}", f"bind {HOST}", f"dir {place}", *lines, ""]))
    server = ServerProcess(command(str(configuration)), port, place)
    server.start()
    return server


def wait_until(condition: Callable[[], T], timeout_s: float, what: str) -> T:
    """Call `condition` every 20 ms until what it returns is true, and return that; AssertionError after `timeout_s`.

    A condition that loses its connection is not true yet: sentinels, for one, close all connections of a server that
    they give another role.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(ConnectionError):
            if result := condition():
                return result
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.02)
