"""Processes for simulations of failover: the real sentinel machine and command table, and models of data nodes.

A `SentinelProcess` is trivet_sentinel without its shell: effects go to the virtual network instead of sockets, and
the saved state is a text that survives a crash. A `NodeProcess` knows no keys; it models what sentinels see and do:
roles, replication offsets, INFO, pub/sub, SLAVEOF and, for nodes of a cluster, the part of gossip that spreads who
serves a shard in which epoch. Requests are tuples of text, replies what hiredis would make of them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import hiredis

from tests.simulation.network import Endpoint, Network, Simulation, Stream, Timer
from trivet_sentinel import config, events, state_file
from trivet_sentinel.commands import execute
from trivet_sentinel.machine import SentinelMachine
from trivet_sentinel.sessions import Client, Server
from trivet_sentinel.state import Sentinel
from trivet_wire.connection import ErrorReply

NODE_PORT = 6379
REPLICATION_PERIOD_MS = 200
REPLICATION_TIMEOUT_MS = 700
Request = tuple[str, ...]


class Process:
    """A process on a host of the network, reached at the host's name as its address."""

    def __init__(self, network: Network, host: str) -> None:
        self.network = network
        self.host = host
        self.generation = 0

    @property
    def simulation(self) -> Simulation:
        return self.network.simulation

    @property
    def is_up(self) -> bool:
        return self.network.is_up(self.host)

    def crash(self) -> None:
        """Kill the process."""
        self.generation += 1
        self.network.crash(self.host)

    def restart(self) -> None:
        """Start the process again, with what it kept on disk."""
        self.network.restart(self.host)

    def after(self, delay_ms: int, callback: Callable[[], None]) -> Timer:
        """Call `callback` later, unless the process dies before."""
        generation = self.generation

        def run() -> None:
            if generation == self.generation:
                self.network.arrive(self.host, callback)

        return self.simulation.schedule(delay_ms, run)

    def accept(self, stream: Stream) -> Endpoint:
        """Return the endpoint of a new incoming connection."""
        raise NotImplementedError


class World:
    """All processes of a simulation, by host."""

    def __init__(self, simulation: Simulation, network: Network) -> None:
        self.simulation = simulation
        self.network = network
        self.processes: dict[str, Process] = {}

    def add(self, process: Process) -> None:
        self.processes[process.host] = process

    def connect(self, source: Process, host: str, client: Endpoint) -> Stream:
        """Connect a process to the one at `host`."""
        return self.network.connect(source.host, host, client, self.processes[host].accept)


