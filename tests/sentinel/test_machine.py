"""The machine from outside: detection, elections, failover, TILT, one rule a test."""

import pytest

from tests.sentinel.machines import (
    MY_ID,
    OTHER_ID,
    PRIMARY,
    REPLICA,
    SECOND_REPLICA,
    THIRD_ID,
    Bench,
)
from trivet_sentinel import groups
from trivet_sentinel.events import LinkLost, SaveState, Tick, Transmit
from trivet_sentinel.state import Address, FailoverState, Reconfiguration
from trivet_wire.connection import ErrorReply

PRIMARY_INFO = {"run_id": "p", "role": "master", "connected_slaves": "2"}
PRIMARY_INFO["slave0"] = "ip=10.0.0.2,port=6379,state=online,offset=1,lag=0"
PRIMARY_INFO["slave1"] = "ip=10.0.0.3,port=6379,state=online,offset=1,lag=0"


def replica_info(offset: int = 10, priority: int = 100) -> dict[str, str]:
    """INFO of a healthy replica."""
    return {
        "run_id": "r",
        "role": "slave",
        "master_host": PRIMARY.host,
        "master_port": "6379",
        "master_link_status": "up",
        "slave_repl_offset": str(offset),
        "slave_priority": str(priority),
    }


PEER_HOSTS = {OTHER_ID: "10.1.0.1", THIRD_ID: "10.1.0.2"}


def healthy_bench(peers: int = 2, quorum: int = 2) -> Bench:
    """A bench whose primary, replicas and peers have all answered."""
    bench = Bench(quorum)
    bench.info = {PRIMARY.host: PRIMARY_INFO, REPLICA.host: replica_info(), SECOND_REPLICA.host: replica_info()}
    for run_id in (OTHER_ID, THIRD_ID)[:peers]:
        bench.add_peer(run_id, PEER_HOSTS[run_id])
    bench.open_all()
    bench.answer_all()
    bench.live(2000)
    return bench


def lose_primary(bench: Bench) -> None:
    """Break the connection to the primary and let it stay broken until it counts as down."""
    bench.dead.add(PRIMARY.host)
    bench.step(LinkLost(bench.group.primary.link.id, "reset"))
    bench.live(1000)


def agree(bench: Bench, run_id: str, leader: str = "*", epoch: int = 0) -> None:
    """Let a peer answer from now on that the primary is down, and whom it voted for last."""
    bench.verdicts[PEER_HOSTS[run_id]] = [1, leader.encode(), epoch]


def run_for_leader(bench: Bench) -> None:
    """Bring the machine to the point where it asks for votes in epoch 1, and nobody has answered."""
    lose_primary(bench)
    agree(bench, OTHER_ID)
    agree(bench, THIRD_ID)
    while bench.group.failover is None:
        bench.live(10, step_ms=10)
        assert bench.count("+sdown master") < 2


def lead(bench: Bench) -> None:
    """Bring the machine to the point where it has sent the promotion in epoch 1."""
    run_for_leader(bench)
    agree(bench, OTHER_ID, MY_ID, 1)
    while bench.group.failover is not None and bench.group.failover.promoted is None:
        bench.live(10, step_ms=10)


def test_replicas_are_found_in_the_primarys_info() -> None:
    bench = healthy_bench()
    assert list(bench.group.replicas) == [REPLICA, SECOND_REPLICA]
    assert bench.announced().count("+slave") == 2


def test_a_lost_connection_counts_as_down_after_the_period_and_not_before() -> None:
    bench = healthy_bench()
    bench.dead.add(PRIMARY.host)
    bench.step(LinkLost(bench.group.primary.link.id, "reset"))
    bench.live(990, step_ms=10)
    assert bench.count("+sdown master") == 0
    bench.live(20, step_ms=10)
    assert bench.count("+sdown master") == 1


def test_silence_on_an_open_connection_counts_as_down_from_the_first_unanswered_ping() -> None:
    bench = healthy_bench()
    bench.dead.add(PRIMARY.host)
    bench.live(1600)
    assert bench.count("+sdown master") == 1


@pytest.mark.parametrize("reply", [b"PONG", ErrorReply("LOADING x"), ErrorReply("MASTERDOWN x")])
def test_a_server_that_loads_or_has_lost_its_primary_is_alive(reply: object) -> None:
    bench = healthy_bench()
    link = bench.group.primary.link
    bench.advance(600)
    assert link.waiting_since_ms is not None
    while link.pending:
        bench.answer(link, reply)
    assert link.waiting_since_ms is None


def test_an_error_that_is_no_answer_does_not_count_as_life() -> None:
    bench = healthy_bench()
    link = bench.group.primary.link
    bench.advance(600)
    while link.pending:
        bench.answer(link, ErrorReply("NOAUTH Authentication required."))
    assert link.waiting_since_ms is not None


