"""What a script and a library say of themselves in their first line, and the flags of scripts and functions.

    #!lua flags=no-writes,allow-stale        a script: it may have no such line at all, and then it has no flags
    #!lua name=mylib                         a library

(Redis: eval.c evalExtractShebangFlags, functions.c functionExtractLibMetaData, script.c scripts_flags_def.)
"""

from typing import Final

from trivet_node.scripting.faults import ScriptError
from trivet_wire.requests import split_words

NO_WRITES: Final = 1 << 0
ALLOW_OOM: Final = 1 << 1
ALLOW_STALE: Final = 1 << 2
NO_CLUSTER: Final = 1 << 3
ALLOW_CROSS_SLOT_KEYS: Final = 1 << 4
# A script without a first line of this kind: what it may do shows as it does it.
UNDECLARED: Final = 1 << 5

FLAG_NAMES: Final[dict[bytes, int]] = {
    b"no-writes": NO_WRITES,
    b"allow-oom": ALLOW_OOM,
    b"allow-stale": ALLOW_STALE,
    b"no-cluster": NO_CLUSTER,
    b"allow-cross-slot-keys": ALLOW_CROSS_SLOT_KEYS,
}
_MARK: Final = b"#!"
_BAD_NAME: Final = (
    b"ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"
)


def script_flags(body: bytes) -> int:
    """Return the flags of a script. Raises ScriptError."""
    if not body.startswith(_MARK):
        return UNDECLARED
    words = split_words(_first_line(body, b"ERR Invalid script shebang"))
    if not words:
        raise ScriptError(b"ERR Invalid engine in script shebang")
    if words[0] != b"#!lua":
        raise ScriptError(b"ERR Unexpected engine in script shebang: " + words[0])
    flags = 0
    for word in words[1:]:
        if not word.startswith(b"flags="):
            raise ScriptError(b"ERR Unknown lua shebang option: " + word)
        names = word[len(b"flags=") :]
        for name in names.split(b",") if names else []:
            if name not in FLAG_NAMES:
                raise ScriptError(b"ERR Unexpected flag in script shebang: " + name)
            flags |= FLAG_NAMES[name]
    return flags


def library_name(code: bytes) -> bytes:
    """Return the name of a library. Raises ScriptError, also where its engine is not Lua."""
    if not code.startswith(_MARK):
        raise ScriptError(b"ERR Missing library metadata")
    words = split_words(_first_line(code, b"ERR Invalid library metadata"))
    if not words:
        raise ScriptError(b"ERR Invalid library metadata")
    name: bytes | None = None
    for word in words[1:]:
        if word[:5].lower() != b"name=":
            raise ScriptError(b"ERR Invalid metadata value given: " + word)
        if name is not None:
            raise ScriptError(b"ERR Invalid metadata value, name argument was given multiple times")
        name = word[5:]
    if name is None:
        raise ScriptError(b"ERR Library name was not given")
    check_name(name)
    engine = words[0][len(_MARK) :]
    if engine.lower() != b"lua":
        raise ScriptError(b"ERR Engine '%s' not found" % engine)
    return name


def check_name(name: bytes) -> None:
    """Raise ScriptError unless `name` may be a library's or a function's."""
    if not name or not name.isascii() or not name.replace(b"_", b"a").isalnum():
        raise ScriptError(_BAD_NAME)


def without_first_line(text: bytes) -> bytes:
    """Return a text whose first line, where it is of this kind, is empty: the others keep their numbers."""
    return text[text.index(b"\n") :] if text.startswith(_MARK) else text


def _first_line(text: bytes, error: bytes) -> bytes:
    end = text.find(b"\n")
    if end < 0:
        raise ScriptError(error)
    return text[:end]
