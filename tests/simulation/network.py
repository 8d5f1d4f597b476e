"""A virtual clock and a virtual network, both driven by one seed, for machines that take time and randomness as
arguments.

    simulation = Simulation(seed)              simulation.now_ms, simulation.random
    simulation.schedule(delay_ms, callback)    -> Timer, with cancel()
    simulation.run_until(moment_ms)            runs all callbacks up to then, in the order of their times

    network = Network(simulation)
    network.faults = Faults(...)               how slow and how lossy it is from now on
    network.partition({"a", "b"}, {"c"})       hosts in different groups cannot reach each other; heal() ends it
    network.send(source, destination, deliver) a datagram: may be late, out of order, or lost
    network.connect(source, destination, ...)  -> Stream: whole messages in order, both ways, as over TCP

A message on a stream that the network loses is sent again, as TCP does, so it comes late and holds up what is behind
it; when the hosts cannot reach each other for long enough, both ends are told that the stream broke. Whether a
process is alive is said with crash() and restart(): a crash resets its streams at once, as the kernel does for a
process that was killed; a freeze() only stops the answers, as SIGSTOP does.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import attrs

Callback = Callable[[], None]


@attrs.define(order=False, eq=False)
class Timer:
    """A callback to come."""

    moment_ms: int
    callback: Callback
    is_cancelled: bool = False

    def cancel(self) -> None:
        """Do not call it."""
        self.is_cancelled = True


class Simulation:
    """Virtual time. Equal seeds and equal callbacks give equal runs."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now_ms = 0
        self._queue: list[tuple[int, int, Timer]] = []
        self._scheduled = 0

    def schedule(self, delay_ms: int, callback: Callback) -> Timer:
        """Call `callback` after `delay_ms`; callbacks for the same moment run in the order of scheduling."""
        timer = Timer(self.now_ms + max(0, delay_ms), callback)
        self._scheduled += 1
        heapq.heappush(self._queue, (timer.moment_ms, self._scheduled, timer))
        return timer

    def run_until(self, moment_ms: int) -> None:
        """Run everything that is due up to `moment_ms`, and let it be `moment_ms` then."""
        while self._queue and self._queue[0][0] <= moment_ms:
            moment, _order, timer = heapq.heappop(self._queue)
            if not timer.is_cancelled:
                self.now_ms = moment
                timer.callback()
        self.now_ms = moment_ms

    def run_until_true(self, condition: Callable[[], bool], limit_ms: int, step_ms: int = 50) -> bool:
        """Run until `condition` holds, for at most `limit_ms`; return whether it does."""
        end = self.now_ms + limit_ms
        while not condition():
            if self.now_ms >= end:
                return False
            self.run_until(min(end, self.now_ms + step_ms))
        return True


@attrs.frozen
class Faults:
    """How the network behaves: delays between the two bounds, and the part of all messages that it loses."""

    delay_min_ms: int = 0
    delay_max_ms: int = 2
    loss: float = 0.0


RETRANSMIT_FIRST_MS = 200
RETRANSMIT_LAST_MS = 1600
# A stream whose messages are lost for this long breaks, as TCP's user timeout would have it.
STREAM_TIMEOUT_MS = 8000


class Network:
    """Hosts by name, and the faults between them."""

    def __init__(self, simulation: Simulation, faults: Faults | None = None) -> None:
        self.simulation = simulation
        self.faults = faults or Faults()
        self._groups: dict[str, int] = {}
        self._down: set[str] = set()
        self._frozen: dict[str, list[Callback]] = {}
        # Dicts serve as sets that keep their order, for equal runs from equal seeds.
        self._streams: dict[str, dict[Stream, None]] = {}

    def partition(self, *groups: set[str]) -> None:
        """Cut the connections between hosts of different groups; a host in no group reaches only others in none."""
        self._groups = {host: number for number, group in enumerate(groups, start=1) for host in group}

    def heal(self) -> None:
        """Let all hosts reach each other again."""
        self._groups = {}

    def can_reach(self, source: str, destination: str) -> bool:
        """Return whether nothing is cut between two hosts."""
        return source == destination or self._groups.get(source, 0) == self._groups.get(destination, 0)

    def is_up(self, host: str) -> bool:
        """Return whether the host's process runs (a frozen one counts as running)."""
        return host not in self._down

    def crash(self, host: str) -> None:
        """Stop a host's process; its streams are reset."""
        self._down.add(host)
        self._frozen.pop(host, None)
        for stream in list(self._streams.pop(host, ())):
            stream.reset()

    def restart(self, host: str) -> None:
        """Let a host's process run again."""
        self._down.discard(host)

    def freeze(self, host: str) -> None:
        """Let a host's process stand still: what arrives waits."""
        self._frozen.setdefault(host, [])

    def thaw(self, host: str) -> None:
        """Let a frozen process go on, with all that has arrived meanwhile."""
        for callback in self._frozen.pop(host, []):
            self.simulation.schedule(0, callback)

    def arrive(self, host: str, callback: Callback) -> None:
        """Run `callback` on a host that has just received something: now, after its freeze, or never if it is down."""
        if host in self._down:
            return
        if host in self._frozen:
            self._frozen[host].append(callback)
        else:
            callback()

    def delay_ms(self) -> int:
        """Return how long the next message takes."""
        return self.simulation.random.randint(self.faults.delay_min_ms, self.faults.delay_max_ms)

    def loses(self, source: str, destination: str) -> bool:
        """Return whether the next message from one host to the other gets lost."""
        if not self.can_reach(source, destination):
            return True
        return self.faults.loss > 0 and source != destination and self.simulation.random.random() < self.faults.loss

    def send(self, source: str, destination: str, deliver: Callback) -> None:
        """Send one datagram; `deliver` is called on arrival."""
        if not self.loses(source, destination):
            self.simulation.schedule(self.delay_ms(), lambda: self.arrive(destination, deliver))

    def connect(
        self, source: str, destination: str, client: "Endpoint", accept: Callable[["Stream"], "Endpoint"]
    ) -> "Stream":
        """Open a stream; `client` hears opened() or broken() later, and `accept` returns the other end's endpoint."""
        stream = Stream(self, source, destination, client)
        for host in (source, destination):
            self._streams.setdefault(host, {})[stream] = None
        stream.start(accept)
        return stream

    def forget(self, stream: "Stream") -> None:
        """Drop a closed stream."""
        for host in (stream.source, stream.destination):
            self._streams.get(host, {}).pop(stream, None)


