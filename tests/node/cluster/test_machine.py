"""What the machines of a few nodes do together: joining, failing, taking over, coming back."""

import pytest

from tests.node.cluster.formed import NODE_TIMEOUT_MS, Formed
from trivet_node.cluster import administration
from trivet_node.cluster.nodes import FAIL, MEET, NO_ADDRESS, PFAIL
from trivet_node.cluster.slots import range_of_slots
from trivet_node.command import CommandError


def test_nodes_that_are_introduced_to_one_know_each_other_at_once() -> None:
    cluster = Formed(1)
    for _ in range(7):
        cluster.add()
    cluster.run(10)
    for node in cluster.nodes[1:]:
        cluster.meet(node, cluster.nodes[0])
    took_ms = cluster.until(
        lambda: all(len(node.state.others()) == 7 and len(node.state.nodes) == 8 for node in cluster.nodes), 1000
    )
    assert took_ms <= 200
    assert {node.state.myself.host for node in cluster.nodes} == {node.host for node in cluster.nodes}


def test_a_cluster_is_ok_as_soon_as_everybody_knows_the_slots() -> None:
    cluster = Formed(2)
    assert cluster.all_healthy()
    third = cluster.add()
    cluster.run(1)
    cluster.meet(third, cluster.nodes[0])
    assert cluster.until(lambda: third.state.healthy, 1000) <= 20


def test_meeting_oneself_or_a_known_node_changes_nothing() -> None:
    cluster = Formed(2)
    one, two = cluster.nodes
    cluster.meet(one, one)
    cluster.meet(one, two)
    cluster.run(5 * NODE_TIMEOUT_MS)
    assert [len(node.state.nodes) for node in cluster.nodes] == [2, 2]
    assert cluster.all_healthy()


def test_an_address_where_nobody_answers_is_given_up() -> None:
    cluster = Formed(1)
    dead = cluster.add()
    cluster.network.crash(dead.host)
    cluster.meet(cluster.nodes[0], dead)
    assert len(cluster.nodes[0].state.nodes) == 2
    cluster.run(2 * NODE_TIMEOUT_MS)
    assert len(cluster.nodes[0].state.nodes) == 1


def test_equal_epochs_are_resolved_by_the_smaller_id() -> None:
    cluster = Formed(3)
    epochs = {node.state.myself.config_epoch for node in cluster.nodes}
    assert len(epochs) == 3
    greatest_id = max(cluster.nodes, key=lambda node: node.state.myself.id)
    assert greatest_id.state.myself.config_epoch == 0, "the greatest id keeps what it had"
    for node in cluster.nodes:
        assert node.state.current_epoch == max(epochs)


def test_a_dead_primary_is_declared_failed_by_the_majority_in_about_the_node_timeout() -> None:
    cluster = Formed(3, 1)
    dead = cluster.nodes[0]
    dead.crash()
    others = [node for node in cluster.nodes if node is not dead]
    took_ms = cluster.until(lambda: all(cluster.view(node, dead).flags & FAIL for node in others), 5000)
    assert NODE_TIMEOUT_MS // 2 <= took_ms <= NODE_TIMEOUT_MS + NODE_TIMEOUT_MS // 2
    assert not any(node.state.healthy for node in others), "slots are not covered"
    for node in others:
        node.state.options.require_full_coverage = False
    cluster.run(NODE_TIMEOUT_MS)
    assert cluster.all_healthy(dead)


def test_one_suspicion_alone_fails_nobody() -> None:
    cluster = Formed(3)
    one, two, _ = cluster.nodes
    cluster.network.can_reach = lambda source, destination: {source, destination} != {one.host, two.host}  # type: ignore[method-assign]
    cluster.run(5 * NODE_TIMEOUT_MS)
    assert cluster.view(one, two).flags & PFAIL
    assert cluster.view(two, one).flags & PFAIL
    assert cluster.all_healthy()


def test_a_takeover_is_known_to_all_within_milliseconds() -> None:
    cluster = Formed(3, 1)
    dead, replica = cluster.nodes[0], cluster.nodes[3]
    dead.crash()
    cluster.until(lambda: not any(node.state.healthy for node in cluster.nodes if node is not dead), 5000)
    shard_id = replica.state.myself.shard_id
    cluster.take_over(replica, 50)
    assert replica.followed == ""
    assert cluster.until(lambda: cluster.all_healthy(dead), 1000) <= 5
    for node in cluster.nodes[1:]:
        view = cluster.view(node, replica)
        assert view.is_primary()
        assert (view.config_epoch, view.slots, view.shard_id) == (50, range_of_slots(0, 5460), shard_id)
        assert node.state.current_epoch == 50


