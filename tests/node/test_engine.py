"""Requests into the engine: in any pieces, in any number, right and wrong."""

import random
from collections.abc import Callable

import pytest

from tests.node.engines import START_MS, Node, QuietHost
from trivet_node.client import CLOSE_AFTER_REPLY, Client
from trivet_node.server.scripts.running import gateway_of
from trivet_node.server.state import Server
from trivet_wire.connection import encode_request

CONVERSATION = [
    *[["SET", "k", "v"], ["get", "k"], ["GeT", "none"], ["NOSUCH", "a", "b"], ["GET"], ["SET", "k", "", "EX", "0"]],
    *[["SET", "binary", "\r\n$5\r\n*1"], ["GET", "binary"], ["MULTI"], ["INCR", "n"], ["OBJECT", "ENCODING", "n"]],
    *[["EXEC"], ["HELLO", "3"], ["GET", "none"], ["LCS", "k", "binary", "IDX"], ["OBJECT", "NOSUCH", "k"], ["", "x"]],
]
INLINE = b'SET "a key" \'some value\'\r\n\r\nGET "a key"\nPING\r\n'


def conversation() -> bytes:
    return b"".join(map(encode_request, CONVERSATION)) + INLINE


def test_pieces_of_any_size_give_the_same_replies() -> None:
    node = Node()
    expected = node.send(node.first, conversation())
    assert expected.count(b"\r\n") > 30
    choice = random.Random(1)
    for largest in (1, 2, 7, 50):
        node = Node()
        data = conversation()
        replies = b""
        while data:
            size = choice.randint(1, largest)
            replies += node.send(node.first, data[:size])
            data = data[size:]
        assert replies == expected


def test_a_pipeline_is_answered_in_order() -> None:
    node = Node()
    data = b"".join(encode_request(["INCR", "n"]) for _ in range(10_000))
    assert node.replies(node.send(node.first, data)) == list(range(1, 10_001))


@pytest.mark.parametrize(
    ("request_data", "error"),
    [
        (b"*1\r\n+PING\r\n", "expected '$', got '+'"),
        (b"*x\r\n", "invalid multibulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b'GET "a\r\n', "unbalanced quotes in request"),
    ],
)
def test_a_protocol_error_is_answered_and_ends_the_connection(request_data: bytes, error: str) -> None:
    node = Node()
    reply = node.send(node.first, encode_request(["PING"]) + request_data + encode_request(["SET", "k", "v"]))
    assert reply == b"+PONG\r\n-ERR Protocol error: " + error.encode() + b"\r\n"
    assert node.first.flags & CLOSE_AFTER_REPLY != 0
    assert node.database.size == 0
    assert node.server.stats.error_replies == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["NOSUCH"], "ERR unknown command 'NOSUCH', with args beginning with: "),
        (["NOSUCH", "a", "b"], "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' "),
        (["NO\r\nSUCH"], "ERR unknown command 'NO  SUCH', with args beginning with: "),
        (["x" * 200], f"ERR unknown command '{'x' * 128}', with args beginning with: "),
        (["no", "y" * 200, "z"], f"ERR unknown command 'no', with args beginning with: '{'y' * 128}' "),
        (["GET"], "ERR wrong number of arguments for 'get' command"),
        (["gEt", "a", "b"], "ERR wrong number of arguments for 'get' command"),
        (["OBJECT"], "ERR wrong number of arguments for 'object' command"),
        (["OBJECT", "freq"], "ERR wrong number of arguments for 'object|freq' command"),
        (["object", "NoSuch"], "ERR unknown subcommand 'NoSuch'. Try OBJECT HELP."),
    ],
)
def test_requests_that_cannot_be_dispatched(arguments: list[str], error: str) -> None:
    node = Node()
    assert node.ask(*arguments) == error
    assert node.ask("PING") == b"PONG"


def test_calls_rejections_and_failures_are_counted() -> None:
    node = Node()
    node.asks("SET text x")
    # The rows, and what they count, belong to the process.
    row = node.server.table[b"incr"]
    before = (row.calls, row.failed_calls, row.rejected_calls)
    for request in ("INCR n", "incr text", "INCR", "INCR a b", "INCR n"):
        node.asks(request)
    assert (row.calls, row.failed_calls, row.rejected_calls) == (before[0] + 3, before[1] + 1, before[2] + 2)
    assert node.server.stats.error_replies == 3
    assert node.server.stats.errors == {b"ERR": 3}


def test_time_reaches_keys_through_ticks() -> None:
    node = Node()
    node.asks("SET k v PX 10")
    now_ms = node.keyspace.now_ms
    node.engine.tick(now_ms + 10)
    assert node.database.size == 1
    node.engine.tick(now_ms + 11)
    assert node.database.size == 0


