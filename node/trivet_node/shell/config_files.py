"""Reads configuration files for config_loading.py."""

import glob
import sys
from pathlib import Path


def read_config_files(path: str) -> list[str]:
    """Return the text of the file `path` (`-`: standard input), or of all files that the pattern `path` matches.

    Raises OSError where a plain path cannot be read; a pattern may match nothing.
    """
    if path.endswith("/-") or path == "-":
        return [sys.stdin.read()]
    paths = sorted(glob.glob(path)) if glob.has_magic(path) else [path]
    return [Path(name).read_text(encoding="utf-8", errors="surrogateescape") for name in paths]
