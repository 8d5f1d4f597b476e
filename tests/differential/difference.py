"""What is raised where two peers differ, and how it is shown."""

from typing import Final

from tests.differential.generator import Arguments

_SHOWN_BYTES: Final = 80
_SHOWN_CHARACTERS: Final = 1000


class Difference(AssertionError):
    """Two peers have answered differently. `begun` says how many steps had begun."""

    begun: int = 0


def show(arguments: Arguments) -> str:
    """Return a command as people read it; long arguments are cut."""
    return " ".join(_shown(argument) for argument in arguments)


def cut(thing: object) -> str:
    """Return replies as they are written in Python, cut where that is long."""
    text = repr(thing)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...({len(text)} characters)"


def _shown(argument: bytes) -> str:
    text = repr(argument[:_SHOWN_BYTES])[1:]
    return text if len(argument) <= _SHOWN_BYTES else f"{text}...({len(argument)} bytes)"
