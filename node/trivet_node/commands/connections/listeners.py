"""PUBSUB: who listens to what. (Redis: group "pubsub", pubsub.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import LOADING, PUBSUB, STALE, Command, CommandError, container
from trivet_node.pubsub import Subscriptions
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.help import reply_help


def channels(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB CHANNELS [pattern]."""
    client.reply.bulk_array(server.pubsub.channels.names_like(_pattern(arguments)))


def numsub(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB NUMSUB [channel ...]."""
    _reply_counts(client, server.pubsub.channels, arguments[2:])


def numpat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB NUMPAT."""
    client.reply.integer(len(server.pubsub.patterns.listeners))


def shardchannels(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB SHARDCHANNELS [pattern]."""
    client.reply.bulk_array(server.pubsub.shard_channels.names_like(_pattern(arguments)))


def shardnumsub(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB SHARDNUMSUB [shardchannel ...]."""
    _reply_counts(client, server.pubsub.shard_channels, arguments[2:])


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PUBSUB HELP."""
    reply_help(client.reply, "PUBSUB", _HELP)


def _reply_counts(client: Client, subscriptions: Subscriptions, names: list[bytes]) -> None:
    client.reply.array(2 * len(names))
    for name in names:
        client.reply.bulk(name)
        client.reply.integer(subscriptions.count(name))


def _pattern(arguments: list[bytes]) -> bytes:
    if len(arguments) > 3:
        raise CommandError(errors.subcommand_syntax("pubsub", arguments[1]))
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
