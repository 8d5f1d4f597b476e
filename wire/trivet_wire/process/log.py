"""The log of a process, in the line format of Redis: `PID:ROLE DAY MONTH YEAR TIME LEVEL MESSAGE`.

Tools read these logs, so the words of well-known lines are Redis' own.
"""

import datetime
import logging
import os
import sys
import syslog
from typing import Final

# Redis' levels, least important first: the name in `loglevel`, the mark in the line, the level of the logging module.
LEVELS: Final = {
    "debug": (".", logging.DEBUG),
    "verbose": ("-", 15),
    "notice": ("*", logging.INFO),
    "warning": ("#", logging.WARNING),
}
_MARKS: Final = {number: mark for mark, number in LEVELS.values()}

_SYSLOG_PRIORITIES: Final = {
    ".": syslog.LOG_DEBUG,
    "-": syslog.LOG_INFO,
    "*": syslog.LOG_NOTICE,
    "#": syslog.LOG_WARNING,
}

_logger: Final = logging.getLogger("trivet")


class _LineFormat(logging.Formatter):
    """Formats a record as one line. `role` is the letter behind the pid: M primary, S replica, C child, X sentinel."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.role = role

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.datetime.fromtimestamp(record.created)
        stamp = f"{time:%d %b %Y %H:%M:%S}.{time.microsecond // 1000:03d}"
        line = f"{os.getpid()}:{self.role} {stamp} {_MARKS.get(record.levelno, '#')} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _SyslogHandler(logging.Handler):
    """Hands records to syslog(3), which adds time and process itself."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        syslog.syslog(_SYSLOG_PRIORITIES[_MARKS.get(record.levelno, "#")], text)


def start_logging(logfile: str, loglevel: str, role: str = "M") -> None:
    """Log to `logfile` (empty: standard output) what is at least as important as `loglevel`.

    Raises OSError where the file cannot be opened.
    """
    handler = logging.FileHandler(logfile) if logfile else logging.StreamHandler(sys.stdout)
    handler.setFormatter(_LineFormat(role))
    for old in list(_logger.handlers):
        _logger.removeHandler(old)
        old.close()
    _logger.addHandler(handler)
    _logger.propagate = False
    set_level(loglevel)


def log_to_syslog_as_well(ident: str, facility: str) -> None:
    """Send every line to the system's log, too; `facility` is user or local0 to local7. (Redis: syslog-enabled.)"""
    syslog.openlog(ident, syslog.LOG_PID | syslog.LOG_NDELAY, getattr(syslog, f"LOG_{facility.upper()}"))
    _logger.addHandler(_SyslogHandler())


def set_level(loglevel: str) -> None:
    """Log from now on what is at least as important as `loglevel`: debug, verbose, notice or warning."""
    _logger.setLevel(LEVELS[loglevel][1])


def file_descriptor() -> int:
    """Return the open file that lines are written to; -1 where there is none."""
    for handler in _logger.handlers:
        if isinstance(handler, logging.StreamHandler):
            return int(handler.stream.fileno())
    return -1


def set_role(role: str) -> None:
    """Change the letter that says what this process is."""
    for handler in _logger.handlers:
        if isinstance(handler.formatter, _LineFormat):
            handler.formatter.role = role


def log(level: str, message: str) -> None:
    """Write one line; `level` is debug, verbose, notice or warning."""
    _logger.log(LEVELS[level][1], "%s", message)


def log_exception(message: str) -> None:
    """Write `message` and the traceback of the exception being handled."""
    _logger.exception("%s", message)
