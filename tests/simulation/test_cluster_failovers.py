"""Hundreds of failovers of whole clusters from seeds: real cluster machines on a network that delays, loses and cuts.

Half of the clusters heal themselves by votes; in the others an authority, as the elected sentinel is one, sends
CLUSTER FAILOVER TAKEOVER with an epoch of its own to a replica. What must hold at every step: no slot is claimed by
two primaries in one epoch, and no slot is served by two nodes for long. And some time after the faults have ended: all
nodes agree on everything. A failure names its seed; `Scenario(seed).run()` replays it.
"""

import pytest

from tests.amount import part_of
from tests.simulation.cluster_models import ClusterProcess, cluster_options
from tests.simulation.network import Faults, Network, Simulation, Timer
from trivet_node.cluster import administration
from trivet_node.cluster.slots import ALL_SLOTS, range_of_slots
from trivet_node.command import CommandError
from trivet_wire.slots import SLOT_COUNT

SEEDS_A_BATCH = 10
BATCHES = 6
ROUNDS = 4
NODE_TIMEOUT_MS = 1000
FORMED_LIMIT_MS = 5_000
FAILED_OVER_LIMIT_MS = 30_000
CONVERGED_LIMIT_MS = 30_000
# A primary that is cut off learns it within the node timeout and half of it, unless it stood still itself.
SERVED_TWICE_LIMIT_MS = 2 * NODE_TIMEOUT_MS


class Checker:
    """Watches every step of every node."""

    def __init__(self, seed: int, simulation: Simulation) -> None:
        self.seed = seed
        self.simulation = simulation
        self.claims: dict[int, dict[str, int]] = {}
        self.served: dict[str, int] = {}
        self.served_twice_since: dict[tuple[str, str], int] = {}
        self.frozen: set[str] = set()

    def observe(self, process: ClusterProcess) -> None:
        myself = process.state.myself
        if myself.is_primary() and myself.slots:
            claims = self.claims.setdefault(myself.config_epoch, {})
            if claims.get(process.host) != myself.slots:
                claims[process.host] = claims.get(process.host, 0) | myself.slots
                for host, slots in claims.items():
                    is_conflict = host != process.host and slots & claims[process.host]
                    assert not is_conflict, (
                        f"seed {self.seed}: {host} and {process.host} claim the same slots in epoch "
                        f"{myself.config_epoch}"
                    )
        self._watch_served(process.host, myself.slots if process.is_serving else 0)

    def _watch_served(self, host: str, slots: int) -> None:
        if self.served.get(host, 0) == slots:
            return
        self.served[host] = slots
        for other, others_slots in self.served.items():
            pair = (min(host, other), max(host, other))
            if other == host:
                continue
            if not slots & others_slots:
                self._end_of_double_service(pair)
            else:
                self.served_twice_since.setdefault(pair, self.simulation.now_ms)

    def _end_of_double_service(self, pair: tuple[str, str]) -> None:
        since_ms = self.served_twice_since.pop(pair, None)
        if since_ms is None or self.frozen & set(pair):
            return
        lasted_ms = self.simulation.now_ms - since_ms
        assert lasted_ms <= SERVED_TWICE_LIMIT_MS, f"seed {self.seed}: {pair} served the same slots for {lasted_ms} ms"


