"""The fault and the way back: kill a primary, wait until its shard takes writes again."""

import random
import signal

import attrs
import trio

from trivet_deploy.drills.ledger import Ledger, first_success_after
from trivet_deploy.launcher.session import Cluster

_POLL_INTERVAL_S = 0.01


@attrs.frozen
class Fault:
    """A primary that was killed: its name, the number of its slot range, and when (monotonic seconds)."""

    node: str
    shard: int
    moment_s: float


def kill_a_primary(cluster: Cluster, choice: random.Random) -> Fault:
    """Kill one of the primaries of a cluster that has not failed over yet, as `kill -9` does."""
    primaries = [node for node in cluster.plan.nodes if not node.primary]
    shard = choice.randrange(len(primaries))
    name = primaries[shard].name
    moment_s = trio.current_time()
    cluster.processes[name].send_signal(signal.SIGKILL)
    return Fault(name, shard, moment_s)


async def wait_until_healed(ledger: Ledger, fault: Fault, timeout_s: float) -> bool:
    """Wait until a write that began after the fault succeeds on its shard; return False after `timeout_s` seconds."""
    with trio.move_on_after(timeout_s):
        while True:
            if first_success_after(ledger.writes, fault.shard, fault.moment_s) is not None:
                return True
            await trio.sleep(_POLL_INTERVAL_S)
    return False
