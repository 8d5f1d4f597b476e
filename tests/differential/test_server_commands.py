"""The commands about connections and the server, settings and their texts, and every row of the command table, held
against redis-server 7.0."""

import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.conftest import require_redis_server
from tests.differential.conversations import TIMEOUT_S, converse
from tests.differential.replies import Reply, without_client_ids
from tests.processes import ServerProcess, free_port
from trivet_node.commands.table import COMMANDS
from trivet_node.config import SETTINGS
from trivet_node.config_loading import ConfigError, load_config
from trivet_node.config_rewrite import rewritten
from trivet_node.shell.config_files import read_config_files

CONVERSATIONS: Final = [
    ["PING", "PING a", "PING a b", "ECHO", "ECHO a", "TIME a", "NONSENSE a 'b c'", "NONSENSE", "get", "GET a b"],
    ["HELLO a", "HELLO 1", "HELLO 4", "HELLO 2 foo", "HELLO 2 AUTH a", "HELLO 2 AUTH a b", "HELLO 2 SETNAME 'a b'"],
    ["HELLO 3 SETNAME abc AUTH default x", "CLIENT GETNAME", "GET none", "HELLO 2", "GET none"],
    ["AUTH", "AUTH a", "AUTH default a", "AUTH foo a", "AUTH a b c"],
    ["SELECT 3", "SET k v", "RESET", "GET k", "SELECT 3", "GET k", "RESET a"],
    ["QUIT", "PING"],
    ["QUIT a b", "PING"],
    ["HOST: localhost", "PING"],
    ["post / HTTP/1.1", "PING"],
    ["CLIENT", "CLIENT FOO", "CLIENT ID a", "CLIENT GETNAME", "CLIENT SETNAME a b", "CLIENT SETNAME 'a b'"],
    ["CLIENT SETNAME foo", "CLIENT GETNAME", "CLIENT SETNAME ''", "CLIENT GETNAME"],
    ["CLIENT LIST TYPE foo", "CLIENT LIST TYPE", "CLIENT LIST ID", "CLIENT LIST ID a", "CLIENT LIST FOO"],
    ["CLIENT LIST TYPE master", "CLIENT LIST TYPE replica", "CLIENT LIST ID 0", "CLIENT LIST TYPE normal a"],
    ["CLIENT KILL", "CLIENT KILL foo", "CLIENT KILL 1.2.3.4:5", "CLIENT KILL ID 55555", "CLIENT KILL ID a"],
    ["CLIENT KILL TYPE foo", "CLIENT KILL TYPE master", "CLIENT KILL SKIPME foo ID 1", "CLIENT KILL FOO bar"],
    ["CLIENT KILL USER nobody", "CLIENT KILL ID 4 TYPE", "CLIENT KILL ID 0", "CLIENT KILL ID -1", "CLIENT KILL addr"],
    ["CLIENT KILL TYPE normal USER default SKIPME no", "PING"],
    ["CLIENT NO-EVICT foo", "CLIENT NO-EVICT on", "CLIENT NO-EVICT off", "CLIENT REPLY foo", "CLIENT REPLY on"],
    ["CLIENT REPLY skip", "PING", "PING", "CLIENT REPLY skip", "CLIENT REPLY skip", "PING", "PING"],
    ["CLIENT REPLY skip", "NONSENSE", "PING", "CLIENT REPLY skip", "GET", "PING"],
    ["CLIENT REPLY off", "PING", "NONSENSE", "CLIENT REPLY skip", "GET", "CLIENT REPLY on", "PING"],
    ["CLIENT UNBLOCK 3", "CLIENT UNBLOCK a", "CLIENT UNBLOCK 3 foo", "CLIENT UNBLOCK 3 ERROR", "CLIENT GETREDIR"],
    ["CLIENT TRACKINGINFO", "PUBSUB HELP", "CONFIG HELP", "COMMAND HELP"],
    ["COMMAND FOO", "COMMAND COUNT a", "COMMAND INFO foo", "COMMAND DOCS foo", "COMMAND INFO config|foo get|x a|b"],
    ["COMMAND GETKEYS", "COMMAND GETKEYS get", "COMMAND GETKEYS mset a 1 b 2", "COMMAND GETKEYS mset a"],
    ["COMMAND GETKEYS foo a", "COMMAND GETKEYS config get x", "COMMAND GETKEYS get a b", "COMMAND GETKEYSANDFLAGS get"],
    ["COMMAND GETKEYSANDFLAGS mset a 1 b 2", "COMMAND GETKEYSANDFLAGS set a 1", "COMMAND GETKEYSANDFLAGS set a 1 GET"],
    ["COMMAND GETKEYSANDFLAGS copy a b", "COMMAND GETKEYS lcs a b", "COMMAND GETKEYS object encoding a"],
    [
        "COMMAND GETKEYS xread count 2 STREAMS a b 0 0",
        "COMMAND GETKEYS xread streams a b 0",
        "COMMAND GETKEYS xread a b c",
    ],
    ["COMMAND GETKEYSANDFLAGS xreadgroup group g c streams a b > >", "COMMAND GETKEYS xgroup create a g $"],
    [
        "COMMAND GETKEYS zunion 2 a b",
        "COMMAND GETKEYS zunion 3 a b",
        "COMMAND GETKEYS zunion x a b",
        "COMMAND GETKEYS zunion 0 a",
    ],
    [
        "COMMAND GETKEYSANDFLAGS zunionstore d 2 a b weights 1 2",
        "COMMAND GETKEYS lmpop 2 a b left",
        "COMMAND GETKEYS bzmpop 0 1 a min",
    ],
    [
        "COMMAND GETKEYS blpop a b 0",
        "COMMAND GETKEYS sintercard 2 a b limit 1",
        "COMMAND GETKEYSANDFLAGS bitop and d a b",
    ],
    [
        "COMMAND GETKEYSANDFLAGS sort a by w get x store d",
        "COMMAND GETKEYS sort_ro a by w",
        "COMMAND GETKEYS sort a store",
    ],
    ["COMMAND GETKEYSANDFLAGS georadius g 1 1 1 m store a storedist b", "COMMAND GETKEYS georadiusbymember g m 1 m"],
    ["COMMAND GETKEYSANDFLAGS bitfield a get u8 0", "COMMAND GETKEYSANDFLAGS bitfield a set u8 0 1"],
    [
        "COMMAND GETKEYS migrate h 1 a 0 10",
        "COMMAND GETKEYSANDFLAGS migrate h 1 '' 0 10 copy KEYS a b",
        "COMMAND GETKEYS pfdebug getreg a",
    ],
    ["COMMAND LIST x", "COMMAND LIST FILTERBY", "COMMAND LIST FILTERBY foo bar", "COMMAND LIST FILTERBY MODULE x"],
    ["COMMAND LIST FILTERBY PATTERN nothing*", "COMMAND LIST FILTERBY ACLCAT nothing"],
    ["CONFIG", "CONFIG FOO", "CONFIG GET", "CONFIG SET a", "CONFIG SET a b c", "CONFIG SET nothing 1"],
    ["CONFIG GET MaxClients", "CONFIG GET maxcl* MAXCLIENTS", "CONFIG GET nothing", "CONFIG GET hz hz* HZ"],
    ["CONFIG SET timeout 1 timeout 2", "CONFIG SET timeout 1 maxclients 0", "CONFIG GET timeout", "CONFIG REWRITE"],
    [
        "CONFIG SET hash-max-listpack-value ''",
        "CONFIG GET hash-max-listpack-value",
        "CONFIG SET hash-max-listpack-value 64",
    ],
    ["CONFIG SET hash-max-listpack-value mb", "CONFIG SET hash-max-listpack-value -1", "CONFIG SET maxclients ''"],
    ["COMMAND GETKEYS zunion ' 1' a", "COMMAND GETKEYS zunion 1x a", "COMMAND GETKEYS zunion +1 a"],
    ["CONFIG SET hash-max-listpack-value 64", "COMMAND GETKEYS zunion 99999999999999999999 a"],
    ["CONFIG SET hz 1000", "CONFIG GET hz", "CONFIG SET hz 0", "CONFIG GET hz", "CONFIG SET hz 10"],
    ["CONFIG RESETSTAT a", "CONFIG RESETSTAT", "NONSENSE", "AUTH a b", "INFO errorstats", "INFO foo", "INFO cluster"],
    ["SAVE a", "BGSAVE foo", "LASTSAVE a", "SHUTDOWN foo", "SHUTDOWN ABORT", "SHUTDOWN ABORT NOW"],
    ["SHUTDOWN SAVE NOSAVE", "SHUTDOWN NOSAVE NOW FORCE foo", "LOLWUT", "DEBUG", "DEBUG FOO", "DEBUG SLEEP"],
    ["FAILOVER", "FAILOVER ABORT", "FAILOVER ABORT x", "FAILOVER TO", "FAILOVER TO a", "FAILOVER TO a b", "FAILOVER x"],
    [
        "FAILOVER TO a 1 TO b 2",
        "FAILOVER TIMEOUT 0",
        "FAILOVER TIMEOUT x",
        "FAILOVER TIMEOUT 1 TIMEOUT 2",
        "FAILOVER TO a 1",
    ],
    ["FAILOVER FORCE", "FAILOVER FORCE FORCE", "FAILOVER TO a 1 FORCE TIMEOUT 1", "FAILOVER TO '' 1 TO a 2"],
    ["PSYNC a 1 FAILOVER", "PSYNC", "FAILOVER TIMEOUT -1", "FAILOVER TIMEOUT", "MULTI", "FAILOVER", "EXEC"],
    ["PUBSUB", "PUBSUB FOO", "PUBSUB NUMSUB", "PUBSUB NUMSUB a b", "PUBSUB NUMPAT", "PUBSUB CHANNELS"],
    ["PUBSUB CHANNELS a b", "PUBSUB SHARDCHANNELS", "PUBSUB SHARDCHANNELS a b", "PUBSUB SHARDNUMSUB a", "PUBLISH a"],
    ["UNSUBSCRIBE", "UNSUBSCRIBE a b", "PUNSUBSCRIBE", "PUNSUBSCRIBE x", "SUBSCRIBE", "PSUBSCRIBE"],
    ["SUBSCRIBE a a b", "PING", "PING x", "PING x y", "GET a", "PUBLISH a m", "NONSENSE", "RESET", "GET none"],
    ["SUBSCRIBE a", "PSUBSCRIBE a* a*", "PUBLISH a m", "UNSUBSCRIBE", "UNSUBSCRIBE", "PUBLISH a m", "PUNSUBSCRIBE"],
    ["SUBSCRIBE a", "QUIT", "PING"],
    ["SUBSCRIBE a", "PUBSUB NUMSUB a", "PUBSUB CHANNELS", "PUBSUB NUMPAT"],
    ["MULTI", "SUBSCRIBE a", "PING", "SAVE", "EXEC", "GET none"],
    ["MULTI", "RESET", "EXEC"],
    ["MULTI", "QUIT", "EXEC"],
]


