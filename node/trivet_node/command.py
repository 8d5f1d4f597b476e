"""What a command is: one row of facts and one handler.

Everything that anybody asks about a command comes from its row: the table that dispatches, COMMAND and COMMAND
DOCS, the ACL categories, the keys that decide the slot, and the page of commands in docs/. A file of commands/ defines
short handlers and then its rows. (Redis: COMMAND, "Command key specifications", "Command tips".)
"""

import re
from collections.abc import Callable
from typing import Any, Final, final

from mypy_extensions import i64

from trivet_node.timing.histogram import Histogram

# Flags, named as COMMAND INFO names them.
WRITE: Final = 1 << 0
READONLY: Final = 1 << 1
DENYOOM: Final = 1 << 2
ADMIN: Final = 1 << 3
PUBSUB: Final = 1 << 4
NOSCRIPT: Final = 1 << 5
BLOCKING: Final = 1 << 6
LOADING: Final = 1 << 7
STALE: Final = 1 << 8
SKIP_MONITOR: Final = 1 << 9
SKIP_SLOWLOG: Final = 1 << 10
ASKING: Final = 1 << 11
FAST: Final = 1 << 12
NO_AUTH: Final = 1 << 13
MAY_REPLICATE: Final = 1 << 14
NO_ASYNC_LOADING: Final = 1 << 15
NO_MULTI: Final = 1 << 16
ALLOW_BUSY: Final = 1 << 17
MOVABLE_KEYS: Final = 1 << 18
NO_MANDATORY_KEYS: Final = 1 << 19

