"""What subscribers are sent: messages, and what becomes of their subscriptions.

A message is encoded once for all subscribers that speak RESP2 and once for those that speak RESP3; all of them are sent
the same bytes object, which nobody copies. Whoever has left too much unread is cut off in the middle of a burst
already: a script may publish any amount in one.
(Redis: pubsub.c, "Output buffer limits".)
"""

from typing import Final

from trivet_node.client import CLOSE_NOW, CLOSING, SUBSCRIBED, Client
from trivet_node.pubsub import Subscriptions
from trivet_node.server.state import Server
from trivet_wire.glob import glob_match
from trivet_wire.pushes import as_push, encode_message, push_confirmation
from trivet_wire.replies import RESP2

# The kinds of confirmation that count the channels of shards only; the others count channels and patterns.
_OF_SHARDS: Final = frozenset([b"ssubscribe", b"sunsubscribe"])


def deliver(server: Server, channel: bytes, message: bytes) -> int:
    """Send a message to all clients of this node that listen to `channel`; return how many subscriptions heard it."""
    receivers = _send(server, server.pubsub.channels, channel, [b"message", channel, message])
    for pattern in server.pubsub.patterns.listeners:
        if glob_match(pattern, channel):
            receivers += _send(server, server.pubsub.patterns, pattern, [b"pmessage", pattern, channel, message])
    return receivers


def deliver_to_shard(server: Server, channel: bytes, message: bytes) -> int:
    """Send a message to all clients of this node that listen to a shard's `channel`; return how many they are."""
    return _send(server, server.pubsub.shard_channels, channel, [b"smessage", channel, message])


def confirm(client: Client, kind: bytes, name: bytes | None) -> None:
    """Tell a client that `kind` (subscribe, punsubscribe ...) was done for `name`; None where there was nothing."""
    subscriptions = len(client.shard_channels) if kind in _OF_SHARDS else len(client.channels) + len(client.patterns)
    push_confirmation(client.reply, kind, name, subscriptions)


def end_state_of_subscriber(client: Client) -> None:
    """Let a client that listens to nothing any more be an ordinary one."""
    if not client.channels and not client.patterns and not client.shard_channels:
        client.flags &= ~SUBSCRIBED


def close_shard_channel(server: Server, channel: bytes) -> None:
    """End all subscriptions to a shard's channel that this node does not serve any more, and tell the subscribers."""
    shard_channels = server.pubsub.shard_channels
    for client in list(shard_channels.listeners.get(channel, {}).values()):
        shard_channels.remove(client, client.shard_channels, channel)
        confirm(client, b"sunsubscribe", channel)
        end_state_of_subscriber(client)
        server.mark_pending(client)


def _send(server: Server, subscriptions: Subscriptions, name: bytes, parts: list[bytes]) -> int:
    """Send a message to those who listen to `name`; return how many they are."""
    listeners = subscriptions.listeners.get(name)
    if listeners is None:
        return 0
    array = encode_message(parts)
    push = b""
    for client in listeners.values():
        if client.flags & CLOSING != 0:
            continue
        reply = client.reply
        if reply.protocol == RESP2:
            reply.push_encoded(array)
        else:
            push = push or as_push(array)
            reply.push_encoded(push)
        server.mark_pending(client)
        if reply.is_large() and server.exceeds_output_limit(client):
            server.close_client(client, CLOSE_NOW)
    return len(listeners)
