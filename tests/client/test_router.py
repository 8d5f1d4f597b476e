"""Routing decisions: where calls go, and what becomes of them. No I/O."""

import random

import pytest

from trivet_client.command_table import CommandTable
from trivet_client.errors import CrossSlotError
from trivet_client.options import Address, Options
from trivet_client.router import (
    BACKOFF_MAX_S,
    REDIRECTIONS_AT_ONCE,
    Call,
    Router,
    Verdict,
    concerns_connection,
    is_repeatable,
)
from trivet_client.topology import EMPTY, Shard, Topology
from trivet_wire.connection import ErrorReply
from trivet_wire.slots import SLOT_COUNT, key_slot

A, B, C, REPLICA = (Address("h", port) for port in (1, 2, 3, 4))
HALF = SLOT_COUNT // 2
TABLE = CommandTable(
    [
        [b"get", 2, [b"readonly", b"fast"], 1, 1, 1],
        [b"set", -3, [b"write"], 1, 1, 1],
        [b"mget", -2, [b"readonly"], 1, -1, 1],
        [b"incr", 2, [b"write"], 1, 1, 1],
        [b"dbsize", 1, [b"readonly"], 0, 0, 0],
        [b"publish", 3, [b"pubsub"], 0, 0, 0],
        [b"ping", -1, [b"fast"], 0, 0, 0],
    ]
)
# Slots 12182 and 5061.
HIGH_KEY, LOW_KEY = "foo", "bar"


def topology(**changes: frozenset[Address]) -> Topology:
    return Topology((Shard(A, (REPLICA,)),) * HALF + (Shard(B),) * HALF, **changes)


def router(topology: Topology, seed: int = 0, clustered: bool = True, **options: object) -> Router:
    made = Router(topology, Options(**options), random.Random(seed), clustered)  # type: ignore[arg-type]
    made.table = TABLE
    return made


def test_keys_decide_where_a_command_goes() -> None:
    routing = router(topology())
    assert routing.target(routing.call(["SET", LOW_KEY, "v"])) == A
    assert routing.target(routing.call(["SET", HIGH_KEY, "v"])) == B
    assert routing.call(["GET", HIGH_KEY]).slot == key_slot(b"foo")


def test_commands_without_keys_go_to_any_live_primary() -> None:
    routing = router(topology(failed=frozenset({A})))
    assert {routing.target(routing.call(["PING"])) for _ in range(20)} == {B}
    routing = router(topology())
    assert {routing.target(routing.call(["PING"])) for _ in range(50)} == {A, B}


def test_published_messages_meet_their_subscribers() -> None:
    routing = router(topology())
    assert {routing.target(routing.call(["PUBLISH", HIGH_KEY, "x"])) for _ in range(20)} == {B}


def test_keys_of_several_slots_are_refused_as_the_server_would() -> None:
    with pytest.raises(CrossSlotError, match=r"^CROSSSLOT Keys in request don't hash to the same slot$"):
        router(topology()).call(["MGET", LOW_KEY, HIGH_KEY])
    assert router(topology()).call(["MGET", "{a}1", "{a}2"]).slot == key_slot(b"a")


def test_a_server_out_of_a_cluster_takes_keys_of_any_slots() -> None:
    routing = router(topology(), clustered=False)
    assert routing.call(["MGET", LOW_KEY, HIGH_KEY]).slot is None


@pytest.mark.parametrize("line", ["MULTI", "watch k", "SELECT 1", "CLIENT REPLY OFF", "client tracking on", "quit"])
def test_commands_about_the_connection_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match="concerns one connection"):
        router(topology()).call(line.split())


@pytest.mark.parametrize("line", [b"CLIENT LIST", b"CLIENT", b"GET MULTI", b"CONFIG SET a b"])
def test_others_are_not(line: bytes) -> None:
    assert not concerns_connection(line.split())


def test_nobody_is_asked_while_nobody_lives() -> None:
    routing = router(topology(failed=frozenset({A, B})))
    assert routing.target(routing.call(["SET", LOW_KEY, "v"])) is None
    assert routing.target(routing.call(["PING"])) is None
    assert router(EMPTY).target(routing.call(["GET", LOW_KEY])) is None


def test_reads_go_to_replicas_only_if_wished_and_only_at_first() -> None:
    wishing = router(topology(), read_from_replicas=True)
    call = wishing.call(["GET", LOW_KEY])
    assert wishing.target(call) == REPLICA
    assert wishing.judge_error(call, ErrorReply("MASTERDOWN Link with MASTER is down"), REPLICA) is Verdict.LATER
    assert wishing.target(call) == A
    assert wishing.target(wishing.call(["SET", LOW_KEY, "v"])) == A
    assert wishing.target(wishing.call(["GET", HIGH_KEY])) == B
    assert router(topology()).target(router(topology()).call(["GET", LOW_KEY])) == A


def test_moved_changes_the_map_for_everybody() -> None:
    routing = router(topology())
    call = routing.call(["GET", LOW_KEY])
    assert routing.judge_error(call, ErrorReply(f"MOVED {call.slot} h:3"), A) is Verdict.AGAIN
    assert routing.target(call) == C
    assert routing.target(routing.call(["SET", LOW_KEY, "v"])) == C


def test_moved_without_a_host_means_the_one_that_said_so() -> None:
    routing = router(topology())
    call = routing.call(["GET", LOW_KEY])
    routing.judge_error(call, ErrorReply(f"MOVED {call.slot} :3"), Address("elsewhere", 1))
    assert routing.target(call) == ("elsewhere", 3)


