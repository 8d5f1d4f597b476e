"""Publish and subscribe. (Redis: group "pubsub".)

Channels of shards (SSUBSCRIBE) are not there yet; PUBSUB SHARDCHANNELS and SHARDNUMSUB therefore find none.
"""

from typing import Final

from trivet_node.client import SUBSCRIBED, Client
from trivet_node.command import FAST, LOADING, MAY_REPLICATE, NOSCRIPT, PUBSUB, STALE, Command, CommandError, container
from trivet_node.server import cluster_member
from trivet_node.server.state import Server
from trivet_wire.glob import glob_match
from trivet_wire.help import reply_help
from trivet_wire.pushes import push_confirmation


def subscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SUBSCRIBE channel [channel ...]."""
    client.flags |= SUBSCRIBED
    for channel in arguments[1:]:
        server.pubsub.subscribe(client, channel)
        _confirm(client, b"subscribe", channel)


def psubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PSUBSCRIBE pattern [pattern ...]."""
    client.flags |= SUBSCRIBED
    for pattern in arguments[1:]:
        server.pubsub.subscribe_pattern(client, pattern)
        _confirm(client, b"psubscribe", pattern)


def unsubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """UNSUBSCRIBE [channel ...]."""
    channels = arguments[1:] or sorted(client.channels)
    for channel in channels:
        server.pubsub.unsubscribe(client, channel)
        _confirm(client, b"unsubscribe", channel)
    if not channels:
        _confirm(client, b"unsubscribe", None)
    _forget_state(client)


def punsubscribe(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUNSUBSCRIBE [pattern ...]."""
    patterns = arguments[1:] or sorted(client.patterns)
    for pattern in patterns:
        server.pubsub.unsubscribe_pattern(client, pattern)
        _confirm(client, b"punsubscribe", pattern)
    if not patterns:
        _confirm(client, b"punsubscribe", None)
    _forget_state(client)


def publish(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBLISH channel message."""
    receivers = server.pubsub.publish(arguments[1], arguments[2])
    for receiver in receivers:
        if receiver is not client:
            server.mark_pending(receiver)
    # Those who listen at our replicas hear it through the stream. In a cluster the bus carries it instead.
    if server.cluster is None:
        server.propagation.instead([arguments])
    else:
        cluster_member.publish(server, arguments[1], arguments[2])
    client.reply.integer(len(receivers))


def channels(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB CHANNELS [pattern]."""
    pattern = _pattern(arguments)
    client.reply.bulk_array([channel for channel in server.pubsub.channels if glob_match(pattern, channel)])


def numsub(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB NUMSUB [channel ...]."""
    client.reply.array(2 * len(arguments) - 4)
    for channel in arguments[2:]:
        client.reply.bulk(channel)
        client.reply.integer(len(server.pubsub.channels.get(channel, {})))


def numpat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB NUMPAT."""
    client.reply.integer(len(server.pubsub.patterns))


def shardchannels(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB SHARDCHANNELS [pattern]."""
    _pattern(arguments)
    client.reply.array(0)


def shardnumsub(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB SHARDNUMSUB [shardchannel ...]."""
    client.reply.array(2 * len(arguments) - 4)
    for channel in arguments[2:]:
        client.reply.bulk(channel)
        client.reply.integer(0)


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB HELP."""
    reply_help(client.reply, "PUBSUB", _HELP)


def _confirm(client: Client, kind: bytes, name: bytes | None) -> None:
    push_confirmation(client.reply, kind, name, len(client.channels) + len(client.patterns))


def _forget_state(client: Client) -> None:
    if not client.channels and not client.patterns:
        client.flags &= ~SUBSCRIBED


def _pattern(arguments: list[bytes]) -> bytes:
    if len(arguments) > 3:
        raise CommandError(
            b"ERR unknown subcommand or wrong number of arguments for '%s'. Try PUBSUB HELP." % arguments[1]
        )
    return arguments[2] if len(arguments) == 3 else b"*"


_HELP: Final = (
    "CHANNELS [<pattern>]",
    "    Return the currently active channels matching a <pattern> (default: '*').",
    "NUMPAT",
    "    Return number of subscriptions to patterns.",
    "NUMSUB [<channel> ...]",
    "    Return the number of subscribers for the specified channels, excluding",
    "    pattern subscriptions(default: no channels).",
    "SHARDCHANNELS [<pattern>]",
    "    Return the currently active shard level channels matching a <pattern> (default: '*').",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Return the number of subscribers for the specified shard level channel(s)",
)

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
        "pubsub",
        -2,
        container,
        0,
        group="pubsub",
        since="2.8.0",
        summary="A container for Pub/Sub commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "pubsub|channels",
                -2,
                channels,
                PUBSUB | LOADING | STALE,
                group="pubsub",
                since="2.8.0",
                summary="List active channels",
                complexity="O(N) where N is the number of active channels, and assuming constant time pattern "
                "matching (relatively short channels and patterns)",
                arguments="pattern:pattern?",
            ),
            Command(
                "pubsub|help",
                2,
                help_,
                LOADING | STALE,
                group="pubsub",
                since="6.2.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "pubsub|numpat",
                2,
                numpat,
                PUBSUB | LOADING | STALE,
                group="pubsub",
                since="2.8.0",
                summary="Get the count of unique patterns pattern subscriptions",
            ),
            Command(
                "pubsub|numsub",
                -2,
                numsub,
                PUBSUB | LOADING | STALE,
                group="pubsub",
                since="2.8.0",
                summary="Get the count of subscribers for channels",
                complexity="O(N) for the NUMSUB subcommand, where N is the number of requested channels",
                arguments="channel:string?*",
            ),
            Command(
                "pubsub|shardchannels",
                -2,
                shardchannels,
                PUBSUB | LOADING | STALE,
                group="pubsub",
                since="7.0.0",
                summary="List active shard channels",
                complexity="O(N) where N is the number of active shard channels, and assuming constant time "
                "pattern matching (relatively short shard channels).",
                arguments="pattern:pattern?",
            ),
            Command(
                "pubsub|shardnumsub",
                -2,
                shardnumsub,
                PUBSUB | LOADING | STALE,
                group="pubsub",
                since="7.0.0",
                summary="Get the count of subscribers for shard channels",
                complexity="O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
                arguments="shardchannel:string?*",
            ),
        ),
    ),
)
