"""MIGRATE with a world outside that answers as it is told: what is sent, deleted, propagated and replied."""

import random

import pytest

from tests.node.engines import START_MS, Node, QuietHost
from trivet_node.commands.keys.migration import find_migrated_keys
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import ANSWERED, NOT_CONNECTED, NOT_READ, NOT_WRITTEN, Exchange
from trivet_node.server.state import Server


class World(QuietHost):
    """Remembers what is sent to other instances; `result` is what comes of it."""

    def __init__(self) -> None:
        self.sent: list[list[list[bytes]]] = []
        self.addresses: list[tuple[str, int, int]] = []
        self.result = Exchange(ANSWERED, [])

    def exchange(self, host: str, port: int, requests: bytes, answers: int, timeout_ms: int) -> Exchange:
        commands = Node.replies(requests)
        assert len(commands) == answers
        self.sent.append(commands)
        self.addresses.append((host, port, timeout_ms))
        return self.result


class MigratingNode(Node):
    """A node with some keys and such a world."""

    def __init__(self, config: Config | None = None) -> None:
        super().__init__()
        self.world = World()
        self.server = Server(config or Config(), self.world, random.Random(1), "a" * 40, START_MS)
        self.engine = Engine(self.server)
        self.keyspace = self.server.keyspace
        self.database = self.keyspace.database(0)
        self.first = self.client()
        for key in ("a", "b", "c"):
            self.ask("SET", key, key * 3)
        self.keep_stream()

    def migrate(self, answers: list[bytes], *arguments: str | int, outcome: int = ANSWERED) -> object:
        self.world.result = Exchange(outcome, answers)
        return self.ask("MIGRATE", "there", 7000, *arguments)

    def keys(self) -> list[bytes]:
        return sorted(self.ask("KEYS", "*"))


@pytest.fixture
def node() -> MigratingNode:
    return MigratingNode()


def test_a_key_moves(node: MigratingNode) -> None:
    payload = node.ask("DUMP", "a")
    assert node.migrate([b"+OK", b"+OK"], "a", 3, 500) == b"OK"
    assert node.world.sent == [[[b"SELECT", b"3"], [b"RESTORE", b"a", b"0", payload]]]
    assert node.world.addresses == [("there", 7000, 500)]
    assert node.keys() == [b"b", b"c"]
    assert node.stream() == [[b"SELECT", b"0"], [b"DEL", b"a"]]


def test_options(node: MigratingNode) -> None:
    node.ask("PEXPIRE", "b", 5000)
    node.stream()
    answers = [b"+OK"] * 4
    arguments = ("", 0, 0, "COPY", "REPLACE", "AUTH2", "user", "secret", "KEYS", "b", "missing", "c")
    assert node.migrate(answers, *arguments) == b"OK"
    sent = node.world.sent[0]
    assert [command[0] for command in sent] == [b"AUTH", b"SELECT", b"RESTORE", b"RESTORE"]
    assert sent[0] == [b"AUTH", b"user", b"secret"]
    assert (sent[2][1:3], sent[2][4:]) == ([b"b", b"5000"], [b"REPLACE"])
    assert node.world.addresses[0][2] == 1000
    assert node.keys() == [b"a", b"b", b"c"]
    assert node.stream() == []


def test_only_acknowledged_keys_are_deleted(node: MigratingNode) -> None:
    answers = [b"+OK", b"+OK", b"-BUSYKEY Target key name already exists.", b"+OK"]
    error = "ERR Target instance replied with error: BUSYKEY Target key name already exists."
    assert node.migrate(answers, "", 0, 100, "KEYS", "a", "b", "c") == error
    assert node.keys() == [b"b"]
    assert node.stream() == [[b"SELECT", b"0"], [b"DEL", b"a", b"c"]]


def test_a_connection_that_breaks_in_between(node: MigratingNode) -> None:
    error = "IOERR error or timeout reading to target instance"
    assert node.migrate([b"+OK", b"+OK"], "", 0, 100, "KEYS", "a", "b", outcome=NOT_READ) == error
    assert node.keys() == [b"b", b"c"]
    assert node.stream() == [[b"SELECT", b"0"], [b"DEL", b"a"]]


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (NOT_CONNECTED, "IOERR error or timeout connecting to the client"),
        (NOT_WRITTEN, "IOERR error or timeout writing to target instance"),
        (NOT_READ, "IOERR error or timeout reading to target instance"),
    ],
)
def test_nothing_is_deleted_where_nobody_answers(node: MigratingNode, outcome: int, error: str) -> None:
    assert node.migrate([], "a", 0, 100, outcome=outcome) == error
    assert node.keys() == [b"a", b"b", b"c"]
    assert node.stream() == []


def test_what_stands_before_the_keys_may_be_refused(node: MigratingNode) -> None:
    answers = [b"-ERR DB index is out of range", b"+OK"]
    error = "ERR Target instance replied with error: ERR DB index is out of range"
    assert node.migrate(answers, "a", 99, 100) == error
    assert node.keys() == [b"a", b"b", b"c"]


def test_refusals_before_anything_is_sent(node: MigratingNode) -> None:
    not_empty = "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
    for arguments, reply in (
        (("missing", 0, 100), b"NOKEY"),
        (("", 0, 100, "KEYS"), b"NOKEY"),
        (("a", "x", 100), "ERR value is not an integer or out of range"),
        (("a", 0, "x"), "ERR value is not an integer or out of range"),
        (("a", 0, 100, "OTHER"), "ERR syntax error"),
        (("a", 0, 100, "AUTH"), "ERR syntax error"),
        (("a", 0, 100, "AUTH2", "user"), "ERR syntax error"),
        (("a", "x", "y", "KEYS", "b"), not_empty),
    ):
        assert node.migrate([], *arguments) == reply
    assert node.world.sent == []


def test_a_cluster_asks_for_room() -> None:
    node = MigratingNode(Config(cluster_enabled=True))
    node.migrate([b"+OK", b"+OK"], "a", 0, 100)
    assert node.world.sent[0][1][0] == b"RESTORE-ASKING"


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("k", ["k"]),
        ("'' KEYS a b", ["a", "b"]),
        ("k KEYS a", []),
        ("'' KEYS", [""]),
        ("'' AUTH keys KEYS a", ["a"]),
        ("'' AUTH2 keys keys KEYS a", ["a"]),
        ("'' copy bogus replace keys a keys b", ["a", "keys", "b"]),
        ("'' AUTH2 KEYS a", [""]),
        ("k AUTH KEYS", ["k"]),
    ],
)
def test_where_the_keys_are(words: str, keys: list[str]) -> None:
    key, *options = words.replace("''", "\0").split()
    arguments = ["migrate", "host", "1", key.strip("\0"), "0", "10", *options]
    assert find_migrated_keys([word.encode() for word in arguments]) == [key.encode() for key in keys]
