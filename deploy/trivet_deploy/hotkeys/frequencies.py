"""Hot keys of a server without HOTKEYS: the counters of its LFU policy, asked of every key. (redis-cli --hotkeys.)

The counters grow with the logarithm of the number of accesses, from 5 for a new key to 255, and decay with time: they
tell which keys are hot, but not how hot.
"""

import heapq
from typing import Final

import trio

from trivet_deploy.hotkeys.report import HotKey
from trivet_deploy.hotkeys.session import Node, SamplingError
from trivet_wire.connection import ErrorReply
from trivet_wire.slots import key_slot

_SCAN_COUNT: Final = 1000


async def most_frequent(node: Node, count: int, in_cluster: bool, interrupted: trio.Event) -> list[HotKey]:
    """Return the keys of a node with the highest counters, of those seen before an interruption.

    Raises SamplingError where it keeps none.
    """
    if not await _keeps_frequencies(node):
        raise SamplingError(
            f"{node.address} has no HOTKEYS, and counts how often keys are used only under an LFU policy "
            "(CONFIG SET maxmemory-policy allkeys-lfu, then let clients work for a while)"
        )
    hottest: list[tuple[int, bytes]] = []
    cursor = b"0"
    while not interrupted.is_set():
        cursor, keys = await node.call("SCAN", cursor, "COUNT", _SCAN_COUNT)
        replies = await node.call_all([("OBJECT", "FREQ", key) for key in keys])
        counters = [(reply, key) for reply, key in zip(replies, keys, strict=True) if isinstance(reply, int)]
        # SCAN may return a key twice.
        hottest = heapq.nlargest(count, {*hottest, *counters})
        if cursor == b"0":
            break
    return [
        HotKey(key, str(node.address), int(key_slot(key)) if in_cluster else None, frequency=frequency)
        for frequency, key in hottest
    ]


async def _keeps_frequencies(node: Node) -> bool:
    """Say whether the eviction policy is one that counts; a server that keeps CONFIG to itself is tried."""
    try:
        reply = await node.call("CONFIG", "GET", "maxmemory-policy")
    except ErrorReply:
        return True
    return any(b"lfu" in word for word in (reply.values() if isinstance(reply, dict) else reply))
