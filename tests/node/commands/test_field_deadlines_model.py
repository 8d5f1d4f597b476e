"""Random commands on hashes with deadlines of fields, against plain dicts, while time passes.

There is no redis-server here that knows these commands. A replica follows the stream and must hold the same in the end.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import hiredis
import pytest

from tests.node.replication.pair import START_MS, Node, synchronized
from trivet_node.server.state import Server
from trivet_node.values.hash_deadlines import ExpiringHash
from trivet_node.values.hashes import Hash

SEED = int(os.environ.get("TRIVET_SEED", "0"))
STEPS = 800
KEYS = ("h", "g")
# Enough of them that a hash becomes a table, as the settings of the test's nodes are.
FIELDS = [f"f{number}" for number in range(12)]
PACKED_FIELDS = 6


class Model:
    """Hashes as dicts of field -> (value, deadline or None)."""

    def __init__(self) -> None:
        self.now_ms = START_MS
        self.hashes: dict[str, dict[str, tuple[str, int | None]]] = {key: {} for key in KEYS}

    def live(self, key: str) -> dict[str, tuple[str, int | None]]:
        """Return the fields of a hash after what is past its deadline was forgotten."""
        fields = self.hashes[key]
        for field in [
            field for field, (_, deadline) in fields.items() if deadline is not None and deadline < self.now_ms
        ]:
            del fields[field]
        return fields

    def expire(self, key: str, deadline: int, condition: str, fields: list[str]) -> list[int]:
        return [self._expire_one(self.live(key), field, deadline, condition) for field in fields]

    def _expire_one(self, known: dict[str, tuple[str, int | None]], field: str, deadline: int, condition: str) -> int:
        if field not in known:
            return -2
        value, current = known[field]
        allowed = {
            "": True,
            "NX": current is None,
            "XX": current is not None,
            "GT": current is not None and deadline > current,
            "LT": current is None or deadline < current,
        }
        if not allowed[condition]:
            return 0
        if deadline <= self.now_ms:
            del known[field]
            return 2
        known[field] = (value, deadline)
        return 1


class Walk:
    """One random walk: each step runs a command on the primary and the model and compares the replies."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.model = Model()
        self.primary, self.replica = Node("p"), Node("r")
        for node in (self.primary, self.replica):
            node.server.limits.hash_max_listpack_entries = PACKED_FIELDS
        self.link = synchronized(self.replica, self.primary)
        self.steps: list[Callable[[], None]] = [
            *(
                self.set,
                self.set,
                self.set_with_deadline,
                self.set_with_deadline,
                self.expire,
                self.expire,
                self.expire,
            ),
            *(self.persist, self.get_and_expire, self.get_and_delete, self.delete, self.increase, self.set_new),
            *(self.look, self.look, self.look, self.pass_time, self.pass_time),
            *(self.copy, self.rename, self.tick),
        ]

    def run(self) -> None:
        for _ in range(STEPS):
            self.chance.choice(self.steps)()
            if self.chance.random() < 0.1:
                self.link.pump()
                self.compare_what_clients_see(self.replica)

    def ask(self, *words: str | int) -> Any:
        return plain(self.primary.do(*[str(word) for word in words]))

    def key(self) -> str:
        return self.chance.choice(KEYS)

    def some_fields(self) -> list[str]:
        return self.chance.choices(FIELDS, k=self.chance.randint(1, 4))

    def deadline(self) -> int:
        return self.model.now_ms + self.chance.choice((-5, 0, 1, 3, 10, 30, 100, 5000))

    def set(self) -> None:
        key, fields, value = self.key(), self.some_fields(), str(self.chance.randrange(100))
        known = self.model.live(key)
        created = len(set(fields) - set(known))
        known.update(dict.fromkeys(fields, (value, None)))
        assert self.ask("HSET", key, *[word for field in fields for word in (field, value)]) == created

    def set_with_deadline(self) -> None:
        key, fields, value = self.key(), self.some_fields(), str(self.chance.randrange(100))
        condition, kept, deadline = self.chance.choice(("", "FNX", "FXX")), self.chance.random() < 0.3, self.deadline()
        known = self.model.live(key)
        there = [field in known for field in fields]
        time = (
            ("KEEPTTL",)
            if kept
            else self.chance.choice((("PXAT", deadline), ("PX", max(deadline - self.model.now_ms, 0))))
        )
        reply = self.ask(
            *("HSETEX", key, *([condition] if condition else []), *time, "FIELDS", len(fields)),
            *[word for field in fields for word in (field, value)],
        )
        if (condition == "FNX" and any(there)) or (condition == "FXX" and not all(there)):
            assert reply == 0
            return
        assert reply == 1
        for field in fields:
            known[field] = (value, known.get(field, ("", None))[1] if kept else deadline)
            if not kept and deadline <= self.model.now_ms:
                del known[field]

    def expire(self) -> None:
        key, fields, deadline = self.key(), self.some_fields(), self.deadline()
        condition = self.chance.choice(("", "", "NX", "XX", "GT", "LT"))
        expected = self.model.expire(key, deadline, condition, fields)
        words = [condition] if condition else []
        assert self.ask("HPEXPIREAT", key, deadline, *words, "FIELDS", len(fields), *fields) == expected

    def persist(self) -> None:
        key, fields = self.key(), self.some_fields()
        known = self.model.live(key)
        expected = []
        for field in fields:
            expected.append(-2 if field not in known else -1 if known[field][1] is None else 1)
            if field in known:
                known[field] = (known[field][0], None)
        assert self.ask("HPERSIST", key, "FIELDS", len(fields), *fields) == expected

    def get_and_expire(self) -> None:
        key, fields, left_ms = self.key(), self.some_fields(), self.chance.choice((0, 2, 50))
        known = self.model.live(key)
        expected = [known[field][0] if field in known else None for field in fields]
        self.model.expire(key, self.model.now_ms + left_ms, "", fields)
        assert self.ask("HGETEX", key, "PX", left_ms, "FIELDS", len(fields), *fields) == expected

    def get_and_delete(self) -> None:
        key, fields = self.key(), self.some_fields()
        known = self.model.live(key)
        expected = [known.pop(field, (None, None))[0] for field in fields]
        assert self.ask("HGETDEL", key, "FIELDS", len(fields), *fields) == expected

    def delete(self) -> None:
        key, fields = self.key(), self.some_fields()
        known = self.model.live(key)
        assert self.ask("HDEL", key, *fields) == sum(known.pop(field, None) is not None for field in fields)

    def increase(self) -> None:
        key, field = self.key(), self.chance.choice(FIELDS)
        known = self.model.live(key)
        value, deadline = known.get(field, ("0", None))
        known[field] = (str(int(value) + 3), deadline)
        command = self.chance.choice(("HINCRBY", "HINCRBYFLOAT"))
        assert str(self.ask(command, key, field, 3)) == known[field][0]

    def set_new(self) -> None:
        key, field = self.key(), self.chance.choice(FIELDS)
        known = self.model.live(key)
        assert self.ask("HSETNX", key, field, "7") == int(field not in known)
        known.setdefault(field, ("7", None))

    def look(self) -> None:
        self.compare_what_clients_see(self.primary)

    def compare_what_clients_see(self, node: Node) -> None:
        for key in KEYS:
            known = self.model.live(key)
            assert mapping(plain(node.do("HGETALL", key))) == {field: value for field, (value, _) in known.items()}
            asked = ["HPEXPIRETIME", key, "FIELDS", str(len(FIELDS)), *FIELDS]
            times = [-2 if field not in known else known[field][1] or -1 for field in FIELDS]
            assert plain(node.do(*asked)) == times
            assert plain(node.do("HMGET", key, *FIELDS)) == [known.get(field, (None, None))[0] for field in FIELDS]
            assert mapping(plain(node.do("HSCAN", key, "0", "COUNT", "100"))[1]).keys() == known.keys()
            assert sorted(plain(node.do("HRANDFIELD", key, "100"))) == sorted(known)
            assert plain(node.do("HLEN", key)) >= len(known)

    def pass_time(self) -> None:
        passed_ms = self.chance.choice((1, 2, 7, 40))
        self.model.now_ms += passed_ms
        for node in (self.primary, self.replica):
            node.now_ms += passed_ms
            node.server.keyspace.now_ms = node.now_ms

    def tick(self) -> None:
        """Let active expiry run: after that nothing counts that is past its deadline."""
        self.primary.tick(0)
        self.replica.tick(0)
        for key in KEYS:
            known = self.model.live(key)
            assert (self.ask("HLEN", key), self.ask("EXISTS", key)) == (len(known), int(bool(known)))
            value = self.primary.server.keyspace.database(0).find_raw(key.encode())
            expiring = any(deadline is not None for _, deadline in known.values())
            assert isinstance(value, ExpiringHash) == expiring
        check_followed(self.primary.server)

    def copy(self) -> None:
        self.tick()
        if self.ask("COPY", "h", "g", "REPLACE"):
            self.model.hashes["g"] = dict(self.model.live("h"))

    def rename(self) -> None:
        self.tick()
        if self.model.live("g"):
            self.ask("RENAME", "g", "h")
            self.model.hashes["h"], self.model.hashes["g"] = self.model.hashes["g"], {}


