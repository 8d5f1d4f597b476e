"""CONFIG: settings at run time. The list of settings is the class Config. (Redis: group "server", config.c.)"""

from typing import Any, Final

from trivet_node.client import Client
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError, container
from trivet_node.config import SETTINGS
from trivet_node.server.setting_effects import apply_settings
from trivet_node.server.state import Server
from trivet_node.settings.kinds import SettingError
from trivet_node.settings.rows import Setting, idle_settings
from trivet_node.settings.text import to_bytes, to_text
from trivet_node.stats import Stats
from trivet_wire import errors
from trivet_wire.glob import glob_match
from trivet_wire.help import reply_help

_GLOB_MARKS: Final = b"*?["
_FAILED: Final = "ERR CONFIG SET failed (possibly related to argument '%s') - %s"


def get(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CONFIG GET pattern [pattern ...]."""
    found: dict[str, tuple[bytes, Setting]] = {}
    for pattern in arguments[2:]:
        lowered = to_text(pattern.lower())
        if not any(mark in pattern for mark in _GLOB_MARKS):
            if lowered in SETTINGS:
                found.setdefault(lowered, (pattern, SETTINGS[lowered]))
            continue
        for name, row in SETTINGS.items():
            if glob_match(pattern.lower(), name.encode()):
                found.setdefault(name, (name.encode(), row))
    client.reply.map(len(found))
    for shown, row in found.values():
        client.reply.bulk(shown)
        client.reply.bulk(to_bytes(row.kind.show(getattr(server.config, row.attribute))))


def set_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CONFIG SET parameter value [parameter value ...]: all of them, or none."""
    if len(arguments) % 2:
        raise CommandError(errors.SYNTAX)
    rows = _rows_to_set(server, arguments[2::2])
    before = {row.attribute: getattr(server.config, row.attribute) for _, row in rows}
    values: dict[str, Any] = {}
    for (name, row), text in zip(rows, arguments[3::2], strict=True):
        try:
            values[row.attribute] = row.parse(_words(row, to_text(text)), before[row.attribute])
        except SettingError as error:
            raise CommandError(to_bytes(_FAILED % (name, error))) from error
    failure = _apply(server, values, before)
    if failure:
        raise CommandError(to_bytes(_FAILED % (rows[0][0], failure)))
    _warn_of_idle_settings(server, rows)
    client.reply.ok()


def resetstat(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CONFIG RESETSTAT."""
    server.stats = Stats()
    keyspace = server.keyspace
    keyspace.hits = 0
    keyspace.misses = 0
    keyspace.expired_total = 0
    keyspace.expired_fields_total = 0
    keyspace.lazyfree.freed_total = 0
    server.snapshots.count = 0
    if server.slot_stats is not None:
        server.slot_stats.reset()
    for command in server.commands_with_subcommands():
        command.reset_statistics()
    client.reply.ok()


def rewrite(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CONFIG REWRITE."""
    if not server.config.config_file:
        raise CommandError(b"ERR The server is running without a config file")
    failure = server.host.rewrite_config()
    if failure:
        server.host.log("warning", f"CONFIG REWRITE failed: {failure}")
        raise CommandError(to_bytes(f"ERR Rewriting config file: {failure}"))
    server.host.log("warning", "CONFIG REWRITE executed with success.")
    client.reply.ok()


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CONFIG HELP."""
    reply_help(client.reply, "CONFIG", _HELP)


def _rows_to_set(server: Server, names: list[bytes]) -> list[tuple[str, Setting]]:
    """Return the settings that may be set, by the names used; CommandError where one may not."""
    rows: list[tuple[str, Setting]] = []
    for name in names:
        lowered = to_text(name.lower())
        row = SETTINGS.get(lowered)
        if row is None:
            raise CommandError(b"ERR Unknown option or number of arguments for CONFIG SET - '%s'" % name)
        if not row.mutable:
            raise CommandError(to_bytes(_FAILED % (lowered, "can't set immutable config")))
        if row.protected and server.config.enable_protected_configs == "no":
            raise CommandError(to_bytes(_FAILED % (lowered, "can't set protected config")))
        if any(row.attribute == other.attribute for _, other in rows):
            raise CommandError(to_bytes(_FAILED % (lowered, "duplicate parameter")))
        rows.append((lowered, row))
    return rows


def _words(row: Setting, text: str) -> list[str]:
    if not row.kind.many_words:
        return [text]
    return text.split(" ") if text else []


def _apply(server: Server, values: dict[str, Any], before: dict[str, Any]) -> str:
    """Take the values over; where the shell cannot follow, take them back and return why."""
    changed = [attribute for attribute, value in values.items() if value != before[attribute]]
    if not changed:
        return ""
    _assign(server, values, changed)
    failure = server.host.settings_changed(changed)
    if failure:
        _assign(server, before, changed)
        server.host.settings_changed(changed)
    return failure


def _assign(server: Server, values: dict[str, Any], attributes: list[str]) -> None:
    for attribute in attributes:
        setattr(server.config, attribute, values[attribute])
    apply_settings(server, attributes)


def _warn_of_idle_settings(server: Server, rows: list[tuple[str, Setting]]) -> None:
    idle = idle_settings([row for _, row in rows], server.config)
    if idle:
        server.host.log("warning", f"CONFIG SET of options without effect here: {idle}")


_HELP: Final = (
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "config",
        -2,
        container,
        0,
        group="server",
        since="2.0.0",
        summary="A container for server configuration commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "config|get",
                -3,
                get,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.0.0",
                summary="Get the values of configuration parameters",
                complexity="O(N) when N is the number of configuration parameters provided",
                history=(("7.0.0", "Added the ability to pass multiple pattern parameters in one call"),),
                arguments="parameter:block*(parameter:string)",
            ),
            Command(
                "config|help",
                2,
                help_,
                LOADING | STALE,
                group="server",
                since="5.0.0",
                summary="Show helpful text about the different subcommands",
            ),
            Command(
                "config|resetstat",
                2,
                resetstat,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.0.0",
                summary="Reset the stats returned by INFO",
            ),
            Command(
                "config|rewrite",
                2,
                rewrite,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.8.0",
                summary="Rewrite the configuration file with the in memory configuration",
            ),
            Command(
                "config|set",
                -4,
                set_,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.0.0",
                summary="Set configuration parameters to the given values",
                complexity="O(N) when N is the number of configuration parameters provided",
                tips=(
                    "request_policy:all_nodes",
                    "response_policy:all_succeeded",
                ),
                history=(("7.0.0", "Added the ability to set multiple parameters in one call."),),
                arguments="parameter_value:block*(parameter:string value:string)",
            ),
        ),
    ),
)
