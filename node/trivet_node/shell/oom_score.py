"""How likely the kernel is to end this process when memory is short: oom-score-adj and its values.

Primaries, replicas and the children that write snapshots have a value each, added to what the process was started with
(relative) or taken as it is (absolute). (Redis: server.c setOOMScoreAdj.)
"""

from pathlib import Path
from typing import Final

from trivet_node.config import Config

_FILE: Final = Path("/proc/self/oom_score_adj")
_LARGEST: Final = 1000
# Places in oom-score-adj-values.
PRIMARY: Final = 0
REPLICA: Final = 1
CHILD: Final = 2


class OomScore:
    """The score of this process. It is left alone until somebody asks for another one."""

    def __init__(self, config: Config) -> None:
        self._config = config
        # What the process was started with, once that was changed.
        self._first: int | None = None

    def apply(self, place: int) -> str:
        """Take on the score of a primary, a replica or a child; return why that was not possible, or nothing."""
        try:
            wanted = self._wanted(place)
            if wanted is not None:
                _FILE.write_text(str(wanted), encoding="ascii")
        except OSError as error:
            return f"Unable to write oom_score_adj: {error.strerror}"
        return ""

    def _wanted(self, place: int) -> int | None:
        """Return the score to take on; None where it is not to be touched."""
        mode = self._config.oom_score_adj
        if mode == "no":
            return self._first
        if self._first is None:
            self._first = int(_FILE.read_text(encoding="ascii"))
        value = self._config.oom_score_adj_values[place]
        return max(-_LARGEST, min(value if mode == "absolute" else value + self._first, _LARGEST))
