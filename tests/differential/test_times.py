"""SLOWLOG, LATENCY and the times in INFO, held against redis-server 7.0: everything but the times themselves."""

import re
import socket
import time
from typing import Final

import pytest

from tests.differential.conversations import TIMEOUT_S, converse
from tests.differential.replies import Reply
from tests.processes import ServerProcess, encode_request, read_replies, read_reply

Pair = tuple[ServerProcess, ServerProcess]

_LOG_ALL: Final = "CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 128 latency-monitor-threshold 0"
_LOG_NONE: Final = "CONFIG SET slowlog-log-slower-than -1"
_MANY: Final = " ".join(f"a{number}" for number in range(40))

CONVERSATIONS: Final = [
    ["SLOWLOG", "SLOWLOG FOO", "SLOWLOG GET a", "SLOWLOG GET -2", "SLOWLOG GET 1 2", "SLOWLOG LEN a", "SLOWLOG HELP"],
    ["LATENCY", "LATENCY FOO", "LATENCY HISTORY", "LATENCY HISTORY none", "LATENCY GRAPH none", "LATENCY LATEST"],
    ["LATENCY RESET", "LATENCY RESET none command", "LATENCY DOCTOR", "LATENCY HELP", "LATENCY HISTOGRAM none"],
    ["CONFIG SET latency-monitor-threshold 100000", "LATENCY DOCTOR", "CONFIG SET latency-monitor-threshold 0"],
    ["CONFIG RESETSTAT", "LATENCY HISTOGRAM config|set config get", "INFO commandstats latencystats nothing"],
    [
        "CONFIG SET latency-tracking-info-percentiles '50 100 200'",
        "CONFIG SET latency-tracking-info-percentiles ''",
        "INFO latencystats",
        "CONFIG SET latency-tracking-info-percentiles '0 50 99 99.9 100'",
    ],
]

# What is logged of commands: between these lines and the last one everything is.
LOGGED: Final = {
    "what ran, the newest first": ["SET a 1", "GET a", "NONSENSE", "GET", "LPUSH a x", "CLIENT SETNAME me", "PING"],
    "long requests are cut": [f"MGET {_MANY}", f"SET a {'x' * 128}", f"SET a {'y' * 129}", f"MGET {'z' * 1000} b"],
    "32 arguments are not": ["MGET " + " ".join(["k"] * 31), "MGET " + " ".join(["k"] * 32)],
    "a transaction by its commands": ["MULTI", "SET a 1", "INCR a", "GET", "EXEC", "MULTI", "SET a 1", "DISCARD"],
    "a broken transaction": ["MULTI", "SET a x", "INCR a", "LPUSH a 1", "EXEC"],
    "secrets are not shown": ["AUTH a", "AUTH a b", "HELLO 2 AUTH a b SETNAME x", "CONFIG SET masterauth x hz 10"],
    "nor in other places": [
        "CONFIG SET masterauth ''",
        "MIGRATE h 1 k 0 1 AUTH x",
        "MIGRATE h 1 '' 0 1 AUTH2 a b KEYS k",
    ],
    "a wait in vain is not": ["BLPOP none 0.01", "BRPOPLPUSH none none 0.01", "SET a 1"],
    "what does not wait is": ["RPUSH l a b", "BLPOP l 1", "BLMOVE l l LEFT RIGHT 1", "DEL l"],
    "the log itself": ["SLOWLOG LEN", "SLOWLOG GET 2", "SLOWLOG RESET", "SLOWLOG GET", "GET a"],
    "a shorter log": ["SET a 1", "SET b 2", "SET c 3", "CONFIG SET slowlog-max-len 2", "GET a", "SLOWLOG LEN"],
    "no log": ["CONFIG SET slowlog-max-len 0", "GET a", "SLOWLOG LEN", "CONFIG SET slowlog-max-len 5", "GET b"],
    "a container's subcommand": ["OBJECT ENCODING none", "CONFIG GET hz", "CLIENT GETNAME", "CLIENT FOO"],
}


@pytest.mark.parametrize("resp3", [False, True], ids=["resp2", "resp3"])
@pytest.mark.parametrize("lines", CONVERSATIONS, ids=lambda lines: lines[0])
def test_answers_as_redis_does(pair: Pair, lines: list[str], resp3: bool) -> None:
    ours, real = ([_timeless(reply) for reply in converse(server, lines, resp3)] for server in pair)
    assert ours == real


