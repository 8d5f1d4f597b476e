"""Channels of shards: which node serves them, who hears what, and what becomes of subscribers when slots move."""

import pytest

from tests.node.cluster.formed import Formed
from tests.node.cluster.test_commands import OTHER, REPLICA_ID, ClusterNodeUnderTest
from trivet_node.client import SUBSCRIBED, Client
from trivet_node.cluster.effects import Received, Send
from trivet_node.cluster.nodes import REPLICA
from trivet_node.cluster.slots import ALL_SLOTS, range_of_slots
from trivet_node.server import cluster_member
from trivet_wire.connection import encode_request

# The slot of `a` is 15495, of `b` 3300.
_MINE = range_of_slots(8192, 16383)
_OTHERS = range_of_slots(0, 8191)


@pytest.fixture
def half() -> ClusterNodeUnderTest:
    """A healthy node that owns the slots from 8192 on, `a` among them; the other primary owns the rest."""
    node = ClusterNodeUnderTest()
    node.serve(_MINE, _OTHERS)
    return node


def subscriber(node: ClusterNodeUnderTest, *channels: str) -> Client:
    client = node.client()
    answers = node.replies(node.send(client, encode_request(["SSUBSCRIBE", *channels])))
    assert [answer[0] for answer in answers] == [b"ssubscribe"] * len(channels)
    return client


def heard(node: ClusterNodeUnderTest, client: Client) -> list[list[bytes | int]]:
    found: list[list[bytes | int]] = node.replies(client.reply.take())
    return found


def become_replica(node: ClusterNodeUnderTest) -> None:
    """Let the node follow the other primary, which owns every slot then."""
    node.state.table.assign(ALL_SLOTS, node.other)
    node.state.make_replica(node.state.myself, OTHER)
    cluster_member.commit(node.server)


def test_channels_of_slots_of_others_are_moved(half: ClusterNodeUnderTest) -> None:
    for request in ("SSUBSCRIBE b", "SSUBSCRIBE b {b}c", "SPUBLISH b x", "SUNSUBSCRIBE b"):
        assert half.asks(request) == "MOVED 3300 10.0.0.2:7002"
    assert half.asks("SSUBSCRIBE a b") == "CROSSSLOT Keys in request don't hash to the same slot"
    assert half.asks("SUNSUBSCRIBE") == [b"sunsubscribe", None, 0]
    assert half.asks("SSUBSCRIBE a") == [b"ssubscribe", b"a", 1]
    assert half.asks("SPUBLISH a x", client=half.client()) == 1
    assert heard(half, half.first) == [[b"smessage", b"a", b"x"]]


def test_ordinary_channels_belong_to_no_slot(half: ClusterNodeUnderTest) -> None:
    assert half.asks("PUBLISH b x") == 0
    assert half.asks("SUBSCRIBE b") == [b"subscribe", b"b", 1]
    assert half.asks("PUBLISH b x", client=half.client()) == 1


def test_a_channel_of_a_slot_that_nobody_owns(half: ClusterNodeUnderTest) -> None:
    half.state.table.release(range_of_slots(15495, 15495))
    cluster_member.commit(half.server)
    for request in ("SSUBSCRIBE a", "SPUBLISH a x"):
        assert half.asks(request) == "CLUSTERDOWN Hash slot not served"


def test_channels_are_served_while_the_cluster_is_down_unless_that_is_forbidden(half: ClusterNodeUnderTest) -> None:
    half.state.table.release(range_of_slots(0, 0))
    cluster_member.commit(half.server)
    assert half.asks("GET a") == "CLUSTERDOWN The cluster is down"
    assert half.asks("SPUBLISH a x") == 0
    listener = subscriber(half, "a")
    assert half.asks("CONFIG SET cluster-allow-pubsubshard-when-down no") == b"OK"
    for request in ("SPUBLISH a x", "SSUBSCRIBE a", "SUNSUBSCRIBE a"):
        assert half.asks(request, client=half.client()) == "CLUSTERDOWN The cluster is down"
    assert half.asks("PUBLISH a x") == 0
    assert heard(half, listener) == []
    assert half.asks("CONFIG SET cluster-allow-pubsubshard-when-down yes") == b"OK"
    assert half.asks("SPUBLISH a x") == 1


def test_replicas_serve_the_channels_of_their_primary(half: ClusterNodeUnderTest) -> None:
    become_replica(half)
    listener = subscriber(half, "b")
    assert half.asks("GET b") == "MOVED 3300 10.0.0.2:7002"
    assert half.asks("SPUBLISH b x") == 1
    assert heard(half, listener) == [[b"smessage", b"b", b"x"]]


