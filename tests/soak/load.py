"""The clients of the soak: workers that run operations, listeners, and a crowd that comes and goes in the middle of
what it says. Every one of them has its own chance, drawn from the one seed, and its own thread.
"""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import redis

from tests.processes import HOST, ServerProcess
from tests.soak.workload import KINDS
from trivet_wire.connection import encode_request

WORKERS: Final = 4
_TIMEOUT_S: Final = 30.0
# How long a crowd stays: some go before the node has seen them.
_PAUSES_S: Final = (0.0, 0.05, 0.2, 0.5)
# What somebody says who goes away before it is answered, or before it is said.
_LAST_WORDS: Final[tuple[bytes, ...]] = (
    b"",
    b"*3\r\n$3\r\nSET\r\n$5\r\nstrin",
    b"*2\r\n$4\r\nECHO\r\n$100000\r\n" + b"x" * 5000,
    b"*2\r\n$-5\r\n",
    b"PING\r\nNONSENSE\r\nGET\r\n",
    encode_request(["MULTI"]) + encode_request(["SET", "string:1", "x"]),
    encode_request(["WATCH", "string:1", "list:2"]) + encode_request(["MULTI"]),
    encode_request(["BLPOP", "never", "queue:1", "0"]),
    encode_request(["BZPOPMIN", "never", "0"]) + encode_request(["SET", "string:2", "x"]),
    encode_request(["XREAD", "BLOCK", "0", "STREAMS", "never", "$"]),
    encode_request(["SUBSCRIBE", "news:1", "news:2"]) + encode_request(["PSUBSCRIBE", "new*"]),
    encode_request(["HELLO", "3"]) + encode_request(["CLIENT", "TRACKING", "ON"]) + encode_request(["GET", "string:3"]),
    encode_request(["LRANGE", "list:1", "0", "-1"]) * 50 + encode_request(["HGETALL", "hash:1"]) * 50,
    encode_request(["CLIENT", "REPLY", "OFF"]) + encode_request(["KEYS", "*"]),
    encode_request(["MONITOR"]),
    encode_request(["QUIT"]) + encode_request(["PING"]),
)


Job = Callable[[random.Random], None]


class Load:
    """All clients; they run between start() and stop()."""

    def __init__(self, server: ServerProcess, seed: int) -> None:
        self.server = server
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self._seed = seed
        self._rounds = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Let all clients begin."""
        self._stop.clear()
        self._rounds += 1
        names = [f"worker {number}" for number in range(WORKERS)]
        jobs = [(name, self._work) for name in names] + [("listener", self._listen), ("crowd", self._come_and_go)]
        for name, job in jobs:
            chance = random.Random(f"{self._seed} {self._rounds} {name}")
            thread = threading.Thread(target=self._run, args=(name, job, chance), name=name)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Let all clients go, and wait until they are gone."""
        self._stop.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)
            assert not thread.is_alive(), f"the {thread.name} hangs"
        self._threads.clear()

    def _run(self, name: str, job: Job, chance: random.Random) -> None:
        try:
            job(chance)
        except Exception as error:
            self.failures.append(f"{name}: {type(error).__name__}: {error}")

    def _count(self, what: str, times: int = 1) -> None:
        with self._lock:
            self.counts[what] += times

    def _connect(self, protocol: int) -> redis.Redis:
        return redis.Redis(
            HOST, self.server.port, protocol=protocol, socket_timeout=_TIMEOUT_S, single_connection_client=True
        )

    def _work(self, chance: random.Random) -> None:
        weights = [kind.weight for kind in KINDS]
        while not self._stop.is_set():
            with self._connect(chance.choice((2, 3))) as connection:
                for kind in chance.choices(KINDS, weights, k=200):
                    if self._stop.is_set():
                        break
                    kind.run(connection, chance)
                    self._count(kind.name)

    def _listen(self, chance: random.Random) -> None:
        while not self._stop.is_set():
            with self._connect(2) as connection, connection.pubsub() as listener:
                listener.subscribe(*[f"news:{chance.randrange(5)}" for _ in range(3)])
                listener.psubscribe("news:*", "__key*__:*")
                end = time.monotonic() + 0.5
                while time.monotonic() < end and not self._stop.is_set():
                    if listener.get_message(timeout=0.05):
                        self._count("messages heard")
                listener.unsubscribe("news:1")

    def _come_and_go(self, chance: random.Random) -> None:
        while not self._stop.is_set():
            crowd = [socket.create_connection(self.server.address, _TIMEOUT_S) for _ in range(chance.randint(1, 10))]
            for connection in crowd:
                connection.sendall(chance.choice(_LAST_WORDS))
            self._stop.wait(chance.choice(_PAUSES_S))
            for connection in crowd:
                connection.close()
            self._count("visitors who left", len(crowd))
