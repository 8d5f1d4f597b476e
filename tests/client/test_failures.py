"""The client against nodes that fail in chosen ways."""

import contextlib
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from tests.client.scripted import HELLO, UNKNOWN, Handler, scripted, shards
from tests.processes import HOST, free_port
from trivet_client import AuthenticationError, Client, ClusterClient, ClusterUnavailable, ConnectionLost, ServerError
from trivet_client.discovery import first_answer
from trivet_client.options import Address

OK = b"+OK\r\n"


def answers(*replies: bytes | None, to: bytes) -> Handler:
    """Answer the command `to` with each of `replies` once and with the last one from then on, others as unknown."""
    left = list(replies)

    async def answer(request: list[bytes]) -> bytes | None:
        if request[0] != to:
            return UNKNOWN
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


async def test_a_lost_reply_to_a_safe_write_is_retried() -> None:
    async with scripted(answers(None, None, OK, to=b"SET")) as server, ClusterClient([server.address]) as client:
        assert await client.set("k", "v") is True
        assert server.names() == [b"SET"] * 3


async def test_a_lost_reply_to_another_write_is_for_the_caller_to_judge() -> None:
    async with scripted(answers(None, b":1\r\n", to=b"INCR")) as server, ClusterClient([server.address]) as client:
        with pytest.raises(ConnectionLost, match=r"INCR was sent, its outcome is unknown: .*closed by the peer"):
            await client.incr("k")
        assert server.names() == [b"INCR"]


async def test_a_lost_reply_is_retried_where_the_caller_wants_that() -> None:
    async with (
        scripted(answers(None, b":1\r\n", to=b"INCR")) as server,
        ClusterClient([server.address], retry_lost="always") as client,
    ):
        assert await client.incr("k") == 1


async def test_commands_of_a_pipeline_behind_a_lost_reply_are_judged_one_by_one() -> None:
    async with scripted(answers(b":1\r\n", None, to=b"INCR")) as server, ClusterClient([server.address]) as client:
        async with client.pipeline() as pipeline:
            first = pipeline.incr("k")
            pipeline.incr("k")
            with pytest.raises(ConnectionLost):
                await pipeline.execute()
        assert await first == 1


async def test_errors_that_pass_are_waited_out() -> None:
    passing = [b"-LOADING x\r\n", b"-CLUSTERDOWN x\r\n", b"-TRYAGAIN x\r\n", b"-READONLY x\r\n", b":1\r\n"]
    async with scripted(answers(*passing, to=b"INCR")) as server, ClusterClient([server.address]) as client:
        assert await client.incr("k") == 1


async def test_after_the_deadline_the_last_cause_is_named() -> None:
    async with (
        scripted(answers(b"-CLUSTERDOWN The cluster is down\r\n", to=b"SET")) as server,
        ClusterClient([server.address], retry_timeout_s=0.3) as client,
    ):
        with trio.fail_after(2), pytest.raises(ClusterUnavailable, match=r"SET could not be done.*The cluster is down"):
            await client.set("k", "v")


async def test_an_error_of_the_server_is_raised_at_once() -> None:
    async with scripted(answers(b"-ERR no\r\n", to=b"SET")) as server, ClusterClient([server.address]) as client:
        with pytest.raises(ServerError, match=r"^ERR no$"):
            await client.set("k", "v")
        assert server.names() == [b"SET"]


async def test_moved_is_followed_and_remembered() -> None:
    async with scripted(answers(OK, to=b"SET")) as new:
        moved = f"-MOVED 12182 {new.address}\r\n".encode()
        async with scripted(answers(moved, to=b"SET")) as old, ClusterClient([old.address]) as client:
            await client.set("foo", "v")
            assert client.topology.owners[12182] is not None
            assert (old.names(), new.names()) == ([b"SET"], [b"SET"])


async def test_ask_is_followed_behind_asking_and_not_remembered() -> None:
    async def new_node(request: list[bytes]) -> bytes | None:
        return OK if request[0] in (b"SET", b"ASKING") else UNKNOWN

    async with scripted(new_node) as new:
        ask = f"-ASK 12182 {new.address}\r\n".encode()
        async with scripted(answers(ask, to=b"SET")) as old, ClusterClient([old.address]) as client:
            async with client.pipeline() as pipeline:
                pipeline.set("foo", "v")
                pipeline.set("foo", "w")
                assert await pipeline.execute() == [True, True]
            assert new.names() == [b"ASKING", b"SET"] * 2
            assert list(client.topology.primaries) == [old.address]


