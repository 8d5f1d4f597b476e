"""SUBSCRIBE and its family."""

from tests.node.conversation import TestEngine
from trivet_node.client import PENDING, SUBSCRIBED


def test_messages_reach_channels_and_patterns() -> None:
    engine = TestEngine()
    listener, publisher = engine.connect(), engine.connect()
    assert listener.all("SUBSCRIBE news sport news") == [
        ["subscribe", "news", 1],
        ["subscribe", "sport", 2],
        ["subscribe", "news", 2],
    ]
    assert listener.all("PSUBSCRIBE n* *") == [["psubscribe", "n*", 3], ["psubscribe", "*", 4]]
    assert publisher.say("PUBLISH news hello") == 3
    assert listener.client.flags & PENDING
    assert listener.client.reply.take() == (
        b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"
        b"*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$5\r\nhello\r\n"
        b"*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$4\r\nnews\r\n$5\r\nhello\r\n"
    )
    assert publisher.say("PUBLISH weather sun") == 1


def test_resp3_pushes_also_to_the_publisher_itself() -> None:
    client = TestEngine().connect()
    client.raw("HELLO 3")
    assert client.raw("SUBSCRIBE a") == b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    assert client.raw("PUBLISH a x") == b">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n:1\r\n"
    assert client.say("GET k") is None


def test_unsubscribing_ends_the_state_of_a_subscriber() -> None:
    engine = TestEngine()
    client = engine.connect()
    client.raw("SUBSCRIBE b a")
    client.raw("PSUBSCRIBE p*")
    assert client.say("GET k") == (
        "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
        "are allowed in this context"
    )
    assert client.all("UNSUBSCRIBE") == [["unsubscribe", "b", 2], ["unsubscribe", "a", 1]]
    assert client.client.flags & SUBSCRIBED
    assert client.all("UNSUBSCRIBE") == [["unsubscribe", None, 1]]
    assert client.all("PUNSUBSCRIBE x p*") == [["punsubscribe", "x", 1], ["punsubscribe", "p*", 0]]
    assert client.say("GET k") is None
    assert engine.server.pubsub.channels.listeners == engine.server.pubsub.patterns.listeners == {}


def test_pubsub_tells_who_listens() -> None:
    engine = TestEngine()
    one, other, asking = engine.connect(), engine.connect(), engine.connect()
    one.raw("SUBSCRIBE a ab")
    other.raw("SUBSCRIBE a")
    other.raw("PSUBSCRIBE x*")
    assert asking.say("PUBSUB CHANNELS") == ["a", "ab"]
    assert asking.say("PUBSUB CHANNELS ?b") == ["ab"]
    assert asking.say("PUBSUB NUMSUB a ab none") == ["a", 2, "ab", 1, "none", 0]
    assert asking.say("PUBSUB NUMPAT") == 1
    assert asking.say("PUBSUB SHARDCHANNELS") == []
    assert asking.say("PUBSUB SHARDNUMSUB a") == ["a", 0]
    engine.server.remove_client(other.client)
    assert asking.say("PUBSUB NUMSUB a") == ["a", 1]
    assert asking.say("PUBSUB CHANNELS a b") == (
        "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP."
    )


def test_publishing_reaches_the_listeners_of_replicas() -> None:
    engine = TestEngine()
    engine.server.propagation.enabled = True
    start = engine.server.replication.create_backlog(10_000).first_offset()
    engine.connect().say("PUBLISH a hello")
    backlog = engine.server.replication.backlog
    assert backlog is not None
    assert backlog.since(start).endswith(b"*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$5\r\nhello\r\n")
