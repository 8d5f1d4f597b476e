"""A node as a process: its start, its log, its end."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import HOST, free_port, read_reply, start_server
from trivet_wire.connection import encode_request

NODE = [sys.executable, "-m", "trivet_node"]


def run_node(*options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a node that is expected to end by itself."""
    return subprocess.run([*NODE, *options], cwd=cwd, capture_output=True, text=True, timeout=30, check=False)


def test_the_log_says_what_tools_wait_for(tmp_path: Path) -> None:
    with start_server(NODE, tmp_path) as node:
        log = node.log()
        assert f"PID: {node.pid}" in log
        assert log.index("Server initialized") < log.index("Ready to accept connections")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with start_server(NODE, tmp_path, "--pidfile", "node.pid") as node:
        assert node.process is not None
        assert (node.directory / "node.pid").read_text() == f"{node.pid}\n"
        node.send_signal(number)
        assert node.process.wait(10) == 0
        assert "bye bye" in node.log()
        assert not (node.directory / "node.pid").exists()


def test_a_port_in_use_is_told_and_ends_it(tmp_path: Path) -> None:
    with start_server(NODE, tmp_path) as node:
        second = run_node("--port", str(node.port), "--bind", HOST, cwd=tmp_path)
        assert second.returncode == 1
        assert f"Failed listening on port {node.port}" in second.stdout
        assert node.call("PING") == b"PONG"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["port abc"], "argument couldn't be parsed into an integer"),
        (["", "no-such-option 1"], "Bad directive or wrong number of arguments"),
        (["maxclients 0"], "argument must be between 1 and 4294967295 inclusive"),
    ],
)
def test_a_bad_file_is_named_with_line_and_option(tmp_path: Path, lines: list[str], message: str) -> None:
    (tmp_path / "node.conf").write_text("\n".join(lines) + "\n")
    ended = run_node("node.conf", cwd=tmp_path)
    assert ended.returncode == 1
    assert f"at line {len(lines)}" in ended.stderr
    assert message in ended.stderr
    assert f"The line comes from {tmp_path / 'node.conf'}" in ended.stderr
    assert lines[-1].split()[0] in ended.stderr


@pytest.mark.parametrize(("option", "text"), [("--help", "--option value"), ("-v", "compatible with Redis v=7.0.15")])
def test_it_says_how_it_is_used_and_what_it_is(tmp_path: Path, option: str, text: str) -> None:
    ended = run_node(option, cwd=tmp_path)
    assert ended.returncode == 0
    assert text in ended.stdout


def test_the_configuration_may_come_from_standard_input(tmp_path: Path) -> None:
    ended = subprocess.run(
        [*NODE, "-"], cwd=tmp_path, input="port abc\n", capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert "at line 1" in ended.stderr
    assert "The line comes from standard input" in ended.stderr


def test_a_directory_that_is_not_there_ends_it(tmp_path: Path) -> None:
    ended = run_node("--dir", str(tmp_path / "nowhere"), "--port", str(free_port()), cwd=tmp_path)
    assert ended.returncode == 1
    assert "Can't chdir to" in ended.stderr


def test_a_unix_socket_serves_as_well(tmp_path: Path) -> None:
    path = tmp_path / "node.sock"
    with (
        start_server(NODE, tmp_path, "--unixsocket", str(path), "--unixsocketperm", "700") as node,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        assert path.stat().st_mode & 0o777 == 0o700
        connection.connect(str(path))
        connection.sendall(encode_request(["PING"]))
        assert read_reply(connection) == b"PONG"
        node.stop()
        assert not path.exists()


def test_idle_clients_are_closed_after_timeout(tmp_path: Path) -> None:
    with (
        start_server(NODE, tmp_path, "--timeout", "1") as node,
        socket.create_connection(node.address) as connection,
    ):
        connection.settimeout(10)
        connection.sendall(encode_request(["PING"]))
        assert read_reply(connection) == b"PONG"
        assert connection.recv(100) == b""


def test_clients_are_served_while_many_keys_expire_at_once(tmp_path: Path) -> None:
    count = 20_000
    with (
        start_server(NODE, tmp_path, "--enable-debug-command", "yes") as node,
        socket.create_connection(node.address) as connection,
    ):
        node.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        connection.sendall(b"".join(encode_request(["SET", f"key:{number}", "v", "PX", 1]) for number in range(count)))
        remaining = count * len(b"+OK\r\n")
        while remaining > 0:
            remaining -= len(connection.recv(65536))
        assert node.call("DBSIZE") == count
        node.call("DEBUG", "SET-ACTIVE-EXPIRE", 1)
        sizes: list[int] = [count]
        deadline_s = time.monotonic() + 60
        while sizes[-1] > 0:
            assert time.monotonic() < deadline_s, "all keys expire, though nobody looks at them"
            connection.sendall(encode_request(["DBSIZE"]))
            sizes.append(read_reply(connection))
        # They go in about twenty parts, and an answer may come after each of them.
        assert len(set(sizes) - {count, 0}) >= 3


def test_a_stopped_burst_goes_on(tmp_path: Path) -> None:
    """SIGSTOP and SIGCONT look like a long pause of the machine: connections survive it."""
    with start_server(NODE, tmp_path) as node, socket.create_connection(node.address) as connection:
        node.send_signal(signal.SIGSTOP)
        connection.sendall(encode_request(["PING"]))
        os.kill(node.pid, signal.SIGCONT)
        connection.settimeout(10)
        assert read_reply(connection) == b"PONG"


def test_a_request_in_single_bytes(tmp_path: Path) -> None:
    with start_server(NODE, tmp_path) as server, socket.create_connection(server.address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in encode_request(["ECHO", "in single bytes"]):
            connection.sendall(bytes([byte]))
        assert read_reply(connection) == b"in single bytes"


def test_a_cluster_node_that_cannot_keep_its_state_says_so_and_ends(tmp_path: Path) -> None:
    """A folder in the file's place, which also root cannot replace, stands for a disk that takes no more."""
    with start_server(NODE, tmp_path, "--cluster-enabled", "yes") as node:
        assert node.process is not None
        configuration = node.directory / "nodes.conf"
        configuration.unlink()
        (configuration / "in the way").mkdir(parents=True)
        with contextlib.suppress(OSError):
            node.call("CLUSTER", "BUMPEPOCH")
        assert node.process.wait(10) == 1
        log = node.log()
        assert "Fatal: can't update cluster config file nodes.conf" in log
        assert "Traceback" not in log
