"""DEBUG held against redis-server: its texts, its digests of the same data, and what it shows of values."""

import random
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import require_redis_server
from tests.differential.conftest import started_pair
from tests.differential.conversations import converse
from tests.differential.replies import Reply
from tests.processes import ServerProcess, start_redis_server, start_trivet_node
from tests.value_samples import MAKERS, ask, requests_for
from trivet_wire.connection import encode_request

_OPTIONS: Final = ("--enable-debug-command", "yes", "--enable-protected-configs", "yes")
_SCRIPT: Final = "\"return redis.call('DEBUG', 'PROTOCOL', 'string')\""
_PROTOCOL_TYPES: Final = (
    *("string", "integer", "double", "bignum", "null", "array", "set", "map", "attrib", "push", "verbatim"),
    *("true", "false", "nonsense"),
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """A node of ours and a redis-server whose protected settings may change."""
    with started_pair(tmp_path_factory, *_OPTIONS) as servers:
        yield servers


CONVERSATIONS: Final = [
    ["DEBUG", "DEBUG FOO", "DEBUG HELP", "DEBUG HELP me", "DEBUG JMAP", "DEBUG digest a", "DEBUG 'a b'"],
    ["DEBUG SLEEP", "DEBUG SLEEP 0", "DEBUG SLEEP a", "DEBUG SLEEP 0.01x", "DEBUG SLEEP -1", "DEBUG SLEEP 0 1"],
    [f"DEBUG PROTOCOL {kind}" for kind in _PROTOCOL_TYPES],
    ["DEBUG PROTOCOL", "DEBUG PROTOCOL string x", "DEBUG ERROR", "DEBUG ERROR 'MINE it is'", 'DEBUG ERROR "a\\nb"'],
    ["CONFIG RESETSTAT", "DEBUG ERROR abc", "INFO errorstats", "DEBUG LOG hello", "DEBUG LOG", "DEBUG LEAK abc"],
    ["DEBUG SET-ACTIVE-EXPIRE 1", "DEBUG SET-ACTIVE-EXPIRE x", "DEBUG SET-ACTIVE-EXPIRE 1", "DEBUG SET-ACTIVE-EXPIRE"],
    ["DEBUG PAUSE-CRON 1", "DEBUG PAUSE-CRON abc", "DEBUG PAUSE-CRON", "DEBUG SET-DISABLE-DENY-SCRIPTS 0"],
    ["DEBUG REPLYBUFFER x y", "DEBUG REPLYBUFFER", "DEBUG REPLYBUFFER PEAK-RESET-TIME x"],
    ["DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER", "DEBUG REPLYBUFFER PEAK-RESET-TIME 100"],
    ["DEBUG REPLYBUFFER PEAK-RESET-TIME reset", "DEBUG REPLYBUFFER RESIZING 0", "DEBUG REPLYBUFFER RESIZING 1"],
    ["DEBUG QUICKLIST-PACKED-THRESHOLD x", "DEBUG QUICKLIST-PACKED-THRESHOLD 4293918720"],
    ["DEBUG QUICKLIST-PACKED-THRESHOLD 4293918721", "DEBUG QUICKLIST-PACKED-THRESHOLD 0", "DEBUG AOF-FLUSH-SLEEP 0"],
    ["DEBUG POPULATE", "DEBUG POPULATE x", "DEBUG POPULATE -1", "DEBUG POPULATE 3 p x", "DEBUG POPULATE 3 a b c"],
    ["FLUSHALL", "DEBUG POPULATE 3", "DEBUG POPULATE 5 p:q 4", "DEBUG POPULATE 2 r 20", "SET key:3 x"],
    ["DEBUG POPULATE 5", "MGET key:0 key:3 key:4 p:q:4 r:1", "DBSIZE", "DEBUG DIGEST", "DEBUG DIGEST-VALUE key:0 0"],
    ["DEBUG RELOAD foo", "DEBUG RELOAD", "DBSIZE", "DEBUG DIGEST", "SET a 1", "DEBUG RELOAD NOSAVE", "DBSIZE", "GET a"],
    ["SET b 1", "SET key:0 x", "DEBUG RELOAD NOSAVE NOFLUSH MERGE", "MGET b key:0", "DEBUG DIGEST"],
    ["WATCH key:0", "DEBUG RELOAD", "MULTI", "PING", "EXEC"],
    ["DEBUG OBJECT", "DEBUG OBJECT none", "DEBUG SDSLEN none", "DEBUG LISTPACK none", "DEBUG QUICKLIST none"],
    ["SET i 5", "DEBUG SDSLEN i", "DEBUG LISTPACK i", "DEBUG QUICKLIST i", "DEBUG HTSTATS-KEY i"],
    ["RPUSH l a b", "DEBUG QUICKLIST l", "DEBUG QUICKLIST l 1", "DEBUG LISTPACK l", "DEBUG QUICKLIST l 1 1"],
    ["HSET h a b", "DEBUG LISTPACK h", "DEBUG HTSTATS-KEY h", "ZADD z 1 a", "DEBUG LISTPACK z", "DEBUG HTSTATS-KEY z"],
    ["DEBUG HTSTATS", "DEBUG HTSTATS-KEY none", "DEBUG HTSTATS x", "DEBUG HTSTATS 99", "DEBUG HTSTATS 15"],
    ["DEBUG MALLCTL", "DEBUG MALLCTL nonsense", "DEBUG MALLCTL-STR nonsense", "DEBUG CONFIG-REWRITE-FORCE-ALL"],
    ["DEBUG CLIENT-EVICTION", "DEBUG CLUSTERLINK KILL to x", "DEBUG DROP-CLUSTER-PACKET-FILTER x"],
    ["DEBUG DROP-CLUSTER-PACKET-FILTER 5", "DEBUG REPLICATE", "DEBUG REPLICATE foo", "DEBUG CHANGE-REPL-ID"],
    ["CONFIG SET maxmemory-clients 10mb", "CONFIG GET maxmemory-clients", "CONFIG SET maxmemory-clients 0"],
    ["DEBUG RESTART x", "DEBUG CRASH-AND-RECOVER x"],
    [f"EVAL {_SCRIPT} 0", "DEBUG SET-DISABLE-DENY-SCRIPTS 1", f"EVAL {_SCRIPT} 0", "DEBUG SET-DISABLE-DENY-SCRIPTS 0"],
]


@pytest.mark.parametrize("resp3", [False, True], ids=["resp2", "resp3"])
@pytest.mark.parametrize("lines", CONVERSATIONS, ids=lambda lines: lines[0])
def test_answers_as_redis_does(pair: tuple[ServerProcess, ServerProcess], lines: list[str], resp3: bool) -> None:
    ours, real = pair
    assert converse(ours, lines, resp3) == converse(real, lines, resp3)


def test_refuses_as_redis_does(tmp_path: Path) -> None:
    require_redis_server()
    lines = ["DEBUG DIGEST", "DEBUG", "DEBUG NONSENSE"]
    for setting in ("no", "local"):
        option = ("--enable-debug-command", setting)
        with start_trivet_node(tmp_path, *option) as ours, start_redis_server(tmp_path, *option) as real:
            assert converse(ours, lines) == converse(real, lines)


def _connect(server: ServerProcess) -> socket.socket:
    return socket.create_connection(server.address, 20)


def _both(pair: tuple[ServerProcess, ServerProcess], requests: list[list[bytes]]) -> list[tuple[Any, Any]]:
    """Ask both servers, over one connection each."""
    answers = []
    for server in pair:
        with _connect(server) as connection:
            answers.append(ask(connection, requests))
    return list(zip(*answers, strict=True))


def test_the_same_data_has_the_same_digest_before_and_after_a_reload(pair: tuple[ServerProcess, ServerProcess]) -> None:
    chance = random.Random(7)
    requests = [[b"FLUSHALL"]]
    keys: dict[int, list[bytes]] = {}
    for database in (0, 3, 15):
        requests.append([b"SELECT", b"%d" % database])
        keys[database] = [b"key:%d" % number for number in range(150)]
        for key in keys[database]:
            requests += requests_for(chance, key)
            if chance.random() < 0.2:
                requests.append([b"PEXPIRE", key, b"%d" % chance.randint(10**8, 10**9)])
    _both(pair, requests)
    for database, named in keys.items():
        questions = [[b"SELECT", b"%d" % database], *[[b"DEBUG", b"DIGEST-VALUE", key] for key in named]]
        for question, (one, other) in zip(questions, _both(pair, questions), strict=True):
            assert one == other, question
    (first, second), *_ = _both(pair, [[b"DEBUG", b"DIGEST"]])
    assert first == second != b"0" * 40
    answers = _both(pair, [[b"DEBUG", b"RELOAD"], [b"DEBUG", b"DIGEST"]])
    assert answers == [(b"OK", b"OK"), (first, first)]


_OBJECT: Final = re.compile(
    rb"Value at:0x[0-9a-f]+ (refcount:\d+ encoding:\w+ serializedlength:\d+) lru:(\d+) lru_seconds_idle:\d+(.*)"
)


def test_objects_are_described_alike(pair: tuple[ServerProcess, ServerProcess]) -> None:
    """Of every type and encoding; only how long lists are cut into nodes is each server's own affair."""
    chance = random.Random(8)
    keys = [b"o:%d" % number for number in range(120)]
    requests = [[b"FLUSHALL"]]
    for number, key in enumerate(keys):
        requests += MAKERS[number % len(MAKERS)](chance, key)
    _both(pair, requests)
    for key, answers in zip(keys, _both(pair, [[b"DEBUG", b"OBJECT", key] for key in keys]), strict=True):
        one, other = [_OBJECT.fullmatch(answer) for answer in answers]
        assert one is not None and other is not None, answers
        assert abs(int(one[2]) - int(other[2])) < 100, answers
        if b"hashtable" in other[1]:
            # In another order it may be compressed to another size.
            assert one[1].split()[:2] == other[1].split()[:2], key
        elif b"ql_nodes" not in other[3] or (b"ql_nodes:1 " in one[3] and b"ql_nodes:1 " in other[3]):
            assert one.groups()[::2] == other.groups()[::2], key


def test_packs_are_printed_alike(tmp_path: Path) -> None:
    require_redis_server()
    texts = [b"a", b"12345", b"-7", b"x" * 50, b"y" * 200, b"", b"1" * 30]
    found = []
    for start in (start_trivet_node, start_redis_server):
        with start(tmp_path, *_OPTIONS) as server, _connect(server) as connection:
            requests = [[b"HSET", b"h", *texts, b"z"], [b"RPUSH", b"l", *texts], [b"DEBUG", b"LISTPACK", b"h"]]
            requests += [[b"DEBUG", b"QUICKLIST", b"l", full] for full in (b"0", b"1")]
            ask(connection, requests)
            server.stop()
            printed = server.log().partition("{total bytes")[2]
            found.append(re.sub("0x[0-9a-f]+|\n\\d+:.*", "", printed.rpartition("}")[0]))
    assert found[0] == found[1] != ""


def test_errors_say_nothing_but_what_they_are_told(pair: tuple[ServerProcess, ServerProcess]) -> None:
    ours, _ = pair
    with _connect(ours) as connection:
        connection.sendall(encode_request(["DEBUG", "ERROR", "WHY not"]))
        assert connection.recv(100) == b"-WHY not\r\n"


def test_help_is_that_of_redis(pair: tuple[ServerProcess, ServerProcess]) -> None:
    one, other = [converse(server, ["DEBUG HELP"])[0] for server in pair]
    assert isinstance(one, Reply) and one == other