class Scenario:
    """One cluster, and what is done to it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.simulation = Simulation(seed)
        self.random = self.simulation.random
        self.network = Network(self.simulation)
        self.checker = Checker(seed, self.simulation)
        self.has_authority = seed % 2 == 1
        self.authority_epoch = 100
        self.failovers = 0
        self.lost: list[ClusterProcess] = []
        self.isolated: set[str] = set()
        # Timers of this round that must not fire in the next one.
        self.hindrances: list[Timer] = []
        options = cluster_options(NODE_TIMEOUT_MS, replica_no_failover=self.has_authority)
        self.shard_count = self.random.choice((3, 5))
        self.replica_count = self.random.choice((1, 2))
        hosts = [f"10.0.0.{number}" for number in range(1, self.shard_count * (1 + self.replica_count) + 1)]
        self.nodes = [ClusterProcess(self.network, host, options, self.checker.observe) for host in hosts]
        for node in self.nodes:
            node.peers = {other.host: other for other in self.nodes}

    def run(self) -> int:
        """Form the cluster, break and mend it several times; return how many failovers there were."""
        self.form()
        for _round in range(ROUNDS):
            self.break_things()
            self.expect(self.is_failed_over, FAILED_OVER_LIMIT_MS, "the lost primaries to be replaced")
            self.mend_everything()
            self.expect(self.is_converged, CONVERGED_LIMIT_MS, "all nodes to agree")
            assert not self.checker.served_twice_since, f"seed {self.seed}: {self.checker.served_twice_since}"
        return self.failovers

    def expect(self, condition, limit_ms: int, what: str) -> None:
        is_met = self.simulation.run_until_true(condition, limit_ms)
        assert is_met, f"seed {self.seed}: waited {limit_ms} ms for {what}\n{self.describe()}"

    def describe(self) -> str:
        lines = [f"{self.simulation.now_ms} ms"]
        for node in self.nodes:
            me = node.state.myself
            lines.append(
                f"{node.host} {'up' if node.is_up else 'down'} {'ok' if node.state.healthy else 'fail'} "
                f"{'primary' if me.is_primary() else 'replica'} of {me.shard_id[:6]}, epoch {me.config_epoch} of "
                f"{node.state.current_epoch}, {me.slots.bit_count()} slots, sees "
                f"{sorted(other.host for other in node.state.others() if other.is_failing())} failing"
            )
        return "\n".join(lines)

    # Formation, as `trivet up` and redis-cli --cluster create do it.

    def form(self) -> None:
        self.network.faults = Faults(0, self.random.choice((1, 5, 20)))
        self.simulation.run_until(10)
        primaries = self.nodes[: self.shard_count]
        for number, node in enumerate(primaries):
            first = number * SLOT_COUNT // self.shard_count
            share = range_of_slots(first, (number + 1) * SLOT_COUNT // self.shard_count - 1)
            node.command(lambda state, number=number: administration.set_config_epoch(state, number + 1))
            node.command(lambda state, share=share: administration.add_slots(state, share))
        for node in self.nodes[1:]:
            node.command(lambda state: administration.meet(state, self.nodes[0].host, 6379, 16379))
        for number, node in enumerate(self.nodes[self.shard_count :]):
            primary = primaries[number % self.shard_count].state.myself
            self.expect(lambda node=node, it=primary: it.id in node.state.nodes, FORMED_LIMIT_MS, "gossip")
            node.command(lambda state, it=primary: administration.replicate(state, it.id, False))
        self.expect(self.is_converged, FORMED_LIMIT_MS, "the cluster to form")

    # Faults.

    def break_things(self) -> None:
        """Choose faults; then lose a minority of the primaries, each in its own way."""
        self.network.faults = Faults(0, self.random.choice((2, 10, 50)), self.random.choice((0.0, 0.01, 0.05)))
        primaries = [node for node in self.nodes if node.state.myself.is_voter()]
        victims = self.random.sample(primaries, self.random.randint(1, (self.shard_count - 1) // 2))
        self.lost = victims
        self.failovers += len(victims)
        isolated: set[str] = self.hinder_others()
        for node in victims:
            way = self.random.choice(("crash", "crash", "freeze", "partition"))
            if way == "crash":
                self.simulation.schedule(self.random.randint(0, 500), node.crash)
            elif way == "freeze":
                self.checker.frozen.add(node.host)
                self.network.freeze(node.host)
            else:
                isolated.add(node.host)
            if self.has_authority:
                delay_ms = self.random.randint(NODE_TIMEOUT_MS // 2, 3 * NODE_TIMEOUT_MS)
                self.simulation.schedule(delay_ms, lambda node=node: self.decide(node))
        self.isolated = isolated
        # Some are cut off together, others alone.
        together = {host for host in isolated if self.random.random() < 0.5}
        self.network.partition(together, *({host} for host in isolated - together))

    def hinder_others(self) -> set[str]:
        """Restart one of the nodes that are not lost, perhaps in the middle of an election; cut a replica off."""
        others = [node for node in self.nodes if node not in self.lost]
        if self.random.random() < 0.5:
            node = self.random.choice(others)
            begin_ms = self.random.randint(0, 2 * NODE_TIMEOUT_MS)
            end_ms = begin_ms + self.random.randint(10, 400)
            self.hindrances = [
                self.simulation.schedule(begin_ms, node.crash),
                self.simulation.schedule(end_ms, node.restart),
            ]
        replicas = [node for node in others if node.state.myself.is_replica()]
        if self.replica_count > 1 and self.random.random() < 0.5:
            return {self.random.choice(replicas).host}
        return set()

    def decide(self, lost: ClusterProcess) -> None:
        """Promote a replica as the elected sentinel does: directly, with an epoch that nobody else has."""
        shard_id = lost.state.myself.shard_id
        replicas = [
            node
            for node in self.nodes
            if node.is_up
            and node.host not in self.isolated
            and node.state.myself.shard_id == shard_id
            and node.state.myself.is_replica()
        ]
        if not replicas:
            # The one that is left starts again just now.
            self.simulation.schedule(NODE_TIMEOUT_MS, lambda: self.decide(lost))
            return
        chosen = max(replicas, key=lambda node: node.offset)
        self.authority_epoch += 1
        epoch = max(self.authority_epoch, max(node.state.current_epoch for node in self.nodes) + 1)
        self.authority_epoch = epoch
        chosen.command(lambda state: administration.take_over_now(state, epoch))
        with pytest.raises(CommandError, match="stale epoch"):
            chosen.command(lambda state: administration.take_over_now(state, epoch))

    def mend_everything(self) -> None:
        self.network.heal()
        for timer in self.hindrances:
            timer.cancel()
        for node in self.nodes:
            if not node.is_up:
                node.restart()
            self.network.thaw(node.host)
        self.network.faults = Faults(0, 5)

    # What must come true.

    def is_failed_over(self) -> bool:
        """Say whether all nodes that can say so agree that others than the lost ones serve all slots."""
        others = [node for node in self.nodes if node not in self.lost and node.host not in self.isolated]
        return all(
            node.is_up
            and node.state.healthy
            and not any(node.state.nodes[lost.state.myself.id].slots for lost in self.lost)
            for node in others
        )

    def is_converged(self) -> bool:
        """Say whether all nodes are up and well, own every slot once, and agree about everything."""
        return all(node.is_up and self._is_content(node) for node in self.nodes) and self._agree()

    def _is_content(self, node: ClusterProcess) -> bool:
        state = node.state
        myself = state.myself
        if not state.healthy or state.table.assigned != ALL_SLOTS or len(state.nodes) != len(self.nodes):
            return False
        if any(other.is_failing() for other in state.others()):
            return False
        if myself.is_primary():
            return myself.slots != 0 and node.followed == ""
        primary = state.primary_of(myself)
        return primary is not None and primary.slots != 0 and node.followed == primary.host

    def _agree(self) -> bool:
        views = {
            tuple(
                (other.id, other.is_primary(), other.primary_id, other.shard_id, other.slots)
                + ((other.config_epoch,) if other.is_primary() else ())
                for other in sorted(node.state.nodes.values(), key=lambda other: other.id)
            )
            for node in self.nodes
        }
        return len(views) == 1


@pytest.mark.parametrize("batch", range(part_of(BATCHES)))
def test_failovers(batch: int) -> None:
    first = batch * SEEDS_A_BATCH
    failovers = sum(Scenario(seed).run() for seed in range(first, first + SEEDS_A_BATCH))
    assert failovers >= SEEDS_A_BATCH * ROUNDS
