"""Reads configuration files for config_loading.py, and writes them for CONFIG REWRITE."""

import contextlib
import glob
import os
import sys
import tempfile
from pathlib import Path

from trivet_node.config import Config
from trivet_node.config_rewrite import rewritten


def read_config_files(path: str) -> list[str]:
    """Return the text of the file `path` (`-`: standard input), or of all files that the pattern `path` matches.

    Raises OSError where a plain path cannot be read; a pattern may match nothing.
    """
    if path.endswith("/-") or path == "-":
        return [sys.stdin.read()]
    paths = sorted(glob.glob(path)) if glob.has_magic(path) else [path]
    return [Path(name).read_text(encoding="utf-8", errors="surrogateescape") for name in paths]


def rewrite_config_file(config: Config) -> str:
    """Write `config` back to the file it was read from, whole or not at all; return an error text, or nothing."""
    path = Path(config.config_file)
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
        _replace(path, rewritten(text, config))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _replace(path: Path, text: str) -> None:
    """Put `text` in the place of the file, so that a crash leaves either the old or the new one."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
