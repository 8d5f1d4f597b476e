"""TIME, snapshots, SHUTDOWN, DEBUG and INFO."""

import pytest

from tests.node.conversation import NOW_MS, TestEngine
from trivet_node.client import CLOSE_NOW
from trivet_node.config import Config
from trivet_node.server import saving
from trivet_node.server.information.fields import human_size
from trivet_node.server.state import CHECK_BUSY, CHECK_DISK, CHECK_LOADING

MISCONFIGURED = "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."


def section(text: object) -> dict[str, str]:
    return dict(line.split(":", 1) for line in str(text).splitlines() if ":" in line)


def test_time_comes_from_outside() -> None:
    assert TestEngine().connect().say("TIME") == ["1700000000", "123456"]


def test_save_and_lastsave() -> None:
    engine = TestEngine()
    client = engine.connect()
    client.say("SET k v")
    assert section(client.say("INFO persistence"))["rdb_changes_since_last_save"] == "1"
    engine.tick(5_000)
    assert client.say("SAVE") == "OK"
    assert client.say("LASTSAVE") == NOW_MS // 1000 + 5
    assert section(client.say("INFO persistence"))["rdb_changes_since_last_save"] == "0"
    engine.host.saves = False
    assert client.say("SAVE") == "-ERR"


def test_background_save_runs_once_at_a_time() -> None:
    engine = TestEngine()
    client = engine.connect()
    client.say("SET k v")
    assert client.say("BGSAVE") == "Background saving started"
    assert client.say("BGSAVE") == "-ERR Background save already in progress"
    assert client.say("SAVE") == "-ERR Background save already in progress"
    assert client.say("BGSAVE NOW") == "-ERR syntax error"
    client.say("SET k2 v")
    engine.tick(3_000)
    assert section(client.say("INFO persistence"))["rdb_current_bgsave_time_sec"] == "3"
    saving.background_save_ended(engine.server, True)
    facts = section(client.say("INFO persistence"))
    # What changed while the child was writing is not in its file.
    assert (facts["rdb_changes_since_last_save"], facts["rdb_bgsave_in_progress"]) == ("1", "0")
    assert (facts["rdb_last_bgsave_time_sec"], facts["rdb_saves"]) == ("3", "1")
    assert client.say("BGSAVE SCHEDULE") == "Background saving started"


def test_a_snapshot_is_not_begun_in_the_middle_of_a_transaction() -> None:
    engine = TestEngine(Config(enable_debug_command="yes"))
    client = engine.connect()
    for how in ("", " SCHEDULE"):
        engine.host.asked.clear()
        client.say("MULTI")
        client.say("SET a 1")
        client.say("BGSAVE" + how)
        client.say("SET b 1")
        assert client.say("EXEC") == ["OK", "Background saving scheduled", "OK"]
        assert engine.host.asked == []
        engine.tick(100)
        assert engine.host.asked == ["bgsave"]
        client.say("MULTI")
        client.say("BGSAVE" + how)
        assert client.say("EXEC") == ["-ERR Background save already in progress"]
        saving.background_save_ended(engine.server, True)
    client.say("DEBUG SET-DISABLE-DENY-SCRIPTS 1")
    assert client.say("EVAL \"return redis.call('BGSAVE')\" 0") == "Background saving scheduled"


def test_flushall_replaces_the_snapshot() -> None:
    engine = TestEngine(Config(save=((3600, 1),)))
    client = engine.connect()
    client.say("MSET a 1 b 2")
    engine.tick(5_000)
    assert client.say("FLUSHALL") == "OK"
    assert engine.host.asked == ["save"]
    assert client.say("LASTSAVE") == NOW_MS // 1000 + 5
    facts = section(client.say("INFO persistence"))
    assert (facts["rdb_changes_since_last_save"], facts["rdb_saves"]) == ("0", "0")
    client.say("MULTI")
    client.say("FLUSHALL")
    client.say("FLUSHALL ASYNC")
    client.say("EXEC")
    client.say("EVAL \"redis.call('FLUSHALL') return redis.call('FLUSHALL')\" 0")
    assert engine.host.asked == ["save", "save", "save"]
    engine.host.saves = False
    assert client.say("FLUSHALL") == "OK"
    engine.tick(100)
    assert engine.host.asked == ["save", "save", "save", "save"]
    client.say("FLUSHDB")
    client.say("CONFIG SET save ''")
    client.say("FLUSHALL")
    assert engine.host.asked == ["save", "save", "save", "save"]


