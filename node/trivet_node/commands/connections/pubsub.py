"""Subscribing and publishing. (Redis: group "pubsub", pubsub.c.)

Messages for channels go to the whole cluster, messages for channels of shards to the nodes that serve the channel's
slot: the bus carries them (server/cluster_member.py). Outside cluster mode the replication stream carries both to those
who listen at replicas.
"""

from typing import Final

from trivet_node.client import SUBSCRIBED, Client
from trivet_node.command import (
    FAST,
    LOADING,
    MAY_REPLICATE,
    NOSCRIPT,
    PUBSUB,
    STALE,
    Command,
    CommandError,
    KeySpec,
)
from trivet_node.pubsub import Subscriptions
from trivet_node.server import cluster_member
from trivet_node.server.state import Server
from trivet_node.server.subscribers import confirm, deliver, deliver_to_shard, end_state_of_subscriber


def subscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SUBSCRIBE channel [channel ...]."""
    _join(client, server.pubsub.channels, client.channels, b"subscribe", arguments[1:])


def psubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PSUBSCRIBE pattern [pattern ...]."""
    _join(client, server.pubsub.patterns, client.patterns, b"psubscribe", arguments[1:])


def ssubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SSUBSCRIBE shardchannel [shardchannel ...]."""
    if server.call_depth > 1:
        raise CommandError(b"ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
    _join(client, server.pubsub.shard_channels, client.shard_channels, b"ssubscribe", arguments[1:])


def unsubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """UNSUBSCRIBE [channel ...]."""
    _leave(client, server.pubsub.channels, client.channels, b"unsubscribe", arguments[1:])


def punsubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUNSUBSCRIBE [pattern ...]."""
    _leave(client, server.pubsub.patterns, client.patterns, b"punsubscribe", arguments[1:])


def sunsubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SUNSUBSCRIBE [shardchannel ...]."""
    _leave(client, server.pubsub.shard_channels, client.shard_channels, b"sunsubscribe", arguments[1:])


def publish(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBLISH channel message."""
    receivers = deliver(server, arguments[1], arguments[2])
    if server.cluster is None:
        server.propagation.instead([arguments])
    else:
        cluster_member.publish(server, arguments[1], arguments[2])
    client.reply.integer(receivers)


def spublish(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SPUBLISH shardchannel message."""
    receivers = deliver_to_shard(server, arguments[1], arguments[2])
    if server.cluster is None:
        server.propagation.instead([arguments])
    else:
        cluster_member.publish_to_shard(server, arguments[1], arguments[2])
    client.reply.integer(receivers)


def _join(
    client: Client, subscriptions: Subscriptions, own: dict[bytes, None], kind: bytes, names: list[bytes]
) -> None:
    """Subscribe to some names; `kind` is what that is called when it is confirmed."""
    client.flags |= SUBSCRIBED
    for name in names:
        subscriptions.add(client, own, name)
        confirm(client, kind, name)


def _leave(
    client: Client, subscriptions: Subscriptions, own: dict[bytes, None], kind: bytes, names: list[bytes]
) -> None:
    """Unsubscribe from the names, or from all where none is given; even leaving nothing is confirmed once."""
    leaving = names or list(own)
    for name in leaving:
        subscriptions.remove(client, own, name)
        confirm(client, kind, name)
    if not leaving:
        confirm(client, kind, None)
    end_state_of_subscriber(client)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "subscribe",
        -2,
        subscribe,
        PUBSUB | NOSCRIPT | LOADING | STALE,
        group="pubsub",
        since="2.0.0",
        summary="Listen for messages published to the given channels",
        complexity="O(N) where N is the number of channels to subscribe to.",
        arguments="channel:string*",
    ),
    Command(
        "psubscribe",
        -2,
        psubscribe,
        PUBSUB | NOSCRIPT | LOADING | STALE,
        group="pubsub",
        since="2.0.0",
        summary="Listen for messages published to channels matching the given patterns",
        complexity="O(N) where N is the number of patterns the client is already subscribed to.",
        arguments="pattern:block*(pattern:pattern)",
    ),
    Command(
        "unsubscribe",
        -1,
        unsubscribe,
        PUBSUB | NOSCRIPT | LOADING | STALE,
        group="pubsub",
        since="2.0.0",
        summary="Stop listening for messages posted to the given channels",
        complexity="O(N) where N is the number of clients already subscribed to a channel.",
        arguments="channel:string?*",
    ),
    Command(
        "punsubscribe",
        -1,
        punsubscribe,
        PUBSUB | NOSCRIPT | LOADING | STALE,
        group="pubsub",
        since="2.0.0",
        summary="Stop listening for messages posted to channels matching the given patterns",
        complexity="O(N+M) where N is the number of patterns the client is already subscribed and M "
        "is the number of total patterns subscribed in the system (by any client).",
        arguments="pattern:pattern?*",
    ),
    Command(
        "publish",
        3,
        publish,
        PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE,
        group="pubsub",
        since="2.0.0",
        summary="Post a message to a channel",
        complexity="O(N+M) where N is the number of clients subscribed to the receiving channel and M "
        "is the total number of subscribed patterns (by any client).",
        arguments="channel:string message:string",
    ),
    Command(
        "ssubscribe",
        -2,
        ssubscribe,
        PUBSUB | NOSCRIPT | LOADING | STALE,
        group="pubsub",
        since="7.0.0",
        summary="Listen for messages published to the given shard channels",
        complexity="O(N) where N is the number of shard channels to subscribe to.",
        difference="A failover ends no subscription at a node that stays in the shard of the slot.",
        keys=(KeySpec("not_key", last=-1),),
        arguments="shardchannel:string*",
    ),
    Command(
        "sunsubscribe",
        -1,
        sunsubscribe,
        PUBSUB | NOSCRIPT | LOADING | STALE,
        group="pubsub",
        since="7.0.0",
        summary="Stop listening for messages posted to the given shard channels",
        complexity="O(N) where N is the number of clients already subscribed to a shard channel.",
        keys=(KeySpec("not_key", last=-1),),
        arguments="shardchannel:string?*",
    ),
    Command(
        "spublish",
        3,
        spublish,
        PUBSUB | LOADING | STALE | FAST | MAY_REPLICATE,
        group="pubsub",
        since="7.0.0",
        summary="Post a message to a shard channel",
        complexity="O(N) where N is the number of clients subscribed to the receiving shard channel.",
        keys=(KeySpec("not_key"),),
        arguments="shardchannel:string message:string",
    ),
)