def test_a_flushed_database_is_freed_by_ticks() -> None:
    node = Node()
    for number in range(25_000):
        node.database.put(b"%d" % number, b"x")
    node.asks("FLUSHALL")
    ticks = 1
    while node.engine.tick(int(node.keyspace.now_ms)):
        ticks += 1
    assert 3 <= ticks <= 10


class BusyHost(QuietHost):
    """A world in which a script has been running for long, and another client asks for something meanwhile."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def serve_others(self, busy: Client) -> bool:
        self.meanwhile()
        return True

    def log_exception(self, message: str) -> None:
        self.faults.append(message)


def fails(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Fail as late as a handler can."""
    client.reply.simple(b"half a reply")
    server.propagation.instead([[b"NEVER"]])
    raise ZeroDivisionError


def test_a_fault_in_a_transaction_leaves_the_stream_what_was_done_before(monkeypatch: pytest.MonkeyPatch) -> None:
    host = BusyHost()
    node = Node()
    node.server.host = host
    node.keep_stream()
    monkeypatch.setattr(node.server.table[b"append"], "handler", fails)
    for text in ("MULTI", "SET a 1", "GETDEL a", "APPEND b x"):
        node.asks(text)
    assert b"internal error" in node.send(node.first, b"EXEC\r\n")
    assert len(host.faults) == 1
    assert node.stream() == [[b"SELECT", b"0"], [b"MULTI"], [b"SET", b"a", b"1"], [b"DEL", b"a"], [b"EXEC"]]
    assert node.asks("SET c 1", node.client()) == b"OK"
    assert node.stream() == [[b"SET", b"c", b"1"]]


@pytest.mark.parametrize("propagates", [True, False])
def test_a_fault_in_a_script_leaves_the_stream_all_else(monkeypatch: pytest.MonkeyPatch, propagates: bool) -> None:
    host = BusyHost()
    node = Node()
    node.server.host = host
    node.keep_stream()
    monkeypatch.setattr(node.server.table[b"append"], "handler", fails)
    repl = "" if propagates else "redis.set_repl(redis.REPL_NONE)"
    script = f"redis.call('SET', 'a', '1') {repl} redis.pcall('APPEND', 'b', 'x') return redis.call('INCR', 'n')"
    assert node.ask("EVAL", script, 0) == 1
    assert len(host.faults) == 1
    done = [[b"MULTI"], [b"SET", b"a", b"1"], [b"INCR", b"n"], [b"EXEC"]] if propagates else [[b"SET", b"a", b"1"]]
    assert node.stream() == [[b"SELECT", b"0"], *done]
    assert node.asks("SET c 1") == b"OK"
    assert node.stream() == [[b"SET", b"c", b"1"]]


def test_a_script_is_over_when_its_reply_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    host = BusyHost()
    node = Node()
    node.server.host = host
    node.keep_stream()

    def cannot_encode(*arguments: object) -> list[bytes]:
        raise ZeroDivisionError

    script = "redis.call('SET', 'a', '1') return {1}"
    machine = node.server.programs.machine(gateway_of(node.server))
    with monkeypatch.context() as patches:
        patches.setattr(machine, "_encode", cannot_encode)
        assert b"internal error" in node.send(node.first, encode_request(["EVAL", script, "0"]))
    assert len(host.faults) == 1
    assert node.stream() == [[b"SELECT", b"0"], [b"SET", b"a", b"1"]]
    other = node.client()
    assert node.asks("SCRIPT KILL", other).startswith("NOTBUSY")
    assert node.ask("EVAL", script, 0, client=other) == [1]


def test_a_fault_while_a_script_is_busy_leaves_the_script_its_effects(monkeypatch: pytest.MonkeyPatch) -> None:
    host = BusyHost()
    node = Node()
    node.server.host = host
    node.server.stopwatch.clock.shown_us = (START_MS + 60_000) * 1000
    node.keep_stream()
    other = node.client()
    host.meanwhile = lambda: None if other.is_closing() else node.engine.feed(other, b"MULTI\r\n")
    monkeypatch.setattr(node.server.table[b"multi"], "handler", fails)
    script = "redis.call('SET', 'a', '1') for i = 1, 10000000 do end return redis.call('INCR', 'b')"
    assert node.ask("EVAL", script, 0) == 1
    assert other.is_closing()
    assert len(host.faults) == 1
    assert [words[0] for words in node.stream()] == [b"SELECT", b"MULTI", b"SET", b"INCR", b"EXEC"]
