"""Data nodes: asking them INFO, and acting on what it says about roles.

INFO is asked every ten seconds; every second while something is wrong in the group; every 50 ms of the replica that
is being promoted. A node whose role or primary is not what the group's configuration says is put in its place, but
only when our configuration cannot be an old one: Redis waits for four hello periods, so that a newer configuration
would have arrived. A primary that lost its place while it was away, and comes back, has to go sooner, because clients
may still write to it: for it we wait only until a majority of sentinels has confirmed our configuration since it came
back.
"""

from typing import Final

from trivet_sentinel import failover, groups, links
from trivet_sentinel.detection import INFO_PERIOD_MS
from trivet_sentinel.events import Reply
from trivet_sentinel.hello import PUBLISH_PERIOD_MS
from trivet_sentinel.state import Address, FailoverState, Group, Node, Reconfiguration, Sentinel
from trivet_wire.answers import info_fields

INFO_PERIOD_TROUBLE_MS: Final = 1000
INFO_PERIOD_RECONFIGURATION_MS: Final = 200
INFO_PERIOD_PROMOTION_MS: Final = 50
INFO_IN_FLIGHT_MAX: Final = 20
# A PING that takes this long to be answered makes the primary look unwell.
UNWELL_AFTER_MS: Final = 200
CORRECTION_DELAY_MS: Final = 4 * PUBLISH_PERIOD_MS


def ask_info_if_due(sentinel: Sentinel, group: Group, node: Node) -> None:
    """Ask `node` for INFO if its last one is too old for the state that the group is in."""
    period = _info_period_ms(sentinel, group, node)
    due = (node.info_sent_ms or 0) + period
    slack = links.SLACK_MS if period >= INFO_PERIOD_TROUBLE_MS else 0
    if node.info_sent_ms is not None and sentinel.now_ms < due - slack:
        sentinel.wake_at(due)
        return
    if len(node.link.pending) >= INFO_IN_FLIGHT_MAX:
        return
    request = ("INFO", "replication") if period == INFO_PERIOD_PROMOTION_MS else ("INFO",)
    if links.send_to_node(sentinel, group, node, request, lambda reply: _take_info(sentinel, group, node, reply)):
        node.info_sent_ms = sentinel.now_ms
        sentinel.wake_at(sentinel.now_ms + period)


def _info_period_ms(sentinel: Sentinel, group: Group, node: Node) -> int:
    running = group.failover
    if running is not None and running.promoted is node and running.state is FailoverState.WAIT_PROMOTION:
        return INFO_PERIOD_PROMOTION_MS
    if node.reconfiguration in (Reconfiguration.SENT, Reconfiguration.IN_PROGRESS):
        return INFO_PERIOD_RECONFIGURATION_MS
    in_trouble = (
        _primary_needs_watching(group) if node is group.primary else _replica_needs_watching(sentinel, group, node)
    )
    return INFO_PERIOD_TROUBLE_MS if in_trouble else INFO_PERIOD_MS


def _primary_needs_watching(group: Group) -> bool:
    """Return whether the primary's next INFO is waited for: it has no replicas yet, or one to be put in its place."""
    if not group.replicas and not group.cluster:
        return True
    return group.primary.role != "master" or any(_is_misplaced(group, node) for node in group.replicas.values())


def _is_misplaced(group: Group, node: Node) -> bool:
    return node.link.is_open and (node.is_dethroned or (node is not group.primary and node.role == "master"))


def _replica_needs_watching(sentinel: Sentinel, group: Group, node: Node) -> bool:
    primary = group.primary
    waiting_since = primary.link.waiting_since_ms
    unwell = waiting_since is not None and sentinel.now_ms - waiting_since > UNWELL_AFTER_MS
    down = not primary.link.is_open or unwell or group.objectively_down_since_ms is not None
    return down or group.failover is not None or not node.primary_link_up or _is_misplaced(group, node)


def refresh_replicas(sentinel: Sentinel, group: Group) -> None:
    """Ask all replicas for INFO now: what they received last from a primary that just died decides who is promoted."""
    for node in group.replicas.values():
        node.info_sent_ms = None
        ask_info_if_due(sentinel, group, node)


def _take_info(sentinel: Sentinel, group: Group, node: Node, reply: Reply) -> None:
    if not isinstance(reply, bytes) or node not in group.nodes() or sentinel.groups.get(group.name) is not group:
        return
    text = reply.decode(errors="replace")
    fields = info_fields(text)
    if fields.get("role") not in ("master", "slave"):
        return
    node.info_received_ms = sentinel.now_ms
    if "run_id" in fields:
        node.info_text = text
        _take_run_id(sentinel, group, node, fields["run_id"])
    _take_role(sentinel, group, node, fields["role"])
    _take_replication(sentinel, node, fields)
    if node is group.primary and node.role == "master" and not group.cluster:
        _discover_replicas(sentinel, group, fields)
    if not sentinel.in_tilt:
        _act(sentinel, group, node)