def plain(data: bytes) -> Any:
    """Return the reply of these bytes with text instead of bytes."""
    return as_text(hiredis_reply(data))


def hiredis_reply(data: bytes) -> Any:
    reader = hiredis.Reader()
    reader.feed(data)
    return reader.gets()


def as_text(reply: Any) -> Any:
    if isinstance(reply, list):
        return [as_text(item) for item in reply]
    return reply.decode() if isinstance(reply, bytes) else reply


def mapping(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def check_followed(server: Server) -> None:
    """Check that a database follows exactly the hashes with deadlines, each from its first one on."""
    for database in server.keyspace.used_databases():
        expiring = {
            key: value.deadlines.first_ms()
            for slot in database.slots
            for key, value in slot.items()
            if isinstance(value, ExpiringHash)
        }
        assert len(database.field_deadlines) == len(expiring)
        assert {key: database.field_deadlines.get(key) for key in expiring} == expiring


def fields_of(node: Node) -> dict[bytes, tuple[list[bytes], dict[bytes, int]]]:
    """Return every hash with its fields and their deadlines, those that have passed included."""
    found = {}
    for slot in node.server.keyspace.database(0).slots:
        for key, value in slot.items():
            assert isinstance(value, (Hash, ExpiringHash))
            hashed = value if isinstance(value, Hash) else value.hash
            deadlines = {} if isinstance(value, Hash) else {f: value.deadlines.get(f) for f in hashed.fields()}
            found[key] = (sorted(hashed.pairs()), deadlines)
    return found


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_a_random_walk(seed: int) -> None:
    walk = Walk(seed)
    walk.run()
    walk.tick()
    walk.link.pump()
    assert fields_of(walk.replica) == fields_of(walk.primary)
    check_followed(walk.replica.server)
    # Who comes later gets the same by a snapshot.
    other = Node("s")
    other.server.limits.hash_max_listpack_entries = PACKED_FIELDS
    synchronized(other, walk.primary)
    assert fields_of(other) == fields_of(walk.primary)
    check_followed(other.server)
