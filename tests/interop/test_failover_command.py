"""FAILOVER between two processes: of ours, and ours with a real redis-server on either side."""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import require_redis_server
from tests.processes import (
    HOST,
    ServerProcess,
    read_reply,
    start_redis_server,
    start_trivet_node,
    wait_until,
)
from trivet_wire.connection import encode_request

_WAIT_S: Final = 15.0
Start = Callable[..., ServerProcess]
_STARTS: Final[dict[str, Start]] = {"ours": start_trivet_node, "real": start_redis_server}


def _info(server: ServerProcess) -> dict[str, str]:
    lines = [line for part in ("replication", "stats") for line in server.call("INFO", part).decode().splitlines()]
    return dict(line.split(":", 1) for line in lines if ":" in line)


@contextlib.contextmanager
def _pair(kinds: tuple[str, str], tmp_path: Path) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """Run a primary and its replica, in sync."""
    if "real" in kinds:
        require_redis_server()
    with _STARTS[kinds[0]](tmp_path) as primary, _STARTS[kinds[1]](tmp_path) as replica:
        primary.call("SET", "k", "1")
        replica.call("REPLICAOF", HOST, primary.port)
        wait_until(lambda: _info(replica).get("master_link_status") == "up", _WAIT_S, "the replica is linked")
        wait_until(
            lambda: f"state=online,offset={_info(primary)['master_repl_offset']}" in _info(primary)["slave0"],
            _WAIT_S,
            "the replica has acknowledged",
        )
        yield primary, replica


def _state(server: ServerProcess) -> str:
    return _info(server)["master_failover_state"]


def _blocked(server: ServerProcess) -> bool:
    return b"blocked_clients:1" in server.call("INFO", "clients")


@pytest.mark.parametrize("kinds", [("ours", "ours"), ("ours", "real"), ("real", "ours")], ids="-".join)
def test_the_roles_are_exchanged_and_back_again(kinds: tuple[str, str], tmp_path: Path) -> None:
    with _pair(kinds, tmp_path) as (primary, replica):
        _check_refusals(primary, replica)
        _exchange(primary, replica)


def _check_refusals(primary: ServerProcess, replica: ServerProcess) -> None:
    found = [
        str(server.call(*words.split()))
        for server, words in (
            (replica, "FAILOVER"),
            (primary, "FAILOVER TO nowhere 1"),
            (primary, f"FAILOVER TO {HOST} {replica.port} FORCE"),
            (primary, "PSYNC x 1 FAILOVER"),
            (replica, "PSYNC x 1 FAILOVER"),
        )
    ]
    assert found == [
        "ERR FAILOVER is not valid when server is a replica.",
        "ERR FAILOVER target HOST and PORT is not a replica.",
        "ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
        "ERR PSYNC FAILOVER can't be sent to a master.",
        "ERR PSYNC FAILOVER replid must match my replid.",
    ]


def _exchange(primary: ServerProcess, replica: ServerProcess) -> None:
    full_syncs = _info(primary)["sync_full"]
    assert primary.call("FAILOVER", "TO", HOST, replica.port, "TIMEOUT", 10000) == b"OK"
    wait_until(lambda: replica.call("ROLE")[0] == b"master", _WAIT_S, "the replica leads")
    wait_until(lambda: _info(primary).get("master_link_status") == "up", _WAIT_S, "the primary follows")
    assert _state(primary) == _state(replica) == "no-failover"
    assert replica.call("SET", "k", "2") == b"OK"
    wait_until(lambda: primary.call("GET", "k") == b"2", _WAIT_S, "what the new primary is told arrives")
    assert (_info(primary)["sync_full"], _info(replica)["sync_full"]) == (full_syncs, "0")
    assert _info(replica)["sync_partial_ok"] == "1"
    assert str(primary.call("SET", "k", "3")).startswith("READONLY")
    # And back, to whoever is synced.
    assert replica.call("FAILOVER") == b"OK"
    wait_until(lambda: primary.call("ROLE")[0] == b"master", _WAIT_S, "the old primary leads again")
    wait_until(lambda: _info(replica).get("master_link_status") == "up", _WAIT_S, "the old replica follows again")
    assert primary.call("SET", "k", "4") == b"OK"
    wait_until(lambda: replica.call("GET", "k") == b"4", _WAIT_S, "what the old primary is told arrives")


def test_a_failover_is_given_up(tmp_path: Path) -> None:
    with _pair(("ours", "ours"), tmp_path) as (primary, replica):
        _let_writes_wait(primary, replica)
        _force(primary, replica)


def _let_writes_wait(primary: ServerProcess, replica: ServerProcess) -> None:
    replica.send_signal(signal.SIGSTOP)
    try:
        assert primary.call("SET", "k", "2") == b"OK"
        assert primary.call("FAILOVER", "TO", HOST, replica.port) == b"OK"
        assert _state(primary) == "waiting-for-sync"
        assert str(primary.call("FAILOVER")) == "ERR FAILOVER already in progress."
        assert str(primary.call("REPLICAOF", "NO", "ONE")) == "ERR REPLICAOF not allowed while failing over."
        with socket.create_connection(primary.address, _WAIT_S) as client:
            client.sendall(encode_request(["SET", "k", "3"]))
            wait_until(lambda: _blocked(primary), _WAIT_S, "the write waits")
            assert primary.call("GET", "k") == b"2"
            assert primary.call("FAILOVER", "ABORT") == b"OK"
            assert read_reply(client) == b"OK"
        assert str(primary.call("FAILOVER", "ABORT")) == "ERR No failover in progress."
        assert (_state(primary), primary.call("ROLE")[0]) == ("no-failover", b"master")
        # The same by itself, after a while.
        assert primary.call("FAILOVER", "TIMEOUT", "100") == b"OK"
        wait_until(lambda: _state(primary) == "no-failover", _WAIT_S, "the failover is given up")
        assert primary.call("SET", "k", "4") == b"OK"
    finally:
        replica.send_signal(signal.SIGCONT)
    wait_until(lambda: replica.call("GET", "k") == b"4", _WAIT_S, "the replica has everything")


def _force(primary: ServerProcess, replica: ServerProcess) -> None:
    replica.send_signal(signal.SIGSTOP)
    try:
        assert primary.call("SET", "k", "5") == b"OK"
        assert primary.call("FAILOVER", "TO", HOST, replica.port, "FORCE", "TIMEOUT", "50") == b"OK"
        wait_until(lambda: _state(primary) == "failover-in-progress", _WAIT_S, "the failover is forced")
        assert primary.call("ROLE")[0] == b"slave"
        assert str(primary.call("SET", "k", "3")).startswith("READONLY")
        assert primary.call("FAILOVER", "ABORT") == b"OK"
        assert (_state(primary), primary.call("ROLE")[0]) == ("no-failover", b"master")
        assert primary.call("SET", "k", "6") == b"OK"
    finally:
        replica.send_signal(signal.SIGCONT)
    wait_until(lambda: replica.call("GET", "k") == b"6", _WAIT_S, "the replica follows on")
