"""Fixtures that tests of several rooms share, the order of the rooms, and what is said in the end."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.processes import ServerProcess, has_redis_server, start_redis_server

# The property of tests that says how many commands they have compared with redis-server.
COMPARED: Final = "compared"
# Rooms with files that take long. Where several processes share the tests, what is left in the end is short.
_FIRST_ROOMS: Final = ("simulation", "interop", "differential", "client", "deploy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the rooms that take long before the others."""

    def rank(item: pytest.Item) -> int:
        room = item.path.relative_to(Path(__file__).parent).parts[0]
        return _FIRST_ROOMS.index(room) if room in _FIRST_ROOMS else len(_FIRST_ROOMS)

    items.sort(key=rank)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many commands were compared with redis-server, by whichever process."""
    passed = terminalreporter.stats.get("passed", [])
    numbers = [value for report in passed for name, value in report.user_properties if name == COMPARED]
    if numbers:
        terminalreporter.write_line(f"{sum(numbers)} commands compared with redis-server in {len(numbers)} sequences")


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
