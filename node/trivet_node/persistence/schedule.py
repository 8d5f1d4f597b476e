"""When to save, and what is known of the snapshots taken so far. Pure: the shell forks and writes.

    due(now_ms, dirty)       a save point (`save seconds changes`) has come
    started / ended          a background save began, succeeded or failed
    saved                    a save in the foreground succeeded
    must_be_replaced         all keys were deleted, which no snapshot knows yet

`dirty` is the keyspace's count of changes, which only grows. After a failure the next try waits 5 s.
(Redis: serverCron, BGSAVE, LASTSAVE, INFO persistence.)
"""

from typing import Final, final

from trivet_node.persistence.rdb_reader import RdbReader

_RETRY_MS: Final = 5000
_MS_PER_S: Final = 1000
NOT_YET: Final = -1


@final
class ChildProgress:
    """How far the child is that writes a snapshot, of this node or for its replicas; zeros while there is none."""

    def __init__(self) -> None:
        self.keys_total: int = 0
        self.keys_done: int = 0
        # How much memory the child has of its own, because it or the node has written there since the fork.
        self.copied_bytes: int = 0
        self.copied_peak_bytes: int = 0
        self._told_ms: int = 0

    def begin(self, keys_total: int) -> None:
        """Note that a child has begun to write so many keys."""
        self.keys_total = keys_total
        self.keys_done = 0
        self.copied_bytes = 0
        self.copied_peak_bytes = 0
        self._told_ms = 0

    def tell(self, keys_done: int, copied_bytes: int, now_ms: int) -> None:
        """Note what the child says of itself."""
        self.keys_done = keys_done
        self.copied_bytes = copied_bytes
        self.copied_peak_bytes = max(self.copied_peak_bytes, copied_bytes)
        self._told_ms = now_ms

    def age_s(self, now_ms: int) -> int:
        """Return how long ago the child has told the size of its memory."""
        return (now_ms - self._told_ms) // _MS_PER_S if self._told_ms else 0


@final
class SnapshotState:
    """Snapshots of one node. Times are Unix milliseconds, durations seconds (NOT_YET before the first)."""

    def __init__(self, points: tuple[tuple[int, int], ...], now_ms: int) -> None:
        # (seconds, changes) pairs of the setting `save`.
        self.points: tuple[tuple[int, int], ...] = points
        self.in_progress: bool = False
        # BGSAVE SCHEDULE: start one as soon as that is possible.
        self.scheduled: bool = False
        # The snapshot on disk holds what FLUSHALL has deleted: a crash would bring that back.
        self.must_be_replaced: bool = False
        self.last_succeeded: bool = True
        self.last_save_ms: int = now_ms
        self.last_duration_s: int = NOT_YET
        self.count: int = 0
        self.child: ChildProgress = ChildProgress()
        self.last_copied_bytes: int = 0
        # The load at the start: what does it while it lasts, the file's size, when it began.
        self.loader: RdbReader | None = None
        self.load_bytes: int = 0
        self.load_started_ms: int = 0
        # What it found: keys taken over, and keys that had expired.
        self.keys_loaded: int = 0
        self.keys_expired: int = 0
        # Whether the child was ended on purpose, which is no failure.
        self._was_stopped: bool = False
        self._started_ms: int = 0
        self._last_try_ms: int = 0
        # The keyspace's count of changes when the last snapshot was taken, and when the running one began.
        self._saved_dirty: int = 0
        self._started_dirty: int = 0

    def changes(self, dirty: int) -> int:
        """Return how many changes no snapshot holds."""
        return dirty - self._saved_dirty

    def due(self, now_ms: int, dirty: int) -> tuple[int, int] | None:
        """Return the save point that has come, or None."""
        if self.in_progress or (not self.last_succeeded and now_ms - self._last_try_ms <= _RETRY_MS):
            return None
        changes = self.changes(dirty)
        for seconds, needed in self.points:
            if changes >= needed and now_ms - self.last_save_ms > seconds * _MS_PER_S:
                return seconds, needed
        return None

    def started(self, now_ms: int, dirty: int) -> None:
        """Note that a background save began."""
        self.in_progress = True
        self.scheduled = False
        self._was_stopped = False
        self._started_ms = now_ms
        self._last_try_ms = now_ms
        self._started_dirty = dirty

    def failed_to_start(self, now_ms: int) -> None:
        """Note that a background save could not begin after all."""
        self.in_progress = False
        self._last_try_ms = now_ms
        self.last_succeeded = False

    def stopped(self) -> None:
        """Note that the background save is ended on purpose; it is in progress until ended() is called."""
        self._was_stopped = True

    def ended(self, now_ms: int, succeeded: bool) -> None:
        """Note that the background save is over."""
        self.in_progress = False
        if succeeded or not self._was_stopped:
            self.last_succeeded = succeeded
        self.last_duration_s = (now_ms - self._started_ms) // _MS_PER_S
        if succeeded:
            self.count += 1
            self._note_saved(now_ms, self._started_dirty)

    def saved(self, now_ms: int, dirty: int) -> None:
        """Note that a snapshot was written in the foreground."""
        self.must_be_replaced = False
        self.last_succeeded = True
        self._note_saved(now_ms, dirty)

    def load_began(self, loader: RdbReader, size_bytes: int, now_ms: int) -> None:
        """Note that a snapshot is being loaded."""
        self.loader = loader
        self.load_bytes = size_bytes
        self.load_started_ms = now_ms

    def loaded(self, dirty: int) -> None:
        """Note that the keyspace is what the file on disk holds."""
        self._saved_dirty = dirty
        if self.loader is not None:
            self.keys_loaded = self.loader.keys_loaded
            self.keys_expired = self.loader.keys_expired
            self.loader = None

    def running_s(self, now_ms: int) -> int:
        """Return for how long the present background save has been running, NOT_YET where there is none."""
        return (now_ms - self._started_ms) // _MS_PER_S if self.in_progress else NOT_YET

    def _note_saved(self, now_ms: int, dirty: int) -> None:
        self.last_save_ms = now_ms
        self._saved_dirty = dirty
