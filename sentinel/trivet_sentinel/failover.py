"""The failover of one group, run by the sentinel that won the election: one function a state, one dispatcher.

    WAIT_START            candidate: collect votes (election.py)
    SELECT_REPLICA        leader: choose the replica to promote
    SEND_PROMOTION        send it SLAVEOF NO ONE, or CLUSTER FAILOVER TAKEOVER to a cluster's node
    WAIT_PROMOTION        ask its INFO every 50 ms until it says that it is the primary
    RECONFIGURE_REPLICAS  the group's address is the new one from here on; the other replicas follow, some at a time
    UPDATE_CONFIG         give the primary's place to it (+switch-master)

The other sentinels learn of the result from our hello messages, which carry the new address with the failover's epoch.
(Redis Sentinel documentation, "Configuration propagation" and "Replica selection and priority".)
"""

from collections.abc import Callable
from typing import Final

from trivet_sentinel import election, groups, hello, links
from trivet_sentinel.events import Reply
from trivet_sentinel.state import Address, Failover, FailoverState, Group, Node, Reconfiguration, Sentinel

PROMOTION_RESEND_MS: Final = 1000
PROMOTION_TIMEOUT_MS: Final = 5000
RETRY_DELAY_MS: Final = (100, 500)
NO_GOOD_REPLICA_RECHECK_MS: Final = 500
RECONFIGURATION_RESEND_MS: Final = 10_000
# INFO older than this says too little about a replica to promote it, while its primary is down (and while it is not).
INFO_VALID_MS: Final = 5000
INFO_VALID_PRIMARY_UP_MS: Final = 30_000


def start_if_due(sentinel: Sentinel, group: Group) -> None:
    """Run for leader if the primary is objectively down, the time has come and there is a replica to promote."""
    if not election.is_due(sentinel, group):
        return
    if select_replica(sentinel, group) is None:
        if not group.no_good_replica_told:
            sentinel.announce_instance("-failover-abort-no-good-slave", group, group.primary)
            group.no_good_replica_told = True
        sentinel.wake_at(sentinel.now_ms + NO_GOOD_REPLICA_RECHECK_MS)
        return
    election.start(sentinel, group)


def force(sentinel: Sentinel, group: Group) -> None:
    """Start a failover without asking anybody (SENTINEL FAILOVER)."""
    sentinel.log(f"Executing user requested FAILOVER of '{group.name}'")
    election.start(sentinel, group, is_forced=True)
    sentinel.touch(group)


def run(sentinel: Sentinel, group: Group) -> None:
    """Go through as many states of the group's failover as can be left now."""
    while group.failover is not None:
        state = group.failover.state
        _STATES[state](sentinel, group, group.failover)
        if group.failover is None or group.failover.state is state:
            return


def _enter(sentinel: Sentinel, group: Group, state: FailoverState, instance: Node) -> None:
    failover = group.failover
    if failover is not None:
        failover.state = state
        failover.state_changed_ms = sentinel.now_ms
        sentinel.announce_instance(f"+failover-state-{state.value.replace('_', '-')}", group, instance)


def _wait_start(sentinel: Sentinel, group: Group, failover: Failover) -> None:
    if election.run(sentinel, group, failover):
        sentinel.announce_instance("+elected-leader", group, group.primary)
        _enter(sentinel, group, FailoverState.SELECT_REPLICA, group.primary)


def _select_replica(sentinel: Sentinel, group: Group, failover: Failover) -> None:
    replica = select_replica(sentinel, group)
    if replica is None:
        sentinel.announce_instance("-failover-abort-no-good-slave", group, group.primary)
        election.abandon(sentinel, group, sentinel.random.randint(*RETRY_DELAY_MS))
        return
    failover.promoted = replica
    sentinel.announce_instance("+selected-slave", group, replica)
    _enter(sentinel, group, FailoverState.SEND_PROMOTION, replica)


def select_replica(sentinel: Sentinel, group: Group) -> Node | None:
    """Return the best replica to promote, or None where no replica is fit.

    One that already calls itself a primary was promoted by a leader that we have not heard of: no other may be
    promoted besides. Otherwise the lowest priority wins (0 means never), then the highest replication offset, then
    the smallest run id.
    """
    fit = [node for node in group.replicas.values() if _is_fit(sentinel, group, node)]
    if not fit:
        return None
    return min(fit, key=lambda node: (node.role != "master", node.priority, -node.offset, node.run_id or "~"))


def _is_fit(sentinel: Sentinel, group: Group, node: Node) -> bool:
    now = sentinel.now_ms
    if node.down_since_ms is not None or not node.link.is_open or node.priority == 0 or node.is_dethroned:
        return False
    primary_down_since = _absent_since_ms(group.primary)
    info_valid_ms = INFO_VALID_PRIMARY_UP_MS if primary_down_since is None else INFO_VALID_MS
    if node.info_received_ms is None or now - node.info_received_ms > info_valid_ms:
        return False
    if now - node.link.last_valid_pong_ms > INFO_VALID_MS:
        return False
    primary_down_for_ms = 0 if primary_down_since is None else now - primary_down_since
    return node.primary_link_down_ms <= primary_down_for_ms + group.settings.down_after_ms * 10