def test_a_replica_that_redirects_is_not_asked_again() -> None:
    routing = router(topology(), read_from_replicas=True)
    call = routing.call(["GET", LOW_KEY])
    assert routing.judge_error(call, ErrorReply(f"MOVED {call.slot} h:1"), REPLICA) is Verdict.AGAIN
    assert routing.target(call) == A


def test_ask_holds_for_one_attempt_of_one_call() -> None:
    routing = router(topology())
    call = routing.call(["GET", LOW_KEY])
    assert routing.judge_error(call, ErrorReply(f"ASK {call.slot} h:3"), A) is Verdict.AGAIN
    assert (routing.target(call), call.asking_at) == (C, C)
    assert routing.target(routing.call(["GET", LOW_KEY])) == A
    assert routing.judge_error(call, ErrorReply("TRYAGAIN Multiple keys request during rehashing of slot"), C)
    assert (routing.target(call), call.asking_at) == (A, None)


def test_nodes_that_redirect_to_each_other_are_waited_for() -> None:
    routing = router(topology())
    call = routing.call(["GET", LOW_KEY])
    verdicts = [
        routing.judge_error(call, ErrorReply(f"MOVED {call.slot} h:{3 + turn % 2}"), A)
        for turn in range(REDIRECTIONS_AT_ONCE)
    ]
    assert verdicts == [Verdict.AGAIN] * (REDIRECTIONS_AT_ONCE - 1) + [Verdict.LATER]


@pytest.mark.parametrize("text", ["MOVED", "MOVED x h:1", "MOVED 1 nowhere", "ASK 1"])
def test_redirections_that_make_no_sense_are_answers(text: str) -> None:
    routing = router(topology())
    assert routing.judge_error(routing.call(["GET", LOW_KEY]), ErrorReply(text), A) is Verdict.ANSWER


@pytest.mark.parametrize("code", ["CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN", "READONLY", "UNBLOCKED"])
def test_errors_that_pass_are_waited_out(code: str) -> None:
    routing = router(topology())
    call = routing.call(["INCR", LOW_KEY])
    assert routing.judge_error(call, ErrorReply(f"{code} for now"), A) is Verdict.LATER
    assert call.last_cause == f"h:1 answered '{code} for now'"


@pytest.mark.parametrize("text", ["ERR syntax error", "WRONGTYPE x", "OOM x", "NOAUTH x", "NOREPLICAS x", "BUSY x"])
def test_other_errors_are_answers(text: str) -> None:
    routing = router(topology())
    assert routing.judge_error(routing.call(["SET", LOW_KEY, "v"]), ErrorReply(text), A) is Verdict.ANSWER


@pytest.mark.parametrize(
    ("retry_lost", "line", "verdict"),
    [
        ("safe", "GET bar", Verdict.LATER),
        ("safe", "SET bar v", Verdict.LATER),
        ("safe", "SET bar v NX", Verdict.ANSWER),
        ("safe", "INCR bar", Verdict.ANSWER),
        ("always", "INCR bar", Verdict.LATER),
        ("never", "SET bar v", Verdict.ANSWER),
        ("never", "GET bar", Verdict.ANSWER),
    ],
)
def test_a_lost_reply_is_retried_as_the_user_wishes(retry_lost: str, line: str, verdict: Verdict) -> None:
    routing = router(topology(), retry_lost=retry_lost)
    assert routing.judge_loss(routing.call(line.split()), A, True, "reset") is verdict


@pytest.mark.parametrize("retry_lost", ["safe", "always", "never"])
def test_what_was_never_sent_is_always_retried(retry_lost: str) -> None:
    routing = router(topology(), retry_lost=retry_lost)
    call = routing.call(["INCR", LOW_KEY])
    assert routing.judge_loss(call, A, False, "refused") is Verdict.LATER
    assert call.last_cause == "h:1: refused"


@pytest.mark.parametrize(
    ("line", "repeatable"),
    [
        (b"SET k v", True),
        (b"SET k v EX 10 KEEPTTL", True),
        (b"SET nx get", True),
        (b"set k v get", False),
        (b"SET k v nx", False),
        (b"EXPIRE k 10", True),
        (b"EXPIRE k 10 GT", False),
        (b"MSET a nx b xx", True),
        (b"DEL k", False),
        (b"APPEND k v", False),
        (b"PING", True),
        (b"NOSUCH k", False),
    ],
)
def test_what_may_run_twice(line: bytes, repeatable: bool) -> None:
    assert is_repeatable(line.split()) is repeatable


def test_pauses_double_and_are_capped_and_jittered() -> None:
    routing = router(topology(), seed=7)
    call = routing.call(["GET", LOW_KEY])

    def longest(attempts: int) -> float:
        call.attempts = attempts
        pauses = [routing.backoff_s(call) for _ in range(200)]
        assert min(pauses) < max(pauses) * 0.6
        return max(pauses)

    assert longest(1) < longest(2) < longest(3) < longest(4)
    assert longest(30) <= longest(5000) + 0.01 <= BACKOFF_MAX_S + 0.01


def test_calls_to_all_primaries_follow_the_slots() -> None:
    routing = router(topology(), read_from_replicas=True)
    calls = routing.calls_to_all_primaries(["DBSIZE"])
    assert [routing.target(call) for call in calls] == [A, B]
    routing.topology = Topology((Shard(REPLICA),) * HALF + (Shard(B),) * HALF)
    assert [routing.target(call) for call in calls] == [REPLICA, B]


def test_decisions_repeat_from_a_seed() -> None:
    def targets(seed: int) -> list[Address | None]:
        routing = router(topology(), seed)
        return [routing.target(Call([b"PING"], None, TABLE.info([b"PING"]))) for _ in range(30)]

    assert targets(1) == targets(1)
    assert targets(1) != targets(2)
