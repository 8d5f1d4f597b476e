"""From redis.conf and the command line to a Config.

    trivet node [file.conf] [-] [--option value ...] [-]

The options of the command line are lines behind those of the file, so the last one counts and errors name a line in
either. `include` reads further files where it stands. What goes wrong is a ConfigError, whose text is what redis-server
prints on standard error before it exits with status 1. (Redis: main, loadServerConfig.)
"""

import os.path
from collections.abc import Callable, Sequence
from typing import Final

from trivet_node.config import SETTINGS, Config
from trivet_node.settings.kinds import SettingError
from trivet_node.settings.rows import idle_settings
from trivet_node.settings.text import quoted, words_of
from trivet_wire.version import REDIS_VERSION

# Given a path, or a pattern with * ? [], returns the texts of the files; OSError where a plain path cannot be read.
ReadFiles = Callable[[str], list[str]]

# What reads files by this name reads the standard input.
STANDARD_INPUT: Final = "-"
_NESTED_INCLUDES_MAX: Final = 16
_BLANKS: Final = " \t\r\n"
# Directives of Redis that are no settings, and why they cannot be taken.
_IMPOSSIBLE: Final = {
    "loadmodule": "Trivet loads no modules",
    "rename-command": "Trivet does not rename commands yet",
    "user": "Trivet has no ACL users but 'default' yet",
}
_FEWEST_WORDS: Final = {"loadmodule": 2, "rename-command": 3, "user": 2}


class ConfigError(Exception):
    """The configuration cannot be used. The message, in Redis' words, is meant for standard error as it is.

    `source` names what the message does not: the file, or whatever else, that the line stands in.
    """

    def __init__(self, message: str, source: str = "") -> None:
        super().__init__(message)
        self.source = source


def load_config(arguments: Sequence[str], read_files: ReadFiles) -> Config:
    """Return the configuration that `arguments` (those behind `trivet node`) ask for.

    `read_files` does the reading. ConfigError says what is wrong in Redis' own words.
    """
    config = Config()
    loader = _Loader(config, read_files)
    # Numbered as redis-server numbers them: standard input begins where the file ends, options on a line of their own.
    last = 1
    options = list(arguments)
    if options and not options[0].startswith("-"):
        config.config_file = os.path.abspath(options.pop(0))
        lines = loader.read(config.config_file)
        loader.load(lines, config.config_file)
        last = len(lines)
    if STANDARD_INPUT in (options[:1] + options[-1:]):
        options.remove(STANDARD_INPUT)
        lines = loader.read(STANDARD_INPUT)
        loader.load(lines, "standard input", last)
        last += len(lines) - 1
    loader.load(option_lines(options), "the command line", last + 1)
    loader.finish()
    return config


def option_lines(arguments: Sequence[str]) -> list[str]:
    """Return the lines of redis.conf that `--name value ...` arguments stand for.

    `--name value` may be one argument; `--save` without a value stands for `save ""`.
    """
    lines: list[str] = []
    wants_value = False
    for argument in arguments:
        if argument.startswith("--") and (not wants_value or _is_bare_save(lines)):
            _finish_bare_save(lines)
            lines.append(argument[2:])
            wants_value = len(words_of(argument) or []) == 1
        elif lines:
            lines[-1] += " " + quoted(argument)
            wants_value = False
        else:
            lines.append(quoted(argument))
    _finish_bare_save(lines)
    return lines


def _is_bare_save(lines: list[str]) -> bool:
    return bool(lines) and lines[-1].strip().lower() == "save"


def _finish_bare_save(lines: list[str]) -> None:
    if _is_bare_save(lines):
        lines[-1] += ' ""'


class _Loader:
    """Fills `config` line by line."""

    def __init__(self, config: Config, read_files: ReadFiles) -> None:
        self.config = config
        self.read_files = read_files
        self.nesting = 0
        # Settings that were given: a kind may add up what comes again, and what has no effect is said once.
        self.given: set[str] = set()

    def read(self, path: str) -> list[str]:
        """Return the lines of the file, or of all files that match a pattern, at `path`."""
        try:
            texts = self.read_files(path)
        except OSError as error:
            raise ConfigError(f"Fatal error, can't open config file '{path}': {error.strerror}") from error
        return [line for text in texts for line in text.split("\n")]

    def load(self, lines: list[str], source: str, first: int = 1) -> None:
        """Apply lines of redis.conf that `source` holds, numbered from `first` on."""
        for number, line in enumerate(lines, first):
            stripped = line.strip(_BLANKS)
            if not stripped or stripped.startswith("#"):
                continue
            try:
                self._apply(stripped)
            except SettingError as error:
                place = f"Reading the configuration file, at line {number}\n>>> '{stripped}'\n"
                raise ConfigError(_fatal(place + str(error)), source) from error

    def finish(self) -> None:
        """Check what only the whole configuration can tell."""
        config = self.config
        if config.cluster_enabled and config.replicaof is not None:
            raise ConfigError(_fatal("replicaof directive not allowed in cluster mode"))
        idle = idle_settings([SETTINGS[name] for name in self.given], config)
        if idle:
            config.warnings.append(f"WARNING: options without effect here: {idle}")

    def _apply(self, line: str) -> None:
        words = words_of(line)
        if words is None:
            raise SettingError("Unbalanced quotes in configuration line")
        if not words:
            return
        name, values = words[0].lower(), words[1:]
        if name in SETTINGS:
            self._set(name, values)
        elif name == "include" and len(values) == 1:
            self._include(values[0])
        else:
            raise SettingError(_refusal(name, len(words)))

    def _set(self, name: str, values: list[str]) -> None:
        row = SETTINGS[name]
        if row.kind.many_words and len(values) == 1:
            # One word may hold them all: save "3600 1".
            values = words_of(values[0]) or []
        present = getattr(self.config, row.attribute)
        value = row.parse(values, present)
        if row.name in self.given:
            value = row.kind.repeated(present, value)
        self.given.add(row.name)
        setattr(self.config, row.attribute, value)

    def _include(self, path: str) -> None:
        if self.nesting >= _NESTED_INCLUDES_MAX:
            raise SettingError("too many nested includes")
        self.nesting += 1
        included = os.path.join(self.config.dir, path)
        self.load(self.read(included), included)
        self.nesting -= 1


def _refusal(name: str, word_count: int) -> str:
    if name in _IMPOSSIBLE and word_count >= _FEWEST_WORDS[name]:
        return _IMPOSSIBLE[name]
    if name == "sentinel" and word_count > 1:
        return "sentinel directive while not in sentinel mode"
    return "Bad directive or wrong number of arguments"


def _fatal(text: str) -> str:
    return f"\n*** FATAL CONFIG FILE ERROR (Redis {REDIS_VERSION}) ***\n{text}"
