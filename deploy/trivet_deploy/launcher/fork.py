"""Start many Python processes from one warm parent: import once, fork, run.

Importing is most of what starting costs; nine interpreters on two cores take seconds, nine forks a few milliseconds.
A fork must look like a process that was started alone, so each child

    leads a session of its own          Ctrl-C in the parent's terminal is the parent's business
    keeps no descriptor                 but its standard ones: nothing in, output to its log
    has randomness of its own           ids drawn by several children from one inherited state would be the same
    dies with its parent, if asked      so that killing a foreground `trivet up` leaves nothing behind

and never returns into the parent's code. Fork before any event loop or thread runs.
"""

import ctypes
import gc
import importlib
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Never

import attrs

from trivet_deploy.launcher.processes import ProcessId, identify

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15

Main = Callable[[list[str]], int]


@attrs.frozen
class Program:
    """A process to start: `entry` is `module:function` of a main(argv) -> exit status, and `argv` what it gets."""

    name: str
    entry: str
    argv: tuple[str, ...]
    log_path: Path


def start_all(programs: Sequence[Program], die_with_parent: bool) -> list[ProcessId]:
    """Import what the programs need and fork each of them, in order; return their processes."""
    mains = {program.entry: _load(program.entry) for program in programs}
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Frozen objects are never touched by the collector, so children go on sharing their memory.
    gc.disable()
    gc.freeze()
    try:
        return [_fork(program, mains[program.entry], die_with_parent) for program in programs]
    finally:
        gc.unfreeze()
        gc.enable()


def _load(entry: str) -> Main:
    module, _, function = entry.partition(":")
    main: Main = getattr(importlib.import_module(module), function)
    return main


def _fork(program: Program, main: Main, die_with_parent: bool) -> ProcessId:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return identify(pid)
    status = 1
    try:
        _become_independent(program, parent if die_with_parent else None)
        status = main(list(program.argv))
    except SystemExit as error:
        status = _exit_status(error)
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(status)


def _become_independent(program: Program, parent: int | None) -> None:
    os.setsid()
    _redirect_standard_streams(program.log_path)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()
    sys.argv = [program.name, *program.argv]
    gc.enable()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NAME, program.name.encode()[:15], 0, 0, 0)
    if parent is not None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            raise SystemExit(1)


def _redirect_standard_streams(log_path: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _exit_status(error: SystemExit) -> int:
    """Return the status that sys.exit() asked for; a message in its place is for people, and means 1."""
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.stderr.write(f"{error.code}\n")
    return 1


def _leave(status: int) -> Never:
    """End the child without running what the parent meant to run at its own end."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)
