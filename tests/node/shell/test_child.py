"""Forked children: what they tell of themselves, and how they fail."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from trivet_node.shell import child
from trivet_node.shell.child import ChildFailed, fork_child


async def test_a_child_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_PROGRESS_S", 0.0)
    monkeypatch.setattr(child, "_PROGRESS_SHARE", float("inf"))
    done = 0
    told: list[tuple[int, int]] = []

    def work(check: Callable[[], None]) -> None:
        nonlocal done
        for _ in range(3):
            done += 1
            check()

    await fork_child(work, lambda: done).wait(lambda *progress: told.append(progress))
    assert [count for count, _ in told] == [1, 2, 3, 3]
    assert all(copied_bytes >= 0 for _, copied_bytes in told)
    # What the child has done it has done to its own memory.
    assert done == 0


async def test_a_child_says_in_one_line_what_went_wrong() -> None:
    def work(check: Callable[[], None]) -> None:
        raise ValueError("no\nroom")

    with pytest.raises(ChildFailed, match=r"^ValueError: no room$"):
        await fork_child(work, lambda: 0).wait(lambda *_: None)


async def test_a_child_that_is_ended_is_gone_and_tells_that_it_was_killed() -> None:
    def work(check: Callable[[], None]) -> None:
        signal.pause()

    running = fork_child(work, lambda: 0)
    running.end()
    assert _state(running.pid) == "Z"
    with pytest.raises(ChildFailed) as failure:
        await running.wait(lambda *_: None)
    assert failure.value.signal_number == signal.SIGKILL


def _state(pid: int) -> str:
    """Return the state of a process as ps shows it: Z for one that has ended but was not waited for."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
