"""`trivet node [file.conf] [--option value ...]`: run one node until it is told to stop."""

import os
import socket
import sys
from collections.abc import Sequence
from typing import Final

import trio

from trivet_node.cluster.config_file import ConfigFileError
from trivet_node.config import Config
from trivet_node.config_loading import ConfigError, load_config
from trivet_node.shell.bus import open_bus_listeners
from trivet_node.shell.config_files import read_config_files
from trivet_node.shell.invocation import Invocation
from trivet_node.shell.listeners import open_listeners
from trivet_node.shell.node import Node
from trivet_node.shell.process import allow_open_files, start_line
from trivet_node.shell.surroundings import settle
from trivet_node.version import BUILD, TRIVET_VERSION
from trivet_wire.failures import first_of
from trivet_wire.process import log
from trivet_wire.process.background import go_to_background
from trivet_wire.process.listeners import ListenError
from trivet_wire.process.pid_file import pid_file
from trivet_wire.process.supervision import stop_for_upstart, supervisor_of
from trivet_wire.version import REDIS_VERSION

_USAGE: Final = """\
Usage: trivet node [/path/to/redis.conf] [--option value ...]
       trivet node -                 read the configuration from standard input
       trivet node -v or --version
       trivet node -h or --help

Options are those of redis.conf, spelled as there:
       trivet node --port 7777
       trivet node --port 7777 --replicaof 127.0.0.1 8888
       trivet node /etc/redis/6379.conf --loglevel verbose
"""
_VERSION: Final = f"Trivet node v={TRIVET_VERSION} ({BUILD}), compatible with Redis v={REDIS_VERSION}\n"
_ANSWERS: Final = {"-h": _USAGE, "--help": _USAGE, "-v": _VERSION, "--version": _VERSION}


# Of a node in the background that is told no other.
_PID_FILE: Final = "/var/run/redis.pid"


class StartError(Exception):
    """The node cannot start; the message says why."""


def main(argv: Sequence[str]) -> int:
    """Run a node with the arguments of the command line and return its exit status."""
    if len(argv) == 1 and argv[0] in _ANSWERS:
        sys.stdout.write(_ANSWERS[argv[0]])
        return 0
    invocation = Invocation(argv)
    try:
        config = load_config(argv, read_config_files)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n" + (f"The line comes from {error.source}\n" if error.source else ""))
        return 1
    try:
        _enter_directory(config)
        _start_logging(config)
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    supervisor = supervisor_of(config.supervised)
    if supervisor == "upstart":
        stop_for_upstart()
    if config.daemonize and supervisor == "no":
        config.pidfile = config.pidfile or _PID_FILE
        go_to_background()
    return _serve(config, invocation, supervisor)


def _serve(config: Config, invocation: Invocation, supervisor: str) -> int:
    log.log("notice", start_line(config))
    settle(config)
    for warning in [*config.warnings, *allow_open_files(config)]:
        log.log("warning", warning)
    try:
        listeners = open_listeners(config)
    except ListenError as error:
        log.log("warning", f"Warning: Could not create server TCP listening socket {error}")
        log.log("warning", f"Failed listening on port {config.port} (TCP), aborting.")
        return 1
    with pid_file(config.pidfile):
        node = Node(config, invocation, supervisor)
        if config.cluster_enabled and not _join_cluster(node):
            return 1
        log.log("notice", "Server initialized")
        status = _run(node, listeners)
    if node.restart_delay_ms is not None:
        invocation.repeat(node.restart_delay_ms)
        return 1
    return status


def _run(node: Node, listeners: list[socket.socket]) -> int:
    """Run the node to its end; return the exit status, also where a task has ended it after saying why in the log."""
    try:
        with first_of(SystemExit):
            return trio.run(node.run, listeners)
    except SystemExit:
        return 1


def _join_cluster(node: Node) -> bool:
    """Begin cluster mode; say whether that was possible."""
    try:
        node.join_cluster(open_bus_listeners(node.config))
    except ListenError as error:
        log.log("warning", f"Failed listening on the cluster bus: {error}, aborting.")
    except ConfigFileError as error:
        log.log("warning", f"Unrecoverable error: corrupted cluster config file. {error}. The file was not changed.")
    except OSError as error:
        log.log("warning", f"Can't read the cluster config file: {error}")
    else:
        return True
    return False


def _enter_directory(config: Config) -> None:
    try:
        os.chdir(config.dir)
        config.dir = os.getcwd()
    except OSError as error:
        raise StartError(f"Can't chdir to '{config.dir}': {error.strerror}") from error


def _start_logging(config: Config) -> None:
    try:
        log.start_logging(config.logfile, config.loglevel)
        if config.syslog_enabled:
            log.log_to_syslog_as_well(config.syslog_ident, config.syslog_facility)
    except OSError as error:
        raise StartError(f"Can't open the log file: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
