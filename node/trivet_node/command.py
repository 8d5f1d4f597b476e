"""What a command is: one row of facts and one handler.

Everything that anybody asks about a command comes from its row: the table that dispatches, COMMAND and COMMAND
DOCS, the ACL categories, the keys that decide the slot, and the page of commands in docs/. A file of commands/ defines
short handlers and then its rows. (Redis: COMMAND, "Command key specifications", "Command tips".)
"""

from collections.abc import Callable
from typing import Any, Final, final

from mypy_extensions import i64

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
    """Where keys stand among the arguments: from index `begin` to `last` places behind it, every `step`th.

    A negative `last` counts from the end: -1 is the last argument. `flags` are Redis' words: `RW access update`;
    `notes` say what they do not.
    """

    def __init__(self, flags: str, begin: int = 1, last: int = 0, step: int = 1, notes: str = "") -> None:
        self.flags: str = flags
        self.notes: str = notes
        self.begin: int = begin
        self.last: int = last
        self.step: int = step

    def positions(self, argument_count: int) -> range:
        """Return the indices of the keys among `argument_count` arguments."""
        last = self.begin + self.last if self.last >= 0 else argument_count + self.last
        return range(self.begin, min(last, argument_count - 1) + 1, self.step)


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
        self.subcommands: dict[bytes, Command] = {
            command.name.partition("|")[2].encode(): command for command in subcommands
        }
        # The one key is the first argument: the slot check of cluster mode has a fast path for these.
        self.has_single_key: bool = find_keys is None and self.key_range() == (1, 1, 1)
        self.is_keyless: bool = not keys and find_keys is None
        # Statistics, reset by CONFIG RESETSTAT.
        self.calls: i64 = 0
        self.rejected_calls: i64 = 0
        self.failed_calls: i64 = 0

    def accepts(self, argument_count: i64) -> bool:
        """Say whether a request of `argument_count` arguments, the name included, has the right arity."""
        return argument_count == self.arity if self.arity > 0 else argument_count >= -self.arity

    def keys(self, arguments: list[bytes]) -> list[bytes]:
        """Return the keys among `arguments`, whose number is right."""
        if self.find_keys is not None:
            return self.find_keys(arguments)
        return [arguments[index] for spec in self.key_specs for index in spec.positions(len(arguments))]

    def has_keys(self) -> bool:
        """Say whether requests of this command may name keys."""
        return bool(self.key_specs) or self.find_keys is not None

    def key_range(self) -> tuple[int, int, int]:
        """Return COMMAND INFO's first key, last key and step, zeros where there are no keys."""
        if not self.key_specs:
            return 0, 0, 0
        first = self.key_specs[0]
        final = self.key_specs[-1]
        last = final.begin + final.last if final.last >= 0 else final.last
        return first.begin, last, first.step


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
