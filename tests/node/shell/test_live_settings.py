"""Settings of a running node, seen from outside: listeners, the file, the log, and the limits of clients."""

import os
import socket
import sys
from pathlib import Path

import pytest

from tests.processes import HOST, ServerProcess, call, free_port, start_trivet_node

_TIMEOUT_S = 20.0


def test_port_and_addresses_move_and_come_back_where_they_cannot(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path) as node, socket.create_server((HOST, 0)) as taken:
        other = free_port()
        assert node.call("CONFIG", "SET", "port", other) == b"OK"
        assert call(other, "PING") == b"PONG"
        with pytest.raises(ConnectionRefusedError):
            node.call("PING")
        refusal = str(call(other, "CONFIG", "SET", "port", taken.getsockname()[1]))
        assert refusal.endswith("Unable to listen on this port. Check server logs.")
        assert call(other, "CONFIG", "GET", "port") == [b"port", b"%d" % other]
        refusal = str(call(other, "CONFIG", "SET", "bind", "203.0.113.77"))
        assert refusal.endswith("Failed to bind to specified addresses.")
        assert call(other, "CONFIG", "SET", "bind", f"{HOST} -203.0.113.77") == b"OK"
        assert call(other, "PING") == b"PONG"


def test_the_port_for_clients_from_outside_stays_open_when_addresses_change(tmp_path: Path) -> None:
    outside = free_port()
    with start_trivet_node(tmp_path, "--external-port", str(outside)) as node:
        assert node.call("CONFIG", "SET", "bind", f"{HOST} -203.0.113.77") == b"OK"
        assert call(outside, "PING") == b"PONG"


def test_the_directory_and_the_log_level_change(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path, "--enable-protected-configs", "yes") as node:
        assert node.call("CONFIG", "GET", "dir") == [b"dir", os.fsencode(node.directory)]
        (tmp_path / "other").mkdir()
        assert node.call("CONFIG", "SET", "dir", str(tmp_path / "other")) == b"OK"
        assert node.call("SAVE") == b"OK"
        assert (tmp_path / "other" / "dump.rdb").exists()
        assert str(node.call("CONFIG", "SET", "dir", "/nonexistent")).endswith("No such file or directory")
        assert node.call("CONFIG", "GET", "dir") == [b"dir", os.fsencode(tmp_path / "other")]
        assert node.call("CONFIG", "SET", "loglevel", "warning") == b"OK"
        before = node.log()
        assert node.call("SAVE") == b"OK"
        assert node.log() == before


def test_a_rewritten_file_starts_the_same_node(tmp_path: Path) -> None:
    path = tmp_path / "t.conf"
    port = free_port()
    path.write_text(f"# mine\nport {port}\nbind {HOST}\ndir {tmp_path}\nmaxclients 100\n")
    path.chmod(0o640)
    node = ServerProcess([sys.executable, "-m", "trivet_node", str(path)], port, tmp_path)
    with node:
        node.start()
        assert node.call("CONFIG", "SET", "maxclients", "50", "save", "77 7", "masterauth", 'a "b"') == b"OK"
        assert node.call("CONFIG", "REWRITE") == b"OK"
        assert path.read_text().startswith(f"# mine\nport {port}\nbind {HOST}\n")
        assert path.stat().st_mode & 0o777 == 0o640
        node.kill()
        node.start()
        settings = node.call("CONFIG", "GET", "maxclients", "save", "masterauth")
        assert dict(zip(settings[::2], settings[1::2], strict=True)) == {
            b"maxclients": b"50",
            b"save": b"77 7",
            b"masterauth": b'a "b"',
        }
        assert not [path for path in tmp_path.iterdir() if path.name.startswith("temp-")]


def test_a_request_without_an_end_is_cut_off(tmp_path: Path) -> None:
    with (
        start_trivet_node(tmp_path, "--client-query-buffer-limit", "1mb") as node,
        socket.create_connection(node.address, _TIMEOUT_S) as client,
    ):
        client.sendall(b"*2\r\n$3\r\nGET\r\n$100000000\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(100):
                client.sendall(b"x" * 1_000_000)
        assert b"client_query_buffer_limit_disconnections:1" in node.call("INFO", "stats")
