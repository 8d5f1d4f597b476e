"""Groups: how nodes and sentinels join and leave them, and how the primary's place passes to another node."""

from trivet_sentinel import links
from trivet_sentinel.events import RunScript
from trivet_sentinel.state import Address, Group, Node, Peer, Sentinel, Settings


def add_group(
    sentinel: Sentinel, name: str, address: Address, settings: Settings, *, cluster: str = "", shard_id: str = ""
) -> Group:
    """Start to monitor the primary at `address` under `name`; its replicas and peers are found by asking it."""
    primary = new_node(sentinel, address, settings)
    group = Group(name, primary, settings, cluster=cluster, shard_id=shard_id)
    sentinel.groups[name] = group
    sentinel.topology_changed = True
    sentinel.touch(group)
    return group


def announce_monitor(sentinel: Sentinel, group: Group) -> None:
    """Tell that a group is monitored."""
    sentinel.announce_instance("+monitor", group, group.primary, f" quorum {group.settings.quorum}")


def remove_group(sentinel: Sentinel, group: Group) -> None:
    """Stop to monitor a group."""
    sentinel.announce_instance("-monitor", group, group.primary)
    del sentinel.groups[group.name]
    sentinel.topology_changed = True
    sentinel.save()


def reset_group(sentinel: Sentinel, group: Group) -> None:
    """Forget all that was found out about a group (SENTINEL RESET)."""
    group.replicas.clear()
    group.peers.clear()
    group.failover = None
    group.objectively_down_since_ms = None
    group.leader = ""
    group.failed_attempts = 0
    group.next_attempt_ms = None
    group.primary = new_node(sentinel, group.primary.address, group.settings)
    sentinel.announce_instance("+reset-master", group, group.primary)
    sentinel.topology_changed = True
    sentinel.touch(group)


def new_node(sentinel: Sentinel, address: Address, settings: Settings) -> Node:
    """Return a node at `address` that has not been heard of yet."""
    node = Node(address, links.link_to(sentinel, address, settings.credentials))
    node.subscription = links.link_to(sentinel, address, settings.credentials, subscribes=True)
    node.role_since_ms = node.primary_address_since_ms = sentinel.now_ms
    return node


def reconnect_nodes(sentinel: Sentinel, group: Group) -> None:
    """Use the group's present credentials on all its nodes."""
    for node in group.nodes():
        node.link = links.link_to(sentinel, node.address, group.settings.credentials)
        node.subscription = links.link_to(sentinel, node.address, group.settings.credentials, subscribes=True)
    sentinel.topology_changed = True


def add_replica(sentinel: Sentinel, group: Group, address: Address) -> Node:
    """Add a replica to a group and tell it."""
    replica = new_node(sentinel, address, group.settings)
    group.replicas[address] = replica
    sentinel.announce_instance("+slave", group, replica)
    sentinel.topology_changed = True
    sentinel.touch(group)
    sentinel.save()
    return replica


def remove_replica(sentinel: Sentinel, group: Group, replica: Node) -> None:
    """Take a replica out of a group."""
    group.replicas = {address: node for address, node in group.replicas.items() if node is not replica}
    sentinel.announce_instance("-slave", group, replica)
    sentinel.topology_changed = True
    sentinel.save()


def add_peer(sentinel: Sentinel, group: Group, run_id: str, address: Address) -> Peer:
    """Add another sentinel to a group; two entries for one process are never kept."""
    link = links.link_to(sentinel, address, sentinel.options.peer_credentials)
    peer = Peer(address, link, run_id=run_id)
    group.peers[run_id] = peer
    sentinel.topology_changed = True
    return peer


def switch_primary(sentinel: Sentinel, group: Group, new_primary: Node) -> None:
    """Give the primary's place to `new_primary`: the old primary becomes one of the replicas, and everybody is told."""
    old_primary = group.primary
    old, new = old_primary.address, new_primary.address
    old_host, new_host = sentinel.shown_host(old), sentinel.shown_host(new)
    sentinel.announce("+switch-master", f"{group.name} {old_host} {old.port} {new_host} {new.port}", group)
    _run_reconfiguration_script(sentinel, group, old, new)
    replicas = [node for node in group.replicas.values() if node is not new_primary]
    group.primary = new_primary
    group.replicas = {node.address: node for node in (*replicas, old_primary)}
    old_primary.is_dethroned = old_primary.role != "slave"
    new_primary.is_dethroned = False
    group.objectively_down_since_ms = None
    group.failover = None
    group.next_attempt_ms = None
    group.failed_attempts = 0
    group.no_good_replica_told = False
    for peer in group.peers.values():
        peer.says_down = False
    for node in group.nodes():
        _start_anew(sentinel, node)
    for replica in group.replicas.values():
        sentinel.announce_instance("+slave", group, replica)
    sentinel.touch(group)
    sentinel.save()


def _start_anew(sentinel: Sentinel, node: Node) -> None:
    """Forget what was judged of a node in its old place; what it owes us (PING) stays owed."""
    node.down_since_ms = None
    node.info_sent_ms = None
    node.reattached_ms = None
    node.reconfiguration = type(node.reconfiguration).NOT_SENT
    node.primary_address_since_ms = sentinel.now_ms
    node.role_since_ms = sentinel.now_ms


def _run_reconfiguration_script(sentinel: Sentinel, group: Group, old: Address, new: Address) -> None:
    script = group.settings.client_reconfig_script
    if script:
        role = "leader" if group.failover is not None else "observer"
        ends = (sentinel.shown_host(old), str(old.port), sentinel.shown_host(new), str(new.port))
        sentinel.effects.append(RunScript(script, (group.name, role, "start", *ends)))
