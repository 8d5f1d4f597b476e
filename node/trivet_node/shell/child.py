"""A forked child that does one thing and exits: how a snapshot is written while the node goes on.

The child has a copy of everything, open files included. It closes them first, so that a connection ends when the node
does and not when the child does; then it works with plain system calls. It never returns into trio, and ends by
os._exit, which runs nobody's clean-up. What went wrong comes back through a pipe, whose end also tells that the child
is gone, however it went.
"""

import contextlib
import os
import resource
import signal
from collections.abc import Callable
from typing import Final, NoReturn

import trio

_FIRST_FREE_FD: Final = 3
_MESSAGE_BYTES: Final = 4096
_FD_MAX: Final = 65536


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

    async def wait(self) -> None:
        """Wait until the child is gone. Raises ChildFailed unless it did its work."""
        message = b""
        try:
            while True:
                await trio.lowlevel.wait_readable(self._pipe)
                data = os.read(self._pipe, _MESSAGE_BYTES)
                if not data:
                    break
                message += data
        except trio.Cancelled:
            self.kill()
            raise
        finally:
            status = self._reap()
        if os.WIFSIGNALED(status):
            raise ChildFailed(f"terminated by signal {os.WTERMSIG(status)}", os.WTERMSIG(status))
        if os.WEXITSTATUS(status) != 0:
            raise ChildFailed(message.decode(errors="replace") or f"exit status {os.WEXITSTATUS(status)}")

    def _reap(self) -> int:
        """Return the exit status; the child's end of the pipe is closed, so it has exited or is just about to."""
        os.close(self._pipe)
        return os.waitpid(self.pid, 0)[1]

    def kill(self) -> None:
        """End the child at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class ParentGone(Exception):
    """The node has died; nobody wants what its child makes."""


def fork_child(work: Callable[[Callable[[], None]], None], keep: tuple[int, ...] = ()) -> Child:
    """Run `work(check)` in a child, with only the files `keep` and the standard ones open. Raises OSError.

    `work` calls `check` now and then: that ends a child whose parent is gone. An exception that `work` raises is its
    failure.
    """
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if pid == 0:
        _run(work, writing, keep)
    os.close(writing)
    return Child(pid, reading)


def _run(work: Callable[[Callable[[], None]], None], pipe: int, keep: tuple[int, ...]) -> NoReturn:
    status = 1
    try:
        parent = os.getppid()
        _forget_signals()
        _close_files((pipe, *keep))
        work(lambda: _check_parent(parent))
        status = 0
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(pipe, f"{type(error).__name__}: {error}".encode(errors="replace")[:_MESSAGE_BYTES])
    finally:
        os._exit(status)


def _check_parent(parent: int) -> None:
    if os.getppid() != parent:
        raise ParentGone


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
