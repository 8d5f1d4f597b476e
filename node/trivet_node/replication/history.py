"""Which point of which history a data set is: a replication id and an offset.

Two data sets with the same id and offset are equal. A replica has its primary's id. When it becomes a primary it begins
a history of its own, but remembers the old id up to the point where the two part: replicas of the old primary that are
not beyond that point can continue with the new one. (Redis: replid, replid2, second_replid_offset, PSYNC2.)
"""

from random import Random
from typing import Final, final

NO_ID: Final = b"0" * 40
_NOWHERE: Final = -1


@final
class History:
    """`id` and `offset` of this data set; `previous_id` is valid for offsets below `previous_end`."""

    def __init__(self, replication_id: bytes) -> None:
        self.id: bytes = replication_id
        self.offset: int = 0
        self.previous_id: bytes = NO_ID
        self.previous_end: int = _NOWHERE
        # Whether anybody else was told the present id.
        self.is_shared: bool = False

    def begin(self, replication_id: bytes) -> None:
        """Begin a history that nobody else has a part of; the offset stays."""
        self.id = replication_id
        self.previous_id = NO_ID
        self.previous_end = _NOWHERE
        self.is_shared = False

    def branch(self, replication_id: bytes) -> None:
        """Begin a history that parts from the present one here: a replica becomes a primary."""
        self.previous_id = self.id
        self.previous_end = self.offset + 1
        self.id = replication_id
        self.is_shared = False

    def known_id(self) -> bytes:
        """Return the id by which another node may know this point.

        That is the previous one as long as nothing was written and nobody was told of the present one: a primary that
        led for a moment only, or a node that has just loaded a snapshot, can go back to where it came from.
        """
        if not self.is_shared and self.previous_end == self.offset + 1:
            return self.previous_id
        return self.id

    def restart(self, replication_id: bytes, offset: int) -> None:
        """Take over the point of a data set received whole."""
        self.begin(replication_id)
        self.offset = offset

    def continue_as(self, replication_id: bytes) -> None:
        """Go on with a primary that took over: its id replaces ours, which stays known up to here."""
        if replication_id != self.id:
            self.branch(replication_id)

    def includes(self, replication_id: bytes, next_offset: int) -> bool:
        """Say whether a data set that lacks only what begins at `next_offset` is an earlier point of this one."""
        asked = replication_id.lower()
        return asked == self.id or (asked == self.previous_id and next_offset <= self.previous_end)


def new_replication_id(random: Random) -> bytes:
    """Return 40 hexadecimal digits."""
    return b"%040x" % random.getrandbits(160)
