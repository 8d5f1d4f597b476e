"""The servers under measurement: each a process on a port of its own, with nothing written to disk."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import trio

from trivet_deploy.network import ask, free_port
from trivet_wire.answers import info_fields

_START_TIMEOUT_S = 20.0
_STOP_TIMEOUT_S = 10.0


class BenchError(Exception):
    """The benchmark cannot be run; the message says why and what to do."""


@attrs.frozen
class Server:
    """A running server: its name in tables, where it listens, and its process."""

    name: str
    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the CPU seconds, user and system, that all threads of the server have used so far."""
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        user_ticks, system_ticks = int(after_name[11]), int(after_name[12])
        return (user_ticks + system_ticks) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Return the memory of the server that is in RAM."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def info(self, section: str) -> dict[str, str]:
        """Return one section of the server's INFO."""
        return info_fields(trio.run(ask, self.port, "INFO", section))


def redis_server_command() -> list[str]:
    """Return how redis-server is started. Raises BenchError where it is not installed."""
    if not (path := shutil.which("redis-server")):
        raise BenchError("redis-server is not installed: it is what the node is measured against")
    return [path]


def node_command(python: str) -> list[str]:
    """Return how a node is started with the interpreter at `python`."""
    return [python, "-m", "trivet_node"]


@contextmanager
def running(name: str, command: list[str], folder: Path) -> Iterator[Server]:
    """Run a server without persistence on a free port until the block ends; its log goes into `folder`."""
    port = free_port()
    log_path = folder / f"{name}.log"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with log_path.open("wb") as log:
        process = subprocess.Popen([*command, *options], stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_it_answers(process, name, port, log_path)
        yield Server(name, port, process.pid)
    finally:
        _stop(process)


def require_compiled(server: Server) -> None:
    """Raise BenchError where the node runs interpreted: its figures would say nothing about Trivet."""
    build = server.info("server").get("trivet_build")
    if build != "compiled":
        raise BenchError(
            f"the node is {build or 'of an unknown build'}, not compiled: install with a C compiler and without "
            "TRIVET_PURE=1, or pass --interpreted to measure it all the same"
        )


def _wait_until_it_answers(process: subprocess.Popen[bytes], name: str, port: int, log_path: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            trio.run(ask, port, "PING")
            return
        except (OSError, trio.TooSlowError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = log_path.read_text(errors="replace").strip()
                raise BenchError(f"{name} did not start on port {port}:\n{log}") from error
            time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