def test_objectively_down_takes_the_quorum() -> None:
    bench = healthy_bench()
    lose_primary(bench)
    assert "+odown" not in bench.announced()
    agree(bench, OTHER_ID)
    bench.live(200)
    assert "+odown" in bench.announced()


def test_agreement_that_is_old_is_no_agreement() -> None:
    bench = healthy_bench(quorum=3)
    lose_primary(bench)
    agree(bench, OTHER_ID)
    bench.live(200)
    assert bench.group.peers[OTHER_ID].says_down
    bench.dead.add(PEER_HOSTS[OTHER_ID])
    bench.live(6000)
    agree(bench, THIRD_ID)
    bench.live(1200)
    assert bench.group.peers[THIRD_ID].says_down
    assert "+odown" not in bench.announced()


def test_a_candidate_saves_its_vote_before_it_asks_for_others() -> None:
    bench = healthy_bench()
    run_for_leader(bench)
    asked = next(
        index
        for index, effect in enumerate(bench.effects)
        if isinstance(effect, Transmit) and effect.arguments[-1] == MY_ID and effect.arguments[0] == "SENTINEL"
    )
    voted = bench.effects.index(
        next(effect for effect in bench.effects if getattr(effect, "name", "") == "+vote-for-leader")
    )
    saves = [index for index, effect in enumerate(bench.effects) if isinstance(effect, SaveState)]
    assert any(index < asked and index > voted - 5 for index in saves)


def test_a_majority_makes_the_leader_who_promotes_at_once() -> None:
    bench = healthy_bench()
    lead(bench)
    promoted = bench.group.replicas[REPLICA]
    assert bench.sent(promoted.link, "SLAVEOF") == [("SLAVEOF", "NO", "ONE")]
    assert bench.sent(promoted.link, "CLIENT")[1:] == [
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("CLIENT", "KILL", "TYPE", "pubsub"),
    ]
    assert bench.group.failover is not None
    assert bench.group.failover.state is FailoverState.WAIT_PROMOTION


def test_split_votes_are_retried_soon_in_a_new_epoch() -> None:
    bench = healthy_bench()
    run_for_leader(bench)
    agree(bench, OTHER_ID, OTHER_ID, 1)
    agree(bench, THIRD_ID, THIRD_ID, 1)
    bench.live(200)
    assert bench.count("-failover-abort-not-elected") == 1
    bench.live(700)
    assert bench.sentinel.current_epoch >= 2


def test_who_lost_to_another_leader_gives_it_time() -> None:
    bench = healthy_bench()
    run_for_leader(bench)
    agree(bench, OTHER_ID, OTHER_ID, 1)
    agree(bench, THIRD_ID, OTHER_ID, 1)
    bench.live(2500)
    assert bench.count("-failover-abort-not-elected") == 1
    assert bench.group.failover is None
    assert bench.sentinel.current_epoch == 1


def test_nobody_runs_who_cannot_reach_a_majority() -> None:
    bench = healthy_bench(quorum=1)
    for peer in bench.group.peers.values():
        bench.dead.add(peer.address.host)
        bench.step(LinkLost(peer.link.id, "gone"))
    lose_primary(bench)
    bench.live(5000)
    assert "+odown" in bench.announced()
    assert bench.sentinel.current_epoch == 0


def test_one_vote_an_epoch_and_it_is_saved_before_the_answer() -> None:
    bench = healthy_bench()
    question = ("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", PRIMARY.host, "6379", "5")
    saves = bench.saves()
    assert bench.command(*question, OTHER_ID) == [0, OTHER_ID, 5]
    assert bench.saves() == saves + 1
    assert bench.command(*question, THIRD_ID) == [0, OTHER_ID, 5]
    assert bench.command(*question[:-1], "4", THIRD_ID) == [0, OTHER_ID, 5]
    assert bench.command(*question[:-1], "6", THIRD_ID) == [0, THIRD_ID, 6]
    assert bench.sentinel.current_epoch == 6


def test_the_epoch_of_another_group_does_not_cost_a_vote() -> None:
    bench = healthy_bench()
    bench.sentinel.current_epoch = 9
    reply = bench.command("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", PRIMARY.host, "6379", "8", OTHER_ID)
    assert reply == [0, OTHER_ID, 8]


