"""The scripts and libraries that a node knows, and the states of Lua that run them, made on their first use."""

import hashlib
from typing import Final, final

from trivet_node.scripting.faults import ScriptError
from trivet_node.scripting.gateway import Gateway
from trivet_node.scripting.libraries import LibraryLoader, LibrarySet
from trivet_node.scripting.machine import Machine
from trivet_node.scripting.shebang import UNDECLARED, script_flags, without_first_line

# What a cached script takes of memory besides its body, about: its hash and its place.
_SCRIPT_BYTES: Final = 100


@final
class Script:
    """A script of EVAL. `body` is what Lua runs; `flags` are those of shebang.py."""

    def __init__(self, sha: bytes, body: object, flags: int, size_bytes: int) -> None:
        self.sha: bytes = sha
        self.body: object = body
        self.flags: int = flags
        self.size_bytes: int = size_bytes


@final
class Programs:
    """What a node can run."""

    def __init__(self) -> None:
        # By the hexadecimal SHA-1 of their text, in lower case.
        self.scripts: dict[bytes, Script] = {}
        self.libraries: LibrarySet = LibrarySet()
        # What their commands go through: the server makes it.
        self.gateway: Gateway | None = None
        # Whether what runs, or ran last, is a function of a library.
        self.runs_function: bool = False
        self._machine: Machine | None = None
        self._loader: LibraryLoader | None = None

    def is_running(self) -> bool:
        """Say whether anything runs now."""
        return self.gateway is not None and self.gateway.is_running()

    def machine(self, gateway: Gateway) -> Machine:
        """Return the state that runs scripts."""
        if self._machine is None:
            self._machine = Machine(gateway)
        return self._machine

    def loader(self, gateway: Gateway) -> LibraryLoader:
        """Return what loads libraries, and runs their functions in its state."""
        if self._loader is None:
            self._loader = LibraryLoader(gateway)
        return self._loader

    def find(self, sha: bytes) -> Script | None:
        """Return the script with that hash, in letters of any case."""
        script = self.scripts.get(sha)
        return self.scripts.get(sha.lower()) if script is None else script

    def add(self, text: bytes, gateway: Gateway) -> Script:
        """Return the script that `text` is, compiled on the first time. Raises ScriptError."""
        sha = hashlib.sha1(text).hexdigest().encode()
        script = self.scripts.get(sha)
        if script is None:
            flags = script_flags(text)
            try:
                body = self.machine(gateway).compile(without_first_line(text))
            except ScriptError as error:
                raise ScriptError(b"ERR Error compiling script (new function): " + error.text) from None
            script = Script(sha, body, flags, len(text) + _SCRIPT_BYTES)
            self.scripts[sha] = script
        return script

    def declared_flags(self, command: str, arguments: list[bytes]) -> int:
        """Return the flags of the script or function that a request runs; UNDECLARED where it has or is none."""
        if command in ("eval", "eval_ro"):
            try:
                return script_flags(arguments[1])
            except ScriptError:
                return UNDECLARED
        if command in ("evalsha", "evalsha_ro"):
            script = self.find(arguments[1])
            return UNDECLARED if script is None else script.flags
        if command in ("fcall", "fcall_ro"):
            function = self.libraries.function(arguments[1])
            return UNDECLARED if function is None else function.flags
        return UNDECLARED

    def flush_scripts(self) -> None:
        """Forget all scripts, and what they have left in their state."""
        self.scripts = {}
        if self._machine is not None:
            self._machine.close()
        self._machine = None

    def script_bytes(self) -> int:
        """Return how much memory the texts of the scripts take."""
        return sum([script.size_bytes for script in self.scripts.values()])

    def library_bytes(self) -> int:
        """Return how much memory the code of the libraries takes."""
        return sum([len(code) + _SCRIPT_BYTES for code in self.libraries.codes()])

    def machine_bytes(self) -> tuple[int, int]:
        """Return how much memory the state of scripts has, and that of libraries."""
        return (
            0 if self._machine is None else self._machine.memory_bytes(),
            0 if self._loader is None else self._loader.machine.memory_bytes(),
        )
