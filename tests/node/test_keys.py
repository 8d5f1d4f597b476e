"""Keys: SCAN's promise, RANDOMKEY's evenness, OBJECT's view, and what cluster mode forbids."""

import random
from collections import Counter

import pytest

from tests.node.engines import Node
from trivet_node.config import Config
from trivet_node.sampling import random_key
from trivet_wire.slots import SLOT_COUNT


def scan_all(node: Node, *options: bytes | str | int) -> list[bytes]:
    found: list[bytes] = []
    cursor = b"0"
    while True:
        cursor, keys = node.ask("SCAN", cursor, *options)
        found += keys
        if cursor == b"0":
            return found


def fill(node: Node, count: int, form: str = "key:%d") -> list[bytes]:
    for number in range(count):
        node.ask("SET", form % number, number)
    return [(form % number).encode() for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 30, 3000])
def test_scan_returns_every_key_once(count: int) -> None:
    node = Node()
    keys = fill(node, count)
    assert sorted(scan_all(node)) == sorted(keys)
    assert sorted(scan_all(node, "COUNT", 1)) == sorted(keys)
    assert sorted(scan_all(node, "MATCH", "*7", "COUNT", 100)) == sorted(key for key in keys if key.endswith(b"7"))
    assert scan_all(node, "TYPE", "list") == []


def test_scan_returns_what_stays_whatever_else_changes() -> None:
    node = Node()
    choice = random.Random(1)
    stays = fill(node, 500)
    fill(node, 500, "other:%d")
    found: list[bytes] = []
    cursor = b"0"
    while True:
        cursor, keys = node.ask("SCAN", cursor)
        found += keys
        for _ in range(20):
            node.ask("DEL", f"other:{choice.randrange(500)}")
            node.ask("SET", f"new:{choice.randrange(3000)}", "v")
        if cursor == b"0":
            break
    counts = Counter(found)
    assert all(counts[key] == 1 for key in stays)


def test_a_call_of_scan_returns_about_as_many_keys_as_asked_for() -> None:
    node = Node()
    fill(node, 5000)
    most_in_a_slot = max(map(len, node.database.slots))
    for count in (1, 10, 100):
        _, keys = node.ask("SCAN", 0, "COUNT", count)
        assert count <= len(keys) < count + most_in_a_slot


@pytest.mark.parametrize("cursor", [str(SLOT_COUNT), "99999", "-1", "18446744073709551615"])
def test_a_cursor_behind_the_last_slot_ends_the_scan(cursor: str) -> None:
    node = Node()
    fill(node, 10)
    assert node.ask("SCAN", cursor) == [b"0", []]


def test_a_cursor_may_have_any_number_of_digits() -> None:
    node = Node()
    assert node.ask("SCAN", "0" * 5000) == [b"0", []]
    assert node.ask("SCAN", "9" * 5000) == "ERR invalid cursor"


@pytest.mark.parametrize(("count", "form"), [(7, "key:%d"), (20, "{tag}%d"), (2500, "key:%d")])
def test_random_keys_are_drawn_evenly(count: int, form: str) -> None:
    node = Node()
    keys = fill(node, count, form)
    group_of = {key: number % min(count, 20) for number, key in enumerate(keys)}
    groups = len(set(group_of.values()))
    draws = groups * 250
    drawn = Counter(group_of[random_key(node.database, node.server.random) or b""] for _ in range(draws))
    # 250 draws of each group are expected; chance ends beyond six standard deviations.
    assert len(drawn) == groups
    assert all(155 <= times <= 345 for times in drawn.values())


def test_random_keys_are_alive() -> None:
    node = Node()
    fill(node, 20)
    for number in range(19):
        node.ask("PEXPIRE", f"key:{number}", 1)
    node.wait(2)
    assert {node.ask("RANDOMKEY") for _ in range(50)} == {b"key:19"}
    node.ask("DEL", "key:19")
    assert node.ask("RANDOMKEY") is None


def test_idle_times_are_kept_from_the_first_question_on() -> None:
    node = Node()
    node.asks("SET k v")
    node.asks("SET other v")
    node.wait(50_000)
    assert node.asks("OBJECT IDLETIME k") == 0
    node.wait(10_000)
    assert (node.asks("OBJECT IDLETIME k"), node.asks("OBJECT IDLETIME none")) == (10, None)
    node.asks("GET k")
    for request in ("GET k", "TOUCH k", "SET k w", "APPEND k x", "SETRANGE k 0 y"):
        node.wait(10_000)
        assert node.asks("OBJECT IDLETIME k") == 10
        node.asks(request)
        assert node.asks("OBJECT IDLETIME k") == 0, request
    for request in ("TTL k", "TYPE k", "EXISTS k", "OBJECT ENCODING k"):
        node.asks(request)
    node.wait(10_000)
    assert node.asks("OBJECT IDLETIME k") == 10
    assert node.asks("OBJECT IDLETIME other") == 70


def test_frequencies_under_an_lfu_policy() -> None:
    node = Node(Config(maxmemory_policy="allkeys-lfu"))
    node.asks("SET k v")
    assert str(node.asks("OBJECT IDLETIME k")).startswith("ERR An LFU maxmemory policy is selected")
    assert node.asks("OBJECT FREQ k") == 5
    for _ in range(200):
        node.asks("GET k")
    used = node.asks("OBJECT FREQ k")
    assert 8 < used < 60
    node.wait(3 * 60_000)
    assert node.asks("OBJECT FREQ k") == used - 3


def test_references_of_shared_integers() -> None:
    node = Node()
    shared = 2**31 - 1
    for value, references in (("0", shared), ("9999", shared), ("10000", 1), ("-1", 1), ("text", 1)):
        node.ask("SET", "k", value)
        assert node.asks("OBJECT REFCOUNT k") == references


@pytest.mark.parametrize(
    ("request_text", "error"),
    [
        ("SELECT 1", "ERR SELECT is not allowed in cluster mode"),
        ("MOVE k 1", "ERR MOVE is not allowed in cluster mode"),
        ("SWAPDB 0 1", "ERR SWAPDB is not allowed in cluster mode"),
        ("COPY k other DB 1", "ERR Copying to another database is not allowed in cluster mode"),
    ],
)
def test_cluster_mode_has_one_database(request_text: str, error: str) -> None:
    node = Node(Config(cluster_enabled=True))
    assert node.asks(request_text) == error
    assert node.asks("SELECT 0") == b"OK"


def test_select_is_for_one_client() -> None:
    node = Node()
    other = node.client()
    node.asks("SELECT 3")
    node.asks("SET k v")
    assert node.asks("GET k", client=other) is None
    assert node.asks("DBSIZE") == 1
    assert node.asks("MOVE k 0") == 1
    assert node.asks("GET k", client=other) == b"v"