@pytest.mark.parametrize("points", [((3600, 1),), ()])
def test_flushall_ends_the_save_in_the_background(points: tuple[tuple[int, int], ...]) -> None:
    engine = TestEngine(Config(save=points))
    client = engine.connect()
    client.say("SET a 1")
    client.say("BGSAVE")
    assert client.say("FLUSHALL") == "OK"
    assert engine.host.asked == ["bgsave", "stop bgsave", *(["save"] if points else [])]
    saving.background_save_ended(engine.server, False)
    # That was no failure: writes go on.
    assert section(client.say("INFO persistence"))["rdb_last_bgsave_status"] == "ok"
    assert client.say("SET a 1") == "OK"
    client.say("BGSAVE")
    saving.background_save_ended(engine.server, False)
    assert section(client.say("INFO persistence"))["rdb_last_bgsave_status"] == "err"


def test_save_points_start_a_save_and_failures_refuse_writes() -> None:
    engine = TestEngine(Config(save=((10, 2),)))
    client = engine.connect()
    client.say("SET a 1")
    engine.tick(20_000)
    assert engine.host.asked == []
    client.say("SET b 2")
    engine.tick(100)
    assert engine.host.asked == ["bgsave"]
    assert engine.host.lines == ["notice: 2 changes in 10 seconds. Saving..."]
    saving.background_save_ended(engine.server, False)
    assert str(client.say("SET c 3")).startswith(MISCONFIGURED)
    assert str(client.say("PING")).startswith(MISCONFIGURED)
    assert client.say("GET a") == "1"
    engine.tick(4_000)
    assert engine.host.asked == ["bgsave"]
    engine.tick(2_000)
    assert engine.host.asked == ["bgsave", "bgsave"]
    saving.background_save_ended(engine.server, True)
    assert client.say("SET c 3") == "OK"


def test_failures_are_forgiven_where_the_settings_say_so() -> None:
    engine = TestEngine()
    client = engine.connect()
    engine.host.saves = False
    assert client.say("BGSAVE") == "-ERR"
    assert engine.server.checks & CHECK_DISK
    assert client.say("CONFIG SET stop-writes-on-bgsave-error no") == "OK"
    assert client.say("SET a 1") == "OK"
    assert client.say("CONFIG SET stop-writes-on-bgsave-error yes save ''") == "OK"
    assert client.say("SET a 1") == "OK"


@pytest.mark.parametrize(
    ("save", "words", "asked"),
    [
        (((60, 1),), "", ["save", "shutdown"]),
        (((60, 1),), "NOSAVE", ["shutdown"]),
        ((), "", ["shutdown"]),
        ((), "SAVE NOW FORCE", ["save", "shutdown"]),
    ],
)
def test_shutdown_saves_where_it_should(save: tuple[tuple[int, int], ...], words: str, asked: list[str]) -> None:
    engine = TestEngine(Config(save=save))
    client = engine.connect()
    assert client.raw(f"SHUTDOWN {words}") == b""
    assert engine.host.asked == asked
    assert client.client.flags & CLOSE_NOW


def test_shutdown_that_cannot_save_does_not_happen_unless_forced() -> None:
    engine = TestEngine()
    client = engine.connect()
    engine.host.saves = False
    assert client.say("SHUTDOWN") == "-ERR Errors trying to SHUTDOWN. Check logs."
    assert engine.host.asked == ["save"]
    assert client.say("SHUTDOWN ABORT") == "-ERR No shutdown in progress."
    assert client.say("SHUTDOWN SAVE NOSAVE") == "-ERR syntax error"
    assert client.say("SHUTDOWN ABORT NOW") == "-ERR syntax error"
    client.raw("SHUTDOWN FORCE")
    assert engine.host.asked == ["save", "save", "shutdown"]


def test_shutdown_while_loading_keeps_the_file_on_disk() -> None:
    engine = TestEngine()
    engine.server.checks |= CHECK_LOADING
    engine.connect().raw("SHUTDOWN SAVE")
    assert engine.host.asked == ["shutdown"]


