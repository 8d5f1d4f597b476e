"""HELLO, AUTH, RESET, QUIT and what a client without the password may do."""

from tests.node.conversation import TestEngine
from trivet_node.client import CLOSE_AFTER_REPLY, CLOSE_NOW, UNAUTHENTICATED
from trivet_node.config import Config

WRONG_PASSWORD = "-WRONGPASS invalid username-password pair or user is disabled."


def test_hello_introduces_and_switches() -> None:
    client = TestEngine().connect()
    assert client.say("HELLO") == [
        *("server", "redis", "version", "7.0.15", "proto", 2, "id", 1, "mode", "standalone", "role", "master"),
        *("modules", []),
    ]
    assert client.raw("HELLO 3 SETNAME worker").startswith(b"%7\r\n$6\r\nserver\r\n")
    assert client.say("CLIENT GETNAME") == "worker"
    assert client.raw("GET none") == b"_\r\n"
    client.say("HELLO 2")
    assert client.raw("GET none") == b"$-1\r\n"


def test_hello_without_a_version_changes_nothing() -> None:
    client = TestEngine().connect()
    client.say("HELLO 3")
    assert client.raw("HELLO").startswith(b"%7\r\n")


def test_hello_refuses_what_it_cannot_do_and_changes_nothing() -> None:
    client = TestEngine().connect()
    assert client.say("HELLO 4") == "-NOPROTO unsupported protocol version"
    assert client.say("HELLO x") == "-ERR Protocol version is not an integer or out of range"
    assert client.say("HELLO 3 SETNAME 'a b'") == (
        "-ERR Client names cannot contain spaces, newlines or special characters."
    )
    assert client.say("HELLO 3 AUTH nobody x") == WRONG_PASSWORD
    assert client.say("HELLO 3 AUTH default") == "-ERR Syntax error in HELLO option 'AUTH'"
    assert client.raw("GET none") == b"$-1\r\n"


def test_a_password_locks_and_opens() -> None:
    engine = TestEngine(Config(requirepass="se cret"))
    client = engine.connect()
    assert client.say("PING") == "-NOAUTH Authentication required."
    assert not client.client.parser.authenticated
    assert str(client.say("HELLO 3")).startswith("-NOAUTH HELLO must be called with the client already authenticated")
    assert client.say("AUTH wrong") == WRONG_PASSWORD
    assert client.say("AUTH default wrong") == WRONG_PASSWORD
    assert client.say("AUTH somebody 'se cret'") == WRONG_PASSWORD
    assert client.say("AUTH 'se cret'") == "OK"
    assert client.client.parser.authenticated
    assert client.say("PING") == "PONG"
    assert client.say("RESET") == "RESET"
    assert client.say("PING") == "-NOAUTH Authentication required."
    assert str(client.say("HELLO 2 AUTH default 'se cret'")).startswith("['server'")


def test_quit_and_unknown_commands_work_without_a_password() -> None:
    client = TestEngine(Config(requirepass="x")).connect()
    assert client.say("NONSENSE") == "-ERR unknown command 'NONSENSE', with args beginning with: "
    assert client.say("QUIT") == "OK"
    assert client.client.flags & CLOSE_AFTER_REPLY


def test_a_new_password_keeps_those_who_are_in_and_its_removal_admits_all() -> None:
    engine = TestEngine()
    early = engine.connect()
    assert early.say("CONFIG SET requirepass x") == "OK"
    late = engine.connect()
    assert early.say("PING") == "PONG"
    assert late.say("PING") == "-NOAUTH Authentication required."
    assert early.say("CONFIG SET requirepass ''") == "OK"
    assert late.say("PING") == "PONG"
    assert not late.client.flags & UNAUTHENTICATED


def test_auth_without_any_password() -> None:
    client = TestEngine().connect()
    assert str(client.say("AUTH x")).startswith("-ERR AUTH <password> called without any password configured")
    assert client.say("AUTH default x") == "OK"
    assert client.say("AUTH a b c") == "-ERR syntax error"


def test_reset_forgets_everything() -> None:
    engine = TestEngine()
    client = engine.connect()
    lines = ["HELLO 3", "SELECT 5", "CLIENT SETNAME me", "CLIENT NO-EVICT on", "CLIENT TRACKING on", "WATCH k"]
    for line in (*lines, "SUBSCRIBE c", "MULTI"):
        client.raw(line)
    client.raw("SET k v")
    assert client.say("RESET") == "RESET"
    assert client.raw("CLIENT GETNAME") == b"$-1\r\n"
    assert client.say("SET k v") == "OK"
    assert engine.server.pubsub.channels.listeners == {}
    assert client.client.database.index == 0
    assert client.client.watch.keys == {}
    assert client.client.tracking is None
    # As in Redis, whoever is kept from eviction stays so.
    assert "flags=e " in str(client.say("CLIENT INFO"))


def test_ping_answers_as_an_array_to_subscribers_of_resp2_only() -> None:
    client = TestEngine().connect()
    client.raw("SUBSCRIBE c")
    assert client.say("PING") == ["pong", ""]
    assert client.say("PING hey") == ["pong", "hey"]
    client.raw("RESET")
    client.raw("HELLO 3")
    client.raw("SUBSCRIBE c")
    assert client.raw("PING") == b"+PONG\r\n"


def test_a_browser_is_hung_up_on() -> None:
    engine = TestEngine()
    client = engine.connect()
    assert client.raw("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nFLUSHALL") == b""
    assert client.client.flags & CLOSE_NOW
    assert len(engine.host.lines) == 1
    assert "Possible SECURITY ATTACK detected" in engine.host.lines[0]
