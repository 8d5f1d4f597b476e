"""Snapshots on disk: written so that a crash leaves either the old file or the new one, and read at the start.

The promise about order: the bytes are on disk before the name points at them (fsync, then rename), and the name is on
disk before anybody is told (fsync of the directory).
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import trio

from trivet_node.keyspace import Keyspace
from trivet_node.persistence.rdb_reader import RdbReader

# Keys loaded before clients get a turn: about 5 ms interpreted.
_KEYS_PER_STEP: Final = 1000


def write_all(fd: int, chunks: Iterable[bytes]) -> int:
    """Write every chunk to an open file and return how many bytes that were. Raises OSError."""
    written = 0
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            count = os.write(fd, view)
            view = view[count:]
        written += len(chunk)
    return written


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Let `path` hold the bytes of `chunks`, all of them or, where OSError is raised, what it held before."""
    temporary = temporary_path(path, os.getpid())
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            write_all(fd, chunks)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.rename(temporary, path)
        sync_directory(path.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def temporary_path(path: Path, pid: int) -> Path:
    """Return where a process writes what is to become `path`."""
    return path.with_name(f"temp-{pid}.rdb")


def sync_directory(path: Path) -> None:
    """Let the names in a directory survive a crash."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


async def load_keys(reader: RdbReader) -> None:
    """Load a snapshot to its end, with turns for everybody else between some keys. Raises RdbError."""
    while reader.step(_KEYS_PER_STEP):
        await trio.lowlevel.checkpoint()


async def load_snapshot(
    path: Path, keyspace: Keyspace, now_ms: int, begun: Callable[[RdbReader, int], None]
) -> RdbReader | None:
    """Load the file `path` into an empty keyspace; None where there is no such file.

    `begun` is told which reader loads and how many bytes there are, so that others can see how far it is.
    Keys that expired before `now_ms` are left out. Raises RdbError and OSError; the file is never changed.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    with file:
        reader = RdbReader(file.read, keyspace, now_ms)
        begun(reader, os.fstat(file.fileno()).st_size)
        await load_keys(reader)
        return reader