def _absent_since_ms(primary: Node) -> int | None:
    """Return since when the primary has been no primary for its replicas: silent, or a replica itself before that."""
    if primary.down_since_ms is not None and primary.role == "slave":
        return min(primary.down_since_ms, primary.role_since_ms)
    return primary.down_since_ms


def _send_promotion(sentinel: Sentinel, group: Group, failover: Failover) -> None:
    if _promotion_failed(sentinel, group, failover):
        return
    replica = failover.promoted
    if replica is not None and _promote(sentinel, group, failover, replica):
        failover.promotion_sent_ms = sentinel.now_ms
        replica.info_sent_ms = None
        _enter(sentinel, group, FailoverState.WAIT_PROMOTION, replica)


def _wait_promotion(sentinel: Sentinel, group: Group, failover: Failover) -> None:
    """Wait for the role in INFO to change (nodes.py calls `promoted`); repeat the command in case it got lost."""
    if _promotion_failed(sentinel, group, failover) or failover.promoted is None:
        return
    if sentinel.now_ms - (failover.promotion_sent_ms or 0) >= PROMOTION_RESEND_MS:
        _promote(sentinel, group, failover, failover.promoted)
        failover.promotion_sent_ms = sentinel.now_ms
    sentinel.wake_at((failover.promotion_sent_ms or 0) + PROMOTION_RESEND_MS)


def _promotion_failed(sentinel: Sentinel, group: Group, failover: Failover) -> bool:
    """Give up on a replica that died or does not obey, and say whether we did; the next attempt may choose another."""
    replica = failover.promoted
    deadline = failover.started_ms + min(PROMOTION_TIMEOUT_MS, group.settings.failover_timeout_ms)
    if replica is not None and replica.down_since_ms is None and sentinel.now_ms < deadline:
        sentinel.wake_at(deadline)
        return False
    sentinel.announce_instance("-failover-abort-slave-timeout", group, group.primary)
    election.abandon(sentinel, group, sentinel.random.randint(*RETRY_DELAY_MS))
    return True


def _promote(sentinel: Sentinel, group: Group, failover: Failover, replica: Node) -> bool:
    if group.cluster:
        return _take_over(sentinel, group, replica, str(failover.epoch))
    return send_replicaof(sentinel, group, replica, None)


def _take_over(sentinel: Sentinel, group: Group, replica: Node, epoch: str) -> bool:
    """Have a cluster's replica take its primary's slots in our epoch; one that knows no such epoch chooses its own."""

    def refused(reply: Reply) -> None:
        if isinstance(reply, Exception):
            sentinel.log(f"{replica.address} refuses epoch {epoch}: {reply}")
            links.send_to_node(sentinel, group, replica, ("CLUSTER", "FAILOVER", "TAKEOVER"))

    return links.send_to_node(sentinel, group, replica, ("CLUSTER", "FAILOVER", "TAKEOVER", epoch), refused)


def send_replicaof(sentinel: Sentinel, group: Group, node: Node, primary: Address | None) -> bool:
    """Make `node` a replica of `primary` (None: a primary), keep it in its configuration and send its clients away."""
    target = ("NO", "ONE") if primary is None else (sentinel.shown_host(primary), str(primary.port))
    requests = (
        ("MULTI",),
        ("SLAVEOF", *target),
        ("CONFIG", "REWRITE"),
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("CLIENT", "KILL", "TYPE", "pubsub"),
        ("EXEC",),
    )
    return links.has_room(node.link, len(requests)) and all(
        links.send_to_node(sentinel, group, node, request) for request in requests
    )


def promoted(sentinel: Sentinel, group: Group, replica: Node) -> None:
    """Take the news that the replica we promoted says that it is a primary."""
    failover = group.failover
    if failover is None or failover.state is not FailoverState.WAIT_PROMOTION or failover.promoted is not replica:
        return
    group.config_epoch = failover.epoch
    failover.state = FailoverState.RECONFIGURE_REPLICAS
    failover.state_changed_ms = sentinel.now_ms
    sentinel.announce_instance("+promoted-slave", group, replica)
    sentinel.save()
    sentinel.announce_instance("+failover-state-reconf-slaves", group, group.primary)
    hello.publish_everywhere(sentinel, group)
    sentinel.touch(group)


def demoted_again(sentinel: Sentinel, group: Group, replica: Node) -> None:
    """Promote the promoted node once more: a command of an earlier leader has reached it after ours.

    Our epoch is the later one, else a hello would have ended this failover.
    """
    if group.failover is not None and group.failover.is_promoted() and not group.cluster:
        send_replicaof(sentinel, group, replica, None)


