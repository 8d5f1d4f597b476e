"""A forked child that does one thing and exits: how a snapshot is written while the node goes on.

The child has a copy of everything, open files included. It closes them first, so that a connection ends when the node
does and not when the child does; then it works with plain system calls. It never returns into trio, and ends by
os._exit, which runs nobody's clean-up. Through a pipe comes back how far it is, a line now and then, and at last what
went wrong; the pipe's end also tells that the child is gone, however it went.
"""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import trio

_FIRST_FREE_FD: Final = 3
_MESSAGE_BYTES: Final = 4096
_FD_MAX: Final = 65536
# What a line of the pipe begins with: how much is done and how many bytes were copied, or what went wrong.
_PROGRESS: Final = b"+"
_FAILURE: Final = b"-"
# How often progress is told, and how much of the child's time finding out what to tell may take.
_PROGRESS_S: Final = 1.0
_PROGRESS_SHARE: Final = 0.01
_KIB: Final = 1024


class ChildFailed(Exception):
    """The child did not do its work. `signal_number` is what killed it, 0 where it ended by itself."""

    def __init__(self, reason: str, signal_number: int = 0) -> None:
        super().__init__(reason)
        self.signal_number = signal_number


class Child:
    """A running child."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self._pipe = pipe

    async def wait(self, tell: Callable[[int, int], None]) -> None:
        """Wait until the child is gone; `tell(done, copied_bytes)` is called whenever it says how far it is.

        Raises ChildFailed unless it did its work.
        """
        message = b""
        try:
            while True:
                await trio.lowlevel.wait_readable(self._pipe)
                data = os.read(self._pipe, _MESSAGE_BYTES)
                if not data:
                    break
                *lines, message = (message + data).split(b"\n")
                for line in lines:
                    done, copied_bytes = line.removeprefix(_PROGRESS).split()
                    tell(int(done), int(copied_bytes))
        except trio.Cancelled:
            self.kill()
            raise
        finally:
            status = self._reap()
        if os.WIFSIGNALED(status):
            raise ChildFailed(f"terminated by signal {os.WTERMSIG(status)}", os.WTERMSIG(status))
        if os.WEXITSTATUS(status) != 0:
            reason = message.removeprefix(_FAILURE).decode(errors="replace")
            raise ChildFailed(reason or f"exit status {os.WEXITSTATUS(status)}")

    def _reap(self) -> int:
        """Return the exit status; the child's end of the pipe is closed, so it has exited or is just about to."""
        os.close(self._pipe)
        return os.waitpid(self.pid, 0)[1]

    def kill(self) -> None:
        """End the child at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """End the child and return when it is gone, so that it writes no more files; wait() still learns how."""
        self.kill()
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)


class ParentGone(Exception):
    """The node has died; nobody wants what its child makes."""


def fork_child(
    work: Callable[[Callable[[], None]], None], progress: Callable[[], int], keep: tuple[int, ...] = ()
) -> Child:
    """Run `work(check)` in a child, with only the files `keep` and the standard ones open. Raises OSError.

    `work` calls `check` now and then: that ends a child whose parent is gone, and tells the parent what `progress`
    returns. An exception that `work` raises is its failure.
    """
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid == 0:
        _run(work, progress, writing, keep)
    os.close(writing)
    return Child(pid, reading)


def _run(
    work: Callable[[Callable[[], None]], None], progress: Callable[[], int], pipe: int, keep: tuple[int, ...]
) -> NoReturn:
    status = 1
    try:
        parent = os.getppid()
        _forget_signals()
        _close_files((pipe, *keep))
        reporter = _Reporter(parent, pipe, progress)
        work(reporter.check)
        reporter.tell()
        status = 0
    except BaseException as error:
        with contextlib.suppress(OSError):
            text = f"{type(error).__name__}: {error}".replace("\n", " ")
            os.write(pipe, _FAILURE + text.encode(errors="replace")[:_MESSAGE_BYTES])
    finally:
        os._exit(status)


class _Reporter:
    """Tells the parent how far the child is."""

    def __init__(self, parent: int, pipe: int, progress: Callable[[], int]) -> None:
        self._parent = parent
        self._pipe = pipe
        self._progress = progress
        self._due_s = time.monotonic() + _PROGRESS_S

    def check(self) -> None:
        """End a child whose parent is gone; tell its progress if it is time to."""
        if os.getppid() != self._parent:
            raise ParentGone
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self.tell()
            cost_s = time.monotonic() - now_s
            self._due_s = now_s + max(_PROGRESS_S, cost_s / _PROGRESS_SHARE)

    def tell(self) -> None:
        """Tell how far the child is."""
        os.write(self._pipe, b"%s%d %d\n" % (_PROGRESS, self._progress(), _copied_bytes()))


def _copied_bytes() -> int:
    """Return how much memory this process has of its own because it was written since the fork."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1]) * _KIB
    return 0


def _forget_signals() -> None:
    """Let signals end the child, instead of telling the parent's event loop through the pipe they share."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _close_files(keep: tuple[int, ...]) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    end = _FD_MAX if limit == resource.RLIM_INFINITY else min(limit, _FD_MAX)
    first = _FIRST_FREE_FD
    for fd in sorted(keep):
        os.closerange(first, fd)
        first = fd + 1
    os.closerange(first, end)