def test_questions_without_a_candidate_are_no_votes() -> None:
    bench = healthy_bench()
    assert bench.command("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", PRIMARY.host, "6379", "5", "*") == [0, "*", 0]
    assert bench.group.leader_epoch == 0
    assert bench.command("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "10.7.7.7", "6379", "5", OTHER_ID) == [0, "*", 0]


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        (replica_info(offset=10), replica_info(offset=11), SECOND_REPLICA),
        (replica_info(offset=99, priority=100), replica_info(offset=1, priority=10), SECOND_REPLICA),
        (replica_info(priority=0), replica_info(), SECOND_REPLICA),
        (replica_info(offset=10), replica_info(offset=10), REPLICA),
    ],
)
def test_the_best_replica_is_chosen(first: dict[str, str], second: dict[str, str], chosen: object) -> None:
    bench = healthy_bench()
    bench.info[REPLICA.host] = {**first, "run_id": "1"}
    bench.info[SECOND_REPLICA.host] = {**second, "run_id": "2"}
    lead(bench)
    assert bench.group.failover is not None and bench.group.failover.promoted is not None
    assert bench.group.failover.promoted.address == chosen


def test_without_a_good_replica_there_is_no_election() -> None:
    bench = healthy_bench()
    bench.info[REPLICA.host] = bench.info[SECOND_REPLICA.host] = replica_info(priority=0)
    agree(bench, OTHER_ID)
    lose_primary(bench)
    bench.live(3000)
    assert bench.count("+odown") == 1
    assert bench.announced().count("-failover-abort-no-good-slave") == 1
    assert bench.sentinel.current_epoch == 0


def test_a_whole_failover_in_order() -> None:
    bench = healthy_bench()
    lead(bench)
    promoted, other = bench.group.replicas[REPLICA], bench.group.replicas[SECOND_REPLICA]
    asked = len(bench.sent(promoted.link, "INFO"))
    bench.live(300, step_ms=10)
    assert len(bench.sent(promoted.link, "INFO")) >= asked + 5
    bench.info[REPLICA.host] = {"role": "master"}
    bench.live(60, step_ms=10)
    assert bench.group.current_primary() is promoted
    assert bench.group.config_epoch == 1
    assert bench.sent(other.link, "PUBLISH")[-1][2].endswith(",m,10.0.0.2,6379,1")
    assert bench.sent(other.link, "SLAVEOF") == [("SLAVEOF", "10.0.0.2", "6379")]
    assert other.reconfiguration is Reconfiguration.SENT
    bench.info[SECOND_REPLICA.host] = {**replica_info(), "master_host": "10.0.0.2"}
    bench.live(300)
    assert bench.group.failover is None
    assert bench.group.primary is promoted
    assert set(bench.group.replicas) == {PRIMARY, SECOND_REPLICA}
    steps = [name for name in bench.announced() if name in TOLD_STEPS]
    assert steps == TOLD_STEPS


TOLD_STEPS = [
    "+try-failover",
    "+elected-leader",
    "+selected-slave",
    "+failover-state-send-slaveof-noone",
    "+failover-state-wait-promotion",
    "+promoted-slave",
    "+failover-state-reconf-slaves",
    "+slave-reconf-sent",
    "+slave-reconf-inprog",
    "+slave-reconf-done",
    "+failover-end",
    "+switch-master",
]


def test_a_promoted_node_that_an_older_leader_demotes_is_promoted_again() -> None:
    bench = healthy_bench()
    lead(bench)
    promoted = bench.group.replicas[REPLICA]
    bench.info[REPLICA.host] = {"role": "master"}
    bench.live(60, step_ms=10)
    bench.info[REPLICA.host] = replica_info()
    bench.live(1200)
    assert bench.sent(promoted.link, "SLAVEOF")[-1] == ("SLAVEOF", "NO", "ONE")
    assert len(bench.sent(promoted.link, "SLAVEOF")) >= 2


def test_only_so_many_replicas_as_parallel_syncs_allows_are_moved_at_once() -> None:
    bench = healthy_bench()
    third = groups.add_replica(bench.sentinel, bench.group, Address("10.0.0.4", 6379))
    bench.info["10.0.0.4"] = replica_info(offset=1)
    bench.live(200)
    lead(bench)
    bench.info[REPLICA.host] = {"role": "master"}
    bench.live(500)
    second = bench.group.replicas[SECOND_REPLICA]
    assert len(bench.sent(second.link, "SLAVEOF")) + len(bench.sent(third.link, "SLAVEOF")) == 1


def test_a_replica_that_dies_during_its_promotion_is_given_up_for_another() -> None:
    bench = healthy_bench()
    bench.info[SECOND_REPLICA.host] = replica_info(offset=5)
    lead(bench)
    bench.dead.add(REPLICA.host)
    bench.step(LinkLost(bench.group.replicas[REPLICA].link.id, "reset"))
    bench.live(1000)
    assert "-failover-abort-slave-timeout" in bench.announced()
    agree(bench, OTHER_ID, MY_ID, 2)
    bench.live(1000)
    second = bench.group.replicas[SECOND_REPLICA]
    assert bench.sent(second.link, "SLAVEOF")[0] == ("SLAVEOF", "NO", "ONE")