async def test_the_map_is_asked_for_by_slots_where_shards_is_unknown() -> None:
    async def redis_6(request: list[bytes]) -> bytes | None:
        if request[:2] == [b"CLUSTER", b"SHARDS"]:
            return b"-ERR Unknown subcommand or wrong number of arguments for 'SHARDS'\r\n"
        if request[:2] == [b"CLUSTER", b"SLOTS"]:
            return b"*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$0\r\n\r\n:%d\r\n$2\r\nid\r\n" % server.address.port
        return OK if request[0] == b"SET" else UNKNOWN

    async with scripted(redis_6) as server, ClusterClient([server.address]) as client:
        assert await client.set("k", "v") is True


async def test_servers_without_hello_are_spoken_to_in_resp2() -> None:
    async def redis_5(request: list[bytes]) -> bytes | None:
        if request[0] == b"HELLO":
            return b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"
        return OK if request[0] in (b"AUTH", b"CLIENT", b"SET") else UNKNOWN

    async with (
        scripted(redis_5) as server,
        Client(*server.address, password="secret", client_name="me") as client,
    ):
        await client.set("k", "v")
        assert [b"AUTH", b"secret"] in server.requests
        assert [b"CLIENT", b"SETNAME", b"me"] in server.requests
        assert server.requests[-1] == [b"SET", b"k", b"v"]


async def test_a_wrong_password_is_not_retried() -> None:
    async with scripted(answers(b"-WRONGPASS invalid\r\n", to=b"HELLO")) as server:
        with trio.fail_after(2), pytest.raises(AuthenticationError):
            async with ClusterClient([server.address], password="wrong"):
                pass
        with trio.fail_after(2), pytest.raises(AuthenticationError):
            async with Client(*server.address, password="wrong"):
                pass


async def test_too_many_clients_is_waited_out() -> None:
    replies = [b"-ERR max number of clients reached\r\n"] * 3 + [HELLO]
    async with scripted(answers(*replies, to=b"HELLO")) as server, ClusterClient([server.address]) as client:
        assert len(client.topology.primaries) == 1


def silent_to(name: bytes) -> tuple[Handler, trio.Event]:
    """Answer everything but `name`, which waits until the event is set."""
    event = trio.Event()

    async def answer(request: list[bytes]) -> bytes | None:
        if request[0] != name:
            return UNKNOWN
        await event.wait()
        return b"$1\r\nv\r\n"

    return answer, event


async def test_a_silent_node_is_waited_for_no_longer_than_the_response_timeout() -> None:
    answer, _ = silent_to(b"INCR")
    async with scripted(answer) as server, ClusterClient([server.address], response_timeout_s=0.2) as client:
        with trio.fail_after(2), pytest.raises(ConnectionLost, match="outcome is unknown"):
            await client.incr("k")


async def test_blocking_commands_wait_longer_than_the_response_timeout() -> None:
    answer, event = silent_to(b"BLPOP")
    command = b"*1\r\n*6\r\n$5\r\nblpop\r\n:-3\r\n*1\r\n+blocking\r\n:1\r\n:-2\r\n:1\r\n"

    async def node(request: list[bytes]) -> bytes | None:
        return command if request[0] == b"COMMAND" else await answer(request)

    async with (
        scripted(node) as server,
        ClusterClient([server.address], response_timeout_s=0.1) as client,
        trio.open_nursery() as nursery,
    ):

        async def release() -> None:
            await trio.sleep(0.5)
            event.set()

        nursery.start_soon(release)
        assert await client.execute("BLPOP", "k", 0) == b"v"


async def test_a_cancelled_call_does_not_leave_its_reply_to_the_next_one() -> None:
    answer, event = silent_to(b"GET")

    async def node(request: list[bytes]) -> bytes | None:
        return b"$5\r\nother\r\n" if request == [b"GET", b"other"] else await answer(request)

    async with scripted(node) as server, ClusterClient([server.address]) as client:
        with trio.move_on_after(0.1) as scope:
            await client.get("k")
        assert scope.cancelled_caught
        event.set()
        assert await client.get("other") == b"other"