@pytest.mark.parametrize("resp3", [False, True], ids=["resp2", "resp3"])
@pytest.mark.parametrize("lines", CONVERSATIONS, ids=lambda lines: lines[0])
def test_answers_as_redis_does(pair: tuple[ServerProcess, ServerProcess], lines: list[str], resp3: bool) -> None:
    ours, real = pair
    assert _known(converse(ours, lines, resp3)) == _known(converse(real, lines, resp3))


def _known(replies: list[Reply]) -> list[Reply]:
    """Return replies without what differs by nature."""
    return [without_client_ids(reply) for reply in replies]


def test_a_password_as_redis_asks_for_it(pair: tuple[ServerProcess, ServerProcess]) -> None:
    lines = [
        "PING",
        "HELLO",
        "HELLO 3",
        "HELLO 2 AUTH default x",
        "AUTH x",
        "AUTH default foo",
        "PING",
        "RESET",
        "PING",
    ]
    answers = []
    for server in pair:
        server.call("CONFIG", "SET", "requirepass", "foo")
        answers.append(converse(server, [*lines, "AUTH foo"]))
        assert _sizes_refused_before_authentication(server) == [b"multibulk", b"bulk"]
        with socket.create_connection(server.address, TIMEOUT_S) as connection:
            connection.sendall(b"AUTH foo\r\nCONFIG SET requirepass ''\r\n")
            assert connection.makefile("rb").readline() == b"+OK\r\n"
        # The connection made while there was a password may be served before the setting changes.
        assert _until_open(server)
    assert answers[0] == answers[1]


