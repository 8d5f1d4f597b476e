"""What a process settles with its surroundings before it serves: processors, large pages, its title, its crash log.

(Redis: server.c main.)
"""

import ctypes
import faulthandler
from pathlib import Path
from typing import Final

from trivet_node.config import Config
from trivet_node.shell.affinity import run_on
from trivet_node.shell.title import show_title
from trivet_wire.process import log

_LARGE_PAGES: Final = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_PR_SET_THP_DISABLE: Final = 41


def settle(config: Config) -> None:
    """Do all of it."""
    run_on(config.server_cpulist)
    if config.disable_thp and _has_large_pages():
        _refuse_large_pages()
    show_title(config)
    keep_crash_log(config)


def keep_crash_log(config: Config) -> None:
    """Have a crash write where it happened to the log, or not, as crash-log-enabled says."""
    if config.crash_log_enabled and log.file_descriptor() >= 0:
        faulthandler.enable(log.file_descriptor())
    else:
        faulthandler.disable()


def _has_large_pages() -> bool:
    """Say whether the kernel gives large pages to everybody: after a fork, each write would copy one."""
    try:
        return "[always]" in _LARGE_PAGES.read_text(encoding="ascii")
    except OSError:
        return False


def _refuse_large_pages() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0:
        log.log("warning", "Can't do without transparent huge pages")
