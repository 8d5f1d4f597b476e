"""Pauses: which count, who waits, and what runs afterwards."""

import pytest

from tests.node.conversation import TestEngine
from trivet_node.pauses import BY_COMMAND, BY_FAILOVER, EVERYTHING, FOR_EVER_MS, NOTHING, WRITES, Pauses
from trivet_node.server import pausing

_PAUSE_MS = 500


def test_a_pause_becomes_longer_and_stricter_only() -> None:
    pauses = Pauses()
    pauses.begin(BY_COMMAND, EVERYTHING, 100, 0)
    pauses.begin(BY_COMMAND, WRITES, 300, 0)
    assert (pauses.kind, pauses.until_ms) == (EVERYTHING, 300)
    pauses.begin(BY_COMMAND, EVERYTHING, 200, 0)
    assert (pauses.kind, pauses.until_ms) == (EVERYTHING, 300)
    pauses.pass_time(300)
    assert pauses.kind == EVERYTHING
    pauses.pass_time(301)
    assert (pauses.kind, pauses.until_ms) == (NOTHING, 0)


def test_the_strictest_purpose_counts_until_it_is_over() -> None:
    pauses = Pauses()
    pauses.begin(BY_FAILOVER, WRITES, FOR_EVER_MS, 0)
    pauses.begin(BY_COMMAND, EVERYTHING, 100, 0)
    assert (pauses.kind, pauses.until_ms) == (EVERYTHING, 100)
    pauses.pass_time(101)
    assert (pauses.kind, pauses.until_ms) == (WRITES, FOR_EVER_MS)
    pauses.end(BY_COMMAND, 101)
    assert pauses.kind == WRITES
    pauses.end(BY_FAILOVER, 101)
    assert pauses.kind == NOTHING


def test_a_pause_that_is_over_is_none() -> None:
    pauses = Pauses()
    pauses.begin(BY_COMMAND, EVERYTHING, 99, 100)
    assert pauses.kind == NOTHING


def test_who_waits_goes_on_in_order_when_the_time_is_over() -> None:
    engine = TestEngine()
    clients = [engine.connect() for _ in range(3)]
    clients[0].say(f"CLIENT PAUSE {_PAUSE_MS} WRITE")
    assert engine.server.checks != 0
    for number, client in enumerate(clients):
        assert client.raw(f"APPEND k {number}\r\nGET k") == b""
    assert len(engine.server.blocking) == 3
    engine.tick(_PAUSE_MS)
    assert clients[0].heard() == []
    engine.tick(1)
    assert [client.heard() for client in clients] == [[1, "0"], [2, "01"], [3, "012"]]
    assert engine.server.checks == 0


def test_the_end_of_a_pause_needs_no_tick() -> None:
    engine = TestEngine()
    client = engine.connect()
    client.say(f"CLIENT PAUSE {_PAUSE_MS}")
    engine.server.keyspace.now_ms += _PAUSE_MS + 1
    assert client.say("SET k 1") == "OK"
    assert engine.server.checks == 0


def test_the_request_that_waits_is_propagated_as_it_came() -> None:
    engine = TestEngine()
    client, other = engine.connect(), engine.connect()
    engine.server.propagation.enabled = True
    backlog = engine.server.replication.create_backlog(1 << 20)
    engine.server.replication.no_replicas_since_ms = int(engine.server.keyspace.now_ms)
    first = backlog.next_offset
    other.say("CLIENT PAUSE 100000 WRITE")
    for data in (b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n", b"$1\r\nv\r\nINCR n\r\n"):
        engine.engine.feed(client.client, data)
    assert len(backlog.since(first)) == 0
    other.say("CLIENT UNPAUSE")
    assert client.heard() == ["OK", 1]
    assert backlog.since(first).endswith(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n")


def test_clients_that_wait_cannot_be_unblocked_but_killed() -> None:
    engine = TestEngine()
    client, waiting = engine.connect(), engine.connect()
    client.say("CLIENT PAUSE 100000 WRITE")
    waiting.raw("SET k 1")
    assert client.say(f"CLIENT UNBLOCK {waiting.client.id}") == 0
    assert client.say(f"CLIENT KILL ID {waiting.client.id}") == 1
    assert len(engine.server.blocking) == 0
    client.say("CLIENT UNPAUSE")
    assert client.say("GET k") is None


@pytest.mark.parametrize("kind", ["WRITE", "ALL"])
def test_nothing_is_deleted_while_clients_are_paused(kind: str) -> None:
    engine = TestEngine()
    client = engine.connect()
    client.say("SET k 1 PX 10")
    client.say("CLIENT PAUSE 1000 " + kind)
    engine.tick(11)
    database = engine.server.keyspace.database(0)
    assert database.size == 1
    assert database.find(b"k") is None
    assert database.size == 1
    engine.tick(1000)
    engine.tick(1)
    assert database.size == 0


def test_a_failover_goes_on_pausing_when_clients_are_unpaused() -> None:
    engine = TestEngine()
    client = engine.connect()
    pausing.pause(engine.server, BY_FAILOVER, WRITES, FOR_EVER_MS)
    client.say("CLIENT UNPAUSE")
    assert client.raw("SET k 1") == b""
    pausing.unpause(engine.server, BY_FAILOVER)
    engine.tick(0)
    assert client.heard() == ["OK"]
