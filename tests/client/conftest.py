"""Clusters to test the client against."""

from collections.abc import Iterator

import pytest

from tests.clusters import CLUSTERS, RunningCluster
from tests.conftest import require_redis_server


@pytest.fixture(scope="session", params=sorted(CLUSTERS))
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """A cluster for the whole run; tests leave its nodes and slots as they found them."""
    require_redis_server()
    with CLUSTERS[request.param](tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(params=sorted(CLUSTERS))
def own_cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """A cluster for one test, which may break it."""
    require_redis_server()
    with CLUSTERS[request.param](tmp_path_factory.mktemp("own-cluster")) as running:
        yield running
