"""A formed cluster of real machines on a network without delays or faults."""

from collections.abc import Callable

from tests.simulation.cluster_models import BUS_PORT, PORT, ClusterProcess, cluster_options
from tests.simulation.network import Faults, Network, Simulation
from trivet_node.cluster import administration
from trivet_node.cluster.nodes import ClusterNode
from trivet_node.cluster.slots import range_of_slots
from trivet_wire.slots import SLOT_COUNT

NODE_TIMEOUT_MS = 1000


class Formed:
    """`nodes` are the primaries, then their replicas in the same order, round after round."""

    def __init__(self, shards: int, replicas: int = 0, *, no_failover: bool = True, seed: int = 1) -> None:
        self.simulation = Simulation(seed)
        self.network = Network(self.simulation, Faults(0, 0))
        self.options = cluster_options(NODE_TIMEOUT_MS, no_failover)
        self.nodes: list[ClusterProcess] = []
        for _ in range(shards * (1 + replicas)):
            self.add()
        self.run(10)
        for node in self.nodes[1:]:
            self.meet(node, self.nodes[0])
        self.run(100)
        for number, node in enumerate(self.nodes[:shards]):
            first = number * SLOT_COUNT // shards
            self.add_slots(node, first, (number + 1) * SLOT_COUNT // shards - 1)
        for number, node in enumerate(self.nodes[shards:]):
            self.replicate(node, self.nodes[number % shards])
        self.run(100)

    def add(self) -> ClusterProcess:
        """Return a new node that knows nobody."""
        host = f"10.0.0.{len(self.nodes) + 1}"
        node = ClusterProcess(self.network, host, self.options, lambda process: None)
        self.nodes.append(node)
        for other in self.nodes:
            other.peers = {each.host: each for each in self.nodes}
        return node

    def run(self, milliseconds: int) -> None:
        self.simulation.run_until(self.simulation.now_ms + milliseconds)

    def until(self, condition: Callable[[], bool], limit_ms: int) -> int:
        """Run until `condition` holds; return how many milliseconds that took."""
        begin_ms = self.simulation.now_ms
        assert self.simulation.run_until_true(condition, limit_ms, step_ms=1), f"not within {limit_ms} ms"
        return self.simulation.now_ms - begin_ms

    def meet(self, node: ClusterProcess, other: ClusterProcess) -> None:
        node.command(lambda state: administration.meet(state, other.host, PORT, BUS_PORT))

    def add_slots(self, node: ClusterProcess, first: int, last: int) -> None:
        node.command(lambda state: administration.add_slots(state, range_of_slots(first, last)))

    def replicate(self, node: ClusterProcess, primary: ClusterProcess) -> None:
        node.command(lambda state: administration.replicate(state, primary.state.myself.id, False))

    def take_over(self, node: ClusterProcess, epoch: int | None = None) -> None:
        node.command(lambda state: administration.take_over_now(state, epoch))

    def view(self, viewer: ClusterProcess, node: ClusterProcess) -> ClusterNode:
        """Return what one node knows of another."""
        return viewer.state.nodes[node.state.myself.id]

    def all_healthy(self, *but: ClusterProcess) -> bool:
        return all(node.state.healthy for node in self.nodes if node not in but)
