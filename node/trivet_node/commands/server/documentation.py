"""COMMAND DOCS: what a row says of its command, for people and for the hints of redis-cli.

A row describes its arguments in one line, from which the nested maps of the reply are made:

    name:type=TOKEN#0?*+@6.2.0!7.0.0(parts)

The type is one of Redis' (string, integer, double, key, pattern, unix-time, pure-token, oneof, block). Behind it may
stand, in this order: the word that precedes the argument (in quotes where it holds a mark), the index of its key
specification, `?` for optional, `*` for multiple, `+` for a word that is repeated with each value, the versions since
when the argument exists and is deprecated, and the parts of a oneof or a block. (Redis: COMMAND DOCS.)
"""

import re
from typing import Any, Final, final

from trivet_node.command import Command
from trivet_wire.replies import ReplyBuffer

_PART: Final = re.compile(
    r'(?P<name>[^\s()]+):(?P<type>[a-z-]+)(=(?P<token>"[^"]*"|[^\s#?*+@!()"]+))?(#(?P<key>[0-9]+))?'
    r"(?P<optional>\?)?(?P<multiple>\*)?(?P<repeated>\+)?(@(?P<since>[0-9.]+))?(!(?P<deprecated>[0-9.]+))?"
)


@final
class Argument:
    """One argument of a command, or a part of one."""

    def __init__(self, name: str, type_name: str, token: str | None, key_spec_index: int | None) -> None:
        self.name: str = name
        self.type_name: str = type_name
        self.token: str | None = token
        self.key_spec_index: int | None = key_spec_index
        self.flags: list[str] = []
        self.since: str = ""
        self.deprecated_since: str = ""
        self.parts: list[Argument] = []


def parse_arguments(notation: str) -> list[Argument]:
    """Return the arguments that a row's notation describes; ValueError where it is malformed."""
    arguments, end = _parse(notation, 0)
    if end != len(notation):
        raise ValueError(f"unbalanced at {end}: {notation}")
    return arguments


def _parse(notation: str, position: int) -> tuple[list[Argument], int]:
    arguments: list[Argument] = []
    while position < len(notation) and notation[position] != ")":
        match = _PART.match(notation, position)
        if match is None:
            raise ValueError(f"no argument at {position}: {notation}")
        argument = _argument(match)
        position = match.end()
        if notation.startswith("(", position):
            argument.parts, position = _parse(notation, position + 1)
            position += 1
        arguments.append(argument)
        position += notation.startswith(" ", position)
    return arguments, position


def _argument(match: Any) -> Argument:
    token = match["token"]
    key = match["key"]
    argument = Argument(
        match["name"], match["type"], None if token is None else token.strip('"'), None if key is None else int(key)
    )
    for group, flag in (("optional", "optional"), ("multiple", "multiple"), ("repeated", "multiple_token")):
        if match[group]:
            argument.flags.append(flag)
    argument.since = match["since"] or ""
    argument.deprecated_since = match["deprecated"] or ""
    return argument


def reply_documentation(reply: ReplyBuffer, command: Command) -> None:
    """Append what COMMAND DOCS says of a command: its name, then a map."""
    doc_flags = list(command.doc_flags)
    if command.deprecated_since and "deprecated" not in doc_flags:
        doc_flags.append("deprecated")
    lists = [bool(doc_flags), bool(command.history), bool(command.arguments), bool(command.subcommands)]
    texts = [("summary", command.summary), ("since", command.since), ("group", command.group)]
    if command.complexity:
        texts.append(("complexity", command.complexity))
    reply.bulk_text(command.name)
    reply.map(len(texts) + sum(lists) + (2 if command.deprecated_since else 0))
    _reply_texts(reply, texts)
    if doc_flags:
        reply.bulk(b"doc_flags")
        reply_words(reply, doc_flags)
    if command.deprecated_since:
        _reply_texts(reply, [("deprecated_since", command.deprecated_since), ("replaced_by", command.replaced_by)])
    if command.history:
        reply.bulk(b"history")
        reply.set(len(command.history))
        for version, change in command.history:
            reply.bulk_array([version.encode(), change.encode()])
    if command.arguments:
        reply.bulk(b"arguments")
        _reply_arguments(reply, parse_arguments(command.arguments))
    if command.subcommands:
        reply.bulk(b"subcommands")
        reply.map(len(command.subcommands))
        for subcommand in command.subcommands.values():
            reply_documentation(reply, subcommand)


def reply_words(reply: ReplyBuffer, words: list[str]) -> None:
    """Append a set of simple strings."""
    reply.set(len(words))
    for word in words:
        reply.simple(word.encode())


def _reply_arguments(reply: ReplyBuffer, arguments: list[Argument]) -> None:
    reply.array(len(arguments))
    for argument in arguments:
        _reply_argument(reply, argument)


def _reply_argument(reply: ReplyBuffer, argument: Argument) -> None:
    texts = []
    if argument.token is not None:
        texts.append(("token", argument.token))
    if argument.since:
        texts.append(("since", argument.since))
    if argument.deprecated_since:
        texts.append(("deprecated_since", argument.deprecated_since))
    has_key = argument.key_spec_index is not None
    reply.map(2 + len(texts) + has_key + bool(argument.flags) + bool(argument.parts))
    _reply_texts(reply, [("name", argument.name), ("type", argument.type_name)])
    if argument.key_spec_index is not None:
        reply.bulk(b"key_spec_index")
        reply.integer(argument.key_spec_index)
    _reply_texts(reply, texts)
    if argument.flags:
        reply.bulk(b"flags")
        reply_words(reply, argument.flags)
    if argument.parts:
        reply.bulk(b"arguments")
        _reply_arguments(reply, argument.parts)


def _reply_texts(reply: ReplyBuffer, texts: list[tuple[str, str]]) -> None:
    for name, text in texts:
        reply.bulk_text(name)
        reply.bulk_text(text)
