"""Who listens to which channel. (Redis: "Redis Pub/Sub".)"""

from typing import final

from trivet_node.client import Client
from trivet_wire.glob import glob_match
from trivet_wire.pushes import push_message


@final
class PubSub:
    """Subscriptions by channel and by pattern, each in the order in which they were made."""

    def __init__(self) -> None:
        self.channels: dict[bytes, dict[int, Client]] = {}
        self.patterns: dict[bytes, dict[int, Client]] = {}

    def subscribe(self, client: Client, channel: bytes) -> None:
        """Let `client` hear what is published to `channel`."""
        client.channels.add(channel)
        self.channels.setdefault(channel, {})[client.id] = client

    def unsubscribe(self, client: Client, channel: bytes) -> None:
        """Undo subscribe(); nothing happens where there was no such subscription."""
        client.channels.discard(channel)
        _forget(self.channels, channel, client)

    def subscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """Let `client` hear what is published to every channel that matches the glob `pattern`."""
        client.patterns.add(pattern)
        self.patterns.setdefault(pattern, {})[client.id] = client

    def unsubscribe_pattern(self, client: Client, pattern: bytes) -> None:
        """Undo subscribe_pattern(); nothing happens where there was no such subscription."""
        client.patterns.discard(pattern)
        _forget(self.patterns, pattern, client)

    def forget(self, client: Client) -> None:
        """Drop every subscription of a client."""
        for channel in list(client.channels):
            self.unsubscribe(client, channel)
        for pattern in list(client.patterns):
            self.unsubscribe_pattern(client, pattern)

    def publish(self, channel: bytes, message: bytes) -> list[Client]:
        """Write `message` to the reply buffers of all who listen; return them, a client once for each subscription."""
        receivers = list(self.channels.get(channel, {}).values())
        for client in receivers:
            push_message(client.reply, b"message", [channel, message])
        for pattern, clients in self.patterns.items():
            if glob_match(pattern, channel):
                for client in clients.values():
                    push_message(client.reply, b"pmessage", [pattern, channel, message])
                    receivers.append(client)
        return receivers


def _forget(table: dict[bytes, dict[int, Client]], name: bytes, client: Client) -> None:
    listeners = table.get(name)
    if listeners is not None:
        listeners.pop(client.id, None)
        if not listeners:
            del table[name]
