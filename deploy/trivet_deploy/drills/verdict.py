"""The figures of a drill, and the words for them."""

import attrs

from trivet_deploy.drills.ledger import Ledger, first_success_after, longest_wait_s
from trivet_wire.slots import SLOT_COUNT


@attrs.frozen
class Verdict:
    """What a drill found. `healed_after_s` is None where no write to the shard succeeded any more."""

    healed_after_s: float | None
    acknowledged: int
    lost: int
    stale_reads: int
    errors: dict[str, int]
    longest_wait_s: float
    slots_not_served: int

    @property
    def passed(self) -> bool:
        """Return whether all slots serve again, the broken shard's among them."""
        return self.slots_not_served == 0 and self.healed_after_s is not None

    def lines(self) -> list[str]:
        """Return the verdict as lines of text."""
        healed = "never" if self.healed_after_s is None else f"{self.healed_after_s:.2f} s"
        served = (
            f"all {SLOT_COUNT} slots serve again" if self.passed else f"{self.slots_not_served} slots are not served"
        )
        errors = sum(self.errors.values())
        return [
            f"{'HEALED' if self.passed else 'NOT HEALED'}: {served}",
            f"  from the kill to the first successful write on that shard   {healed}",
            f"  acknowledged writes lost                                    {self.lost} of {self.acknowledged}",
            f"  stale reads                                                 {self.stale_reads}",
            f"  errors that the application saw                             {errors}",
            *(f"    {times} x {text}" for text, times in self.errors.items()),
            f"  longest that one write had to wait                          {self.longest_wait_s:.2f} s",
        ]


def judge(
    ledger: Ledger, shard: int, fault_s: float, values: dict[bytes, bytes | None], slots_not_served: int
) -> Verdict:
    """Return the verdict on a drill that broke `shard` at `fault_s`; `values` is what the cluster holds in the end."""
    first_s = first_success_after(ledger.writes, shard, fault_s)
    return Verdict(
        healed_after_s=None if first_s is None else first_s - fault_s,
        acknowledged=len(ledger.writes),
        lost=len(ledger.lost(values)),
        stale_reads=ledger.stale_reads,
        errors=dict(ledger.errors),
        longest_wait_s=longest_wait_s(ledger.writes),
        slots_not_served=slots_not_served,
    )
