"""Publish and subscribe: a sentinel's own channels carry its events; what others PUBLISH here are hello messages.

The channel of an event is its name, such as `+switch-master`; `PSUBSCRIBE *` gets them all.
"""

from typing import Final

from trivet_sentinel import hello
from trivet_sentinel.links import HELLO_CHANNEL
from trivet_sentinel.sessions import Client, Command, Server
from trivet_wire.glob import glob_match
from trivet_wire.pushes import encode_message, push, push_confirmation


def publish(server: Server, channel: bytes, message: bytes) -> int:
    """Give `message` to everybody who listens to `channel`; return how many got it."""
    receivers = 0
    for client in server.clients.values():
        if channel in client.channels:
            _tell(server, client, [b"message", channel, message])
            receivers += 1
        for pattern in client.patterns:
            if glob_match(pattern, channel):
                _tell(server, client, [b"pmessage", pattern, channel, message])
                receivers += 1
    return receivers


def _publish(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Take a hello message from another sentinel; there is no other use of PUBLISH here."""
    channel, payload = arguments[1:]
    if channel != HELLO_CHANNEL.encode():
        client.out.error(b"ERR Only HELLO messages are accepted by Sentinel instances.")
        return
    hello.receive(server.sentinel, payload)
    client.out.integer(1)


def _tell(server: Server, client: Client, parts: list[bytes]) -> None:
    push(client.out, encode_message(parts))
    server.woken.add(client)


def _subscribe(_server: Server, client: Client, arguments: list[bytes]) -> None:
    for channel in arguments[1:]:
        client.channels.add(channel)
        push_confirmation(client.out, b"subscribe", channel, client.subscriptions)


def _psubscribe(_server: Server, client: Client, arguments: list[bytes]) -> None:
    for pattern in arguments[1:]:
        client.patterns.add(pattern)
        push_confirmation(client.out, b"psubscribe", pattern, client.subscriptions)


def _unsubscribe(_server: Server, client: Client, arguments: list[bytes]) -> None:
    _leave(client, client.channels, b"unsubscribe", arguments[1:])


def _punsubscribe(_server: Server, client: Client, arguments: list[bytes]) -> None:
    _leave(client, client.patterns, b"punsubscribe", arguments[1:])


def _leave(client: Client, joined: set[bytes], kind: bytes, named: list[bytes]) -> None:
    """Leave the `named` channels, or all where none is named; even leaving nothing is confirmed once."""
    leaving = named or sorted(joined)
    for channel in leaving:
        joined.discard(channel)
        push_confirmation(client.out, kind, channel, client.subscriptions)
    if not leaving:
        push_confirmation(client.out, kind, None, client.subscriptions)


_FLAGS: Final = ("pubsub", "noscript", "loading", "stale")

COMMANDS: Final = (
    Command("publish", 3, _publish, "Posts a message to a channel.", ("pubsub", "loading", "stale", "fast")),
    Command("subscribe", -2, _subscribe, "Listens for messages published to channels.", _FLAGS),
    Command("psubscribe", -2, _psubscribe, "Listens for messages to channels that match patterns.", _FLAGS),
    Command("unsubscribe", -1, _unsubscribe, "Stops listening to channels.", _FLAGS),
    Command("punsubscribe", -1, _punsubscribe, "Stops listening to patterns.", _FLAGS),
)
