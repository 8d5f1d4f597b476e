"""Libraries: code that registers functions by their names, which FCALL runs. (Redis: functions.c, function_lua.c.)"""

from collections.abc import Callable
from typing import Any, Final, final

from trivet_node.scripting.faults import REPLY, ScriptError
from trivet_node.scripting.gateway import Gateway
from trivet_node.scripting.machine import Machine
from trivet_node.scripting.shebang import FLAG_NAMES, check_name, library_name, without_first_line
from trivet_node.scripting.values import text_or_none, type_name

_ARGUMENTS_MAX: Final = 2
_NOT_LOADING: Final = b"ERR redis.register_function can only be called on FUNCTION LOAD command"


@final
class Function:
    """A function of a library. `body` is what Lua runs; `flags` are those of shebang.py."""

    def __init__(self, name: bytes, body: object, flags: int, description: bytes | None) -> None:
        self.name: bytes = name
        self.body: object = body
        self.flags: int = flags
        self.description: bytes | None = description


@final
class Library:
    """The code of a library, and the functions that it has registered."""

    def __init__(self, name: bytes, code: bytes) -> None:
        self.name: bytes = name
        self.code: bytes = code
        self.functions: dict[bytes, Function] = {}


@final
class LibrarySet:
    """Libraries that exist together: no two have functions of the same name."""

    def __init__(self) -> None:
        self.libraries: dict[bytes, Library] = {}
        # By their names in lower case: case counts only within a library.
        self._functions: dict[bytes, Function] = {}

    def function(self, name: bytes) -> Function | None:
        """Return the function with that name, in letters of any case."""
        return self._functions.get(name.lower())

    def function_count(self) -> int:
        """Return how many functions there are."""
        return sum([len(library.functions) for library in self.libraries.values()])

    def codes(self) -> list[bytes]:
        """Return the code of every library, as snapshots and payloads hold it."""
        return [library.code for library in self.libraries.values()]

    def add(self, library: Library, replaces: bool) -> None:
        """Take a library, in place of the one of its name if `replaces` allows that. Raises ScriptError."""
        if library.name in self.libraries and not replaces:
            raise ScriptError(b"ERR Library '%s' already exists" % library.name)
        self._join([library])

    def join(self, others: "LibrarySet", replaces: bool) -> None:
        """Take all libraries of another set, or none. Raises ScriptError."""
        if not replaces:
            for name in others.libraries:
                if name in self.libraries:
                    raise ScriptError(b"ERR Library %s already exists" % name)
        self._join(list(others.libraries.values()))

    def remove(self, name: bytes) -> bool:
        """Drop a library and say whether it was there."""
        library = self.libraries.pop(name, None)
        if library is None:
            return False
        for function in library.functions:
            self._functions.pop(function.lower(), None)
        return True

    def _join(self, libraries: list[Library]) -> None:
        replaced = [self.libraries[library.name] for library in libraries if library.name in self.libraries]
        given_up = {name.lower() for library in replaced for name in library.functions}
        for library in libraries:
            for name in library.functions:
                if name.lower() in self._functions and name.lower() not in given_up:
                    raise ScriptError(b"ERR Function %s already exists" % name)
        for library in libraries:
            self.remove(library.name)
            self.libraries[library.name] = library
            for function in library.functions.values():
                self._functions[function.name.lower()] = function


