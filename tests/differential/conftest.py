"""A redis-server, alone or with a node of ours beside it, for the tests that compare their answers."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import require_redis_server
from tests.differential.peers import SocketPeer, lazy_redis_server
from tests.processes import ServerProcess, start_redis_server, start_trivet_node


@contextmanager
def started_pair(
    tmp_path_factory: pytest.TempPathFactory, *options: str
) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """A node of ours and a redis-server, both with these options."""
    require_redis_server()
    directory = tmp_path_factory.mktemp("pair")
    with start_trivet_node(directory, *options) as ours, start_redis_server(directory, *options) as real:
        yield ours, real


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """A node of ours and a redis-server."""
    with started_pair(tmp_path_factory, "--enable-debug-command", "yes") as servers:
        yield servers


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketPeer]:
    """A redis-server to compare engines with."""
    require_redis_server()
    with lazy_redis_server(tmp_path_factory.mktemp("redis")) as peer:
        yield peer