async def test_a_hanging_node_is_left_as_soon_as_the_others_call_it_failed() -> None:
    """Long before the response timeout: the safe command goes on to who serves the slot now."""
    answer, _ = silent_to(b"GET")
    has_failed = False

    async def witness(request: list[bytes]) -> bytes | None:
        if request[0] == b"CLUSTER":
            return shards(heir.address) if has_failed else shards(hanging.address)
        return UNKNOWN

    async def hang(request: list[bytes]) -> bytes | None:
        if request[0] == b"CLUSTER":
            await trio.sleep_forever()
        return await answer(request)

    async def fail_over() -> None:
        nonlocal has_failed
        await trio.sleep(0.3)
        has_failed = True

    async with (
        scripted(hang) as hanging,
        scripted(answers(b"$1\r\nw\r\n", to=b"GET")) as heir,
        scripted(witness) as other,
        ClusterClient([other.address], response_timeout_s=30, retry_lost="always") as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(fail_over)
        with trio.fail_after(5):
            assert await client.get("k") == b"w"


async def test_dead_nodes_among_the_startup_nodes_cost_a_moment_only() -> None:
    async with scripted(answers(OK, to=b"SET")) as server:
        nodes = [(HOST, free_port()) for _ in range(5)] + [server.address]
        started = trio.current_time()
        async with ClusterClient(nodes) as client:
            await client.set("k", "v")
        assert trio.current_time() - started < 1


async def test_a_cluster_that_is_not_there_is_said_to_be_unavailable() -> None:
    port = free_port()
    with trio.fail_after(3), pytest.raises(ClusterUnavailable, match=f"{HOST}:{port}"):
        async with ClusterClient([(HOST, port)], retry_timeout_s=0.3):
            pass


async def test_a_callers_own_exception_comes_out_as_it_is() -> None:
    async with scripted(answers(OK, to=b"SET")) as server:
        with pytest.raises(LookupError, match="mine"):
            async with ClusterClient([server.address]):
                raise LookupError("mine")


async def test_a_callers_cancellation_works_through_the_client() -> None:
    async with scripted(answers(OK, to=b"SET")) as server:
        with trio.move_on_after(0.2) as scope:
            async with ClusterClient([server.address]):
                await trio.sleep_forever()
        assert scope.cancelled_caught


async def test_a_client_outside_of_its_with_statement_is_a_mistake() -> None:
    async with scripted(answers(OK, to=b"SET")) as server:
        client = ClusterClient([server.address])
        for _ in range(2):
            with pytest.raises(RuntimeError, match="async with"):
                await client.set("k", "v")
            async with client:
                assert await client.set("k", "v") is True


async def test_connections_are_used_again_and_limited() -> None:
    async with (
        scripted(answers(b"$1\r\nv\r\n", to=b"GET")) as server,
        ClusterClient([server.address], max_connections_per_node=3) as client,
    ):
        before = server.connections
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(client.get, f"k{number}")
        assert server.connections - before <= 3


def asking(times_s: dict[Address, float | None]) -> Callable[[Address], Awaitable[Address]]:
    """Return a question that each address answers after its time, or refuses at once."""

    async def ask(address: Address) -> Address:
        time_s = times_s[address]
        if time_s is None:
            raise OSError("refused")
        await trio.sleep(time_s)
        return address

    return ask


SLOW, QUICK, DEAD = Address("slow", 1), Address("quick", 1), Address("dead", 1)


@pytest.mark.parametrize(
    ("candidates", "winner"),
    [([SLOW, QUICK], QUICK), ([DEAD, SLOW], SLOW), ([DEAD, DEAD, QUICK], QUICK), ([QUICK, SLOW], QUICK)],
)
async def test_the_first_answer_counts(
    candidates: list[Address], winner: Address, autojump_clock: trio.testing.MockClock
) -> None:
    assert await first_answer(candidates, asking({SLOW: 10.0, QUICK: 0.01, DEAD: None})) == winner


async def test_nobody_who_answers_is_named(autojump_clock: trio.testing.MockClock) -> None:
    with pytest.raises(ClusterUnavailable, match="dead:1: refused"):
        await first_answer([DEAD], asking({DEAD: None}))


async def test_a_slow_candidate_is_overtaken_after_a_tenth_of_a_second(autojump_clock: trio.testing.MockClock) -> None:
    started = trio.current_time()
    with contextlib.suppress(ClusterUnavailable):
        await first_answer([SLOW, QUICK], asking({SLOW: 10.0, QUICK: 0.01}))
    assert 0.1 <= trio.current_time() - started < 0.2
