"""Elections: which sentinel may run a failover.

An epoch is a number that only grows. Every sentinel gives at most one vote for each group and epoch, to the first
that asks, and saves it before it answers. Who gets a majority of all known sentinels, and at least `quorum` votes,
leads the failover of that epoch; so there is at most one leader for each group and epoch.

Where Redis waits twice the failover timeout after a failed election, a candidate here tries again after a short
random delay: at once when the votes were split, so that nobody can have won, and after the time that a failover takes
when somebody else did win or may have. The delay grows with every failure, and nobody runs who cannot reach a
majority at all. (Redis Sentinel documentation, "Configuration epochs"; Raft, section 5.2, for the random delays.)
"""

from collections import Counter
from typing import Final

from trivet_sentinel import detection
from trivet_sentinel.state import Failover, FailoverState, Group, Sentinel

FIRST_DELAY_MAX_MS: Final = 150
SPLIT_DELAY_MS: Final = (30, 300)
SPLIT_DELAY_DOUBLINGS_MAX: Final = 4
# How long a failover that another sentinel leads may take before we try it ourselves.
OTHER_LEADER_DELAY_MS: Final = (3000, 4000)
ELECTION_TIMEOUT_MS: Final = 2000
UNREACHABLE_MAJORITY_RECHECK_MS: Final = 500


def raise_epoch(sentinel: Sentinel, epoch: int) -> None:
    """Take over a higher epoch that another sentinel, or a cluster, has reached."""
    if epoch > sentinel.current_epoch:
        sentinel.current_epoch = epoch
        sentinel.announce("+new-epoch", str(epoch))
        sentinel.save()


def vote(sentinel: Sentinel, group: Group, epoch: int, run_id: str) -> tuple[str, int]:
    """Give our vote for `epoch` to `run_id` if it is still to be had; return whom our latest vote went to, and in
    which epoch.

    Redis also refuses every epoch below the highest it has seen for any group. Here only the group's own epochs
    count, so that the failovers of several groups do not take away each other's votes.
    """
    raise_epoch(sentinel, epoch)
    if epoch > group.leader_epoch and epoch > group.config_epoch:
        group.leader, group.leader_epoch = run_id, epoch
        sentinel.announce("+vote-for-leader", f"{run_id} {epoch}", group)
        sentinel.save()
        if run_id != sentinel.my_id:
            hold_off(sentinel, group, sentinel.random.randint(*OTHER_LEADER_DELAY_MS))
    return group.leader, group.leader_epoch


def hold_off(sentinel: Sentinel, group: Group, delay_ms: int) -> None:
    """Do not try to fail over before `delay_ms` from now."""
    group.next_attempt_ms = max(group.next_attempt_ms or 0, sentinel.now_ms + delay_ms)


def is_due(sentinel: Sentinel, group: Group) -> bool:
    """Return whether to run for leader now; otherwise a wake-up is arranged for when to look again."""
    if group.failover is not None or group.objectively_down_since_ms is None or sentinel.in_tilt:
        return False
    if group.next_attempt_ms is None:
        hold_off(sentinel, group, sentinel.random.randint(0, FIRST_DELAY_MAX_MS))
    attempt_ms = group.next_attempt_ms or 0
    if sentinel.now_ms < attempt_ms:
        sentinel.wake_at(attempt_ms)
        return False
    reachable = 1 + sum(1 for peer in group.peers.values() if peer.link.is_open)
    if reachable < max(group.majority(), group.settings.quorum):
        sentinel.wake_at(sentinel.now_ms + UNREACHABLE_MAJORITY_RECHECK_MS)
        return False
    return True


def usable_voters(group: Group) -> int:
    """Return how many sentinels could vote now, ourselves included (SENTINEL CKQUORUM)."""
    return 1 + sum(1 for peer in group.peers.values() if peer.down_since_ms is None and peer.link.is_open)


def majority_problem(group: Group, usable: int) -> str:
    """Return what `usable` sentinels are too few for, in Redis' words; nothing where they suffice."""
    problems = []
    if usable < group.settings.quorum:
        problems.append("Not enough available Sentinels to reach the specified quorum for this master")
    if usable < group.majority():
        problems.append("Not enough available Sentinels to reach the majority and authorize a failover")
    return ". ".join(problems)


def start(sentinel: Sentinel, group: Group, is_forced: bool = False) -> Failover:
    """Begin a failover in a new epoch: as a candidate who votes for itself, or, if forced by an operator, as leader."""
    sentinel.current_epoch += 1
    now = sentinel.now_ms
    failover = Failover(sentinel.current_epoch, now, FailoverState.WAIT_START, now, is_forced)
    for name, moment in (("+sdown", group.primary.down_since_ms), ("+odown", group.objectively_down_since_ms)):
        if moment is not None:
            failover.timeline.append((name, moment))
    group.failover = failover
    sentinel.announce("+new-epoch", str(failover.epoch))
    sentinel.announce_instance("+try-failover", group, group.primary)
    vote(sentinel, group, failover.epoch, sentinel.my_id)
    if not is_forced:
        for peer in group.peers.values():
            detection.ask(sentinel, group, peer)
    return failover


def run(sentinel: Sentinel, group: Group, failover: Failover) -> bool:
    """Count the votes; return True once we are leader. A lost election ends the failover."""
    if failover.is_forced:
        return True
    votes = _count_votes(sentinel, group, failover.epoch)
    needed = max(group.majority(), group.settings.quorum)
    if votes[sentinel.my_id] >= needed:
        return True
    deadline = failover.started_ms + min(ELECTION_TIMEOUT_MS, group.settings.failover_timeout_ms)
    cannot_win = votes[sentinel.my_id] + _undecided(group, failover.epoch) < needed
    if max(votes.values(), default=0) >= needed:
        _lose(sentinel, group, sentinel.random.randint(*OTHER_LEADER_DELAY_MS))
    elif cannot_win or sentinel.now_ms >= deadline:
        _lose(sentinel, group, _split_delay_ms(sentinel, group))
    else:
        sentinel.wake_at(deadline)
    return False


def _count_votes(sentinel: Sentinel, group: Group, epoch: int) -> Counter[str]:
    votes = Counter(peer.leader for peer in group.peers.values() if peer.leader_epoch == epoch)
    if group.leader_epoch == epoch:
        votes[group.leader] += 1
    return votes


def _undecided(group: Group, epoch: int) -> int:
    """Return how many reachable peers may still vote in `epoch`; one that is in a later epoch already will not."""
    return sum(1 for peer in group.peers.values() if peer.link.is_open and peer.leader_epoch < epoch)


def _split_delay_ms(sentinel: Sentinel, group: Group) -> int:
    low, high = SPLIT_DELAY_MS
    doublings = min(group.failed_attempts, SPLIT_DELAY_DOUBLINGS_MAX)
    return sentinel.random.randint(low, high * 2**doublings)


def _lose(sentinel: Sentinel, group: Group, delay_ms: int) -> None:
    sentinel.announce_instance("-failover-abort-not-elected", group, group.primary)
    abandon(sentinel, group, delay_ms)


def abandon(sentinel: Sentinel, group: Group, delay_ms: int) -> None:
    """End our failover without a result and try again, in a new epoch, after `delay_ms` at the earliest."""
    group.failover = None
    group.failed_attempts += 1
    hold_off(sentinel, group, delay_ms)
    sentinel.wake_at(group.next_attempt_ms or 0)