def hello(run_id: str, host: str, primary: str, config_epoch: int, current_epoch: int = 0) -> str:
    """A hello message of another sentinel about the group."""
    return f"{host},26379,{run_id},{current_epoch},m,{primary},6379,{config_epoch}"


def test_a_hello_introduces_a_sentinel_and_moves_it() -> None:
    bench = healthy_bench(peers=0)
    publish = ("PUBLISH", "__sentinel__:hello")
    assert bench.command(*publish, hello(OTHER_ID, "10.1.0.9", PRIMARY.host, 0)) == 1
    assert bench.group.peers[OTHER_ID].address.host == "10.1.0.9"
    bench.command(*publish, hello(OTHER_ID, "10.1.0.8", PRIMARY.host, 0))
    assert bench.group.peers[OTHER_ID].address.host == "10.1.0.8"
    assert "+sentinel-address-switch" in bench.announced()
    bench.command(*publish, hello(THIRD_ID, "10.1.0.8", PRIMARY.host, 0))
    assert list(bench.group.peers) == [THIRD_ID]


def test_a_hello_with_a_later_configuration_moves_the_primary() -> None:
    bench = healthy_bench()
    message = hello(OTHER_ID, "10.1.0.0", REPLICA.host, 4, current_epoch=7)
    bench.command("PUBLISH", "__sentinel__:hello", message)
    assert bench.group.primary.address == REPLICA
    assert bench.group.config_epoch == 4
    assert bench.sentinel.current_epoch == 7
    assert set(bench.group.replicas) == {PRIMARY, SECOND_REPLICA}
    bench.command("PUBLISH", "__sentinel__:hello", hello(THIRD_ID, "10.1.0.1", PRIMARY.host, 3))
    assert bench.group.primary.address == REPLICA


@pytest.mark.parametrize("payload", ["", "a,b", "1,2,3,4,5,6,7,8", "h,x,r,0,m,10.0.0.2,6379,4", "h,1,r,0,other,h,1,4"])
def test_what_is_no_hello_changes_nothing(payload: str) -> None:
    bench = healthy_bench(peers=0)
    bench.command("PUBLISH", "__sentinel__:hello", payload)
    assert not bench.group.peers
    assert bench.group.primary.address == PRIMARY


def test_an_old_primary_that_comes_back_is_demoted_once_a_majority_confirms() -> None:
    bench = healthy_bench()
    lose_primary(bench)
    message = hello(OTHER_ID, PEER_HOSTS[OTHER_ID], REPLICA.host, 1)
    bench.command("PUBLISH", "__sentinel__:hello", message)
    old = bench.group.replicas[PRIMARY]
    bench.info[REPLICA.host] = {"role": "master"}
    bench.dead.clear()
    bench.live(3000)
    assert old.role == "master"
    assert bench.sent(old.link, "SLAVEOF") == []
    bench.command("PUBLISH", "__sentinel__:hello", message)
    bench.live(1200)
    assert bench.sent(old.link, "SLAVEOF") == [("SLAVEOF", "10.0.0.2", "6379")]
    assert "+convert-to-slave" in bench.announced()


def test_an_old_primary_is_demoted_in_the_end_even_if_nobody_confirms() -> None:
    bench = healthy_bench()
    lose_primary(bench)
    bench.command("PUBLISH", "__sentinel__:hello", hello(OTHER_ID, PEER_HOSTS[OTHER_ID], REPLICA.host, 1))
    bench.info[REPLICA.host] = {"role": "master"}
    bench.dead.clear()
    bench.live(10_000)
    assert bench.sent(bench.group.replicas[PRIMARY].link, "SLAVEOF") == [("SLAVEOF", "10.0.0.2", "6379")]


def test_a_process_that_was_stopped_judges_nobody_and_recovers_by_itself() -> None:
    bench = healthy_bench()
    bench.now_ms += 30_000
    bench.step(Tick())
    assert bench.announced()[-1] == "+tilt"
    bench.advance(4000)
    assert bench.count("+sdown") == 0
    bench.advance(1100)
    assert bench.count("-tilt") == 1
    assert bench.count("+sdown") == 0
    bench.advance(1500)
    assert bench.count("+sdown master") == 1


def test_the_next_deadline_is_always_ahead() -> None:
    bench = healthy_bench()
    for _ in range(50):
        bench.now_ms = max(bench.now_ms, bench.machine.next_deadline())
        bench.step(Tick())
        assert bench.machine.next_deadline() > bench.now_ms
        bench.open_all()
        bench.answer_all()
