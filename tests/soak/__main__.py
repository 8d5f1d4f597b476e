"""Run the soak: `python -m tests.soak [--seconds 600] [--seed 1]`; the exit status is 0 where nothing was found.

    a third      warm-up: everything that a node allocates once is allocated
    measure      all keys are deleted, the same data is stored, and the node's memory noted
    the rest     load
    measure      the same again: memory must not have grown beyond GROWTH_MAX and SLACK_BYTES

Afterwards nobody may be connected or waited for, and the log must hold no traceback.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import redis

from tests.processes import HOST, ServerProcess, start_trivet_node, wait_until
from tests.soak.load import Load
from tests.soak.workload import check_commands, counters_are_equal, fill

# What a heap may be larger by because it is used differently each time.
GROWTH_MAX: Final = 0.10
SLACK_BYTES: Final = 24 * 2**20
_WARM_UP_PART: Final = 1 / 3
_QUIET_S: Final = 60.0
_MIB: Final = 2**20
# What must be zero or empty when everybody has left.
_NOTHING_LEFT: Final = (
    "blocked_clients",
    "tracking_clients",
    "total_blocking_keys",
    "pubsub_channels",
    "pubsub_patterns",
)


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Put a node under a mixed load and see how it is afterwards.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        start_trivet_node(Path(directory), "--notify-keyspace-events", "KEA", "--appendonly", "no") as server,
    ):
        failures = soak(server, options.seconds, options.seed)
        print(f"log: {len(server.log().splitlines())} lines")
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def soak(server: ServerProcess, seconds: float, seed: int) -> list[str]:
    """Run the load for so long, print what was done, and return what is wrong with the node."""
    check_commands(server)
    load = Load(server, seed)
    facts = info(server)
    print(f"trivet {facts['trivet_version']} ({facts['trivet_build']}), seed {seed}, {seconds:g} s")
    clients_before = int(facts["connected_clients"])
    _run(load, seconds * _WARM_UP_PART)
    before = measure(server, seed)
    _run(load, seconds * (1 - _WARM_UP_PART))
    failures = load.failures + leftovers(server, clients_before)
    after = measure(server, seed)
    allowed = before * (1 + GROWTH_MAX) + SLACK_BYTES
    for name, count in load.counts.most_common():
        print(f"{count:9d}  {name}")
    print(f"memory: {before / _MIB:.1f} MiB after the warm-up, {after / _MIB:.1f} MiB in the end", end="")
    print(f" with the same data; {allowed / _MIB:.1f} MiB are allowed")
    if after > allowed:
        failures.append(f"the node's memory has grown from {before} to {after} bytes")
    if "Traceback" in server.log():
        failures.append(f"the node's log holds a traceback:\n{server.log()[-4000:]}")
    return failures


def _run(load: Load, seconds: float) -> None:
    end = time.monotonic() + seconds
    load.start()
    while time.monotonic() < end and not load.failures:
        time.sleep(min(0.5, max(0.0, end - time.monotonic())))
    load.stop()


def info(server: ServerProcess) -> dict[str, str]:
    """Return all fields of INFO."""
    lines = server.call("INFO", "everything", timeout_s=_QUIET_S).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def measure(server: ServerProcess, seed: int) -> int:
    """Delete all keys, store the same data as always, and return the bytes that the node takes when it is quiet."""
    with redis.Redis(HOST, server.port, socket_timeout=_QUIET_S) as connection:
        connection.flushall()
        wait_until(lambda: info(server)["lazyfree_pending_objects"] == "0", _QUIET_S, "what was deleted is freed")
        fill(connection, seed)
    sizes = [0, 1]
    deadline = time.monotonic() + _QUIET_S
    while sizes[-1] != sizes[-2] and time.monotonic() < deadline:
        time.sleep(1)
        sizes.append(int(info(server)["used_memory_rss"]))
    return sizes[-1]


def leftovers(server: ServerProcess, clients_before: int) -> list[str]:
    """Return what is left of clients that are gone."""
    try:
        wait_until(lambda: int(info(server)["connected_clients"]) <= clients_before, _QUIET_S, "all clients are gone")
    except AssertionError as error:
        return [f"{error}: {server.call('CLIENT', 'LIST').decode()}"]
    facts = info(server)
    failures = [f"{name} is {facts[name]}" for name in _NOTHING_LEFT if facts[name] != "0"]
    with redis.Redis(HOST, server.port) as connection:
        if not counters_are_equal(connection):
            failures.append("a transaction was not run as a whole")
    return failures


if __name__ == "__main__":
    sys.exit(main())
