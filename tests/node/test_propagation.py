"""What writes cause for replicas: determinate effects, in units, in the right database."""

import pytest

from tests.node.engines import START_MS, Node
from trivet_wire.connection import encode_request


def make() -> Node:
    node = Node()
    node.asks("MSET k 1 text x")
    node.keep_stream()
    node.asks("SET first x")
    assert node.stream() == [[b"SELECT", b"0"], [b"SET", b"first", b"x"]]
    return node


def words(text: str) -> list[bytes]:
    return text.encode().split()


@pytest.mark.parametrize(
    ("request_text", "effect"),
    [
        ("SET k 2", "SET k 2"),
        ("set k 2 nx", ""),
        ("SET new 2 NX", "SET new 2 NX"),
        ("SET k 2 GET", "SET k 2"),
        ("SET k 2 XX get KEEPTTL", "SET k 2 XX KEEPTTL"),
        ("SET k 2 EX 10", f"SET k 2 PXAT {START_MS + 10_000}"),
        ("SET k 2 XX PX 10 GET", f"SET k 2 PXAT {START_MS + 10}"),
        ("SET k 2 EXAT 9999999999", "SET k 2 PXAT 9999999999000"),
        ("SETEX k 10 v", f"SET k v PXAT {START_MS + 10_000}"),
        ("PSETEX k 10 v", f"SET k v PXAT {START_MS + 10}"),
        ("SETNX k v", ""),
        ("GETSET k v", "SET k v"),
        ("GETDEL k", "DEL k"),
        ("GETDEL none", ""),
        ("GETEX k", ""),
        ("GETEX k PERSIST", ""),
        ("GETEX k EX 10", f"PEXPIREAT k {START_MS + 10_000}"),
        ("GETEX k PXAT 1", "DEL k"),
        ("INCRBYFLOAT k 0.5", "SET k 1.5 KEEPTTL"),
        ("INCRBY k 5", "INCRBY k 5"),
        ("INCR text", ""),
        ("APPEND k x", "APPEND k x"),
        ("EXPIRE k 10", f"PEXPIREAT k {START_MS + 10_000}"),
        ("EXPIRE k 10 NX", f"PEXPIREAT k {START_MS + 10_000} NX"),
        ("EXPIRE k 10 XX", ""),
        ("EXPIRE k 0", "DEL k"),
        ("PEXPIREAT k 5", "DEL k"),
        ("EXPIRE none 10", ""),
        ("UNLINK k none", "UNLINK k none"),
        ("DEL none", ""),
        ("MSETNX k 1 new 1", ""),
        ("COPY k new", "COPY k new"),
        ("RENAME k k", ""),
        ("FLUSHDB ASYNC", "FLUSHDB ASYNC"),
        ("GET k", ""),
        ("SETRANGE k 0 9", "SETRANGE k 0 9"),
    ],
)
def test_the_effect_of_one_command(request_text: str, effect: str) -> None:
    node = make()
    node.asks(request_text)
    assert node.stream() == ([words(effect)] if effect else [])


def test_requests_are_propagated_as_they_came_in_any_pieces() -> None:
    node = make()
    data = b'append k "a b"\r\n' + encode_request(["incrby", "n", "5"])
    for byte in data:
        node.send(node.first, bytes([byte]))
    assert node.stream() == [[b"append", b"k", b"a b"], [b"incrby", b"n", b"5"]]


def test_a_transaction_is_one_unit() -> None:
    node = make()
    for request in ("MULTI", "SET a 1", "GET a", "EXPIRE a 10", "INCR text", "EXEC"):
        node.asks(request)
    assert node.stream() == [[b"MULTI"], words("SET a 1"), words(f"PEXPIREAT a {START_MS + 10_000}"), [b"EXEC"]]


@pytest.mark.parametrize("inside", [[], ["GET k"], ["INCR text"], ["DEL none"]])
def test_a_transaction_that_changes_nothing_is_not_propagated(inside: list[str]) -> None:
    node = make()
    for request in ["MULTI", *inside, "EXEC"]:
        node.asks(request)
    assert node.stream() == []


def test_the_stream_selects_the_database_of_each_effect() -> None:
    node = make()
    other = node.client()
    node.asks("SELECT 5", client=other)
    node.asks("SET k 1", client=other)
    node.asks("SET k 2", client=other)
    node.asks("SET k 3")
    assert node.stream() == [words("SELECT 5"), words("SET k 1"), words("SET k 2"), words("SELECT 0"), words("SET k 3")]


def test_a_transaction_over_several_databases() -> None:
    node = make()
    for request in ("MULTI", "SELECT 3", "SET k 1", "SELECT 0", "SET k 2", "EXEC"):
        node.asks(request)
    stream = node.stream()
    database = 0
    seen: list[tuple[int, list[bytes]]] = []
    for command in stream:
        if command[0] == b"SELECT":
            database = int(command[1])
        else:
            seen.append((database, command))
    assert [entry for entry in seen if entry[1][0] == b"SET"] == [(3, words("SET k 1")), (0, words("SET k 2"))]
    assert seen[0][1] == [b"MULTI"]
    assert stream[-1] == [b"EXEC"]


def test_an_expired_key_is_deleted_before_the_command_that_met_it() -> None:
    node = make()
    node.asks("SET k 1 PX 10")
    node.stream()
    node.wait(11)
    node.asks("INCR k")
    assert node.stream() == [[b"MULTI"], words("DEL k"), words("INCR k"), [b"EXEC"]]


def test_a_read_that_meets_an_expired_key_propagates_its_deletion_alone() -> None:
    node = make()
    node.asks("SET k 1 PX 10")
    node.stream()
    node.wait(11)
    node.asks("GET k")
    assert node.stream() == [words("DEL k")]


def test_active_expiry_propagates_deletions() -> None:
    node = make()
    node.asks("MSET a 1 b 2")
    node.asks("PEXPIRE a 10")
    node.asks("PEXPIRE b 10")
    node.stream()
    node.engine.tick(START_MS + 11)
    assert sorted(node.stream()) == [words("DEL a"), words("DEL b")]


def test_nothing_is_collected_while_nobody_follows() -> None:
    node = Node()
    node.asks("SET k 1 EX 10")
    node.asks("GETDEL k")
    node.keep_stream()
    node.asks("GET k")
    assert node.stream() == []
