"""The pid file: by it supervisors and scripts find a running server."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from trivet_wire.process import log


@contextlib.contextmanager
def pid_file(path: str) -> Iterator[None]:
    """Keep this process' id in the file `path` as long as the context lasts; nothing where `path` is empty.

    A file that cannot be written is named in the log.
    """
    if not path:
        yield
        return
    try:
        Path(path).write_text(f"{os.getpid()}\n", encoding="ascii")
    except OSError as error:
        log.log("warning", f"Failed to write PID file {path}: {error.strerror}")
        yield
        return
    try:
        yield
    finally:
        Path(path).unlink(missing_ok=True)
