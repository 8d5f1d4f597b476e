"""What is left out of a request before it is shown to people: passwords and user names.

(Redis: redactClientCommandArgument and its callers, SENSITIVE_CONFIG.)
"""

from typing import Final

from trivet_node.command import Command

_HIDDEN: Final = b"(redacted)"
# The settings whose values are hidden; CONFIG SET is given names in every second place from this one on.
_HIDDEN_SETTINGS: Final = frozenset([b"masterauth", b"masteruser", b"requirepass"])
_FIRST_SETTING: Final = 2
# How many arguments are hidden behind which word.
_HIDDEN_BEHIND: Final[dict[str, dict[bytes, int]]] = {
    "hello": {b"auth": 2},
    "migrate": {b"auth": 1, b"auth2": 2},
}


def redacted(command: Command, arguments: list[bytes]) -> list[bytes]:
    """Return the arguments of a request as they may be shown."""
    if command.name == "auth":
        return arguments[:1] + [_HIDDEN] * (len(arguments) - 1)
    if command.name == "config|set":
        return _without_secret_values(arguments)
    words = _HIDDEN_BEHIND.get(command.name)
    return arguments if words is None else _hidden_behind(words, arguments)


def _without_secret_values(arguments: list[bytes]) -> list[bytes]:
    shown = list(arguments)
    for place in range(_FIRST_SETTING, len(arguments) - 1, 2):
        if arguments[place].lower() in _HIDDEN_SETTINGS:
            shown[place + 1] = _HIDDEN
    return shown


def _hidden_behind(words: dict[bytes, int], arguments: list[bytes]) -> list[bytes]:
    shown: list[bytes] = []
    hidden = 0
    for argument in arguments:
        if hidden:
            shown.append(_HIDDEN)
            hidden -= 1
        else:
            shown.append(argument)
            hidden = words.get(argument.lower(), 0)
    return shown
