"""Commands of a sentinel: replies, errors, authentication, publish and subscribe."""

from typing import Any

import hiredis
import pytest

from tests.sentinel.machines import MY_ID, PRIMARY, Bench
from trivet_sentinel import pubsub_commands


def error(reply: Any) -> str:
    """Return the text of an error reply."""
    assert isinstance(reply, hiredis.ReplyError), reply
    return str(reply)


def pairs(flat: list[str]) -> dict[str, str]:
    """Return a RESP2 map as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_where_the_primary_is() -> None:
    bench = Bench()
    assert bench.command("SENTINEL", "get-master-addr-by-name", "m") == [PRIMARY.host, "6379"]
    assert bench.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "x") is None


def test_hostnames_are_told_as_addresses_unless_they_are_to_be_announced() -> None:
    bench = Bench()
    assert bench.command("SENTINEL", "MONITOR", "h", "node-1", "6379", "1") == "OK"
    bench.sentinel.resolved["node-1"] = "192.0.2.7"
    assert bench.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "h") == ["192.0.2.7", "6379"]
    assert bench.command("SENTINEL", "CONFIG", "SET", "announce-hostnames", "yes") == "OK"
    assert bench.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "h") == ["node-1", "6379"]
    assert bench.command("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "192.0.2.7", "6379", "1", "b" * 40)[1] == "b" * 40


def test_the_fields_of_a_primary() -> None:
    bench = Bench()
    fields = pairs(bench.command("SENTINEL", "MASTER", "m"))
    assert (fields["name"], fields["ip"], fields["port"]) == ("m", PRIMARY.host, "6379")
    assert fields["flags"] == "master,disconnected"
    assert (fields["quorum"], fields["down-after-milliseconds"]) == ("2", "1000")
    bench.advance(1500)
    assert pairs(bench.command("SENTINEL", "MASTERS")[0])["flags"] == "s_down,master,disconnected"


def test_set_changes_and_tells() -> None:
    bench = Bench()
    assert bench.command("SENTINEL", "SET", "m", "quorum", "3", "auth-pass", "secret") == "OK"
    assert (bench.group.settings.quorum, bench.group.settings.auth_pass) == (3, "secret")
    assert bench.count("+set master m 10.0.0.1 6379 quorum 3") == 1
    assert bench.count("+set master m 10.0.0.1 6379 auth-pass ******") == 1
    assert bench.group.primary.link.credentials.password == "secret"


def test_ckquorum_counts_who_can_vote() -> None:
    bench = Bench()
    reply = error(bench.command("SENTINEL", "CKQUORUM", "m"))
    assert reply.startswith("NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum")
    bench.command("SENTINEL", "SET", "m", "quorum", "1")
    expected = "OK 1 usable Sentinels. Quorum and failover authorization can be reached"
    assert bench.command("SENTINEL", "CKQUORUM", "m") == expected


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("SENTINEL", "ERR wrong number of arguments for 'sentinel' command"),
        ("SENTINEL foo", "ERR unknown subcommand 'foo'. Try SENTINEL HELP."),
        ("SENTINEL MASTER", "ERR wrong number of arguments for 'sentinel|master' command"),
        ("SENTINEL MASTER x", "ERR No such master with that name"),
        ("SENTINEL FAILOVER m", "NOGOODSLAVE No suitable replica to promote"),
        ("SENTINEL MONITOR m 10.0.0.9 1 1", "ERR Duplicate master name."),
        ("SENTINEL MONITOR n 10.0.0.9 x 1", "ERR Invalid port"),
        ("SENTINEL MONITOR n 10.0.0.9 1 0", "ERR Quorum must be 1 or greater."),
        ("SENTINEL MONITOR n 10.0.0.9 1 x", "ERR Invalid quorum"),
        ("SENTINEL SET m foo 1", "ERR Unknown option or number of arguments for SENTINEL SET 'foo'"),
        ("SENTINEL SET m quorum 0", "ERR Invalid argument '0' for SENTINEL SET 'quorum'"),
        ("SENTINEL CONFIG SET foo bar", "ERR Invalid argument 'foo' to SENTINEL CONFIG SET"),
        ("PUBLISH foo bar", "ERR Only HELLO messages are accepted by Sentinel instances."),
        ("SET a b", "ERR unknown command 'SET', with args beginning with: 'a' 'b' "),
        ("SHUTDOWN foo", "ERR syntax error"),
        ("HELLO 4", "NOPROTO unsupported protocol version"),
    ],
)
def test_errors(request_text: str, expected: str) -> None:
    assert error(Bench().command(*request_text.split())) == expected


def test_a_password_is_asked_for() -> None:
    bench = Bench()
    bench.sentinel.options.requirepass = "secret"
    stranger = bench.server.connect("1.1.1.1:1", "2.2.2.2:2", bench.now_ms)
    assert error(bench.command("PING", client=stranger)) == "NOAUTH Authentication required."
    assert error(bench.command("AUTH", "wrong", client=stranger)).startswith("WRONGPASS")
    assert error(bench.command("HELLO", "3", client=stranger)).startswith("NOAUTH HELLO must be called")
    assert bench.command("HELLO", "2", "AUTH", "default", "secret", client=stranger)[:2] == ["server", "redis"]
    assert bench.command("PING", client=stranger) == "PONG"
    assert bench.group.settings.credentials.password == ""
    assert bench.sentinel.options.peer_credentials.password == "secret"


def test_events_reach_who_listens() -> None:
    bench = Bench()
    listener = bench.server.connect("1.1.1.1:1", "2.2.2.2:2", bench.now_ms)
    assert bench.command("PSUBSCRIBE", "+s*", client=listener) == ["psubscribe", "+s*", 1]
    assert pubsub_commands.publish(bench.server, b"+switch-master", b"m 1 2 3 4") == 1
    assert pubsub_commands.publish(bench.server, b"-sdown", b"x") == 0
    assert listener.out.take() == b"*4\r\n$8\r\npmessage\r\n$3\r\n+s*\r\n$14\r\n+switch-master\r\n$9\r\nm 1 2 3 4\r\n"
    assert bench.server.woken == {listener}
    assert error(bench.command("SENTINEL", "MASTERS", client=listener)).startswith("ERR Can't execute 'sentinel'")
    assert bench.command("PING", client=listener) == ["pong", ""]
    assert bench.command("PUNSUBSCRIBE", client=listener) == ["punsubscribe", "+s*", 0]
    assert bench.command("PING", client=listener) == "PONG"


def test_info_tells_every_group_as_redis_does() -> None:
    text = Bench().command("INFO", "sentinel")
    assert "sentinel_masters:1\r\n" in text
    assert "master0:name=m,status=ok,address=10.0.0.1:6379,slaves=0,sentinels=1\r\n" in text
    assert "# Server" not in text
    assert "redis_mode:sentinel\r\n" in Bench().command("INFO")


def test_every_row_of_the_table_is_told() -> None:
    bench = Bench()
    names = bench.command("COMMAND", "LIST")
    assert {"ping", "sentinel", "sentinel|masters", "subscribe", "info"} <= set(names)
    assert bench.command("COMMAND", "COUNT") == len([name for name in names if "|" not in name])
    assert bench.command("COMMAND", "INFO", "sentinel")[0][:2] == ["sentinel", -2]


def test_myid_role_and_client() -> None:
    bench = Bench()
    assert bench.command("SENTINEL", "MYID") == MY_ID
    assert bench.command("ROLE") == ["sentinel", ["m"]]
    assert bench.command("CLIENT", "SETNAME", "me") == "OK"
    assert bench.command("CLIENT", "GETNAME") == "me"
    assert "name=me " in bench.command("CLIENT", "LIST")
    assert error(bench.command("CLIENT", "SETNAME", "a b")).startswith("ERR Client names cannot contain spaces")
    assert bench.command("CLIENT", "SETINFO", "LIB-NAME", "lib") == "OK"
    assert "lib-name=lib lib-ver=\n" in bench.command("CLIENT", "LIST")
    assert error(bench.command("CLIENT", "SETINFO", "lib", "x")) == "ERR Unrecognized option 'lib'"


def test_reset_and_remove() -> None:
    bench = Bench()
    bench.add_peer("b" * 40, "10.1.0.1")
    bench.add_replicas()
    assert bench.command("SENTINEL", "RESET", "[ln]") == 0
    assert bench.command("SENTINEL", "RESET", "*") == 1
    assert not bench.group.peers and not bench.group.replicas
    assert bench.command("SENTINEL", "REMOVE", "m") == "OK"
    assert not bench.sentinel.groups
    bench.advance(100)
    assert not bench.sentinel.links
