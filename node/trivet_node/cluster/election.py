"""Elections without sentinels: a replica of a failed primary asks the primaries for their votes.

The replica waits a moment, so that everybody hears of the failure, and longer the more siblings have more data. Then it
takes a new epoch and asks. A primary votes once an epoch, and for one replica of a primary within the node timeout.
With the votes of a majority the replica takes its primary's slots over in that epoch; without, it asks again after a
random delay, so that siblings that split the votes do not meet again. `cluster-replica-no-failover yes` leaves all this
to sentinels. (Redis Cluster specification, "Replica election and promotion". Redis waits 500 ms to 1 s whatever the
node timeout is, and four node timeouts until the next attempt; here both follow the node timeout.)
"""

from typing import Final

from trivet_node.cluster import gossip, messages
from trivet_node.cluster.epochs import greatest_epoch
from trivet_node.cluster.gossip import Message
from trivet_node.cluster.nodes import FAIL, NEVER, ClusterNode
from trivet_node.cluster.ownership import take_over
from trivet_node.cluster.state import SAVE, SAVE_DURABLY, Candidacy, ClusterState, Link

_DELAY_MAX_MS: Final = 500
_DELAY_SHARE: Final = 8
_FORCED: Final = b"forced"


def tend(state: ClusterState) -> None:
    """Begin, advance or give up an election as time passes."""
    candidacy = state.candidacy
    if not _may_stand(state):
        if candidacy.ask_at_ms != NEVER or candidacy.forced:
            state.candidacy = Candidacy()
        return
    if candidacy.ask_at_ms == NEVER:
        _schedule(state)
    if candidacy.ends_ms != NEVER and state.now_ms >= candidacy.ends_ms:
        state.log("notice", f"No majority voted for this node in epoch {candidacy.epoch}")
        _schedule(state)
    if candidacy.ends_ms == NEVER and state.now_ms >= candidacy.ask_at_ms:
        _ask(state)


def due_ms(state: ClusterState) -> int:
    """Return when tend() has something to do, or NEVER."""
    candidacy = state.candidacy
    return candidacy.ask_at_ms if candidacy.ends_ms == NEVER else candidacy.ends_ms


def stand(state: ClusterState) -> None:
    """Ask for votes although the primary may be alive: an operator wants this replica to take over."""
    state.candidacy = Candidacy()
    state.candidacy.forced = True
    state.candidacy.ask_at_ms = state.now_ms


def _may_stand(state: ClusterState) -> bool:
    primary = state.primary_of(state.myself)
    if primary is None or primary.slots == 0:
        return False
    if state.candidacy.forced:
        return True
    if primary.flags & FAIL == 0 or state.options.replica_no_failover:
        return False
    factor = state.options.replica_validity_factor
    oldest_ms = state.options.replica_ping_period_ms + state.options.node_timeout_ms * factor
    return factor == 0 or state.primary_link_down_ms <= oldest_ms


def _schedule(state: ClusterState) -> None:
    """Set the time at which votes are asked for."""
    candidacy = state.candidacy
    unit_ms = min(_DELAY_MAX_MS, state.options.node_timeout_ms // _DELAY_SHARE)
    delay_ms = 0 if candidacy.forced else unit_ms + state.random.randint(0, unit_ms) + 2 * unit_ms * rank(state)
    candidacy.ask_at_ms = state.now_ms + delay_ms
    candidacy.ends_ms = NEVER
    state.log("notice", f"Start of election delayed for {delay_ms} milliseconds (rank #{rank(state)})")


def rank(state: ClusterState) -> int:
    """Return how many replicas of our primary have more of its data than this one."""
    primary = state.primary_of(state.myself)
    siblings = state.replicas_of(primary) if primary is not None else []
    return len([node for node in siblings if node.offset > state.myself.offset and node.flags & FAIL == 0])


def _ask(state: ClusterState) -> None:
    candidacy = state.candidacy
    candidacy.epoch = greatest_epoch(state) + 1
    candidacy.votes = set()
    candidacy.ends_ms = state.now_ms + state.options.node_timeout_ms
    state.current_epoch = candidacy.epoch
    state.todo |= SAVE | SAVE_DURABLY
    state.log("notice", f"Starting a failover election for epoch {candidacy.epoch}.")
    messages.broadcast(state, gossip.AUTH_REQUEST, [_FORCED] if candidacy.forced else [])


def count_vote(state: ClusterState, voter: ClusterNode, epoch: int) -> None:
    """Count a vote; with a majority of them take over."""
    candidacy = state.candidacy
    if candidacy.ends_ms == NEVER or not voter.is_voter() or epoch < candidacy.epoch:
        return
    candidacy.votes.add(voter.id)
    if len(candidacy.votes) >= state.quorum():
        state.log("notice", f"Failover election won: I'm the new primary in epoch {candidacy.epoch}.")
        state.candidacy = Candidacy()
        take_over(state, candidacy.epoch)


def consider_request(state: ClusterState, link: Link, candidate: ClusterNode, message: Message) -> None:
    """Vote for a replica that asks, if nothing speaks against it."""
    reason = _objection(state, candidate, message)
    if reason:
        state.log("verbose", f"Failover auth denied to {candidate.id}: {reason}")
        return
    primary = state.primary_of(candidate)
    assert primary is not None
    state.last_vote_epoch = state.current_epoch
    primary.voted_ms = state.now_ms
    state.todo |= SAVE | SAVE_DURABLY
    messages.send_message(state, link.number, gossip.AUTH_ACK, [])
    state.log("notice", f"Failover auth granted to {candidate.id} for epoch {state.current_epoch}")


def _objection(state: ClusterState, candidate: ClusterNode, message: Message) -> str:
    """Return why this node does not vote for a candidate, or an empty string."""
    request = message.sender
    if not state.myself.is_voter():
        return "this node has no vote"
    if request.current_epoch < state.current_epoch:
        return f"requested epoch {request.current_epoch} < current epoch {state.current_epoch}"
    if state.last_vote_epoch == state.current_epoch:
        return f"already voted for epoch {state.current_epoch}"
    return _objection_to_claim(state, candidate, message)


def _objection_to_claim(state: ClusterState, candidate: ClusterNode, message: Message) -> str:
    request = message.sender
    primary = state.primary_of(candidate)
    if primary is None:
        return "it is no replica of a known primary"
    if primary.flags & FAIL == 0 and _FORCED not in message.payload:
        return "its primary is up"
    if primary.voted_ms != NEVER and state.now_ms - primary.voted_ms < state.options.node_timeout_ms:
        return "a sibling got this vote a moment ago"
    for owner in state.voters():
        if owner.slots & request.slots and owner.config_epoch > request.config_epoch:
            return f"node {owner.id} has a newer claim on its slots"
    return ""