# In the order in which COMMAND INFO lists them.
FLAG_NAMES: Final[list[tuple[int, str]]] = [
    (WRITE, "write"),
    (READONLY, "readonly"),
    (DENYOOM, "denyoom"),
    (ADMIN, "admin"),
    (PUBSUB, "pubsub"),
    (NOSCRIPT, "noscript"),
    (BLOCKING, "blocking"),
    (LOADING, "loading"),
    (STALE, "stale"),
    (SKIP_MONITOR, "skip_monitor"),
    (SKIP_SLOWLOG, "skip_slowlog"),
    (ASKING, "asking"),
    (FAST, "fast"),
    (NO_AUTH, "no_auth"),
    (NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (NO_ASYNC_LOADING, "no_async_loading"),
    (NO_MULTI, "no_multi"),
    (ALLOW_BUSY, "allow_busy"),
    (MOVABLE_KEYS, "movablekeys"),
]

# In the order in which COMMAND INFO lists them.
_CATEGORIES: Final = (
    *("keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo"),
    *("stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting"),
)

# A number of arguments, as C's atoi reads it.
_NUMBER: Final = re.compile(rb"\s*\+?[0-9]{1,18}(?![0-9])")

# handler(server, client, arguments). The first two are Any because servers and clients hold commands: rows come first.
Handler = Callable[[Any, Any, list[bytes]], None]
# Where a command's keys depend on its arguments, this finds them.
KeyFinder = Callable[[list[bytes]], list[bytes]]


class CommandError(Exception):
    """What a handler raises, before it has replied or changed anything, to answer with an error.

    `text` is the whole error, code first, as trivet_wire.errors gives it.
    """

    def __init__(self, text: bytes) -> None:
        super().__init__(text)
        self.text: bytes = text


@final
class KeySpec:
    """Where keys stand among the arguments, in two steps as COMMAND INFO describes them.

    They begin at index `begin`, or behind the word `keyword`, looked for from index `begin` on (backwards from the end
    where that is negative). They end `last` places behind that, where `last` is negative at the `last`th argument from
    the end; a `limit` of 2 or more leaves only the first half, third, ... of what is there. Or, where `keynum` is not
    negative, the argument `keynum` places behind the beginning is their number and `first` places behind it is the
    first key. Every `step`th argument is a key. `is_unknown`: no rule tells, a KeyFinder does.

    `flags` are Redis' words: `RW access update`; `notes` say what they do not.
    (Redis: "Command key specifications", db.c getKeysUsingKeySpecs.)
    """

    def __init__(
        self,
        flags: str,
        *,
        begin: int = 1,
        last: int = 0,
        step: int = 1,
        notes: str = "",
        limit: int = 0,
        keyword: str = "",
        keynum: int = -1,
        first: int = 0,
        is_unknown: bool = False,
    ) -> None:
        self.flags: str = flags
        self.notes: str = notes
        self.begin: int = begin
        self.last: int = last
        self.step: int = step
        self.limit: int = limit
        self.keyword: str = keyword
        self.keynum: int = keynum
        self.first: int = first
        self.is_unknown: bool = is_unknown

    def is_range(self) -> bool:
        """Say whether the keys stand between two fixed places."""
        return not self.keyword and self.keynum < 0 and not self.is_unknown

    def positions(self, arguments: list[bytes]) -> range:
        """Return the indices of the keys; none where the arguments are not as they should be."""
        begin = self._beginning(arguments)
        if begin <= 0 or begin >= len(arguments):
            return range(0)
        if self.keynum >= 0:
            return self._counted(arguments, begin)
        last = begin + self.last if self.last >= 0 else len(arguments) + self.last
        if self.last < 0 and self.limit > 1:
            last = begin + (len(arguments) - begin) // self.limit + self.last
        return range(begin, last + 1, self.step) if last < len(arguments) else range(0)

    def is_unbalanced(self, arguments: list[bytes]) -> bool:
        """Say whether the keys share what is there with values of which some are missing, as in `STREAMS a b 0`."""
        begin = self._beginning(arguments)
        return self.limit > 1 and begin > 0 and (len(arguments) - begin) % self.limit != 0

    def _beginning(self, arguments: list[bytes]) -> int:
        if self.is_unknown:
            return 0
        if not self.keyword:
            return self.begin
        word = self.keyword.encode()
        backwards = self.begin < 0
        places = range(len(arguments) + self.begin, 1, -1) if backwards else range(self.begin, len(arguments) - 1)
        for place in places:
            if arguments[place].upper() == word:
                return place + 1
        return 0

    def _counted(self, arguments: list[bytes], begin: int) -> range:
        place = begin + self.keynum
        number = _leading_number(arguments[place]) if place < len(arguments) else 0
        first = begin + self.first
        if number < 1 or first + (number - 1) * self.step >= len(arguments):
            return range(0)
        return range(first, first + number * self.step, self.step)


@final
class Command:
    """One row. `name` is in lower case, a subcommand's `container|name`; a negative `arity` is a minimum."""

    def __init__(
        self,
        name: str,
        arity: int,
        handler: Handler,
        flags: int,
        *,
        group: str,
        since: str,
        summary: str,
        complexity: str = "O(1)",
        categories: str = "",
        keys: "tuple[KeySpec, ...]" = (),
        find_keys: KeyFinder | None = None,
        tips: tuple[str, ...] = (),
        subcommands: "tuple[Command, ...]" = (),
        arguments: str = "",
        doc_flags: tuple[str, ...] = (),
        history: tuple[tuple[str, str], ...] = (),
        deprecated_since: str = "",
        replaced_by: str = "",
        difference: str = "",
    ) -> None:
        self.name: str = name
        self.arity: i64 = arity
        self.handler: Handler = handler
        self.flags: i64 = flags
        self.group: str = group
        self.since: str = since
        self.summary: str = summary
        self.complexity: str = complexity
        self.categories: list[str] = _all_categories(flags, categories.split())
        self.key_specs: tuple[KeySpec, ...] = keys
        self.find_keys: KeyFinder | None = find_keys
        self.tips: tuple[str, ...] = tips
        # What COMMAND DOCS says of the arguments, in the notation that documentation.py reads.
        self.arguments: str = arguments
        self.doc_flags: tuple[str, ...] = doc_flags
        # What changed in which version, oldest first.
        self.history: tuple[tuple[str, str], ...] = history
        self.deprecated_since: str = deprecated_since
        self.replaced_by: str = replaced_by
        # What is not as in Redis, in a sentence, for docs/commands.md.
        self.difference: str = difference
        self.subcommands: dict[bytes, Command] = {
            command.name.partition("|")[2].encode(): command for command in subcommands
        }
        # The one key is the first argument: the slot check of cluster mode has a fast path for these.
        self.has_single_key: bool = find_keys is None and len(keys) == 1 and self.key_range() == (1, 1, 1)
        self.is_keyless: bool = not keys and find_keys is None
        # What decides the slot are the names of channels, no keys.
        self.is_on_channels: bool = len(keys) > 0 and all("not_key" in spec.flags for spec in keys)
        if self._has_movable_keys():
            self.flags |= MOVABLE_KEYS
        # Statistics, reset by CONFIG RESETSTAT.
        self.calls: i64 = 0
        self.rejected_calls: i64 = 0
        self.failed_calls: i64 = 0
        self.microseconds: i64 = 0
        self.durations: Histogram = Histogram()

    def with_subcommands(self) -> "list[Command]":
        """Return this command and its subcommands."""
        return [self, *self.subcommands.values()]

    def reset_statistics(self) -> None:
        """Forget how often this command ran, and how long that took."""
        self.calls = 0
        self.rejected_calls = 0
        self.failed_calls = 0
        self.microseconds = 0
        self.durations.clear()

    def accepts(self, argument_count: i64) -> bool:
        """Say whether a request of `argument_count` arguments, the name included, has the right arity."""
        return argument_count == self.arity if self.arity > 0 else argument_count >= -self.arity

    def keys(self, arguments: list[bytes]) -> list[bytes]:
        """Return what decides the slot among `arguments`, whose number is right: keys, or channels of shards.

        Where keys and their values do not pair there are none: the command itself is to say what is wrong.
        """
        if self.find_keys is not None:
            return self.find_keys(arguments)
        if any(spec.is_unbalanced(arguments) for spec in self.key_specs):
            return []
        return [arguments[index] for spec in self.key_specs for index in spec.positions(arguments)]

    def has_keys(self) -> bool:
        """Say whether requests of this command may name keys."""
        return (bool(self.key_specs) and not self.is_on_channels) or self.find_keys is not None

    def key_range(self) -> tuple[int, int, int]:
        """Return COMMAND INFO's first key, last key and step, zeros where there are no keys in a range.

        Ranges that follow each other count as one. (Redis: populateCommandLegacyRangeSpec.)
        """
        first = last = step = 0
        for spec in self.key_specs:
            if not spec.is_range() or (first and (spec.step != 1 or spec.begin != last + 1)):
                continue
            first = first or spec.begin
            last = spec.begin + spec.last if spec.last >= 0 else spec.last
            step = step or spec.step
        return first, last, step

    def _has_movable_keys(self) -> bool:
        """Say whether the range does not tell all keys."""
        return any(not spec.is_range() or "incomplete" in spec.flags for spec in self.key_specs)


def _leading_number(text: bytes) -> int:
    """Return the integer that `text` begins with, 0 where it begins with none or one too large to count arguments.

    Redis finds keys before the command looks at its arguments, and less strictly. (Redis: genericGetKeys, atoi.)
    """
    match = _NUMBER.match(text)
    return int(match[0]) if match is not None else 0


def look_up(table: dict[bytes, Command], arguments: list[bytes]) -> Command | None:
    """Return the command or subcommand of `table` that a request names, in letters of any case."""
    command = table.get(arguments[0].lower())
    if command is None or not command.subcommands or len(arguments) < 2:
        return command
    return command.subcommands.get(arguments[1].lower())


def container(server: object, client: object, arguments: list[bytes]) -> None:
    """Stand in for the handler of a command that has subcommands only: one of them is always chosen before."""
    raise AssertionError(arguments)


def _all_categories(flags: int, given: list[str]) -> list[str]:
    """Return ACL categories: what the flags imply and what the row adds. (Redis: setImplicitACLCategories.)"""
    categories = list(given)
    if flags & WRITE:
        categories.append("write")
    if flags & READONLY and "scripting" not in given:
        categories.append("read")
    if flags & ADMIN:
        categories.extend(["admin", "dangerous"])
    if flags & PUBSUB:
        categories.append("pubsub")
    if flags & BLOCKING:
        categories.append("blocking")
    categories.append("fast" if flags & FAST else "slow")
    return [category for category in _CATEGORIES if category in categories]