def test_a_stale_epoch_is_refused() -> None:
    cluster = Formed(3, 1)
    replica = cluster.nodes[3]
    current = replica.state.current_epoch
    with pytest.raises(CommandError, match=f"stale epoch, current is {current}"):
        cluster.take_over(replica, current)
    assert replica.state.myself.is_replica()
    cluster.take_over(replica, current + 1)
    assert replica.state.myself.is_primary()


def test_a_takeover_without_an_epoch_uses_a_new_one() -> None:
    cluster = Formed(3, 1)
    replica = cluster.nodes[3]
    current = replica.state.current_epoch
    cluster.take_over(replica)
    assert (replica.state.myself.config_epoch, replica.state.current_epoch) == (current + 1, current + 1)


def test_only_a_replica_with_a_known_primary_takes_over() -> None:
    cluster = Formed(3, 1)
    with pytest.raises(CommandError, match="You should send CLUSTER FAILOVER to a replica"):
        cluster.nodes[0].command(lambda state: administration.check_may_fail_over(state, False))
    replica = cluster.nodes[3]
    replica.command(lambda state: administration.check_may_fail_over(state, True))
    replica.state.myself.primary_id = "f" * 40
    with pytest.raises(CommandError, match="my master is unknown to me"):
        replica.command(lambda state: administration.check_may_fail_over(state, False))


def test_the_old_primary_comes_back_as_a_replica_and_siblings_follow_the_new_one() -> None:
    cluster = Formed(3, 2)
    old, new, sibling = cluster.nodes[0], cluster.nodes[3], cluster.nodes[6]
    old.crash()
    cluster.run(2 * NODE_TIMEOUT_MS)
    cluster.take_over(new, 50)
    assert cluster.until(lambda: sibling.followed == new.host, 1000) <= 5
    old.restart()
    took_ms = cluster.until(lambda: old.followed == new.host, 1000)
    assert took_ms <= 100
    assert old.state.myself.slots == 0
    assert cluster.until(cluster.all_healthy, 1000) <= 100
    assert not old.is_serving


def test_a_restarted_primary_does_not_serve_before_it_has_heard_the_others() -> None:
    cluster = Formed(3, 1)
    old = cluster.nodes[0]
    old.crash()
    cluster.take_over(cluster.nodes[3], 50)
    cluster.run(10)
    cluster.network.partition({old.host})
    old.restart()
    cluster.run(10 * NODE_TIMEOUT_MS)
    assert old.state.myself.slots
    assert not old.state.healthy


def test_a_whole_cluster_that_is_restarted_serves_as_soon_as_all_have_met() -> None:
    cluster = Formed(3, 1)
    for node in cluster.nodes:
        node.crash()
    cluster.run(10_000)
    for node in cluster.nodes:
        node.restart()
    assert cluster.until(cluster.all_healthy, 5000) <= 200
    assert [node.followed for node in cluster.nodes[3:]] == [node.host for node in cluster.nodes[:3]]


def test_a_primary_that_was_cut_off_stops_serving_and_waits_a_moment_when_it_is_back() -> None:
    cluster = Formed(3, 1)
    alone = cluster.nodes[0]
    cluster.network.partition({alone.host})
    took_ms = cluster.until(lambda: not alone.state.healthy, 5000)
    assert took_ms <= 2 * NODE_TIMEOUT_MS
    cluster.network.heal()
    cluster.until(lambda: not alone.state.in_minority, 10_000)
    took_ms = cluster.until(lambda: alone.state.healthy, 10_000)
    assert NODE_TIMEOUT_MS - 5 <= took_ms <= 3 * NODE_TIMEOUT_MS


def test_who_holds_old_claims_is_corrected_by_others_than_the_new_owner() -> None:
    cluster = Formed(3, 1)
    old, new = cluster.nodes[0], cluster.nodes[3]
    cluster.network.partition({old.host})
    cluster.take_over(new, 50)
    cluster.run(100)
    cluster.network.heal()
    # The two never hear each other: only an UPDATE from somebody else can tell the old one.
    pair = {old.host, new.host}
    cluster.network.can_reach = lambda source, destination: {source, destination} != pair  # type: ignore[method-assign]
    cluster.until(lambda: old.followed == new.host, 20_000)
    assert old.state.myself.slots == 0
    assert old.state.traffic.received.get("update", 0) > 0