class NodeProcess(Process):
    """A data node: a primary, or a replica of the node at `primary`."""

    def __init__(self, world: World, host: str, primary: str | None, shard: str = "") -> None:
        super().__init__(world.network, host)
        self.world = world
        self.primary = primary
        self.shard = shard
        self.offset = 0
        self.link_up = False
        self.last_sync_ms = 0
        self.down_since_ms = 0
        self.restarts = 0
        # A dict is a set in the order of insertion: the order must not differ between runs.
        self.connections: dict[NodeConnection, None] = {}
        # In a cluster: who serves each shard, and in which epoch; merged by gossip, the highest epoch wins.
        self.serving: dict[str, tuple[int, str]] = {}
        self.members: dict[str, str] = {}
        self._replicate_soon()

    @property
    def role(self) -> str:
        return "master" if self.primary is None else "slave"

    @property
    def current_epoch(self) -> int:
        return max((epoch for epoch, _host in self.serving.values()), default=0)

    def accept(self, stream: Stream) -> Endpoint:
        connection = NodeConnection(self, stream)
        self.connections[connection] = None
        return connection

    def crash(self) -> None:
        super().crash()
        self.connections.clear()

    def restart(self) -> None:
        super().restart()
        self.restarts += 1
        self._lose_link()
        self._replicate_soon()

    def _replicate_soon(self) -> None:
        self.after(self.simulation.random.randint(1, REPLICATION_PERIOD_MS), self._replicate)

    def _replicate(self) -> None:
        """Write a little as a primary; fetch what the primary has as a replica; gossip as a member of a cluster."""
        self.after(REPLICATION_PERIOD_MS, self._replicate)
        self._gossip()
        if self.primary is None:
            self.offset += 10
            return
        if self.link_up and self.simulation.now_ms - self.last_sync_ms > REPLICATION_TIMEOUT_MS:
            self._lose_link()
        primary = self.world.processes[self.primary]
        self.network.send(self.host, primary.host, lambda: primary.answer_replica(self))  # type: ignore[attr-defined]

    def answer_replica(self, replica: "NodeProcess") -> None:
        """Give a replica our offset."""
        offset, host = self.offset, self.host
        if self.primary is None:
            self.network.send(host, replica.host, lambda: replica.take_offset(host, offset))

    def take_offset(self, host: str, offset: int) -> None:
        """Be in step with the primary at `host`."""
        if self.primary == host:
            self.offset, self.link_up, self.last_sync_ms = offset, True, self.simulation.now_ms

    def _lose_link(self) -> None:
        self.link_up = False
        self.down_since_ms = self.simulation.now_ms

    def _gossip(self) -> None:
        for other in self.members:
            if other != self.host and self.simulation.random.random() < 0.5:
                peer, serving = self.world.processes[other], dict(self.serving)
                self.network.send(self.host, other, lambda peer=peer, serving=serving: peer.hear(serving))  # type: ignore

    def hear(self, serving: dict[str, tuple[int, str]]) -> None:
        """Merge another node's gossip, and follow the node that serves our shard."""
        for shard, claim in serving.items():
            if claim > self.serving.get(shard, (-1, "")):
                self.serving[shard] = claim
        if self.serving:
            self.follow(self.serving[self.shard][1])

    def follow(self, host: str | None) -> None:
        """Become a replica of the node at `host`, or a primary."""
        primary = None if host == self.host else host
        if primary != self.primary:
            self.primary = primary
            self._lose_link()

    def answer(self, request: Request, connection: "NodeConnection") -> Any:
        """Return the reply to one request."""
        name = request[0].upper()
        if name == "PING":
            return b"PONG"
        if name == "INFO":
            return self._info().encode()
        if name == "PUBLISH":
            return self._publish(request)
        if name == "SUBSCRIBE":
            connection.subscribes = True
            return [b"subscribe", request[1].encode(), 1]
        if name == "SLAVEOF":
            self.follow(None if request[1] == "NO" else request[1])
        elif name == "CLUSTER":
            return self._cluster(request)
        elif request[:2] == ("CLIENT", "KILL"):
            self._kill_clients(connection)
        return b"OK"

    def _info(self) -> str:
        lines = ["# Server", f"run_id:{self.host}-{self.restarts}", "# Replication", f"role:{self.role}"]
        if self.primary is not None:
            down_s = (self.simulation.now_ms - self.down_since_ms) // 1000
            lines += [f"master_host:{self.primary}", f"master_port:{NODE_PORT}", "slave_priority:100"]
            lines += [f"master_link_status:{'up' if self.link_up else 'down'}", f"slave_repl_offset:{self.offset}"]
            lines += [] if self.link_up else [f"master_link_down_since_seconds:{down_s}"]
        replicas = self._attached_replicas()
        lines.append(f"connected_slaves:{len(replicas)}")
        lines += [f"slave{number}:ip={host},port={NODE_PORT},state=online" for number, host in enumerate(replicas)]
        return "\r\n".join(lines)

    def _attached_replicas(self) -> list[str]:
        nodes = [process for process in self.world.processes.values() if isinstance(process, NodeProcess)]
        return [node.host for node in nodes if node.is_up and node.primary == self.host and node.link_up]

    def _publish(self, request: Request) -> int:
        listeners = [connection for connection in self.connections if connection.subscribes]
        for listener in listeners:
            listener.stream.send_back([b"message", request[1].encode(), request[2].encode()])
        return len(listeners)

    def _kill_clients(self, spared: "NodeConnection") -> None:
        for connection in [other for other in self.connections if other is not spared]:
            self.connections.pop(connection, None)
            connection.stream.close_back()

    def _cluster(self, request: Request) -> Any:
        if request[1] == "INFO":
            return f"cluster_state:ok\r\ncluster_current_epoch:{self.current_epoch}\r\n".encode()
        if request[1] == "SHARDS":
            return [self._shard_reply(number, shard) for number, shard in enumerate(sorted(self.serving))]
        if request[1] == "FAILOVER":
            epoch = int(request[3]) if len(request) == 4 else self.current_epoch + 1
            if epoch <= self.current_epoch:
                return ErrorReply(f"ERR stale epoch {epoch}")
            self.serving[self.shard] = (epoch, self.host)
            self.follow(self.host)
            return b"OK"
        return b"OK"

    def _shard_reply(self, number: int, shard: str) -> list[Any]:
        slots = 16384 // len(self.serving)
        last = 16383 if number == len(self.serving) - 1 else (number + 1) * slots - 1
        primary = self.serving[shard][1]
        nodes = []
        for host, member_shard in self.members.items():
            if member_shard == shard:
                role = b"master" if host == primary else b"replica"
                fields = [b"id", host.encode(), b"port", NODE_PORT, b"ip", host.encode(), b"role", role]
                nodes.append([*fields, b"health", b"online"])
        return [b"slots", [number * slots, last], b"nodes", nodes, b"id", shard.encode()]


class NodeConnection(Endpoint):
    """The node's end of a connection."""

    def __init__(self, node: NodeProcess, stream: Stream) -> None:
        self.node = node
        self.stream = stream
        self.subscribes = False
        self.queued: list[Request] | None = None

    def received(self, message: Request) -> None:
        if message == ("MULTI",):
            self.queued = []
            reply: Any = b"OK"
        elif message == ("EXEC",):
            reply = [self.node.answer(request, self) for request in self.queued or []]
            self.queued = None
        elif self.queued is not None:
            self.queued.append(message)
            reply = b"QUEUED"
        else:
            reply = self.node.answer(message, self)
        self.stream.send_back(reply)

    def broken(self, reason: str) -> None:
        self.node.connections.pop(self, None)


