"""The pid file: by it supervisors and scripts find a running server."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def pid_file(path: str) -> Iterator[None]:
    """Keep this process' id in the file `path` as long as the context lasts; nothing where `path` is empty."""
    if not path:
        yield
        return
    Path(path).write_text(f"{os.getpid()}\n", encoding="ascii")
    try:
        yield
    finally:
        Path(path).unlink(missing_ok=True)