def _reconfigure_replicas(sentinel: Sentinel, group: Group, failover: Failover) -> None:
    """Let the other replicas follow. A cluster's replicas do so by themselves; nodes.py helps those that do not."""
    if group.cluster:
        _finish(sentinel, group, "+failover-end")
        return
    others = [node for node in group.replicas.values() if node is not failover.promoted]
    waiting = [node for node in others if node.reconfiguration is not Reconfiguration.DONE and _is_reachable(node)]
    deadline = failover.started_ms + group.settings.failover_timeout_ms
    if not waiting:
        _finish(sentinel, group, "+failover-end")
    elif sentinel.now_ms >= deadline:
        for node in waiting:
            _reconfigure(sentinel, group, failover, node)
        _finish(sentinel, group, "+failover-end-for-timeout")
    else:
        sentinel.wake_at(deadline)
        _reconfigure_some(sentinel, group, failover, waiting)


def _is_reachable(node: Node) -> bool:
    return node.down_since_ms is None


def _reconfigure_some(sentinel: Sentinel, group: Group, failover: Failover, waiting: list[Node]) -> None:
    in_work = (Reconfiguration.SENT, Reconfiguration.IN_PROGRESS)
    for node in waiting:
        resend_ms = node.reconfiguration_changed_ms + RECONFIGURATION_RESEND_MS
        if node.reconfiguration is Reconfiguration.SENT and sentinel.now_ms >= resend_ms:
            sentinel.announce_instance("-slave-reconf-sent-timeout", group, node)
            node.reconfiguration = Reconfiguration.NOT_SENT
    busy = sum(1 for node in waiting if node.reconfiguration in in_work)
    for node in waiting:
        if busy >= group.settings.parallel_syncs:
            return
        if node.reconfiguration is Reconfiguration.NOT_SENT and _reconfigure(sentinel, group, failover, node):
            busy += 1


def _reconfigure(sentinel: Sentinel, group: Group, failover: Failover, node: Node) -> bool:
    if failover.promoted is None or not send_replicaof(sentinel, group, node, failover.promoted.address):
        return False
    _set_reconfiguration(sentinel, group, node, Reconfiguration.SENT, "+slave-reconf-sent")
    return True


def _set_reconfiguration(sentinel: Sentinel, group: Group, node: Node, value: Reconfiguration, event: str) -> None:
    node.reconfiguration = value
    node.reconfiguration_changed_ms = sentinel.now_ms
    sentinel.announce_instance(event, group, node)


def follow_reconfiguration(sentinel: Sentinel, group: Group, node: Node) -> None:
    """Look at a replica's fresh INFO for how far it has come in following the promoted one."""
    failover = group.failover
    if failover is None or failover.promoted is None or not failover.is_promoted():
        return
    if not sentinel.same_address(Address(node.primary_host, node.primary_port), failover.promoted.address):
        return
    if node.reconfiguration is Reconfiguration.SENT:
        _set_reconfiguration(sentinel, group, node, Reconfiguration.IN_PROGRESS, "+slave-reconf-inprog")
    if node.reconfiguration is Reconfiguration.IN_PROGRESS and node.primary_link_up:
        _set_reconfiguration(sentinel, group, node, Reconfiguration.DONE, "+slave-reconf-done")
        sentinel.touch(group)


def _finish(sentinel: Sentinel, group: Group, event: str) -> None:
    sentinel.announce_instance(event, group, group.primary)
    if group.failover is not None:
        group.failover.state = FailoverState.UPDATE_CONFIG


def _update_config(sentinel: Sentinel, group: Group, failover: Failover) -> None:
    promoted_node = failover.promoted
    if promoted_node is not None:
        groups.switch_primary(sentinel, group, promoted_node)
        _log_timeline(sentinel, group, failover)


def _log_timeline(sentinel: Sentinel, group: Group, failover: Failover) -> None:
    """Tell the whole failover in one line: each event with its milliseconds since the first."""
    first = failover.timeline[0][1] if failover.timeline else sentinel.now_ms
    steps = " ".join(f"{name}={moment - first}" for name, moment in failover.timeline)
    sentinel.log(f"Failover of '{group.name}' in epoch {failover.epoch} took {sentinel.now_ms - first} ms: {steps}")


_STATES: Final[dict[FailoverState, Callable[[Sentinel, Group, Failover], None]]] = {
    FailoverState.WAIT_START: _wait_start,
    FailoverState.SELECT_REPLICA: _select_replica,
    FailoverState.SEND_PROMOTION: _send_promotion,
    FailoverState.WAIT_PROMOTION: _wait_promotion,
    FailoverState.RECONFIGURE_REPLICAS: _reconfigure_replicas,
    FailoverState.UPDATE_CONFIG: _update_config,
}
