"""CLIENT."""

import pytest

from tests.node.conversation import TestEngine
from trivet_node.blocking import FOREVER, Wait
from trivet_node.client import CLOSE_AFTER_REPLY, CLOSE_NOW, PENDING, REPLICA

FIELDS = (
    "id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll "
    "omem tot-mem events cmd user redir resp lib-name lib-ver"
)


def described(line: object) -> dict[str, str]:
    return dict(field.split("=", 1) for field in str(line).strip().split(" "))


def test_list_describes_every_client() -> None:
    engine = TestEngine()
    one, other = engine.connect("10.0.0.1:1"), engine.connect("10.0.0.2:2")
    engine.tick(5_000)
    for line in ("CLIENT SETNAME me", "CLIENT SETINFO LIB-NAME lib", "CLIENT SETINFO lib-ver 1.2", "SELECT 3", "MULTI"):
        one.say(line)
    one.say("SET k value")
    lines = str(other.say("CLIENT LIST")).splitlines()
    assert [" ".join(described(line)) for line in lines] == [FIELDS, FIELDS]
    first = described(lines[0])
    assert (first["id"], first["addr"], first["name"], first["age"], first["idle"]) == (
        "1",
        "10.0.0.1:1",
        "me",
        "5",
        "0",
    )
    assert (first["flags"], first["db"], first["multi"], first["multi-mem"]) == ("x", "3", "1", "9")
    assert (first["cmd"], first["lib-name"], first["lib-ver"]) == ("set", "lib", "1.2")
    assert described(lines[1])["cmd"] == "client|list"
    assert described(lines[1])["idle"] == "0"


def test_list_filters() -> None:
    engine = TestEngine()
    one, other, third = engine.connect(), engine.connect(), engine.connect()
    other.raw("SUBSCRIBE a")
    third.client.flags |= REPLICA
    assert [described(line)["id"] for line in str(one.say("CLIENT LIST TYPE pubsub")).splitlines()] == ["2"]
    assert [described(line)["id"] for line in str(one.say("CLIENT LIST TYPE replica")).splitlines()] == ["3"]
    assert [described(line)["id"] for line in str(one.say("CLIENT LIST TYPE normal")).splitlines()] == ["1"]
    assert [described(line)["id"] for line in str(one.say("CLIENT LIST ID 3 99 1")).splitlines()] == ["3", "1"]
    assert one.say("CLIENT LIST TYPE odd") == "-ERR Unknown client type 'odd'"
    assert one.say("CLIENT LIST ID x") == "-ERR Invalid client ID"
    assert one.say("CLIENT LIST TYPE") == "-ERR syntax error"


@pytest.mark.parametrize(
    ("filters", "killed"),
    [
        ("ID 2", {2}),
        ("TYPE pubsub", {3}),
        ("TYPE normal", {2}),
        ("TYPE normal SKIPME no", {1, 2}),
        ("ADDR 10.0.0.3:3", {3}),
        ("LADDR 127.0.0.1:6379", {2, 3}),
        ("USER default", {2, 3}),
        ("ID 2 TYPE pubsub", set()),
        ("SKIPME no", {1, 2, 3}),
    ],
)
def test_kill_by_filters(filters: str, killed: set[int]) -> None:
    engine = TestEngine()
    me, others = engine.connect("10.0.0.1:1"), [engine.connect("10.0.0.2:2"), engine.connect("10.0.0.3:3")]
    others[1].raw("SUBSCRIBE a")
    assert me.say(f"CLIENT KILL {filters}") == len(killed)
    closing = {c.client.id for c in (me, *others) if c.client.flags & (CLOSE_NOW | CLOSE_AFTER_REPLY)}
    assert closing == killed
    # Who kills itself is answered first.
    assert not me.client.flags & CLOSE_NOW
    assert {client.id for client in engine.server.pending} == killed


def test_kill_by_address() -> None:
    engine = TestEngine()
    me, other = engine.connect("10.0.0.1:1"), engine.connect("10.0.0.2:2")
    assert me.say("CLIENT KILL 10.0.0.9:9") == "-ERR No such client"
    assert me.say("CLIENT KILL 10.0.0.2:2") == "OK"
    assert other.client.flags & CLOSE_NOW
    assert me.say("CLIENT KILL 10.0.0.1:1") == "OK"
    assert me.client.flags & CLOSE_AFTER_REPLY


