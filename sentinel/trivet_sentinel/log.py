"""The log: one line an event, in Redis' form, `PID:X DATE TIME # TEXT` (`#` for warnings, `*` for notices)."""

import datetime
import os
import sys
from typing import Any, Final, TextIO

import structlog

_LEVELS: Final = {"warning": "#", "info": "*"}


def open_log(path: str) -> Any:
    """Return a structlog logger that appends to the file at `path`, or writes to the standard output where it is empty.

    Raises OSError where the file cannot be opened.
    """
    file: TextIO = open(path, "a", encoding="utf-8", buffering=1) if path else sys.stdout  # noqa: SIM115
    return structlog.wrap_logger(structlog.WriteLogger(file), processors=[_render])


def _render(_logger: Any, method: str, event: Any) -> str:
    now = datetime.datetime.now().astimezone()
    moment = f"{now:%d %b %Y %H:%M:%S}.{now.microsecond // 1000:03}"
    return f"{os.getpid()}:X {moment} {_LEVELS.get(method, '#')} {event['event']}"