def test_a_replica_of_a_replica_follows_the_real_primary() -> None:
    cluster = Formed(1, 2)
    _, middle, end = cluster.nodes
    other = cluster.add()
    cluster.run(1)
    cluster.meet(other, middle)
    cluster.run(50)
    cluster.replicate(end, other)
    cluster.run(50)
    cluster.replicate(other, cluster.nodes[0])
    assert cluster.until(lambda: end.followed == cluster.nodes[0].host, 1000) <= 5


def test_a_forgotten_node_is_not_brought_back_by_gossip_but_by_meeting() -> None:
    cluster = Formed(3, 1)
    gone = cluster.nodes[5]
    gone_id = gone.state.myself.id
    for node in cluster.nodes[:5]:
        node.command(lambda state: administration.forget_node(state, gone_id))
    cluster.run(10 * NODE_TIMEOUT_MS)
    assert not any(gone_id in node.state.nodes for node in cluster.nodes[:5])
    cluster.meet(cluster.nodes[0], gone)
    cluster.run(1000)
    assert gone_id in cluster.nodes[0].state.nodes


def test_nobody_forgets_itself_or_its_primary() -> None:
    cluster = Formed(1, 1)
    primary, replica = cluster.nodes
    with pytest.raises(CommandError, match="I tried hard but I can't forget myself"):
        replica.command(lambda state: administration.forget_node(state, state.myself.id))
    with pytest.raises(CommandError, match="Can't forget my master"):
        replica.command(lambda state: administration.forget_node(state, primary.state.myself.id))


def test_another_node_at_a_known_address_is_not_taken_for_the_old_one() -> None:
    cluster = Formed(2)
    one, two = cluster.nodes
    old_id = two.state.myself.id
    two.command(lambda state: administration.delete_slots(state, state.myself.slots))
    two.crash()
    two.disk = two.disk.replace(old_id, "e" * 40)
    two.restart()
    cluster.run(3 * NODE_TIMEOUT_MS)
    assert one.state.nodes[old_id].flags & NO_ADDRESS


def test_a_hard_reset_leaves_the_cluster_under_a_new_name() -> None:
    cluster = Formed(2, 1)
    replica = cluster.nodes[2]
    before = replica.state.myself.id
    replica.command(lambda state: administration.reset(state, hard=True))
    state = replica.state
    assert (len(state.nodes), state.current_epoch, state.table.assigned) == (1, 0, 0)
    assert state.myself.id != before
    assert state.myself.is_primary()
    assert replica.followed == ""
    assert f"vars currentEpoch {state.current_epoch}" in replica.disk


def test_an_idle_cluster_says_little() -> None:
    cluster = Formed(3, 1)
    for node in cluster.nodes:
        node.state.options.node_timeout_ms = 15_000
    cluster.run(15_000)
    before = [sum(node.state.traffic.sent.values()) for node in cluster.nodes]
    steps = [node.steps for node in cluster.nodes]
    cluster.run(60_000)
    for node, sent, step in zip(cluster.nodes, before, steps, strict=True):
        # A ping a second of its own, and the answers to the others'.
        assert sum(node.state.traffic.sent.values()) - sent <= 60 * 3
        assert node.steps - step <= 60 * 8


def test_published_messages_reach_every_other_node() -> None:
    cluster = Formed(3)
    cluster.nodes[0].machine.publish(b"channel", b"message")
    cluster.nodes[0].command(lambda state: None)
    cluster.run(10)
    assert [node.state.traffic.received.get("publish", 0) for node in cluster.nodes] == [0, 1, 1]


def test_gossip_makes_both_sides_known() -> None:
    cluster = Formed(2)
    third = cluster.add()
    cluster.run(1)
    third.command(lambda state: administration.meet(state, cluster.nodes[0].host, 6379, 16379))
    [handshake] = [node for node in third.state.nodes.values() if node.is_handshaking()]
    assert handshake.flags & MEET
    cluster.run(50)
    assert all(len(node.state.others()) == 2 for node in cluster.nodes)
