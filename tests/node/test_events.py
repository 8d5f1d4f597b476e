"""Keyspace notifications: which classes are published to which channels, and what happens below the commands."""

from typing import Any

from tests.node.engines import Node
from trivet_node.client import Client


def listening(node: Node, classes: str) -> Client:
    assert node.ask("CONFIG", "SET", "notify-keyspace-events", classes) == b"OK"
    client = node.client()
    node.ask("PSUBSCRIBE", "__key*", client=client)
    return client


def heard(node: Node, client: Client) -> list[Any]:
    return [(channel, message) for _, _, channel, message in node.replies(client.reply.take())]


def test_both_channels_in_order() -> None:
    node = Node()
    client = listening(node, "KEA")
    node.ask("SET", "a", "1", "EX", "100")
    assert heard(node, client) == [
        (b"__keyspace@0__:a", b"set"),
        (b"__keyevent@0__:set", b"a"),
        (b"__keyspace@0__:a", b"expire"),
        (b"__keyevent@0__:expire", b"a"),
    ]


def test_classes_that_are_off_are_not_heard() -> None:
    node = Node()
    client = listening(node, "Eg")
    node.ask("SET", "a", "1")
    node.ask("DEL", "a")
    assert heard(node, client) == [(b"__keyevent@0__:del", b"a")]
    node.ask("CONFIG", "SET", "notify-keyspace-events", "g")
    node.ask("SET", "a", "1")
    node.ask("DEL", "a")
    assert heard(node, client) == []


def test_keys_that_are_missed_created_and_expired() -> None:
    node = Node()
    client = listening(node, "Exmn")
    node.ask("GET", "a")
    node.ask("SET", "a", "1", "PX", "10")
    node.ask("SET", "a", "1", "PX", "10")
    node.wait(11)
    node.ask("EXISTS", "a")
    assert heard(node, client) == [
        (b"__keyevent@0__:keymiss", b"a"),
        (b"__keyevent@0__:new", b"a"),
        (b"__keyevent@0__:expired", b"a"),
        (b"__keyevent@0__:keymiss", b"a"),
    ]


def test_the_setting_is_shown_in_its_own_order() -> None:
    node = Node()
    for given, shown in (("KEA", "AKE"), ("KEAmnd", "AKEm"), ("gKx", "gxK"), ("nKEmd", "dnKEm"), ("", "")):
        assert node.ask("CONFIG", "SET", "notify-keyspace-events", given) == b"OK"
        assert node.ask("CONFIG", "GET", "notify-keyspace-events")[1] == shown.encode()
    assert "Invalid event class character" in node.ask("CONFIG", "SET", "notify-keyspace-events", "KEq")
