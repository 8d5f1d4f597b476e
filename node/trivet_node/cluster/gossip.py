"""Messages of the cluster bus <-> bytes.

A message is a RESP array of bulk strings: its kind, the header, and what the kind adds.

    PING PONG MEET   gossip: one record for each node that the sender tells about
    FAIL             the id of the node that failed
    UPDATE           a record of a node whose slots the receiver does not know to be newer
    PUBLISH          channel, message
    PUBLISHSHARD     channel of a shard, message
    AUTH-REQ         a replica asks primaries for their vote; "forced" where the primary need not have failed
    AUTH-ACK         a vote

The header and the records are words `name=value`, separated by spaces. A reader takes the words that it knows and skips
the others, so nodes of different versions understand each other. Words whose name starts with `x-` are metadata that
nodes pass on about themselves. (Redis Cluster has the same messages in binary form: "Heartbeat packet content".)
"""

from typing import Final, final

from trivet_node.cluster.nodes import (
    MYSELF,
    PRIMARY,
    REPLICA,
    ClusterNode,
    format_flags,
    is_id,
    parse_flags,
)
from trivet_node.cluster.slots import format_slots, parse_slots
from trivet_wire.replies import encode_command

PING: Final = "ping"
PONG: Final = "pong"
MEET: Final = "meet"
FAIL: Final = "fail"
PUBLISH: Final = "publish"
AUTH_REQUEST: Final = "auth-req"
AUTH_ACK: Final = "auth-ack"
UPDATE: Final = "update"
PUBLISH_SHARD: Final = "publishshard"

# In the order of CLUSTER INFO.
KINDS: Final = (PING, PONG, MEET, FAIL, PUBLISH, AUTH_REQUEST, AUTH_ACK, UPDATE, PUBLISH_SHARD)
HEARTBEATS: Final = (PING, PONG, MEET)
PUBLISHING: Final = (PUBLISH, PUBLISH_SHARD)
_METADATA: Final = "x-"
_PORT_MAX: Final = 65535
_KNOWN_RECORDS_MAX: Final = 1000


class MessageError(ValueError):
    """Bytes that are no message of the bus. The text says what is wrong."""


@final
class NodeRecord:
    """What a message says about one node; fields it does not mention are empty."""

    def __init__(self) -> None:
        self.id: str = ""
        self.shard_id: str = ""
        self.host: str = ""
        self.port: int = 0
        self.bus_port: int = 0
        self.hostname: str = ""
        self.flags: int = 0
        self.primary_id: str = ""
        self.config_epoch: int = 0
        self.offset: int = 0
        self.is_synced: bool = False
        self.slots: int = 0
        self.current_epoch: int = 0
        self.metadata: dict[str, str] = {}


@final
class Message:
    """One message. `records` and `payload` are what its kind adds."""

    def __init__(self, kind: str, sender: NodeRecord, records: list[NodeRecord], payload: list[bytes]) -> None:
        self.kind: str = kind
        self.sender: NodeRecord = sender
        self.records: list[NodeRecord] = records
        self.payload: list[bytes] = payload


def encode_message(kind: str, header: bytes, parts: list[bytes]) -> bytes:
    """Return a message; `header` comes from encode_header()."""
    return encode_command([kind.upper().encode(), header, *parts])


def encode_short_header(myself: ClusterNode, announced_host: str, claimant: ClusterNode, current_epoch: int) -> bytes:
    """Return what a node says of itself in messages of clients, which are many: all but its slots and metadata.

    `claimant` is the primary whose slots and epoch it speaks for. Where no host is announced, receivers go by where the
    message comes from.
    """
    return " ".join(_state(myself, announced_host, claimant, current_epoch)).encode()


def encode_header(myself: ClusterNode, announced_host: str, claimant: ClusterNode, current_epoch: int) -> bytes:
    """Return all that a node says of itself; see encode_short_header()."""
    words = _state(myself, announced_host, claimant, current_epoch)
    if claimant.slots:
        words.append(f"slots={format_slots(claimant.slots)}")
    for name, value in myself.metadata.items():
        words.append(f"{_METADATA}{name}={value}")
    return " ".join(words).encode()


def _state(myself: ClusterNode, announced_host: str, claimant: ClusterNode, current_epoch: int) -> list[str]:
    words = _identity(myself, announced_host)
    words.append(f"epoch={claimant.config_epoch}")
    words.append(f"current={current_epoch}")
    words.append(f"offset={myself.offset}")
    if myself.is_synced:
        words.append("synced=1")
    return words


