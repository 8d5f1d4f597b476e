"""`trivet up`, `down` and `status` as a user runs them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import HOST, call, wait_until
from trivet_deploy.launcher import state as state_file
from trivet_deploy.launcher.processes import running_since
from trivet_deploy.network import free_ports

TRIVET = [sys.executable, "-m", "trivet_deploy.cli"]


class Place:
    """A folder and ports for one small cluster: two primaries with a replica each, and three sentinels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # One stretch, so that the sentinels' ports lie behind those of the nodes, of which a test asks for six.
        self.port = consecutive_free_ports(6 + 3)
        self.sentinel_port = self.port + 6

    def up(self, *options: str) -> list[str]:
        shape = ["--primaries", "2", "--port", str(self.port), "--sentinel-port", str(self.sentinel_port)]
        return [*TRIVET, "up", *shape, "--dir", str(self.folder), *options]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*TRIVET, *arguments, "--dir", str(self.folder)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    def pids(self) -> dict[str, int]:
        state = state_file.load(self.folder)
        return {} if state is None else {name: process.pid for name, process in state.processes.items()}

    def running(self) -> set[str]:
        return {name for name, pid in self.pids().items() if running_since(pid) is not None}


def consecutive_free_ports(count: int) -> int:
    while True:
        (first,) = free_ports(1)
        if all(can_bind(first + offset) and can_bind(first + offset + 10000) for offset in range(count)):
            return first


def can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    it = Place(tmp_path / "cluster")
    yield it
    it.run("down")
    assert it.running() == set()


def started(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_detached_cluster_is_ready_shown_and_comes_back_with_its_data(place: Place) -> None:
    first = started(place.up("--detach"))
    assert first.returncode == 0, first.stdout + first.stderr
    ready = re.search(r"ready in (\d+\.\d) s", first.stdout)
    assert ready is not None
    assert float(ready[1]) < 10
    for port in range(place.port, place.port + 4):
        assert b"cluster_state:ok" in call(port, "CLUSTER", "INFO")
    for port in range(place.sentinel_port, place.sentinel_port + 3):
        assert len(call(port, "SENTINEL", "MASTERS")) == 2
    written = [number for number in range(20) if call(place.port, "SET", f"key:{number}", number) == b"OK"]
    assert 0 < len(written) < 20, "the first node serves half of the slots"

    status = place.run("status")
    assert status.returncode == 0, status.stdout
    assert len(re.findall(r"primary\s+│ slots", status.stdout)) == 2
    assert len(re.findall(r"replica\s+│ behind 127", status.stdout)) == 2

    again = started(place.up("--detach"))
    assert again.returncode == 1
    assert f"node-{place.port} (process {place.pids()[f'node-{place.port}']})" in again.stderr

    assert "stopped 7 processes" in place.run("down").stdout
    assert place.running() == set()
    assert place.run("status").returncode == 1
    assert started(place.up("--detach")).returncode == 0
    assert [call(place.port, "GET", f"key:{number}") for number in written] == [str(n).encode() for n in written]


def test_a_killed_process_is_told_and_shown_while_the_others_go_on(place: Place) -> None:
    with subprocess.Popen(place.up(), stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        for line in up.stdout:
            if "Ctrl-C" in line:
                break
        victim = f"node-{place.port}"
        os.kill(place.pids()[victim], signal.SIGKILL)
        assert up.stdout.readline() == f"{victim} has ended: killed by SIGKILL\n"
        wait_until(lambda: serves_everything(place.port + 1), 30.0, "the replica takes over")
        status = place.run("status")
        assert status.returncode == 1
        assert re.search(rf"{victim}\s+│ -\s+│ -\s+│ -\s+│ down", status.stdout)

        pids = place.pids()
        up.send_signal(signal.SIGINT)
        assert up.wait(20) == 0
        assert all(running_since(pid) is None for pid in pids.values())


def serves_everything(port: int) -> bool:
    ranges = call(port, "CLUSTER", "SLOTS")
    dead = port - 1
    return sum(last - first + 1 for first, last, *_ in ranges) == 16384 and all(each[2][1] != dead for each in ranges)


def test_a_cluster_dies_with_the_terminal_that_runs_it(place: Place) -> None:
    with subprocess.Popen(place.up(), stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        for line in up.stdout:
            if "Ctrl-C" in line:
                break
        up.kill()
    wait_until(lambda: place.running() == set(), 20.0, "no process is left")


def test_a_port_in_use_is_named_and_nothing_is_started(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, place.port + 2))
        taken.listen()
        result = started(place.up())
    assert result.returncode == 1
    assert f"port {place.port + 2}, meant for node-{place.port + 2}, is in use" in result.stderr
    assert place.running() == set()


def test_a_process_that_dies_while_starting_is_named_with_its_last_words(place: Place) -> None:
    folder = place.folder / f"node-{place.port + 1}"
    folder.mkdir(parents=True)
    (folder / "redis.conf").write_text("no-such-option yes\n")
    result = started(place.up())
    assert result.returncode == 1
    assert f"node-{place.port + 1} (process" in result.stderr
    assert "no-such-option" in result.stderr
    assert place.running() == set()


def test_another_shape_does_not_get_into_a_folder(place: Place) -> None:
    assert started(place.up("--detach")).returncode == 0
    place.run("down")
    result = started(place.up("--replicas", "2"))
    assert result.returncode == 1
    assert "holds a cluster of another shape" in result.stderr


def test_without_a_cluster_there_is_nothing_to_stop_or_show(tmp_path: Path) -> None:
    for command in ("down", "status"):
        result = started([*TRIVET, command, "--dir", str(tmp_path)])
        assert result.returncode == 1
        assert f"there is no cluster in {tmp_path}" in result.stderr


def test_a_state_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text(json.dumps({"version": 1}))
    result = started([*TRIVET, "down", "--dir", str(tmp_path)])
    assert result.returncode == 1
    assert f"{tmp_path}/cluster.json is not a state file" in result.stderr


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = started([*TRIVET, "up", "--dir", str(tmp_path / "file" / "cluster")])
    assert result.returncode == 1
    assert f"Error: cannot read {tmp_path}/file/cluster/cluster.json: Not a directory" in result.stderr
