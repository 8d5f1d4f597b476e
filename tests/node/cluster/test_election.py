"""Elections by the primaries' votes: who may ask, who votes for whom, and when."""

import pytest

from tests.node.cluster.formed import NODE_TIMEOUT_MS, Formed
from tests.simulation.cluster_models import ClusterProcess
from trivet_node.cluster import administration, gossip
from trivet_node.cluster.effects import Received, SaveConfig, Send
from trivet_node.cluster.gossip import decode_message
from trivet_node.cluster.nodes import FAIL
from trivet_wire.requests import RequestParser


def ask(cluster: Formed, voter: ClusterProcess, candidate: ClusterProcess, epoch: int, *, forced: bool = False) -> bool:
    """Let `candidate` ask `voter` for its vote over a link of its own; return whether it got it."""
    state = candidate.state
    primary = state.primary_of(state.myself)
    assert primary is not None
    header = gossip.encode_header(state.myself, "", primary, epoch)
    arguments = [b"AUTH-REQ", header] + ([b"forced"] if forced else [])
    effects = voter.machine.step(Received(-999, arguments, candidate.host, voter.host), cluster.simulation.now_ms)
    kinds = []
    for effect in effects:
        if isinstance(effect, Send) and effect.link == -999:
            parser = RequestParser()
            parser.feed(effect.data)
            message = decode_message(parser.next() or [], {})
            kinds.append(message.kind)
    return kinds == ["auth-ack"]


@pytest.fixture
def failed() -> Formed:
    """A cluster of three shards with two replicas each, whose first primary has failed; nobody stands by itself."""
    cluster = Formed(3, 2)
    cluster.nodes[0].crash()
    cluster.run(2 * NODE_TIMEOUT_MS)
    assert all(cluster.view(node, cluster.nodes[0]).flags & FAIL for node in cluster.nodes[1:])
    return cluster


def test_a_replica_of_a_failed_primary_is_elected() -> None:
    cluster = Formed(3, 1, no_failover=False)
    dead, replica = cluster.nodes[0], cluster.nodes[3]
    before = replica.state.current_epoch
    dead.crash()
    took_ms = cluster.until(lambda: cluster.all_healthy(dead) and replica.is_serving, 10_000)
    assert took_ms <= 2 * NODE_TIMEOUT_MS
    assert replica.state.myself.config_epoch > before


def test_the_replica_with_more_data_goes_first() -> None:
    cluster = Formed(3, 2, no_failover=False)
    dead, poorer, richer = cluster.nodes[0], cluster.nodes[3], cluster.nodes[6]
    cluster.run(NODE_TIMEOUT_MS)
    dead.crash()
    richer.offset += 1000
    cluster.until(lambda: richer.is_serving or poorer.is_serving, 10_000)
    assert richer.is_serving
    assert cluster.until(lambda: poorer.followed == richer.host, 1000) <= 50


def test_no_failover_leaves_it_to_others() -> None:
    cluster = Formed(3, 1, no_failover=True)
    cluster.nodes[0].crash()
    cluster.run(20 * NODE_TIMEOUT_MS)
    assert not cluster.nodes[3].is_serving


def test_a_minority_elects_nobody() -> None:
    cluster = Formed(3, 1, no_failover=False)
    cluster.network.partition({cluster.nodes[1].host, cluster.nodes[3].host})
    cluster.run(20 * NODE_TIMEOUT_MS)
    assert not cluster.nodes[3].state.myself.is_primary()
    assert cluster.nodes[3].state.last_vote_epoch == 0


@pytest.mark.parametrize(("factor", "stands"), [(1, False), (0, True)])
def test_a_replica_without_recent_data_does_not_stand(factor: int, stands: bool) -> None:
    cluster = Formed(3, 1, no_failover=False)
    primary, replica = cluster.nodes[0], cluster.nodes[3]
    cluster.options.replica_ping_period_ms = 0
    cluster.options.replica_validity_factor = factor
    pair = {primary.host, replica.host}
    cluster.network.can_reach = lambda source, destination: {source, destination} != pair  # type: ignore[method-assign]
    cluster.run(5 * NODE_TIMEOUT_MS)
    primary.crash()
    cluster.run(10 * NODE_TIMEOUT_MS)
    assert cluster.view(replica, primary).flags & FAIL
    assert replica.state.myself.is_primary() == stands


