"""MONITOR: what is written, and when anybody pays for it."""

from tests.node.conversation import NOW_MS, TestEngine
from trivet_node.client import CLOSE_NOW
from trivet_wire.quoting import quoted
from trivet_wire.requests import split_words

_TIME = f"{NOW_MS // 1000}.123456"


def test_what_is_quoted_reads_back() -> None:
    data = bytes(range(1, 256))
    assert split_words(quoted(data)) == [data]
    assert quoted(b'a"\\\n\r\t\a\b\0\xff ~') == rb'"a\"\\\n\r\t\a\b\x00\xff ~"'


def test_requests_are_shown_behind_their_answers() -> None:
    engine = TestEngine()
    monitor, client = engine.connect("127.0.0.1:2000"), engine.connect("127.0.0.1:3000")
    assert monitor.say("MONITOR") == "OK"
    client.say("SET k 'a b'")
    assert monitor.heard() == [f'{_TIME} [0 127.0.0.1:3000] "SET" "k" "a b"']
    assert monitor.client in engine.server.pending
    assert monitor.all("ECHO x") == ["x", f'{_TIME} [0 127.0.0.1:2000] "ECHO" "x"']
    client.say("AUTH default secret")
    assert monitor.heard() == [f'{_TIME} [0 127.0.0.1:3000] "AUTH" "(redacted)" "(redacted)"']


def test_nobody_pays_for_monitors_that_are_gone() -> None:
    engine = TestEngine()
    monitors = [engine.connect() for _ in range(3)]
    for monitor in monitors:
        monitor.say("MONITOR")
    assert engine.server.checks != 0
    monitors[0].say("RESET")
    engine.server.remove_client(monitors[1].client)
    assert engine.server.checks != 0
    engine.server.remove_client(monitors[2].client)
    assert engine.server.checks == 0
    monitors[0].say("GET k")
    assert monitors[0].heard() == []


def test_a_monitor_that_closes_or_wants_no_answers_is_shown_nothing() -> None:
    engine = TestEngine()
    monitor, closing, client = engine.connect(), engine.connect(), engine.connect()
    for each in (monitor, closing):
        each.say("MONITOR")
    engine.server.close_client(closing.client, CLOSE_NOW)
    assert monitor.raw("CLIENT REPLY OFF") == b""
    client.say("PING")
    assert monitor.heard() == closing.heard() == []
    assert len(monitor.all("CLIENT REPLY ON")) == 2
    assert len(monitor.all("CLIENT REPLY SKIP")) == 1
    assert monitor.all("PING") == []
    assert len(monitor.all("PING")) == 2


def test_an_idle_monitor_is_not_closed_and_counts_as_a_normal_client() -> None:
    engine = TestEngine()
    monitor = engine.connect()
    monitor.say("MONITOR")
    assert not monitor.client.may_time_out()
    assert "flags=O " in str(engine.connect().say("CLIENT LIST TYPE normal"))


def test_a_unix_socket_is_named_by_its_path() -> None:
    engine = TestEngine()
    monitor = engine.connect()
    monitor.say("MONITOR")
    client = engine.connect("/tmp/t.sock:0")
    client.client.local_address = "/tmp/t.sock:0"
    client.say("PING")
    assert monitor.heard() == [f'{_TIME} [0 unix:/tmp/t.sock] "PING"']
