"""What functions of Python raise where a script has called them wrongly.

Lua sees such an exception as userdata; whatever catches errors in the sandbox asks describe() what to put in its
place, so that no script ever holds the exception itself.
"""

from typing import Final, final

# A message that gets the position of the caller before it. (Redis: luaL_error)
POSITIONED: Final = 0
# A table with an `err` field, as redis.call raises it. (Redis: luaPushError)
REPLY: Final = 1
# The same for an error that INFO has counted already.
COUNTED_REPLY: Final = 2
# A message about the argument with that number. (Redis: luaL_argerror)
ARGUMENT: Final = 3
# A message as it is.
PLAIN: Final = 4

# What stands for a fault of ours.
INTERNAL: Final = b"ERR internal error, see the log of the server"


@final
class ScriptError(Exception):
    """An error to be raised in Lua. `argument` is the number of the argument that it is about."""

    def __init__(self, text: bytes, kind: int = POSITIONED, argument: int = 0) -> None:
        super().__init__(text)
        self.text: bytes = text
        self.kind: int = kind
        self.argument: int = argument


def argument_error(argument: int, text: bytes) -> ScriptError:
    """Return the error about the argument with that number, counted from 1."""
    return ScriptError(text, ARGUMENT, argument)