def encode_gossip(node: ClusterNode) -> bytes:
    """Return what a node tells about another: where it is and whether it answers."""
    return " ".join(_identity(node, node.host)).encode()


def encode_claim(node: ClusterNode) -> bytes:
    """Return the record of an UPDATE: whose slots these are, and since which epoch."""
    return f"id={node.id} epoch={node.config_epoch} slots={format_slots(node.slots)}".encode()


def _identity(node: ClusterNode, host: str) -> list[str]:
    words = [f"id={node.id}", f"flags={format_flags(int(node.flags) & ~MYSELF)}", f"port={node.port}"]
    words.append(f"bus={node.bus_port}")
    if host:
        words.append(f"host={host}")
    if node.hostname:
        words.append(f"hostname={node.hostname}")
    if node.shard_id:
        words.append(f"shard={node.shard_id}")
    if node.primary_id:
        words.append(f"primary={node.primary_id}")
    return words


def decode_message(arguments: list[bytes], known: dict[bytes, NodeRecord]) -> Message:
    """Return the message that `arguments` hold; MessageError where they hold none.

    `known` keeps the records decoded lately: most heartbeats say again what the one before said.
    """
    if len(known) > _KNOWN_RECORDS_MAX:
        known.clear()
    try:
        return _decode(arguments, known)
    except MessageError:
        raise
    except ValueError as error:
        raise MessageError(str(error)) from error


def _decode(arguments: list[bytes], known: dict[bytes, NodeRecord]) -> Message:
    if len(arguments) < 2:
        raise MessageError("a message has a kind and a header")
    kind = arguments[0].decode().lower()
    if kind not in KINDS:
        raise MessageError(f"unknown kind {kind!r}")
    sender = _known_record(arguments[1], known)
    if sender.flags & (PRIMARY | REPLICA) == 0 or sender.port == 0 or sender.bus_port == 0:
        raise MessageError("the header does not say who the sender is")
    parts = arguments[2:]
    if kind in HEARTBEATS or kind == UPDATE:
        return Message(kind, sender, [_known_record(part, known) for part in parts], [])
    if (kind in PUBLISHING and len(parts) != 2) or (kind == FAIL and len(parts) != 1):
        raise MessageError(f"{kind} with {len(parts)} parts")
    return Message(kind, sender, [], parts)


def _known_record(data: bytes, known: dict[bytes, NodeRecord]) -> NodeRecord:
    record = known.get(data)
    if record is None:
        record = decode_record(data)
        known[data] = record
    return record


def decode_record(data: bytes) -> NodeRecord:
    """Return the record that `data` holds; ValueError where it holds none."""
    record = NodeRecord()
    for word in data.decode().split(" "):
        name, _, value = word.partition("=")
        _set_field(record, name, value)
    if not is_id(record.id):
        raise MessageError(f"{record.id!r} is not the id of a node")
    return record


def _set_field(record: NodeRecord, name: str, value: str) -> None:
    if name == "id":
        record.id = value
    elif name == "flags":
        record.flags = parse_flags(value)
    elif name == "host":
        record.host = value
    elif name == "hostname":
        record.hostname = value
    elif name == "shard":
        record.shard_id = _id(value)
    elif name == "primary":
        record.primary_id = _id(value)
    elif name == "slots":
        record.slots = parse_slots(value)
    elif name.startswith(_METADATA):
        record.metadata[name.removeprefix(_METADATA)] = value
    else:
        _set_number(record, name, value)


def _set_number(record: NodeRecord, name: str, value: str) -> None:
    if name == "port":
        record.port = _number(value, _PORT_MAX)
    elif name == "bus":
        record.bus_port = _number(value, _PORT_MAX)
    elif name == "epoch":
        record.config_epoch = _number(value, 2**63 - 1)
    elif name == "current":
        record.current_epoch = _number(value, 2**63 - 1)
    elif name == "offset":
        record.offset = _number(value, 2**63 - 1)
    elif name == "synced":
        record.is_synced = _number(value, 1) == 1


def _number(text: str, largest: int) -> int:
    if not text.isdecimal() or len(text) > 19 or int(text) > largest:
        raise MessageError(f"{text[:32]!r} is not a number up to {largest}")
    return int(text)


def _id(text: str) -> str:
    if not is_id(text):
        raise MessageError(f"{text!r} is not an id")
    return text
