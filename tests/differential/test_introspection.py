"""COMMAND, the HELP of every container, MEMORY, LOLWUT and their like, held against redis-server 7.0."""

import re
from typing import Final

import pytest

from tests.differential.conversations import converse
from tests.differential.replies import Reply
from tests.processes import ServerProcess
from trivet_node.commands.table import COMMANDS

Pair = tuple[ServerProcess, ServerProcess]

_CONTAINERS: Final = [command.name for command in COMMANDS if b"help" in command.subcommands] + ["debug"]
# What a help says that redis-server's does not.
_OWN_HELP: Final[dict[str, set[bytes]]] = {
    "client": {
        b"SETINFO <option> <value>",
        b"    Set client meta attr. Options are:",
        b"    * LIB-NAME: the client lib name.",
        b"    * LIB-VER: the client lib version.",
    }
}
# Containers that redis-server 7.0 does not have.
_NEW_CONTAINERS: Final = {"hotkeys"}

_ABOUT_COMMANDS: Final = (["command", "getkeys"], ["command", "getkeysandflags"])
_NOT_YET: Final = {*("eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro", "ssubscribe", "spublish")} - {
    command.name for command in COMMANDS
}

CONVERSATIONS: Final = [
    ["MEMORY", "MEMORY FOO", "MEMORY USAGE", "MEMORY USAGE none", "MEMORY USAGE none SAMPLES", "MEMORY STATS a"],
    [
        "SET a b",
        "MEMORY USAGE a SAMPLES -1",
        "MEMORY USAGE a SAMPLES x",
        "MEMORY USAGE a FOO 1",
        "MEMORY USAGE a SAMPLES",
    ],
    ["MEMORY USAGE none SAMPLES 1 SAMPLES -2", "MEMORY PURGE", "MEMORY DOCTOR", "MEMORY DOCTOR a", "MEMORY PURGE a"],
    ["LOLWUT VERSION", "LOLWUT VERSION a", "LOLWUT a b c", "LOLWUT VERSION 4", "LOLWUT VERSION 7 1 2", "LOLWUT"],
    ["LOLWUT VERSION 5 a", "LOLWUT VERSION 5 1 b", "LOLWUT version 99"],
    ["TIME a", "LASTSAVE a", "DBSIZE a", "ROLE", "ROLE a", "SWAPDB", "SWAPDB 0 1 2", "SWAPDB a 1", "SWAPDB 0 b"],
    ["SWAPDB 0 99", "SWAPDB -1 0", "SWAPDB 99999999999 0", "FLUSHALL", "SET k v", "SWAPDB 0 1", "DBSIZE", "SWAPDB 1 0"],
    [
        "COMMAND COUNT 1",
        "COMMAND GETKEYS",
        "COMMAND GETKEYS foo a",
        "COMMAND GETKEYS ping x",
        "COMMAND GETKEYS get a b",
    ],
    [
        "COMMAND GETKEYS eval s 2 a b c",
        "COMMAND GETKEYS eval s 0",
        "COMMAND GETKEYS eval s x a",
        "COMMAND GETKEYS evalsha s 3 a",
    ],
    [
        "COMMAND GETKEYSANDFLAGS eval s 1 a b",
        "COMMAND GETKEYSANDFLAGS eval_ro s 1 a",
        "COMMAND GETKEYS evalsha_ro s 1 a",
    ],
    ["COMMAND GETKEYSANDFLAGS fcall f 2 a b", "COMMAND GETKEYS fcall_ro f 1 a", "COMMAND GETKEYS fcall f -1 a"],
    ["COMMAND GETKEYSANDFLAGS xreadgroup GROUP g c COUNT 1 BLOCK 0 NOACK STREAMS a b > 0", "COMMAND GETKEYS xread a"],
    ["COMMAND GETKEYS xreadgroup group streams streams streams k 0", "COMMAND GETKEYS xread streams streams 0"],
    [
        "COMMAND GETKEYSANDFLAGS migrate h 1 k 0 1",
        "COMMAND GETKEYS migrate h 1 '' 0 1",
        "COMMAND GETKEYS migrate h 1 k 0 1 KEYS a",
    ],
    ["COMMAND GETKEYS migrate h 1 '' 0 1 AUTH keys KEYS a b", "COMMAND GETKEYSANDFLAGS migrate h 1 '' 0 1 KEYS a"],
    [
        "COMMAND GETKEYSANDFLAGS sort a",
        "COMMAND GETKEYS sort a by store get store limit 0 1 store d",
        "COMMAND GETKEYS sort a desc",
    ],
    ["COMMAND GETKEYS sort a store b store c", "COMMAND GETKEYSANDFLAGS sort_ro a get b"],
    [
        "COMMAND GETKEYSANDFLAGS zunionstore d 1 a",
        "COMMAND GETKEYSANDFLAGS zdiff 2 a b",
        "COMMAND GETKEYS zmpop 1 a min",
    ],
    [
        "COMMAND GETKEYSANDFLAGS blmpop 0 2 a b left",
        "COMMAND GETKEYS lmpop 3 a b left",
        "COMMAND GETKEYS sintercard 0 a",
    ],
    ["COMMAND GETKEYSANDFLAGS geosearchstore d s frommember m byradius 1 m", "COMMAND GETKEYSANDFLAGS rename a b"],
    [
        "COMMAND GETKEYSANDFLAGS lmove a b left right",
        "COMMAND GETKEYSANDFLAGS smove a b m",
        "COMMAND GETKEYS pfmerge d a b",
    ],
    ["COMMAND GETKEYSANDFLAGS pfcount a b", "COMMAND GETKEYSANDFLAGS getex a", "COMMAND GETKEYSANDFLAGS hset h f v"],
    [
        "COMMAND GETKEYSANDFLAGS set a 1 px 3 get",
        "COMMAND GETKEYSANDFLAGS set a GET",
        "COMMAND GETKEYSANDFLAGS bitfield a",
    ],
    [
        "COMMAND GETKEYS memory usage a",
        "COMMAND GETKEYS object help",
        "COMMAND GETKEYS xinfo stream s",
        "COMMAND GETKEYS xgroup help",
    ],
    [
        "COMMAND GETKEYS config set a b",
        "COMMAND GETKEYS memory",
        "COMMAND GETKEYS memory foo a",
        "COMMAND GETKEYSANDFLAGS",
    ],
    [
        "COMMAND GETKEYS subscribe a",
        "COMMAND GETKEYS publish c m",
        "COMMAND GETKEYS ssubscribe a b",
        "COMMAND GETKEYS spublish c m",
    ],
    ["COMMAND GETKEYS watch a b", "COMMAND GETKEYS del", "COMMAND GETKEYS exists a a", "COMMAND GETKEYS restore k 0 x"],
    ["COMMAND INFO get nothing config|get config|nothing", "COMMAND INFO GET", "COMMAND INFO Memory|USAGE"],
    [
        "COMMAND LIST FILTERBY PATTERN x*claim",
        "COMMAND LIST FILTERBY ACLCAT nothing",
        "COMMAND LIST FILTERBY MODULE nothing",
    ],
    [
        "COMMAND LIST FILTERBY",
        "COMMAND LIST FILTERBY PATTERN",
        "COMMAND LIST FOO PATTERN a",
        "COMMAND LIST FILTERBY FOO a",
    ],
    ["COMMAND DOCS nothing", "COMMAND DOCS lolwut", "COMMAND DOCS memory|usage", "COMMAND FOO", "COMMAND HELP a"],
    [
        "OBJECT",
        "OBJECT FOO a",
        "OBJECT HELP a",
        "OBJECT ENCODING",
        "OBJECT FREQ none",
        "OBJECT REFCOUNT none",
        "object help",
    ],
]


