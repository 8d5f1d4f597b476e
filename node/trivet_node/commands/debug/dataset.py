"""DEBUG POPULATE, RELOAD and LOADAOF: data made up, and data written and read again. (Redis: debug.c debugCommand.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import CommandError
from trivet_node.commands.arguments import INTEGER_MAX, integer_in, option
from trivet_node.server import saving
from trivet_node.server.reloading import reload
from trivet_node.server.state import Server
from trivet_wire import errors

_KEY_MAX_BYTES: Final = 127
_RELOAD_WORDS: Final = frozenset([b"MERGE", b"NOFLUSH", b"NOSAVE"])


def populate(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG POPULATE count [prefix [size]]: keys `prefix:0` and so on; replicas do not hear of it."""
    count = integer_in(arguments[2], 0, INTEGER_MAX, errors.NOT_POSITIVE)
    prefix = errors.c_string(arguments[3]) if len(arguments) > 3 else b"key"
    size = integer_in(arguments[4], 0, INTEGER_MAX, errors.NOT_POSITIVE) if len(arguments) > 4 else 0
    database = client.database
    dirty = server.keyspace.dirty
    for number in range(count):
        key = (b"%s:%d" % (prefix, number))[:_KEY_MAX_BYTES]
        if database.find(key) is None:
            value = b"value:%d" % number
            database.put(key, value[:size].ljust(size, b"\0") if size else value)
    server.keyspace.dirty = dirty
    client.reply.ok()


def reload_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]."""
    words = {option(argument) for argument in arguments[2:]}
    if not words <= _RELOAD_WORDS:
        raise CommandError(b"ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    if b"NOSAVE" not in words and not saving.save(server):
        raise CommandError(b"ERR")
    failure = reload(server, b"NOFLUSH" in words, b"MERGE" in words)
    if failure:
        server.host.log("warning", f"DEBUG RELOAD: {failure}")
        raise CommandError(b"ERR Error trying to load the RDB dump")
    server.host.log("warning", "DB reloaded by DEBUG RELOAD")
    client.reply.ok()


def loadaof(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG LOADAOF: there is no append-only file, and the data stays."""
    raise CommandError(b"ERR Error trying to load the AOF files, check server logs.")
