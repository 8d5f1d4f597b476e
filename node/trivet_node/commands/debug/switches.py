"""The subcommands of DEBUG that switch something. (Redis: debug.c debugCommand.)

Some take effect on machinery that a node of ours does not have; what they are given is checked, and that is all.
"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import CommandError
from trivet_node.commands.arguments import integer, leading_integer, option
from trivet_node.server.state import Server
from trivet_node.settings.text import parse_memory, to_text
from trivet_wire import errors

_PACKED_THRESHOLD_MAX: Final = (1 << 32) - (1 << 20)


def set_active_expire(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG SET-ACTIVE-EXPIRE 0|1."""
    server.keyspace.active_expiry = leading_integer(arguments[2]) != 0
    client.reply.ok()


def pause_cron(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG PAUSE-CRON 0|1."""
    server.debug.cron_paused = leading_integer(arguments[2]) != 0
    client.reply.ok()


def skip_checksums(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG SET-SKIP-CHECKSUM-VALIDATION 0|1."""
    server.debug.skips_checksums = leading_integer(arguments[2]) != 0
    client.reply.ok()


def allow_denied_scripts(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG SET-DISABLE-DENY-SCRIPTS 0|1."""
    server.debug.allows_denied_scripts = leading_integer(arguments[2]) != 0
    client.reply.ok()


def packed_threshold(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG QUICKLIST-PACKED-THRESHOLD size: a value that would fill a node of a list stands alone anyway."""
    size = parse_memory(to_text(arguments[2]))
    if size is None or size > _PACKED_THRESHOLD_MAX:
        raise CommandError(b"ERR argument must be a memory value bigger than 1 and smaller than 4gb")
    client.reply.ok()


def aof_flush_sleep(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG AOF-FLUSH-SLEEP microseconds: there is no append-only file that could wait."""
    client.reply.ok()


def replybuffer(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG REPLYBUFFER PEAK-RESET-TIME NEVER|RESET|ms, or RESIZING 0|1: our buffers live for one burst only."""
    word = option(arguments[2])
    if word == b"PEAK-RESET-TIME":
        if option(arguments[3]) not in (b"NEVER", b"RESET"):
            integer(arguments[3])
    elif word != b"RESIZING":
        raise CommandError(errors.subcommand_syntax("debug", arguments[1]))
    client.reply.ok()
