"""Messages of the bus, there and back, and what is refused."""

import pytest

from trivet_node.cluster import gossip
from trivet_node.cluster.gossip import MessageError, decode_message
from trivet_node.cluster.nodes import FAIL, MYSELF, NO_FAILOVER, PRIMARY, REPLICA, ClusterNode
from trivet_node.cluster.slots import range_of_slots
from trivet_wire.requests import RequestParser

ID = "a" * 40
OTHER = "b" * 40
SHARD = "c" * 40


def node(node_id: str, flags: int) -> ClusterNode:
    made = ClusterNode(node_id, flags)
    made.host = "10.0.0.1"
    made.port = 7001
    made.bus_port = 17001
    made.hostname = "one.example"
    made.shard_id = SHARD
    return made


def arguments_of(data: bytes) -> list[bytes]:
    parser = RequestParser()
    parser.feed(data)
    arguments = parser.next()
    assert arguments is not None
    assert parser.next() is None
    return arguments


def test_a_heartbeat_says_everything_about_its_sender() -> None:
    myself = node(ID, MYSELF | PRIMARY | NO_FAILOVER)
    myself.slots = range_of_slots(0, 5460) | range_of_slots(9000, 9000)
    myself.config_epoch = 7
    myself.offset = 12345
    myself.is_synced = True
    myself.metadata = {"external": "127.0.0.1:7001"}
    failed = node(OTHER, REPLICA | FAIL)
    failed.primary_id = ID
    header = gossip.encode_header(myself, "", myself, 9)
    message = decode_message(arguments_of(gossip.encode_message("ping", header, [gossip.encode_gossip(failed)])), {})
    sender = message.sender
    assert (message.kind, sender.id, sender.port, sender.bus_port) == ("ping", ID, 7001, 17001)
    assert (sender.flags, sender.slots, sender.config_epoch, sender.current_epoch) == (
        PRIMARY | NO_FAILOVER,
        myself.slots,
        7,
        9,
    )
    assert (sender.offset, sender.is_synced, sender.shard_id, sender.hostname) == (12345, True, SHARD, "one.example")
    assert sender.metadata == {"external": "127.0.0.1:7001"}
    assert sender.host == "", "an address that is not announced is for the receiver to see"
    [record] = message.records
    assert (record.id, record.flags, record.primary_id, record.host) == (OTHER, REPLICA | FAIL, ID, "10.0.0.1")


def test_an_announced_address_is_told() -> None:
    header = gossip.encode_header(node(ID, MYSELF | PRIMARY), "203.0.113.5", node(ID, PRIMARY), 1)
    assert decode_message([b"PONG", header], {}).sender.host == "203.0.113.5"


def test_a_replica_speaks_for_its_primary() -> None:
    primary = node(OTHER, PRIMARY)
    primary.slots = range_of_slots(1, 2)
    primary.config_epoch = 4
    replica = node(ID, MYSELF | REPLICA)
    replica.primary_id = OTHER
    sender = decode_message([b"PING", gossip.encode_header(replica, "", primary, 5)], {}).sender
    assert (sender.slots, sender.config_epoch, sender.primary_id) == (primary.slots, 4, OTHER)


def test_words_that_are_not_known_yet_are_skipped() -> None:
    header = gossip.encode_header(node(ID, PRIMARY), "", node(ID, PRIMARY), 1) + b" colour=green"
    assert decode_message([b"PING", header, b"id=" + OTHER.encode() + b" shape=round"], {}).records[0].id == OTHER


HEADER = f"id={ID} flags=master port=7001 bus=17001 epoch=1 current=1"


@pytest.mark.parametrize(
    "arguments",
    [
        [b"PING"],
        [b"HELLO", HEADER.encode()],
        [b"PING", b""],
        [b"PING", b"\xff\xfe"],
        [b"PING", b"id=short flags=master port=1 bus=2"],
        [b"PING", HEADER.replace("flags=master", "flags=boss").encode()],
        [b"PING", HEADER.replace("flags=master", "flags=noflags").encode()],
        [b"PING", HEADER.replace("port=7001", "port=70010").encode()],
        [b"PING", HEADER.replace("port=7001", "port=-1").encode()],
        [b"PING", HEADER.replace("epoch=1", "epoch=" + "9" * 30).encode()],
        [b"PING", (HEADER + " slots=5-2").encode()],
        [b"PING", (HEADER + " slots=0-16384").encode()],
        [b"PING", (HEADER + " primary=me").encode()],
        [b"PING", HEADER.encode(), b"flags=master"],
        [b"PUBLISH", HEADER.encode(), b"channel"],
        [b"FAIL", HEADER.encode()],
    ],
)
def test_what_is_no_message_is_refused(arguments: list[bytes]) -> None:
    with pytest.raises(MessageError):
        decode_message(arguments, {})


def test_records_known_already_are_not_decoded_again_and_do_not_pile_up() -> None:
    known: dict[bytes, gossip.NodeRecord] = {}
    first = decode_message([b"PING", HEADER.encode()], known)
    assert decode_message([b"PONG", HEADER.encode()], known).sender is first.sender
    for number in range(5000):
        decode_message([b"PING", f"{HEADER} offset={number}".encode()], known)
    assert len(known) <= 1001
