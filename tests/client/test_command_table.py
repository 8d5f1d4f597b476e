"""Key positions: what the server's own COMMAND GETKEYS says of the same commands."""

import pytest

from tests.processes import ServerProcess
from trivet_client.command_table import CommandTable, KeySpec

COMMANDS = [
    "GET k",
    "get k",
    "SET k v EX 10",
    "MGET a b c",
    "MSET a 1 b 2",
    "DEL a b c",
    "BITOP AND dest a b",
    "OBJECT ENCODING k",
    "object freq k",
    "COPY a b REPLACE",
    "RENAME a b",
    "SORT k",
    "EVAL script 2 a b c",
    "EVALSHA sha 1 a b",
    "FCALL f 2 a b c",
    "ZUNIONSTORE dest 2 a b WEIGHTS 1 2",
    "ZINTER 2 a b WITHSCORES",
    "ZMPOP 2 a b MIN",
    "LMPOP 1 a LEFT",
    "BLMPOP 1 2 a b LEFT",
    "BLPOP a b 0",
    "XREAD COUNT 5 STREAMS a b 0 0",
    "XREADGROUP GROUP g c STREAMS a b > >",
    "XGROUP CREATE k g $",
    "XINFO STREAM k",
    "SMOVE a b m",
    "SINTERCARD 2 a b LIMIT 1",
    "GEORADIUS k 1 2 3 m STORE dest",
    "MIGRATE host 6379 k 0 1000",
    "MIGRATE host 6379  0 1000 KEYS a b",
    "PFMERGE dest a b",
    "LCS a b",
    "MEMORY USAGE k",
    "LPUSH STREAMS a",
    "SET NX NX",
    "XADD k * f v",
    "ZRANGESTORE dest src 0 -1",
    "DUMP k",
    "PUBLISH channel message",
    "SPUBLISH channel message",
    "PING",
    "EVAL script 0 a",
]


@pytest.fixture(scope="module")
def table(redis_server: ServerProcess) -> CommandTable:
    return CommandTable(redis_server.call("COMMAND"))


def split(line: str) -> list[bytes]:
    return [word.encode() for word in line.split(" ")]


def keys(table: CommandTable, arguments: list[bytes]) -> list[bytes]:
    return [arguments[position] for position in table.info(arguments).key_positions(arguments)]


@pytest.mark.parametrize("line", COMMANDS)
def test_keys_are_those_that_the_server_names(line: str, table: CommandTable, redis_server: ServerProcess) -> None:
    arguments = split(line)
    answer = redis_server.call("COMMAND", "GETKEYS", *arguments)
    # A channel of SPUBLISH is no key, but is what decides about the slot.
    expected = answer if isinstance(answer, list) else [b"channel"] if line.startswith("SPUBLISH") else []
    assert sorted(keys(table, arguments)) == sorted(expected), str(answer)


@pytest.mark.parametrize(
    "line", ["GET", "EVAL script", "EVAL script x a", "XREAD COUNT 5", "OBJECT", "MGET", "", "EVAL s 9 a"]
)
def test_commands_that_lack_arguments_do_no_harm(line: str, table: CommandTable) -> None:
    arguments = split(line)
    assert all(0 < position < len(arguments) for position in table.info(arguments).key_positions(arguments))


@pytest.mark.parametrize(
    ("line", "reads_only", "blocks"),
    [
        ("GET k", True, False),
        ("SET k v", False, False),
        ("BLPOP k 0", False, True),
        ("XREAD BLOCK 0 STREAMS k 0", True, True),
        ("XINFO STREAM k", True, False),
        ("XGROUP CREATE k g 0", False, False),
        ("NOSUCH k", False, False),
    ],
)
def test_kinds_of_commands(line: str, reads_only: bool, blocks: bool, table: CommandTable) -> None:
    info = table.info(split(line))
    assert (info.reads_only, info.blocks) == (reads_only, blocks)


def test_without_a_server_the_first_argument_is_the_key() -> None:
    table = CommandTable()
    assert keys(table, split("GET k v")) == [b"k"]
    assert keys(table, split("PING")) == []
    assert keys(table, split("EVAL script 2 a b c")) == [b"a", b"b"]


def test_servers_before_redis_7_describe_keys_by_first_last_and_step() -> None:
    table = CommandTable(
        [
            [b"mset", -3, [b"write"], 1, -1, 2],
            [b"get", 2, [b"readonly"], 1, 1, 1],
            [b"object", -2, [b"readonly"], 2, 2, 1],
            [b"ping", -1, [b"fast"], 0, 0, 0],
            [b"blpop", -3, [b"write"], 1, -2, 1],
            [b"evalsha", -3, [b"movablekeys"], 0, 0, 0],
        ]
    )
    assert keys(table, split("MSET a 1 b 2")) == [b"a", b"b"]
    assert keys(table, split("GET k")) == [b"k"]
    assert keys(table, split("OBJECT ENCODING k")) == [b"k"]
    assert keys(table, split("PING x")) == []
    assert keys(table, split("BLPOP a b 0")) == [b"a", b"b"]
    assert keys(table, split("EVALSHA x 1 a b")) == [b"a"]


def test_a_keyword_is_looked_for_from_the_end_where_the_start_is_negative() -> None:
    spec = KeySpec(keyword=b"KEYS", begin=-2, last=-1)
    assert list(spec.positions(split("MIGRATE h 1  0 9 KEYS a b"))) == [7, 8]
