"""MEMORY: what the node and its keys take of memory. (Redis: object.c memoryCommand.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import LOADING, READONLY, STALE, Command, CommandError, KeySpec, container
from trivet_node.commands.arguments import INTEGER_MAX, integer, option
from trivet_node.server.memory import MemoryOverview, key_bytes
from trivet_node.server.memory_doctor import report
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.help import reply_help

# How many elements of a value are measured.
_SAMPLES: Final = 5
_TIPS: Final = ("nondeterministic_output", "request_policy:all_shards", "response_policy:special")
_HELP: Final = (
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
)


def doctor(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MEMORY DOCTOR."""
    client.reply.verbatim(report(server).encode())


def malloc_stats(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MEMORY MALLOC-STATS."""
    client.reply.verbatim(server.host.allocator_report().encode())


def purge(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MEMORY PURGE."""
    server.host.release_memory()
    client.reply.ok()


def stats(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MEMORY STATS."""
    memory = MemoryOverview(server)
    reply = client.reply
    before, behind = memory.fields_before_tables(), memory.fields_behind_tables()
    reply.map(len(before) + len(memory.tables) + len(behind))
    for name, size in before:
        reply.bulk_text(name)
        reply.integer(size)
    for table in memory.tables:
        reply.bulk_text(f"db.{table.index}")
        reply.map(2)
        reply.bulk(b"overhead.hashtable.main")
        reply.integer(table.keys)
        reply.bulk(b"overhead.hashtable.expires")
        reply.integer(table.deadlines)
    for name, value in behind:
        reply.bulk_text(name)
        if isinstance(value, int):
            reply.integer(value)
        else:
            reply.double(value)


def usage(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MEMORY USAGE key [SAMPLES count]."""
    samples = _SAMPLES
    position = 3
    while position < len(arguments):
        if option(arguments[position]) != b"SAMPLES" or position + 1 == len(arguments):
            raise CommandError(errors.SYNTAX)
        samples = integer(arguments[position + 1])
        if samples < 0:
            raise CommandError(errors.SYNTAX)
        position += 2
    if client.database.find_raw(arguments[2]) is None:
        client.reply.null()
    else:
        client.reply.integer(key_bytes(client.database, arguments[2], samples or INTEGER_MAX))


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MEMORY HELP."""
    reply_help(client.reply, "MEMORY", _HELP)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "memory",
        -2,
        container,
        0,
        group="server",
        since="4.0.0",
        summary="A container for memory diagnostics commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "memory|doctor",
                2,
                doctor,
                0,
                group="server",
                since="4.0.0",
                summary="Outputs memory problems report",
                tips=_TIPS,
                difference="The advice is Trivet's own.",
            ),
            Command(
                "memory|help",
                2,
                help_,
                LOADING | STALE,
                group="server",
                since="4.0.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "memory|malloc-stats",
                2,
                malloc_stats,
                0,
                group="server",
                since="4.0.0",
                summary="Show allocator internal stats",
                complexity="Depends on how much memory is allocated, could be slow",
                tips=_TIPS,
                difference="What Python tells of its allocator.",
            ),
            Command(
                "memory|purge",
                2,
                purge,
                0,
                group="server",
                since="4.0.0",
                summary="Ask the allocator to release memory",
                complexity="Depends on how much memory is allocated, could be slow",
                tips=("request_policy:all_shards", "response_policy:all_succeeded"),
            ),
            Command(
                "memory|stats",
                2,
                stats,
                0,
                group="server",
                since="4.0.0",
                summary="Show memory usage details",
                tips=_TIPS,
                difference="Without what only jemalloc can tell, and without `cluster.links`.",
            ),
            Command(
                "memory|usage",
                -3,
                usage,
                READONLY,
                group="server",
                since="4.0.0",
                summary="Estimate the memory usage of a key",
                complexity="O(N) where N is the number of samples.",
                keys=(KeySpec("RO", begin=2),),
                arguments="key:key#0 count:integer=SAMPLES?",
            ),
        ),
    ),
)