def _is_known(line: str) -> bool:
    """Say whether a line is about a command that a node of ours has; those that ask for another one are said above."""
    words = line.lower().split()
    return words[:2] not in _ABOUT_COMMANDS or len(words) < 3 or words[2] not in _NOT_YET


@pytest.mark.parametrize("resp3", [False, True], ids=["resp2", "resp3"])
@pytest.mark.parametrize("lines", CONVERSATIONS, ids=lambda lines: lines[0])
def test_answers_as_redis_does(pair: Pair, lines: list[str], resp3: bool) -> None:
    known = [line for line in lines if _is_known(line)]
    ours, real = ([_in_order(reply) for reply in converse(server, known, resp3)] for server in pair)
    assert ours == real


def _in_order(reply: Reply) -> Reply:
    """Return a reply whose sets of words are in order: commands are listed in no particular one."""
    items = [_in_order(item) for item in reply.items()]
    if items and all(
        item.kind == b"$" and item.value and b"claim" in bytes(str(item.value), "ascii") for item in items
    ):
        items.sort(key=lambda item: str(item.value))
    return Reply(reply.kind, items) if isinstance(reply.value, list) else reply


@pytest.mark.parametrize("name", sorted(set(_CONTAINERS) - _NEW_CONTAINERS))
def test_help_says_what_redis_says(pair: Pair, name: str) -> None:
    ours, real = (converse(server, [f"{name} HELP", f"{name} help", f"{name} HELP a"]) for server in pair)
    assert [_without(_OWN_HELP.get(name, set()), reply) for reply in ours] == real


