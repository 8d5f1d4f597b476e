"""Files replaced as a whole: whoever reads one, also after a crash, finds the old contents or the new.

The promise about order: the bytes are on disk before the name points at them (fsync, then rename), and the name is on
disk before anybody is told (fsync of the directory).
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_NEW_FILE_MODE: Final = 0o644


def replace_file(path: Path, chunks: Iterable[bytes], *, durably: bool = True, sync_every_bytes: int = 0) -> None:
    """Let `path` hold the bytes of `chunks`, all of them or, where OSError is raised, what it held before.

    The file keeps its permissions. Without `durably` the new contents may be lost in a crash of the machine, but they
    are never there in part.
    """
    temporary = temporary_path(path, os.getpid())
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _NEW_FILE_MODE)
        try:
            if path.exists():
                os.fchmod(fd, stat.S_IMODE(path.stat().st_mode))
            write_all(fd, chunks, sync_every_bytes)
            if durably:
                os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
        if durably:
            sync_directory(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def temporary_path(path: Path, pid: int) -> Path:
    """Return where the process `pid` writes what is to become `path`."""
    return path.with_name(f"temp-{pid}.{path.name}")


def write_all(fd: int, chunks: Iterable[bytes], sync_every_bytes: int = 0) -> int:
    """Write every chunk to an open file and return how many bytes that were. Raises OSError.

    Unless `sync_every_bytes` is 0 they are on the disk after so many at the latest.
    """
    written = synced = 0
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            count = os.write(fd, view)
            view = view[count:]
        written += len(chunk)
        if 0 < sync_every_bytes <= written - synced:
            os.fdatasync(fd)
            synced = written
    return written


def sync_directory(path: Path) -> None:
    """Let the names in a directory survive a crash. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
