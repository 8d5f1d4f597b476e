"""An application under way: writers and readers on every shard, at a steady pace, through trivet_client.

The pace is moderate on purpose. A drill measures how a cluster heals; a load that takes every core would measure how
nine processes share two of them. Each shard has tasks of its own, so that those of healthy shards go on while the
others wait, as an application's would.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import count

import trio

from trivet_client import ClientError, ClusterClient
from trivet_deploy.drills.ledger import Ledger, Write
from trivet_wire.slots import SLOT_COUNT, key_slot

_WRITERS_PER_SHARD = 2
_WRITE_INTERVAL_S = 0.004
_READ_INTERVAL_S = 0.004
_READ_BACK_BATCH = 500


class Workload:
    """Reads and writes until it is cancelled; `shares` are the slot ranges (first, last) of the shards."""

    def __init__(self, client: ClusterClient[bytes], ledger: Ledger, shares: Sequence[tuple[int, int]]) -> None:
        self._client = client
        self._ledger = ledger
        self._shares = shares
        self._choice = random.Random()

    async def run(self) -> None:
        """Keep all tasks going, for ever."""
        async with trio.open_nursery() as nursery:
            for shard, share in enumerate(self._shares):
                for writer in range(_WRITERS_PER_SHARD):
                    keys = keys_between(f"drill:{shard}:{writer}", *share)
                    nursery.start_soon(self._repeat, _WRITE_INTERVAL_S, self._writing(shard, keys))
                nursery.start_soon(self._repeat, _READ_INTERVAL_S, self._reading(shard))

    async def _repeat(self, interval_s: float, operation: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await operation()
            except ClientError as error:
                self._ledger.fail(error)
            await trio.sleep(interval_s)

    def _writing(self, shard: int, keys: Iterator[bytes]) -> Callable[[], Awaitable[None]]:
        async def write_one() -> None:
            key = next(keys)
            value = b"value of " + key
            started_s = trio.current_time()
            await self._client.set(key, value)
            self._ledger.acknowledge(Write(key, value, shard, started_s, trio.current_time()))

        return write_one

    def _reading(self, shard: int) -> Callable[[], Awaitable[None]]:
        async def read_one() -> None:
            # Any write will do, the latest ones above all: they are what a failover puts at risk.
            recent = [write for write in self._ledger.writes[-200:] if write.shard == shard]
            if recent:
                write = self._choice.choice(recent)
                self._ledger.read(write, await self._client.get(write.key))

        return read_one


def keys_between(prefix: str, first_slot: int, last_slot: int) -> Iterator[bytes]:
    """Yield keys without end that belong to the slots from `first_slot` to `last_slot`, each of them once."""
    for number in count():
        key = f"{prefix}:{number}".encode()
        if first_slot <= key_slot(key) <= last_slot:
            yield key


async def read_back(client: ClusterClient[bytes], writes: Sequence[Write]) -> dict[bytes, bytes | None]:
    """Return what the cluster holds now under the keys of `writes`. Raises ClientError where it cannot be asked."""
    values: dict[bytes, bytes | None] = {}
    for start in range(0, len(writes), _READ_BACK_BATCH):
        keys = [write.key for write in writes[start : start + _READ_BACK_BATCH]]
        async with client.pipeline() as pipeline:
            for key in keys:
                pipeline.get(key)
            values.update(zip(keys, await pipeline.execute(), strict=True))
    return values


async def slots_not_served(client: ClusterClient[bytes]) -> list[int]:
    """Write one key in each of the 16384 slots; return the slots that refused it."""
    keys = one_key_per_slot()
    refused: list[int] = []
    for start in range(0, len(keys), _READ_BACK_BATCH):
        batch = keys[start : start + _READ_BACK_BATCH]
        async with client.pipeline() as pipeline:
            for key in batch:
                pipeline.set(key, b"served", ex=60)
            results = await pipeline.execute(raise_on_error=False)
        refused += [int(key_slot(key)) for key, result in zip(batch, results, strict=True) if result is not True]
    return refused


def one_key_per_slot() -> list[bytes]:
    """Return a key for each slot, in the order of slots."""
    keys: dict[int, bytes] = {}
    numbers = count()
    while len(keys) < SLOT_COUNT:
        key = b"slot:%d" % next(numbers)
        keys.setdefault(int(key_slot(key)), key)
    return [keys[slot] for slot in range(SLOT_COUNT)]