def _sizes_refused_before_authentication(server: ServerProcess) -> list[bytes]:
    refused = []
    for data in (b"*11\r\n", b"*1\r\n$16385\r\n"):
        with socket.create_connection(server.address, TIMEOUT_S) as connection:
            connection.sendall(data)
            line = connection.makefile("rb").readline()
            refused.append(line.removeprefix(b"-ERR Protocol error: unauthenticated ").split()[0])
    return refused


def _until_open(server: ServerProcess) -> bool:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if server.call("PING") == b"PONG":
            return True
    return False


# Settings that Redis has and that cannot be tried out beside each other, or differ by nature.
_OWN_SETTINGS: Final = frozenset(["port", "dir", "bind", "pidfile", "requirepass", "maxmemory-clients"])
# Settings that Redis does not have.
_NEW_SETTINGS: Final = {"cluster-databases", "cluster-slot-stats-enabled", "external-endpoint", "external-port"}
_VALUES: Final = ["bogus!", "-1", "0", "5", "007", "1kb", "99999999999999999999", "yes", "a b", "1 2", "5 5 5 5"]


def test_settings_have_the_defaults_of_redis(pair: tuple[ServerProcess, ServerProcess]) -> None:
    ours, real = (_settings(server) for server in pair)
    shared = set(ours) & set(real)
    assert len(shared) > 150
    assert set(real) - set(ours) == set()
    assert set(ours) - set(real) == _NEW_SETTINGS
    differing = {name for name in shared - _OWN_SETTINGS if ours[name] != real[name]}
    assert differing == set()


