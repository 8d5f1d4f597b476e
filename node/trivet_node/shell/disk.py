"""The snapshot on disk, read when the node starts, with turns for everybody else in between."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from trivet_node.persistence.rdb_reader import RdbReader
from trivet_node.server.state import Server

# Keys loaded before clients get a turn: about 5 ms interpreted.
_KEYS_PER_STEP: Final = 1000


async def load_keys(reader: RdbReader) -> None:
    """Load a snapshot to its end, with turns for everybody else between some keys. Raises RdbError."""
    while reader.step(_KEYS_PER_STEP):
        await trio.lowlevel.checkpoint()


async def load_snapshot(
    path: Path, server: Server, now_ms: int, begun: Callable[[RdbReader, int], None]
) -> RdbReader | None:
    """Load the file `path` into the server's empty keyspace; None where there is no such file.

    `begun` is told which reader loads and how many bytes there are, so that others can see how far it is.
    Keys that expired before `now_ms` are left out. Raises RdbError and OSError; the file is never changed.
    """
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return None
    with file:
        reader = RdbReader(file.read, server.keyspace, server.limits, now_ms)
        begun(reader, os.fstat(file.fileno()).st_size)
        await load_keys(reader)
        return reader
