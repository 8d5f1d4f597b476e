"""The snapshot on disk, loaded into a running node (DEBUG RELOAD).

It is read beside the present data, which is given up only when all of it is there: where anything is wrong with the
file, nothing was lost. (Redis: debug.c, which empties the databases first, and exits where a key is there twice.)
"""

from typing import Final

from trivet_node.keyspace import Database, Keyspace
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.persistence.rdb_reader import KEEP_EXPIRED, RdbReader
from trivet_node.scripting.faults import ScriptError
from trivet_node.scripting.libraries import LibrarySet
from trivet_node.server.scripts.loading import compiled
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE

_KEYS_PER_STEP: Final = 100_000


def reload(server: Server, keeps_keys: bool, merges: bool) -> str:
    """Put the snapshot's keys in place of the present ones; return why that failed, or nothing.

    With `keeps_keys` they join them; a key that is on both sides is an error, or comes from the snapshot if `merges`.
    Nobody who follows this node hears of it, but watches break.
    """
    loaded = server.keyspace.beside()
    # A replica keeps expired keys until its primary deletes them.
    expired_before_ms = KEEP_EXPIRED if server.replication.upstream is not None else int(server.keyspace.now_ms)
    try:
        with server.host.open_snapshot() as file:
            reader = RdbReader(file.read, loaded, server.limits, expired_before_ms, not server.debug.skips_checksums)
            while reader.step(_KEYS_PER_STEP):
                pass
        libraries = compiled(server, reader)
    except (OSError, RdbError) as error:
        return str(error)
    dirty = server.keyspace.dirty
    failure = _join(server, loaded, libraries, merges) if keeps_keys else _exchange(server, loaded, libraries)
    server.keyspace.dirty = dirty
    return failure


def _exchange(server: Server, loaded: Keyspace, libraries: LibrarySet) -> str:
    server.keyspace.adopt(loaded)
    server.programs.libraries = libraries
    return ""


def _join(server: Server, loaded: Keyspace, libraries: LibrarySet, merges: bool) -> str:
    keyspace = server.keyspace
    for source in loaded.used_databases():
        target = keyspace.database(source.index)
        for slot in source.slots:
            for key in slot:
                if not merges and target.find_raw(key) is not None:
                    return f"RDB has duplicated key '{key.decode(errors='replace')}' in DB {source.index}"
    try:
        server.programs.libraries.join(libraries, merges)
    except ScriptError as error:
        return error.text.decode(errors="replace")
    for source in loaded.used_databases():
        _add_all(keyspace.database(source.index), source)
    return ""


def _add_all(target: Database, source: Database) -> None:
    for slot in source.slots:
        for key, value in slot.items():
            target.put(key, value)
            deadline_ms = source.deadline(key)
            if deadline_ms != NO_DEADLINE:
                target.set_deadline(key, deadline_ms)