@pytest.mark.parametrize("what", LOGGED)
def test_logs_what_redis_does(pair: Pair, what: str) -> None:
    logs = []
    for server in pair:
        converse(server, ["FLUSHALL", "CONFIG SET slowlog-max-len 128", _LOG_NONE, "SLOWLOG RESET"])
        answers = converse(server, [_LOG_ALL, *LOGGED[what], _LOG_NONE])
        first = _first_number(server)
        log = converse(server, ["SLOWLOG GET -1", "SLOWLOG LEN"])
        logs.append([[_entry(reply, first) for reply in found] for found in (answers, log)])
    assert logs[0] == logs[1]


def _first_number(server: ServerProcess) -> int:
    """Return the number of the newest entry: numbers are compared with it."""
    entries = server.call("SLOWLOG", "GET", "1")
    return int(entries[0][0]) if entries else 0


def _entry(reply: Reply, first: int) -> Reply:
    """Return a reply with what is known of its entries of the slow log: neither times nor ports, relative numbers."""
    items = reply.items()
    if len(items) == 6 and items[3].kind == b"*" and (number := items[0].integer()) is not None:
        return Reply(b"*", [Reply(b":", b"%d" % (number - first)), items[3], items[5]])
    return Reply(reply.kind, [_entry(item, first) for item in items]) if items else reply


def _timeless(reply: Reply) -> Reply:
    """Return a reply whose times are all the same."""
    if isinstance(reply.value, bytes):
        text = re.sub(rb"(usec|usec_per_call|p[0-9.]+)=[0-9.]+", rb"\1=0", reply.value)
        return Reply(reply.kind, b"\r\n".join(sorted(text.split(b"\r\n"))))
    if reply.items() and reply.items()[0].value == b"calls":
        return Reply(reply.kind, reply.items()[:3])
    return Reply(reply.kind, [_timeless(item) for item in reply.items()] if reply.value is not None else None)


def test_commands_of_scripts_are_logged_as_nobodys(pair: Pair) -> None:
    logs = []
    for server in pair:
        script = "redis.call('set', 'a', '1') redis.pcall('lpush', 'a', 1) return 1"
        converse(server, ["FLUSHALL", "SLOWLOG RESET", "CONFIG RESETSTAT", _LOG_ALL, f'EVAL "{script}" 0', _LOG_NONE])
        entries = server.call("SLOWLOG", "GET", "3")
        logs.append([(entry[3], entry[4] == b"?:0") for entry in entries])
        logs.append([_statistics(server, name) for name in ("eval", "set", "lpush")])
    assert logs[:2] == logs[2:]


def test_a_served_wait_is_logged_with_its_request(pair: Pair) -> None:
    logs = []
    for server in pair:
        converse(server, ["FLUSHALL", "SLOWLOG RESET", "CONFIG RESETSTAT", _LOG_ALL])
        with (
            socket.create_connection(server.address, TIMEOUT_S) as waiting,
            socket.create_connection(server.address, TIMEOUT_S) as other,
        ):
            waiting.sendall(encode_request(["BLPOP", "k", "0"]) * 2)
            _wait_for_blocked(server)
            other.sendall(encode_request(["RPUSH", "k", "a", "b"]))
            assert read_reply(other) == 2
            assert read_replies(waiting, 2) == [[b"k", b"a"], [b"k", b"b"]]
        converse(server, [_LOG_NONE])
        logs.append([entry[3] for entry in server.call("SLOWLOG", "GET", "-1") if entry[3][0] in {b"BLPOP", b"RPUSH"}])
        calls = dict(zip(*[iter(server.call("LATENCY", "HISTOGRAM", "blpop"))] * 2, strict=True))
        logs.append([calls[b"blpop"][1], _statistics(server, "blpop")])
    assert logs[:2] == logs[2:]


def _wait_for_blocked(server: ServerProcess) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while b"blocked_clients:1" not in server.call("INFO", "clients"):
        assert time.monotonic() < deadline


def _statistics(server: ServerProcess, name: str) -> list[str]:
    """Return the counters of a command, without its times."""
    text = server.call("INFO", "commandstats").decode()
    return re.findall(rf"cmdstat_{name}:(calls=\d+),.*(rejected_calls=.*)\r", text)


