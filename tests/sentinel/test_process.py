"""The sentinel as a process: start, log, configuration file, signals, errors."""

import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import HOST, call, free_port, start_sentinel, wait_until
from trivet_wire.connection import encode_request


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a sentinel that is expected to end by itself."""
    command = [sys.executable, "-m", "trivet_sentinel", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_it_says_who_it_is_and_keeps_its_id_over_restarts(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel:
        my_id = sentinel.call("SENTINEL", "MYID").decode()
        assert f"Sentinel ID is {my_id}" in sentinel.log()
        assert sentinel.stop() == 0
        assert "bye bye" in sentinel.log()
        sentinel.start()
        assert sentinel.call("SENTINEL", "MYID").decode() == my_id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with start_sentinel(tmp_path) as sentinel:
        sentinel.send_signal(number)
        assert sentinel.process is not None
        assert sentinel.process.wait(10) == 0


def test_shutdown_ends_it_cleanly(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel:
        with pytest.raises(ConnectionError):
            sentinel.call("SHUTDOWN")
        assert sentinel.process is not None
        assert sentinel.process.wait(10) == 0


def test_what_clients_change_is_on_disk_when_they_are_answered(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel:
        assert sentinel.call("SENTINEL", "MONITOR", "m", HOST, free_port(), 1) == b"OK"
        assert sentinel.call("SENTINEL", "SET", "m", "down-after-milliseconds", "1234") == b"OK"
        sentinel.kill()
        sentinel.start()
        reply = sentinel.call("SENTINEL", "MASTER", "m")
        assert reply[reply.index(b"down-after-milliseconds") + 1] == b"1234"


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.conf"
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        path.write_text(f"port {port}\nbind {HOST}\n")
        result = run(str(path))
    assert result.returncode == 1
    assert f"Failed listening on port {port}" in result.stderr


def test_a_bad_configuration_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.conf"
    path.write_text("port 0\nsentinel nonsense\n")
    result = run(str(path))
    assert result.returncode == 1
    assert f"{path}, line 2: 'sentinel nonsense': Unrecognized sentinel configuration statement." in result.stderr
    result = run(str(path), "--port", "x")
    assert (result.returncode, "command line: 'port x': Invalid port" in result.stderr) == (1, True)
    result = run()
    assert (result.returncode, "needs a config file" in result.stderr) == (1, True)


def test_bytes_that_are_no_requests_cost_only_their_connection(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel:
        with socket.create_connection((HOST, sentinel.port)) as connection:
            connection.sendall(b"*1\r\n+PING\r\n")
            assert connection.recv(1000) == b"-ERR Protocol error: expected '$', got '+'\r\n"
            assert connection.recv(1000) == b""
        assert sentinel.call("PING") == b"PONG"


def test_a_client_that_is_killed_is_disconnected(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel, socket.create_connection((HOST, sentinel.port)) as victim:
        victim.sendall(encode_request(["CLIENT", "ID"]))
        number = int(victim.recv(100)[1:])
        assert sentinel.call("CLIENT", "KILL", "ID", number) == 1
        victim.settimeout(5)
        assert victim.recv(100) == b""


def test_a_dead_primary_is_told_to_who_listens(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel, socket.create_connection((HOST, sentinel.port)) as listener:
        listener.sendall(encode_request(["SUBSCRIBE", "+sdown"]))
        listener.settimeout(10)
        assert listener.recv(1000).startswith(b"*3\r\n$9\r\nsubscribe")
        port = free_port()
        call(sentinel.port, "SENTINEL", "MONITOR", "m", HOST, port, 1)
        call(sentinel.port, "SENTINEL", "SET", "m", "down-after-milliseconds", "200")
        assert f"master m {HOST} {port}".encode() in listener.recv(1000)
        wait_until(lambda: f"+sdown master m {HOST} {port}" in sentinel.log(), 5, "the event is in the log")


def test_a_connection_that_breaks_costs_only_itself(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel:
        breaking = socket.create_connection(sentinel.address)
        breaking.sendall(b"PING\r\n")
        assert breaking.recv(100) == b"+PONG\r\n"
        breaking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        breaking.close()
        wait_until(lambda: sentinel.call("CLIENT", "LIST").count(b"id=") == 1, 5, "the broken one is forgotten")


def test_a_client_that_reads_slowly_gets_every_byte_once(tmp_path: Path) -> None:
    with start_sentinel(tmp_path) as sentinel, socket.create_connection(sentinel.address) as slow:
        slow.settimeout(10)
        word = b"x" * 16_000
        requests = 500
        slow.sendall(b"PING %s\r\n" % word * requests + b"QUIT\r\n")
        expected = b"$%d\r\n%s\r\n" % (len(word), word) * requests + b"+OK\r\n"
        received = bytearray()
        while data := slow.recv(1 << 20):
            received += data
        assert received == expected
