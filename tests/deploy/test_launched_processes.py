"""Processes: told apart from others with the same id, watched, ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import wait_until
from trivet_deploy.launcher.processes import ProcessId, age_s, how_it_ended, identify, log_tail, stop_all

# Says when its signal handlers are in place, then sleeps.
DEAF = (
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_process_is_itself_only_with_its_start_time(sleeper: subprocess.Popen[bytes]) -> None:
    process = identify(sleeper.pid)
    assert process.is_running()
    assert 0 <= age_s(process) < 30
    assert not ProcessId(sleeper.pid, process.start_ticks + 1).is_running()


def test_another_process_that_was_given_the_id_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    earlier = ProcessId(sleeper.pid, identify(sleeper.pid).start_ticks - 1)
    earlier.send_signal(signal.SIGKILL)
    stop_all([earlier], timeout_s=0.2)
    assert earlier.wait(0.1), "the process that was meant ended long ago"
    assert sleeper.poll() is None


def test_an_ended_child_counts_as_ended_before_it_is_reaped(sleeper: subprocess.Popen[bytes]) -> None:
    process = identify(sleeper.pid)
    assert not process.wait(0.05)
    os.kill(sleeper.pid, signal.SIGKILL)
    assert process.wait(5.0)
    assert not process.is_running()
    assert how_it_ended(sleeper.pid) == "killed by SIGKILL"
    assert how_it_ended(sleeper.pid) == "", "it has been reaped"


def test_processes_that_do_not_listen_or_stand_still_are_ended_too(sleeper: subprocess.Popen[bytes]) -> None:
    with subprocess.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as deaf:
        assert deaf.stdout is not None
        deaf.stdout.readline()
        os.kill(sleeper.pid, signal.SIGSTOP)
        started = time.monotonic()
        stop_all([identify(deaf.pid), identify(sleeper.pid)], timeout_s=1.0)
        assert time.monotonic() - started < 10.0
        assert deaf.wait() == -signal.SIGKILL
        assert sleeper.wait() == -signal.SIGTERM


def test_the_tail_of_a_log_says_so_where_there_is_none(tmp_path: Path) -> None:
    assert "nothing" in log_tail(tmp_path / "log")
    (tmp_path / "log").write_text("".join(f"line {number}\n" for number in range(40)))
    tail = log_tail(tmp_path / "log")
    assert tail.endswith("line 39")
    assert "line 20\n" not in tail


def test_a_process_that_never_was_is_not_running() -> None:
    with subprocess.Popen(["true"]) as process:
        wait_until(lambda: process.poll() is not None, 5.0, "`true` ends")
    assert identify(process.pid) == ProcessId(process.pid, -1)
    assert not ProcessId(process.pid, 1).is_running()
