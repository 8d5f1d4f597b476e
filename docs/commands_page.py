"""Write docs/commands.md from the rows of the command table: `make docs`, or `python docs/commands_page.py`.

Everything on the page stands in the rows. A test says when the page is not what they say any more.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from trivet_node.command import Command
from trivet_node.commands.server.documentation import Argument, parse_arguments
from trivet_node.commands.table import COMMANDS

PAGE: Final = Path(__file__).with_name("commands.md")
# In the order in which they stand on the page.
_GROUPS: Final = {
    "generic": "Keys of any type",
    "string": "Strings",
    "bitmap": "Bitmaps",
    "hyperloglog": "HyperLogLogs",
    "list": "Lists",
    "set": "Sets",
    "hash": "Hashes",
    "sorted-set": "Sorted sets",
    "geo": "Geo",
    "stream": "Streams",
    "transactions": "Transactions",
    "scripting": "Scripts and functions",
    "pubsub": "Publish and subscribe",
    "connection": "Connections",
    "server": "Server",
    "cluster": "Cluster",
}
_HEAD: Final = """# Commands

Made from the command table by `make docs`; do not edit. Replies, errors and checks are those of Redis 7.0 unless a
command says otherwise. COMMAND DOCS tells the same to clients.
"""
_TABLE_HEAD: Final = ("| command | what it does | complexity | since |", "|-|-|-|-|")


def commands_page(commands: Iterable[Command]) -> str:
    """Return the page in Markdown; ValueError where a command's group has no place on it."""
    groups: dict[str, list[Command]] = {name: [] for name in _GROUPS}
    for command in commands:
        if command.group not in groups:
            raise ValueError(f"{command.name}: there is no place for the group {command.group}")
        groups[command.group] += command.subcommands.values() if command.subcommands else [command]
    parts = [_HEAD]
    for name, title in _GROUPS.items():
        rows = [_row(command) for command in sorted(groups[name], key=lambda command: command.name)]
        parts.append("\n".join([f"## {title}\n", *_TABLE_HEAD, *rows, ""]))
    return "\n".join(parts)


def _row(command: Command) -> str:
    syntax = " ".join([command.name.upper().replace("|", " "), *map(_shown, parse_arguments(command.arguments))])
    cells = [f"`{syntax}`", _description(command), command.complexity or "-", command.since]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _description(command: Command) -> str:
    sentences = [f"{command.summary.removesuffix('.')}."]
    if command.deprecated_since:
        sentences.append(f"Deprecated since {command.deprecated_since}: {command.replaced_by.replace('!', '')}.")
    if command.difference:
        sentences.append(f"**Differs from Redis:** {command.difference}")
    return " ".join(sentences)


def _shown(argument: Argument) -> str:
    """Return an argument as manuals write it: [optional], <one | of | these>, [repeated ...]."""
    text = _value(argument)
    token = argument.token or ""
    if argument.type_name == "pure-token":
        text = token or '""'
    elif token and not ("multiple" in argument.flags and "multiple_token" not in argument.flags):
        text = f"{token} {text}"
    if "multiple" in argument.flags:
        text = f"{text} [{text} ...]"
        if token and "multiple_token" not in argument.flags:
            text = f"{token} {text}"
    if "optional" in argument.flags:
        return f"[{text}]"
    return f"<{text}>" if argument.type_name == "oneof" and "multiple" not in argument.flags else text


def _value(argument: Argument) -> str:
    parts = [_shown(part) for part in argument.parts]
    if argument.type_name == "oneof":
        return " | ".join(parts)
    return " ".join(parts) if parts else argument.name


def main() -> None:
    """Write the page."""
    PAGE.write_text(commands_page(COMMANDS))


if __name__ == "__main__":
    main()
