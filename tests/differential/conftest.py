"""A node of ours beside a redis-server, for the tests that compare their answers."""

from collections.abc import Iterator

import pytest

from tests.conftest import require_redis_server
from tests.processes import ServerProcess, start_redis_server, start_trivet_node


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """A node of ours and a redis-server."""
    require_redis_server()
    directory = tmp_path_factory.mktemp("pair")
    with (
        start_trivet_node(directory, "--enable-debug-command", "yes") as ours,
        start_redis_server(directory, "--enable-debug-command", "yes") as real,
    ):
        yield ours, real