def test_shutdown_tells_the_supervisor_and_lets_no_older_snapshot_replace_its_own() -> None:
    engine = TestEngine()
    client = engine.connect()
    client.say("BGSAVE")
    client.raw("SHUTDOWN")
    assert engine.host.asked == ["bgsave", "stop bgsave", "save", "shutdown"]
    assert engine.host.told == ["STOPPING=1", "STATUS=Saving the final RDB snapshot"]


def test_while_a_script_runs_for_too_long_the_node_ends_without_saving_only() -> None:
    engine = TestEngine()
    client = engine.connect()
    engine.server.checks |= CHECK_BUSY
    for words in ("", "SAVE", "NOW"):
        assert str(client.say(f"SHUTDOWN {words}")).startswith("-BUSY Redis is busy running a script.")
    client.raw("SHUTDOWN NOSAVE")
    assert engine.host.asked == ["shutdown"]


@pytest.mark.parametrize(
    ("setting", "address", "allowed"),
    [
        ("no", "127.0.0.1:5", False),
        ("yes", "10.0.0.1:5", True),
        ("local", "127.0.0.1:5", True),
        ("local", "[::1]:5", True),
        ("local", "10.0.0.1:5", False),
    ],
)
def test_debug_is_for_those_who_may(setting: str, address: str, allowed: bool) -> None:
    engine = TestEngine(Config(enable_debug_command=setting))
    reply = engine.connect(address).say("DEBUG SLEEP 0.5")
    assert (reply == "OK") == allowed
    assert engine.host.asked == (["sleep 0.5"] if allowed else [])


def test_info_shows_sections_by_name() -> None:
    client = TestEngine().connect()
    assert client.say("INFO nonsense") == ""
    assert client.say("INFO KEYSPACE cluster") == "# Cluster\r\ncluster_enabled:0\r\n\r\n# Keyspace\r\n"
    titles = [line for line in str(client.say("INFO")).splitlines() if line.startswith("#")]
    assert titles == [
        *("# Server", "# Clients", "# Memory", "# Persistence", "# Stats", "# Replication", "# CPU", "# Modules"),
        *("# Errorstats", "# Cluster", "# Keyspace"),
    ]
    everything = [line for line in str(client.say("INFO everything")).splitlines() if line.startswith("#")]
    assert set(everything) == {*titles, "# Commandstats", "# Latencystats"}


def test_info_tells_what_happened() -> None:
    engine = TestEngine()
    client = engine.connect()
    client.say("CONFIG RESETSTAT")
    for line in ("SET a 1 PX 1000", "SET b 2 PX 3000", "SET c 3", "GET a", "GET none", "NONSENSE", "SET a"):
        client.say(line)
    engine.tick(86_400_000)
    facts = section(client.say("INFO everything"))
    assert (facts["redis_version"], facts["process_id"], facts["uptime_in_days"]) == ("7.0.15", "77", "1")
    assert facts["used_memory_human"] == "3.00M"
    assert facts["mem_fragmentation_ratio"] == "2.00"
    assert (facts["expired_keys"], facts["keyspace_hits"], facts["keyspace_misses"]) == ("2", "1", "1")
    assert facts["db0"] == "keys=1,expires=0,avg_ttl=0"
    assert facts["errorstat_ERR"] == "count=2"
    assert facts["cmdstat_set"].endswith("rejected_calls=1,failed_calls=0")
    assert facts["used_cpu_sys"] == "1.500000"


def test_info_averages_times_to_live() -> None:
    client = TestEngine().connect()
    client.say("SET a 1 PX 1000")
    client.say("SET b 2 PX 3000")
    assert section(client.say("INFO keyspace"))["db0"] == "keys=2,expires=2,avg_ttl=2000"


def test_rates_follow_the_counters() -> None:
    engine = TestEngine()
    client = engine.connect()
    for _ in range(20):
        for _ in range(10):
            client.say("PING")
        engine.tick(100)
    assert section(client.say("INFO stats"))["instantaneous_ops_per_sec"] == "100"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (1023, "1023B"), (1024, "1.00K"), (1536 * 1024, "1.50M"), (5 * 2**40, "5.00T")]
)
def test_human_sizes(size: int, text: str) -> None:
    assert human_size(size) == text
