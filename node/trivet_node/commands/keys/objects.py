"""OBJECT: how a value is stored and how it was used. (Redis: group "generic".)"""

from typing import Final

from trivet_node.access import CLOCK
from trivet_node.client import Client
from trivet_node.command import LOADING, READONLY, STALE, Command, CommandError, KeySpec, container
from trivet_node.server.state import Server
from trivet_node.values.types import encoding_name
from trivet_wire.help import reply_help

# Redis shares one object for each of these integers, and says so.
_SHARED_INTEGERS: Final = 10_000
_SHARED_REFERENCES: Final = 2**31 - 1
_MS_PER_SECOND: Final = 1000
_SWITCHING: Final = (
    b"Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust."
)
_NO_IDLE_TIME: Final = b"ERR An LFU maxmemory policy is selected, idle time not tracked. " + _SWITCHING
_NO_FREQUENCY: Final = b"ERR An LFU maxmemory policy is not selected, access frequency not tracked. " + _SWITCHING
_HELP: Final = (
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
)


def object_help(server: Server, client: Client, arguments: list[bytes]) -> None:
    """OBJECT HELP."""
    reply_help(client.reply, "OBJECT", _HELP)


def object_encoding(server: Server, client: Client, arguments: list[bytes]) -> None:
    """OBJECT ENCODING key."""
    value = client.database.glance(arguments[2], False)
    if value is None:
        client.reply.null()
    else:
        client.reply.bulk(encoding_name(value))


def object_refcount(server: Server, client: Client, arguments: list[bytes]) -> None:
    """OBJECT REFCOUNT key."""
    value = client.database.glance(arguments[2], False)
    if value is None:
        client.reply.null()
    else:
        client.reply.integer(reference_count(value))


def reference_count(value: object) -> int:
    """Return how many references Redis has to a value: one, but for the integers that it shares."""
    return _SHARED_REFERENCES if isinstance(value, int) and 0 <= value < _SHARED_INTEGERS else 1


def object_idletime(server: Server, client: Client, arguments: list[bytes]) -> None:
    """OBJECT IDLETIME key. Times of access are kept from the first such request on."""
    keyspace = server.keyspace
    if client.database.glance(arguments[2], False) is None:
        client.reply.null()
        return
    if _counts_frequency(server):
        raise CommandError(_NO_IDLE_TIME)
    keyspace.access.switch(CLOCK, keyspace.now_ms)
    idle_ms = keyspace.access.idle_ms(client.database.index, arguments[2], keyspace.now_ms)
    client.reply.integer(idle_ms // _MS_PER_SECOND)


def object_freq(server: Server, client: Client, arguments: list[bytes]) -> None:
    """OBJECT FREQ key."""
    keyspace = server.keyspace
    if client.database.glance(arguments[2], False) is None:
        client.reply.null()
        return
    if not _counts_frequency(server):
        raise CommandError(_NO_FREQUENCY)
    client.reply.integer(keyspace.access.frequency(client.database.index, arguments[2], keyspace.now_ms))


def _counts_frequency(server: Server) -> bool:
    return server.config.maxmemory_policy.endswith("-lfu")


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "object",
        -2,
        container,
        0,
        group="generic",
        since="2.2.3",
        summary="A container for object introspection commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "object|encoding",
                3,
                object_encoding,
                READONLY,
                group="generic",
                categories="keyspace",
                since="2.2.3",
                summary="Inspect the internal encoding of a Redis object",
                keys=(KeySpec("RO", begin=2),),
                tips=("nondeterministic_output",),
                arguments="key:key#0",
            ),
            Command(
                "object|freq",
                3,
                object_freq,
                READONLY,
                group="generic",
                categories="keyspace",
                since="4.0.0",
                summary="Get the logarithmic access frequency counter of a Redis object",
                keys=(KeySpec("RO", begin=2),),
                tips=("nondeterministic_output",),
                arguments="key:key#0",
            ),
            Command(
                "object|help",
                2,
                object_help,
                LOADING | STALE,
                group="generic",
                categories="keyspace",
                since="6.2.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "object|idletime",
                3,
                object_idletime,
                READONLY,
                group="generic",
                categories="keyspace",
                since="2.2.3",
                summary="Get the time since a Redis object was last accessed",
                keys=(KeySpec("RO", begin=2),),
                tips=("nondeterministic_output",),
                arguments="key:key#0",
                difference="Times of access are kept from the first such request on (with an LRU policy always), "
                "and for every key by itself.",
            ),
            Command(
                "object|refcount",
                3,
                object_refcount,
                READONLY,
                group="generic",
                categories="keyspace",
                since="2.2.3",
                summary="Get the number of references to the value of the key",
                keys=(KeySpec("RO", begin=2),),
                tips=("nondeterministic_output",),
                arguments="key:key#0",
            ),
        ),
    ),
)
