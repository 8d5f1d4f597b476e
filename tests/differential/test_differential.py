"""The same random commands into a node's engine and into redis-server 7.0: nothing may differ.

A failure prints its seed and a short sequence; `pytest tests/differential -k "redis_does[N]"` runs seed N again,
`python -m tests.differential sets hashes` other seeds of mixtures of some families.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.amount import part_of
from tests.conftest import COMPARED
from tests.differential import comparison, propagated
from tests.differential.comparison import OBSERVER
from tests.differential.families import mixture
from tests.differential.generator import Arguments
from tests.differential.peers import EnginePeer, Peer, RealReplica, SocketPeer
from tests.differential.sequences import check, generated
from tests.processes import start_trivet_node

# As many make more than 100,000 commands.
FULL_SEQUENCES: Final = 280
SEQUENCES: Final = part_of(FULL_SEQUENCES)
LEAST_COMMANDS: Final = 100_000
STEPS: Final = 400
PROPAGATED_SEQUENCES: Final = part_of(30)
COUNTED_SEQUENCES: Final = part_of(15)
NODE_SEQUENCES: Final = part_of(15)

RecordProperty = Callable[[str, object], None]


@pytest.fixture(scope="module")
def engine() -> EnginePeer:
    return EnginePeer()


@pytest.fixture(scope="module")
def compared() -> Iterator[list[int]]:
    """Numbers of compared commands: all of them, because a file's tests are run by one process."""
    numbers: list[int] = []
    yield numbers
    assert len(numbers) < FULL_SEQUENCES or sum(numbers) >= LEAST_COMMANDS


def compare(ours: Peer, real: Peer, seed: int, expired: bool = True) -> int:
    """Run a sequence on both, fail with the shortest one that shows a difference, or return its length."""
    report, length = check(ours, real, seed, STEPS, mixture(seed), expired=expired)
    if report:
        pytest.fail(report, pytrace=False)
    return length


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_engine_answers_as_redis_does(
    engine: EnginePeer, real: SocketPeer, compared: list[int], seed: int, record_property: RecordProperty
) -> None:
    compared.append(compare(engine, real, seed))
    record_property(COMPARED, compared[-1])


def test_engine_propagates_as_redis_does(real: SocketPeer) -> None:
    """What replicas are sent is the same: the effects, their order, and what is put into one transaction."""
    ours = EnginePeer()
    ours.keep_stream()
    replica = RealReplica(real.process)
    try:
        for seed in range(PROPAGATED_SEQUENCES):
            compare(ours, real, 1000 + seed)
            mark = (b"SET", b"mark", b"%d" % seed)
            for peer in (ours, real):
                peer.run(OBSERVER, [(b"SELECT", b"0"), mark])
            stream = ours.take_stream()
            assert stream.pop().words() == list(mark)
            assert stream
            difference = propagated.difference(stream, replica.until(mark))
            assert not difference, f"seed {1000 + seed}: {difference}"
    finally:
        replica.close()


def test_engine_counts_as_redis_does(real: SocketPeer) -> None:
    """Hits, misses, expired keys and errors, as INFO shows them."""
    ours = EnginePeer()
    totals: dict[bytes, int] = {}
    for seed in range(COUNTED_SEQUENCES):
        sequence = generated(2000 + seed, STEPS, mixture(seed))
        peers: tuple[Peer, Peer] = (ours, real)
        for peer in peers:
            peer.connect(1)
        before = [propagated.counted(peer, 0) for peer in peers]
        comparison.run(ours, real, sequence)
        counts = [
            {name: value - start[name] for name, value in propagated.counted(peer, OBSERVER).items()}
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
    first: list[Arguments] = [(b"FLUSHALL",)]
    for number in range(12):
        first.append((b"SET", b"short%d" % number, b"v", b"PX", b"%d" % (long_ms + number)))
        first.append((b"SET", b"long%d" % number, b"v"))
    first += [(b"EXISTS", b"short0", b"long0"), (b"DBSIZE",), (b"WATCH", b"short0", b"long0"), (b"MULTI",), (b"PING",)]
    after: list[Arguments] = [
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
    with start_trivet_node(tmp_path, "--enable-debug-command", "yes") as process:
        node = SocketPeer(process)
        for seed in range(NODE_SEQUENCES):
            compare(node, real, 3000 + seed, expired=False)
        node.close()
