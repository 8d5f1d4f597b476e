"""Where a command's keys are, and what kind of command it is, as the server itself says by COMMAND.

Redis 7 describes keys by key specifications: where to begin looking (an index, or behind a keyword) and what to find
there (a range, or a count followed by so many keys). Older servers give first key, last key and step. A command that
the server did not describe is taken to have its first key as its first argument.
(Redis documentation, "Command key specifications"; COMMAND reply, fields 3 to 5, 8 and 9.)
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from attrs import field, frozen

from trivet_wire.answers import as_dict
from trivet_wire.connection import Reply

# Commands whose key count is an argument, for servers that do not describe them: index of the count.
_COUNTED_KEYS: Final = {b"eval": 2, b"evalsha": 2, b"eval_ro": 2, b"evalsha_ro": 2, b"fcall": 2, b"fcall_ro": 2}


@frozen
class KeySpec:
    """One key specification. Indices count from the command's name, which is 0."""

    keyword: bytes | None
    # Where to begin: the index itself, or from where on (negative: from the end) to look for the keyword.
    begin: int
    # A range: last key relative to the begin (negative: relative to the end), step, and the divisor of the range.
    last: int = 0
    step: int = 1
    limit: int = 0
    # A count: its index relative to the begin, or None where the keys are a range; and the first key's.
    count_index: int | None = None
    first: int = 0

    def positions(self, arguments: Sequence[bytes]) -> Iterator[int]:
        """Yield the indices of the keys in `arguments`, the command's name included."""
        begin = self._begin(arguments)
        if begin is None:
            return
        if self.count_index is not None:
            yield from self._counted(arguments, begin)
            return
        last = begin + self.last
        if self.last < 0:
            last = len(arguments) + self.last
            if self.last == -1 and self.limit > 1:
                last = begin + (len(arguments) - begin) // self.limit - 1
        yield from range(begin, min(last, len(arguments) - 1) + 1, self.step)

    def _begin(self, arguments: Sequence[bytes]) -> int | None:
        if self.keyword is None:
            return self.begin if self.begin < len(arguments) else None
        forward, backward = range(self.begin, len(arguments) - 1), range(len(arguments) + self.begin, 0, -1)
        order = forward if self.begin >= 0 else backward
        return next((index + 1 for index in order if arguments[index].upper() == self.keyword), None)

    def _counted(self, arguments: Sequence[bytes], begin: int) -> Iterator[int]:
        assert self.count_index is not None
        index = begin + self.count_index
        if index < len(arguments) and arguments[index].isdigit():
            first = begin + self.first
            last = first + int(arguments[index]) * self.step
            yield from range(first, min(last, len(arguments)), self.step)


_FIRST_ARGUMENT: Final = (KeySpec(keyword=None, begin=1),)


@frozen
class CommandInfo:
    """What the client must know of one command."""

    key_specs: tuple[KeySpec, ...]
    flags: frozenset[str] = frozenset()
    subcommands: dict[bytes, "CommandInfo"] = field(factory=dict)

    @property
    def reads_only(self) -> bool:
        """Whether a replica can answer the command."""
        return "readonly" in self.flags

    @property
    def blocks(self) -> bool:
        """Whether the reply may be a long time coming by intention."""
        return "blocking" in self.flags

    def key_positions(self, arguments: Sequence[bytes]) -> list[int]:
        """Return the indices of the keys in `arguments`, the command's name included."""
        positions = [position for spec in self.key_specs for position in spec.positions(arguments)]
        if arguments[0].upper() == b"MIGRATE":
            # It names its keys behind KEYS if the one in the usual place is empty.
            positions = [position for position in positions if arguments[position]]
        return positions


class CommandTable:
    """The commands of a server. `reply` is what it answered to COMMAND (empty: nothing is known)."""

    def __init__(self, reply: Reply = ()) -> None:
        self._commands = _parse_commands(reply)

    def info(self, arguments: Sequence[bytes]) -> CommandInfo:
        """Return what is known of the command (or subcommand) that `arguments` calls."""
        name = arguments[0].lower()
        info = self._commands.get(name)
        if info is None:
            return _undescribed(name)
        if info.subcommands and len(arguments) > 1:
            return info.subcommands.get(name + b"|" + arguments[1].lower(), info)
        return info


def _undescribed(name: bytes) -> CommandInfo:
    index = _COUNTED_KEYS.get(name)
    if index is None:
        return CommandInfo(_FIRST_ARGUMENT)
    return CommandInfo((KeySpec(keyword=None, begin=index, count_index=0, first=1),))


def _parse_commands(reply: Reply) -> dict[bytes, CommandInfo]:
    return {bytes(entry[0]).lower(): _parse_command(entry) for entry in reply if entry}


def _parse_command(entry: list[Any]) -> CommandInfo:
    flags = frozenset(_text(flag).decode() for flag in entry[2])
    subcommands = _parse_commands(entry[9]) if len(entry) > 9 else {}
    return CommandInfo(_key_specs(entry, flags), flags, subcommands)


def _key_specs(entry: list[Any], flags: frozenset[str]) -> tuple[KeySpec, ...]:
    if len(entry) > 8 and entry[8]:
        specs = (_parse_key_spec(as_dict(each)) for each in entry[8])
        return tuple(spec for spec in specs if spec is not None)
    if "movablekeys" in flags:
        return _undescribed(bytes(entry[0]).lower()).key_specs
    first, last, step = entry[3:6]
    if first == 0:
        return ()
    return (KeySpec(keyword=None, begin=first, last=last - first if last >= 0 else last, step=step),)


def _parse_key_spec(fields: dict[bytes, Any]) -> KeySpec | None:
    """Return the specification, or None where the server says that it cannot tell."""
    begin, find = as_dict(fields[b"begin_search"]), as_dict(fields[b"find_keys"])
    begin_spec, find_spec = as_dict(begin[b"spec"]), as_dict(find[b"spec"])
    if _text(begin[b"type"]) == b"index":
        keyword, start = None, begin_spec[b"index"]
    elif _text(begin[b"type"]) == b"keyword":
        keyword, start = bytes(begin_spec[b"keyword"]).upper(), begin_spec[b"startfrom"]
    else:
        return None
    if _text(find[b"type"]) == b"range":
        last, step, limit = find_spec[b"lastkey"], find_spec[b"keystep"], find_spec[b"limit"]
        return KeySpec(keyword, start, last, step, limit)
    if _text(find[b"type"]) == b"keynum":
        count, first, step = find_spec[b"keynumidx"], find_spec[b"firstkey"], find_spec[b"keystep"]
        return KeySpec(keyword, start, step=step, count_index=count, first=first)
    return None


def _text(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
