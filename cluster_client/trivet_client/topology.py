"""Who serves which slot: an immutable map, made from CLUSTER SHARDS or CLUSTER SLOTS and changed by MOVED.

Nodes that the reporting node holds for failed stay in the map, because nobody else serves their slots yet; `failed`
names them, so that callers wait for the next map instead of knocking at a dead door.
(Redis commands CLUSTER SHARDS, CLUSTER SLOTS; Redis Cluster specification, "MOVED Redirection".)
"""

from collections.abc import Iterable
from typing import Any, Final, cast

from attrs import field, frozen

from trivet_client.options import Address
from trivet_wire.answers import as_dict
from trivet_wire.connection import Reply
from trivet_wire.slots import SLOT_COUNT


@frozen
class Shard:
    """One primary and the replicas that are up."""

    primary: Address
    replicas: tuple[Address, ...] = ()


@frozen
class Topology:
    """The slot map of one moment. `owners[slot]` is the shard that serves the slot, or None."""

    owners: tuple[Shard | None, ...] = field(repr=False, eq=False)
    failed: frozenset[Address] = frozenset()
    # The first slot of every stretch of slots with one owner: what two maps are compared by, for speed.
    stretches: tuple[tuple[int, Shard | None], ...] = field(init=False)

    @stretches.default
    def _stretches(self) -> tuple[tuple[int, Shard | None], ...]:
        owners = self.owners
        first_slots = [slot for slot in range(len(owners)) if slot == 0 or owners[slot] is not owners[slot - 1]]
        return tuple((slot, owners[slot]) for slot in first_slots)

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The shards that serve at least one slot, in the order of their slots."""
        return tuple(dict.fromkeys(shard for _, shard in self.stretches if shard is not None))

    @property
    def primaries(self) -> tuple[Address, ...]:
        """The primaries that serve at least one slot, in the order of their slots."""
        return tuple(dict.fromkeys(shard.primary for shard in self.shards))

    @property
    def addresses(self) -> frozenset[Address]:
        """All nodes of the map."""
        return frozenset(address for shard in self.shards for address in (shard.primary, *shard.replicas))

    def moved(self, slot: int, address: Address) -> "Topology":
        """Return the map in which `address` serves `slot`; a replica named so has been promoted."""
        owners = list(self.owners)
        owners[slot] = next((shard for shard in self.shards if shard.primary == address), Shard(address))
        return Topology(tuple(owners), self.failed - {address})


# Nothing is known yet.
EMPTY: Final = Topology((None,) * SLOT_COUNT)


def single_shard(primary: Address, replicas: Iterable[Address] = ()) -> Topology:
    """Return the map of servers out of cluster mode: one primary serves all."""
    return Topology((Shard(primary, tuple(replicas)),) * SLOT_COUNT)


class NoSlots(ValueError):
    """A node reported a map in which no slot is served: it has not joined the cluster, or has been reset."""


def parse_shards(reply: Reply, asked: Address) -> Topology:
    """Return the map out of a reply to CLUSTER SHARDS from the node at `asked`, in RESP2 or RESP3 form.

    Raises NoSlots where it serves no slot.
    """
    owners: list[Shard | None] = [None] * SLOT_COUNT
    failed: set[Address] = set()
    for entry in reply:
        shard_fields = as_dict(entry)
        nodes = [as_dict(node) for node in shard_fields[b"nodes"]]
        failed.update(_node_address(node, asked) for node in nodes if _is_failed(node))
        shard = _shard(nodes, asked)
        ranges = iter(shard_fields[b"slots"])
        for first, last in zip(ranges, ranges, strict=True):
            owners[first : last + 1] = [shard] * (last + 1 - first)
    return _topology(owners, failed)


def parse_slots(reply: Reply, asked: Address) -> Topology:
    """Return the map out of a reply to CLUSTER SLOTS from the node at `asked`. Raises NoSlots where it is empty."""
    owners: list[Shard | None] = [None] * SLOT_COUNT
    for first, last, *nodes in reply:
        primary, *replicas = (_address(node[0], node[1], asked) for node in nodes)
        owners[first : last + 1] = [Shard(primary, tuple(replicas))] * (last + 1 - first)
    return _topology(owners, set())


def _topology(owners: list[Shard | None], failed: set[Address]) -> Topology:
    if not any(owners):
        raise NoSlots("the node knows of no served slot")
    return Topology(tuple(owners), frozenset(failed))


def _shard(nodes: list[dict[bytes, Any]], asked: Address) -> Shard | None:
    """Return the shard of these nodes; of two primaries, as there are right after a failover, the live one counts."""
    primaries = sorted((node for node in nodes if node[b"role"] == b"master"), key=_is_failed)
    if not primaries:
        return None
    replicas = (node for node in nodes if node[b"role"] != b"master" and node[b"health"] == b"online")
    return Shard(_node_address(primaries[0], asked), tuple(_node_address(node, asked) for node in replicas))


def _is_failed(node: dict[bytes, Any]) -> bool:
    return cast(bytes, node[b"health"]).startswith(b"fail")


def _node_address(node: dict[bytes, Any], asked: Address) -> Address:
    return _address(node.get(b"endpoint"), node[b"port"] if b"port" in node else node[b"tls-port"], asked)


def _address(endpoint: bytes | None, port: int, asked: Address) -> Address:
    """Return a node's address; a node that does not know its own is where we asked it (an empty or null endpoint)."""
    host = (endpoint or b"").decode()
    return Address(asked.host if host in ("", "?") else host, port)
