"""The sentinel machine: events and time in, effects out. No sockets, no clock, no files.

    step(event, now_ms)       take one event and return what is to be done, in this order
    run(operation, now_ms)    the same for a client's command, which calls the functions of this package directly
    next_deadline()           when the next Tick is due

A Tick reviews everything; every condition that is waited for names its moment with `Sentinel.wake_at` while it is
looked at, so the next deadline falls out of the review. Other events review only the groups that they touched.

TILT: when a step comes more than two seconds later than the machine asked for, this process was stopped, and what
looks like silence of the others may be its own. For five seconds it judges nobody; it goes on asking, answers others,
and starts afresh then. `now_ms` is monotonic, so a change of the system's clock never causes it.
"""

from collections.abc import Callable
from typing import Final

from trivet_sentinel import clusters, detection, failover, hello, links, nodes
from trivet_sentinel.events import Effect, Event, LinkLost, LinkOpened, Received, Tick
from trivet_sentinel.state import NEVER_DUE_MS, Group, Node, Sentinel

TILT_TRIGGER_MS: Final = 2000
TILT_PERIOD_MS: Final = 5000


class SentinelMachine:
    """One sentinel. `sentinel` holds its facts; whoever changes them does so within step() or run()."""

    def __init__(self, sentinel: Sentinel) -> None:
        self.sentinel = sentinel

    def next_deadline(self) -> int:
        """Return the time (ms) at which the next Tick is due."""
        return self.sentinel.deadline_ms

    def step(self, event: Event, now_ms: int) -> list[Effect]:
        """Take one event at `now_ms` and return the effects to carry out, in order."""
        return self.run(lambda: self._handle(event), now_ms)

    def run(self, operation: Callable[[], None], now_ms: int) -> list[Effect]:
        """Run `operation` at `now_ms`, review what it touched, and return the effects to carry out, in order."""
        sentinel = self.sentinel
        self._watch_the_time(now_ms)
        sentinel.now_ms = max(now_ms, sentinel.now_ms)
        operation()
        self._review_touched()
        if sentinel.topology_changed:
            links.collect_garbage(sentinel)
        effects, sentinel.effects = sentinel.effects, []
        return effects

    def _handle(self, event: Event) -> None:
        sentinel = self.sentinel
        if isinstance(event, Received):
            payload = links.received(sentinel, event.link_id, event.reply)
            if payload is not None:
                hello.receive(sentinel, payload)
        elif isinstance(event, LinkOpened):
            links.opened(sentinel, event.link_id, event.local_host, event.peer_host)
        elif isinstance(event, LinkLost):
            links.lost(sentinel, event.link_id)
        elif isinstance(event, Tick):
            self._tick()

    def _tick(self) -> None:
        sentinel = self.sentinel
        sentinel.deadline_ms = NEVER_DUE_MS
        if sentinel.tilt_since_ms is not None:
            self._leave_tilt_if_over()
        for cluster in list(sentinel.clusters.values()):
            clusters.poll_if_due(sentinel, cluster)
        sentinel.touched.update(dict.fromkeys(sentinel.groups))

    def _review_touched(self) -> None:
        sentinel = self.sentinel
        while sentinel.touched:
            group = sentinel.groups.get(sentinel.touched.popitem()[0])
            if group is not None:
                _review(sentinel, group)

    def _watch_the_time(self, now_ms: int) -> None:
        sentinel = self.sentinel
        if sentinel.deadline_ms == NEVER_DUE_MS or now_ms <= sentinel.deadline_ms + TILT_TRIGGER_MS:
            return
        if sentinel.tilt_since_ms is None:
            sentinel.tilt_since_ms = now_ms
            sentinel.announce("+tilt", "#tilt mode entered")
        sentinel.tilt_until_ms = now_ms + TILT_PERIOD_MS
        sentinel.deadline_ms = now_ms

    def _leave_tilt_if_over(self) -> None:
        sentinel = self.sentinel
        if sentinel.now_ms < sentinel.tilt_until_ms:
            sentinel.wake_at(sentinel.tilt_until_ms)
            return
        sentinel.tilt_since_ms = None
        sentinel.announce("-tilt", "#tilt mode exited")
        for link in sentinel.links.values():
            if link.waiting_since_ms is not None:
                link.waiting_since_ms = sentinel.now_ms


def _review(sentinel: Sentinel, group: Group) -> None:
    """Do everything that is due for one group now."""
    was_down = group.primary.down_since_ms is not None
    for instance in (*group.nodes(), *group.peers.values()):
        links.maintain(sentinel, group, instance)
        if isinstance(instance, Node):
            nodes.ask_info_if_due(sentinel, group, instance)
        hello.publish_if_due(sentinel, group, instance)
        if not sentinel.in_tilt:
            detection.check_subjectively_down(sentinel, group, instance)
    if sentinel.in_tilt:
        return
    if group.primary.down_since_ms is not None and not was_down:
        nodes.refresh_replicas(sentinel, group)
    detection.check_objectively_down(sentinel, group)
    failover.start_if_due(sentinel, group)
    failover.run(sentinel, group)
    detection.ask_peers(sentinel, group)
