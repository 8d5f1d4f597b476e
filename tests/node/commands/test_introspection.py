"""COMMAND and its subcommands. What each row says is compared with redis-server in tests/differential."""

import pytest

from tests.node.conversation import TestEngine
from trivet_node.commands.server.documentation import parse_arguments
from trivet_node.commands.table import COMMANDS


def names(reply: object) -> list[str]:
    assert isinstance(reply, list)
    return reply


def test_info_describes_a_command_in_both_protocols() -> None:
    client = TestEngine().connect()
    assert client.say("COMMAND INFO get nonsense CONFIG|GET") == [
        [
            *("get", 2, ["readonly", "fast"], 1, 1, 1, ["@read", "@string", "@fast"], []),
            [
                [
                    *("flags", ["RO", "access"], "begin_search", ["type", "index", "spec", ["index", 1]]),
                    *("find_keys", ["type", "range", "spec", ["lastkey", 0, "keystep", 1, "limit", 0]]),
                ]
            ],
            [],
        ],
        None,
        [
            *("config|get", -3, ["admin", "noscript", "loading", "stale"], 0, 0, 0),
            *(["@admin", "@slow", "@dangerous"], [], [], []),
        ],
    ]
    client.say("HELLO 3")
    assert client.raw("COMMAND INFO time") == (
        b"*1\r\n*10\r\n$4\r\ntime\r\n:1\r\n~3\r\n+loading\r\n+stale\r\n+fast\r\n:0\r\n:0\r\n:0\r\n~1\r\n+@fast\r\n"
        b"~1\r\n$23\r\nnondeterministic_output\r\n~0\r\n~0\r\n"
    )


def test_everything_is_listed_once() -> None:
    client = TestEngine().connect()
    listed = [name for name in names(client.say("COMMAND LIST")) if "|" not in name]
    assert sorted(listed) == sorted({command.name for command in COMMANDS})
    parts = [name for name in names(client.say("COMMAND LIST")) if "|" in name]
    assert sorted(parts) == sorted(part.name for command in COMMANDS for part in command.subcommands.values())
    assert client.say("COMMAND COUNT") == len(listed)
    assert [entry[0] for entry in names(client.say("COMMAND"))] == listed
    assert [entry[0] for entry in names(client.say("COMMAND INFO"))] == listed
    assert names(client.say("COMMAND DOCS"))[::2] == listed


def test_list_filters() -> None:
    client = TestEngine().connect()
    assert names(client.say("COMMAND LIST FILTERBY PATTERN CONFIG*")) == [
        *("config", "config|get", "config|help", "config|resetstat", "config|rewrite", "config|set"),
    ]
    assert {"auth", "hello", "client|id"} <= set(names(client.say("COMMAND LIST FILTERBY ACLCAT connection")))
    assert client.say("COMMAND LIST FILTERBY MODULE x") == []
    assert client.say("COMMAND LIST FILTERBY COLOUR x") == "-ERR syntax error"
    assert client.say("COMMAND LIST FILTERBY PATTERN") == "-ERR syntax error"


def test_keys_of_a_request() -> None:
    client = TestEngine().connect()
    assert client.say("COMMAND GETKEYS MSET a 1 b 2") == ["a", "b"]
    assert client.say("COMMAND GETKEYSANDFLAGS set k v") == [["k", ["OW", "update"]]]
    assert client.say("COMMAND GETKEYSANDFLAGS set k v get") == [["k", ["RW", "access", "update"]]]
    assert client.say("COMMAND GETKEYS config get x") == "-ERR The command has no key arguments"
    assert client.say("COMMAND GETKEYS mset a") == "-ERR Invalid number of arguments specified for command"
    assert client.say("COMMAND GETKEYS nonsense a") == "-ERR Invalid command specified"


def test_docs_hold_what_the_row_says() -> None:
    client = TestEngine().connect()
    assert client.say("COMMAND DOCS auth nonsense") == [
        "auth",
        [
            *("summary", "Authenticate to the server", "since", "1.0.0", "group", "connection"),
            *("complexity", "O(N) where N is the number of passwords defined for the user"),
            *("history", [["6.0.0", "Added ACL style (username and password)."]]),
            "arguments",
            [
                ["name", "username", "type", "string", "since", "6.0.0", "flags", ["optional"]],
                ["name", "password", "type", "string"],
            ],
        ],
    ]


def test_every_row_has_well_formed_arguments() -> None:
    rows = [each for command in COMMANDS for each in (command, *command.subcommands.values())]
    assert any(row.arguments for row in rows)
    for row in rows:
        if row.arguments:
            assert parse_arguments(row.arguments), row.name


def test_argument_notation() -> None:
    (key, choice) = parse_arguments('key:key#0 ip:port:oneof="*x"?*+@6.2.0!7.0.0(a:pure-token=A b:block(c:double))')
    assert (key.name, key.type_name, key.key_spec_index, key.token, key.flags) == ("key", "key", 0, None, [])
    assert (choice.name, choice.token, choice.flags) == ("ip:port", "*x", ["optional", "multiple", "multiple_token"])
    assert (choice.since, choice.deprecated_since) == ("6.2.0", "7.0.0")
    assert [part.name for part in choice.parts] == ["a", "b"]
    assert choice.parts[1].parts[0].type_name == "double"


@pytest.mark.parametrize("notation", ["name", "a:b(", "a:b)", "a:b c"])
def test_malformed_notation(notation: str) -> None:
    with pytest.raises(ValueError, match=r"unbalanced|no argument"):
        parse_arguments(notation)
