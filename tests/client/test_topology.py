"""The slot map: out of both replies in both protocols, and changed by redirections."""

from typing import Any

import pytest

from trivet_client.options import Address, as_addresses, parse_address
from trivet_client.topology import EMPTY, NoSlots, Shard, Topology, parse_shards, parse_slots, single_shard
from trivet_wire.slots import SLOT_COUNT

ASKED = Address("10.0.0.9", 7000)
A, B, C, A2 = (Address("10.0.0.1", port) for port in (7001, 7002, 7003, 7004))


def node(address: Address, role: bytes = b"master", health: bytes = b"online", **changes: Any) -> dict[bytes, Any]:
    fields = {
        b"id": b"x" * 40,
        b"port": address.port,
        b"ip": address.host.encode(),
        b"endpoint": address.host.encode(),
        b"role": role,
        b"replication-offset": 1,
        b"health": health,
    }
    return fields | {name.encode(): value for name, value in changes.items()}


def shard(slots: list[int], *nodes: dict[bytes, Any]) -> dict[bytes, Any]:
    return {b"slots": slots, b"nodes": list(nodes)}


def flat(value: Any) -> Any:
    """Return the reply as RESP2 sends it: maps as flat lists."""
    if isinstance(value, dict):
        return [flat(each) for pair in value.items() for each in pair]
    return [flat(each) for each in value] if isinstance(value, list) else value


def three_shards() -> list[dict[bytes, Any]]:
    return [
        shard([0, 99, 200, 5460], node(A), node(A2, b"replica")),
        shard([100, 199, 5461, 10922], node(B)),
        shard([10923, 16383], node(C)),
    ]


@pytest.mark.parametrize("form", [lambda reply: reply, flat], ids=["RESP3", "RESP2"])
def test_shards_give_every_slot_its_owner(form: Any) -> None:
    topology = parse_shards(form(three_shards()), ASKED)
    owners = {slot: topology.owners[slot].primary for slot in (0, 99, 100, 199, 200, 5460, 5461, 16383)}  # type: ignore[union-attr]
    assert owners == {0: A, 99: A, 100: B, 199: B, 200: A, 5460: A, 5461: B, 16383: C}
    assert topology.primaries == (A, B, C)
    assert topology.shards[0] == Shard(A, (A2,))
    assert topology.addresses == {A, A2, B, C}
    assert topology.failed == frozenset()


def test_slots_nobody_serves_have_no_owner() -> None:
    topology = parse_shards([shard([0, 10], node(A))], ASKED)
    assert topology.owners[10] == Shard(A)
    assert topology.owners[11:] == (None,) * (SLOT_COUNT - 11)


@pytest.mark.parametrize("reply", [[], [shard([], node(A))]])
def test_a_map_without_slots_is_none(reply: Any) -> None:
    with pytest.raises(NoSlots):
        parse_shards(reply, ASKED)


@pytest.mark.parametrize("endpoint", [b"", b"?", None])
def test_a_node_that_does_not_know_its_address_is_where_it_was_asked(endpoint: bytes | None) -> None:
    topology = parse_shards([shard([0, 16383], node(A, endpoint=endpoint))], ASKED)
    assert topology.primaries == (Address(ASKED.host, A.port),)


def test_a_host_name_is_preferred_as_the_endpoint() -> None:
    topology = parse_shards([shard([0, 16383], node(A, endpoint=b"node-1.example"))], ASKED)
    assert topology.primaries == (Address("node-1.example", A.port),)


def test_a_failed_primary_stays_the_owner_and_is_named() -> None:
    topology = parse_shards([shard([0, 16383], node(A, health=b"fail"), node(A2, b"replica"))], ASKED)
    assert topology.primaries == (A,)
    assert topology.failed == {A}


@pytest.mark.parametrize("health", [b"fail", b"failed"])
def test_of_two_primaries_the_live_one_counts(health: bytes) -> None:
    topology = parse_shards([shard([0, 16383], node(A, health=health), node(A2))], ASKED)
    assert topology.primaries == (A2,)


def test_replicas_that_are_not_up_are_left_out() -> None:
    replicas = [node(B, b"replica", b"failed"), node(C, b"replica", b"loading"), node(A2, b"replica")]
    topology = parse_shards([shard([0, 16383], node(A), *replicas)], ASKED)
    assert topology.shards == (Shard(A, (A2,)),)


def test_slots_reply_gives_the_same_map() -> None:
    reply = [
        [0, 99, [b"10.0.0.1", 7001, b"id", []], [b"10.0.0.1", 7004, b"id", []]],
        [200, 5460, [b"10.0.0.1", 7001, b"id"], [b"10.0.0.1", 7004, b"id"]],
        [100, 199, [b"10.0.0.1", 7002, b"id"]],
        [5461, 10922, [b"10.0.0.1", 7002, b"id"]],
        [10923, 16383, [b"10.0.0.1", 7003, b"id"]],
    ]
    topology = parse_slots(reply, ASKED)
    assert topology.owners == parse_shards(three_shards(), ASKED).owners
    assert parse_slots([[0, 16383, [b"", 7001, b"id"]]], ASKED).primaries == (Address(ASKED.host, 7001),)
    with pytest.raises(NoSlots):
        parse_slots([], ASKED)


def test_moved_changes_one_slot() -> None:
    before = parse_shards(three_shards(), ASKED)
    after = before.moved(300, B)
    assert after.owners[300] == Shard(B)
    assert [slot for slot in range(SLOT_COUNT) if after.owners[slot] != before.owners[slot]] == [300]
    assert after != before
    assert after.moved(300, A) == before


def test_moved_to_a_replica_makes_it_a_primary() -> None:
    topology = parse_shards(three_shards(), ASKED).moved(0, A2)
    assert topology.owners[0] == Shard(A2)
    assert A2 in topology.primaries


def test_moved_to_a_failed_node_takes_the_failure_back() -> None:
    topology = parse_shards([shard([0, 16383], node(A, health=b"fail"), node(A2, b"replica"))], ASKED)
    assert topology.moved(5, A).failed == frozenset()


def test_maps_with_the_same_owners_are_equal() -> None:
    assert parse_shards(three_shards(), ASKED) == parse_shards(three_shards(), ASKED)
    assert parse_shards(three_shards(), ASKED) != parse_shards(three_shards()[:2], ASKED)
    assert Topology((None,) * SLOT_COUNT) == EMPTY


def test_a_single_server_owns_all() -> None:
    topology = single_shard(A, [A2])
    assert topology.stretches == ((0, Shard(A, (A2,))),)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:7000", ("127.0.0.1", 7000)),
        ("host.example:1", ("host.example", 1)),
        (":7000", ("there", 7000)),
        ("[::1]:7000", ("::1", 7000)),
        ("::1:7000", ("::1", 7000)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text, "there") == address


@pytest.mark.parametrize("text", ["", "host", "host:", "host:x", "7000"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        parse_address(text)


def test_addresses_of_users() -> None:
    assert as_addresses(["a:1", ("b", 2)]) == (("a", 1), ("b", 2))
    assert as_addresses("a:1") == (("a", 1),)
    assert str(Address("::1", 7)) == "[::1]:7"
    with pytest.raises(ValueError, match="at least one"):
        as_addresses([])
