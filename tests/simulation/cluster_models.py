"""Nodes of a cluster for simulations: the real cluster machine, and a thin model of everything around it.

A `ClusterProcess` carries the machine's effects out on the virtual network: links are streams, nodes.conf is a text
that survives a crash. Of the data only the replication offset is modelled: a primary that serves counts up, a replica
that can reach its primary has its offset a little later.
"""

from collections.abc import Callable

from tests.simulation.network import Endpoint, Network, Simulation, Stream
from trivet_node.cluster import administration
from trivet_node.cluster.config_file import decode_config, encode_config
from trivet_node.cluster.effects import (
    BecomePrimary,
    Connect,
    Disconnect,
    Effect,
    Event,
    FollowPrimary,
    LinkDown,
    LinkUp,
    Received,
    SaveConfig,
    Send,
    Tick,
)
from trivet_node.cluster.machine import ClusterMachine
from trivet_node.cluster.options import ClusterOptions
from trivet_node.cluster.state import ClusterState, new_state
from trivet_wire.requests import RequestParser

REPLICATION_PERIOD_MS = 200
PORT = 6379
BUS_PORT = 16379


def cluster_options(node_timeout_ms: int, replica_no_failover: bool) -> ClusterOptions:
    options = ClusterOptions()
    options.port = PORT
    options.bus_port = BUS_PORT
    options.node_timeout_ms = node_timeout_ms
    options.replica_no_failover = replica_no_failover
    return options


class BusEnd(Endpoint):
    """One end of a bus link."""

    def __init__(self, process: "ClusterProcess", number: int, peer_host: str) -> None:
        self.process = process
        self.number = number
        self.peer_host = peer_host
        self.generation = process.generation

    def opened(self) -> None:
        self._happened(LinkUp(self.number))

    def received(self, message: bytes) -> None:
        parser = RequestParser()
        parser.feed(message)
        arguments = parser.next()
        assert arguments is not None, "a message of the bus is one whole request"
        self._happened(Received(self.number, arguments, self.peer_host, self.process.host))

    def broken(self, reason: str) -> None:
        if self.process.generation == self.generation and self.process.streams.pop(self.number, None) is not None:
            self._happened(LinkDown(self.number))

    def _happened(self, event: Event) -> None:
        # What arrives for a process that has died meanwhile, or over a link that it has closed, is nobody's.
        if self.process.generation != self.generation or not self.process.is_up:
            return
        if isinstance(event, LinkDown) or self.number in self.process.streams:
            self.process.happened(event)


