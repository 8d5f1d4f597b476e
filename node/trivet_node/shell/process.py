"""What a node asks and tells of its own process: limits, memory, and the line that names it in the log."""

import contextlib
import ctypes
import gc
import os
import resource
import sys
from pathlib import Path
from typing import Final

from trivet_node.config import Config

# Files that a node needs besides its clients' sockets.
_RESERVED_FILES: Final = 32
_KIB: Final = 1024
_US_PER_S: Final = 1_000_000


def start_line(config: Config) -> str:
    """Return the line that names this process at its start."""
    mode = "cluster" if config.cluster_enabled else "standalone"
    return f"Running mode={mode}, port={config.port}, PID: {os.getpid()}"


def allow_open_files(config: Config) -> list[str]:
    """Raise this process' limit of open files so that `maxclients` fit; return warnings where they do not.

    `config.maxclients` is lowered to what is possible then.
    """
    wanted = config.maxclients + _RESERVED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return []
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    if possible == wanted:
        return []
    asked, config.maxclients = config.maxclients, max(1, possible - _RESERVED_FILES)
    return [
        f"You requested maxclients of {asked} requiring at least {wanted} max file descriptors.",
        f"Current maximum open files is {possible}. maxclients has been reduced to {config.maxclients} to compensate "
        "for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
    ]


def process_facts() -> dict[str, int]:
    """Return what INFO says of the process: its id, memory in bytes, processor time in microseconds (`..._us`)."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Everything that asks runs in the main thread.
    thread = resource.getrusage(resource.RUSAGE_THREAD)
    return {
        **memory_facts(),
        "process_id": os.getpid(),
        "total_system_memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "used_cpu_sys_us": int(own.ru_stime * _US_PER_S),
        "used_cpu_user_us": int(own.ru_utime * _US_PER_S),
        "used_cpu_sys_children_us": int(children.ru_stime * _US_PER_S),
        "used_cpu_user_children_us": int(children.ru_utime * _US_PER_S),
        "used_cpu_sys_main_thread_us": int(thread.ru_stime * _US_PER_S),
        "used_cpu_user_main_thread_us": int(thread.ru_utime * _US_PER_S),
    }


def memory_facts() -> dict[str, int]:
    """Return the process' memory in bytes: used_memory_rss now, used_memory_peak ever, used_memory (private, now)."""
    sizes = {"VmHWM": 0, "VmRSS": 0, "RssAnon": 0}
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name in sizes:
            sizes[name] = int(rest.split()[0]) * _KIB
    return {
        "used_memory": sizes["RssAnon"],
        "used_memory_rss": sizes["VmRSS"],
        "used_memory_peak": sizes["VmHWM"],
    }


def allocator_report() -> str:
    """Return what Python's allocator and its collector of garbage tell of themselves."""
    lines = ["___ Begin pymalloc statistics ___", f"Allocated blocks: {sys.getallocatedblocks()}"]
    for generation, (count, found) in enumerate(zip(gc.get_count(), gc.get_stats(), strict=True)):
        lines.append(
            f"Generation {generation}: count {count}, collections {found['collections']}, collected "
            f"{found['collected']}, uncollectable {found['uncollectable']}"
        )
    lines += [f"Frozen objects: {gc.get_freeze_count()}", "--- End pymalloc statistics ---"]
    return "".join([line + "\n" for line in lines])


def release_memory() -> None:
    """Give memory that is not used back to the system, where the C library knows how to."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
