"""Who is refused, and who is cut off."""

import pytest

from tests.node.conversation import NOW_MS, TestEngine
from trivet_node.client import PRIMARY, REPLICA, SUBSCRIBED
from trivet_node.config import Config
from trivet_node.limits import client_class, connection_refusal, exceeds_output_limit, exceeds_query_limit
from trivet_node.settings.composite_kinds import OutputLimit, OutputLimits


@pytest.mark.parametrize(
    ("host", "protected", "password", "refused"),
    [
        ("127.0.0.1", True, "", False),
        ("127.5.5.5", True, "", False),
        ("::1", True, "", False),
        ("", True, "", False),
        ("10.0.0.1", True, "", True),
        ("fe80::1", True, "", True),
        ("10.0.0.1", False, "", False),
        ("10.0.0.1", True, "x", False),
    ],
)
def test_protected_mode(host: str, protected: bool, password: str, refused: bool) -> None:
    config = Config(protected_mode=protected, requirepass=password)
    refusal = connection_refusal(config, 0, host)
    assert refusal.startswith(b"DENIED Redis is running in protected mode") == refused
    assert bool(refusal) == refused


def test_maxclients() -> None:
    config = Config(maxclients=2)
    assert connection_refusal(config, 1, "") == b""
    assert connection_refusal(config, 2, "") == b"ERR max number of clients reached"
    engine = TestEngine(config)
    engine.connect()
    engine.connect()
    assert engine.server.connection_refusal("127.0.0.1")
    assert engine.server.stats.connections_rejected == 1


def test_classes() -> None:
    client = TestEngine().connect().client
    assert client_class(client) == "normal"
    for flag, name in ((SUBSCRIBED, "pubsub"), (REPLICA, "slave"), (PRIMARY, "master")):
        client.flags |= flag
        assert client_class(client) == name


def test_hard_and_soft_limits() -> None:
    client = TestEngine().connect().client
    client.flags |= SUBSCRIBED
    config = Config(client_output_buffer_limit=OutputLimits(pubsub=OutputLimit(1000, 100, 5)))

    def exceeds(waiting_bytes: int, after_ms: int) -> bool:
        return exceeds_output_limit(config, client, waiting_bytes, NOW_MS + after_ms)

    assert not exceeds(99, 0)
    assert exceeds(1000, 0)
    assert not exceeds(100, 1_000)
    assert not exceeds(500, 6_000)
    assert exceeds(100, 6_001)
    # A moment below the soft limit starts its time anew.
    assert not exceeds(50, 7_000)
    assert not exceeds(100, 8_000)
    assert not exceeds(100, 13_000)
    assert exceeds(100, 13_001)


def test_normal_clients_have_no_limit_by_default_and_replicas_none_below_the_backlog() -> None:
    client = TestEngine().connect().client
    assert not exceeds_output_limit(Config(), client, 10**12, NOW_MS)
    client.flags |= REPLICA
    limits = OutputLimits(replica=OutputLimit(1000, 0, 0))
    assert exceeds_output_limit(Config(client_output_buffer_limit=limits, repl_backlog_size=10), client, 1000, NOW_MS)
    config = Config(client_output_buffer_limit=limits, repl_backlog_size=5000)
    assert not exceeds_output_limit(config, client, 4999, NOW_MS)
    assert exceeds_output_limit(config, client, 5000, NOW_MS)


def test_query_limit_counts_what_is_no_request_yet() -> None:
    engine = TestEngine(Config(client_query_buffer_limit=2**20))
    connection = engine.connect()
    start = b"*2\r\n$3\r\nGET\r\n$3000000\r\n"
    engine.engine.feed(connection.client, start + b"x" * (2**20 - len(start)))
    assert not exceeds_query_limit(engine.server.config, connection.client)
    engine.engine.feed(connection.client, b"x")
    assert exceeds_query_limit(engine.server.config, connection.client)
    connection.client.flags |= PRIMARY
    assert not exceeds_query_limit(engine.server.config, connection.client)
