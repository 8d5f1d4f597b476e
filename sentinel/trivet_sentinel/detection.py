"""Failure detection: subjectively down (this sentinel's own view) and objectively down (a quorum's).

An instance is subjectively down when it has owed a valid answer to PING for down-after-milliseconds. A primary is
objectively down when at least `quorum` sentinels, this one included, say so; the others are asked with SENTINEL
IS-MASTER-DOWN-BY-ADDR as soon as this one thinks so, and often in the first seconds, because their own clocks reach
the same conclusion within milliseconds of ours. (Redis Sentinel documentation, "SDOWN and ODOWN failure state".)
"""

from typing import Final

from trivet_sentinel import links
from trivet_sentinel.events import Reply
from trivet_sentinel.state import FailoverState, Group, Instance, Peer, Sentinel

ASK_PERIOD_MS: Final = 1000
ASK_PERIOD_URGENT_MS: Final = 100
URGENT_FOR_MS: Final = 3000
ANSWER_VALID_MS: Final = 5000
INFO_PERIOD_MS: Final = 10_000
# How long, beyond down-after-milliseconds, a primary may call itself a replica: its INFO is asked every second then.
ABANDONED_ROLE_MS: Final = 4000


def check_subjectively_down(sentinel: Sentinel, group: Group, instance: Instance) -> None:
    """Mark `instance` as down or up again, as of now."""
    if _is_silent(sentinel, group, instance) or _abandoned_its_role(sentinel, group, instance):
        if instance.down_since_ms is None:
            instance.down_since_ms = sentinel.now_ms
            sentinel.announce_instance("+sdown", group, instance)
    elif instance.down_since_ms is not None:
        instance.down_since_ms = None
        sentinel.announce_instance("-sdown", group, instance)


def _is_silent(sentinel: Sentinel, group: Group, instance: Instance) -> bool:
    since = instance.link.waiting_since_ms
    if since is None:
        return False
    deadline = since + group.settings.down_after_ms
    if sentinel.now_ms < deadline:
        sentinel.wake_at(deadline)
        return False
    return True


def _abandoned_its_role(sentinel: Sentinel, group: Group, instance: Instance) -> bool:
    """Return whether the primary has called itself a replica for so long that it serves nobody as a primary.

    Shards of a cluster are exempt: there clusters.py follows the change of roles instead.
    """
    primary = group.primary
    if instance is not primary or group.cluster or primary.role != "slave":
        return False
    deadline = primary.role_since_ms + group.settings.down_after_ms + ABANDONED_ROLE_MS
    if sentinel.now_ms < deadline:
        sentinel.wake_at(deadline)
        return False
    return True


def check_objectively_down(sentinel: Sentinel, group: Group) -> None:
    """Mark the primary as objectively down or not, by what the peers said lately."""
    if group.failover is not None and group.failover.is_promoted():
        # The others have moved on to the new primary and say nothing about the old one any more.
        return
    quorum = group.settings.quorum
    agreeing = 0
    if group.primary.down_since_ms is not None:
        agreeing = 1 + sum(1 for peer in group.peers.values() if _says_down_now(sentinel, peer))
    if agreeing >= quorum:
        if group.objectively_down_since_ms is None:
            group.objectively_down_since_ms = sentinel.now_ms
            sentinel.announce_instance("+odown", group, group.primary, f" #quorum {agreeing}/{quorum}")
    elif group.objectively_down_since_ms is not None:
        group.objectively_down_since_ms = None
        group.no_good_replica_told = False
        group.failed_attempts = 0
        sentinel.announce_instance("-odown", group, group.primary)


def _says_down_now(sentinel: Sentinel, peer: Peer) -> bool:
    return peer.says_down and peer.said_ms is not None and sentinel.now_ms - peer.said_ms <= ANSWER_VALID_MS


def ask_peers(sentinel: Sentinel, group: Group) -> None:
    """Ask every other sentinel whether the primary is down, and for its vote where we run for leader."""
    if group.primary.down_since_ms is None and not _is_candidate(group):
        return
    for peer in group.peers.values():
        due = (peer.asked_ms or 0) + _ask_period_ms(sentinel, group)
        if peer.asked_ms is not None and sentinel.now_ms < due:
            sentinel.wake_at(due)
        elif peer.link.is_open:
            ask(sentinel, group, peer)
            sentinel.wake_at(sentinel.now_ms + _ask_period_ms(sentinel, group))


def _is_candidate(group: Group) -> bool:
    return group.failover is not None and group.failover.state is FailoverState.WAIT_START


def _ask_period_ms(sentinel: Sentinel, group: Group) -> int:
    down_for_ms = sentinel.now_ms - (group.primary.down_since_ms or sentinel.now_ms)
    return ASK_PERIOD_URGENT_MS if _is_candidate(group) or down_for_ms < URGENT_FOR_MS else ASK_PERIOD_MS


def ask(sentinel: Sentinel, group: Group, peer: Peer) -> None:
    """Send SENTINEL IS-MASTER-DOWN-BY-ADDR; a candidate asks for a vote in its own epoch."""
    epoch, run_id = sentinel.current_epoch, "*"
    if _is_candidate(group) and group.failover is not None:
        epoch, run_id = group.failover.epoch, sentinel.my_id
    address = group.primary.address
    host = sentinel.shown_host(address)
    request = ("SENTINEL", "is-master-down-by-addr", host, str(address.port), str(epoch), run_id)
    if links.send(sentinel, peer.link, request, lambda reply: _answered(sentinel, group, peer, reply)):
        peer.asked_ms = sentinel.now_ms


def _answered(sentinel: Sentinel, group: Group, peer: Peer, reply: Reply) -> None:
    if not isinstance(reply, list) or len(reply) != 3 or not isinstance(reply[0], int):
        return
    peer.said_ms = sentinel.now_ms
    peer.says_down = reply[0] == 1
    leader, epoch = reply[1], reply[2]
    if isinstance(leader, bytes) and leader != b"*" and isinstance(epoch, int):
        if epoch > peer.leader_epoch:
            sentinel.log(f"{peer.run_id} voted for {leader.decode()} {epoch}")
        peer.leader, peer.leader_epoch = leader.decode(), epoch
    sentinel.touch(group)
