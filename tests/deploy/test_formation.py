"""Forming a cluster of running nodes: tried on redis-server, whose commands are the same."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import require_redis_server
from tests.processes import ServerProcess, start_redis_server
from trivet_deploy.launcher.formation import Layout, Member, NotReady, form, wait_until_ready
from trivet_deploy.network import Endpoint
from trivet_wire.answers import info_fields


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[ServerProcess]]:
    require_redis_server()
    with ExitStack() as running:
        yield [
            running.enter_context(
                start_redis_server(tmp_path, "--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0")
            )
            for _ in range(4)
        ]


def layout_of(nodes: list[ServerProcess]) -> Layout:
    names = [f"node-{node.port}" for node in nodes]
    return Layout(
        tuple(
            Member(name, Endpoint(*node.address), "" if index < 3 else names[index - 3])
            for index, (name, node) in enumerate(zip(names, nodes, strict=True))
        ),
        (),
    )


async def test_nodes_become_one_cluster_and_stay_it_when_formed_again(nodes: list[ServerProcess]) -> None:
    layout = layout_of(nodes)
    for _ in range(2):
        await form(layout, 20.0)
        await wait_until_ready(layout, 20.0)
        for node in nodes:
            cluster = info_fields(node.call("CLUSTER", "INFO"))
            assert (cluster["cluster_state"], cluster["cluster_slots_assigned"]) == ("ok", "16384")
            assert (cluster["cluster_known_nodes"], cluster["cluster_size"]) == ("4", "3")
        assert info_fields(nodes[3].call("INFO", "replication"))["master_port"] == str(nodes[0].port)


async def test_what_is_missing_is_named_when_time_is_over(nodes: list[ServerProcess]) -> None:
    layout = layout_of(nodes)
    with pytest.raises(NotReady) as raised:
        await wait_until_ready(layout, 0.3)
    assert f"node-{nodes[2].port}: cluster_state:fail, knows 1 of 4 nodes" in str(raised.value)
    nodes[1].kill()
    with pytest.raises(NotReady) as raised:
        await form(layout, 0.3)
    assert f"node-{nodes[1].port}:" in str(raised.value)