@pytest.mark.parametrize(
    ("filters", "error"),
    [
        ("ID 0", "-ERR client-id should be greater than 0"),
        ("ID x", "-ERR client-id should be greater than 0"),
        ("TYPE odd", "-ERR Unknown client type 'odd'"),
        ("USER somebody", "-ERR No such user 'somebody'"),
        ("SKIPME perhaps", "-ERR syntax error"),
        ("ID 1 TYPE", "-ERR syntax error"),
        ("NONSENSE x", "-ERR syntax error"),
    ],
)
def test_kill_refuses_bad_filters(filters: str, error: str) -> None:
    assert TestEngine().connect().say(f"CLIENT KILL {filters}") == error


def test_names_and_library_facts_are_printable() -> None:
    client = TestEngine().connect()
    assert client.say("CLIENT SETNAME 'a b'") == (
        "-ERR Client names cannot contain spaces, newlines or special characters."
    )
    assert client.say(b"CLIENT SETNAME \xc3\xa9").__class__ is str
    assert client.say("CLIENT GETNAME") is None
    assert client.say("CLIENT SETNAME a") == "OK"
    assert client.say("CLIENT SETNAME ''") == "OK"
    assert client.say("CLIENT GETNAME") is None
    assert client.say("CLIENT SETINFO lib-ver 'a b'") == (
        "-ERR lib-ver cannot contain spaces, newlines or special characters."
    )
    assert client.say("CLIENT SETINFO lib x") == "-ERR Unrecognized option 'lib'"


def test_reply_off_and_skip() -> None:
    client = TestEngine().connect()
    assert client.raw("CLIENT REPLY SKIP\r\nPING one\r\nPING two") == b"$3\r\ntwo\r\n"
    assert client.raw("CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING one\r\nPING two") == b"$3\r\ntwo\r\n"
    assert client.raw("CLIENT REPLY SKIP\r\nNONSENSE\r\nPING two") == b"$3\r\ntwo\r\n"
    assert client.raw("CLIENT REPLY SKIP\r\nGET\r\nPING two") == b"$3\r\ntwo\r\n"
    assert client.raw("CLIENT REPLY OFF\r\nPING\r\nNONSENSE\r\nCLIENT REPLY SKIP\r\nGET") == b""
    assert client.raw("CLIENT REPLY ON\r\nPING") == b"+OK\r\n+PONG\r\n"
    assert client.say("CLIENT REPLY SOMETIMES") == "-ERR syntax error"


class _Wait(Wait):
    def time_out(self) -> None:
        self.client.reply.null()


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("", b"$-1\r\n"),
        ("TIMEOUT", b"$-1\r\n"),
        ("ERROR", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
    ],
)
def test_unblock(reason: str, answer: bytes) -> None:
    engine = TestEngine()
    me, waiting = engine.connect(), engine.connect()
    engine.server.blocking.block(_Wait(waiting.client, FOREVER))
    assert me.say("CLIENT UNBLOCK 99") == 0
    assert me.say(f"CLIENT UNBLOCK {waiting.client.id} {reason}") == 1
    engine.tick(1)
    assert waiting.client.reply.take() == answer
    assert waiting.client.flags & PENDING
    assert me.say(f"CLIENT UNBLOCK {waiting.client.id}") == 0


def test_tracking_is_off() -> None:
    client = TestEngine().connect()
    assert client.say("CLIENT GETREDIR") == -1
    assert client.say("CLIENT TRACKINGINFO") == ["flags", ["off"], "redirect", -1, "prefixes", []]


def test_replies_before_client_reply_off_are_not_lost() -> None:
    client = TestEngine().connect()
    assert client.raw("PING\r\nCLIENT REPLY OFF\r\nPING") == b"+PONG\r\n"
    assert client.raw("PING\r\nCLIENT REPLY ON\r\nPING\r\nCLIENT REPLY SKIP\r\nPING\r\nECHO a") == (
        b"+OK\r\n+PONG\r\n$1\r\na\r\n"
    )


def test_a_client_is_shown_in_its_transaction_until_that_is_over() -> None:
    client = TestEngine().connect()
    for line in ("HELLO 3", "SSUBSCRIBE s", "MULTI", "CLIENT INFO", "PING"):
        client.raw(line)
    shown = client.raw("EXEC").decode()
    assert " flags=Px " in shown
    assert " ssub=1 multi=2 " in shown
    assert " flags=P " in client.raw("CLIENT INFO").decode()