Observer = Callable[["SentinelProcess"], None]


class SentinelProcess(Process):
    """A sentinel: the real machine and commands. `observe` is called after every step."""

    def __init__(self, world: World, host: str, file: Path, lines: list[str], observe: Observer) -> None:
        super().__init__(world.network, host)
        self.world = world
        self.file = file
        self.saved = "\n".join([f"sentinel announce-ip {host}", *lines]) + "\n"
        self.observe = observe
        self.announced: list[tuple[int, str, str]] = []
        self._start()

    def _start(self) -> None:
        self.file.write_text(self.saved)
        self.config = config.load(self.file)
        seed = self.simulation.random.getrandbits(64)
        my_id = self.config.my_id or f"{self.simulation.random.getrandbits(160):040x}"
        random_source = type(self.simulation.random)(seed)
        sentinel = Sentinel(my_id, random_source, self.config.options, now_ms=self.simulation.now_ms)
        state_file.restore(self.config, sentinel)
        self.machine = SentinelMachine(sentinel)
        self.server = Server(self.machine, "", self.simulation.now_ms, 1)
        self.links: dict[int, SentinelLink] = {}
        self.timer: Timer | None = None
        sentinel.wake_at(self.simulation.now_ms)
        self.carry_out(self.machine.run(sentinel.save, self.simulation.now_ms))

    @property
    def sentinel(self) -> Sentinel:
        return self.machine.sentinel

    def restart(self) -> None:
        super().restart()
        self._start()

    def accept(self, stream: Stream) -> Endpoint:
        return SentinelConnection(self, stream)

    def deliver(self, event: events.Event) -> None:
        """Give an event to the machine."""
        self.carry_out(self.machine.step(event, self.simulation.now_ms))

    def carry_out(self, effects: list[events.Effect]) -> None:
        """Do what the machine wants, in order."""
        for effect in effects:
            if isinstance(effect, events.Transmit):
                self.links[effect.link_id].send(effect.arguments)
            elif isinstance(effect, events.OpenLink):
                self.links[effect.link_id] = SentinelLink(self, effect)
            elif isinstance(effect, events.CloseLink):
                self.links.pop(effect.link_id).close()
            elif isinstance(effect, events.SaveState):
                self.saved = state_file.render(self.config.lines, self.sentinel)
            elif isinstance(effect, events.Announce):
                self.announced.append((self.simulation.now_ms, effect.name, effect.text))
        self.observe(self)
        self._set_timer()

    def _set_timer(self) -> None:
        deadline = self.machine.next_deadline()
        if self.timer is not None and self.timer.moment_ms <= deadline and not self.timer.is_cancelled:
            return
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self.after(deadline - self.simulation.now_ms, self._tick)

    def _tick(self) -> None:
        self.timer = None
        if self.simulation.now_ms >= self.machine.next_deadline():
            self.deliver(events.Tick())
        else:
            self._set_timer()


class SentinelLink(Endpoint):
    """A sentinel's end of a connection that it opened."""

    def __init__(self, process: SentinelProcess, effect: events.OpenLink) -> None:
        self.process = process
        self.generation = process.generation
        self.link_id = effect.link_id
        self.host = effect.host
        self.timeout: Timer | None = process.after(effect.timeout_ms, self._time_out)
        self.stream = process.world.connect(process, effect.host, self)

    def _is_current(self) -> bool:
        return self.process.generation == self.generation and self.process.links.get(self.link_id) is self

    def opened(self) -> None:
        if self._is_current():
            self._cancel_timeout()
            self.process.deliver(events.LinkOpened(self.link_id, self.process.host, self.host))

    def _cancel_timeout(self) -> None:
        if self.timeout is not None:
            self.timeout.cancel()

    def _time_out(self) -> None:
        self.stream.close()
        self.broken("timeout")

    def send(self, arguments: Request) -> None:
        self.stream.send_forth(arguments)

    def received(self, message: Any) -> None:
        if self._is_current():
            self.process.deliver(events.Received(self.link_id, message))

    def broken(self, reason: str) -> None:
        if self._is_current():
            self._cancel_timeout()
            del self.process.links[self.link_id]
            self.process.deliver(events.LinkLost(self.link_id, reason))

    def close(self) -> None:
        self._cancel_timeout()
        self.stream.close()


@attrs.define(eq=False)
class SentinelConnection(Endpoint):
    """A sentinel's end of a connection that a client, or another sentinel, opened."""

    process: SentinelProcess
    stream: Stream
    client: Client = attrs.field(init=False)
    generation: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.generation = self.process.generation
        self.client = self.process.server.connect("client:0", "sentinel:0", self.process.simulation.now_ms)

    def received(self, message: Request) -> None:
        process = self.process
        if process.generation != self.generation:
            return
        request = [argument.encode() for argument in message]
        process.carry_out(execute(process.server, self.client, request, process.simulation.now_ms))
        reader = hiredis.Reader(replyError=ErrorReply)
        reader.feed(self.client.out.take())
        self.stream.send_back(reader.gets())

    def broken(self, reason: str) -> None:
        self.process.server.disconnect(self.client)
