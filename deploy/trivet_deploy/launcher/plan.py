"""Who gets which port, which folder and which configuration file: all that is decided before anything starts.

Nodes take consecutive ports, primaries first; replica i follows primary i modulo the number of primaries, so the
replicas of one primary are as far apart as can be. A cluster with sentinels leaves failover to them alone
(`cluster-replica-no-failover yes`); one without heals itself by the votes of its primaries.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs

from trivet_deploy.network import LOOPBACK, Endpoint
from trivet_wire.addresses import BUS_PORT_OFFSET
from trivet_wire.slots import SLOT_COUNT

CLUSTER_NAME = "trivet"
_HIGHEST_PORT = 65535


class PlanError(ValueError):
    """No cluster of that shape can be built; the message says why."""


@attrs.frozen
class Shape:
    """What the user asks for. `replicas` counts per primary; `down_after_ms` is when a silent node counts as down."""

    primaries: int = 3
    replicas: int = 1
    sentinels: int = 3
    down_after_ms: int = 2000
    persistent: bool = True

    def __attrs_post_init__(self) -> None:
        if self.primaries < 1 or self.replicas < 0 or self.sentinels < 0:
            raise PlanError("a cluster needs at least one primary, and no negative numbers")
        if self.primaries > SLOT_COUNT:
            raise PlanError(f"there are only {SLOT_COUNT} slots to share out among primaries")

    @property
    def node_count(self) -> int:
        """Return how many nodes there are, primaries and replicas."""
        return self.primaries * (1 + self.replicas)

    @property
    def quorum(self) -> int:
        """Return how many sentinels must agree that a primary is down: more than half of them."""
        return self.sentinels // 2 + 1


@attrs.frozen
class NodePlan:
    """One node, and the name of the node that it follows at first (empty for a primary)."""

    name: str
    port: int
    primary: str = ""

    @property
    def endpoint(self) -> Endpoint:
        """Return where the node listens."""
        return Endpoint(LOOPBACK, self.port)


@attrs.frozen
class SentinelPlan:
    """One sentinel."""

    name: str
    port: int

    @property
    def endpoint(self) -> Endpoint:
        """Return where the sentinel listens."""
        return Endpoint(LOOPBACK, self.port)


@attrs.frozen
class ClusterPlan:
    """The whole cluster: its shape, its nodes (primaries first) and its sentinels."""

    shape: Shape
    nodes: tuple[NodePlan, ...]
    sentinels: tuple[SentinelPlan, ...]

    @property
    def servers(self) -> tuple[NodePlan | SentinelPlan, ...]:
        """Return all processes of the cluster in the order in which they are started."""
        return (*self.nodes, *self.sentinels)

    def listening_ports(self) -> dict[int, str]:
        """Return every port that the cluster listens on, with words for what it is used for."""
        ports = {node.port: node.name for node in self.nodes}
        ports |= {node.port + BUS_PORT_OFFSET: f"the bus of {node.name}" for node in self.nodes}
        return ports | {sentinel.port: sentinel.name for sentinel in self.sentinels}


def consecutive_ports(shape: Shape, port: int, sentinel_port: int) -> tuple[range, range]:
    """Return the ports of nodes and sentinels counted up from the two given; PlanError where they run out or meet."""
    node_ports = range(port, port + shape.node_count)
    sentinel_ports = range(sentinel_port, sentinel_port + shape.sentinels)
    taken = [*node_ports, *(each + BUS_PORT_OFFSET for each in node_ports), *sentinel_ports]
    if port < 1 or max(taken) > _HIGHEST_PORT:
        raise PlanError(f"ports must lie between 1 and {_HIGHEST_PORT - BUS_PORT_OFFSET}, so that bus ports fit above")
    if len(set(taken)) < len(taken):
        raise PlanError("the ports of nodes, of their buses (10000 above) and of sentinels overlap")
    return node_ports, sentinel_ports


def make_plan(shape: Shape, node_ports: Sequence[int], sentinel_ports: Sequence[int]) -> ClusterPlan:
    """Return the plan for a cluster of `shape` on the given ports."""
    names = [f"node-{port}" for port in node_ports]
    nodes = [
        NodePlan(name, port, primary="" if index < shape.primaries else names[index % shape.primaries])
        for index, (name, port) in enumerate(zip(names, node_ports, strict=True))
    ]
    return ClusterPlan(shape, tuple(nodes), tuple(SentinelPlan(f"sentinel-{port}", port) for port in sentinel_ports))


def slot_ranges(primaries: int) -> list[tuple[int, int]]:
    """Return the first and last slot of each primary: all slots, shared out evenly."""
    bounds = [index * SLOT_COUNT // primaries for index in range(primaries + 1)]
    return [(first, following - 1) for first, following in pairwise(bounds)]


def node_config(node: NodePlan, shape: Shape, folder: Path) -> str:
    """Return a node's configuration file, in the syntax of redis.conf; `folder` is where it keeps its data."""
    lines = [
        f"port {node.port}",
        f"bind {LOOPBACK}",
        f"dir {folder}",
        "cluster-enabled yes",
        "cluster-config-file nodes.conf",
        # Long enough for sentinels to be done before nodes call each other failed.
        f"cluster-node-timeout {max(5000, 3 * shape.down_after_ms)}",
        f"cluster-replica-no-failover {'yes' if shape.sentinels else 'no'}",
        "save 3600 1 300 100 60 10000" if shape.persistent else 'save ""',
    ]
    return "\n".join(lines) + "\n"


def sentinel_config(sentinel: SentinelPlan, plan: ClusterPlan, folder: Path) -> str:
    """Return a sentinel's configuration file: the whole cluster is found from its first node."""
    seed = plan.nodes[0]
    lines = [
        f"port {sentinel.port}",
        f"bind {LOOPBACK}",
        f"dir {folder}",
        f"sentinel monitor-cluster {CLUSTER_NAME} {LOOPBACK} {seed.port} {plan.shape.quorum}",
        f"sentinel down-after-milliseconds {CLUSTER_NAME} {plan.shape.down_after_ms}",
    ]
    return "\n".join(lines) + "\n"


def plan_from_document(document: dict[str, Any]) -> ClusterPlan:
    """Return the plan that attrs.asdict() turned into `document`."""
    return ClusterPlan(
        Shape(**document["shape"]),
        tuple(NodePlan(**node) for node in document["nodes"]),
        tuple(SentinelPlan(**sentinel) for sentinel in document["sentinels"]),
    )