def test_publishing_in_a_transaction_is_on_the_slot_of_the_channel(half: ClusterNodeUnderTest) -> None:
    half.asks("MULTI")
    assert half.asks("SPUBLISH b x") == "MOVED 3300 10.0.0.2:7002"
    assert half.asks("EXEC") == "EXECABORT Transaction discarded because of previous errors."
    half.asks("MULTI")
    assert half.asks("SPUBLISH a x") == b"QUEUED"
    half.serve(range_of_slots(8192, 8192), range_of_slots(8193, 16383))
    assert half.asks("EXEC") == "MOVED 15495 10.0.0.2:7002"
    half.asks("MULTI")
    assert half.asks("PUBLISH a x") == b"QUEUED"
    assert half.asks("EXEC") == [0]


def test_subscribers_of_a_slot_that_moves_away_are_told_so(half: ClusterNodeUnderTest) -> None:
    listener, both = subscriber(half, "a", "{a}b"), subscriber(half, "a")
    half.send(both, encode_request(["SUBSCRIBE", "a"]))
    half.send(both, encode_request(["SSUBSCRIBE", "{e}stays"]))
    half.serve(range_of_slots(8192, 15494) | range_of_slots(15496, 16383), _OTHERS | range_of_slots(15495, 15495))
    assert heard(half, listener) == [[b"sunsubscribe", b"a", 1], [b"sunsubscribe", b"{a}b", 0]]
    assert listener.flags & SUBSCRIBED == 0
    assert heard(half, both) == [[b"sunsubscribe", b"a", 1]]
    assert both.flags & SUBSCRIBED != 0
    assert half.asks("PUBSUB SHARDCHANNELS") == [b"{e}stays"]
    assert half.asks("PUBSUB NUMSUB a") == [b"a", 1]


@pytest.mark.parametrize("way", ["CLUSTER DELSLOTS 15495", "CLUSTER FLUSHSLOTS", "CLUSTER RESET"])
def test_subscribers_of_a_slot_that_is_given_up_are_told_so(half: ClusterNodeUnderTest, way: str) -> None:
    listener = subscriber(half, "a")
    assert half.asks(way) == b"OK"
    assert heard(half, listener) == [[b"sunsubscribe", b"a", 0]]


def test_subscribers_stay_where_their_node_becomes_a_replica_of_the_new_owner(half: ClusterNodeUnderTest) -> None:
    listener = subscriber(half, "a")
    become_replica(half)
    assert heard(half, listener) == []
    assert half.asks("SPUBLISH a x") == 1
    assert heard(half, listener) == [[b"smessage", b"a", b"x"]]


def test_a_replica_that_changes_its_primary_tells_subscribers_of_the_old_one(half: ClusterNodeUnderTest) -> None:
    third = half.know("d" * 40, half.other.flags, 7004)
    half.state.table.assign(_MINE, third)
    half.state.make_replica(half.state.myself, OTHER)
    cluster_member.commit(half.server)
    listener = subscriber(half, "b")
    half.state.make_replica(half.state.myself, third.id)
    cluster_member.commit(half.server)
    assert heard(half, listener) == [[b"sunsubscribe", b"b", 0]]


def test_messages_of_a_shard_go_to_the_nodes_of_the_shard_only(half: ClusterNodeUnderTest) -> None:
    replica = half.know(REPLICA_ID, REPLICA, 7003)
    replica.primary_id = half.state.myself.id
    replica.link, half.other.link = 5, 6
    half.host.effects.clear()
    half.asks("SPUBLISH a hello")
    half.asks("PUBLISH a hello")
    sent = [(effect.link, effect.data.split(b"\r\n")[2]) for effect in half.host.effects if isinstance(effect, Send)]
    assert sent == [(5, b"PUBLISHSHARD"), (6, b"PUBLISH"), (5, b"PUBLISH")]
    assert half.asks("CLUSTER INFO").decode().count("cluster_stats_messages_publishshard_sent:1\r\n") == 1


def test_a_message_of_the_bus_reaches_the_subscribers_of_the_shard(half: ClusterNodeUnderTest) -> None:
    listener = subscriber(half, "a")
    ordinary = half.client()
    half.send(ordinary, encode_request(["SUBSCRIBE", "a"]))
    header = f"id={OTHER} flags=master port=7002 bus=17002 epoch=1 current=1 offset=0".encode()
    event = Received(-1, [b"PUBLISHSHARD", header, b"a", b"hello"], "10.0.0.2", "10.0.0.1")
    cluster_member.happened(half.server, event, 1000)
    assert heard(half, listener) == [[b"smessage", b"a", b"hello"]]
    assert heard(half, ordinary) == []


def test_machines_of_a_shard_hear_each_other_once() -> None:
    cluster = Formed(2, 2)
    primary, _, *replicas = cluster.nodes
    for sender in (primary, replicas[0]):
        sender.machine.publish_to_shard(b"channel", b"message")
        sender.command(lambda state: None)
    cluster.run(10)
    # The second shard's primary and replicas stand in odd places.
    counts = [node.state.traffic.received.get("publishshard", 0) for node in cluster.nodes]
    assert counts == [1, 0, 1, 0, 2, 0]
    assert [node.state.traffic.sent.get("publishshard", 0) for node in cluster.nodes] == [2, 0, 2, 0, 0, 0]