class Endpoint:
    """One end of a stream: subclasses say what happens on it."""

    def opened(self) -> None:
        """Take the news that the stream is open."""

    def received(self, message: Any) -> None:
        """Take one message from the other end."""

    def broken(self, reason: str) -> None:
        """Take the news that the stream could not be opened, or broke."""


@attrs.define(eq=False)
class _Direction:
    source: str
    destination: str
    waiting: deque[Any] = attrs.field(factory=deque)
    last_arrival_ms: int = 0
    lost_since_ms: int | None = None
    retransmit_ms: int = RETRANSMIT_FIRST_MS


class Stream:
    """A connection between two hosts, made by Network.connect."""

    def __init__(self, network: Network, source: str, destination: str, client: Endpoint) -> None:
        self.network = network
        self.source = source
        self.destination = destination
        self._client = client
        self._server = Endpoint()
        self.is_closed = False
        self._forth = _Direction(source, destination)
        self._back = _Direction(destination, source)

    def start(self, accept: Callable[["Stream"], Endpoint]) -> None:
        """Shake hands."""
        self._transmit(self._forth, lambda: self._arrive_at_server(accept))

    def _arrive_at_server(self, accept: Callable[["Stream"], Endpoint]) -> None:
        # The kernel answers for a frozen process, but nobody answers for one that is not there.
        if not self.network.is_up(self.destination):
            self._transmit(self._back, lambda: self._break("connection refused"))
            return
        self._server = accept(self)
        self._transmit(self._back, self._client.opened)

    def send_forth(self, message: Any) -> None:
        """Send a message from the end that connected."""
        self._transmit(self._forth, lambda: self._server.received(message))

    def send_back(self, message: Any) -> None:
        """Send a message from the end that accepted."""
        self._transmit(self._back, lambda: self._client.received(message))

    def _transmit(self, direction: _Direction, deliver: Callback) -> None:
        if self.is_closed:
            return
        direction.waiting.append(deliver)
        if direction.lost_since_ms is None:
            self._try(direction)

    def _try(self, direction: _Direction) -> None:
        """Put the messages that wait on the wire; one that is lost holds up those behind it until it is sent again."""
        network, simulation = self.network, self.network.simulation
        while direction.waiting and not self.is_closed:
            if network.loses(direction.source, direction.destination):
                self._retransmit_later(direction)
                return
            direction.lost_since_ms = None
            direction.retransmit_ms = RETRANSMIT_FIRST_MS
            deliver = direction.waiting.popleft()
            arrival_ms = max(direction.last_arrival_ms, simulation.now_ms + network.delay_ms())
            direction.last_arrival_ms = arrival_ms
            simulation.schedule(
                arrival_ms - simulation.now_ms, lambda deliver=deliver: self._arrive(direction, deliver)
            )

    def _retransmit_later(self, direction: _Direction) -> None:
        simulation = self.network.simulation
        if direction.lost_since_ms is None:
            direction.lost_since_ms = simulation.now_ms
        if simulation.now_ms - direction.lost_since_ms >= STREAM_TIMEOUT_MS:
            self.reset()
            return
        simulation.schedule(direction.retransmit_ms, lambda: self._try(direction))
        direction.retransmit_ms = min(2 * direction.retransmit_ms, RETRANSMIT_LAST_MS)

    def _arrive(self, direction: _Direction, deliver: Callback) -> None:
        if not self.is_closed:
            self.network.arrive(direction.destination, lambda: None if self.is_closed else deliver())

    def close(self) -> None:
        """Close the stream from the connecting end; the other end hears of it if it can."""
        if not self.is_closed:
            self._finish()
            self.network.send(self.source, self.destination, lambda: self._server.broken("closed by the peer"))

    def close_back(self) -> None:
        """Close the stream from the accepting end; the connecting end hears of it if it can."""
        if not self.is_closed:
            self._finish()
            self.network.send(self.destination, self.source, lambda: self._client.broken("closed by the peer"))

    def reset(self) -> None:
        """Break the stream: both ends that are still there hear of it, as far as the network carries it."""
        if self.is_closed:
            return
        self._finish()
        for host, peer, endpoint in (
            (self.source, self.destination, self._client),
            (self.destination, self.source, self._server),
        ):
            delay_ms = self.network.delay_ms() if self.network.can_reach(peer, host) else STREAM_TIMEOUT_MS
            self.network.simulation.schedule(delay_ms, lambda host=host, end=endpoint: self._tell_broken(host, end))

    def _tell_broken(self, host: str, endpoint: Endpoint) -> None:
        self.network.arrive(host, lambda: endpoint.broken("connection reset by peer"))

    def _break(self, reason: str) -> None:
        self._finish()
        self._client.broken(reason)

    def _finish(self) -> None:
        self.is_closed = True
        self.network.forget(self)
