"""What drills remember and conclude: ledger, timeline, verdict."""

from itertools import islice

from trivet_deploy.drills.ledger import Ledger, Write, first_success_after
from trivet_deploy.drills.timeline import Timeline
from trivet_deploy.drills.verdict import judge
from trivet_deploy.drills.workload import keys_between, one_key_per_slot
from trivet_wire.slots import key_slot


def write(number: int, shard: int, started_s: float, acknowledged_s: float) -> Write:
    return Write(b"key %d" % number, b"value %d" % number, shard, started_s, acknowledged_s)


def test_a_write_is_lost_if_its_key_is_gone_or_holds_something_else() -> None:
    ledger = Ledger()
    kept, gone, other = write(1, 0, 0, 1), write(2, 0, 0, 1), write(3, 0, 0, 1)
    for each in (kept, gone, other):
        ledger.acknowledge(each)
    values = {kept.key: kept.value, gone.key: None, other.key: b"older"}
    assert ledger.lost(values) == [gone, other]


def test_healing_is_measured_by_writes_that_began_after_the_fault_on_the_broken_shard() -> None:
    writes = [
        write(1, 0, started_s=9.9, acknowledged_s=10.1),  # was under way when the fault happened
        write(2, 1, started_s=10.1, acknowledged_s=10.2),  # another shard
        write(3, 0, started_s=10.3, acknowledged_s=12.5),
        write(4, 0, started_s=10.2, acknowledged_s=12.4),
    ]
    assert first_success_after(writes, shard=0, moment_s=10.0) == 12.4
    assert first_success_after(writes[:2], shard=0, moment_s=10.0) is None


def test_a_verdict_needs_every_slot_and_a_write_on_the_broken_shard() -> None:
    ledger = Ledger()
    ledger.acknowledge(write(1, 0, 10.5, 11.5))
    ledger.fail(ValueError("no"))
    values = {b"key 1": b"value 1"}
    good = judge(ledger, shard=0, fault_s=10.0, values=values, slots_not_served=0)
    assert good.passed
    assert good.healed_after_s == 1.5
    assert good.lost == 0
    assert good.errors == {"ValueError: no": 1}
    assert not judge(ledger, shard=0, fault_s=10.0, values=values, slots_not_served=1).passed
    unhealed = judge(ledger, shard=1, fault_s=10.0, values={}, slots_not_served=0)
    assert not unhealed.passed
    assert unhealed.lost == 1
    assert "never" in "\n".join(unhealed.lines())


def test_a_read_that_misses_an_acknowledged_write_is_stale() -> None:
    ledger = Ledger()
    ledger.read(write(1, 0, 0, 1), b"value 1")
    ledger.read(write(1, 0, 0, 1), None)
    assert ledger.stale_reads == 1


def test_an_event_that_several_sentinels_tell_is_one_entry() -> None:
    timeline = Timeline()
    first = timeline.add(1.0, "sentinel-1", "+odown", "master a")
    assert first is not None
    assert timeline.add(1.1, "sentinel-2", "+odown", "master a") is None
    assert timeline.add(1.2, "sentinel-2", "+odown", "master b") is not None
    assert timeline.add(1.3, "sentinel-2", "__sentinel__:hello", "...") is None
    assert first.sentinels == ["sentinel-1", "sentinel-2"]
    # The same sentinel telling the same again is something that happened again.
    assert timeline.add(9.0, "sentinel-1", "+odown", "master a") is not None


def test_keys_for_a_range_of_slots_stay_inside_it_and_differ() -> None:
    keys = list(islice(keys_between("x", 100, 200), 50))
    assert len(set(keys)) == 50
    assert all(100 <= key_slot(key) <= 200 for key in keys)


def test_there_is_one_key_for_each_slot() -> None:
    assert [key_slot(key) for key in one_key_per_slot()] == list(range(16384))