def _take_run_id(sentinel: Sentinel, group: Group, node: Node, run_id: str) -> None:
    if node.run_id and node.run_id != run_id:
        sentinel.announce_instance("+reboot", group, node)
    node.run_id = run_id


def _take_role(sentinel: Sentinel, group: Group, node: Node, role: str) -> None:
    if node.role != role:
        expected = "master" if node is group.primary else "slave"
        if node.role:
            event = "+role-change" if role == expected else "-role-change"
            sentinel.announce_instance(event, group, node, f" new reported role is {role}")
        node.role = role
        node.role_since_ms = sentinel.now_ms
        sentinel.touch(group)
    if role == "slave":
        node.is_dethroned = False


def _take_replication(sentinel: Sentinel, node: Node, fields: dict[str, str]) -> None:
    if node.role != "slave":
        return
    primary = (fields.get("master_host", ""), _number(fields.get("master_port")))
    if primary != (node.primary_host, node.primary_port):
        node.primary_host, node.primary_port = primary
        node.primary_address_since_ms = sentinel.now_ms
    node.primary_link_up = fields.get("master_link_status") == "up"
    node.primary_link_down_ms = 1000 * _number(fields.get("master_link_down_since_seconds"))
    node.priority = _number(fields.get("slave_priority", "100"))
    node.offset = _number(fields.get("slave_repl_offset"))
    node.is_announced = fields.get("replica_announced", "1") == "1"


def _number(text: str | None) -> int:
    try:
        return int(text or "0")
    except ValueError:
        return 0


def _discover_replicas(sentinel: Sentinel, group: Group, fields: dict[str, str]) -> None:
    """Add the replicas that a primary lists as `slave0:ip=...,port=...`."""
    for index in range(_number(fields.get("connected_slaves"))):
        replica = dict(item.partition("=")[::2] for item in fields.get(f"slave{index}", "").split(","))
        address = Address(replica.get("ip", ""), _number(replica.get("port")))
        if address.host and address.port and sentinel.find_node(group, address) is None:
            groups.add_replica(sentinel, group, address)


def _act(sentinel: Sentinel, group: Group, node: Node) -> None:
    running = group.failover
    if running is not None and running.promoted is node:
        if node.role == "master":
            failover.promoted(sentinel, group, node)
        else:
            failover.demoted_again(sentinel, group, node)
        return
    if node is group.primary:
        return
    if node.role == "slave":
        failover.follow_reconfiguration(sentinel, group, node)
    if running is None:
        _correct(sentinel, group, node)


def _correct(sentinel: Sentinel, group: Group, node: Node) -> None:
    """Make `node` a replica of the group's primary if it is not, and if it is safe to say so."""
    primary = group.primary
    wrong_primary = not sentinel.same_address(Address(node.primary_host, node.primary_port), primary.address)
    if (node.role == "slave" and not wrong_primary) or not _primary_looks_sane(sentinel, group):
        return
    if node.reattached_ms is not None and sentinel.now_ms - node.reattached_ms < CORRECTION_DELAY_MS:
        return
    if node.down_since_ms is not None or not _may_correct_now(sentinel, group, node):
        return
    if _reattach(sentinel, group, node):
        node.reattached_ms = sentinel.now_ms
        event = "+convert-to-slave" if node.role == "master" else "+fix-slave-config"
        sentinel.announce_instance(event, group, node)


def _primary_looks_sane(sentinel: Sentinel, group: Group) -> bool:
    primary = group.primary
    if primary.role != "master" or primary.down_since_ms is not None or not primary.link.is_open:
        return False
    return primary.info_received_ms is not None and sentinel.now_ms - primary.info_received_ms < 2 * INFO_PERIOD_MS


def _may_correct_now(sentinel: Sentinel, group: Group, node: Node) -> bool:
    wrong_since = node.role_since_ms if node.role == "master" else node.primary_address_since_ms
    wrong_since = max(wrong_since, node.link.opened_ms)
    if sentinel.now_ms - wrong_since >= CORRECTION_DELAY_MS:
        return True
    if not node.is_dethroned or group.cluster:
        return False
    return _is_confirmed_since(group, node.link.opened_ms)


def _is_confirmed_since(group: Group, moment_ms: int) -> bool:
    """Return whether primary and a majority of sentinels have confirmed our configuration since `moment_ms`."""
    if any(peer.config_epoch > group.config_epoch for peer in group.peers.values()):
        return False
    confirming = [peer for peer in group.peers.values() if peer.config_epoch == group.config_epoch]
    agreeing = 1 + sum(1 for peer in confirming if peer.hello_received_ms > moment_ms)
    return agreeing >= group.majority() and (group.primary.info_received_ms or 0) > moment_ms


def _reattach(sentinel: Sentinel, group: Group, node: Node) -> bool:
    if not group.cluster:
        return failover.send_replicaof(sentinel, group, node, group.primary.address)
    if not group.primary.node_id:
        return False
    return links.send_to_node(sentinel, group, node, ("CLUSTER", "REPLICATE", group.primary.node_id))
