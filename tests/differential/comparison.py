"""Run the same steps on two peers and say where they differ.

Everything must be equal byte for byte, except what the rules of the families say (families/, rules.py). Beside the
clients of the steps each peer has an observer, who arranges things and looks at the result, and a listener, who is told
of every event of the keyspace; he must be told the same in the same order.

A client whose command blocks waits until another one serves it; its reply is compared when it comes. Before its own
next step, and in the end, the observer unblocks it.
"""

import itertools
from typing import Final, NamedTuple

from tests.differential.contents import compare_contents
from tests.differential.difference import Difference, cut, show
from tests.differential.families import RULES
from tests.differential.generator import CLIENTS, Arguments, Step
from tests.differential.peers import Peer
from tests.differential.replies import Reply
from trivet_node.command import BLOCKING
from trivet_node.commands.table import COMMANDS

OBSERVER: Final = CLIENTS
LISTENER: Final = CLIENTS + 1
_QUEUED: Final = Reply(b"+", b"QUEUED")
_MAY_BLOCK: Final = frozenset(command.name.upper().encode() for command in COMMANDS if command.flags & BLOCKING)


class Sequence(NamedTuple):
    """What the observer sets before, and the steps."""

    settings: Arguments
    steps: list[Step]


def same(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Say whether two replies to one command are equal as far as they must be."""
    if one == other:
        return True
    rule = RULES.get(arguments[0].upper())
    return rule is not None and one.kind == other.kind and rule(arguments, one, other)


class Duel:
    """Two peers in the middle of a sequence.

    It knows what each client has queued, because EXEC answers for all of that.
    """

    def __init__(self, one: Peer, other: Peer, settings: Arguments) -> None:
        self._peers = (one, other)
        self._queued: list[list[Arguments]] = [[] for _ in range(CLIENTS)]
        # What each blocked client waits for, and its numbers on the two peers.
        self._blocked: dict[int, Arguments] = {}
        self._ids: list[list[bytes]] = []
        self._unblocked = 0
        # How many of the steps have begun.
        self.begun = 0
        for peer in self._peers:
            self._prepare(peer, settings)

    def _prepare(self, peer: Peer, settings: Arguments) -> None:
        """Give a peer new clients and no keys. Clients with an odd number speak RESP3."""
        peer.connect(CLIENTS + 2)
        for request in ((b"FLUSHALL",), (b"CONFIG", b"SET", b"notify-keyspace-events", b"KEAmn"), settings):
            reply = peer.run(OBSERVER, [request])[0]
            assert reply.value == b"OK", (request, reply)
        for client in range(1, CLIENTS, 2):
            peer.run(client, [(b"HELLO", b"3")])
        ids = [peer.run(client, [(b"CLIENT", b"ID")])[0].value for client in range(CLIENTS)]
        self._ids.append([identity for identity in ids if isinstance(identity, bytes)])
        peer.run(LISTENER, [(b"PSUBSCRIBE", b"__key*__:*")])

    def run(self, steps: list[Step]) -> None:
        """Run all steps and compare every reply, all events, and what is stored in the end."""
        for client, group in itertools.groupby(steps, key=lambda step: step.client):
            together = list(group)
            self.begun += len(together)
            self._run_group(client, [request for step in together for request in step.requests])
        self.unblock_all()
        self._compare_events()
        compare_contents(*self._peers, OBSERVER, same)

    def _run_group(self, client: int, requests: list[Arguments]) -> None:
        """Run requests of one client, as many at once as can be without waiting."""
        while requests:
            if client in self._blocked:
                self._unblock(client)
            length = next((n for n, request in enumerate(requests, 1) if request[0].upper() in _MAY_BLOCK), None)
            self._send(client, requests[:length])
            requests = requests[length:] if length else []

    def _send(self, client: int, requests: list[Arguments]) -> None:
        one, other = [peer.run(client, requests) for peer in self._peers]
        for arguments, first, second in zip(requests, one, other, strict=False):
            self._compare(client, arguments, first, second)
        if len(one) != len(other):
            raise Difference(f"client {client}: {show(requests[-1])} blocks one side only: {cut(one)} {cut(other)}")
        if len(one) < len(requests):
            self._blocked[client] = requests[-1]
        self._compare_late()

    def _compare_late(self) -> None:
        """Compare the replies to clients that waited and were served meanwhile."""
        if not self._blocked:
            return
        one, other = [peer.late(OBSERVER, list(self._blocked)) for peer in self._peers]
        if one.keys() != other.keys():
            raise Difference(f"of the waiting {self._blocked} not the same were served:\n  {cut(one)}\n  {cut(other)}")
        for client, reply in one.items():
            self._compare(client, self._blocked.pop(client), reply, other[client])

    def _unblock(self, client: int) -> None:
        self._unblocked += 1
        how = [(), (b"TIMEOUT",), (b"ERROR",)][self._unblocked % 3]
        one, other = [
            peer.run(OBSERVER, [(b"CLIENT", b"UNBLOCK", ids[client], *how)])[0]
            for peer, ids in zip(self._peers, self._ids, strict=True)
        ]
        if one != other:
            raise Difference(f"CLIENT UNBLOCK of client {client}:\n  {cut(one)}\n  {cut(other)}")
        self._compare_late()
        if client in self._blocked:
            raise Difference(f"client {client} is blocked after CLIENT UNBLOCK")

    def unblock_all(self) -> None:
        """Unblock every client that waits, one after the other."""
        for client in sorted(self._blocked):
            if client in self._blocked:
                self._unblock(client)

    def _compare(self, client: int, arguments: Arguments, one: Reply, other: Reply) -> None:
        queued = self._queued[client]
        if one == other == _QUEUED:
            queued.append(arguments)
            return
        if arguments[0].upper() == b"EXEC" and one.kind == other.kind == b"*" and len(one.items()) == len(queued):
            equal = len(other.items()) == len(queued) and all(
                same(*item) for item in zip(queued, one.items(), other.items(), strict=True)
            )
        else:
            equal = same(arguments, one, other)
        if not equal:
            raise Difference(
                f"client {client}: {show(arguments)}\n  {cut(one)}\n  {cut(other)}\n  queued: {cut(queued)}"
            )
        if arguments[0].upper() in (b"EXEC", b"DISCARD") and not _keeps_transaction(one):
            queued.clear()

    def _compare_events(self) -> None:
        one, other = [_in_order([event.words()[2:] for event in peer.pushed(LISTENER)]) for peer in self._peers]
        for number, (first, second) in enumerate(itertools.zip_longest(one, other)):
            if first != second:
                before = one[max(0, number - 4) : number]
                raise Difference(f"event {number}: {cut(first)} instead of {cut(second)}, after {before}")

    def leave(self) -> None:
        """Leave no client blocked on either peer, whatever has happened."""
        for peer, ids in zip(self._peers, self._ids, strict=True):
            for identity in ids:
                peer.run(OBSERVER, [(b"CLIENT", b"UNBLOCK", identity)])


def _in_order(events: list[list[bytes]]) -> list[list[bytes]]:
    """Return events with neighbouring misses sorted: who looks up keys named by the members of a set has no order."""
    ordered: list[list[bytes]] = []
    for is_miss, group in itertools.groupby(events, key=lambda words: b"keymiss" in (words[0][-7:], words[1])):
        together = list(group)
        ordered += sorted(together) if is_miss else together
    return ordered


def _keeps_transaction(reply: Reply) -> bool:
    """Say whether an EXEC or DISCARD was answered with an error that leaves the transaction open."""
    text = reply.value if isinstance(reply.value, bytes) else b""
    return reply.kind == b"-" and not text.startswith(b"EXECABORT") and b"without" not in text


def run(one: Peer, other: Peer, sequence: Sequence) -> None:
    """Empty both peers, run the sequence on both, and compare everything."""
    duel = Duel(one, other, sequence.settings)
    try:
        duel.run(sequence.steps)
    except Difference as difference:
        difference.begun = duel.begun
        raise
    finally:
        duel.leave()


def shortest(one: Peer, other: Peer, sequence: Sequence, begun: int, budget: int = 150) -> Sequence:
    """Return a sequence of fewer steps that still shows a difference, after at most `budget` runs.

    `begun` is how many of the steps showed it. Where they do so by themselves, that is what is shortened.
    """
    steps = sequence.steps[:begun]
    if not _differs(one, other, sequence._replace(steps=steps)):
        steps = sequence.steps
    size = len(steps) // 2
    while size > 0 and budget > 0:
        start = 0
        while start < len(steps) and budget > 0:
            fewer = steps[:start] + steps[start + size :]
            budget -= 1
            if _differs(one, other, sequence._replace(steps=fewer)):
                steps = fewer
            else:
                start += size
        size //= 2
    return sequence._replace(steps=steps)


def _differs(one: Peer, other: Peer, sequence: Sequence) -> bool:
    try:
        run(one, other, sequence)
    except Difference:
        return True
    return False
