"""Following a cluster: CLUSTER SHARDS as our nodes and Redis' tell it, and what changes in it do to the groups."""

from typing import Any

import pytest

from tests.sentinel.machines import MY_ID, Bench
from trivet_sentinel import clusters
from trivet_sentinel.events import LinkLost
from trivet_sentinel.state import Address, Group, Settings
from trivet_wire.connection import ErrorReply

SEED = Address("10.2.0.1", 7000)
FIRST_ID, SECOND_ID = "1" * 40, "2" * 40


def node(host: str, role: str, node_id: str = "", health: str = "online") -> list[Any]:
    """One node's fields in a CLUSTER SHARDS reply."""
    fields = {"id": node_id or f"id-{host}", "port": 7000, "ip": host, "endpoint": host, "role": role, "health": health}
    return [part.encode() if isinstance(part, str) else part for pair in fields.items() for part in pair]


def shard(slots: list[int], nodes: list[list[Any]], shard_id: str | None) -> list[Any]:
    """One shard of a CLUSTER SHARDS reply; without an id it is what redis-server 7.0 replies."""
    fields: list[Any] = [b"slots", slots, b"nodes", nodes]
    return fields if shard_id is None else [*fields, b"id", shard_id.encode()]


def two_shards(ids: tuple[str | None, str | None] = (FIRST_ID, SECOND_ID)) -> list[Any]:
    """A whole cluster of two shards with a replica each."""
    return [
        shard([8000, 16383], [node("10.2.0.2", "master"), node("10.2.0.4", "replica")], ids[1]),
        shard([0, 7999], [node("10.2.0.1", "master"), node("10.2.0.3", "replica")], ids[0]),
    ]


class ClusterBench(Bench):
    """A bench that follows the cluster `c`, whose nodes give `account` of its shards."""

    def __init__(self, account: list[Any] | None = None, epoch: int = 1) -> None:
        super().__init__()
        del self.sentinel.groups["m"]
        self.cluster = clusters.add_cluster(self.sentinel, "c", SEED, Settings(2, down_after_ms=1000))
        self.account = two_shards() if account is None else account
        self.cluster_epoch = epoch
        for host, role in (
            ("10.2.0.1", "master"),
            ("10.2.0.2", "master"),
            ("10.2.0.3", "slave"),
            ("10.2.0.4", "slave"),
        ):
            self.info[host] = {"role": role, "run_id": host, "master_link_status": "up"}
        self.sentinel.wake_at(self.now_ms)
        self.live(3000)

    @property
    def first(self) -> Group:
        """The group of the first shard."""
        return self.sentinel.groups["c-11111111"]


def test_each_shard_becomes_a_group_named_by_its_id() -> None:
    bench = ClusterBench()
    assert set(bench.sentinel.groups) == {"c-11111111", "c-22222222"}
    group = bench.sentinel.groups["c-11111111"]
    assert group.primary.address == SEED
    assert list(group.replicas) == [Address("10.2.0.3", 7000)]
    assert group.settings.down_after_ms == 1000
    assert bench.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "c-22222222") == ["10.2.0.2", "7000"]
    assert bench.count("+monitor master c-11111111 10.2.0.1 7000 quorum 2") == 1


def test_without_ids_the_first_slot_names_a_shard() -> None:
    bench = ClusterBench(two_shards((None, None)))
    assert set(bench.sentinel.groups) == {"c-00000000", "c-00001f40"}


def test_the_clusters_epoch_becomes_ours() -> None:
    bench = ClusterBench(epoch=12)
    assert bench.sentinel.current_epoch == 12


def test_shards_without_slots_and_replies_that_are_none_are_passed_over() -> None:
    empty = shard([], [node("10.2.0.9", "master")], "9" * 40)
    assert clusters.parse_shards([empty], SEED) == []
    assert clusters.parse_shards(ErrorReply("ERR cluster support disabled"), SEED) == []


@pytest.mark.parametrize("ip", [b"", None])
def test_a_node_that_does_not_know_its_own_address_is_where_it_was_asked(ip: bytes | None) -> None:
    fields = [b"id", b"x", b"port", 7000, b"ip", ip, b"endpoint", b"", b"role", b"master", b"health", b"online"]
    parsed = clusters.parse_shards([shard([0, 5], [fields], None)], SEED)
    assert parsed[0].nodes[0].address == SEED


