"""Fixtures that tests of several rooms share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ServerProcess, has_redis_server, start_redis_server


def require_redis_server() -> None:
    """Skip the test where redis-server is not installed; in CI that is a failure."""
    if has_redis_server():
        return
    if os.environ.get("CI") == "true":
        pytest.fail("redis-server is not installed")
    pytest.skip("redis-server is not installed")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One real redis-server for the whole run; tests leave its configuration as they found it."""
    require_redis_server()
    with start_redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def own_redis_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A real redis-server for one test, which may do anything to it."""
    require_redis_server()
    with start_redis_server(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real redis-server in cluster mode that serves no slot."""
    require_redis_server()
    with start_redis_server(tmp_path_factory.mktemp("redis-cluster-node"), "--cluster-enabled", "yes") as server:
        yield server
