"""DEBUG SEGFAULT, PANIC, ASSERT, OOM, RESTART, CRASH-AND-RECOVER, LEAK and MALLCTL: what is bad for a process.

A crash is a real one: nothing is saved, no client hears of it. (Redis: debug.c debugCommand, server.c restartServer.)
"""

from signal import SIGABRT, SIGSEGV
from typing import Final

from trivet_node.client import CLOSE_NOW, Client
from trivet_node.command import CommandError
from trivet_node.commands.arguments import integer
from trivet_node.server import shutting_down
from trivet_node.server.state import Server
from trivet_node.shutdown import NOW

_US_PER_S: Final = 1_000_000
# A longer delay is as good as this one.
_DELAY_MAX_MS: Final = 2**40
_NOT_RESTARTED: Final = b"ERR failed to restart the server. Check server logs."


def segfault(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG SEGFAULT."""
    server.host.crash(SIGSEGV, "DEBUG SEGFAULT")


def panic(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG PANIC."""
    seconds = int(server.stopwatch.clock.now_us()) // _US_PER_S
    server.host.crash(SIGABRT, f"Guru Meditation: DEBUG PANIC called at Unix time {seconds}")


def fail_assertion(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG ASSERT."""
    server.host.crash(SIGABRT, "=== ASSERTION FAILED === DEBUG ASSERT")


def exhaust_memory(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG OOM."""
    server.host.crash(SIGABRT, "Out Of Memory allocating 18446744073709551615 bytes!")


def restart(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG RESTART [ms]: rewrite the configuration file, save as SHUTDOWN does, and start again."""
    delay_ms = _delay_ms(arguments)
    if server.config.config_file and server.host.rewrite_config():
        raise CommandError(_NOT_RESTARTED)
    if not shutting_down.begin(server, frozenset([NOW])):
        raise CommandError(_NOT_RESTARTED)
    server.host.restart_at_end(delay_ms)
    client.flags |= CLOSE_NOW


def crash_and_recover(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG CRASH-AND-RECOVER [ms]."""
    server.host.restart_now(_delay_ms(arguments))
    raise CommandError(_NOT_RESTARTED)


def _delay_ms(arguments: list[bytes]) -> int:
    return max(0, min(integer(arguments[2]), _DELAY_MAX_MS)) if len(arguments) > 2 else 0


def leak(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG LEAK text."""
    server.debug.leaked.append(arguments[2])
    client.reply.ok()


def mallctl(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG MALLCTL key [value] and MALLCTL-STR: Python's allocator has nothing to tune by these names."""
    raise CommandError(b"ERR No such file or directory")
