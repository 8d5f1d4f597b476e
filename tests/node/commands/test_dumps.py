"""DUMP and RESTORE as commands: options, refusals, events, and what replicas receive."""

import pytest

from tests.node.engines import START_MS, Node
from trivet_node.config import Config
from trivet_node.persistence.crc64 import crc64
from trivet_node.server.events import follow_setting

VALUE = b"a value of some length, " * 4


@pytest.fixture
def node() -> Node:
    made = Node()
    made.ask("SET", "source", VALUE)
    return made


@pytest.fixture
def payload(node: Node) -> bytes:
    dumped: bytes = node.ask("DUMP", "source")
    return dumped


def test_dump(node: Node, payload: bytes) -> None:
    assert node.ask("DUMP", "missing") is None
    assert len(payload) < len(VALUE)
    node.server.config.rdbcompression = False
    assert VALUE in node.ask("DUMP", "source")


def test_restore(node: Node, payload: bytes) -> None:
    assert node.ask("RESTORE", "k", 0, payload) == b"OK"
    assert node.ask("GET", "k") == VALUE
    assert node.ask("PTTL", "k") == -1
    assert node.ask("RESTORE", "k", 0, payload) == "BUSYKEY Target key name already exists."
    assert node.ask("RESTORE", "k", 5000, payload, "replace") == b"OK"
    assert node.ask("PTTL", "k") == 5000
    assert node.ask("RESTORE-ASKING", "k", START_MS + 7000, payload, "REPLACE", "ABSTTL") == b"OK"
    assert node.ask("PTTL", "k") == 7000


def test_the_order_of_refusals(node: Node, payload: bytes) -> None:
    broken = payload[:-1] + b"\0"
    nonsense = node.ask("DUMP", "source")[:1]
    assert node.ask("RESTORE", "source", "x", broken, "REPLACE", "IDLETIME") == "ERR syntax error"
    assert node.ask("RESTORE", "source", "x", broken) == "BUSYKEY Target key name already exists."
    assert node.ask("RESTORE", "k", "x", broken) == "ERR value is not an integer or out of range"
    assert node.ask("RESTORE", "k", -1, broken) == "ERR Invalid TTL value, must be >= 0"
    assert node.ask("RESTORE", "k", 1, broken) == "ERR DUMP payload version or checksum are wrong"
    assert node.ask("RESTORE", "k", 1, nonsense) == "ERR DUMP payload version or checksum are wrong"
    for body in (b"", b"\xff", b"\x00\x05x", b"\x02\x00"):
        data = body + b"\x0a\x00"
        wrong = data + crc64(data).to_bytes(8, "little")
        assert node.ask("RESTORE", "k", 0, wrong) == "ERR Bad data format"
    for options, error in (
        (["IDLETIME", -1], "ERR Invalid IDLETIME value, must be >= 0"),
        (["IDLETIME", "x"], "ERR value is not an integer or out of range"),
        (["FREQ", 256], "ERR Invalid FREQ value, must be >= 0 and <= 255"),
        (["FREQ", 1, "IDLETIME", 1], "ERR syntax error"),
        (["IDLETIME", 1, "FREQ", 1], "ERR syntax error"),
        (["OTHER"], "ERR syntax error"),
    ):
        assert node.ask("RESTORE", "k", 0, payload, *options) == error


def test_what_has_expired_already_is_not_restored(node: Node, payload: bytes) -> None:
    node.keep_stream()
    assert node.ask("RESTORE", "k", 1, payload, "ABSTTL") == b"OK"
    assert node.ask("EXISTS", "k") == 0
    assert node.stream() == []
    node.ask("SET", "k", "v")
    node.stream()
    # A time to live that no clock reaches wraps around in Redis.
    assert node.ask("RESTORE", "k", 2**63 - 1, payload, "REPLACE") == b"OK"
    assert node.ask("EXISTS", "k") == 0
    assert node.stream() == [[b"DEL", b"k"]]


def test_a_time_to_live_is_propagated_as_a_deadline(node: Node, payload: bytes) -> None:
    node.keep_stream()
    node.ask("RESTORE", "k", 0, payload)
    node.ask("RESTORE", "k", 5000, payload, "REPLACE", "IDLETIME", 3)
    node.ask("RESTORE", "k", START_MS + 5000, payload, "REPLACE", "ABSTTL")
    deadline = b"%d" % (START_MS + 5000)
    assert node.stream() == [
        [b"SELECT", b"0"],
        [b"RESTORE", b"k", b"0", payload],
        [b"RESTORE", b"k", deadline, payload, b"REPLACE", b"IDLETIME", b"3", b"ABSTTL"],
        [b"RESTORE", b"k", deadline, payload, b"REPLACE", b"ABSTTL"],
    ]


def test_when_and_how_often_a_key_was_used_is_kept(payload: bytes) -> None:
    node = Node()
    assert node.ask("RESTORE", "k", 0, payload, "IDLETIME", 1000) == b"OK"
    assert node.ask("OBJECT", "IDLETIME", "k") == 1000
    counting = Node(Config(maxmemory_policy="allkeys-lfu"))
    assert counting.ask("RESTORE", "k", 0, payload, "FREQ", 77) == b"OK"
    assert counting.ask("OBJECT", "FREQ", "k") == 77


def test_events(node: Node, payload: bytes) -> None:
    node.server.config.notify_keyspace_events = "KEAn"
    follow_setting(node.server)
    listener = node.client()
    node.asks("PSUBSCRIBE __keyevent@0__:*", client=listener)
    node.ask("RESTORE", "k", 0, payload)
    node.ask("RESTORE", "k", 1, payload, "REPLACE", "ABSTTL")
    pushes = node.replies(listener.reply.take())
    assert [push[2].partition(b":")[2] for push in pushes] == [b"new", b"restore", b"del"]
