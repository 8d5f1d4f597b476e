"""Forked programs: each is a process of its own in everything that matters.

Forking is done in a process of its own, as the launcher does it: the test runner has threads and open files.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.processes import wait_until
from trivet_deploy.launcher.processes import identify, running_since

# Starts programs as told on its command line, prints their process ids, and stays until its input ends.
STARTER = """
import json, sys
from pathlib import Path
from trivet_deploy.launcher.fork import Program, start_all
names, entry, log_folder, die_with_parent = json.loads(sys.argv[1])
secret = open("/dev/null")
programs = [Program(name, entry, (name,), Path(log_folder, name)) for name in names]
print(json.dumps([process.pid for process in start_all(programs, die_with_parent)]), flush=True)
sys.stdin.read()
"""

PROGRAMS = """
import json, os, random, sys, time

def describe(argv):
    descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    print(json.dumps({
        "argv": sys.argv,
        "session": os.getsid(0) == os.getpid(),
        "open": sorted(each for each in descriptors if each > 2 and os.path.exists(f"/proc/self/fd/{each}")),
        "random": random.random(),
        "input": sys.stdin.read(),
        "name": open("/proc/self/comm").read().strip(),
    }))
    return 7

def fail(argv):
    raise ValueError("no luck")

def exit_early(argv):
    raise SystemExit("this option is unknown")

def sleep(argv):
    time.sleep(60)
    return 0
"""


def start(tmp_path: Path, entry: str, names: list[str], die_with_parent: bool = False) -> subprocess.Popen[str]:
    (tmp_path / "programs.py").write_text(PROGRAMS)
    (tmp_path / "logs").mkdir()
    arguments = json.dumps([names, f"programs:{entry}", str(tmp_path / "logs"), die_with_parent])
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def pids_of(starter: subprocess.Popen[str]) -> list[int]:
    assert starter.stdout is not None
    return list(json.loads(starter.stdout.readline()))


def finished_logs(tmp_path: Path, starter: subprocess.Popen[str], names: list[str]) -> list[str]:
    for pid in pids_of(starter):
        assert identify(pid).wait(10.0)
    starter.communicate("")
    return [(tmp_path / "logs" / name).read_text() for name in names]


def test_children_share_nothing_but_the_code(tmp_path: Path) -> None:
    names = ["first", "second"]
    with start(tmp_path, "describe", names) as starter:
        told = [json.loads(text) for text in finished_logs(tmp_path, starter, names)]
    assert [child["argv"] for child in told] == [["first", "first"], ["second", "second"]]
    assert [child["name"] for child in told] == names
    assert all(child["session"] and child["open"] == [] and child["input"] == "" for child in told)
    assert told[0]["random"] != told[1]["random"]


def test_what_a_child_dies_of_is_in_its_log(tmp_path: Path) -> None:
    with start(tmp_path, "fail", ["one"]) as starter:
        (text,) = finished_logs(tmp_path, starter, ["one"])
    assert text.rstrip().endswith("ValueError: no luck")


def test_an_early_exit_says_why_in_the_log_and_runs_nothing_of_the_parent(tmp_path: Path) -> None:
    with start(tmp_path, "exit_early", ["one"]) as starter:
        (text,) = finished_logs(tmp_path, starter, ["one"])
    assert text == "this option is unknown\n"


def test_children_end_with_their_parent_if_asked(tmp_path: Path) -> None:
    with start(tmp_path, "sleep", ["one", "two"], die_with_parent=True) as starter:
        pids = pids_of(starter)
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        wait_until(lambda: all(running_since(pid) is None for pid in pids), 10.0, "the children end")


def test_detached_children_outlive_their_parent(tmp_path: Path) -> None:
    with start(tmp_path, "sleep", ["one"]) as starter:
        (pid,) = pids_of(starter)
        starter.communicate("")
    child = identify(pid)
    assert child.is_running()
    child.send_signal(signal.SIGKILL)
    assert child.wait(5.0)