def test_a_wait_that_ends_with_an_error_has_failed(pair: Pair) -> None:
    seen = []
    for server in pair:
        converse(server, ["FLUSHALL", "XGROUP CREATE s g $ MKSTREAM", "CONFIG RESETSTAT"])
        with socket.create_connection(server.address, TIMEOUT_S) as waiting:
            waiting.sendall(encode_request(["XREADGROUP", "GROUP", "g", "me", "BLOCK", "0", "STREAMS", "s", ">"]))
            _wait_for_blocked(server)
            server.call("DEL", "s")
            answer = str(read_reply(waiting))
        errors = server.call("INFO", "errorstats")
        seen.append((answer, errors, _statistics(server, "xreadgroup")))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("reason", ["TIMEOUT", "ERROR"])
def test_a_wait_that_a_client_ends_has_failed(pair: Pair, reason: str) -> None:
    seen = []
    for server in pair:
        converse(server, ["FLUSHALL", "CONFIG RESETSTAT"])
        with socket.create_connection(server.address, TIMEOUT_S) as waiting:
            waiting.sendall(encode_request(["CLIENT", "ID"]))
            number = read_reply(waiting)
            waiting.sendall(encode_request(["BLPOP", "k", "0"]))
            _wait_for_blocked(server)
            assert server.call("CLIENT", "UNBLOCK", number, reason) == 1
            answer = str(read_reply(waiting))
        counted = server.call("LATENCY", "HISTOGRAM", "blpop") != []
        seen.append((answer, server.call("INFO", "errorstats"), _statistics(server, "blpop"), counted))
    assert seen[0] == seen[1]


def test_slow_commands_are_events_of_the_latency_monitor(pair: Pair) -> None:
    seen = []
    for server in pair:
        converse(server, ["LATENCY RESET", "CONFIG SET latency-monitor-threshold 40 slowlog-log-slower-than 10000"])
        server.call("DEBUG", "SLEEP", "0.05")
        converse(server, ["CONFIG SET latency-monitor-threshold 0"])
        ((event, when_s, last_ms, worst_ms),) = server.call("LATENCY", "LATEST")
        assert abs(when_s - time.time()) < TIMEOUT_S
        assert 40 <= last_ms == worst_ms < TIMEOUT_S * 1000
        history = server.call("LATENCY", "HISTORY", "command")
        assert history == [[when_s, last_ms]]
        graph = _numberless(server.call("LATENCY", "GRAPH", "command"))
        doctor = _numberless(server.call("LATENCY", "DOCTOR")).splitlines()
        seen.append((event, re.sub(r"\n *\d?[sm]?\n", "\n", graph).split("\n")[:6], doctor[:5]))
        assert server.call("LATENCY", "RESET", "Command") == 1
    assert seen[0] == seen[1]


def _numberless(text: bytes) -> str:
    return re.sub(r"[0-9.]+( ?(ms|sec|s))", r"0\1", text.decode())


def test_histograms_have_the_lines_of_redis(pair: Pair) -> None:
    """Which lines there are depends on the times: those of a slow command are the same by their nature."""
    for server in pair:
        converse(server, ["CONFIG RESETSTAT", "DEBUG SLEEP 0", "DEBUG SLEEP 0.05"])
        name, (_, calls, _, lines) = server.call("LATENCY", "HISTOGRAM", "debug")
        assert (name, calls) == (b"debug", 2)
        assert lines[1::2] == [1, 2]
        assert lines[2] in {67_633, 135_266, 270_532}
        info = server.call("INFO", "latencystats").decode()
        assert re.search(r"_debug:p0=[\d.]+,p50=[\d.]+,p99=\d{5,}\.\d{3},p99.9=\d{5,}\.\d{3},p100=[\d.]+\r", info)
        converse(server, ["CONFIG RESETSTAT"])


def test_nothing_is_counted_where_nobody_asks(pair: Pair) -> None:
    for server in pair:
        converse(server, ["CONFIG SET latency-tracking no", "CONFIG RESETSTAT", "SET a 1", "GET a"])
        assert server.call("LATENCY", "HISTOGRAM") == []
        assert b"percentiles" not in server.call("INFO", "latencystats")
        converse(server, ["CONFIG SET latency-tracking yes", "GET a"])
        assert b"latency_percentiles_usec_get:" in server.call("INFO", "latencystats")
