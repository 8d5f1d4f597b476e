"""One state of Lua 5.1, closed for scripts: what runs in it reaches its Gateway, and nothing else.

There are two in a node that uses both: one for EVAL, which SCRIPT FLUSH replaces, and one for libraries of functions.

Scripts see no object of Python. What they call are C closures around the functions here; what those take and give are
bytes, numbers, booleans and tables of Lua. Exceptions are described to errors.lua and never handed on. An object that
stands for a Lua table dies with the call it was made for: lupa lets it point to the coroutine it came from, which may
be collected. (Redis: script_lua.c, eval.c, function_lua.c.)
"""

import pkgutil
from collections.abc import Callable
from typing import Any, Final, final

from lupa.lua51 import LuaRuntime

from trivet_node.scripting import bits, structs
from trivet_node.scripting.api import CONSTANTS, LOADING_CONSTANTS, RedisApi
from trivet_node.scripting.faults import INTERNAL, REPLY, ScriptError
from trivet_node.scripting.gateway import Gateway
from trivet_node.scripting.randomness import ScriptRandom
from trivet_node.scripting.replies import ReplyReader
from trivet_node.scripting.serializers import (
    JSON_CONSTANTS,
    PACK_CONSTANTS,
    Json,
    MessagePack,
    pack_float,
    parse_prefix,
    unpack_float,
)

# The name of our own chunks: no chunk of a script can be called so.
_PRELUDE: Final = b"=\1"
# So many keys and arguments are handed over one by one, more of them in tables.
_FEW: Final = 200
_STATUSES_MIN: Final = 8

Function = Callable[..., object]


@final
class Failure:
    """An error that has ended a script. `is_counted`: INFO has counted it, under the command that failed.

    `line` and `source` say where in the script it happened, and are empty where it was not in the script. `is_bare`:
    not even the sandbox could handle it, as when memory ran out.
    """

    def __init__(self, text: bytes, is_bare: bool, is_counted: bool, line: bytes, source: bytes) -> None:
        self.text: bytes = text
        self.is_bare: bool = is_bare
        self.is_counted: bool = is_counted
        self.line: bytes = line
        self.source: bytes = source


@final
class TableResult:
    """A table that a script has given: Machine.encode() makes a reply of it, at once."""

    def __init__(self, table: object) -> None:
        self.table: object = table


