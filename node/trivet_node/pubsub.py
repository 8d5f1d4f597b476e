"""Who listens to what: channels, patterns, and channels of shards. (Redis: "Redis Pub/Sub", pubsub.c.)

A client knows the names it listens to (`Client.channels` and its kin), a table knows the clients that listen to a name;
both are kept in the order in which the subscriptions were made. A channel of a shard belongs to the slot of its name
and has nothing to do with the ordinary channel of that name.
"""

from typing import final

from trivet_node.client import Client
from trivet_wire.glob import glob_match


@final
class Subscriptions:
    """All subscriptions of one kind."""

    def __init__(self) -> None:
        # name -> client id -> client.
        self.listeners: dict[bytes, dict[int, Client]] = {}

    def add(self, client: Client, own: dict[bytes, None], name: bytes) -> None:
        """Let `client` listen to `name`; `own` are the names of this kind that it listens to."""
        own[name] = None
        self.listeners.setdefault(name, {})[client.id] = client

    def remove(self, client: Client, own: dict[bytes, None], name: bytes) -> None:
        """Undo add(); nothing happens where there was no such subscription."""
        own.pop(name, None)
        listeners = self.listeners.get(name)
        if listeners is not None:
            listeners.pop(client.id, None)
            if not listeners:
                del self.listeners[name]

    def remove_all(self, client: Client, own: dict[bytes, None]) -> None:
        """Drop every subscription of a client."""
        for name in list(own):
            self.remove(client, own, name)

    def names_like(self, pattern: bytes) -> list[bytes]:
        """Return the names that match the glob `pattern` and that somebody listens to."""
        return [name for name in self.listeners if glob_match(pattern, name)]

    def count(self, name: bytes) -> int:
        """Return how many clients listen to `name`."""
        return len(self.listeners.get(name, {}))


@final
class PubSub:
    """All subscriptions of a node's clients."""

    def __init__(self) -> None:
        self.channels: Subscriptions = Subscriptions()
        self.patterns: Subscriptions = Subscriptions()
        self.shard_channels: Subscriptions = Subscriptions()

    def forget(self, client: Client) -> None:
        """Drop every subscription of a client."""
        self.channels.remove_all(client, client.channels)
        self.patterns.remove_all(client, client.patterns)
        self.shard_channels.remove_all(client, client.shard_channels)
