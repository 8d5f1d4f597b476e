"""CONFIG at run time."""

import pytest

from tests.node.conversation import TestEngine
from trivet_node import access
from trivet_node.config import SETTINGS, Config


def failed(name: str, reason: str) -> str:
    return f"-ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}"


def test_get_by_names_and_patterns() -> None:
    client = TestEngine().connect()
    assert client.say("CONFIG GET save") == ["save", "3600 1 300 100 60 10000"]
    assert client.say("CONFIG GET appendonly") == ["appendonly", "no"]
    assert client.say("CONFIG GET MaxClients nonsense") == ["MaxClients", "10000"]
    assert client.say("CONFIG GET maxcl* MAXCLIENTS maxclients") == ["maxclients", "10000"]
    reply = client.say("CONFIG GET *slave-read* replica-read*")
    assert reply == ["slave-read-only", "yes", "replica-read-only", "yes"]
    everything = client.say("CONFIG GET *")
    assert isinstance(everything, list)
    assert set(everything[::2]) == set(SETTINGS)
    assert client.raw("HELLO 3") and client.raw("CONFIG GET hz") == b"%1\r\n$2\r\nhz\r\n$2\r\n10\r\n"


def test_set_changes_all_or_nothing() -> None:
    engine = TestEngine()
    client = engine.connect()
    assert client.say("CONFIG SET timeout 5 maxclients 7 client-output-buffer-limit 'pubsub 1mb 1kb 2'") == "OK"
    config = engine.server.config
    assert (config.timeout, config.maxclients) == (5, 7)
    assert client.say("CONFIG GET client-output-buffer-limit") == [
        "client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 1024 2",
    ]
    assert client.say("CONFIG SET timeout 9 maxclients 0") == failed(
        "maxclients", "argument must be between 1 and 4294967295 inclusive"
    )
    assert config.timeout == 5
    assert engine.host.changed == [["client_output_buffer_limit", "maxclients", "timeout"]]


def test_what_the_shell_refuses_is_taken_back() -> None:
    engine = TestEngine()
    engine.host.refusals = ["Unable to listen on this port. Check server logs."]
    assert engine.connect().say("CONFIG SET port 80 hz 50") == failed(
        "port", "Unable to listen on this port. Check server logs."
    )
    assert (engine.server.config.port, engine.server.config.hz) == (6379, 10)
    # Once to change and once to change back.
    assert engine.host.changed == [["hz", "port"], ["hz", "port"]]


# More digits than Python reads as a number.
MANY_DIGITS = "9" * 5000


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (f"hz {MANY_DIGITS}", failed("hz", "argument couldn't be parsed into an integer")),
        (f"maxmemory {MANY_DIGITS}", failed("maxmemory", "argument must be a memory value")),
        (
            f"maxmemory-clients {MANY_DIGITS}%",
            failed("maxmemory-clients", "argument must be a memory or percent value"),
        ),
        (
            f'oom-score-adj-values "{MANY_DIGITS} 0 0"',
            failed("oom-score-adj-values", "Invalid oom-score-adj-values, elements must be between -2000 and 2000."),
        ),
        (
            f'client-output-buffer-limit "normal 0 0 {MANY_DIGITS}"',
            failed(
                "client-output-buffer-limit",
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            ),
        ),
        (
            f"external-endpoint a:{MANY_DIGITS}",
            failed("external-endpoint", "external-endpoint must be of the form host:port"),
        ),
        ("nonsense 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nonsense'"),
        ("databases 5", failed("databases", "can't set immutable config")),
        ("DIR /", failed("dir", "can't set protected config")),
        ("timeout 1 timeout 2", failed("timeout", "duplicate parameter")),
        ("slave-read-only no replica-read-only no", failed("replica-read-only", "duplicate parameter")),
        ("timeout 1 port", "-ERR syntax error"),
        ("timeout", "-ERR wrong number of arguments for 'config|set' command"),
        ("maxmemory 1gb", failed("maxmemory", "Trivet has no memory limit yet: only '0' is possible")),
        ("save 5", failed("save", "Invalid save parameters")),
        ("save '5 1 x'", failed("save", "Invalid save parameters")),
        ("save '5 1 60 -1'", failed("save", "Invalid save parameters")),
        ("save '0 1'", failed("save", "Invalid save parameters")),
    ],
)
def test_set_refusals(words: str, error: str) -> None:
    engine = TestEngine()
    assert engine.connect().say(f"CONFIG SET {words}") == error
    assert engine.server.config == Config()


