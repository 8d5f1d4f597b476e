"""How this process was started, so that it can start again as another one with the same id.

(Redis: server.c restartServer; DEBUG RESTART, DEBUG CRASH-AND-RECOVER.)
"""

import os
import sys
import time
from collections.abc import Sequence
from typing import Final

from trivet_wire.process import log

_MS_PER_S: Final = 1000


class Invocation:
    """The arguments behind `trivet node`, and the directory that they were given in, which is the present one."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = list(arguments)
        self._directory = os.getcwd()

    def repeat(self, delay_ms: int) -> None:
        """Start again after a while; returns only where that failed, with the reason in the log.

        Open sockets and files close by themselves when the new program takes over: none is inherited.
        """
        time.sleep(delay_ms / _MS_PER_S)
        try:
            os.chdir(self._directory)
            os.execv(sys.executable, [sys.executable, "-m", "trivet_node", *self._arguments])
        except OSError as error:
            log.log("warning", f"Can't restart: {error.strerror}")
