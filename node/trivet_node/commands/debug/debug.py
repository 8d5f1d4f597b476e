"""DEBUG: its subcommands, and who may use them. They are no rows of their own, because COMMAND does not know them.

(Redis: debug.c debugCommand.)
"""

import re
from typing import Final

from trivet_node.client import Client
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError, Handler
from trivet_node.commands.arguments import option
from trivet_node.commands.debug import clients, cluster, dataset, digests, endings, objects, protocol, switches, tables
from trivet_node.commands.debug.help import help_
from trivet_node.limits import is_loopback
from trivet_node.server.state import Server
from trivet_node.settings.text import to_bytes, to_text
from trivet_wire import errors
from trivet_wire.glob import glob_match

_DENIED: Final = (
    b'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local '
    b"connection, otherwise you need to set this option in the configuration file, and then restart the server."
)
_SECONDS: Final = re.compile(rb"\s*(\+?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)", re.IGNORECASE)
_SECONDS_MAX: Final = 1e9
_MATCHES: Final = 100_000
_MATCHED_BYTES: Final = 32
_ANY_NUMBER: Final = 2**31 - 1


def debug(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG subcommand [argument ...]."""
    allowed = server.config.enable_debug_command
    if allowed == "no" or (allowed == "local" and not _is_local(client)):
        raise CommandError(_DENIED)
    found = _SUBCOMMANDS.get(option(arguments[1]))
    if found is None or not found[1] <= len(arguments) <= found[2]:
        raise CommandError(errors.subcommand_syntax("debug", arguments[1]))
    found[0](server, client, arguments)


def _is_local(client: Client) -> bool:
    return client.is_on_unix_socket() or is_loopback(client.address.rpartition(":")[0].strip("[]"))


def sleep(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG SLEEP seconds: a number that the text begins with, zero where there is none, as C's strtod decides."""
    found = _SECONDS.match(arguments[2])
    server.host.sleep(min(float(found[1]), _SECONDS_MAX) if found else 0.0)
    client.reply.ok()


def log(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG LOG message."""
    server.host.log("warning", f"DEBUG LOG: {to_text(errors.c_string(arguments[2]))}")
    client.reply.ok()


def rewrite_whole_config(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG CONFIG-REWRITE-FORCE-ALL: CONFIG REWRITE with a line for every setting."""
    failure = server.host.rewrite_config(every=True) if server.config.config_file else "Bad address"
    if failure:
        raise CommandError(b"ERR CONFIG-REWRITE-FORCE-ALL failed: " + to_bytes(failure))
    client.reply.ok()


def test_matching(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG STRINGMATCH-TEST: match random patterns against random texts."""
    random = server.random
    for _ in range(_MATCHES):
        pattern, text = [random.randbytes(random.randrange(_MATCHED_BYTES)) for _ in range(2)]
        glob_match(pattern, text)
    client.reply.simple(b"Apparently Redis did not crash: test passed")


# The fewest and the most arguments that each takes, DEBUG and its own name included.
_SUBCOMMANDS: Final[dict[bytes, tuple[Handler, int, int]]] = {
    b"AOF-FLUSH-SLEEP": (switches.aof_flush_sleep, 3, 3),
    b"ASSERT": (endings.fail_assertion, 2, _ANY_NUMBER),
    b"CHANGE-REPL-ID": (cluster.change_replication_id, 2, 2),
    b"CLIENT-EVICTION": (clients.client_eviction, 2, 2),
    b"CLUSTERLINK": (cluster.kill_link, 5, 5),
    b"CONFIG-REWRITE-FORCE-ALL": (rewrite_whole_config, 2, 2),
    b"CRASH-AND-RECOVER": (endings.crash_and_recover, 2, _ANY_NUMBER),
    b"DIGEST": (digests.digest, 2, 2),
    b"DIGEST-VALUE": (digests.digest_value, 2, _ANY_NUMBER),
    b"DROP-CLUSTER-PACKET-FILTER": (cluster.drop_packets, 3, 3),
    b"ERROR": (protocol.error, 3, 3),
    b"HELP": (help_, 2, 2),
    b"HTSTATS": (tables.table_stats, 3, 3),
    b"HTSTATS-KEY": (tables.table_stats_of_key, 3, 3),
    b"LEAK": (endings.leak, 3, 3),
    b"LISTPACK": (objects.listpack, 3, 3),
    b"LOADAOF": (dataset.loadaof, 2, _ANY_NUMBER),
    b"LOG": (log, 3, 3),
    b"MALLCTL": (endings.mallctl, 3, _ANY_NUMBER),
    b"MALLCTL-STR": (endings.mallctl, 3, _ANY_NUMBER),
    b"OBJECT": (objects.object_, 3, 3),
    b"OOM": (endings.exhaust_memory, 2, _ANY_NUMBER),
    b"PANIC": (endings.panic, 2, _ANY_NUMBER),
    b"PAUSE-CRON": (switches.pause_cron, 3, 3),
    b"POPULATE": (dataset.populate, 3, 5),
    b"PROTOCOL": (protocol.protocol, 3, 3),
    b"QUICKLIST": (objects.quicklist, 3, 4),
    b"QUICKLIST-PACKED-THRESHOLD": (switches.packed_threshold, 3, 3),
    b"RELOAD": (dataset.reload_, 2, _ANY_NUMBER),
    b"REPLICATE": (cluster.replicate, 3, _ANY_NUMBER),
    b"REPLYBUFFER": (switches.replybuffer, 4, 4),
    b"RESTART": (endings.restart, 2, _ANY_NUMBER),
    b"SDSLEN": (objects.sdslen, 3, 3),
    b"SEGFAULT": (endings.segfault, 2, _ANY_NUMBER),
    b"SET-ACTIVE-EXPIRE": (switches.set_active_expire, 3, 3),
    b"SET-DISABLE-DENY-SCRIPTS": (switches.allow_denied_scripts, 3, 3),
    b"SET-SKIP-CHECKSUM-VALIDATION": (switches.skip_checksums, 3, 3),
    b"SLEEP": (sleep, 3, 3),
    b"STRINGMATCH-TEST": (test_matching, 2, 2),
    b"STRUCTSIZE": (objects.structsize, 2, 2),
}

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "debug",
        -2,
        debug,
        ADMIN | NOSCRIPT | LOADING | STALE,
        group="server",
        since="1.0.0",
        summary="A container for debugging commands",
        complexity="Depends on subcommand.",
        doc_flags=("syscmd",),
        difference="RELOAD keeps the data where the file cannot be loaded or holds a key twice; LOADAOF is an error. "
        "AOF-FLUSH-SLEEP, QUICKLIST-PACKED-THRESHOLD and REPLYBUFFER change nothing, MALLCTL knows no key. Sizes, "
        "addresses and tables are those of Python's objects, and lists may lie in other nodes.",
    ),
)
