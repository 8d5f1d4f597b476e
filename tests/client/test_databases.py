"""The option `database`: SELECT on every connection, to one server and to a cluster that has several databases."""

from collections.abc import Iterator

import pytest

from tests.processes import ServerProcess, start_trivet_node, wait_until
from trivet_client import Client, ClusterClient, DatabaseRefused


@pytest.fixture(scope="module")
def cluster_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A cluster of one node that has four databases."""
    options = ["--cluster-enabled", "yes", "--cluster-databases", "4", "--cluster-node-timeout", "1000"]
    with start_trivet_node(tmp_path_factory.mktemp("databases"), *options) as node:
        assert node.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383) == b"OK"
        wait_until(lambda: b"cluster_state:ok" in node.call("CLUSTER", "INFO"), 10, "the cluster is up")
        yield node


async def test_every_connection_to_a_cluster_selects(cluster_node: ServerProcess) -> None:
    nodes = [cluster_node.address]
    async with ClusterClient(nodes, database=2) as client, ClusterClient(nodes) as of_zero:
        await client.set("k", "two")
        async with client.connection("k") as connection:
            assert await connection.call("GET", "k") == b"two"
        assert await client.dbsize() == 1
        assert await of_zero.get("k") is None


async def test_a_snapshot_of_a_cluster_holds_all_its_databases(cluster_node: ServerProcess) -> None:
    async with ClusterClient([cluster_node.address], database=3) as client:
        await client.set("kept", "three")
        cluster_node.call("SAVE")
        cluster_node.kill()
        cluster_node.start()
        assert await client.get("kept") == b"three"


async def test_a_database_that_there_is_not_is_refused(
    cluster_node: ServerProcess, own_redis_server: ServerProcess
) -> None:
    with pytest.raises(DatabaseRefused, match="DB index is out of range"):
        async with ClusterClient([cluster_node.address], database=4):
            pass
    with pytest.raises(DatabaseRefused, match="DB index is out of range"):
        async with Client(*own_redis_server.address, database=16):
            pass
    async with Client(*own_redis_server.address, database=15) as client:
        await client.set("k", "fifteen")
    assert own_redis_server.call("DBSIZE") == 0
    with pytest.raises(ValueError, match="database"):
        Client("h", 1, database=-1)


async def test_a_cluster_of_redis_refuses_databases(redis_cluster_node: ServerProcess) -> None:
    with pytest.raises(DatabaseRefused, match="SELECT is not allowed in cluster mode"):
        async with ClusterClient([redis_cluster_node.address], database=1):
            pass
