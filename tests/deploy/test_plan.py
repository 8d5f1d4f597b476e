"""Plans: ports, roles, shares of slots and configuration files."""

import json
from pathlib import Path

import attrs
import pytest

from trivet_deploy.launcher.plan import (
    PlanError,
    Shape,
    consecutive_ports,
    make_plan,
    node_config,
    plan_from_document,
    sentinel_config,
    slot_ranges,
)


def plan_of(**shape: int):
    wanted = Shape(**shape)
    return make_plan(wanted, *consecutive_ports(wanted, 7000, 26379))


def test_primaries_come_first_and_replicas_are_dealt_out_in_turn() -> None:
    plan = plan_of(primaries=3, replicas=2)
    assert [node.port for node in plan.nodes] == list(range(7000, 7009))
    assert [node.primary for node in plan.nodes] == [""] * 3 + ["node-7000", "node-7001", "node-7002"] * 2
    assert [sentinel.port for sentinel in plan.sentinels] == [26379, 26380, 26381]


@pytest.mark.parametrize("primaries", [1, 2, 3, 7, 16384])
def test_every_slot_has_one_owner_and_shares_differ_by_one_at_most(primaries: int) -> None:
    shares = slot_ranges(primaries)
    assert [slot for first, last in shares for slot in range(first, last + 1)] == list(range(16384))
    sizes = {last - first + 1 for first, last in shares}
    assert max(sizes) - min(sizes) <= 1


def test_the_ports_to_look_at_are_those_of_nodes_buses_and_sentinels() -> None:
    ports = plan_of(primaries=1, replicas=1, sentinels=1).listening_ports()
    assert sorted(ports) == [7000, 7001, 17000, 17001, 26379]
    assert ports[17001] == "the bus of node-7001"


@pytest.mark.parametrize(
    ("shape", "port", "sentinel_port"),
    [
        (Shape(primaries=2), 65000, 26379),  # the bus ports would lie beyond 65535
        (Shape(primaries=2, replicas=0), 7000, 7001),  # a sentinel on a node's port
        (Shape(primaries=2, replicas=0), 7000, 17001),  # a sentinel on a bus port
        (Shape(), 0, 26379),
    ],
)
def test_ports_that_cannot_be_had_are_refused(shape: Shape, port: int, sentinel_port: int) -> None:
    with pytest.raises(PlanError):
        consecutive_ports(shape, port, sentinel_port)


def test_a_cluster_without_primaries_is_refused() -> None:
    with pytest.raises(PlanError):
        Shape(primaries=0)


def test_sentinels_alone_decide_over_failovers_where_there_are_any() -> None:
    with_sentinels, without = plan_of(), plan_of(sentinels=0)
    folder = Path("/somewhere")
    assert "cluster-replica-no-failover yes" in node_config(with_sentinels.nodes[0], with_sentinels.shape, folder)
    assert "cluster-replica-no-failover no" in node_config(without.nodes[0], without.shape, folder)


def test_a_sentinel_gets_a_majority_as_quorum() -> None:
    plan = plan_of(sentinels=5)
    text = sentinel_config(plan.sentinels[0], plan, Path("/somewhere"))
    assert "sentinel monitor-cluster trivet 127.0.0.1 7000 3\n" in text
    assert text.startswith("port 26379\n")


def test_a_plan_survives_its_file() -> None:
    plan = plan_of(primaries=2, replicas=3, sentinels=1)
    assert plan_from_document(json.loads(json.dumps(attrs.asdict(plan)))) == plan
