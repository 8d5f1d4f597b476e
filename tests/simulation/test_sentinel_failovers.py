"""A thousand failovers from seeds: real sentinel machines, modelled nodes, a network that delays, loses and partitions.

What must hold at every step: for each group and epoch there is at most one leader, and at most one node that it
promotes. And some time after the faults have ended: all sentinels name the same primary, it is up and says so itself,
and every other node is its replica. A failure names its seed; `run_scenario(seed, ...)` replays it.
"""

from pathlib import Path

import pytest

from tests.amount import part_of
from tests.simulation.network import Faults, Network, Simulation
from tests.simulation.sentinel_models import NODE_PORT, NodeProcess, SentinelProcess, World
from trivet_sentinel.state import FailoverState

FAILOVERS_WANTED = 1000
FAILOVERS_A_BATCH = 100
GROUPS = 4
REPLICAS = 2
ROUNDS = 3
DOWN_AFTER_MS = 1000
FAILED_OVER_LIMIT_MS = 40_000
CONVERGED_LIMIT_MS = 40_000


class Checker:
    """Watches every step of every sentinel for two leaders, or two promoted nodes, in one epoch of one group."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.leaders: dict[tuple[str, int], str] = {}
        self.promoted: dict[tuple[str, int], str] = {}
        self.primaries: dict[tuple[str, int], str] = {}

    def observe(self, process: SentinelProcess) -> None:
        for name, group in process.sentinel.groups.items():
            failover = group.failover
            if failover is not None and failover.state is not FailoverState.WAIT_START:
                self._claim(self.leaders, (name, failover.epoch), process.host, "leaders")
                if failover.promoted is not None:
                    host = failover.promoted.address.host
                    self._claim(self.promoted, (name, failover.epoch), host, "promoted nodes")
            if not group.cluster:
                key = (name, group.config_epoch)
                self._claim(self.primaries, key, group.current_primary().address.host, "primaries")

    def _claim(self, table: dict[tuple[str, int], str], key: tuple[str, int], value: str, what: str) -> None:
        first = table.setdefault(key, value)
        assert first == value, f"seed {self.seed}: two {what} of {key[0]} in epoch {key[1]}: {first} and {value}"


class Scenario:
    """One simulated deployment: groups of nodes, sentinels, and what is done to them."""

    def __init__(self, seed: int, directory: Path, is_cluster: bool) -> None:
        self.seed = seed
        self.simulation = Simulation(seed)
        self.random = self.simulation.random
        self.network = Network(self.simulation)
        self.world = World(self.simulation, self.network)
        self.checker = Checker(seed)
        self.is_cluster = is_cluster
        self.groups = [self._make_group(number) for number in range(GROUPS)]
        self.nodes = [node for group in self.groups for node in group]
        self._join_cluster()
        self.sentinels = self._make_sentinels(directory, self.random.choice((3, 3, 5)))

    def _make_group(self, number: int) -> list[NodeProcess]:
        hosts = [f"10.0.{number}.{index}" for index in range(1, REPLICAS + 2)]
        shard = f"{number:040x}"[::-1] if self.is_cluster else ""
        group = [NodeProcess(self.world, host, None if host == hosts[0] else hosts[0], shard) for host in hosts]
        for node in group:
            self.world.add(node)
        return group

    def _join_cluster(self) -> None:
        if self.is_cluster:
            for node in self.nodes:
                node.members = {other.host: other.shard for other in self.nodes}
                node.serving = {group[0].shard: (index, group[0].host) for index, group in enumerate(self.groups)}

    def _make_sentinels(self, directory: Path, count: int) -> list[SentinelProcess]:
        quorum = count // 2 + 1
        if self.is_cluster:
            lines = [f"sentinel monitor-cluster c {self.nodes[0].host} {NODE_PORT} {quorum}"]
            lines.append(f"sentinel down-after-milliseconds c {DOWN_AFTER_MS}")
        else:
            lines = []
            for number, group in enumerate(self.groups):
                lines.append(f"sentinel monitor g{number} {group[0].host} {NODE_PORT} {quorum}")
                lines.append(f"sentinel down-after-milliseconds g{number} {DOWN_AFTER_MS}")
        sentinels = []
        for number in range(count):
            host = f"10.1.0.{number}"
            sentinel = SentinelProcess(self.world, host, directory / f"{host}.conf", lines, self.checker.observe)
            self.world.add(sentinel)
            sentinels.append(sentinel)
        return sentinels

    def name_of(self, number: int) -> str:
        return f"c-{self.groups[number][0].shard[:8]}" if self.is_cluster else f"g{number}"

    def run(self) -> int:
        """Go through all rounds; return how many failovers there were."""
        self._expect(self.knows_everything, 20_000, "the sentinels to find everything")
        for _round in range(ROUNDS):
            self._break_things()
            self._expect(self.is_failed_over, FAILED_OVER_LIMIT_MS, "the primaries to be replaced")
            self._mend_everything()
            self._expect(self.is_converged, CONVERGED_LIMIT_MS, "the system to converge")
        return len(self.checker.promoted)

    def _expect(self, condition, limit_ms: int, what: str) -> None:
        is_met = self.simulation.run_until_true(condition, limit_ms)
        assert is_met, f"seed {self.seed}: waited {limit_ms} ms for {what}\n{self.describe()}"

    def knows_everything(self) -> bool:
        return all(
            len(sentinel.sentinel.groups) == GROUPS
            and all(
                len(group.replicas) == REPLICAS
                and len(group.peers) == len(self.sentinels) - 1
                and all(node.info_received_ms is not None and node.primary_link_up for node in group.replicas.values())
                for group in sentinel.sentinel.groups.values()
            )
            for sentinel in self.sentinels
        )

    def _break_things(self) -> None:
        """Choose faults; then lose all primaries, each in its own way and within half a second of each other."""
        delay_ms = self.random.choice((2, 10, 50))
        self.network.faults = Faults(0, delay_ms, self.random.choice((0.0, 0.01, 0.05)))
        self.lost: dict[int, NodeProcess] = {}
        isolated: list[str] = []
        for number, group in enumerate(self.groups):
            primary = next(node for node in group if node.role == "master")
            self.lost[number] = primary
            way = self.random.choice(("crash", "crash", "freeze", "partition"))
            if way == "partition":
                isolated.append(primary.host)
            else:
                action = primary.crash if way == "crash" else lambda host=primary.host: self.network.freeze(host)
                self.simulation.schedule(self.random.randint(0, 500), action)
        self._hinder_a_sentinel(isolated)
        self.network.partition(*({host} for host in isolated))

    def _hinder_a_sentinel(self, isolated: list[str]) -> None:
        """Sometimes crash, stop or isolate one sentinel as well, perhaps in the middle of an election."""
        victim = self.random.choice(self.sentinels)
        way = self.random.choice(("nothing", "crash", "freeze", "partition"))
        moment_ms = self.random.choice((0, DOWN_AFTER_MS, DOWN_AFTER_MS + 150, DOWN_AFTER_MS + 300))
        if way == "crash":
            self.simulation.schedule(moment_ms, victim.crash)
            self.simulation.schedule(moment_ms + self.random.randint(10, 3000), victim.restart)
        elif way == "freeze":
            self.simulation.schedule(moment_ms, lambda: self.network.freeze(victim.host))
            self.simulation.schedule(moment_ms + 3000, lambda: self.network.thaw(victim.host))
        elif way == "partition":
            isolated.append(victim.host)

    def is_failed_over(self) -> bool:
        """Return whether a majority of the sentinels names, for every group, a new primary that agrees."""
        majority = len(self.sentinels) // 2 + 1
        for number, group in enumerate(self.groups):
            hosts = [self._primary_named_by(sentinel, number) for sentinel in self.sentinels]
            new = [node for node in group if node is not self.lost[number] and node.role == "master" and node.is_up]
            if not any(hosts.count(node.host) >= majority for node in new):
                return False
        return True

    def _primary_named_by(self, process: SentinelProcess, number: int) -> str:
        if not process.is_up:
            return ""
        return process.sentinel.groups[self.name_of(number)].current_primary().address.host

    def _mend_everything(self) -> None:
        self.network.heal()
        self.network.faults = Faults()
        for process in (*self.nodes, *self.sentinels):
            self.network.thaw(process.host)
            if not process.is_up:
                process.restart()
        # A sentinel's crash or restart may still be to come; converged means that it stays so without them.
        self.simulation.run_until(self.simulation.now_ms + 4000)
        for sentinel in self.sentinels:
            self.network.thaw(sentinel.host)
            if not sentinel.is_up:
                sentinel.restart()

    def is_converged(self) -> bool:
        return all(self._group_is_converged(number) for number in range(GROUPS))

    def _group_is_converged(self, number: int) -> bool:
        group = self.groups[number]
        named = {self._primary_named_by(sentinel, number) for sentinel in self.sentinels}
        primaries = [node for node in group if node.role == "master"]
        if len(primaries) != 1 or named != {primaries[0].host}:
            return False
        watched = [sentinel.sentinel.groups[self.name_of(number)] for sentinel in self.sentinels]
        calm = all(one.failover is None and one.primary.down_since_ms is None for one in watched)
        informed = all(
            len(one.replicas) == REPLICAS and all(node.role == "slave" for node in one.replicas.values())
            for one in watched
        )
        return calm and informed and all(node.link_up for node in group if node is not primaries[0])

    def describe(self) -> str:
        lines = [f"at {self.simulation.now_ms} ms"]
        for number, group in enumerate(self.groups):
            lines.append(f"{self.name_of(number)}: {self._group_is_converged(number)}")
            lines += [
                f"  {node.host} up={node.is_up} {node.role} of {node.primary} link={node.link_up}" for node in group
            ]
            for sentinel in self.sentinels:
                watched = sentinel.sentinel.groups.get(self.name_of(number))
                if watched is not None:
                    failover = watched.failover
                    place = f"{watched.current_primary().address} epoch={watched.config_epoch}"
                    state = f"failover={failover and (failover.state, failover.epoch)} tilt={sentinel.sentinel.in_tilt}"
                    lines.append(f"  {sentinel.host} up={sentinel.is_up} names {place} {state}")
        for sentinel in self.sentinels:
            lines.append(f"{sentinel.host}:")
            lines += [f"    {moment} {name} {text}" for moment, name, text in sentinel.announced[-30:]]
        return "\n".join(lines)


def run_scenario(seed: int, directory: Path) -> int:
    """Run the scenario of one seed; every third one is a cluster."""
    return Scenario(seed, directory, is_cluster=seed % 3 == 2).run()


@pytest.mark.parametrize("batch", range(part_of(FAILOVERS_WANTED // FAILOVERS_A_BATCH)))
def test_failovers_keep_one_primary_an_epoch_and_converge(batch: int, tmp_path: Path) -> None:
    failovers = 0
    seed = batch * FAILOVERS_A_BATCH
    while failovers < FAILOVERS_A_BATCH:
        failovers += run_scenario(seed, tmp_path)
        seed += 1


def test_equal_seeds_give_equal_runs(tmp_path: Path) -> None:
    first, second = Scenario(7, tmp_path, False), Scenario(7, tmp_path, False)
    first.run()
    second.run()
    assert [sentinel.announced for sentinel in first.sentinels] == [sentinel.announced for sentinel in second.sentinels]
