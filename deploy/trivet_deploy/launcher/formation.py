"""Making one cluster of nodes that do not know each other, and saying when it is ready.

    1. every primary takes its share of the slots        CLUSTER ADDSLOTSRANGE
    2. every node meets every node before it             CLUSTER MEET
    3. every replica follows its primary                 CLUSTER REPLICATE, as soon as gossip has made it known

Each step looks first whether it has been done, so that a formation which was interrupted can be done again. A cluster
that has been formed is left alone: failovers may have given its nodes other roles than they had at first.

Ready means that a user finds nothing missing: every node knows all the others, sees all slots served and, if it is a
replica, follows its primary's stream; every sentinel knows every shard with its replicas and the other sentinels.
(Redis Cluster specification; commands of Redis 7.0.)
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import attrs
import trio

from trivet_deploy.launcher.contact import UNREACHABLE, Contact, contacts, pairs
from trivet_deploy.launcher.plan import ClusterPlan, slot_ranges
from trivet_deploy.network import Endpoint
from trivet_wire.answers import info_fields
from trivet_wire.connection import ErrorReply
from trivet_wire.slots import SLOT_COUNT

_POLL_INTERVAL_S = 0.02
# In a line of CLUSTER NODES.
_FIELDS_BEFORE_SLOTS = 8


class NotReady(Exception):
    """The cluster did not become ready in time; the message says what each server still lacked."""


@attrs.frozen
class Member:
    """A node to be made part of a cluster, and the name of the node that it follows (empty for a primary)."""

    name: str
    endpoint: Endpoint
    primary: str = ""


@attrs.frozen
class Layout:
    """What a formed cluster consists of. `sentinels` are (name, endpoint) pairs."""

    members: tuple[Member, ...]
    sentinels: tuple[tuple[str, Endpoint], ...]

    @property
    def primaries(self) -> list[Member]:
        """Return the members that start as primaries."""
        return [member for member in self.members if not member.primary]

    @property
    def replicas_per_primary(self) -> int:
        """Return how many replicas every primary has at least."""
        return len(self.members) // len(self.primaries) - 1


def layout_of(plan: ClusterPlan) -> Layout:
    """Return the layout that a plan for local processes describes."""
    return Layout(
        tuple(Member(node.name, node.endpoint, node.primary) for node in plan.nodes),
        tuple((sentinel.name, sentinel.endpoint) for sentinel in plan.sentinels),
    )


async def form(layout: Layout, timeout_s: float) -> None:
    """Make one cluster of the layout's nodes. Raises NotReady where a node does not answer or obey in time."""
    async with contacts((member.name, member.endpoint) for member in layout.members) as nodes:
        by_name = {node.name: node for node in nodes}
        await _all_within(timeout_s, [(node, _answers) for node in nodes])
        if await _is_formed(nodes):
            return
        shares = zip(layout.primaries, slot_ranges(len(layout.primaries)), strict=True)
        await _all_within(timeout_s, [(by_name[member.name], partial(_take_slots, share)) for member, share in shares])
        for index, node in enumerate(nodes):
            await _meet(node, [earlier.endpoint for earlier in layout.members[:index]])
        ids = {node.name: (await node.call("CLUSTER", "MYID")).decode() for node in nodes}
        followers = [(by_name[member.name], ids[member.primary]) for member in layout.members if member.primary]
        await _all_within(timeout_s, [(node, partial(_follow, primary_id)) for node, primary_id in followers])


async def wait_until_ready(layout: Layout, timeout_s: float) -> None:
    """Wait until every node and sentinel of a formed cluster is ready. Raises NotReady after `timeout_s` seconds."""
    servers = [*((member.name, member.endpoint) for member in layout.members), *layout.sentinels]
    async with contacts(servers) as asked:
        nodes, sentinels = asked[: len(layout.members)], asked[len(layout.members) :]
        await _all_within(
            timeout_s,
            [
                *((node, partial(_node_lacks, len(nodes))) for node in nodes),
                *((sentinel, partial(_sentinel_lacks, layout)) for sentinel in sentinels),
            ],
        )


