"""The configuration: a sentinel.conf, and options of the command line over it.

Every line is read here. What holds for the whole process becomes a `Config`; the `sentinel ...` directives about what
is monitored are kept as they are for state_file.py, which turns them into groups and clusters. (Redis' sentinel.conf
of version 7.0 describes the syntax.)
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import attrs

from trivet_sentinel.settings import BadOption, port_number, positive_number, yes_or_no
from trivet_sentinel.state import Options
from trivet_wire.process.log import LEVELS
from trivet_wire.requests import split_words

WRONG_ARITY: Final = "Bad directive or wrong number of arguments"


class ConfigError(Exception):
    """The configuration cannot be used. str() names the file, the line, the directive and the reason."""


@attrs.frozen
class Directive:
    """One directive and where it stands; `line` is None on the command line."""

    source: str
    line: int | None
    words: list[str]

    def error(self, reason: str) -> ConfigError:
        """Return the error to raise about this directive."""
        place = f"{self.source}, line {self.line}" if self.line is not None else self.source
        return ConfigError(f"{place}: '{' '.join(self.words)}': {reason}")


@attrs.define
class Config:
    """What the shell needs to know, and the directives for restore()."""

    path: Path
    port: int = 26379
    external_port: int = 0
    bind: list[str] = attrs.field(factory=lambda: ["*", "-::*"])
    logfile: str = ""
    loglevel: str = "notice"
    pidfile: str = ""
    max_clients: int = 10_000
    my_id: str = ""
    options: Options = attrs.field(factory=Options)
    lines: list[str] = attrs.field(factory=list)
    sentinel_directives: list[Directive] = attrs.field(factory=list)


def load(path: Path, arguments: Iterable[str] = ()) -> Config:
    """Return the configuration in the file at `path`, with the options of the command line (`--option value`) over it.

    Raises ConfigError, also where the file cannot be read or its directory cannot be written.
    """
    config = Config(path.absolute())
    try:
        config.lines = path.read_bytes().decode().splitlines()
    except OSError as error:
        raise ConfigError(f"{path}: can't open config file: {error}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: this is not text in UTF-8") from error
    if not os.access(path, os.W_OK):
        raise ConfigError(f"{path}: Sentinel config file is not writable")
    for directive in (*_file_directives(path, config.lines), *_command_line_directives(list(arguments))):
        _apply(config, directive)
    return config


def _file_directives(path: Path, lines: list[str]) -> list[Directive]:
    directives = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = split_words(line.encode())
        if words is None:
            raise Directive(str(path), number, [line]).error("Unbalanced quotes in configuration line")
        directives.append(Directive(str(path), number, [word.decode(errors="replace") for word in words]))
    return directives


def _command_line_directives(arguments: list[str]) -> list[Directive]:
    """Return a directive for each `--option value ...`; one value with spaces in it is several, as in Redis."""
    directives: list[Directive] = []
    for argument in arguments:
        if argument.startswith("--"):
            directives.append(Directive("command line", None, [argument[2:]]))
        elif not directives:
            raise ConfigError(f"command line: '{argument}': options start with --")
        else:
            words = split_words(argument.encode()) if " " in argument else [argument.encode()]
            directives[-1].words.extend(word.decode() for word in words or [])
    return directives


def _apply(config: Config, directive: Directive) -> None:
    name, *values = directive.words
    name = name.lower()
    try:
        if name == "sentinel":
            _check_sentinel_directive(config, directive, values)
        elif name in _PLAIN:
            _PLAIN[name](config, values)
        elif name not in _ACCEPTED:
            raise BadOption(WRONG_ARITY)
    except BadOption as error:
        raise directive.error(str(error)) from error


def _single(values: list[str]) -> str:
    if len(values) != 1:
        raise BadOption(WRONG_ARITY)
    return values[0]


def _set_port(config: Config, values: list[str]) -> None:
    config.port = config.options.port = port_number(_single(values), lowest=0)


def _set_external_port(config: Config, values: list[str]) -> None:
    config.external_port = config.options.external_port = port_number(_single(values), lowest=0)


def _set_bind(config: Config, values: list[str]) -> None:
    config.bind = values


def _set_directory(config: Config, values: list[str]) -> None:
    try:
        os.chdir(_single(values))
    except OSError as error:
        raise BadOption(f"Can't chdir to '{values[0]}': {error.strerror}") from error


def _set_logfile(config: Config, values: list[str]) -> None:
    config.logfile = _single(values)


def _set_loglevel(config: Config, values: list[str]) -> None:
    config.loglevel = _single(values).lower()
    if config.loglevel not in LEVELS:
        raise BadOption(f"argument(s) must be one of the following: {', '.join(LEVELS)}")


def _set_pidfile(config: Config, values: list[str]) -> None:
    config.pidfile = _single(values)


def _set_password(config: Config, values: list[str]) -> None:
    config.options.requirepass = _single(values)


def _set_max_clients(config: Config, values: list[str]) -> None:
    config.max_clients = positive_number(_single(values))


def _check_daemonize(_config: Config, values: list[str]) -> None:
    if yes_or_no(_single(values)):
        raise BadOption("this process stays in the foreground; let a supervisor put it elsewhere")


_PLAIN: Final[dict[str, Callable[[Config, list[str]], None]]] = {
    "port": _set_port,
    "external-port": _set_external_port,
    "bind": _set_bind,
    "dir": _set_directory,
    "logfile": _set_logfile,
    "loglevel": _set_loglevel,
    "pidfile": _set_pidfile,
    "requirepass": _set_password,
    "maxclients": _set_max_clients,
    "daemonize": _check_daemonize,
}
# Redis' options that change nothing here: files written by redis-sentinel hold them.
_ACCEPTED: Final = frozenset(
    {
        "protected-mode",
        "latency-tracking-info-percentiles",
        "user",
        "acllog-max-len",
        "supervised",
        "tcp-backlog",
        "tcp-keepalive",
        "timeout",
        "always-show-logo",
        "syslog-enabled",
    }
)


def _set_my_id(config: Config, values: list[str]) -> None:
    if len(values[0]) != 40:
        raise BadOption("Malformed Sentinel id in myid option.")
    config.my_id = values[0]


def _set_announce_ip(config: Config, values: list[str]) -> None:
    config.options.announce_ip = values[0]


def _set_announce_port(config: Config, values: list[str]) -> None:
    config.options.announce_port = port_number(values[0], lowest=0)


def _set_resolve_hostnames(config: Config, values: list[str]) -> None:
    config.options.resolve_hostnames = yes_or_no(values[0])


def _set_announce_hostnames(config: Config, values: list[str]) -> None:
    config.options.announce_hostnames = yes_or_no(values[0])


def _set_deny_scripts(config: Config, values: list[str]) -> None:
    config.options.deny_scripts_reconfig = yes_or_no(values[0])


def _set_sentinel_user(config: Config, values: list[str]) -> None:
    config.options.sentinel_user = values[0]


def _set_sentinel_pass(config: Config, values: list[str]) -> None:
    config.options.sentinel_pass = values[0]


GLOBAL_DIRECTIVES: Final[dict[str, Callable[[Config, list[str]], None]]] = {
    "myid": _set_my_id,
    "announce-ip": _set_announce_ip,
    "announce-port": _set_announce_port,
    "resolve-hostnames": _set_resolve_hostnames,
    "announce-hostnames": _set_announce_hostnames,
    "deny-scripts-reconfig": _set_deny_scripts,
    "sentinel-user": _set_sentinel_user,
    "sentinel-pass": _set_sentinel_pass,
}


def _check_sentinel_directive(config: Config, directive: Directive, values: list[str]) -> None:
    """Obey a global directive at once, and keep all others for state_file.restore()."""
    if not values:
        raise BadOption(WRONG_ARITY)
    name, arguments = values[0].lower(), values[1:]
    if name in GLOBAL_DIRECTIVES:
        GLOBAL_DIRECTIVES[name](config, [_single(arguments)])
    else:
        config.sentinel_directives.append(directive)