@final
class Machine:
    """A state of Lua for scripts or, where `register` is given, for libraries: redis.register_function calls that."""

    def __init__(self, gateway: Gateway, register: Function | None = None) -> None:
        self._gateway: Gateway = gateway
        self._register: Function | None = register
        self._api: RedisApi = RedisApi(gateway)
        # cjson.new() numbers its instances.
        self._json_instances: int = 0
        self._runtime: Any = LuaRuntime(
            encoding=None,
            source_encoding="latin-1",
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_handlers=(_refuse, _refuse),
        )
        interface = self._prepare()
        self._replies: ReplyReader = ReplyReader(interface)
        self._api.attach(self._replies)
        self._run: Any = interface[b"run"]
        self._run_with: Any = interface[b"run_with"]
        self._run_function: Any = interface[b"run_function"]
        self._compile: Any = interface[b"compile"]
        self._load: Any = interface[b"load"]
        self._encode: Any = interface[b"encode"]
        self._statuses: Any = interface[b"statuses"]
        self._memory: Any = interface[b"memory"]

    def compile(self, body: bytes) -> object:
        """Return a function that is the script `body`. Raises ScriptError with the compiler's message."""
        found = self._compile(body, b"@user_script")
        if isinstance(found, bytes):
            raise ScriptError(found)
        return found

    def run(self, script: object, key_count: int, arguments: list[bytes]) -> object:
        """Run a compiled script with the first `key_count` of `arguments` as its keys.

        Return what it gives: bytes, a number, a boolean, None, a TableResult, or a Failure.
        """
        self._stock()
        if len(arguments) <= _FEW:
            result = self._run(script, key_count, *arguments)
        else:
            keys = self._replies.table(arguments[:key_count])
            result = self._run_with(script, keys, self._replies.table(arguments[key_count:]))
        return _outcome(result) if isinstance(result, tuple) else result

    def run_function(self, body: object, key_count: int, arguments: list[bytes]) -> object:
        """Run a function of a library; as run()."""
        self._stock()
        keys = self._replies.table(arguments[:key_count])
        result = self._run_function(body, keys, self._replies.table(arguments[key_count:]))
        return _outcome(result) if isinstance(result, tuple) else result

    def load(self, code: bytes) -> None:
        """Run the code of a library, so that it registers its functions. Raises ScriptError."""
        error = self._load(code, b"@user_function")
        if error is not None:
            raise ScriptError(b"ERR " + error)

    def encode(self, result: TableResult, protocol: int, script_protocol: int) -> list[bytes]:
        """Return a table that a script has given as a reply, and behind it the errors in it that nobody has counted."""
        encoded = self._encode(result.table, protocol, script_protocol)
        return [encoded] if isinstance(encoded, bytes) else list(encoded)

    def memory_bytes(self) -> int:
        """Return how much memory the state has allocated."""
        return int(self._memory())

    def close(self) -> None:
        """Give the state back: it and our functions in it hold each other."""
        self._api.statuses.clear()
        self._api.attach(None)
        self._run = self._run_with = self._run_function = self._compile = None
        self._load = self._encode = self._statuses = self._memory = None
        self._runtime = None

    def _stock(self) -> None:
        """Have tables {ok="OK"} ready for the commands of a script: no other reply is as common."""
        statuses = self._api.statuses
        if len(statuses) < _STATUSES_MIN:
            statuses.extend(self._statuses())

    def _prepare(self) -> Any:
        """Load the sandbox; return the table of its functions for us."""
        host = self._runtime.table_from(
            {
                b"PRELUDE": _PRELUDE,
                b"is_for_scripts": self._register is None,
                b"describe": self._describe,
                b"interrupt": self._interrupt,
                b"load": self._load_file,
                b"functions": self._functions,
                b"loading_functions": self._loading_functions,
                b"strtod": parse_prefix,
                b"pack_float": pack_float,
                b"unpack_float": unpack_float,
            }
        )
        return self._load_file(b"sandbox.lua")(host)

    def _load_file(self, name: bytes) -> Any:
        source = pkgutil.get_data("trivet_node.scripting", name.decode())
        return self._runtime.eval(b"loadstring")(source, _PRELUDE)

    def _functions(self, decode: Any, store: Any, new: Any, unpack: Any, spread: Any) -> Any:
        """Return what scripts find in their tables, functions and constants by their paths."""

        def make_json() -> Json:
            self._json_instances += 1
            return Json(self._json_instances, decode, store, new_json)

        def new_json() -> object:
            json = make_json()
            return new(self._table(json.functions()), self._table(JSON_CONSTANTS), json.number)

        functions: dict[str, Function] = {
            **bits.FUNCTIONS,
            **structs.FUNCTIONS,
            **ScriptRandom().functions(),
            **make_json().functions(),
            **MessagePack(unpack, spread).functions(),
            **self._api.functions(),
        }
        if self._register is None:
            functions.update(self._api.eval_functions())
        table = self._table(functions)
        for name, function in self._api.calls().items():
            table[name.encode()] = function
        return table, self._table({**CONSTANTS, **JSON_CONSTANTS, **PACK_CONSTANTS})

    def _loading_functions(self) -> Any:
        """Return what the code of a library finds while it is loaded."""
        functions: dict[str, Function] = {"redis.log": self._api.log}
        if self._register is not None:
            functions["redis.register_function"] = self._register
        return self._table(functions), self._table(LOADING_CONSTANTS)

    def _table(self, contents: Any) -> Any:
        return self._runtime.table_from(
            {
                name.encode(): _guarded(self._gateway, value) if callable(value) else value
                for name, value in contents.items()
            }
        )

    def _describe(self, error: object) -> tuple[bytes, int, int]:
        """Say what is to stand for an exception that one of our functions has raised."""
        if isinstance(error, ScriptError):
            return error.text, error.kind, error.argument
        return INTERNAL, REPLY, 0

    def _interrupt(self) -> object:
        try:
            return self._gateway.interrupt() or False
        except Exception:
            self._gateway.fault()
            return INTERNAL


def _refuse(*arguments: object) -> object:
    raise AttributeError("scripts have no access to objects")


def _guarded(gateway: Gateway, function: Function) -> Function:
    """Return a function for Lua to call, which raises nothing but ScriptError.

    The exception holds no frame: an object for a table of Lua that stood in one would live too long.
    """

    def guarded(*arguments: object) -> object:
        try:
            return function(*arguments)
        except ScriptError as error:
            failure = ScriptError(error.text, error.kind, error.argument)
        except Exception:
            gateway.fault()
            failure = ScriptError(INTERNAL, REPLY)
        arguments = ()
        raise failure

    return guarded


def _outcome(result: Any) -> object:
    """Return what the tuple means that a run has given: see outcome() of sandbox.lua."""
    if result[0] is True:
        return TableResult(result[1])
    if len(result) == 3:
        return Failure(result[2], True, False, b"", b"")
    return Failure(result[2], False, result[1], result[3] or b"", result[4] or b"")
