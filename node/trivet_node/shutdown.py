"""A shutdown that was asked for: what it is to do, and until when it waits for the replicas. Pure.

    NONE       there is none
    WAITING    nothing is written any more; replicas have yet to acknowledge all that was
    OVER       the node ends: what is saved is the end of its history, and nothing happens any more

(Redis: server.c prepareForShutdown, finishShutdown.)
"""

from typing import Final, final

NONE: Final = 0
WAITING: Final = 1
OVER: Final = 2

# What may be wished for, in shutdown-on-sigterm and by SHUTDOWN.
SAVE: Final = "save"
NO_SAVE: Final = "nosave"
NOW: Final = "now"
FORCE: Final = "force"


@final
class Shutdown:
    """The shutdown under way, if any."""

    def __init__(self) -> None:
        self.state: int = NONE
        self.wishes: frozenset[str] = frozenset()
        # Unix milliseconds after which replicas are waited for no longer.
        self.deadline_ms: int = 0

    def wants_save(self, has_save_points: bool) -> bool:
        """Say whether a snapshot is to be written; without a wish, save points decide."""
        return SAVE in self.wishes or (has_save_points and NO_SAVE not in self.wishes)
