"""A sentinel machine for tests, held at both sides: what it sends is collected, what it hears is given to it."""

from random import Random
from typing import Any

import hiredis

from trivet_sentinel import groups
from trivet_sentinel.commands import execute
from trivet_sentinel.events import Announce, Effect, LinkOpened, OpenLink, Received, SaveState, Tick, Transmit
from trivet_sentinel.machine import SentinelMachine
from trivet_sentinel.sessions import Client, Server
from trivet_sentinel.state import Address, Group, Link, Sentinel, Settings

MY_ID = "a" * 40
OTHER_ID = "b" * 40
THIRD_ID = "c" * 40
PRIMARY = Address("10.0.0.1", 6379)
REPLICA = Address("10.0.0.2", 6379)
SECOND_REPLICA = Address("10.0.0.3", 6379)


class Bench:
    """One machine that watches one group, `m`, and a clock that only advance() moves."""

    def __init__(self, quorum: int = 2, down_after_ms: int = 1000) -> None:
        self.now_ms = 1_000_000
        self.sentinel = Sentinel(MY_ID, Random(1), now_ms=self.now_ms)
        self.machine = SentinelMachine(self.sentinel)
        self.server = Server(self.machine, "", self.now_ms, 1)
        self.client = self.server.connect("10.9.9.9:1", "10.9.9.1:26379", self.now_ms)
        self.effects: list[Effect] = []
        # Hosts that do not answer, what each node says in INFO, and what each sentinel says about the primary.
        self.dead: set[str] = set()
        self.info: dict[str, dict[str, str]] = {}
        self.verdicts: dict[str, list[Any]] = {}
        # What every node of a cluster says about its shards, and about its epoch.
        self.account: list[Any] = []
        self.cluster_epoch = 1
        self.takeover_reply: Any = b"OK"
        settings = Settings(quorum, down_after_ms=down_after_ms)
        self.group: Group = groups.add_group(self.sentinel, "m", PRIMARY, settings)
        self.sentinel.wake_at(self.now_ms)
        self.advance(1)

    def add_peer(self, run_id: str, host: str) -> None:
        """Let another sentinel watch the group, too."""
        groups.add_peer(self.sentinel, self.group, run_id, Address(host, 26379))

    def add_replicas(self) -> None:
        """Let the group have its two replicas."""
        for address in (REPLICA, SECOND_REPLICA):
            groups.add_replica(self.sentinel, self.group, address)

    def step(self, event: Any) -> list[Effect]:
        """Give an event to the machine now; return and remember its effects."""
        effects = self.machine.step(event, self.now_ms)
        self.effects += effects
        return effects

    def advance(self, duration_ms: int) -> None:
        """Let time pass, with a Tick at every deadline."""
        end = self.now_ms + duration_ms
        while self.machine.next_deadline() <= end:
            self.now_ms = max(self.now_ms, self.machine.next_deadline())
            self.step(Tick())
        self.now_ms = end

    def open_all(self) -> None:
        """Let every connection that the machine wants succeed, except those to the hosts in `dead`."""
        for effect in [effect for effect in self.effects if isinstance(effect, OpenLink)]:
            if effect.host not in self.dead:
                self.effects.remove(effect)
                self.step(LinkOpened(effect.link_id, "10.9.9.1", effect.host))

    def answer(self, link: Link, *replies: Any) -> None:
        """Give replies to the oldest requests of a link."""
        for reply in replies:
            self.step(Received(link.id, reply))

    def answer_everything(self, link: Link) -> None:
        """Answer all requests that wait on a link as its host does; see `info` and `verdicts`."""
        sent = [effect for effect in self.effects if isinstance(effect, Transmit) and effect.link_id == link.id]
        host = link.address.host
        text = "".join(f"{name}:{value}\r\n" for name, value in self.info.get(host, {}).items())
        replies = {"PING": b"PONG", "INFO": text.encode(), "SENTINEL": self.verdicts.get(host, [0, b"*", 0])}
        for effect in sent[len(sent) - len(link.pending) :]:
            name = effect.arguments[0]
            reply = self._cluster_reply(effect.arguments) if name == "CLUSTER" else replies.get(name, b"OK")
            self.answer(link, reply)

    def _cluster_reply(self, arguments: tuple[str, ...]) -> Any:
        epoch = f"cluster_current_epoch:{self.cluster_epoch}\r\n".encode()
        replies = {"SHARDS": self.account, "INFO": epoch, "FAILOVER": self.takeover_reply}
        return replies.get(arguments[1], b"OK")

    def answer_all(self) -> None:
        """Let everybody who is not in `dead` answer what they were asked."""
        for link in list(self.sentinel.links.values()):
            if link.address.host not in self.dead and link.is_open:
                self.answer_everything(link)

    def live(self, duration_ms: int, step_ms: int = 50) -> None:
        """Let time pass while everybody who is not in `dead` lets himself be connected to and answers."""
        for _ in range(duration_ms // step_ms):
            self.advance(step_ms)
            self.open_all()
            self.answer_all()

    def sent(self, link: Link, command: str) -> list[tuple[str, ...]]:
        """Return the requests of one name that were sent on a link."""
        sent = [effect for effect in self.effects if isinstance(effect, Transmit) and effect.link_id == link.id]
        return [effect.arguments for effect in sent if effect.arguments[0] == command]

    def announced(self) -> list[str]:
        """Return the names of all events so far."""
        return [effect.name for effect in self.effects if isinstance(effect, Announce)]

    def count(self, beginning: str) -> int:
        """Return how many events so far begin with `beginning`, such as `+sdown master`."""
        events = [f"{effect.name} {effect.text}" for effect in self.effects if isinstance(effect, Announce)]
        return sum(1 for event in events if event.startswith(beginning))

    def command(self, *arguments: str, client: Client | None = None) -> Any:
        """Run a client's command and return its reply; errors are returned as hiredis.ReplyError."""
        caller = client or self.client
        effects = execute(self.server, caller, [argument.encode() for argument in arguments], self.now_ms)
        self.effects += effects
        reader = hiredis.Reader(encoding="utf-8")
        reader.feed(caller.out.take())
        return reader.gets()

    def saves(self) -> int:
        """Return how many times the machine wanted its state saved."""
        return sum(1 for effect in self.effects if isinstance(effect, SaveState))
