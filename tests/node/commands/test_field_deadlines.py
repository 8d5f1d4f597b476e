"""Deadlines of hashes' fields, on a clock that the test moves; Redis 7.0 has nothing to compare them with."""

import pytest

from tests.node.engines import START_MS, Node
from trivet_node.expiry import CYCLE_FIELDS
from trivet_node.keyspace import EXPIRE_HIDES, EXPIRE_WAITS

WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
NO_FIELDS = "ERR Mandatory argument FIELDS is missing or not at the right position"
MISMATCH = "ERR The `numfields` parameter must match the number of arguments"
NOT_POSITIVE = "ERR Number of fields must be a positive integer"
NOT_AN_INTEGER = "ERR value is not an integer or out of range"
ONE_TIME = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
ONE_CONDITION = "ERR Only one of FXX or FNX arguments can be specified"
# The latest time that a field may be given. (Redis: HFE_MAX_ABS_TIME_MSEC.)
LAST_MS = 2**46 - 1


def node_with_hash(fields: str = "a 1 b 2 c 3") -> Node:
    node = Node()
    node.asks("HSET h " + fields)
    return node


def tick(node: Node, milliseconds: int) -> bool:
    return node.engine.tick(int(node.keyspace.now_ms) + milliseconds)


@pytest.mark.parametrize(
    ("name", "time", "left_ms"),
    [
        ("HEXPIRE", 10, 10_000),
        ("HPEXPIRE", 10, 10),
        ("HEXPIREAT", START_MS // 1000 + 7, 7000),
        ("HPEXPIREAT", START_MS + 7, 7),
        ("HPEXPIREAT", LAST_MS, LAST_MS - START_MS),
    ],
)
def test_fields_are_given_deadlines(name: str, time: int, left_ms: int) -> None:
    node = node_with_hash()
    assert node.asks(f"{name} h {time} FIELDS 3 a missing c") == [1, -2, 1]
    assert node.asks("HPTTL h FIELDS 4 a b c missing") == [left_ms, -1, left_ms, -2]
    assert node.asks("HPEXPIRETIME h FIELDS 2 a b") == [START_MS + left_ms, -1]
    # Seconds are rounded up.
    assert node.asks("HTTL h FIELDS 1 a") == [(left_ms + 999) // 1000]
    assert node.asks("HEXPIRETIME h FIELDS 1 a") == [(START_MS + left_ms + 999) // 1000]


def test_a_missing_key_has_no_fields() -> None:
    node = Node()
    for line in ("HEXPIRE k 10 FIELDS 2 a b", "HPERSIST k FIELDS 2 a b", "HTTL k FIELDS 2 a b"):
        assert node.asks(line) == [-2, -2]
    assert node.asks("HGETDEL k FIELDS 2 a b") == node.asks("HGETEX k PERSIST FIELDS 2 a b") == [None, None]
    assert node.asks("EXISTS k") == 0


@pytest.mark.parametrize(
    ("condition", "earlier", "same", "later", "without"),
    [("NX", 0, 0, 0, 1), ("XX", 1, 1, 1, 0), ("GT", 0, 0, 1, 0), ("LT", 1, 0, 0, 1), ("lt", 1, 0, 0, 1)],
)
def test_conditions(condition: str, earlier: int, same: int, later: int, without: int) -> None:
    for time, expected in ((5, earlier), (10, same), (20, later)):
        node = node_with_hash()
        node.asks("HEXPIRE h 10 FIELDS 1 a")
        assert node.asks(f"HEXPIRE h {time} {condition} FIELDS 2 a b") == [expected, without]
        assert node.asks("HTTL h FIELDS 2 a b") == [time if expected else 10, time if without else -1]


def test_a_field_named_twice_is_changed_twice() -> None:
    node = node_with_hash()
    assert node.asks("HEXPIRE h 10 NX FIELDS 2 a a") == [1, 0]
    assert node.asks("HEXPIRE h 0 FIELDS 2 a a") == [2, -2]
    assert node.asks("HGETDEL h FIELDS 2 b b") == [b"2", None]


def test_a_time_that_has_passed_deletes_fields() -> None:
    node = node_with_hash()
    node.asks("HEXPIRE h 10 FIELDS 1 a")
    assert node.asks(f"HPEXPIREAT h {START_MS} GT FIELDS 1 a") == [0]
    assert node.asks(f"HPEXPIREAT h {START_MS} FIELDS 2 a b") == [2, 2]
    assert node.asks("HGETALL h") == [b"c", b"3"]
    assert node.asks("OBJECT ENCODING h") == b"listpack"
    assert node.asks("HEXPIRE h 0 FIELDS 1 c") == [2]
    assert node.asks("EXISTS h") == 0
    assert not node.keyspace.has_deadlines()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("HEXPIRE h 10 FIELDS 1", "ERR wrong number of arguments for 'hexpire' command"),
        ("HEXPIRE s x FIELDS 1 a", WRONG_TYPE),
        ("HTTL s FIELDS 1 a", WRONG_TYPE),
        ("HPERSIST s FIELDS 1 a", WRONG_TYPE),
        ("HGETDEL s FIELDS 1 a", WRONG_TYPE),
        ("HGETEX s FIELDS 1 a", WRONG_TYPE),
        ("HSETEX s FIELDS 1 a 1", WRONG_TYPE),
        ("HEXPIRE h x FIELDS 1 a", NOT_AN_INTEGER),
        ("HEXPIRE h -1 FIELDS 1 a", "ERR invalid expire time, must be >= 0"),
        (f"HEXPIRE h {2**63 - 1} FIELDS 1 a", "ERR invalid expire time in 'hexpire' command"),
        (f"HPEXPIREAT h {LAST_MS + 1} FIELDS 1 a", "ERR invalid expire time in 'hpexpireat' command"),
        (f"HPEXPIRE h {LAST_MS} FIELDS 1 a", "ERR invalid expire time in 'hpexpire' command"),
        (f"HEXPIREAT h {LAST_MS // 1000 + 1} FIELDS 1 a", "ERR invalid expire time in 'hexpireat' command"),
        ("HEXPIRE h 10 ZZ FIELDS 1 a", NO_FIELDS),
        ("HEXPIRE h 10 NX GT FIELDS 1 a", NO_FIELDS),
        ("HTTL h FIELD 1 a", NO_FIELDS),
        ("HGETDEL h FIELD 1 a", NO_FIELDS),
        ("HGETEX h EX 10 FIELD 1 a", NO_FIELDS),
        ("HGETEX h EX 10 FIELDS", NOT_POSITIVE),
        ("HEXPIRE h 10 FIELDS 0 a", "ERR Parameter `numFields` should be greater than 0"),
        ("HEXPIRE h 10 FIELDS x a", "ERR Parameter `numFields` should be greater than 0"),
        ("HTTL h FIELDS 0 a", NOT_POSITIVE),
        ("HPERSIST h FIELDS x a", NOT_POSITIVE),
        (f"HGETEX h FIELDS {2**63} a", NOT_POSITIVE),
        ("HEXPIRE h 10 FIELDS 2 a", MISMATCH),
        ("HEXPIRE h 10 NX FIELDS 1", MISMATCH),
        ("HTTL h FIELDS 1 a b", MISMATCH),
        ("HPERSIST h FIELDS 3 a b", MISMATCH),
        (f"HGETDEL h FIELDS {2**63 - 1} a", MISMATCH),
        ("HGETEX h PX -5 FIELDS 1 a", "ERR invalid expire time, must be >= 0"),
        (f"HGETEX h PXAT {LAST_MS + 1} FIELDS 1 a", "ERR invalid expire time in 'hgetex' command"),
        ("HSETEX h FIELDS 1 a", "ERR wrong number of arguments for 'hsetex' command"),
        ("HSETEX h FNX KEEPTTL FIELDS 1 a", "ERR wrong number of arguments for 'hsetex' command"),
        ("HSETEX h FIELDS 2 a 1", "ERR wrong number of arguments for 'hsetex' command"),
        ("HSETEX h FIELDS 1 a 1 b", "ERR wrong number of arguments for 'hsetex' command"),
        ("HSETEX h FIELDS 0 a 1", "ERR invalid number of fields"),
        (f"HSETEX h FIELDS {2**31} a 1", "ERR invalid number of fields"),
        ("HSETEX h NX FIELDS 1 a 1", "ERR unknown argument: NX"),
        ("HSETEX h EX 1 PX 1 FIELDS 1 a 1", ONE_TIME),
        ("HSETEX h KEEPTTL PXAT 1 FIELDS 1 a 1", ONE_TIME),
        ("HSETEX h FNX FXX FIELDS 1 a 1", ONE_CONDITION),
        ("HSETEX h FNX FNX FIELDS 1 a 1", ONE_CONDITION),
        ("HSETEX h FNX KEEPTTL EX 10", ONE_TIME),
        ("HSETEX h EX x FIELDS 1 a 1", NOT_AN_INTEGER),
        (f"HSETEX h EX {LAST_MS} FIELDS 1 a 1", "ERR invalid expire time in 'hsetex' command"),
    ],
)
def test_errors_change_nothing(line: str, error: str) -> None:
    node = node_with_hash("a 1")
    node.asks("SET s text")
    dirty = node.keyspace.dirty
    assert node.asks(line) == error
    assert node.asks("HGETALL h") == [b"a", b"1"]
    assert (node.asks("HTTL h FIELDS 1 a"), node.keyspace.dirty) == ([-1], dirty)


def test_deadlines_are_taken_away() -> None:
    node = node_with_hash()
    node.asks("HEXPIRE h 10 FIELDS 2 a b")
    assert node.asks("OBJECT ENCODING h") == b"listpackex"
    assert node.asks("HPERSIST h FIELDS 3 a c missing") == [1, -1, -2]
    assert node.asks("HGETEX h PERSIST FIELDS 2 b c") == [b"2", b"3"]
    assert node.asks("HTTL h FIELDS 3 a b c") == [-1, -1, -1]
    assert node.asks("OBJECT ENCODING h") == b"listpack"
    assert not node.keyspace.has_deadlines()


def test_hgetex_reads_and_gives_deadlines() -> None:
    node = node_with_hash()
    assert node.asks("HGETEX h FIELDS 2 a missing") == [b"1", None]
    assert node.asks("HGETEX h EX 5 FIELDS 2 a missing") == [b"1", None]
    assert node.asks(f"HGETEX h PXAT {START_MS + 6} FIELDS 1 b") == [b"2"]
    assert node.asks("HPTTL h FIELDS 3 a b c") == [5000, 6, -1]
    assert node.asks("HGETEX h EXAT 1 FIELDS 3 a b c") == [b"1", b"2", b"3"]
    assert node.asks("EXISTS h") == 0


def test_hgetdel_deletes_what_it_reads() -> None:
    node = node_with_hash()
    node.asks("HEXPIRE h 5 FIELDS 2 a b")
    assert node.asks("HGETDEL h FIELDS 3 a missing c") == [b"1", None, b"3"]
    assert node.asks("HGETALL h") == [b"b", b"2"]
    assert node.asks("HGETDEL h FIELDS 1 b") == [b"2"]
    assert node.asks("EXISTS h") == 0
    assert not node.keyspace.has_deadlines()


def test_hsetex_sets_all_fields_or_none() -> None:
    node = Node()
    assert node.asks("HSETEX h FXX FIELDS 1 a 1") == 0
    assert node.asks("EXISTS h") == 0
    assert node.asks("HSETEX h FNX EX 10 FIELDS 2 a 1 b 2") == 1
    assert node.asks("HTTL h FIELDS 2 a b") == [10, 10]
    assert node.asks("HSETEX h FNX FIELDS 2 c 3 b 3") == 0
    assert node.asks("HSETEX h FXX FIELDS 2 a 3 c 3") == 0
    assert node.asks("HSETEX h KEEPTTL FXX FIELDS 2 a 3 b 4") == 1
    assert node.asks("HTTL h FIELDS 2 a b") == [10, 10]
    assert node.asks("HSETEX h FIELDS 1 a 5") == 1
    assert node.asks("HTTL h FIELDS 2 a b") == [-1, 10]
    assert node.asks("HSETEX h PX 0 FIELDS 2 a 6 d 6") == 1
    assert node.asks("HGETALL h") == [b"b", b"4"]
    assert node.asks("HSETEX new PXAT 1 FIELDS 1 a 1") == 1
    assert node.asks("EXISTS new") == 0


def test_every_field_counts_as_a_change() -> None:
    node = Node()
    for line, changes in (("HSETEX h FIELDS 2 a 1 b 2", 2), ("HSETEX h EX 5 FIELDS 2 a 1 c 3", 2), ("HDEL h a b c", 3)):
        dirty = node.keyspace.dirty
        node.asks(line)
        assert node.keyspace.dirty - dirty == changes
    dirty = node.keyspace.dirty
    node.asks("HSETEX new PX 0 FIELDS 2 a 1 b 2")
    assert node.keyspace.dirty - dirty == 2


def test_ordinary_commands_keep_or_clear_deadlines() -> None:
    node = node_with_hash("a 1 b 2 c 3 d 4 e 5")
    node.asks("HEXPIRE h 10 FIELDS 5 a b c d e")
    node.asks("HSET h a 2")
    node.asks("HMSET h b 2")
    node.asks("HINCRBY h c 1")
    node.asks("HINCRBYFLOAT h d 0.5")
    node.asks("HSETNX h e 6")
    assert node.asks("HTTL h FIELDS 5 a b c d e") == [-1, -1, 10, 10, 10]
    assert node.asks("HDEL h c") == 1
    node.asks("HSET h c 3")
    assert node.asks("HTTL h FIELDS 1 c") == [-1]
    # A value that is the name of a field is no field.
    node.asks("HSET h a d")
    assert node.asks("HTTL h FIELDS 1 d") == [10]


@pytest.mark.parametrize("filler", [0, 600])
@pytest.mark.parametrize("mode", ["primary", "replica"])
def test_nobody_sees_a_field_past_its_deadline(filler: int, mode: str) -> None:
    node = node_with_hash("a 1 b 2 c 3")
    if filler:
        node.ask("HSET", "h", *[word for number in range(filler) for word in (f"f{number}", number)])
        node.ask("HPEXPIRE", "h", 5, "FIELDS", filler, *[f"f{number}" for number in range(filler)])
    node.asks("HPEXPIRE h 5 FIELDS 1 a")
    node.asks("HPEXPIRE h 9 FIELDS 1 b")
    node.asks("RPUSH l h missing")
    if mode == "replica":
        node.keyspace.expire_mode = EXPIRE_HIDES
    node.wait(5)
    assert node.asks("HGET h a") == b"1"
    node.wait(1)
    assert (node.asks("HGET h a"), node.asks("HGET h b")) == (None, b"2")
    assert node.asks("HMGET h a b missing") == [None, b"2", None]
    assert (node.asks("HEXISTS h a"), node.asks("HSTRLEN h a")) == (0, 0)
    assert (node.asks("HEXISTS h b"), node.asks("HSTRLEN h b")) == (1, 1)
    assert sorted(node.asks("HGETALL h")) == [b"2", b"3", b"b", b"c"]
    assert sorted(node.asks("HKEYS h")) == [b"b", b"c"]
    assert sorted(node.asks("HVALS h")) == [b"2", b"3"]
    assert sorted(node.asks("HSCAN h 0 COUNT 10000")[1]) == [b"2", b"3", b"b", b"c"]
    assert node.asks("HRANDFIELD h") in (b"b", b"c")
    assert sorted(node.asks("HRANDFIELD h 10")) == [b"b", b"c"]
    assert len(node.asks("HRANDFIELD h -10 WITHVALUES")) == 20
    assert node.asks("HPTTL h FIELDS 3 a b c") == [-2, 3, -1]
    assert node.asks("SORT l BY *->b GET *->a GET *->b GET *->c") == [None, None, None, None, b"2", b"3"]
    # Until it is deleted it counts, as in Redis.
    assert node.asks("HLEN h") == 3 + filler


def test_a_hash_of_nothing_else_looks_empty_until_its_key_goes() -> None:
    node = node_with_hash("a 1 b 2")
    node.asks("HPEXPIRE h 5 FIELDS 2 a b")
    node.wait(6)
    assert node.asks("HGETALL h") == node.asks("HRANDFIELD h 5") == []
    assert node.asks("HRANDFIELD h") is None
    assert node.asks("HSCAN h 0") == [b"0", []]
    assert (node.asks("EXISTS h"), node.asks("TYPE h")) == (1, b"hash")
    tick(node, 0)
    assert (node.asks("EXISTS h"), node.asks("DBSIZE")) == (0, 0)


def test_writes_find_fields_past_their_deadlines_missing() -> None:
    node = node_with_hash("a 5 b 5 c 5 d 5 e 5 f 5 g 5 h 5 i 5")
    node.asks("HPEXPIRE h 5 FIELDS 8 a b c d e f g h")
    node.wait(6)
    assert node.asks("HINCRBY h a 1") == 1
    assert node.asks("HINCRBYFLOAT h b 1.5") == b"1.5"
    assert node.asks("HSETNX h c 1") == 1
    assert node.asks("HSET h d 1") == 1
    assert node.asks("HDEL h e") == 0
    assert node.asks("HEXPIRE h 5 FIELDS 1 f") == [-2]
    assert node.asks("HPERSIST h FIELDS 1 g") == [-2]
    assert node.asks("HSETEX h FNX KEEPTTL FIELDS 1 h 1") == 1
    assert node.asks("HGETDEL h FIELDS 2 e i") == [None, b"5"]
    assert node.asks("HTTL h FIELDS 4 a b c h") == [-1, -1, -1, -1]
    assert node.asks("HLEN h") == 5


def test_the_cycle_deletes_what_is_due_and_no_more_than_it_may() -> None:
    node = Node()
    node.keep_stream()
    count = 3 * CYCLE_FIELDS + 10
    node.ask("HSET", "big", *[word for number in range(count) for word in (number, number)])
    node.ask("HPEXPIRE", "big", 5, "FIELDS", count, *range(count))
    node.asks("HSET big stays 1")
    node.asks("HSETEX small PX 5 FIELDS 1 a 1")
    node.asks("HSETEX later PX 50 FIELDS 1 a 1")
    node.stream()
    assert not tick(node, 5)
    assert node.stream() == []
    assert tick(node, 1)
    assert node.keyspace.expired_fields_total == CYCLE_FIELDS
    while tick(node, 0):
        pass
    assert node.keyspace.expired_fields_total == count + 1
    assert (node.asks("HKEYS big"), node.asks("EXISTS small later")) == ([b"stays"], 1)
    assert node.asks("OBJECT ENCODING big") == b"hashtable"
    removed = [words for words in node.stream() if words[0] != b"SELECT"]
    assert {words[0] for words in removed} == {b"HDEL"}
    assert sum(len(words) - 2 for words in removed) == count + 1
    assert len(removed) <= count // CYCLE_FIELDS + 2
    tick(node, 44)
    assert (node.asks("EXISTS later"), node.keyspace.has_deadlines()) == (1, True)
    tick(node, 1)
    assert (node.asks("EXISTS later"), node.keyspace.has_deadlines()) == (0, False)


def test_a_replica_deletes_nothing_and_the_link_to_its_primary_hides_nothing() -> None:
    node = node_with_hash("a 1")
    node.asks("HPEXPIRE h 5 FIELDS 1 a")
    node.keyspace.expire_mode = EXPIRE_HIDES
    tick(node, 6)
    assert (node.asks("HGET h a"), node.asks("HLEN h")) == (None, 1)
    node.keyspace.expire_mode = EXPIRE_WAITS
    assert (node.asks("HGET h a"), node.asks("HSETNX h a 2"), node.asks("HTTL h FIELDS 1 a")) == (b"1", 0, [0])
    assert node.asks("HINCRBY h a 1") == 2
    # Deadlines that have passed are taken as they are said.
    assert node.asks("HPEXPIREAT h 7 FIELDS 1 a") == [1]
    assert node.asks("HDEL h a") == 1
    assert node.asks("EXISTS h") == 0


def test_a_client_that_writes_on_a_replica_does_not_meet_them_either() -> None:
    node = node_with_hash("a 1 b 2")
    node.keep_stream()
    node.asks("HPEXPIRE h 5 FIELDS 1 a")
    node.stream()
    node.keyspace.expire_mode = EXPIRE_HIDES
    node.wait(6)
    assert node.asks("HINCRBY h a 5") == 5
    assert node.asks("HGETALL h") == [b"b", b"2", b"a", b"5"]
    assert [words[0] for words in node.stream()] == [b"HINCRBY"]


def test_what_is_propagated() -> None:
    node = node_with_hash("a 1 b 2 c 3 d 4")
    node.keep_stream()
    at = b"%d" % (START_MS + 10_000)
    expected: dict[str, list[list[bytes]]] = {
        "HEXPIRE h 10 NX FIELDS 3 a b x": [[b"SELECT", b"0"], [b"HPEXPIREAT", b"h", at, b"FIELDS", b"2", b"a", b"b"]],
        "HEXPIRE h 20 NX FIELDS 1 a": [],
        "HINCRBYFLOAT h a 1": [[b"HSETEX", b"h", b"KEEPTTL", b"FIELDS", b"1", b"a", b"2"]],
        "HINCRBYFLOAT h d 1": [[b"HSET", b"h", b"d", b"5"]],
        "HINCRBY h a 1": [[b"HINCRBY", b"h", b"a", b"1"]],
        "HGETEX h FIELDS 1 a": [],
        "HGETEX h EX 10 FIELDS 2 c x": [[b"HPEXPIREAT", b"h", at, b"FIELDS", b"1", b"c"]],
        "HGETEX h PERSIST FIELDS 2 c d": [[b"HPERSIST", b"h", b"FIELDS", b"1", b"c"]],
        "HPERSIST h FIELDS 2 d x": [],
        "HPERSIST h FIELDS 2 a d": [[b"HPERSIST", b"h", b"FIELDS", b"2", b"a", b"d"]],
        "HTTL h FIELDS 1 b": [],
        "HSETEX h FNX EX 10 FIELDS 1 e 1": [
            [b"HSETEX", b"h", b"FNX", b"PXAT", at, b"FIELDS", b"1", b"e", b"1"],
        ],
        "HSETEX h FNX EX 10 FIELDS 1 e 2": [],
        "HSETEX h KEEPTTL FIELDS 1 e 3": [[b"HSETEX", b"h", b"KEEPTTL", b"FIELDS", b"1", b"e", b"3"]],
        "HSETEX h PX 0 FIELDS 2 e 4 f 5": [[b"HDEL", b"h", b"e", b"f"]],
        "HGETEX h PXAT 1 FIELDS 2 d x": [[b"HDEL", b"h", b"d"]],
        "HGETDEL h FIELDS 2 c x": [[b"HDEL", b"h", b"c"]],
        "HGETDEL h FIELDS 1 x": [],
        "HEXPIREAT h 1 FIELDS 2 a x": [[b"HDEL", b"h", b"a"]],
        "HDEL h b": [[b"HDEL", b"h", b"b"]],
    }
    for line, commands in expected.items():
        node.asks(line)
        assert node.stream() == commands, line
    assert node.asks("EXISTS h") == 0


def test_what_a_write_finds_expired_is_deleted_on_replicas_before() -> None:
    node = node_with_hash("a 1 b 2")
    node.asks("HPEXPIRE h 5 FIELDS 2 a b")
    node.keep_stream()
    node.wait(6)
    # Reading deletes nothing.
    assert node.asks("HGETALL h") == []
    assert node.stream() == []
    assert node.asks("HSETNX h a 3") == 1
    assert node.stream() == [
        *([b"SELECT", b"0"], [b"MULTI"], [b"HDEL", b"h", b"a"], [b"HSETNX", b"h", b"a", b"3"], [b"EXEC"]),
    ]
    assert node.asks("HDEL h b") == 0
    assert node.stream() == [[b"HDEL", b"h", b"b"]]
    node.asks("HPEXPIRE h 5 FIELDS 1 a")
    node.stream()
    node.wait(6)
    # The key goes with its last field, and comes again.
    assert node.asks("HINCRBY h a 1") == 1
    assert node.stream()[1:3] == [[b"HDEL", b"h", b"a"], [b"HINCRBY", b"h", b"a", b"1"]]
    assert node.asks("HTTL h FIELDS 1 a") == [-1]


def heard(node: Node, line: str) -> list[bytes]:
    """Return the events of a request, or of a tick where there is none."""
    listener = node.client()
    node.asks("PSUBSCRIBE __keyspace*", client=listener)
    if line:
        node.asks(line)
    else:
        tick(node, 0)
    events = [message[3] for message in node.replies(listener.reply.take())]
    node.asks("PUNSUBSCRIBE", client=listener)
    return events


def test_events() -> None:
    node = node_with_hash("a 1 b 2 c 3")
    node.asks("CONFIG SET notify-keyspace-events Kgh")
    expected = {
        "HEXPIRE h 10 FIELDS 2 a x": [b"hexpire"],
        "HEXPIRE h 10 NX FIELDS 2 a x": [],
        "HPERSIST h FIELDS 2 a b": [b"hpersist"],
        "HPERSIST h FIELDS 2 a b ": [],
        "HGETEX h FIELDS 1 a": [],
        "HGETEX h EX 10 FIELDS 1 a": [b"hexpire"],
        "HGETEX h PERSIST FIELDS 1 a": [b"hpersist"],
        "HSETEX h FIELDS 1 d 1": [b"hset"],
        "HSETEX h EX 10 FIELDS 1 d 1": [b"hset", b"hexpire"],
        "HSETEX h PXAT 1 FIELDS 1 d 1": [b"hset", b"hdel"],
        "HSETEX n PXAT 1 FIELDS 1 d 1": [b"hset", b"hdel", b"del"],
        "HGETDEL h FIELDS 1 c": [b"hdel"],
        "HEXPIREAT h 1 FIELDS 1 b": [b"hdel"],
        "HGETDEL h FIELDS 1 a": [b"hdel", b"del"],
        "HSETEX h PX 5 FIELDS 3 a 1 b 1 c 1": [b"hset", b"hexpire"],
    }
    for line, events in expected.items():
        assert heard(node, line) == events, line
    node.wait(6)
    assert heard(node, "HGET h a") == []
    assert heard(node, "HSET h a 1") == [b"hexpired", b"hset"]
    assert heard(node, "HDEL h a") == [b"hdel"]
    assert heard(node, "HSETNX h b 1") == [b"hexpired", b"hset"]
    assert heard(node, "HDEL h b") == [b"hdel"]
    assert heard(node, "") == [b"hexpired", b"del"]


def test_watches_break() -> None:
    node = node_with_hash("a 1 b 2")
    for change in ("HEXPIRE h 10 FIELDS 1 a", "HPERSIST h FIELDS 1 a", "HSETEX h PX 5 FIELDS 1 a 1", ""):
        node.asks("WATCH h")
        if change:
            node.asks(change, client=node.client())
        else:
            tick(node, 6)
        node.asks("MULTI")
        assert node.asks("EXEC") is None, change


def test_info_counts_hashes_with_deadlines_and_expired_fields() -> None:
    node = node_with_hash()
    node.asks("HPEXPIRE h 5 FIELDS 2 a b")
    assert node.asks("INFO keyspace").endswith(b"keys=1,expires=0,avg_ttl=0,subexpiry=1\r\n")
    tick(node, 6)
    assert node.asks("INFO keyspace").endswith(b"keys=1,expires=0,avg_ttl=0\r\n")
    assert node.keyspace.expired_fields_total == 2


def test_who_keeps_a_copy_is_told() -> None:
    node = node_with_hash("a 1 b 2")
    reader = node.client()
    node.asks("HELLO 3", client=reader)
    node.asks("CLIENT TRACKING ON", client=reader)
    node.asks("HSETEX h PX 5 FIELDS 1 a 1")
    node.asks("HGETALL h", client=reader)
    tick(node, 6)
    assert b"invalidate" in reader.reply.take()


def test_values_move_with_their_deadlines() -> None:
    node = node_with_hash("a 1 b 2")
    node.asks("HPEXPIRE h 50 FIELDS 1 a")
    assert node.asks("COPY h copy") == 1
    assert node.asks("COPY h copy DB 3") == 1
    payload = node.asks("DUMP h")
    assert node.ask("RESTORE", "restored", 0, payload) == b"OK"
    node.asks("RENAME h renamed")
    node.asks("HPERSIST copy FIELDS 1 a")
    assert node.asks("HPTTL renamed FIELDS 2 a b") == node.asks("HPTTL restored FIELDS 2 a b") == [50, -1]
    tick(node, 51)
    for key in ("renamed", "restored"):
        assert (node.asks(f"HLEN {key}"), node.asks(f"OBJECT ENCODING {key}")) == (1, b"listpack")
    assert node.asks("HLEN copy") == 2
    node.asks("SELECT 3")
    assert node.asks("HLEN copy") == 1
    assert not node.keyspace.has_deadlines()


@pytest.mark.parametrize(
    "line", ["DEL h", "SET h text", "FLUSHDB", "RENAME other h", "SORT l ALPHA STORE h", "EXPIRE h 0"]
)
def test_a_hash_that_is_gone_is_not_followed(line: str) -> None:
    node = node_with_hash()
    node.asks("HSET other a 1")
    node.asks("RPUSH l a")
    node.asks("HEXPIRE h 10 FIELDS 1 a")
    node.asks(line)
    assert not node.keyspace.has_field_deadlines()


def test_databases_are_exchanged_with_their_deadlines() -> None:
    node = node_with_hash()
    node.asks("HPEXPIRE h 10 FIELDS 3 a b c")
    node.asks("SWAPDB 0 1")
    node.asks("SELECT 1")
    assert node.asks("HPTTL h FIELDS 1 a") == [10]
    tick(node, 11)
    assert node.asks("DBSIZE") == 0


def test_a_small_hash_that_grows_keeps_its_deadlines() -> None:
    node = node_with_hash()
    node.asks("HEXPIRE h 10 FIELDS 1 a")
    node.ask("HSET", "h", "long", "x" * 65)
    assert node.asks("OBJECT ENCODING h") == b"hashtable"
    assert node.asks("HTTL h FIELDS 2 a long") == [10, -1]


@pytest.mark.parametrize(
    ("name", "arity", "flags"),
    [
        *[(name, -6, {"write", "denyoom", "fast"}) for name in ("hexpire", "hpexpire", "hexpireat", "hpexpireat")],
        *[(name, -5, {"readonly", "fast"}) for name in ("httl", "hpttl", "hexpiretime", "hpexpiretime")],
        *[(name, -5, {"write", "fast"}) for name in ("hpersist", "hgetdel", "hgetex")],
        ("hsetex", -6, {"write", "denyoom", "fast"}),
    ],
)
def test_rows(name: str, arity: int, flags: set[str]) -> None:
    """What COMMAND INFO of Redis 8.0 says."""
    row = Node().asks(f"COMMAND INFO {name}")[0]
    assert row[1] == arity
    assert {flag.decode() for flag in row[2]} == flags
    assert row[3:6] == [1, 1, 1]
    kind = b"@write" if "write" in flags else b"@read"
    assert {category if isinstance(category, bytes) else category.encode() for category in row[6]} == {
        *(b"@hash", b"@fast", kind)
    }
