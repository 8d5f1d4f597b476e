"""How a node lives with its surroundings: in the background, supervised, on some processors, with a title."""

import logging
import os
import signal
import socket
import subprocess
import sys
import syslog
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import HOST, STOP_TIMEOUT_S, call, free_port, start_trivet_node, wait_until
from trivet_node.config import Config
from trivet_node.shell.affinity import processors
from trivet_node.shell.title import title_of
from trivet_wire.process import log
from trivet_wire.process.supervision import notify_systemd, supervisor_of

NODE = [sys.executable, "-m", "trivet_node"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", {0}),
        ("0,2, 5", {0, 2, 5}),
        ("1-3", {1, 2, 3}),
        ("0-6:2,7", {0, 2, 4, 6, 7}),
        ("3-1", set()),
        ("a", set()),
        ("1-4:0", set()),
        ("0-99999999", set()),
    ],
)
def test_lists_of_processors(text: str, expected: set[int]) -> None:
    assert processors(text) == expected


def test_a_title_says_where_a_node_listens() -> None:
    assert title_of(Config()) == "trivet-node *:6379"
    clustered = Config(port=7, bind=("-::1", "10.0.0.1"), cluster_enabled=True)
    assert title_of(clustered) == "trivet-node ::1:7 [cluster]"
    hidden = Config(port=0, unixsocket="/run/x", config_file="/etc/t.conf")
    assert title_of(hidden) == "trivet-node /run/x"
    hidden.proc_title_template = "{title}|{port}|{config-file}|{unixsocket}"
    assert title_of(hidden) == "trivet-node|0|/etc/t.conf|/run/x"


def test_supervisors_are_known_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTIFY_SOCKET", "UPSTART_JOB"):
        monkeypatch.delenv(name, raising=False)
    assert [supervisor_of(setting) for setting in ("no", "auto", "systemd", "upstart")] == ["no"] * 4
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    assert [supervisor_of(setting) for setting in ("no", "auto", "systemd", "upstart")] == [
        *("no", "systemd", "systemd", "no"),
    ]
    monkeypatch.setenv("UPSTART_JOB", "redis")
    assert supervisor_of("upstart") == "upstart"


def test_nobody_need_listen_to_notifications(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for address in ("", "relative", str(tmp_path / "nobody")):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify_systemd("READY=1")


@pytest.fixture
def own_log() -> Iterator[None]:
    """The log of this process as it was before, afterwards."""
    logger = logging.getLogger("trivet")
    handlers = list(logger.handlers)
    yield
    logger.handlers[:] = handlers


def test_the_system_log_gets_every_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_log: None) -> None:
    lines: list[tuple[int, str]] = []
    opened: list[tuple[str, int, int]] = []
    monkeypatch.setattr(syslog, "openlog", lambda *arguments: opened.append(arguments))
    monkeypatch.setattr(syslog, "syslog", lambda priority, text: lines.append((priority, text)))
    log.start_logging(str(tmp_path / "log"), "debug")
    log.log_to_syslog_as_well("mine", "local3")
    for level in log.LEVELS:
        log.log(level, f"a {level} line")
    priorities = [syslog.LOG_DEBUG, syslog.LOG_INFO, syslog.LOG_NOTICE, syslog.LOG_WARNING]
    assert lines == [(priority, f"a {level} line") for priority, level in zip(priorities, log.LEVELS, strict=True)]
    assert opened == [("mine", syslog.LOG_PID | syslog.LOG_NDELAY, syslog.LOG_LOCAL3)]


def test_a_node_in_the_background_has_a_pid_file_and_a_log(tmp_path: Path) -> None:
    port = free_port()
    pid_file, log_file = tmp_path / "pid", tmp_path / "log"
    options = ["--daemonize", "yes", "--pidfile", str(pid_file), "--logfile", str(log_file), "--dir", str(tmp_path)]
    options += ["--port", str(port), "--bind", HOST, "--save", "", "--oom-score-adj", "yes"]
    options += ["--server_cpulist", str(min(os.sched_getaffinity(0))), "--shutdown-on-sigterm", "save", "now"]
    started = subprocess.run([*NODE, *options], capture_output=True, timeout=30, check=False)
    assert (started.returncode, started.stdout, started.stderr) == (0, b"", b"")
    wait_until(lambda: "Ready to accept connections" in _text(log_file), 20, "the node is ready")
    pid = int(pid_file.read_text())
    try:
        assert call(port, "SET", "a", "1") == b"OK"
        assert f"PID: {pid}" in _text(log_file)
        assert os.getsid(pid) == pid
        assert os.sched_getaffinity(pid) == {min(os.sched_getaffinity(0))}
        own = int(Path("/proc/self/oom_score_adj").read_text())
        assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == own
        # What raises the score takes no privilege.
        assert call(port, "CONFIG", "SET", "oom-score-adj-values", "100 200 800") == b"OK"
        assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == min(own + 100, 1000)
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pid_file.exists(), STOP_TIMEOUT_S, "the node has ended")
    assert (tmp_path / "dump.rdb").exists()
    assert "Saving the final RDB snapshot before exiting." in _text(log_file)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_systemd_is_told_and_a_signal_may_mean_not_to_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(path))
        supervisor.settimeout(STOP_TIMEOUT_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        options = ["--supervised", "auto", "--daemonize", "yes", "--shutdown-on-sigint", "nosave", "--save", "60 1"]
        with start_trivet_node(tmp_path, *options) as node:
            told = [supervisor.recv(1000).decode().splitlines() for _ in range(2)]
            assert told == [["STATUS=Loading the data set..."], ["STATUS=Ready to accept connections", "READY=1"]]
            node.call("SET", "a", "1")
            assert node.process is not None
            node.send_signal(signal.SIGINT)
            assert supervisor.recv(1000) == b"STOPPING=1"
            assert node.process.wait(STOP_TIMEOUT_S) == 0
            assert not (node.directory / "dump.rdb").exists()


def test_a_crash_says_where_it_happened_and_a_replica_where_it_comes_from(tmp_path: Path) -> None:
    with start_trivet_node(tmp_path) as primary:
        options = ["--replicaof", f"{HOST} {primary.port}", "--bind-source-addr", "127.0.0.2"]
        with start_trivet_node(tmp_path, *options) as replica:
            wait_until(lambda: b"ip=127.0.0.2," in primary.call("INFO", "replication"), 20, "the replica is there")
            assert replica.process is not None
            replica.send_signal(signal.SIGSEGV)
            assert replica.process.wait(STOP_TIMEOUT_S) == -signal.SIGSEGV
            assert "Fatal Python error: Segmentation fault" in replica.log()
            assert primary.call("CONFIG", "SET", "crash-log-enabled", "no") == b"OK"
            assert primary.process is not None
            primary.send_signal(signal.SIGSEGV)
            assert primary.process.wait(STOP_TIMEOUT_S) == -signal.SIGSEGV
            assert "Fatal Python error" not in primary.log()
