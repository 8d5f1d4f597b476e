"""Client-side caching: the table, and what costs nobody anything."""

import random
from itertools import permutations

from tests.node.conversation import Connection, TestEngine
from trivet_node.client import SPECIAL
from trivet_node.server.invalidation import send_broadcasts
from trivet_node.tracking import NOBODY, Tracking, TrackingTable, overlap

_EXPIRES_MS = 100


def _tracking_client(engine: TestEngine, options: str = "") -> Connection:
    client = engine.connect()
    client.say("HELLO 3")
    assert client.say(f"CLIENT TRACKING on {options}") == "OK"
    return client


def _pushed(*keys: str) -> list[object]:
    return [["invalidate", [key]] for key in keys]


def test_the_table_remembers_each_reader_of_a_key_once() -> None:
    table = TrackingTable()
    for client_id in (3, 1, 3, 2, 1):
        table.remember(b"k", client_id)
    table.remember(b"l", 1)
    assert (table.key_count(), table.items) == (2, 4)
    assert table.forget(b"k") == [1, 2, 3]
    assert table.forget(b"k") == []
    assert table.forget(b"l") == [1]
    assert (table.key_count(), table.items) == (0, 0)


def test_prefixes_collect_the_keys_that_begin_so() -> None:
    table = TrackingTable()
    table.join(b"", 1)
    table.join(b"ab", 1)
    table.join(b"ab", 2)
    table.note_change(b"abc", 7)
    table.note_change(b"x", NOBODY)
    assert {prefix: audience.keys for prefix, audience in table.audiences.items()} == {
        b"": {b"abc": 7, b"x": NOBODY},
        b"ab": {b"abc": 7},
    }
    table.leave(b"ab", 1)
    assert b"ab" in table.audiences
    table.leave(b"ab", 2)
    assert b"ab" not in table.audiences


def test_overlapping_prefixes_are_found() -> None:
    assert overlap([b"a", b"b"], {b"c"}) is None
    assert overlap([b"a", b"cd"], {b"c"}) == (b"cd", b"c", True)
    assert overlap([b"a", b"bc", b"b"], set()) == (b"bc", b"b", False)
    assert overlap([b""], {b"x"}) == (b"", b"x", True)


def test_who_opts_in_or_out_is_remembered_accordingly() -> None:
    tracking = Tracking(NOBODY)
    assert tracking.remembers()
    tracking.is_opt_in = True
    assert not tracking.remembers()
    tracking.has_spoken = True
    assert tracking.remembers()
    tracking.is_opt_in, tracking.is_opt_out = False, True
    assert not tracking.remembers()


def test_nothing_is_followed_unless_somebody_tracks_or_is_remembered() -> None:
    engine = TestEngine()
    writer = engine.connect()
    keyspace = engine.server.keyspace
    assert keyspace.follower is None
    client = _tracking_client(engine)
    assert keyspace.follower is not None
    assert writer.client.flags & SPECIAL == 0
    client.say("GET k")
    client.say("CLIENT TRACKING off")
    assert client.client.flags & SPECIAL == 0
    assert keyspace.follower is not None
    writer.say("SET other 1")
    assert keyspace.follower is not None
    writer.say("SET k 1")
    assert keyspace.follower is None


def test_a_database_made_later_is_followed_too() -> None:
    engine = TestEngine()
    client, writer = _tracking_client(engine), engine.connect()
    client.say("GET k")
    writer.say("SELECT 7")
    writer.say("SET k 1")
    assert client.heard() == _pushed("k")


def test_a_client_that_goes_is_forgotten() -> None:
    engine = TestEngine()
    client = _tracking_client(engine, "BCAST PREFIX x")
    reader = _tracking_client(engine)
    reader.say("GET k")
    for each in (client, reader):
        engine.server.remove_client(each.client)
    table = engine.server.tracking
    assert (table.clients, table.audiences, table.key_count()) == (0, {}, 1)
    engine.connect().say("SET k 1")
    assert table.key_count() == 0


def test_active_expiry_is_told_at_once() -> None:
    engine = TestEngine()
    client, writer = _tracking_client(engine), engine.connect()
    writer.say(f"SET k 1 PX {_EXPIRES_MS}")
    client.say("GET k")
    engine.tick(_EXPIRES_MS + 1)
    assert client.heard() == _pushed("k")
    assert client.client in engine.server.pending