def test_forced_elections_need_no_failure() -> None:
    cluster = Formed(3, 1)
    primary, replica = cluster.nodes[0], cluster.nodes[3]
    replica.command(administration.stand_for_election)
    assert cluster.until(lambda: replica.is_serving, 1000) <= 20
    assert cluster.until(lambda: primary.followed == replica.host, 1000) <= 20


def test_a_primary_votes_once_in_an_epoch(failed: Formed) -> None:
    voter, first, second = failed.nodes[1], failed.nodes[3], failed.nodes[6]
    epoch = voter.state.current_epoch + 1
    assert ask(failed, voter, first, epoch)
    assert (voter.state.last_vote_epoch, voter.state.current_epoch) == (epoch, epoch)
    assert not ask(failed, voter, first, epoch)
    assert not ask(failed, voter, second, epoch)


def test_a_primary_votes_for_one_replica_of_a_shard_within_the_node_timeout(failed: Formed) -> None:
    voter, first, second = failed.nodes[1], failed.nodes[3], failed.nodes[6]
    epoch = voter.state.current_epoch + 1
    assert ask(failed, voter, first, epoch)
    assert not ask(failed, voter, second, epoch + 1)
    failed.run(NODE_TIMEOUT_MS)
    assert ask(failed, voter, second, epoch + 2)


def test_a_vote_is_durable_before_it_is_sent(failed: Formed) -> None:
    voter, candidate = failed.nodes[1], failed.nodes[3]
    header = _header(failed, 3, voter.state.current_epoch + 1)
    event = Received(-5, [b"AUTH-REQ", header], candidate.host, voter.host)
    effects = voter.machine.step(event, failed.simulation.now_ms)
    assert isinstance(effects[0], SaveConfig)
    assert effects[0].durably
    assert any(isinstance(effect, Send) and b"AUTH-ACK" in effect.data for effect in effects[1:])


def _header(cluster: Formed, index: int, epoch: int) -> bytes:
    state = cluster.nodes[index].state
    primary = state.primary_of(state.myself)
    assert primary is not None
    return gossip.encode_header(state.myself, "", primary, epoch)


def test_old_epochs_get_no_vote(failed: Formed) -> None:
    voter = failed.nodes[1]
    assert not ask(failed, voter, failed.nodes[3], voter.state.current_epoch - 1)


def test_no_vote_against_a_primary_that_is_up(failed: Formed) -> None:
    voter = failed.nodes[1]
    epoch = voter.state.current_epoch + 1
    assert not ask(failed, voter, failed.nodes[5], epoch)
    assert ask(failed, voter, failed.nodes[5], epoch + 1, forced=True)


def test_no_vote_for_claims_that_are_out_of_date(failed: Formed) -> None:
    voter, candidate = failed.nodes[1], failed.nodes[3]
    failed.take_over(failed.nodes[6], 50)
    failed.run(10)
    # Somebody who has not heard of it still speaks for the old primary.
    old = candidate.state.nodes[failed.nodes[0].state.myself.id]
    header = gossip.encode_header(candidate.state.myself, "", old, 60).replace(b"epoch=50", b"epoch=1")
    effects = voter.machine.step(
        Received(-7, [b"AUTH-REQ", header + b" slots=0-10"], candidate.host, voter.host), failed.simulation.now_ms
    )
    assert not any(isinstance(effect, Send) and b"AUTH-ACK" in effect.data for effect in effects)


def test_replicas_have_no_vote(failed: Formed) -> None:
    voter = failed.nodes[4]
    assert not ask(failed, voter, failed.nodes[3], voter.state.current_epoch + 1)