def test_new_replicas_join_and_those_that_left_go_after_a_few_accounts() -> None:
    bench = ClusterBench()
    bench.account[1] = shard([0, 7999], [node("10.2.0.1", "master"), node("10.2.0.5", "replica")], FIRST_ID)
    bench.live(2500)
    assert set(bench.first.replicas) == {Address("10.2.0.5", 7000), Address("10.2.0.3", 7000)}
    bench.live(8000)
    assert set(bench.first.replicas) == {Address("10.2.0.5", 7000)}


def test_a_shard_is_forgotten_only_when_all_its_slots_are_known_to_be_elsewhere() -> None:
    bench = ClusterBench()
    bench.account = [two_shards()[0]]
    bench.live(20_000)
    assert "c-11111111" in bench.sentinel.groups
    bench.account = [shard([0, 16383], [node("10.2.0.2", "master")], SECOND_ID)]
    bench.live(12_000)
    assert set(bench.sentinel.groups) == {"c-22222222"}


def moved_account() -> list[Any]:
    """The cluster after the first shard's replica has taken over without us."""
    account = two_shards()
    account[1] = shard([0, 7999], [node("10.2.0.1", "replica"), node("10.2.0.3", "master")], FIRST_ID)
    return account


def test_a_takeover_without_us_is_followed_when_both_nodes_confirm_it() -> None:
    bench = ClusterBench()
    bench.account = moved_account()
    bench.live(5000)
    assert bench.first.primary.address == SEED
    bench.info["10.2.0.1"], bench.info["10.2.0.3"] = bench.info["10.2.0.3"], bench.info["10.2.0.1"]
    bench.live(4000)
    assert bench.first.primary.address == Address("10.2.0.3", 7000)


def test_an_old_account_does_not_bring_back_a_primary_that_was_replaced() -> None:
    bench = ClusterBench()
    bench.info["10.2.0.3"] = bench.info["10.2.0.1"]
    bench.account = moved_account()
    bench.live(5000)
    assert bench.first.primary.address == SEED


def test_another_node_is_asked_when_the_first_one_dies() -> None:
    bench = ClusterBench()
    first = bench.cluster.link
    assert first is not None
    bench.dead.add(first.address.host)
    bench.step(LinkLost(first.id, "reset"))
    bench.live(3000)
    second = bench.cluster.link
    assert second is not None and second is not first
    assert ("CLUSTER", "SHARDS") in bench.sent(second, "CLUSTER")


def test_a_shards_replica_is_told_to_take_over_in_the_elections_epoch() -> None:
    bench = ClusterBench(epoch=5)
    group = bench.group = bench.first
    for number, run_id in enumerate(("b" * 40, "d" * 40)):
        bench.add_peer(run_id, f"10.1.0.{number}")
        bench.verdicts[f"10.1.0.{number}"] = [1, MY_ID.encode(), 6]
    replica = group.replicas[Address("10.2.0.3", 7000)]
    bench.live(1000)
    bench.dead.add(SEED.host)
    bench.step(LinkLost(group.primary.link.id, "reset"))
    bench.live(1500)
    assert ("CLUSTER", "FAILOVER", "TAKEOVER", "6") in bench.sent(replica.link, "CLUSTER")
    bench.info["10.2.0.3"] = {"role": "master"}
    bench.live(200)
    assert group.primary is replica
    assert bench.sent(replica.link, "SLAVEOF") == []


def test_a_node_that_knows_no_epoch_in_takeover_is_told_without() -> None:
    bench = ClusterBench()
    group = bench.first
    replica = group.replicas[Address("10.2.0.3", 7000)]
    bench.takeover_reply = ErrorReply("ERR unknown subcommand or wrong number of arguments for 'FAILOVER'.")
    assert bench.command("SENTINEL", "FAILOVER", group.name) == "OK"
    bench.live(100)
    takeovers = [sent for sent in bench.sent(replica.link, "CLUSTER") if sent[1] == "FAILOVER"]
    assert takeovers[:2] == [("CLUSTER", "FAILOVER", "TAKEOVER", "2"), ("CLUSTER", "FAILOVER", "TAKEOVER")]


def test_options_of_a_cluster_are_those_of_its_shards() -> None:
    bench = ClusterBench()
    assert bench.command("SENTINEL", "SET", "c", "down-after-milliseconds", "700") == "OK"
    assert {group.settings.down_after_ms for group in bench.sentinel.groups.values()} == {700}
    assert bench.command("SENTINEL", "SET", "c-11111111", "down-after-milliseconds", "900") == "OK"
    assert bench.sentinel.groups["c-22222222"].settings.down_after_ms == 700
    assert bench.command("SENTINEL", "REMOVE", "c") == "OK"
    assert not bench.sentinel.groups and not bench.sentinel.clusters