@pytest.mark.parametrize(
    ("points", "kept"),
    [
        ("99999999999999999999 1", "9223372036854775807 1"),
        ("9223372036854775807 1", "9223372036854775807 1"),
        (f"{MANY_DIGITS} {MANY_DIGITS}", "9223372036854775807 2147483647"),
        ("+5 007 10 0", "5 7 10 0"),
        ("", ""),
    ],
)
def test_save_points_of_any_number_of_digits(points: str, kept: str) -> None:
    engine = TestEngine()
    client = engine.connect()
    assert client.say(f"CONFIG SET save '{points}'") == "OK"
    assert client.say("CONFIG GET save") == ["save", kept]
    client.say("SET a 1")
    engine.tick(100)
    assert engine.host.asked == []


def test_protected_settings_can_be_opened() -> None:
    engine = TestEngine(Config(enable_protected_configs="yes"))
    assert engine.connect().say("CONFIG SET dbfilename other.rdb") == "OK"
    assert engine.server.config.dbfilename == "other.rdb"


def test_settings_take_effect() -> None:
    engine = TestEngine()
    client = engine.connect()
    client.say("CONFIG SET proto-max-bulk-len 1mb hz 9999 save '10 1'")
    assert client.client.parser.bulk_max == 2**20
    assert engine.connect().client.parser.bulk_max == 2**20
    assert engine.server.config.hz == 500
    assert engine.server.snapshots.points == ((10, 1),)
    client.say("CONFIG SET maxmemory-policy allkeys-lfu lfu-log-factor 3")
    log = engine.server.keyspace.access
    assert (log.mode, log.log_factor) == (access.FREQUENCY, 3)
    client.say("CONFIG SET maxmemory-policy noeviction")
    assert log.mode == access.OFF


def test_settings_of_the_start_take_effect() -> None:
    log = TestEngine(Config(maxmemory_policy="volatile-lfu", lfu_decay_time=7)).server.keyspace.access
    assert (log.mode, log.decay_minutes) == (access.FREQUENCY, 7)
    assert TestEngine(Config(hz=0)).server.config.hz == 1


def test_options_without_effect_are_said_to_have_none() -> None:
    engine = TestEngine()
    assert engine.connect().say("CONFIG SET maxmemory-samples 1 timeout 5") == "OK"
    assert engine.host.lines == [
        "warning: CONFIG SET of options without effect here: maxmemory-samples (Trivet has no memory limit yet)"
    ]


def test_resetstat_starts_counting_anew() -> None:
    engine = TestEngine()
    client = engine.connect()
    for line in ("GET none", "SET k v", "GET k", "NONSENSE", "CLIENT KILL x"):
        client.say(line)
    assert "keyspace_misses:1" in str(client.say("INFO stats"))
    assert client.say("CONFIG RESETSTAT") == "OK"
    stats = str(client.say("INFO stats"))
    assert "keyspace_hits:0" in stats
    assert "keyspace_misses:0" in stats
    assert "total_commands_processed:1" in stats
    assert "cmdstat_get" not in str(client.say("INFO commandstats"))
    assert str(client.say("INFO errorstats")) == "# Errorstats\r\n"


def test_rewrite_needs_a_file() -> None:
    engine = TestEngine()
    client = engine.connect()
    assert client.say("CONFIG REWRITE") == "-ERR The server is running without a config file"
    engine.server.config.config_file = "/etc/t.conf"
    assert client.say("CONFIG REWRITE") == "OK"
    assert engine.host.asked == ["rewrite"]
