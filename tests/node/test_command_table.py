"""Every row of the command table against what redis-server says of the command of that name."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.processes import ServerProcess, read_reply
from trivet_node.command import FLAG_NAMES, Command, KeySpec
from trivet_node.commands.table import COMMANDS
from trivet_wire.connection import encode_request

# Commands that came after the level we are compatible with, and when: clients of today send them, or they are too good
# to wait for.
LATER = {
    "client|setinfo": "7.2.0",
    "cluster|myshardid": "7.2.0",
    "cluster|slot-stats": "8.2.0",
    "hotkeys": "8.6.0",
    "hotkeys|get": "8.6.0",
    "hotkeys|help": "8.6.0",
    "hotkeys|reset": "8.6.0",
    "hotkeys|start": "8.6.0",
    "hotkeys|stop": "8.6.0",
    **dict.fromkeys(["hexpire", "hpexpire", "hexpireat", "hpexpireat", "hpersist"], "7.4.0"),
    **dict.fromkeys(["httl", "hpttl", "hexpiretime", "hpexpiretime"], "7.4.0"),
    **dict.fromkeys(["hgetdel", "hgetex", "hsetex"], "8.0.0"),
}

# What is there of a type is there whole; only the groups about connections, scripts and the server have gaps.
WHOLE_GROUPS = frozenset(
    [b"string", b"bitmap", b"list", b"set", b"sorted-set", b"hash", b"stream", b"geo", b"hyperloglog", b"generic"]
)


def all_rows() -> Iterator[Command]:
    for command in COMMANDS:
        yield command
        yield from command.subcommands.values()


ROWS = [command for command in all_rows() if command.name not in LATER]


class RealFacts:
    """What COMMAND INFO and COMMAND DOCS of redis-server say, by the full name of a command or subcommand."""

    def __init__(self, server: ServerProcess) -> None:
        with socket.create_connection(server.address, 10) as connection:
            self.info = _by_name(_ask(connection, b"COMMAND", b"INFO"))
            self.docs: dict[str, dict[bytes, Any]] = {}
            self._add_docs(_pairs(_ask(connection, b"COMMAND", b"DOCS")))

    def _add_docs(self, docs: dict[bytes, Any]) -> None:
        for name, fields in docs.items():
            facts = _pairs(fields)
            self.docs[name.decode()] = facts
            self._add_docs(_pairs(facts.get(b"subcommands", [])))


def _ask(connection: socket.socket, *arguments: bytes) -> Any:
    connection.sendall(encode_request(arguments))
    return read_reply(connection)


def _by_name(replies: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for reply in replies:
        found[reply[0].decode()] = reply
        found |= _by_name(reply[9])
    return found


def _pairs(flat: list[Any]) -> dict[bytes, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


@pytest.fixture(scope="module")
def real(redis_server: ServerProcess) -> RealFacts:
    return RealFacts(redis_server)


def words(names: list[Any]) -> set[str]:
    """Return words that may be bytes or status replies, without the @ of categories."""
    return {(name if isinstance(name, str) else name.decode()).removeprefix("@") for name in names}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_says_what_command_info_says(row: Command, real: RealFacts) -> None:
    _, arity, flags, first, last, step, categories, tips, key_specs, subcommands = real.info[row.name]
    assert row.arity == arity
    assert {name for flag, name in FLAG_NAMES if row.flags & flag} == words(flags)
    assert row.key_range() == (first, last, step)
    assert set(row.categories) == words(categories)
    assert list(row.tips) == [tip.decode() for tip in tips]
    assert [described(spec) for spec in row.key_specs] == [_real_spec(spec) for spec in key_specs]
    assert {command.name for command in row.subcommands.values()} <= _by_name(subcommands).keys() | LATER.keys()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_says_what_command_docs_says(row: Command, real: RealFacts) -> None:
    docs = real.docs[row.name]
    assert row.summary.encode() == docs[b"summary"]
    assert row.since.encode() == docs[b"since"]
    assert row.group.encode() == docs[b"group"]
    assert row.complexity.encode() == docs.get(b"complexity", b"")
    assert [[version.encode(), text.encode()] for version, text in row.history] == docs.get(b"history", [])
    assert row.deprecated_since.encode() == docs.get(b"deprecated_since", b"")
    assert row.replaced_by.encode() == docs.get(b"replaced_by", b"")


def test_no_command_of_the_types_is_missing(real: RealFacts) -> None:
    wanted = {name for name, docs in real.docs.items() if docs[b"group"] in WHOLE_GROUPS}
    assert len(wanted) > 180
    assert wanted <= {row.name for row in ROWS}


def described(spec: KeySpec) -> tuple[set[str], str, dict[bytes, Any], dict[bytes, Any]]:
    begin: dict[bytes, Any] = {b"index": spec.begin}
    find = {b"lastkey": spec.last, b"keystep": spec.step, b"limit": spec.limit}
    if spec.keyword:
        begin = {b"keyword": spec.keyword.encode(), b"startfrom": spec.begin}
    if spec.keynum >= 0:
        find = {b"keynumidx": spec.keynum, b"firstkey": spec.first, b"keystep": spec.step}
    return set(spec.flags.split()), spec.notes, {} if spec.is_unknown else begin, {} if spec.is_unknown else find


def _real_spec(flat: list[Any]) -> tuple[set[str], str, dict[bytes, Any], dict[bytes, Any]]:
    spec = _pairs(flat)
    begin = _pairs(spec[b"begin_search"])
    find = _pairs(spec[b"find_keys"])
    return words(spec[b"flags"]), spec.get(b"notes", b"").decode(), _pairs(begin[b"spec"]), _pairs(find[b"spec"])


def test_later_commands_say_so(real: RealFacts) -> None:
    later = {command.name: command.since for command in all_rows() if command.name not in real.info}
    assert later == LATER


def test_every_row_is_found_in_any_case() -> None:
    names = [command.name for command in COMMANDS]
    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)
