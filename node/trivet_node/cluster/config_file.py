"""nodes.conf: the cluster as this node last knew it, in Redis' format.

A line for each node, as CLUSTER NODES prints it, then `vars currentEpoch N lastVoteEpoch N`. Behind the address stand
the hostname and, as in Redis 7.2, auxiliary fields: `,hostname,shard-id=...`; metadata are further such fields. A file
that this node cannot have written is refused with the number of its line: a guess could let it serve slots of others.
"""

from random import Random
from typing import Final

from trivet_node.cluster.description import shown_epoch
from trivet_node.cluster.nodes import (
    FAIL,
    MYSELF,
    NO_ADDRESS,
    PFAIL,
    PRIMARY,
    REPLICA,
    ClusterNode,
    format_flags,
    is_id,
    new_id,
    parse_flags,
)
from trivet_node.cluster.options import ClusterOptions
from trivet_node.cluster.slots import format_slots, parse_range
from trivet_node.cluster.state import ClusterState
from trivet_wire.addresses import BUS_PORT_OFFSET

_SHARD_ID: Final = "shard-id"
_FIELDS_BEFORE_SLOTS: Final = 8


class ConfigFileError(ValueError):
    """A nodes.conf that cannot be used. The text names the line and what is wrong with it."""


def encode_config(state: ClusterState) -> str:
    """Return the contents of nodes.conf."""
    lines = [_encode_node(state, node) for node in state.nodes.values() if not node.is_handshaking()]
    lines.append(f"vars currentEpoch {state.current_epoch} lastVoteEpoch {state.last_vote_epoch}")
    return "".join([f"{line}\n" for line in lines])


def _encode_node(state: ClusterState, node: ClusterNode) -> str:
    address = f"{node.host}:{node.port}@{node.bus_port},{node.hostname}"
    auxiliary = [f"{_SHARD_ID}={node.shard_id}"] if node.shard_id else []
    auxiliary += [f"{name}={value}" for name, value in node.metadata.items()]
    words = [node.id, ",".join([address, *auxiliary]), format_flags(int(node.flags)), node.primary_id or "-"]
    link = "connected" if node.link_is_up or node is state.myself else "disconnected"
    # Times mean nothing to another process: only whether there was one.
    words += ["0", "0", str(shown_epoch(state, node)), link]
    if node.slots:
        words.append(format_slots(node.slots, " "))
    return " ".join(words)


def decode_config(text: str, options: ClusterOptions, random: Random) -> ClusterState:
    """Return the state that nodes.conf holds; ConfigFileError where it cannot be used."""
    nodes: list[tuple[ClusterNode, int]] = []
    epochs = (0, 0)
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            if words[0] == "vars":
                epochs = _decode_epochs(words)
            else:
                nodes.append(_decode_node(words))
        except ValueError as error:
            raise ConfigFileError(f"line {number}: {error}") from error
    return _assemble(nodes, epochs, options, random)


def _assemble(
    nodes: list[tuple[ClusterNode, int]], epochs: tuple[int, int], options: ClusterOptions, random: Random
) -> ClusterState:
    own = [node for node, _ in nodes if node.flags & MYSELF != 0]
    if len(own) != 1:
        raise ConfigFileError(f"{len(own)} nodes are marked as myself; there must be exactly one")
    state = ClusterState(options, random, own[0])
    state.restored = True
    for node, slots in nodes:
        if node.id in state.nodes and node is not own[0]:
            raise ConfigFileError(f"node {node.id} appears twice")
        if slots & state.table.assigned:
            raise ConfigFileError(f"slots {format_slots(slots & state.table.assigned)} have two owners")
        state.nodes[node.id] = node
        if not node.shard_id:
            # A file of Redis 7.0 knows no shards.
            node.shard_id = new_id(random) if node is own[0] else ""
        if slots:
            state.table.assign(slots, node)
    state.current_epoch = max([epochs[0], *[node.config_epoch for node, _ in nodes]])
    state.last_vote_epoch = epochs[1]
    return state


def _decode_epochs(words: list[str]) -> tuple[int, int]:
    if len(words) % 2 == 0:
        raise ValueError(f"variable {words[-1]!r} has no value")
    values = dict(zip(words[1::2], words[2::2], strict=True))
    unknown = [name for name in values if name not in ("currentEpoch", "lastVoteEpoch")]
    if unknown:
        raise ValueError(f"unknown variable {unknown[0]!r}")
    return _natural(values.get("currentEpoch", "0")), _natural(values.get("lastVoteEpoch", "0"))


def _decode_node(words: list[str]) -> tuple[ClusterNode, int]:
    """Return a node and the slots that its line gives it."""
    if len(words) < _FIELDS_BEFORE_SLOTS:
        raise ValueError(f"a node has at least {_FIELDS_BEFORE_SLOTS} fields")
    if not is_id(words[0]):
        raise ValueError(f"{words[0]!r} is not the id of a node")
    node = ClusterNode(words[0], parse_flags(words[2]))
    if (node.flags & PRIMARY == 0) == (node.flags & REPLICA == 0):
        raise ValueError("a node is either a master or a slave")
    _decode_address(node, words[1])
    if words[3] != "-":
        if not is_id(words[3]):
            raise ValueError(f"{words[3]!r} is not the id of a node")
        node.primary_id = words[3]
    node.config_epoch = _natural(words[6])
    # Suspicions are for this process to form; FAIL was agreed on, and holds until the node is heard.
    node.flags &= ~PFAIL
    if node.flags & FAIL != 0:
        node.failed_since_ms = 0
    slots = 0
    for word in words[_FIELDS_BEFORE_SLOTS:]:
        if not word.startswith("["):
            slots |= parse_range(word)
    if slots and node.flags & PRIMARY == 0:
        raise ValueError("a slave owns slots")
    return node, slots


def _decode_address(node: ClusterNode, text: str) -> None:
    address, *details = text.split(",")
    host, colon, ports = address.rpartition(":")
    if not colon:
        raise ValueError(f"{text!r} is not an address")
    port, _, bus_port = ports.partition("@")
    node.host = host
    node.port = _natural(port)
    node.bus_port = _natural(bus_port) if bus_port else node.port + BUS_PORT_OFFSET
    if not host and node.flags & MYSELF == 0:
        node.flags |= NO_ADDRESS
    for index, detail in enumerate(details):
        name, equals, value = detail.partition("=")
        if index == 0 and not equals:
            node.hostname = detail
        elif name == _SHARD_ID:
            node.shard_id = value
        elif equals:
            node.metadata[name] = value
        else:
            raise ValueError(f"{detail!r} is not a field of an address")


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"{text!r} is not a number")
    return int(text)