def test_lazy_expiry_is_told_behind_the_answer_of_who_found_it() -> None:
    engine = TestEngine()
    client, writer = _tracking_client(engine), engine.connect()
    writer.say(f"SET k 1 PX {_EXPIRES_MS}")
    client.say("GET k")
    engine.server.keyspace.now_ms += _EXPIRES_MS + 1
    assert client.all("GET k") == [None, *_pushed("k")]


def test_expiry_is_nobodys_own_change() -> None:
    engine = TestEngine()
    client = _tracking_client(engine, "BCAST NOLOOP")
    client.say(f"SET k 1 PX {_EXPIRES_MS}")
    send_broadcasts(engine.server)
    assert client.heard() == []
    engine.server.keyspace.now_ms += _EXPIRES_MS + 1
    client.say("GET k")
    send_broadcasts(engine.server)
    assert client.heard() == _pushed("k")


def test_broadcasts_wait_for_the_end_of_the_batch() -> None:
    engine = TestEngine()
    client, writer = _tracking_client(engine, "BCAST PREFIX b PREFIX a"), engine.connect()
    assert not engine.server.tracking.has_news
    writer.say("MSET a2 1 b 1 c 1")
    writer.say("SET a1 1")
    assert client.heard() == []
    assert engine.server.tracking.has_news
    send_broadcasts(engine.server)
    assert client.heard() == [["invalidate", ["a1", "a2"]], ["invalidate", ["b"]]]
    assert not engine.server.tracking.has_news
    send_broadcasts(engine.server)
    assert client.heard() == []


def test_a_full_table_gives_random_keys_up_and_says_so() -> None:
    engine = TestEngine()
    engine.server.random = random.Random(5)
    client = _tracking_client(engine)
    client.say("CONFIG SET tracking-table-max-keys 2")
    lost: list[object] = []
    for number in range(10):
        lost += client.all(f"GET k{number}")[1:]
    assert len(lost) == 8
    assert engine.server.tracking.key_count() == 2
    client.say("CONFIG SET tracking-table-max-keys 1")
    engine.tick(1)
    assert len(client.heard()) == 1
    info = str(client.say("INFO stats"))
    assert "tracking_total_keys:1\r\ntracking_total_items:1\r\ntracking_total_prefixes:0\r\n" in info
    assert "tracking_clients:1\r\n" in str(client.say("INFO clients"))


def test_who_knows_its_own_changes_hears_of_keys_given_up() -> None:
    engine = TestEngine()
    client = _tracking_client(engine, "NOLOOP")
    client.say("CONFIG SET tracking-table-max-keys 1")
    assert client.all("MGET k l m")[1:] in [_pushed(*keys) for keys in permutations("klm", 2)]


def test_a_table_without_limit_keeps_all() -> None:
    engine = TestEngine()
    client = _tracking_client(engine)
    client.say("CONFIG SET tracking-table-max-keys 0")
    for number in range(200):
        client.say(f"GET k{number}")
    assert engine.server.tracking.key_count() == 200


def test_a_replicas_new_data_set_is_told_as_a_flush() -> None:
    engine = TestEngine()
    client = _tracking_client(engine)
    client.say("GET k")
    engine.server.keyspace.adopt(engine.server.keyspace.beside())
    assert client.heard() == [["invalidate", None]]
    assert engine.server.tracking.key_count() == 0


def test_client_list_shows_who_tracks() -> None:
    engine = TestEngine()
    client = _tracking_client(engine, "BCAST")
    other = engine.connect()
    told = _tracking_client(engine, f"REDIRECT {other.client.id}")
    assert "flags=tB " in str(client.say("CLIENT INFO"))
    assert "flags=t db=0" in str(told.say("CLIENT INFO"))
    assert f" redir={other.client.id} " in str(told.say("CLIENT INFO"))
    told.say("GET k")
    engine.server.remove_client(other.client)
    engine.connect().say("SET k 1")
    assert told.heard() == [["tracking-redir-broken", other.client.id]]
    assert "flags=tR " in str(told.say("CLIENT INFO"))
    assert " redir=-1 " in str(engine.connect().say("CLIENT INFO"))
