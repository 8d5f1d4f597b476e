"""The replies from which clients and sentinels learn who serves what: CLUSTER SLOTS, SHARDS and LINKS."""

from trivet_node.client import Client
from trivet_node.cluster.endpoint import EXTERNAL_ENDPOINT, Endpoint, client_endpoint
from trivet_node.cluster.nodes import FAIL, ClusterNode
from trivet_node.cluster.options import ENDPOINT_HOSTNAME, ENDPOINT_IP
from trivet_node.cluster.slots import slot_ranges
from trivet_node.cluster.state import ClusterState, Link
from trivet_wire.slots import SLOT_COUNT


def reply_slots(state: ClusterState, client: Client) -> None:
    """Answer CLUSTER SLOTS: each range of slots with its primary and the replicas that are up."""
    ranges: list[tuple[int, int, ClusterNode]] = []
    for primary in state.voters():
        for first, last in slot_ranges(primary.slots):
            ranges.append((first, last, primary))
    ranges.sort(key=_first_slot)
    client.reply.array(len(ranges))
    for first, last, primary in ranges:
        up = [node for node in state.replicas_of(primary) if is_up(node)]
        client.reply.array(3 + len(up))
        client.reply.integer(first)
        client.reply.integer(last)
        for node in [primary, *up]:
            _reply_slot_node(state, client, node)


def _first_slot(entry: tuple[int, int, ClusterNode]) -> int:
    return entry[0]


def _reply_slot_node(state: ClusterState, client: Client, node: ClusterNode) -> None:
    reply = client.reply
    endpoint = client_endpoint(node, client, state.options)
    reply.array(4)
    _reply_host(client, endpoint)
    reply.integer(endpoint.port)
    reply.bulk_text(node.id)
    others: list[tuple[str, str]] = []
    if state.options.preferred_endpoint != ENDPOINT_IP:
        others.append(("ip", node.host))
    if state.options.preferred_endpoint != ENDPOINT_HOSTNAME and node.hostname:
        others.append(("hostname", node.hostname))
    reply.map(len(others))
    for name, value in others:
        reply.bulk_text(name)
        reply.bulk_text(value)


def _reply_host(client: Client, endpoint: Endpoint) -> None:
    if endpoint.host is None:
        client.reply.null()
    else:
        client.reply.bulk_text(endpoint.host)


def is_up(node: ClusterNode) -> bool:
    """Say whether clients may read from a replica."""
    return node.flags & FAIL == 0 and has_data(node)


def has_data(node: ClusterNode) -> bool:
    """Say whether a replica has ever had its primary's data."""
    return node.is_synced or node.offset != 0


def reply_shards(state: ClusterState, client: Client) -> None:
    """Answer CLUSTER SHARDS: a shard's slots, its nodes, and the id that it keeps through failovers."""
    shards = shards_of(state)
    reply = client.reply
    reply.array(len(shards))
    for shard_id, nodes in shards:
        reply.map(3)
        reply.bulk(b"slots")
        ranges = slot_ranges(nodes[0].slots)
        reply.array(2 * len(ranges))
        for first, last in ranges:
            reply.integer(first)
            reply.integer(last)
        reply.bulk(b"nodes")
        reply.array(len(nodes))
        for node in nodes:
            _reply_shard_node(state, client, node)
        reply.bulk(b"id")
        reply.bulk_text(shard_id)


def shards_of(state: ClusterState) -> list[tuple[str, list[ClusterNode]]]:
    """Return the shards by their first slot, each with its id and its nodes, the primary that owns the slots first."""
    shards: dict[str, list[ClusterNode]] = {}
    for node in [state.myself, *state.others()]:
        shards.setdefault(node.shard_id or node.id, []).append(node)
    for nodes in shards.values():
        nodes.sort(key=_rank_in_shard)
    return sorted(shards.items(), key=_rank_of_shard)


def _rank_in_shard(node: ClusterNode) -> tuple[bool, bool, str]:
    return (node.slots == 0, not node.is_primary(), node.id)


def _rank_of_shard(item: tuple[str, list[ClusterNode]]) -> tuple[int, str]:
    ranges = slot_ranges(item[1][0].slots)
    return (ranges[0][0] if ranges else SLOT_COUNT, item[0])


def _reply_shard_node(state: ClusterState, client: Client, node: ClusterNode) -> None:
    reply = client.reply
    endpoint = client_endpoint(node, client, state.options)
    outside = node.metadata.get(EXTERNAL_ENDPOINT, "")
    reply.map(7 + (1 if node.hostname else 0) + (1 if outside else 0))
    reply.bulk(b"id")
    reply.bulk_text(node.id)
    reply.bulk(b"port")
    reply.integer(endpoint.port)
    reply.bulk(b"ip")
    reply.bulk_text(node.host)
    reply.bulk(b"endpoint")
    _reply_host(client, endpoint)
    if node.hostname:
        reply.bulk(b"hostname")
        reply.bulk_text(node.hostname)
    if outside:
        reply.bulk_text(EXTERNAL_ENDPOINT)
        reply.bulk_text(outside)
    reply.bulk(b"role")
    reply.bulk(b"master" if node.is_primary() else b"replica")
    reply.bulk(b"replication-offset")
    reply.integer(node.offset)
    reply.bulk(b"health")
    reply.bulk(_health(node))


def _health(node: ClusterNode) -> bytes:
    """Return a node's health in the words that Redis 7.0 uses, which are not those of its documentation."""
    if node.flags & FAIL != 0:
        return b"fail"
    if node.is_replica() and not has_data(node):
        return b"loading"
    return b"online"


def reply_links(state: ClusterState, client: Client) -> None:
    """Answer CLUSTER LINKS: the links to and from every known node."""
    known = [link for link in state.links.values() if link.node is not None and not link.node.is_handshaking()]
    client.reply.array(len(known))
    for link in known:
        _reply_link(client, link, state.unix_offset_ms)


def _reply_link(client: Client, link: Link, unix_offset_ms: int) -> None:
    reply = client.reply
    reply.map(6)
    reply.bulk(b"direction")
    reply.bulk(b"to" if link.number > 0 else b"from")
    reply.bulk(b"node")
    reply.bulk_text("" if link.node is None else link.node.id)
    reply.bulk(b"create-time")
    reply.integer(link.created_ms + unix_offset_ms)
    reply.bulk(b"events")
    reply.bulk(b"rw" if link.unsent_bytes else b"r")
    reply.bulk(b"send-buffer-allocated")
    reply.integer(link.unsent_bytes)
    reply.bulk(b"send-buffer-used")
    reply.integer(link.unsent_bytes)