def _without(lines: set[bytes], reply: Reply) -> Reply:
    """Return a help without some of its lines."""
    if not isinstance(reply.value, list):
        return reply
    return Reply(reply.kind, [item for item in reply.value if item.value not in lines])


@pytest.mark.parametrize("category", ["@x", "fast", "SLOW", "scripting", "connection", "transaction", "blocking"])
def test_lists_the_commands_of_a_category(pair: Pair, category: str) -> None:
    ours, real = (set(server.call("COMMAND", "LIST", "FILTERBY", "ACLCAT", category)) for server in pair)
    known = {each.name.encode() for command in COMMANDS for each in command.with_subcommands()}
    everything = set(pair[1].call("COMMAND", "LIST", "FILTERBY", "PATTERN", "*"))
    assert ours & everything == real & known


def test_memory_stats_have_the_fields_of_redis(pair: Pair) -> None:
    meaningless = ("allocator", "rss-overhead", "lua.caches", "functions.caches", "cluster.links")
    for lines in (["FLUSHALL"], ["SET a 1", "SET b 2 EX 1000", "SELECT 3", "SET c 1"]):
        seen = []
        for server in pair:
            converse(server, lines)
            (stats, _) = converse(server, ["MEMORY STATS"], resp3=True)
            names = [item.value.decode() for item in stats.items()[::2] if isinstance(item.value, bytes)]
            kinds = [item.kind for item in stats.items()[1::2]]
            seen.append([pair for pair in zip(names, kinds, strict=True) if not pair[0].startswith(meaningless)])
        assert seen[0] == seen[1]
        assert len(seen[0]) == 15 + 2 * (len(lines) > 1)


def test_a_value_takes_more_than_its_bytes(pair: Pair) -> None:
    for server in pair:
        converse(server, ["FLUSHALL"])
        server.call("SET", "string", "x" * 10_000)
        server.call("RPUSH", "list", *["x" * 100] * 200)
        server.call("HSET", "hash", *[word for number in range(1000) for word in (str(number), "x" * 100)])
        server.call("SADD", "set", *[f"{number:0100}" for number in range(1000)])
        server.call("ZADD", "zset", *[word for number in range(1000) for word in (number, f"{number:0100}")])
        for number in range(200):
            server.call("XADD", "stream", f"{number + 1}-1", "field", "x" * 100)
        for key, size in (
            ("string", 10_000),
            ("list", 20_000),
            ("hash", 100_000),
            ("set", 100_000),
            ("zset", 100_000),
            ("stream", 20_000),
        ):
            usage = server.call("MEMORY", "USAGE", key, "SAMPLES", "0")
            assert size < usage < 4 * size, key
            assert usage / 2 < server.call("MEMORY", "USAGE", key) < usage * 2, key


@pytest.mark.parametrize(
    "arguments", ["5", "5 10 2 3", "5 1 1 1", "5 30 7 2", "5 0 -1 0", "6", "6 10 10", "6 0 0", "6 33"]
)
def test_drawings_have_the_size_of_those_of_redis(pair: Pair, arguments: str) -> None:
    shapes = []
    for server in pair:
        *lines, last, end = server.call("LOLWUT", "VERSION", *arguments.split()).decode().split("\n")
        assert (last[-17:], end) == ("Redis ver. 7.0.15", "")
        # Colours are not part of the size.
        shapes.append([len(re.sub("\x1b[^m]*m", "", line)) for line in lines if not line.isascii() or "\x1b" in line])
    assert shapes[0] == shapes[1]
