"""Reads configuration files for config_loading.py, and writes them for CONFIG REWRITE."""

import glob
import sys
from pathlib import Path

from trivet_node.config import Config
from trivet_node.config_loading import STANDARD_INPUT
from trivet_node.config_rewrite import rewritten
from trivet_node.settings.text import to_bytes
from trivet_wire.process.files import replace_file


def read_config_files(path: str) -> list[str]:
    """Return the text of the file `path` (STANDARD_INPUT: of that), or of all files that the pattern `path` matches.

    Raises OSError where a plain path cannot be read; a pattern may match nothing.
    """
    if path == STANDARD_INPUT:
        return [sys.stdin.read()]
    paths = sorted(glob.glob(path)) if glob.has_magic(path) else [path]
    return [Path(name).read_text(encoding="utf-8", errors="surrogateescape") for name in paths]


def rewrite_config_file(config: Config, every: bool) -> str:
    """Write `config` back to the file it was read from, whole or not at all; return an error text, or nothing.

    With `every` defaults have lines, too.
    """
    path = Path(config.config_file)
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
        replace_file(path, [to_bytes(rewritten(text, config, every))])
    except OSError as error:
        return error.strerror or str(error)
    return ""
