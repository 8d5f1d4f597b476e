"""Scripts and libraries of real processes: in snapshots, on replicas, and when they do not end."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.interop.test_replication import STARTERS, caught_up, follow, started
from tests.processes import ServerProcess, read_replies, read_reply, wait_until
from trivet_wire.connection import encode_request

LIBRARY: Final = (
    "#!lua name=lib\n"
    "redis.register_function('add', function(keys, args) return redis.call('incrby', keys[1], args[1]) end)\n"
    "redis.register_function{function_name='size', description='how many', flags={'no-writes'},\n"
    "  callback=function() return redis.call('dbsize') end}\n"
)
ENDLESS: Final = "while true do pcall(function() local a = 1 end) end"
ENDLESS_LIBRARY: Final = "#!lua name=slow\nredis.register_function('slow', function() while true do end end)"


class Talk:
    """One connection; what is sent need not be answered before the next request."""

    def __init__(self, server: ServerProcess) -> None:
        self._connection = socket.create_connection(server.address, 20)

    def send(self, *words: str | int) -> None:
        self._connection.sendall(encode_request(words))

    def reply(self) -> Any:
        return read_reply(self._connection)

    def replies(self, count: int) -> list[Any]:
        return read_replies(self._connection, count)

    def ask(self, *words: str | int) -> Any:
        self.send(*words)
        return self.reply()

    def close(self) -> None:
        self._connection.close()


def libraries(server: ServerProcess) -> list[tuple[bytes, bytes, list[Any]]]:
    """Return names, codes and functions: redis-server lists them in no order."""
    listed = server.call("FUNCTION", "LIST", "WITHCODE")
    return sorted((library[1], library[7], sorted(library[5], key=str)) for library in listed)


@pytest.mark.parametrize("kinds", [("trivet", "redis"), ("redis", "trivet")])
def test_snapshots_hold_libraries(tmp_path: Path, kinds: tuple[str, str]) -> None:
    with started(tmp_path, kinds[0]) as (writer,):
        assert writer.call("FUNCTION", "LOAD", LIBRARY) == b"lib"
        assert writer.call("FCALL", "add", 1, "n", 5) == 5
        assert writer.call("SAVE") == b"OK"
        written = libraries(writer)
        snapshot = next(tmp_path.rglob("dump.rdb"))
    place = tmp_path / "reader"
    place.mkdir()
    shutil.copy(snapshot, place / "dump.rdb")
    with STARTERS[kinds[1]](tmp_path, "--dir", str(place)) as reader:
        assert libraries(reader) == written
        assert reader.call("FCALL", "add", 1, "n", 2) == 7
        assert reader.call("FCALL_RO", "size", 0) == 1


@pytest.mark.parametrize("kinds", [("trivet", "redis"), ("redis", "trivet")])
def test_replicas_get_libraries_and_effects(tmp_path: Path, kinds: tuple[str, str]) -> None:
    with started(tmp_path, *kinds) as (primary, replica):
        primary.call("FUNCTION", "LOAD", LIBRARY)
        replica.call("FUNCTION", "LOAD", LIBRARY.replace("lib", "old").replace("'add'", "'other'"))
        follow(replica, primary.port)
        assert libraries(replica) == libraries(primary)
        primary.call("FCALL", "add", 1, "n", 3)
        primary.call("EVAL", "redis.call('set', KEYS[1], redis.call('time')[1]) return redis.call('incr', 'm')", 1, "t")
        primary.call("FUNCTION", "LOAD", "REPLACE", LIBRARY.replace("incrby", "decrby"))
        primary.call("FUNCTION", "LOAD", "#!lua name=b\nredis.register_function('b', function() return 1 end)")
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        for request in (("MGET", "n", "m", "t"), ("FCALL_RO", "size", 0)):
            assert replica.call(*request) == primary.call(*request)
        assert libraries(replica) == libraries(primary)
        assert str(replica.call("FCALL", "add", 1, "n", 3)).startswith("READONLY")
        primary.call("FUNCTION", "DELETE", "lib")
        wait_until(lambda: caught_up(primary, replica), 10, "the replica has caught up")
        assert libraries(replica) == libraries(primary) != []
        primary.call("FUNCTION", "FLUSH")
        wait_until(lambda: replica.call("FUNCTION", "LIST") == [], 10, "the libraries are gone")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ServerProcess]]:
    """A node of ours and a redis-server, with a library whose function never ends."""
    with started(tmp_path_factory.mktemp("busy"), "trivet", "redis") as servers:
        for server in servers:
            server.call("FUNCTION", "LOAD", ENDLESS_LIBRARY)
            server.call("CONFIG", "SET", "lua-time-limit", "50")
        yield servers


def is_busy(other: Talk) -> bool:
    return str(other.ask("PING")).startswith("BUSY")


def record_of_busy_server(server: ServerProcess, start: tuple[str | int, ...], kill: tuple[str, str]) -> list[Any]:
    """Return what another client, and then the caller, is answered while and after a script runs without end."""
    caller, other = Talk(server), Talk(server)
    caller.send(*start)
    wait_until(lambda: is_busy(other), 10, "the script runs for too long")
    found = [other.ask(*words.split()) for words in ("PING", "GET s", "FUNCTION LIST", "SCRIPT EXISTS a", "MULTI")]
    found += [other.ask(*words.split()) for words in ("GET s", "EXEC", "SCRIPT LOAD x", "CONFIG GET port")]
    latecomer = Talk(server)
    found += [latecomer.ask("SET", "s", "1"), latecomer.ask("FUNCTION", "KILL" if kill[0] == "SCRIPT" else "STATUS")]
    latecomer.close()
    caller.send("PING")
    found += [other.ask(*kill), *caller.replies(2), other.ask(*kill), other.ask("PING")]
    caller.close()
    other.close()
    return found


@pytest.mark.parametrize(
    ("start", "kill"),
    [
        (("EVAL", ENDLESS, 0), ("SCRIPT", "KILL")),
        (("EVAL", "local f = coroutine.wrap(function() while true do end end)\nf()", 0), ("SCRIPT", "KILL")),
        (("FCALL", "slow", 1, "k", "a"), ("FUNCTION", "KILL")),
    ],
    ids=["eval", "coroutine", "function"],
)
def test_a_script_without_end_is_killed(
    pair: list[ServerProcess], start: tuple[str | int, ...], kill: tuple[str, str]
) -> None:
    ours, real = (record_of_busy_server(server, start, kill) for server in pair)
    assert [str(item) for item in ours] == [str(item) for item in real]


def test_a_busy_function_is_told_of(pair: list[ServerProcess]) -> None:
    caller, other = Talk(pair[0]), Talk(pair[0])
    caller.send("FCALL", "slow", 1, "key", "argument")
    wait_until(lambda: is_busy(other), 10, "the function runs for too long")
    _, running, _, engines = other.ask("FUNCTION", "STATS")
    assert running[:4] == [b"name", b"slow", b"command", [b"FCALL", b"slow", b"1", b"key", b"argument"]]
    assert running[5] >= 50
    assert engines == [b"LUA", [b"libraries_count", 1, b"functions_count", 1]]
    assert other.ask("FUNCTION", "KILL") == b"OK"
    assert "Script killed by user" in str(caller.reply())
    caller.close()
    other.close()


def test_a_script_that_has_written_ends_with_the_server_only(tmp_path: Path) -> None:
    with started(tmp_path, "trivet", options=("--busy-reply-threshold", "50")) as (server,):
        caller, other = Talk(server), Talk(server)
        caller.send("EVAL", "redis.call('set', 'a', 'b') while true do end", 0)
        wait_until(lambda: is_busy(other), 10, "the script runs for too long")
        assert str(other.ask("SCRIPT", "KILL")).startswith("UNKILLABLE Sorry the script already executed write")
        assert str(other.ask("FUNCTION", "STATS")).startswith("BUSY")
        other.send("SHUTDOWN", "NOSAVE")
        assert server.process is not None
        server.process.wait(20)
        caller.close()
        other.close()


READS: Final = "return redis.call('get', 'bar')"
WRITES: Final = "return redis.call('set', 'bar', 'x')"
# Scripts, and how many of the words behind them are keys.
SCRIPTS: Final[list[tuple[str | int, ...]]] = [
    (READS, 0),
    (WRITES, 0),
    ("redis.call('set', 'a', 'b') " + WRITES, 0),
    ("#!lua\n" + READS, 0),
    ("#!lua flags=no-writes\n" + READS, 0),
    ("#!lua flags=no-writes,allow-stale\n" + READS, 0),
    ("#!lua flags=no-writes,allow-stale\nreturn redis.call('echo', 'x')", 0),
    ("return redis.call('ping')", 0),
    ("#!lua flags=no-cluster\nreturn 1", 0),
]
SCRIPTS_OF_CLUSTERS: Final[list[tuple[str | int, ...]]] = [
    *SCRIPTS,
    ("return redis.call('get', 'foo')", 0),
    ("return redis.call('mget', 'bar', 'hello')", 0),
    ("redis.call('get', 'bar') return redis.call('get', 'hello')", 0),
    ("#!lua\nredis.call('get', 'bar') return redis.call('get', 'hello')", 0),
    ("#!lua flags=allow-cross-slot-keys\nredis.call('get', 'bar') return redis.call('get', 'hello')", 0),
    ("#!lua\nreturn redis.call('get', 'hello')", 1, "bar"),
    ("#!lua\nreturn redis.call('mget', 'bar', 'hello')", 0),
    ("return 1", 2, "bar", "hello"),
    ("return 1", 1, "foo"),
    ("return 1", 1, "bar"),
]


def answers(server: ServerProcess, scripts: list[tuple[str | int, ...]]) -> list[str]:
    """Return what scripts are answered, on their own and in a transaction."""
    found = [str(server.call("EVAL", *script)) for script in scripts]
    talk = Talk(server)
    for script in scripts:
        found += [str(talk.ask(*request)) for request in (("MULTI",), ("EVAL", *script), ("EXEC",))]
    talk.close()
    return found


def test_what_is_refused_in_a_replica_and_without_replicas(pair: list[ServerProcess]) -> None:
    records: list[list[str]] = []
    for server in pair:
        server.call("CONFIG", "SET", "min-replicas-to-write", "1")
        found = answers(server, SCRIPTS)
        server.call("CONFIG", "SET", "min-replicas-to-write", "0")
        server.call("REPLICAOF", "127.0.0.1", "1")
        found += answers(server, SCRIPTS)
        server.call("CONFIG", "SET", "replica-serve-stale-data", "no")
        found += answers(server, SCRIPTS)
        server.call("CONFIG", "SET", "replica-serve-stale-data", "yes")
        server.call("REPLICAOF", "NO", "ONE")
        records.append(found)
    ours, real = records
    assert ours == real


def test_what_is_refused_in_a_cluster(tmp_path: Path) -> None:
    options = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")
    with started(tmp_path, "trivet", "redis", options=options) as servers:
        for server in servers:
            server.call("CLUSTER", "ADDSLOTSRANGE", 0, 10000)
        for server in servers:
            wait_until(lambda server=server: server.call("GET", "bar") is None, 20, "the cluster is up")  # type: ignore[misc]
        ours, real = (answers(server, SCRIPTS_OF_CLUSTERS) for server in servers)
        assert ours == real
