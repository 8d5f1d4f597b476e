"""math.random and math.randomseed of scripts: the same numbers on every machine. (Redis: rand.c, script_lua.c.)"""

import math
from collections.abc import Callable
from typing import Final, final

from trivet_node.scripting.faults import ScriptError, argument_error
from trivet_node.scripting.values import NOTHING, small_integer

_MULTIPLIER: Final = 0x5DEECE66D
_INCREMENT: Final = 0xB
_STATE_BITS: Final = (1 << 48) - 1
_SEED: Final = 0x1234ABCD330E
_MAX: Final = 2**31 - 1


@final
class ScriptRandom:
    """The sequence of drand48, seeded as a C program begins it."""

    def __init__(self) -> None:
        self._state: int = _SEED

    def functions(self) -> dict[str, Callable[..., object]]:
        """Return what scripts may call, by its name."""
        return {"math.random": self._random, "math.randomseed": self._randomseed}

    def _random(self, *arguments: object) -> float | int:
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _STATE_BITS
        draw = (self._state >> 17) % _MAX / _MAX
        if not arguments:
            return draw
        if len(arguments) > 2:
            raise ScriptError(b"wrong number of arguments")
        smallest = small_integer(arguments, 0) if len(arguments) == 2 else 1
        largest = small_integer(arguments, len(arguments) - 1)
        if smallest > largest:
            raise argument_error(len(arguments), b"interval is empty")
        return math.floor(draw * (largest - smallest + 1)) + smallest

    def _randomseed(self, *arguments: object) -> tuple[object, ...]:
        self._state = ((small_integer(arguments, 0) & 0xFFFFFFFF) << 16) + 0x330E
        return NOTHING
