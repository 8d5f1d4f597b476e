"""Clusters: which shards there are, which nodes serve them, and groups that follow them.

CLUSTER SHARDS of any one node of the cluster tells it all; another node is asked when that one is silent. Each shard
is a group named CLUSTER-ID, ID being the first eight hex digits of the shard's stable id (where a node tells none, of
its first slot).

A node's account may be old. It is trusted to name new nodes and shards; but that the primary's place has passed to
another node without us is believed only when that node itself says so and the present primary denies or is down; and
a shard is forgotten only when several accounts in a row give all the slots to others. (Redis documentation, CLUSTER
SHARDS and CLUSTER INFO.)
"""

from typing import Final

import attrs

from trivet_sentinel import election, groups, links
from trivet_sentinel.events import Reply
from trivet_sentinel.state import Address, Cluster, Group, Link, Node, Sentinel, Settings
from trivet_wire.answers import as_dict, info_fields
from trivet_wire.slots import SLOT_COUNT

POLL_PERIOD_MS: Final = 2000
POLL_PERIOD_TROUBLE_MS: Final = 500
POLL_PERIOD_FORMING_MS: Final = 100
# A node that has not answered for this long is not asked any more while there are others.
SILENCE_MS: Final = 1000
MISSING_POLLS_MAX: Final = 3
MISSING_POLLS_MAX_DETHRONED: Final = 300


@attrs.frozen
class ShardNode:
    """One node in a shard's account. `address` is where to reach it, `outside` where others do (None: nowhere else)."""

    node_id: str
    address: Address
    is_primary: bool
    is_online: bool
    outside: Address | None = None


@attrs.frozen
class Shard:
    """One shard in a cluster's account; `shard_id` is 40 hex digits, or 8 derived from the first slot."""

    shard_id: str
    slots: int
    nodes: tuple[ShardNode, ...]


def add_cluster(sentinel: Sentinel, name: str, seed: Address, settings: Settings) -> Cluster:
    """Start to follow the cluster that the node at `seed` belongs to."""
    cluster = Cluster(name, seed, settings)
    sentinel.clusters[name] = cluster
    return cluster


def remove_cluster(sentinel: Sentinel, cluster: Cluster) -> None:
    """Stop to follow a cluster and to monitor its shards."""
    for group in groups_of(sentinel, cluster):
        groups.remove_group(sentinel, group)
    del sentinel.clusters[cluster.name]
    sentinel.topology_changed = True
    sentinel.save()


def groups_of(sentinel: Sentinel, cluster: Cluster) -> list[Group]:
    """Return the groups that stand for the cluster's shards."""
    return [group for group in sentinel.groups.values() if group.cluster == cluster.name]


def poll_if_due(sentinel: Sentinel, cluster: Cluster) -> None:
    """Ask one of the cluster's nodes for its account of the shards, if the last one is too old."""
    link = _choose_link(sentinel, cluster)
    links.open_if_due(sentinel, link)
    due = (cluster.asked_ms or 0) + _poll_period_ms(sentinel, cluster)
    if cluster.asked_ms is not None and sentinel.now_ms < due - links.SLACK_MS:
        sentinel.wake_at(due)
    elif link.is_open:
        links.send(sentinel, link, ("CLUSTER", "INFO"), lambda reply: _take_cluster_info(sentinel, reply))
        request = ("CLUSTER", "SHARDS")
        if links.send(sentinel, link, request, lambda reply: _take_shards(sentinel, cluster, link, reply)):
            cluster.asked_ms = sentinel.now_ms
            sentinel.wake_at(sentinel.now_ms + _poll_period_ms(sentinel, cluster))


def _poll_period_ms(sentinel: Sentinel, cluster: Cluster) -> int:
    """Return how often to ask: more often until all slots are known to be served and while a primary is away."""
    shards = groups_of(sentinel, cluster)
    if not shards:
        return POLL_PERIOD_FORMING_MS
    unwell = any(group.primary.down_since_ms is not None or group.primary.role != "master" for group in shards)
    incomplete = any(not group.replicas for group in shards)
    return POLL_PERIOD_TROUBLE_MS if unwell or incomplete else POLL_PERIOD_MS


def _choose_link(sentinel: Sentinel, cluster: Cluster) -> Link:
    """Return a link to a node that answers: the one used last, else any of the known nodes, else the seed."""
    if cluster.link is not None and _is_responsive(sentinel, cluster.link):
        return cluster.link
    credentials = cluster.settings.credentials
    for address in cluster.known:
        link = sentinel.links.get((address, False, credentials))
        if link is not None and link is not cluster.link and _is_responsive(sentinel, link):
            _use_link(sentinel, cluster, link)
            return link
    link = links.link_to(sentinel, cluster.seed, credentials)
    _use_link(sentinel, cluster, link)
    return link


def _use_link(sentinel: Sentinel, cluster: Cluster, link: Link) -> None:
    if cluster.link is not link:
        cluster.link = link
        cluster.asked_ms = None
        sentinel.topology_changed = True


def _is_responsive(sentinel: Sentinel, link: Link) -> bool:
    since = link.waiting_since_ms
    return link.is_open and (since is None or sentinel.now_ms - since < SILENCE_MS)


def _take_cluster_info(sentinel: Sentinel, reply: Reply) -> None:
    """Keep our epoch as high as the cluster's: ours becomes the configuration epoch of the node that we promote."""
    if isinstance(reply, bytes):
        epoch = info_fields(reply).get("cluster_current_epoch", "")
        if epoch.isdigit():
            election.raise_epoch(sentinel, int(epoch))


