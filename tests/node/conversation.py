"""An engine with a host that remembers what it is asked, and clients whose conversation takes one line to write."""

import random

from tests.differential.replies import Reply, ReplyReader
from trivet_node.client import Client
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import Host
from trivet_node.server.state import Server
from trivet_node.timing.clock import Clock

NOW_MS = 1_700_000_000_000


class FakeHost(Host):
    """Does nothing and remembers everything. `refusals` are what settings_changed() returns, one a call."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.asked: list[str] = []
        # What the supervisor was told.
        self.told: list[str] = []
        self.changed: list[list[str]] = []
        self.refusals: list[str] = []
        self.saves = True
        # What process_facts() returns.
        self.facts = {
            "process_id": 77,
            "used_memory": 3 << 20,
            "used_memory_rss": 6 << 20,
            "used_cpu_sys_us": 1_500_000,
        }

    def save(self) -> bool:
        self.asked.append("save")
        return self.saves

    def start_background_save(self) -> bool:
        self.asked.append("bgsave")
        return self.saves

    def stop_background_save(self) -> None:
        self.asked.append("stop bgsave")

    def request_shutdown(self) -> None:
        self.asked.append("shutdown")

    def tell_supervisor(self, text: str) -> None:
        self.told.append(text)

    def rewrite_config(self) -> str:
        self.asked.append("rewrite")
        return ""

    def sleep(self, seconds: float) -> None:
        self.asked.append(f"sleep {seconds}")

    def process_facts(self) -> dict[str, int]:
        return self.facts

    def allocator_report(self) -> str:
        return "blocks: 5\n"

    def release_memory(self) -> None:
        self.asked.append("release_memory")

    def settings_changed(self, attributes: list[str]) -> str:
        self.changed.append(sorted(attributes))
        return self.refusals.pop(0) if self.refusals else ""

    def log(self, level: str, message: str) -> None:
        self.lines.append(f"{level}: {message}")

    def log_exception(self, message: str) -> None:
        raise AssertionError(message)


class TestEngine:
    """An engine with a fake host; the clock stands at NOW_MS until tick() moves it."""

    __test__ = False

    def __init__(self, config: Config | None = None, clock: Clock | None = None) -> None:
        self.host = FakeHost()
        clock = clock or Clock(NOW_MS * 1000 + 123_456)
        self.server = Server(config or Config(), self.host, random.Random(1), "a" * 40, NOW_MS, clock=clock)
        self.engine = Engine(self.server)

    def connect(self, address: str = "127.0.0.1:1000") -> "Connection":
        return Connection(self, self.server.add_client(address, "127.0.0.1:6379"))

    def tick(self, elapsed_ms: int) -> None:
        self.engine.tick(int(self.server.keyspace.now_ms) + elapsed_ms)


class Connection:
    """One client of a TestEngine."""

    def __init__(self, engine: TestEngine, client: Client) -> None:
        self.engine = engine
        self.client = client
        self._reader = ReplyReader()

    def raw(self, line: str | bytes) -> bytes:
        """Send an inline command and return the bytes it was answered with."""
        data = line.encode() if isinstance(line, str) else line
        self.engine.engine.feed(self.client, data + b"\r\n")
        return self.client.reply.take()

    def say(self, line: str | bytes) -> object:
        """Send an inline command and return its only reply as plain Python values; see plain()."""
        replies = self.all(line)
        assert len(replies) == 1, replies
        return replies[0]

    def all(self, line: str | bytes) -> list[object]:
        """Send an inline command and return all that came."""
        return self._plain(self.raw(line))

    def heard(self) -> list[object]:
        """Return what came without being asked for."""
        return self._plain(self.client.reply.take())

    def _plain(self, data: bytes) -> list[object]:
        self._reader.feed(data)
        return [plain(reply) for reply in self._reader.replies()]


def plain(reply: Reply) -> object:
    """Return text for strings (errors with their `-`), numbers, lists, and None."""
    if isinstance(reply.value, list):
        return [plain(item) for item in reply.value]
    if reply.value is None or reply.kind == b"_":
        return None
    if reply.kind == b":":
        return int(reply.value)
    text = reply.value.decode()
    return "-" + text if reply.kind == b"-" else text
