"""What the families of commands stand on: run one command, convert its reply.

A client runs the command at once and returns a coroutine; a pipeline puts it into its queue and returns a promise. Both
are awaitables of the converted reply, so each method is written once. `V` is bytes, or str with decode_responses.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

from trivet_wire.connection import Argument, Reply

V = TypeVar("V", bytes, str)
T = TypeVar("T")

Key = bytes | str
Value = Argument
Pairs = Mapping[bytes, Value] | Mapping[str, Value]


class CommandRunner(ABC, Generic[V]):
    """Anything that commands can be given to."""

    @abstractmethod
    def _run(self, convert: Callable[[Reply], T], *arguments: Argument) -> Awaitable[T]:
        """Run one command (or queue it) and return its reply as `convert` gives it."""


def unchanged(reply: Reply) -> Any:
    """Return the reply as the server sent it."""
    return reply


def is_ok(reply: Reply) -> bool:
    """Return whether the server said OK; a null means that a condition such as NX did not hold."""
    return reply in (b"OK", "OK")


def flag(name: str, wanted: bool) -> list[Argument]:
    """Return the option `name` if it is wanted."""
    return [name] if wanted else []


def words(word: str | None) -> list[Argument]:
    """Return the one word, or nothing where there is none."""
    return [] if word is None else [word]


def option(name: str, value: Argument | None) -> list[Argument]:
    """Return the option `name` with its value, or nothing where there is none."""
    return [] if value is None else [name, value]


def flatten(pairs: Pairs) -> list[Argument]:
    """Return keys and values in one list."""
    return [each for pair in pairs.items() for each in pair]
