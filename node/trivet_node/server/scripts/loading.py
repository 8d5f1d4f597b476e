"""The libraries of a snapshot become the server's. (Redis: rdb.c rdbFunctionLoad.)"""

from trivet_node.persistence.rdb_format import RdbError
from trivet_node.persistence.rdb_reader import RdbReader
from trivet_node.scripting.faults import ScriptError
from trivet_node.scripting.libraries import LibrarySet
from trivet_node.server.scripts.running import gateway_of
from trivet_node.server.state import Server


def compiled(server: Server, reader: RdbReader) -> LibrarySet:
    """Return the libraries that were read from a file. Raises RdbError."""
    found = LibrarySet()
    if not reader.libraries:
        return found
    gateway = gateway_of(server)
    loader = server.programs.loader(gateway)
    gateway.limit_loading(False)
    for offset, code in reader.libraries:
        try:
            found.add(loader.load(code, found, False), False)
        except ScriptError as error:
            raise RdbError(offset, error.text.decode(errors="replace")) from None
    return found