class ClusterProcess:
    """One node. `observe` is called after everything that may have changed it."""

    def __init__(
        self, network: Network, host: str, options: ClusterOptions, observe: Callable[["ClusterProcess"], None]
    ) -> None:
        self.network = network
        self.host = host
        self.options = options
        self.observe = observe
        self.peers: dict[str, ClusterProcess] = {host: self}
        self.disk = ""
        self.generation = 0
        self.offset = 0
        self.followed = ""
        self.steps = 0
        self.streams: dict[int, tuple[Stream, bool]] = {}
        random = network.simulation.random
        self._boot(new_state(options, random, f"{random.getrandbits(160):040x}", f"{random.getrandbits(160):040x}"))

    @property
    def simulation(self) -> Simulation:
        return self.network.simulation

    @property
    def state(self) -> ClusterState:
        return self.machine.state

    @property
    def is_up(self) -> bool:
        return self.network.is_up(self.host)

    @property
    def is_serving(self) -> bool:
        """Say whether the node would answer a write on its slots."""
        return self.is_up and self.state.healthy and self.state.myself.is_primary() and self.state.myself.slots != 0

    def _boot(self, state: ClusterState) -> None:
        administration.apply_options(state, self.options)
        self.machine = ClusterMachine(state)
        self.streams = {}
        self.last_accepted = 0
        self._link_down_since: int | None = None
        self._after(0, lambda: self.happened(Tick()))
        self._after(REPLICATION_PERIOD_MS, self._replicate)

    def crash(self) -> None:
        """Kill the process; what it has saved stays."""
        self.generation += 1
        self.network.crash(self.host)
        self.observe(self)

    def restart(self) -> None:
        """Start the process again from nodes.conf."""
        self.network.restart(self.host)
        self.followed = ""
        self._boot(decode_config(self.disk, self.options, self.simulation.random))

    def happened(self, event: Event) -> None:
        """Let the machine know, carry out what it wants, and come back at its next deadline."""
        self.steps += 1
        self.state.myself.offset = self.offset
        now_ms = self.simulation.now_ms
        self._perform(self.machine.step(event, now_ms))
        self._come_back(now_ms)
        deadline_ms = self.machine.next_deadline()
        assert deadline_ms > now_ms, f"{self.host} would tick forever: it is {now_ms}, next deadline {deadline_ms}"
        self.observe(self)

    def command(self, change: Callable[[ClusterState], None]) -> None:
        """Change the machine's state as a CLUSTER subcommand does."""
        self.state.now_ms = self.simulation.now_ms
        change(self.state)
        self.machine.settle()
        self._perform(self.machine.take())
        self._come_back(self.simulation.now_ms)
        self.observe(self)

    def _come_back(self, now_ms: int) -> None:
        step = self.steps
        self._after(
            max(0, self.machine.next_deadline() - now_ms), lambda: self.happened(Tick()) if step == self.steps else None
        )

    def _after(self, delay_ms: int, callback: Callable[[], None]) -> None:
        generation = self.generation

        def run() -> None:
            if generation == self.generation:
                self.network.arrive(self.host, callback)

        self.simulation.schedule(delay_ms, run)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, SaveConfig):
                self.disk = encode_config(self.state)
            elif isinstance(effect, Connect):
                self._connect(effect)
            elif isinstance(effect, Send):
                self._send(effect)
            elif isinstance(effect, Disconnect):
                self._disconnect(effect.link)
            elif isinstance(effect, FollowPrimary):
                self.followed = effect.host
            elif isinstance(effect, BecomePrimary):
                self.followed = ""

    def _connect(self, effect: Connect) -> None:
        peer = self.peers[effect.host]
        end = BusEnd(self, effect.link, effect.host)
        stream = self.network.connect(self.host, effect.host, end, lambda made: peer.accept(made, self.host))
        self.streams[effect.link] = (stream, True)

    def accept(self, stream: Stream, peer_host: str) -> Endpoint:
        """Take a link that another node has made."""
        self.last_accepted -= 1
        self.streams[self.last_accepted] = (stream, False)
        return BusEnd(self, self.last_accepted, peer_host)

    def _send(self, effect: Send) -> None:
        stream, is_ours = self.streams.get(effect.link, (None, False))
        if stream is not None:
            (stream.send_forth if is_ours else stream.send_back)(effect.data)

    def _disconnect(self, number: int) -> None:
        stream, is_ours = self.streams.pop(number, (None, False))
        if stream is not None:
            (stream.close if is_ours else stream.close_back)()

    def _replicate(self) -> None:
        """Model a moment of replication: writes on a primary, catching up on a replica."""
        primary = self.peers.get(self.followed) if self.followed else None
        if primary is None:
            self.offset += self.simulation.random.randint(0, 100) if self.is_serving else 0
            self.state.primary_link_down_ms = 0
        elif primary.is_up and primary.followed == "" and self.network.can_reach(self.host, primary.host):
            self.offset = primary.offset
            self._link_down_since = None
            self.state.primary_link_down_ms = 0
        else:
            if self._link_down_since is None:
                self._link_down_since = self.simulation.now_ms
            self.state.primary_link_down_ms = self.simulation.now_ms - self._link_down_since
        self._after(REPLICATION_PERIOD_MS, self._replicate)
