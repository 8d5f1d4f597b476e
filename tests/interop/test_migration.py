"""MIGRATE between our nodes and redis-server: values of every type move whole, and come back."""

import random
import signal
import socket
from pathlib import Path

import hiredis
import pytest

from tests.conftest import require_redis_server
from tests.processes import HOST, ServerProcess, start_redis_server, start_trivet_node
from tests.value_samples import ask, contents, requests_for

KEYS = [b"value:%d" % number for number in range(200)]
DATABASES = range(2)


def migrate(source: ServerProcess, target: ServerProcess, *options: str | bytes, timeout_ms: int = 5000) -> object:
    return source.call("MIGRATE", HOST, target.port, "", 1, timeout_ms, *options, timeout_s=20)


@pytest.mark.parametrize("seed", range(2))
def test_values_move_to_redis_and_back(tmp_path: Path, seed: int) -> None:
    require_redis_server()
    with start_trivet_node(tmp_path) as node, start_redis_server(tmp_path) as redis:
        chance = random.Random(seed)
        with socket.create_connection(node.address, 10) as connection:
            for key in KEYS:
                ask(connection, requests_for(chance, key))
            ask(connection, [[b"PEXPIREAT", KEYS[0], b"4000000000000"]])
        expected = {(1, key): value for (_, key), value in contents(node, DATABASES).items()}
        # A deadline travels as what is left of it, so it comes back a little later.
        expected.pop((1, KEYS[0]))
        assert migrate(node, redis, "COPY", "KEYS", *KEYS) == b"OK"
        assert node.call("DBSIZE") == len(KEYS)
        assert "BUSYKEY" in str(migrate(node, redis, "KEYS", *KEYS))
        assert migrate(node, redis, "REPLACE", "KEYS", *KEYS) == b"OK"
        assert node.call("DBSIZE") == 0
        moved = contents(redis, DATABASES)
        assert abs(moved.pop((1, KEYS[0]))[-1] - 4_000_000_000_000) < 10_000
        assert moved == expected
        with socket.create_connection(redis.address, 10) as connection:
            back = [[b"MIGRATE", HOST.encode(), b"%d" % node.port, key, b"1", b"5000"] for key in KEYS]
            replies = ask(connection, [[b"SELECT", b"1"], *back])
        assert replies == [b"OK"] * (1 + len(KEYS))
        returned = contents(node, DATABASES)
        returned.pop((1, KEYS[0]))
        assert returned == expected


def test_passwords_and_silence(tmp_path: Path) -> None:
    require_redis_server()
    with start_trivet_node(tmp_path) as node, start_redis_server(tmp_path, "--requirepass", "secret") as redis:
        node.call("SET", "k", "v")
        assert "NOAUTH" in str(migrate(node, redis, "KEYS", "k"))
        assert "WRONGPASS" in str(migrate(node, redis, "AUTH", "wrong", "KEYS", "k"))
        redis.send_signal(signal.SIGSTOP)
        try:
            reply = migrate(node, redis, "AUTH", "secret", "KEYS", "k", timeout_ms=100)
            assert isinstance(reply, hiredis.ReplyError)
            assert str(reply) == "IOERR error or timeout reading to target instance"
        finally:
            redis.send_signal(signal.SIGCONT)
        assert node.call("GET", "k") == b"v"
        assert migrate(node, redis, "AUTH2", "default", "secret", "REPLACE", "KEYS", "k") == b"OK"
        assert node.call("EXISTS", "k") == 0