def parse_shards(reply: Reply, asked: Address) -> list[Shard]:
    """Return the shards with slots in a CLUSTER SHARDS reply (RESP2 form) of the node at `asked`."""
    if not isinstance(reply, list):
        return []
    shards = []
    for item in reply:
        fields = _pairs(item)
        bounds = fields.get(b"slots") or []
        if not bounds:
            continue
        slots = sum(end - start + 1 for start, end in zip(bounds[::2], bounds[1::2], strict=True))
        shard_id = fields.get(b"id", b"").decode() or f"{min(bounds):08x}"
        nodes = tuple(_parse_node(node, asked) for node in fields.get(b"nodes") or [])
        shards.append(Shard(shard_id, slots, nodes))
    return shards


def _pairs(flat: Reply) -> dict[bytes, Reply]:
    return as_dict(flat) if isinstance(flat, list) else {}


def _parse_node(item: Reply, asked: Address) -> ShardNode:
    fields = _pairs(item)
    host = fields.get(b"ip") or fields.get(b"endpoint") or b""
    name = host.decode() if host not in (b"", b"?") else asked.host
    port = fields.get(b"port", asked.port)
    is_online = fields.get(b"health", b"online") == b"online"
    outside_host, _, outside_port = fields.get(b"external-endpoint", b"").decode().rpartition(":")
    return ShardNode(
        node_id=fields[b"id"].decode(),
        address=Address(name, port),
        is_primary=fields.get(b"role") == b"master",
        is_online=is_online,
        outside=Address(outside_host, int(outside_port)) if outside_host and outside_port.isdigit() else None,
    )


def _take_shards(sentinel: Sentinel, cluster: Cluster, link: Link, reply: Reply) -> None:
    if sentinel.clusters.get(cluster.name) is not cluster:
        return
    shards = parse_shards(reply, link.address)
    cluster.answered_ms = sentinel.now_ms
    known = [node.address for shard in shards for node in shard.nodes]
    sentinel.external_endpoints.update(
        {node.address: node.outside for shard in shards for node in shard.nodes if node.outside}
    )
    if known and known != cluster.known:
        cluster.known = known
        sentinel.save()
    for shard in shards:
        if any(node.is_primary for node in shard.nodes):
            _follow(sentinel, cluster, shard)
    if sum(shard.slots for shard in shards) == SLOT_COUNT:
        _forget_missing(sentinel, cluster, {shard.shard_id for shard in shards})


def _follow(sentinel: Sentinel, cluster: Cluster, shard: Shard) -> None:
    name = f"{cluster.name}-{shard.shard_id[:8]}"
    listed = _listed_primary(shard)
    group = sentinel.groups.get(name)
    if group is None:
        settings = attrs.evolve(cluster.settings)
        group = groups.add_group(
            sentinel, name, listed.address, settings, cluster=cluster.name, shard_id=shard.shard_id
        )
        groups.announce_monitor(sentinel, group)
    for listed_node in shard.nodes:
        node = sentinel.find_node(group, listed_node.address)
        if node is None:
            node = groups.add_replica(sentinel, group, listed_node.address)
        node.node_id = listed_node.node_id
        node.missing_polls = 0
    _remove_missing_replicas(sentinel, group, shard)
    _follow_primary(sentinel, group, listed)


def _listed_primary(shard: Shard) -> ShardNode:
    primaries = [node for node in shard.nodes if node.is_primary]
    return next((node for node in primaries if node.is_online), primaries[0])


def _remove_missing_replicas(sentinel: Sentinel, group: Group, shard: Shard) -> None:
    """Let go of replicas that left the shard; one that lost the primary's place stays until it is a replica."""
    present = {node.node_id for node in shard.nodes}
    for replica in list(group.replicas.values()):
        if replica.node_id in present:
            continue
        replica.missing_polls += 1
        limit = MISSING_POLLS_MAX_DETHRONED if replica.is_dethroned else MISSING_POLLS_MAX
        if replica.missing_polls > limit and group.failover is None and group.primary.down_since_ms is None:
            groups.remove_replica(sentinel, group, replica)


def _follow_primary(sentinel: Sentinel, group: Group, listed: ShardNode) -> None:
    """Move the group to the primary that the cluster names, where the cluster or its operator made one without us."""
    node = sentinel.find_node(group, listed.address)
    if node is None or node is group.primary:
        return
    if group.failover is not None and group.failover.promoted is not None:
        return
    if node.role != "master":
        node.info_sent_ms = None
        group.primary.info_sent_ms = None
        sentinel.touch(group)
    elif _has_stepped_down(group.primary):
        groups.switch_primary(sentinel, group, node)


def _has_stepped_down(primary: Node) -> bool:
    return primary.role == "slave" or primary.down_since_ms is not None


def _forget_missing(sentinel: Sentinel, cluster: Cluster, present: set[str]) -> None:
    """Stop to monitor shards that an account of all the slots does not name, after a few such accounts."""
    for group in groups_of(sentinel, cluster):
        if group.shard_id in present:
            cluster.missing_polls.pop(group.shard_id, None)
            continue
        missing = cluster.missing_polls.get(group.shard_id, 0) + 1
        cluster.missing_polls[group.shard_id] = missing
        if missing > MISSING_POLLS_MAX and group.failover is None:
            groups.remove_group(sentinel, group)
            del cluster.missing_polls[group.shard_id]