# Asks one server and returns what it still lacks, in words; an empty string when nothing is missing.
_Check = Callable[[Contact], Awaitable[str]]


async def _all_within(timeout_s: float, checks: Sequence[tuple[Contact, _Check]]) -> None:
    lacking: dict[str, str] = {}
    with trio.move_on_after(timeout_s) as deadline:
        async with trio.open_nursery() as nursery:
            for contact, check in checks:
                nursery.start_soon(_until_nothing_lacks, contact, check, lacking)
    if deadline.cancelled_caught:
        listing = "\n".join(f"    {name}: {reason}" for name, reason in sorted(lacking.items()))
        raise NotReady(f"the cluster was not ready after {timeout_s:g} s:\n{listing}")


async def _until_nothing_lacks(contact: Contact, check: _Check, lacking: dict[str, str]) -> None:
    lacking[contact.name] = "no answer"
    while True:
        try:
            reason = await check(contact)
        except (ErrorReply, *UNREACHABLE) as error:
            reason = f"{type(error).__name__}: {error}"
        if not reason:
            del lacking[contact.name]
            return
        lacking[contact.name] = reason
        await trio.sleep(_POLL_INTERVAL_S)


async def _is_formed(nodes: Sequence[Contact]) -> bool:
    """Say whether all slots are given away and no node is left without either slots or a primary."""
    info = info_fields(await nodes[0].call("CLUSTER", "INFO"))
    lines = [line.split() for line in (await nodes[0].call("CLUSTER", "NODES")).decode().splitlines()]
    busy = [fields for fields in lines if "slave" in fields[2].split(",") or len(fields) > _FIELDS_BEFORE_SLOTS]
    return info.get("cluster_slots_assigned") == str(SLOT_COUNT) and len(busy) >= len(nodes)


async def _meet(node: Contact, endpoints: Sequence[Endpoint]) -> None:
    # The address of a line of CLUSTER NODES is host:port@bus-port.
    lines = (await node.call("CLUSTER", "NODES")).decode().splitlines()
    known = {line.split()[1].partition("@")[0] for line in lines}
    for endpoint in endpoints:
        if str(endpoint) not in known:
            await node.call("CLUSTER", "MEET", *endpoint)


async def _answers(node: Contact) -> str:
    await node.call("PING")
    return ""


async def _take_slots(share: tuple[int, int], node: Contact) -> str:
    owned = [
        line for line in (await node.call("CLUSTER", "NODES")).decode().splitlines() if "myself" in line.split()[2]
    ]
    if not owned or len(owned[0].split()) <= _FIELDS_BEFORE_SLOTS:
        await node.call("CLUSTER", "ADDSLOTSRANGE", *share)
    return ""


async def _follow(primary_id: str, node: Contact) -> str:
    # An error reply says that gossip has not brought the primary here yet: asked again until it has.
    await node.call("CLUSTER", "REPLICATE", primary_id)
    return ""


async def _node_lacks(node_count: int, node: Contact) -> str:
    cluster = info_fields(await node.call("CLUSTER", "INFO"))
    known = int(cluster.get("cluster_known_nodes", "0"))
    if cluster.get("cluster_state") != "ok" or known < node_count:
        return f"cluster_state:{cluster.get('cluster_state')}, knows {known} of {node_count} nodes"
    replication = info_fields(await node.call("INFO", "replication"))
    if replication.get("role") == "slave" and replication.get("master_link_status") != "up":
        return "its link to the primary is down"
    return ""


async def _sentinel_lacks(layout: Layout, sentinel: Contact) -> str:
    shards = [pairs(each) for each in await sentinel.call("SENTINEL", "MASTERS")]
    if len(shards) < len(layout.primaries):
        return f"knows {len(shards)} of {len(layout.primaries)} shards"
    for shard in shards:
        replicas, others = int(shard.get("num-slaves", "0")), int(shard.get("num-other-sentinels", "0"))
        if replicas < layout.replicas_per_primary or others < len(layout.sentinels) - 1:
            return f"knows {replicas} replicas and {others} other sentinels of shard {shard['name']}"
    return ""
