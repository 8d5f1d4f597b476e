"""The cluster as text: CLUSTER NODES, CLUSTER INFO."""

from trivet_node.client import Client
from trivet_node.cluster import gossip
from trivet_node.cluster.endpoint import client_endpoint, is_external
from trivet_node.cluster.nodes import FAIL, NEVER, PFAIL, ClusterNode, format_flags
from trivet_node.cluster.slots import format_slots
from trivet_node.cluster.state import ClusterState


def describe_nodes(state: ClusterState, client: Client) -> str:
    """Return CLUSTER NODES' lines, as `client` is to see them."""
    return "".join([describe_node(state, node, client) + "\n" for node in state.nodes.values()])


def describe_node(state: ClusterState, node: ClusterNode, client: Client) -> str:
    """Return one line of CLUSTER NODES, without its end."""
    host = f"{node.host}:{node.port}@{node.bus_port}"
    if is_external(client, state.options):
        outside = client_endpoint(node, client, state.options)
        host = f"{outside.host or ''}:{outside.port}@{node.bus_port}"
    words = [
        node.id,
        f"{host},{node.hostname}" if node.hostname else host,
        format_flags(int(node.flags)),
        node.primary_id or "-",
        str(_unix_ms(state, node.ping_sent_ms)),
        str(_unix_ms(state, node.pong_received_ms)),
        str(shown_epoch(state, node)),
        "connected" if node.link_is_up or node is state.myself else "disconnected",
    ]
    if node.slots:
        words.append(format_slots(node.slots, " "))
    return " ".join(words)


def shown_epoch(state: ClusterState, node: ClusterNode) -> int:
    """Return a node's config epoch; a replica shows its primary's."""
    claimant = state.claimant(node)
    return node.config_epoch if claimant is None else claimant.config_epoch


def describe_cluster(state: ClusterState) -> str:
    """Return CLUSTER INFO's lines."""
    voters = state.voters()
    suspected = sum([node.slots.bit_count() for node in voters if node.flags & PFAIL != 0])
    failed = sum([node.slots.bit_count() for node in voters if node.flags & FAIL != 0])
    assigned = state.table.assigned.bit_count()
    lines = [
        f"cluster_state:{'ok' if state.healthy else 'fail'}",
        f"cluster_slots_assigned:{assigned}",
        f"cluster_slots_ok:{assigned - suspected - failed}",
        f"cluster_slots_pfail:{suspected}",
        f"cluster_slots_fail:{failed}",
        f"cluster_known_nodes:{len(state.nodes)}",
        f"cluster_size:{len(voters)}",
        f"cluster_current_epoch:{state.current_epoch}",
        f"cluster_my_epoch:{shown_epoch(state, state.myself)}",
    ]
    lines += _traffic(state.traffic.sent, "sent") + _traffic(state.traffic.received, "received")
    # Links have no limit of their own here, so none was ever closed for exceeding it.
    lines.append("total_cluster_links_buffer_limit_exceeded:0")
    return "".join([f"{line}\r\n" for line in lines])


def _traffic(counts: dict[str, int], direction: str) -> list[str]:
    lines = [f"cluster_stats_messages_{kind}_{direction}:{counts[kind]}" for kind in gossip.KINDS if kind in counts]
    return [*lines, f"cluster_stats_messages_{direction}:{sum(counts.values())}"]


def _unix_ms(state: ClusterState, time_ms: int) -> int:
    return 0 if time_ms == NEVER else time_ms + state.unix_offset_ms