@final
class LibraryLoader:
    """Makes libraries of their code, in a state of Lua of its own."""

    def __init__(self, gateway: Gateway) -> None:
        self._loading: Library | None = None
        self.machine: Machine = Machine(gateway, self._register)

    def load(self, code: bytes, known: LibrarySet, replaces: bool) -> Library:
        """Return the library that `code` is, which is to become one of `known`. Raises ScriptError."""
        name = library_name(code)
        if name in known.libraries and not replaces:
            raise ScriptError(b"ERR Library '%s' already exists" % name)
        library = Library(name, code)
        self._loading = library
        try:
            self.machine.load(without_first_line(code))
        finally:
            self._loading = None
        if not library.functions:
            raise ScriptError(b"ERR No functions registered")
        return library

    def load_all(self, codes: list[bytes]) -> LibrarySet:
        """Return the set of the libraries that `codes` are. Raises ScriptError."""
        found = LibrarySet()
        for code in codes:
            found.add(self.load(code, found, False), False)
        return found

    def _register(self, *arguments: object) -> None:
        """redis.register_function(name, callback) or redis.register_function{function_name=..., callback=..., ...}."""
        library = self._loading
        if library is None:
            raise ScriptError(_NOT_LOADING, REPLY)
        if not 1 <= len(arguments) <= _ARGUMENTS_MAX:
            raise ScriptError(b"ERR wrong number of arguments to redis.register_function", REPLY)
        function = _named(arguments[0]) if len(arguments) == 1 else _positional(arguments)
        try:
            check_name(function.name)
        except ScriptError as error:
            raise ScriptError(error.text, REPLY) from None
        if function.name in library.functions:
            raise ScriptError(b"ERR Function already exists in the library", REPLY)
        library.functions[function.name] = function


def _positional(arguments: tuple[object, ...]) -> Function:
    name = text_or_none(arguments[0])
    if name is None:
        raise ScriptError(b"ERR first argument to redis.register_function must be a string", REPLY)
    if type_name(arguments[1]) != b"function":
        raise ScriptError(b"ERR second argument to redis.register_function must be a function", REPLY)
    return Function(name, arguments[1], 0, None)


def _named(table: Any) -> Function:
    if type_name(table) != b"table":
        raise ScriptError(
            b"ERR calling redis.register_function with a single argument is only applicable to Lua table "
            b"(representing named arguments).",
            REPLY,
        )
    given: dict[bytes, object] = {}
    for key, value in table.items():
        name = text_or_none(key)
        if name is None:
            raise ScriptError(b"ERR named argument key given to redis.register_function is not a string", REPLY)
        reader = _READERS.get(name.lower())
        if reader is None:
            raise ScriptError(b"ERR unknown argument given to redis.register_function", REPLY)
        given[name.lower()] = reader(name.lower(), value)
    function_name = given.get(b"function_name")
    if not isinstance(function_name, bytes):
        raise ScriptError(b"ERR redis.register_function must get a function name argument", REPLY)
    if b"callback" not in given:
        raise ScriptError(b"ERR redis.register_function must get a callback argument", REPLY)
    flags, description = given.get(b"flags", 0), given.get(b"description")
    return Function(
        function_name,
        given[b"callback"],
        flags if isinstance(flags, int) else 0,
        description if isinstance(description, bytes) else None,
    )


def _read_text(name: bytes, value: object) -> object:
    found = text_or_none(value)
    if found is None:
        raise ScriptError(b"ERR %s argument given to redis.register_function must be a string" % name, REPLY)
    return found


def _read_callback(name: bytes, value: object) -> object:
    if type_name(value) != b"function":
        raise ScriptError(b"ERR callback argument given to redis.register_function must be a function", REPLY)
    return value


def _read_flags(name: bytes, value: Any) -> object:
    if type_name(value) != b"table":
        raise ScriptError(
            b"ERR flags argument to redis.register_function must be a table representing function flags", REPLY
        )
    flags = 0
    index = 1
    word = value[index]
    while word is not None:
        flag = FLAG_NAMES.get(word.lower()) if isinstance(word, bytes) else None
        if flag is None:
            raise ScriptError(b"ERR unknown flag given", REPLY)
        flags |= flag
        index += 1
        word = value[index]
    return flags


_READERS: Final[dict[bytes, Callable[[bytes, Any], object]]] = {
    b"function_name": _read_text,
    b"description": _read_text,
    b"callback": _read_callback,
    b"flags": _read_flags,
}
