"""Whole clusters for tests: six servers on loopback, three primaries with a replica each."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import hiredis

from tests.processes import HOST, ServerProcess, call, free_ports, start_redis_server, wait_until
from trivet_wire.slots import key_slot

NODE_TIMEOUT_MS: Final = 1000
FORMING_TIMEOUT_S: Final = 20.0


class RunningCluster:
    """A cluster of some kind (see CLUSTERS) that serves all slots; its nodes are known by their ports."""

    def __init__(self, kind: str, ports: list[int]) -> None:
        self.kind = kind
        self.ports = ports

    @property
    def startup_nodes(self) -> list[tuple[str, int]]:
        """All nodes, for clients."""
        return [(HOST, port) for port in self.ports]

    def call(self, port: int, *arguments: str | bytes | int) -> Any:
        """Send one command to one node; errors are returned."""
        return call(port, *arguments)

    def primary_port(self, key: bytes) -> int:
        """Return the port of the node that serves `key`, as any node that answers sees it."""
        slot = int(key_slot(key))
        for first, last, primary, *_ in self._slots():
            if first <= slot <= last:
                return int(primary[1])
        raise AssertionError(f"nobody serves slot {slot}")

    def primary_ports(self) -> list[int]:
        """Return the ports of the nodes that serve slots."""
        return sorted({int(primary[1]) for _, _, primary, *_ in self._slots()})

    def replica_port(self, key: bytes) -> int:
        """Return the port of the first replica of the node that serves `key`."""
        slot = int(key_slot(key))
        return next(int(nodes[1][1]) for first, last, *nodes in self._slots() if first <= slot <= last)

    def key_of(self, port: int) -> bytes:
        """Return some key that the node at `port` serves."""
        return next(key for key in (b"key:%d" % number for number in range(10_000)) if self.primary_port(key) == port)

    def kill(self, port: int) -> None:
        """End the node with SIGKILL."""
        self.send_signal(port, signal.SIGKILL)

    def send_signal(self, port: int, number: signal.Signals) -> None:
        """Send a signal to the process of the node."""
        os.kill(self.pid(port), number)

    def pid(self, port: int) -> int:
        """Return the process id that the node itself reports."""
        lines = bytes(self.call(port, "INFO", "server")).split(b"\r\n")
        return next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"process_id:"))

    def node_id(self, port: int) -> bytes:
        """Return the node's id in the cluster."""
        return bytes(self.call(port, "CLUSTER", "MYID"))

    def is_whole(self) -> bool:
        """Say whether every node is up, serves slots or follows a node that does, and all agree on who does what."""
        try:
            infos = [bytes(self.call(port, "CLUSTER", "INFO")) for port in self.ports]
            if not all(b"cluster_state:ok" in info for info in infos):
                return False
            views = {self._view(port) for port in self.ports}
            return len(views) == 1 and sorted(self.ports) == sorted({p for *_, ports in views.pop() for p in ports})
        except (OSError, hiredis.ReplyError, TypeError):
            return False

    def _view(self, port: int) -> tuple[tuple[int, int, tuple[int, ...]], ...]:
        slots = self.call(port, "CLUSTER", "SLOTS")
        return tuple(
            sorted(
                (first, last, (nodes[0][1], *sorted(node[1] for node in nodes[1:]))) for first, last, *nodes in slots
            )
        )

    def _slots(self) -> list[Any]:
        for port in self.ports:
            with contextlib.suppress(OSError):
                reply = self.call(port, "CLUSTER", "SLOTS")
                if isinstance(reply, list) and reply:
                    return reply
        raise AssertionError("no node tells who serves what")


@contextlib.contextmanager
def redis_cluster(directory: Path, *further: str) -> Iterator[RunningCluster]:
    """Run a cluster of six real redis-servers with the given further options, formed by redis-cli."""
    # A replica is shown in slot maps from its first replicated byte on, which in a new cluster is the primary's ping.
    prompt = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
    options = ["--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS), *prompt, *further]
    servers: list[ServerProcess] = []
    try:
        for _ in range(6):
            servers.append(start_redis_server(directory, *options))
        cluster = RunningCluster("redis", [server.port for server in servers])
        create = ["redis-cli", "--cluster", "create", *(f"{HOST}:{port}" for port in cluster.ports)]
        subprocess.run([*create, "--cluster-replicas", "1", "--cluster-yes"], check=True, capture_output=True)
        wait_until(cluster.is_whole, FORMING_TIMEOUT_S, "the cluster is whole")
        wait_until(lambda: _replicas_are_linked(cluster), FORMING_TIMEOUT_S, "the replicas follow")
        yield cluster
    finally:
        for server in servers:
            server.kill()


@contextlib.contextmanager
def trivet_cluster(directory: Path) -> Iterator[RunningCluster]:
    """Run Trivet's own cluster of six nodes with three sentinels, formed by `trivet up`."""
    port, sentinel_port = free_ports(6), free_ports(3)
    trivet = [sys.executable, "-m", "trivet_deploy.cli"]
    options = ["--port", str(port), "--sentinel-port", str(sentinel_port), "--down-after-ms", str(NODE_TIMEOUT_MS)]
    try:
        up = [*trivet, "up", "--dir", str(directory), "--detach", *options]
        done = subprocess.run(up, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        cluster = RunningCluster("trivet", list(range(port, port + 6)))
        wait_until(cluster.is_whole, FORMING_TIMEOUT_S, "the cluster is whole")
        wait_until(lambda: _replicas_are_linked(cluster), FORMING_TIMEOUT_S, "the replicas follow")
        yield cluster
    finally:
        subprocess.run([*trivet, "down", "--dir", str(directory)], check=True, capture_output=True, timeout=60)


def _replicas_are_linked(cluster: RunningCluster) -> bool:
    roles = [cluster.call(port, "ROLE") for port in cluster.ports]
    return all(role[3] == b"connected" for role in roles if role[0] == b"slave")


# How to start a cluster of each kind; tests of what a client sees run against all of them.
CLUSTERS: Final[dict[str, Callable[[Path], contextlib.AbstractContextManager[RunningCluster]]]] = {
    "redis": redis_cluster,
    "trivet": trivet_cluster,
}
