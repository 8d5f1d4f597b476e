"""MEMORY: sizes of values, the overview, and what the doctor finds."""

import random
from collections.abc import Callable

import pytest

from tests.node.conversation import Connection, TestEngine
from tests.node.engines import Node
from tests.value_samples import MAKERS, Request
from trivet_node.values.sizes import value_bytes

_MB = 2**20


class Patient(TestEngine):
    """An engine in a process of a given size."""

    def __init__(self, **facts: int) -> None:
        super().__init__()
        self.host.facts = facts


def doctor(**facts: int) -> str:
    return str(Patient(**facts).connect().say("MEMORY DOCTOR"))


def test_doctor_finds_what_is_wrong() -> None:
    assert "empty or is using very little" in doctor(used_memory=4 * _MB)
    healthy = {"used_memory": 40 * _MB, "used_memory_rss": 45 * _MB, "used_memory_peak": 50 * _MB}
    assert "can't find any memory issue" in doctor(**healthy)
    assert " * Peak memory:" in doctor(**healthy | {"used_memory_peak": 61 * _MB})
    assert " * High total RSS:" in doctor(**healthy | {"used_memory_rss": 80 * _MB})
    assert "empty" in doctor(**healthy | {"used_memory_startup": 38 * _MB})


def test_doctor_finds_clients_that_hold_much() -> None:
    engine = Patient(used_memory=40 * _MB)
    client = engine.connect()
    engine.connect().client.unsent_bytes = 500 * 1024
    assert " * Big client buffers:" in str(client.say("MEMORY DOCTOR"))


def test_purge_and_the_report_of_the_allocator_come_from_the_shell() -> None:
    engine = TestEngine()
    client = engine.connect()
    assert client.say("MEMORY PURGE") == "OK"
    assert engine.host.asked == ["release_memory"]
    assert client.say("MEMORY MALLOC-STATS") == "blocks: 5\n"


def test_what_is_not_data_is_overhead() -> None:
    engine = Patient(used_memory=40 * _MB, used_memory_startup=30 * _MB)
    client: Connection = engine.connect()
    client.say("MSET " + " ".join([f"key:{number} x" for number in range(2000)]))
    fields = dict(line.split(":") for line in str(client.say("INFO memory")).splitlines() if ":" in line)
    overhead = int(fields["used_memory_overhead"])
    assert 30 * _MB < overhead < 40 * _MB
    assert int(fields["used_memory_dataset"]) == 40 * _MB - overhead
    assert 0 < float(fields["used_memory_dataset_perc"].rstrip("%")) <= 100


@pytest.mark.parametrize("make", MAKERS)
def test_every_value_has_a_size(make: Callable[[random.Random, bytes], list[Request]]) -> None:
    node = Node()
    chance = random.Random(1)
    for number in range(30):
        key = b"k%d" % number
        for request in make(chance, key):
            node.ask(*request)
        value = node.database.find_raw(key)
        whole = value_bytes(value, 10_000)
        assert whole > 0
        assert value_bytes(value, 5) > 0
        assert node.ask("MEMORY", "USAGE", key, "SAMPLES", 0) > whole
