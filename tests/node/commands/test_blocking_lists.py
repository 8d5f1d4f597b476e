"""Clients that wait for elements: how a wait ends other than by a push, which the scenarios hold against a server."""

from typing import Any

import pytest

from tests.node.engines import Node
from trivet_node.client import Client
from trivet_wire.connection import encode_request


def send(node: Node, client: Client, *requests: str) -> list[Any]:
    """Send requests at once and return the replies that come at once."""
    return node.replies(node.send(client, b"".join(encode_request(request.split()) for request in requests)))


def replies(node: Node, client: Client) -> list[Any]:
    return node.replies(client.reply.take())


def tick(node: Node, elapsed_ms: int) -> None:
    node.engine.tick(int(node.keyspace.now_ms) + elapsed_ms)


@pytest.mark.parametrize(
    "request_", ["BLPOP k 0.25", "BRPOP a k .25", "BLMPOP 0.2499 1 k LEFT", "BLMOVE k l LEFT LEFT 25e-2"]
)
def test_a_wait_ends_after_fractions_of_a_second(request_: str) -> None:
    node = Node()
    client = node.client()
    assert send(node, client, request_) == []
    tick(node, 249)
    assert client.reply.take() == b""
    tick(node, 1)
    assert client.reply.take() == b"*-1\r\n"
    node.asks("RPUSH k a")
    assert client.reply.take() == b""
    assert node.asks("LLEN k") == 1


def test_zero_waits_for_ever() -> None:
    node = Node()
    client = node.client()
    send(node, client, "BLPOP k 0")
    tick(node, 10**10)
    assert client.reply.take() == b""
    node.asks("RPUSH k a")
    assert replies(node, client) == [[b"k", b"a"]]


def test_client_unblock_ends_a_wait_as_time_does_or_with_an_error() -> None:
    node = Node()
    client = node.client()
    for how, reply in (("", [None]), ("TIMEOUT", [None]), ("ERROR", ["UNBLOCKED client unblocked via CLIENT UNBLOCK"])):
        send(node, client, "BLMOVE k l LEFT RIGHT 0")
        assert node.asks(f"CLIENT UNBLOCK {client.id} {how}") == 1
        assert replies(node, client) == reply
        assert node.asks(f"CLIENT UNBLOCK {client.id} {how}") == 0
    assert node.asks("RPUSH k a") == 1
    assert node.asks("LLEN k") == 1


def test_what_was_sent_behind_a_waiting_command_runs_when_it_is_served() -> None:
    node = Node()
    client = node.client()
    assert send(node, client, "PING", "BLPOP k 0", "LLEN k", "BLPOP k 0", "PING") == [b"PONG"]
    node.asks("RPUSH k a b")
    assert replies(node, client) == [[b"k", b"a"], 1, [b"k", b"b"], b"PONG"]


def test_a_client_that_is_gone_takes_nothing() -> None:
    node = Node()
    gone, waiting = node.client(), node.client()
    send(node, gone, "BLPOP k 0")
    send(node, waiting, "BLPOP k 0")
    node.server.remove_client(gone)
    node.asks("RPUSH k a")
    assert replies(node, waiting) == [[b"k", b"a"]]
    assert len(node.server.blocking) == 0
    assert not node.database.awaited


def test_who_is_served_is_propagated_behind_what_served_him() -> None:
    node = Node()
    node.keep_stream()
    first, second = node.client(), node.client()
    send(node, first, "BRPOPLPUSH k l 0")
    send(node, second, "BLMPOP 0 1 l LEFT COUNT 7")
    node.asks("RPUSH k a")
    assert node.stream()[1:] == [[b"RPUSH", b"k", b"a"], [b"RPOPLPUSH", b"k", b"l"], [b"LPOP", b"l", b"1"]]


def test_a_list_that_expires_by_itself_leaves_its_next_waiter_waiting() -> None:
    node = Node()
    client = node.client()
    node.asks("SET k x PX 100")
    assert send(node, client, "BLPOP k 0")[0].startswith("WRONGTYPE")
    node.wait(101)
    send(node, client, "BLPOP k 0")
    assert client.reply.take() == b""
    node.asks("RPUSH k a")
    assert replies(node, client) == [[b"k", b"a"]]