def _settings(server: ServerProcess) -> dict[str, str]:
    words = [word.decode() for word in server.call("CONFIG", "GET", "*")]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_settings_accept_and_refuse_what_redis_does(pair: tuple[ServerProcess, ServerProcess]) -> None:
    ours, real = pair
    known = _settings(real)
    differing = []
    for name, row in SETTINGS.items():
        if name in _OWN_SETTINGS or name not in known or row.only_default:
            continue
        for value in _VALUES:
            answers = [
                (str(server.call("CONFIG", "SET", name, value)), server.call("CONFIG", "GET", name)) for server in pair
            ]
            if answers[0] != answers[1]:
                differing.append((name, value, answers))
        for server in pair:
            server.call("CONFIG", "SET", name, known[name])
    assert differing == []
    assert _settings(ours)["save"] == known["save"]


_BAD_FILES: Final = [
    *("port abc", "port", "port 5 6", "foo bar", "save 1", 'timeout "a', "slaveof a", "slaveof a b", "databases 0"),
    *("replicaof a 99999", "unixsocketperm 999", "unixsocketperm 7777", "dbfilename a/b", "appendfilename a/b"),
    *("client-output-buffer-limit normal 1 2", "client-output-buffer-limit x 1 2 3", "loglevel nothing", "sentinel a"),
    *("loglevel notice warning", "timeout x", "rename-command get", "user", "maxmemory 1xb", "hz 99999999999"),
    *("cluster-enabled yes\nslaveof a 1", "bind 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9", "include", "\n\n  PORT  x  "),
]


@pytest.mark.parametrize("text", _BAD_FILES)
def test_a_bad_file_is_refused_in_the_same_words(tmp_path: Path, text: str) -> None:
    require_redis_server()
    path = tmp_path / "t.conf"
    path.write_text(f"# a comment\n{text}\n")
    arguments = [str(path), "--tcp-backlog", "5"]
    real = subprocess.run(["redis-server", *arguments], capture_output=True, timeout=TIMEOUT_S, check=False)
    with pytest.raises(ConfigError) as caught:
        load_config(arguments, read_config_files)
    assert real.returncode == 1
    assert f"{caught.value}\n" == real.stderr.decode()


def test_options_of_the_command_line_are_numbered_as_redis_does(tmp_path: Path) -> None:
    require_redis_server()
    path = tmp_path / "t.conf"
    path.write_text("# a comment\n\n")
    for arguments in (["--port", "x"], [str(path), "--save", "--port", "x"], [str(path), "--port 5", "--hz", "x", "y"]):
        real = subprocess.run(["redis-server", *arguments], capture_output=True, timeout=TIMEOUT_S, check=False)
        with pytest.raises(ConfigError) as caught:
            load_config(arguments, read_config_files)
        assert f"{caught.value}\n" == real.stderr.decode()


