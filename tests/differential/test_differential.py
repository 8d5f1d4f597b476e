"""The same random commands into a node's engine and into redis-server 7.0: nothing may differ.

A failure prints its seed and a short sequence; `pytest tests/differential -k "redis_does[N]"` runs seed N again.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import require_redis_server
from tests.differential import comparison
from tests.differential.generator import CLIENTS, Generator
from tests.differential.peers import EnginePeer, Peer, RealReplica, SocketPeer
from tests.processes import start_redis_server, start_server

SEQUENCES: Final = 60
STEPS: Final = 450
PROPAGATED_SEQUENCES: Final = 20
COUNTED_SEQUENCES: Final = 5
NODE_SEQUENCES: Final = 10


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketPeer]:
    """A redis-server that deletes expired keys only when somebody looks at them, as an engine without ticks does."""
    require_redis_server()
    directory = tmp_path_factory.mktemp("redis")
    with start_redis_server(directory, "--enable-debug-command", "yes") as process:
        process.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        peer = SocketPeer(process)
        yield peer
        peer.close()


@pytest.fixture(scope="module")
def engine() -> EnginePeer:
    return EnginePeer()


def compare(ours: Peer, real: Peer, seed: int, count: int, expired: bool = True) -> None:
    """Run the steps of one seed on both and fail with the shortest sequence that shows the difference."""
    steps = Generator(seed, int(time.time() * 1000), expired).steps(count)
    try:
        comparison.run(ours, real, steps, CLIENTS)
    except comparison.Difference as difference:
        report = f"seed {seed}: {difference}"
    else:
        return
    fewer = comparison.shortest(ours, real, steps, CLIENTS)
    lines = [f"  {client}: {comparison.show(arguments)}" for client, arguments in fewer]
    pytest.fail(f"{report}\nshortest sequence found:\n" + "\n".join(lines), pytrace=False)


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_engine_answers_as_redis_does(engine: EnginePeer, real: SocketPeer, seed: int) -> None:
    compare(engine, real, seed, STEPS)


def test_engine_propagates_as_redis_does(real: SocketPeer) -> None:
    """What replicas are sent is the same: the effects, their order, and what is put into one transaction."""
    ours = EnginePeer()
    ours.keep_stream()
    replica = RealReplica(real.process)
    try:
        for seed in range(PROPAGATED_SEQUENCES):
            compare(ours, real, 1000 + seed, STEPS)
            mark = (b"SET", b"mark", b"%d" % seed)
            for peer in (ours, real):
                peer.run(CLIENTS, [(b"SELECT", b"0"), mark])
            propagated = ours.take_stream()
            assert propagated.pop().words() == list(mark)
            assert propagated
            difference = comparison.same_stream(propagated, replica.until(mark))
            assert not difference, f"seed {1000 + seed}: {difference}"
    finally:
        replica.close()


def test_engine_counts_as_redis_does(real: SocketPeer) -> None:
    """Hits, misses, expired keys and errors, as INFO shows them."""
    ours = EnginePeer()
    totals: dict[bytes, int] = {}
    for seed in range(COUNTED_SEQUENCES):
        steps = Generator(2000 + seed, int(time.time() * 1000)).steps(STEPS)
        peers: tuple[Peer, Peer] = (ours, real)
        for peer in peers:
            peer.connect(1)
        before = [comparison.counted(peer, 0) for peer in peers]
        comparison.run(ours, real, steps, CLIENTS)
        counts = [
            {name: value - start[name] for name, value in comparison.counted(peer, CLIENTS).items()}
            for peer, start in zip(peers, before, strict=True)
        ]
        assert counts[0] == counts[1], f"seed {2000 + seed}"
        for name, value in counts[0].items():
            totals[name] = totals.get(name, 0) + value
    assert min(totals.values()) > 0


def test_deadlines_that_pass_meanwhile(real: SocketPeer) -> None:
    """Keys that live for some milliseconds, seen before and after, by those who watch them and by those who do not."""
    ours = EnginePeer()
    peers: tuple[Peer, Peer] = (ours, real)
    long_ms = 400
    first: list[tuple[bytes, ...]] = [(b"FLUSHALL",)]
    for number in range(12):
        first.append((b"SET", b"short%d" % number, b"v", b"PX", b"%d" % (long_ms + number)))
        first.append((b"SET", b"long%d" % number, b"v"))
    first += [(b"EXISTS", b"short0", b"long0"), (b"DBSIZE",), (b"WATCH", b"short0", b"long0"), (b"MULTI",), (b"PING",)]
    after: list[tuple[bytes, ...]] = [
        *[(b"EXEC",), (b"DBSIZE",), (b"GET", b"short0"), (b"TTL", b"short1"), (b"EXISTS", b"short2", b"long2")],
        *[(b"SETNX", b"short3", b"new"), (b"SET", b"short4", b"new", b"KEEPTTL"), (b"INCR", b"short5")],
        *[(b"APPEND", b"short6", b"tail"), (b"RENAME", b"short7", b"x"), (b"RENAME", b"long7", b"short8")],
        *[(b"PERSIST", b"short9"), (b"EXPIRE", b"short9", b"100"), (b"COPY", b"short10", b"x"), (b"KEYS", b"*")],
        *[(b"DBSIZE",), (b"PTTL", b"short4"), (b"MGET", b"short11", b"long11"), (b"TTL", b"short5"), (b"DBSIZE",)],
    ]
    results = []
    for peer in peers:
        peer.connect(1)
        results.append(peer.run(0, first))
    passed_at = time.monotonic() + (long_ms + 50) / 1000
    while time.monotonic() < passed_at:
        time.sleep(0.01)
    for index, peer in enumerate(peers):
        results[index] += peer.run(0, after)
    for request, one, other in zip(first + after, *results, strict=True):
        assert comparison.same(request, one, other), (request, one, other)
    assert results[0][len(first)].value is None, "a watched key has expired"


def test_node_answers_as_redis_does(tmp_path: Path, real: SocketPeer) -> None:
    """The same over the sockets of a whole node; it deletes expired keys on its own, so there are none."""
    with start_server([sys.executable, "-m", "trivet_node"], tmp_path) as process:
        node = SocketPeer(process)
        for seed in range(NODE_SEQUENCES):
            compare(node, real, 3000 + seed, STEPS, expired=False)
        node.close()
