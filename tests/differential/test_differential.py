"""The same random commands into a node's engine and into redis-server 7.0: nothing may differ.

A failure prints its seed and a short sequence; `pytest tests/differential -k "redis_does[N]"` runs seed N again.
"""

import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.conftest import require_redis_server
from tests.differential import comparison
from tests.differential.generator import CLIENTS, Generator
from tests.differential.peers import EnginePeer, Peer, RealReplica, SocketPeer
from tests.processes import start_redis_server

SEQUENCES: Final = 60
STEPS: Final = 450
PROPAGATED_SEQUENCES: Final = 20


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
