"""Processes that may have been started by somebody else, long ago.

A process id alone names nothing: systems use ids again. Together with the time at which the process started it names
one process for good, so both are remembered, both are compared before anything is done to a process, and signals go
through a pidfd, which cannot slide over to another process between the comparison and the signal.
(proc(5), /proc/[pid]/stat; pidfd_open(2).)
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import attrs

_LOG_TAIL_LINES = 15


@attrs.frozen
class ProcessId:
    """One process of this machine. `start_ticks` is when it started, in clock ticks since the machine booted."""

    pid: int
    start_ticks: int

    def is_running(self) -> bool:
        """Return whether this very process still runs (one that ended and waits to be reaped does not)."""
        return running_since(self.pid) == self.start_ticks

    def pidfd(self) -> int | None:
        """Return a descriptor of the process, readable once it has ended; None if it does not run any more."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        # Only now is it certain whom the descriptor stands for.
        if not self.is_running():
            os.close(descriptor)
            return None
        return descriptor

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the process has ended."""
        if (descriptor := self.pidfd()) is None:
            return
        try:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the process has ended; return False if it has not after `timeout_s` seconds."""
        if (descriptor := self.pidfd()) is None:
            return True
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(timeout_s * 1000))
        finally:
            os.close(descriptor)


def identify(pid: int) -> ProcessId:
    """Return the identity of a process that is known to run, such as a child just forked."""
    start_ticks = running_since(pid)
    return ProcessId(pid, -1 if start_ticks is None else start_ticks)


def running_since(pid: int) -> int | None:
    """Return the start time in ticks of the process with this id; None if there is none, or it has ended."""
    try:
        # The name of the program stands in parentheses and may hold spaces and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, start_ticks = fields[0], int(fields[19])
    return None if state in "ZX" else start_ticks


def how_it_ended(pid: int) -> str:
    """Reap a child that has ended and return how it did, such as `exit status 1`; empty for other people's children."""
    try:
        _, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return ""
    code = os.waitstatus_to_exitcode(status)
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def age_s(process: ProcessId) -> float:
    """Return how many seconds ago a process started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_ticks / os.sysconf("SC_CLK_TCK")


def stop_all(processes: Iterable[ProcessId], timeout_s: float) -> None:
    """End processes with SIGTERM, all at once, and those that are still there after `timeout_s` by force."""
    remaining = [process for process in processes if process.is_running()]
    for process in remaining:
        process.send_signal(signal.SIGTERM)
        # A stopped process would not hear the SIGTERM.
        process.send_signal(signal.SIGCONT)
    deadline = time.monotonic() + timeout_s
    for process in remaining:
        if not process.wait(max(0.0, deadline - time.monotonic())):
            process.send_signal(signal.SIGKILL)
            process.wait(timeout_s)


def log_tail(path: Path) -> str:
    """Return the last lines of a process's log, indented; words that say so where there are none."""
    try:
        lines = path.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    except FileNotFoundError:
        lines = []
    return "\n".join(f"    {line}" for line in lines) if lines else "    (it logged nothing)"