def test_a_file_is_rewritten_where_it_stands_as_redis_does(tmp_path: Path) -> None:
    require_redis_server()
    text = (
        "# mine\n\nsave 60 1\n  # indented\nSAVE 30 2\nslave-read-only no\nclient-query-buffer-limit 2mb\n"
        "requirepass 'a b'\n\nsave 5 5\nhz 20\nmaxclients 50\nclient-output-buffer-limit pubsub 1mb 1kb 2\n"
    )
    path = tmp_path / "t.conf"
    path.write_text(text)
    port = free_port()
    server = ServerProcess(["redis-server", str(path), "--port", str(port), "--requirepass", ""], port, tmp_path)
    with server:
        server.start()
        assert server.call("CONFIG", "SET", "hz", "30", "save", "9 9", "repl-backlog-size", "3000000") == b"OK"
        assert server.call("CONFIG", "REWRITE") == b"OK"
    before_signature = path.read_text().partition("# Generated by CONFIG REWRITE")[0]
    config = load_config([], lambda path: [])
    config.hz, config.save, config.repl_backlog_size = 30, ((9, 9),), 3_000_000
    config.replica_read_only, config.maxclients, config.client_query_buffer_limit = False, 50, 2 * 2**20
    limits = SETTINGS["client-output-buffer-limit"]
    config.client_output_buffer_limit = limits.parse(["pubsub", "1mb", "1kb", "2"], config.client_output_buffer_limit)
    assert rewritten(text, config).partition("# Generated by CONFIG REWRITE")[0] == before_signature


# Sentinels tell the epoch of a takeover.
_EXTENDED_COMMANDS: Final = {"cluster|failover"}


def test_every_row_of_the_command_table_is_that_of_redis(pair: tuple[ServerProcess, ServerProcess]) -> None:
    ours, real = (_command_rows(server) for server in pair)
    differing = {name: (row, real[name]) for name, row in ours.items() if name in real and row != real[name]}
    assert set(differing) == _EXTENDED_COMMANDS
    every = [each for command in COMMANDS for each in command.with_subcommands()]
    newer = {each.name for each in every if tuple(int(part) for part in each.since.split(".")) > (7, 0, 15)}
    assert set(ours) - set(real) == newer


def _command_rows(server: ServerProcess) -> dict[str, dict[str, Any]]:
    """Return what COMMAND INFO and COMMAND DOCS say of each command and subcommand; sets are sorted."""
    rows: dict[str, dict[str, Any]] = {}
    info, docs, _ = converse(server, ["COMMAND", "COMMAND DOCS"], resp3=True)
    for row in info.items():
        _add_info(rows, row)
    for name, text in _pairs(docs):
        _add_docs(rows, name, text)
    return rows


def _add_info(rows: dict[str, dict[str, Any]], row: Reply) -> None:
    *fields, subcommands = row.items()
    rows[str(_plain(fields[0]))] = {"info": [_plain(field) for field in fields[1:]]}
    for subcommand in subcommands.items():
        _add_info(rows, subcommand)


def _add_docs(rows: dict[str, dict[str, Any]], name: str, docs: Reply) -> None:
    rows[name]["docs"] = {}
    for field, value in _pairs(docs):
        if field != "subcommands":
            rows[name]["docs"][field] = _plain(value)
            continue
        for subcommand, text in _pairs(value):
            _add_docs(rows, subcommand, text)


def _pairs(reply: Reply) -> list[tuple[str, Reply]]:
    items = reply.items()
    return [(str(_plain(key)), value) for key, value in zip(items[::2], items[1::2], strict=True)]


def _plain(reply: Reply) -> Any:
    if reply.kind == b"~":
        return sorted(map(str, map(_plain, reply.items())))
    if reply.kind == b"%":
        return {key: _plain(value) for key, value in _pairs(reply)}
    if isinstance(reply.value, list):
        return [_plain(item) for item in reply.value]
    return None if reply.value is None else reply.value.decode()
