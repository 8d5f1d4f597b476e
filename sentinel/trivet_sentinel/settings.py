"""Options of a group, by the names that sentinel.conf and SENTINEL SET use: one row each, the only place for both."""

import os
from collections.abc import Callable
from typing import Final

import attrs

from trivet_sentinel.state import Settings


class BadOption(ValueError):
    """The option does not exist, or its value is not allowed. str() names the reason."""


@attrs.frozen
class SettingRow:
    """One option: its name, how many values it takes, how to set it, and what to write down (None: the default)."""

    name: str
    arity: int
    assign: Callable[[Settings, list[str]], None]
    written: Callable[[Settings], list[str]]


def positive_number(text: str) -> int:
    """Return `text` as a number of at least 1; BadOption where it is none."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise BadOption("value must be a positive number")
    return int(text)


def port_number(text: str, lowest: int = 1) -> int:
    """Return `text` as a TCP port; BadOption where it is none."""
    if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= 65535:
        raise BadOption("Invalid port")
    return int(text)


def yes_or_no(text: str) -> bool:
    """Return whether `text` is yes; BadOption where it is neither yes nor no."""
    if text.lower() not in ("yes", "no"):
        raise BadOption("argument must be 'yes' or 'no'")
    return text.lower() == "yes"


def yes_no(value: bool) -> str:
    """Return yes or no."""
    return "yes" if value else "no"


def _executable(text: str) -> str:
    if text and not os.access(text, os.X_OK):
        raise BadOption("Script does not exist or is not executable")
    return text


def _rename(settings: Settings, values: list[str]) -> None:
    old, new = values
    if not old or not new:
        raise BadOption("command names must not be empty")
    settings.renamed_commands[old.lower()] = new


def _number_row(name: str, field: str, default: int | None) -> SettingRow:
    def assign(settings: Settings, values: list[str]) -> None:
        setattr(settings, field, positive_number(values[0]))

    def written(settings: Settings) -> list[str]:
        value = getattr(settings, field)
        return [] if value == default else [str(value)]

    return SettingRow(name, 1, assign, written)


def _text_row(name: str, field: str, check: Callable[[str], str]) -> SettingRow:
    def assign(settings: Settings, values: list[str]) -> None:
        setattr(settings, field, check(values[0]))

    def written(settings: Settings) -> list[str]:
        value = getattr(settings, field)
        return [value] if value else []

    return SettingRow(name, 1, assign, written)


SETTING_ROWS: Final = (
    _number_row("down-after-milliseconds", "down_after_ms", 30_000),
    _number_row("failover-timeout", "failover_timeout_ms", 180_000),
    _number_row("parallel-syncs", "parallel_syncs", 1),
    _text_row("notification-script", "notification_script", _executable),
    _text_row("client-reconfig-script", "client_reconfig_script", _executable),
    _text_row("auth-pass", "auth_pass", str),
    _text_row("auth-user", "auth_user", str),
    SettingRow("rename-command", 2, _rename, lambda _settings: []),
)
SCRIPT_OPTIONS: Final = ("notification-script", "client-reconfig-script")
# Only SENTINEL SET changes the quorum by this name; sentinel.conf says it in `sentinel monitor`.
QUORUM_ROW: Final = _number_row("quorum", "quorum", None)


def find_row(name: str) -> SettingRow | None:
    """Return the row of a group's option, or None where there is no such option."""
    return next((row for row in (*SETTING_ROWS, QUORUM_ROW) if row.name == name.lower()), None)


def written_settings(settings: Settings) -> list[list[str]]:
    """Return the words `OPTION VALUE...` that say how `settings` differ from the defaults."""
    lines = [[row.name, *row.written(settings)] for row in SETTING_ROWS if row.written(settings)]
    return lines + [["rename-command", old, new] for old, new in settings.renamed_commands.items()]
