"""The client of one server out of cluster mode."""

from pathlib import Path

import pytest
import trio

from tests.conftest import require_redis_server
from tests.processes import ServerProcess, start_redis_server
from trivet_client import AuthenticationError, Client, NoScriptError, ServerError, WrongTypeError


async def test_commands_of_any_keys(own_redis_server: ServerProcess) -> None:
    async with Client(*own_redis_server.address, client_name="me") as client:
        assert await client.mset({"a": 1, "b": 2, "c": 3}) is True
        assert await client.mget("a", "b", "c") == [b"1", b"2", b"3"]
        assert sorted([key async for key in client.scan_iter()]) == [b"a", b"b", b"c"]
        assert b"name=me" in await client.execute("CLIENT", "LIST")
        assert await client.execute("HSET", "h", "f", "v") == 1
        assert await client.execute("HGETALL", "h") == {b"f": b"v"}
        assert await client.delete_nonatomic("a", "b", "c", "h") == 4
        assert await client.execute("RPUSH", "l", "x", "y") == 2
        with pytest.raises(WrongTypeError):
            await client.get("l")
        with pytest.raises(NoScriptError):
            await client.execute("EVALSHA", "0" * 40, 0)
        with pytest.raises(ServerError, match="unknown command"):
            await client.execute("NOSUCH")


async def test_a_restart_is_waited_out(own_redis_server: ServerProcess) -> None:
    async with Client(*own_redis_server.address, retry_timeout_s=20) as client:
        await client.set("k", "v")
        own_redis_server.kill()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, own_redis_server.start)
            assert await client.set("k", "w") is True
        assert await client.get("k") == b"w"


async def test_an_idle_connection_that_the_server_closed_is_not_used(own_redis_server: ServerProcess) -> None:
    """INCR is not repeated after a lost reply, so it would fail if it were sent over a dead connection."""
    async with Client(*own_redis_server.address, retry_timeout_s=20) as client:
        assert await client.incr("n") == 1
        own_redis_server.call("CLIENT", "KILL", "TYPE", "normal")
        assert await client.incr("n") == 2


async def test_passwords(tmp_path: Path) -> None:
    require_redis_server()
    with start_redis_server(tmp_path, "--requirepass", "secret") as server:
        async with Client(*server.address, password="secret") as client:
            assert await client.ping() == b"PONG"
        async with Client(*server.address, username="default", password="secret") as client:
            assert await client.ping() == b"PONG"
        for password in ("wrong", None):
            with pytest.raises(AuthenticationError):
                async with Client(*server.address, password=password):
                    pass


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="retry_lost"):
        Client("h", 1, retry_lost="sometimes")  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        Client("h", 1, no_such_option=1)  # type: ignore[call-overload]
