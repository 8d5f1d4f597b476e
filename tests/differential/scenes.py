"""Scenes of several clients, step by step: what every one of them hears, and what the replicas are sent.

Each line of a scene is a client's number and his request as an inline command; a `~` behind the number says that
nothing answers it at once. `pause MS` lets deadlines pass. After each line everything is read that any of the clients
was sent by then.
"""

import time
from typing import Final, Protocol

from tests.differential import propagated
from tests.differential.peers import EnginePeer, RealReplica, SocketPeer
from tests.differential.replies import Reply, without_client_ids

CLIENTS: Final = 5
_OBSERVER: Final = CLIENTS
_MARK: Final = (b"SET", b"mark", b"1")

# Who heard what after one line.
Heard = dict[int, list[Reply]]


class Stage(Protocol):
    """A server on which scenes are played."""

    def say(self, client: int, line: bytes, is_answered: bool) -> Heard:
        """Let a client send an inline command; return what each client was sent by then, silent ones left out."""

    def stream(self) -> list[Reply]:
        """Return what was propagated to replicas."""


class EngineStage:
    """An engine in this process."""

    def __init__(self) -> None:
        self._peer = EnginePeer()
        self._peer.keep_stream()
        self._peer.connect(CLIENTS + 1)

    def say(self, client: int, line: bytes, is_answered: bool) -> Heard:
        heard = {client: self._peer.inline(client, line)}
        for other in range(CLIENTS):
            heard.setdefault(other, []).extend(self._peer.pushed(other))
        return {number: replies for number, replies in heard.items() if replies}

    def stream(self) -> list[Reply]:
        self._peer.run(_OBSERVER, [(b"SELECT", b"0"), _MARK])
        return _before_mark(self._peer.take_stream())


class SocketStage:
    """A server in a process of its own, with a replica that shows its stream."""

    def __init__(self, peer: SocketPeer) -> None:
        self._peer = peer
        peer.connect(CLIENTS + 1)
        peer.run(_OBSERVER, [(b"FLUSHALL",)])
        self._replica = RealReplica(peer.process)

    def say(self, client: int, line: bytes, is_answered: bool) -> Heard:
        self._peer.inline(client, line, is_answered)
        # Whoever is written to because of a request is written to before the next request's answer.
        self._peer.run(_OBSERVER, [(b"PING",)])
        heard = {number: self._peer.arrived(number) for number in range(CLIENTS)}
        return {number: replies for number, replies in heard.items() if replies}

    def stream(self) -> list[Reply]:
        self._peer.run(_OBSERVER, [(b"SELECT", b"0"), _MARK])
        return self._replica.until(_MARK)

    def close(self) -> None:
        self._replica.close()


def assert_same(real: SocketPeer, scene: str) -> None:
    """Play a scene on an engine and on a real server and compare every step, and the streams in the end."""
    ours, stage = EngineStage(), SocketStage(real)
    try:
        for line in filter(None, map(str.strip, scene.splitlines())):
            head, _, request = line.partition(" ")
            if head == "pause":
                time.sleep(int(request) / 1000)
                continue
            client, is_answered = int(head.removesuffix("~")), not head.endswith("~")
            one, other = [_told(each.say(client, request.encode(), is_answered)) for each in (ours, stage)]
            assert one == other, line
        difference = propagated.difference(ours.stream(), stage.stream())
        assert not difference, difference
    finally:
        stage.close()


def _told(heard: Heard) -> Heard:
    """Return what was heard without what differs by nature."""
    return {client: [without_client_ids(reply) for reply in replies] for client, replies in heard.items()}


def _before_mark(stream: list[Reply]) -> list[Reply]:
    assert stream.pop().words() == list(_MARK)
    return stream
